//! Any keys, any data, any size: nothing panics, and nothing that came from outside is drawn raw. What
//! the storm visits is counted: a place that it never comes to is a test that it does not make.

use super::hand::{Hand, NOW, answer, id, keys, request, run};
use pointsman::console::app::{App, Overlay};
use pointsman::console::keymap::KEYS;
use pointsman::console::{Options, asks::Effect, picture};
use pointsman::model::ask::{Answer, Ask, Changes, Refusal, Rows};
use pointsman::model::change::HaltedJob;
use pointsman::model::company::{ActView, ConsoleView};
use pointsman::model::time::rfc3339;
use pointsman::model::view::{RequestView, RunView};
use pointsman::session::{Incoming, Link, Ticket};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use ratatui::crossterm::event::{Event, KeyCode};
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Keys that the table does not name.
const MORE: [&str; 8] = ["backspace", "delete", "left", "right", "end", "home", "up", "ctrl-w"];

/// Ways to the places: what a person presses from the root.
const WAYS: [&str; 72] = [
    "1<tab>",
    "1<tab><tab>",
    "1<tab><tab><tab>j",
    "2kk",
    "2kk<enter>v",
    "2<tab>vv",
    "2<tab><tab>",
    "2<tab><tab><tab>",
    "3",
    "3v",
    "3v<tab>",
    "3v<tab><tab>",
    "3v<enter>",
    "3v<enter><tab>l",
    "4",
    "4<tab>",
    "4jc",
    "4jX",
    "4u",
    "5",
    "5ll<tab>",
    "5<tab><tab>",
    "5<tab><tab><tab>",
    "5jljjje",
    "5jljjjev",
    "5jljjjev<enter>",
    "5e<enter>",
    "5D",
    "5X",
    "5<tab><tab>jjD",
    "5jljP",
    "6",
    "6<tab>v",
    "2kkt",
    "2kktt",
    "2kkC",
    "2kkE",
    "2kkE<enter>",
    "2kkk<space><space>d",
    "2kkY",
    "2kko",
    "2kk/",
    "2kk<enter><tab>/",
    ":",
    ":jobs<enter>",
    ":consoles<enter>",
    "?",
    "3v/state:errored<enter>r",
    "3v/state:errored<enter>s",
    "3v/state:errored<enter>x",
    "2kkR",
    "2kkX",
    "2/verdict:rejected<enter>A",
    "5jb",
    "3vd",
    "2<tab><enter>",
    "5jljjje<enter>x<esc>d",
    "2kkt<right><enter>",
    "2kkt<right><right><enter>",
    "q",
    "2kk<tab>vp",
    "2kk<tab>v#",
    "2kk<tab>w",
    "2'",
    ":save view<enter>",
    ":theme<enter>",
    ":messages<enter>",
    ":audit<enter>",
    ":keys<enter>",
    ":record<enter>",
    ":apply a file<enter>",
    ":new integration<enter>",
];

/// Where the storm must have been, by [`here`].
const PLACES: [&str; 74] = [
    "Empty",
    "Requests(LiveRequests)",
    "Requests(Requests)",
    "Runs(LiveRuns)",
    "Runs(Runs)",
    "Needs",
    "Groups",
    "Payload(LivePayload)",
    "Payload(Payload)",
    "Timeline(RequestRun)",
    "Attempt(RequestRun)",
    "Timeline(Run)",
    "Attempt(Run)",
    "Board",
    "BoardPane",
    "Tree",
    "Facts",
    "Versions",
    "Diff",
    "Overview",
    "Editor",
    "source, reading",
    "source, typing",
    "form, reading",
    "form, typing",
    "body, reading",
    "body, typing",
    "filter line",
    "search line",
    "toast",
    "help",
    "capture",
    "beside",
    "what if",
    "menu",
    "jobs",
    "replayed",
    "consoles",
    "palette",
    "trial",
    "back-test",
    "texts",
    "value",
    "quit",
    "keys",
    "themes",
    "messages",
    "audit",
    "record",
    "values",
    "write",
    "save view",
    "prompt",
    "guide",
    "Verb Retry",
    "Verb Skip",
    "Verb Abort",
    "Verb Replay",
    "Verb Forget",
    "Verb Readmit",
    "Verb Complete",
    "Verb Extend",
    "Verb Deploy",
    "Verb Remove",
    "Verb Pause",
    "Verb Cancel",
    "Verb Rollback",
    "Verb Call",
    "Verb TestRun",
    "size Message",
    "size Narrow",
    "size Compact",
    "size Normal",
    "size Wide",
];

/// Names of what is on the screen.
fn here(app: &App) -> Vec<String> {
    let mut names = vec![format!("{:?}", app.place()), format!("size {:?}", app.frame().class)];
    if let Some(editor) = &app.editor {
        let what = match (&editor.body, &editor.form) {
            (Some(_), _) => "body",
            (_, Some(_)) => "form",
            _ => "source",
        };
        names.push(format!("{what}, {}", if editor.typing { "typing" } else { "reading" }));
    }
    names.extend(app.guide.as_ref().map(|_| "guide".to_owned()));
    names.extend(app.filter.as_ref().map(|_| "filter line".to_owned()));
    names.extend(app.search.as_ref().map(|_| "search line".to_owned()));
    names.extend((!app.toasts.is_empty()).then(|| "toast".to_owned()));
    names.extend(app.overlay.as_ref().map(|overlay| match overlay {
        Overlay::Verb(dialog) => format!("Verb {:?}", dialog.kind),
        Overlay::Help(_) => "help".to_owned(),
        Overlay::Capture(_) => "capture".to_owned(),
        Overlay::Beside(_) => "beside".to_owned(),
        Overlay::WhatIf(_) => "what if".to_owned(),
        Overlay::Menu(_) => "menu".to_owned(),
        Overlay::Jobs(_) => "jobs".to_owned(),
        Overlay::Replayed(_) => "replayed".to_owned(),
        Overlay::Consoles(_) => "consoles".to_owned(),
        Overlay::Palette(_) => "palette".to_owned(),
        Overlay::Trial(_) => "trial".to_owned(),
        Overlay::BackTest(_) => "back-test".to_owned(),
        Overlay::Texts(_) => "texts".to_owned(),
        Overlay::Value(_) => "value".to_owned(),
        Overlay::Quit { .. } => "quit".to_owned(),
        Overlay::Keys { .. } => "keys".to_owned(),
        Overlay::Themes(_) => "themes".to_owned(),
        Overlay::Messages(_) => "messages".to_owned(),
        Overlay::Audit(_) => "audit".to_owned(),
        Overlay::Record(_) => "record".to_owned(),
        Overlay::Values(_) => "values".to_owned(),
        Overlay::Write(_) => "write".to_owned(),
        Overlay::SaveView(_) => "save view".to_owned(),
        Overlay::Prompt(_) => "prompt".to_owned(),
    }));
    names
}

#[derive(Debug, Clone)]
enum Step {
    Key(usize),
    Type(String),
    Go(usize),
    Palette(usize),
    Resize(u16, u16),
    Answer,
    Refuse,
    Wrong,
    Arrive(u64),
    Figures(u64),
    Link(bool),
    Tick,
    Paste(String),
    Focus(bool),
    Drawn,
}

/// Text that somebody meant ill with.
const EVIL: &str = "[\\PC\u{0}-\u{1f}\u{7f}-\u{9f}\u{200b}-\u{202e}\u{2066}-\u{2069}\u{300}日👩]{0,40}";

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..KEYS.len() + MORE.len()).prop_map(Step::Key),
        2 => "\\PC{0,8}".prop_map(Step::Type),
        6 => (0..WAYS.len()).prop_map(Step::Go),
        1 => (0..70usize).prop_map(Step::Palette),
        2 => (1u16..301, 1u16..101).prop_map(|(w, h)| Step::Resize(w, h)),
        1 => (30u16..180, 7u16..60).prop_map(|(w, h)| Step::Resize(w, h)),
        8 => Just(Step::Answer),
        1 => Just(Step::Refuse),
        1 => Just(Step::Wrong),
        3 => (1u64..400).prop_map(Step::Arrive),
        1 => (0u64..4).prop_map(Step::Figures),
        1 => prop::bool::weighted(0.7).prop_map(Step::Link),
        1 => Just(Step::Tick),
        1 => prop_oneof![Just("state:errored\u{1b}[31m".to_owned()), Just("curl -d '{}' http://h/".to_owned()), EVIL].prop_map(Step::Paste),
        1 => any::<bool>().prop_map(Step::Focus),
        3 => Just(Step::Drawn),
    ]
}

fn spoil_request(row: &mut RequestView, evil: &str) {
    evil.clone_into(&mut row.what);
    evil.clone_into(&mut row.method);
    evil.clone_into(&mut row.path);
    row.cause = Some(evil.to_owned());
    row.actor = Some(evil.to_owned());
}

fn spoil_run(row: &mut RunView, evil: &str) {
    row.cause = Some(evil.to_owned());
    row.parent = Some(id(3));
    for attempt in row.steps.iter_mut().flat_map(|step| &mut step.attempts) {
        attempt.cause = Some(evil.to_owned());
        if let (Some(sent), Some(got)) = (&mut attempt.request, &mut attempt.response) {
            evil.clone_into(&mut sent.url);
            sent.headers.push((evil.to_owned(), evil.to_owned()));
            evil.clone_into(&mut got.body);
        }
    }
}

/// What a desk would answer to which only the worst was sent.
fn spoilt(ask: &Ask, newest: u64, evil: &str) -> Answer {
    let mut answer = match ask {
        Ask::Jobs { .. } | Ask::Job { .. } => super::jobs::answer(ask, evil),
        _ => answer(ask, newest),
    };
    match &mut answer {
        Answer::Requests(rows) => rows.rows.iter_mut().for_each(|row| spoil_request(row, evil)),
        Answer::Runs(rows) => rows.rows.iter_mut().for_each(|row| spoil_run(row, evil)),
        Answer::Run { run, .. } => spoil_run(run, evil),
        Answer::Groups { groups } => groups.iter_mut().for_each(|group| evil.clone_into(&mut group.cause)),
        Answer::Request(detail) => {
            spoil_request(&mut detail.request, evil);
            detail.headers.push((evil.to_owned(), evil.to_owned()));
            detail.flat.insert(evil.to_owned(), evil.to_owned().into());
            detail.body = json!({ evil.to_owned(): [evil, {evil.to_owned(): evil}] });
        }
        Answer::Explain(explain) => explain.told.push((evil.to_owned(), evil.to_owned())),
        _ => {}
    }
    answer
}

/// A console in a storm.
struct Storm {
    hand: Hand,
    evil: String,
    waiting: Vec<(Ticket, Ask)>,
}

impl Storm {
    fn ask(&mut self) {
        for effect in self.hand.app.effects() {
            if let Effect::Ask(ticket, ask) = effect {
                self.waiting.push((ticket, ask));
            }
        }
    }

    fn press(&mut self, text: &str) {
        for key in keys(text) {
            self.hand.app.input(Event::Key(key.event()));
            self.serve();
        }
    }

    /// Answers until nothing is asked, as far as that comes to an end.
    fn serve(&mut self) {
        for _ in 0..20 {
            self.ask();
            if self.waiting.is_empty() {
                break;
            }
            for (ticket, ask) in std::mem::take(&mut self.waiting) {
                let reply = spoilt(&ask, self.hand.newest, &self.evil);
                self.hand.app.receive(Incoming::Reply(ticket, Box::new(Ok(reply))));
            }
        }
        self.hand.app.flushed();
    }

    /// Nothing is open.
    fn leave(&mut self) {
        let app = &mut self.hand.app;
        (app.editor, app.overlay, app.filter, app.search, app.full) = (None, None, None, None, false);
        app.guide = None;
        app.settle();
    }

    fn arrive(&mut self, count: u64) {
        let runs = (self.hand.newest..self.hand.newest + count.min(50)).chain(0..5).map(id).collect();
        self.hand.newest += count;
        let act = ActView {
            console: None,
            who: self.evil.clone(),
            did: "retried".to_owned(),
            what: Some(self.evil.clone()),
            kind: "run".to_owned(),
            count: count % 3,
        };
        self.hand.app.receive(Incoming::Changed(Box::new(Changes {
            arrived: count,
            newest: Some(id(self.hand.newest)),
            runs,
            callbacks: count.is_multiple_of(2),
            config: count.is_multiple_of(7),
            resync: count.is_multiple_of(11),
            acts: vec![act],
            ..Changes::default()
        })));
    }

    fn figures(&mut self, n: u64) {
        let mut figures = super::hand::counters();
        figures.integrations = n;
        figures.accepted = 10_000_000_000 * n;
        let halted = HaltedJob {
            id: id(1),
            what: self.evil.clone(),
            who: self.evil.clone(),
            at: NOW,
            failures: 10,
            left: 7,
        };
        figures.jobs.halted = vec![halted; usize::try_from(n % 2).unwrap()];
        let console = ConsoleView {
            id: "c".to_owned(),
            who: self.evil.clone(),
            role: "viewer".to_owned(),
            from: self.evil.clone(),
            since: rfc3339(NOW),
            screen: self.evil.clone(),
            run: Some(id(n)),
        };
        self.hand.app.receive(Incoming::Changed(Box::new(Changes {
            counters: Some(figures),
            consoles: Some(vec![console; 3]),
            ..Changes::default()
        })));
    }

    fn weather(&mut self, step: Step) {
        let app = &mut self.hand.app;
        match step {
            Step::Key(at) => {
                let name = KEYS.get(at).map_or_else(|| MORE[at - KEYS.len()], |binding| binding.keys[0]);
                app.input(Event::Key(pointsman::console::key::Key::parse(name).unwrap().event()));
            }
            Step::Type(text) => {
                for letter in text.chars() {
                    app.input(Event::Key(KeyCode::Char(letter).into()));
                }
            }
            Step::Go(at) => {
                self.leave();
                if WAYS[at].starts_with("2<tab><tab>") {
                    // The run beside a payload is on wide screens alone.
                    self.hand.app.input(Event::Resize(200, 60));
                }
                self.press(WAYS[at]);
            }
            Step::Palette(at) => {
                self.leave();
                self.press(&format!(":{}<enter>", "<down>".repeat(at)));
            }
            Step::Resize(width, height) => app.input(Event::Resize(width, height)),
            Step::Answer | Step::Refuse | Step::Wrong => {
                for (ticket, ask) in std::mem::take(&mut self.waiting) {
                    let reply = match step {
                        Step::Refuse => Err(Refusal::refused("stale", self.evil.clone())),
                        Step::Wrong => Ok(Answer::Runs(Rows::whole(vec![run(1)]))),
                        _ => Ok(spoilt(&ask, self.hand.newest, &self.evil)),
                    };
                    self.hand.app.receive(Incoming::Reply(ticket, Box::new(reply)));
                }
            }
            Step::Arrive(count) => self.arrive(count),
            Step::Figures(n) => self.figures(n),
            Step::Link(up) => {
                app.receive(Incoming::Link(if up { Link::Live } else { Link::down(&self.evil) }));
            }
            Step::Tick => {
                app.now = app.next_age().unwrap_or(app.now) + 1;
                app.tick();
                app.refresh();
            }
            Step::Paste(text) => app.input(Event::Paste(text)),
            Step::Focus(true) => app.input(Event::FocusGained),
            Step::Focus(false) => app.input(Event::FocusLost),
            Step::Drawn => self.hand.app.flushed(),
        }
        self.ask();
    }
}

#[test]
fn nothing_panics_and_every_place_is_visited() {
    let visited: RefCell<BTreeMap<String, usize>> = RefCell::default();
    let config = ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() };
    let storms = (prop::collection::vec(step(), 500), 1u16..301, 1u16..101, EVIL, any::<bool>());
    TestRunner::new(config)
        .run(&storms, |(steps, width, height, evil, stops)| {
            let quitting_stops = stops.then(|| "127.0.0.1:7700".to_owned());
            let hand = Hand::with(width, height, Options { quitting_stops, ..Options::default() });
            let mut storm = Storm { hand, evil, waiting: Vec::new() };
            // Each storm goes every way once, whatever else it does.
            let steps = steps.into_iter().enumerate().flat_map(|(at, step)| {
                let way = at.is_multiple_of(6).then(|| Step::Go(at / 6 % WAYS.len()));
                way.into_iter().chain([step])
            });
            for step in steps {
                let shown = matches!(step, Step::Drawn | Step::Go(_) | Step::Palette(_));
                storm.weather(step);
                for name in here(&storm.hand.app) {
                    *visited.borrow_mut().entry(name).or_default() += 1;
                }
                if shown {
                    check(&storm.hand)?;
                }
                prop_assert!(storm.waiting.len() < 40, "too many questions at once: {}", storm.waiting.len());
            }
            check(&storm.hand)
        })
        .unwrap();
    let mut visited = visited.into_inner();
    // And every way in fair weather: whether a place is come to is no matter of luck.
    for (width, height) in [(120, 35), (200, 60), (100, 30), (60, 20), (30, 6)] {
        for way in WAYS {
            let evil = "\u{1b}]0;evil\u{7}\u{202e}".to_owned();
            let quitting_stops = Some("127.0.0.1:7700".to_owned());
            let hand = Hand::with(width, height, Options { quitting_stops, ..Options::default() });
            let mut storm = Storm { hand, evil, waiting: Vec::new() };
            for key in keys(way) {
                storm.hand.app.input(Event::Key(key.event()));
                storm.serve();
                for name in here(&storm.hand.app) {
                    *visited.entry(name).or_default() += 1;
                }
            }
            check(&storm.hand).unwrap();
        }
    }
    let times: Vec<String> = visited.iter().map(|(name, times)| format!("{name} {times}")).collect();
    println!("{}", times.join(" · "));
    let never: Vec<&str> = PLACES.into_iter().filter(|name| !visited.contains_key(*name)).collect();
    assert!(never.is_empty(), "never visited: {never:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_comes_from_outside_is_never_drawn_raw(evil in "[\\PC\u{0}-\u{1f}\u{7f}-\u{9f}\u{200b}-\u{202e}\u{2066}-\u{2069}]{0,40}", width in 40u16..170) {
        let mut hand = Hand::new(width, 40);
        let mut rows = vec![request(598), request(599)];
        for row in &mut rows {
            row.what.clone_from(&evil);
            row.integration.clone_from(&evil);
            row.flow.clone_from(&evil);
            row.method.clone_from(&evil);
            row.cause = Some(evil.clone());
            row.actor = Some(evil.clone());
        }
        let mut detail = super::hand::detail(599);
        detail.request = rows[1].clone();
        detail.headers.push((evil.clone(), evil.clone()));
        detail.flat.insert(evil.clone(), evil.clone().into());
        detail.body = serde_json::json!({ evil.clone(): [evil.clone()] });
        let mut run = run(591);
        run.flow.clone_from(&evil);
        run.cause = Some(evil.clone());
        run.steps[1].name.clone_from(&evil);
        run.steps[1].attempts[0].response.as_mut().unwrap().body.clone_from(&evil);
        let list = &mut hand.app.live.requests;
        for row in &rows {
            list.refresh(row.clone().into());
        }
        hand.app.live.runs.refresh(run.clone().into());
        hand.app.live.payload.install(Box::new(detail.clone()));
        hand.app.toast(pointsman::console::app::Tone::Bad, evil.clone());
        check(&hand)?;
        hand.app.toasts.clear();
        hand.keys("2");
        hand.app.requests.payload.install(Box::new(detail));
        check(&hand)?;
        hand.keys("3v<enter>");
        let (zone, keys) = (hand.app.options.zone.clone(), hand.app.options.keymap.clone());
        hand.app.runs.run.install(Box::new(run), &super::hand::events(1), &zone, &keys);
        check(&hand)?;
    }
}

fn check(hand: &Hand) -> Result<(), TestCaseError> {
    for cell in picture(&hand.app).content {
        for letter in cell.symbol().chars() {
            let hidden = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
            prop_assert!(!letter.is_control() && !hidden, "{letter:?} is on the screen");
        }
    }
    Ok(())
}
