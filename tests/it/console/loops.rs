//! The real loop, with keys from a channel and a session held by hand.

use super::hand::{NOW, answer, counters, id, keys, text};
use pointsman::console::signals::Signals;
use pointsman::console::theme::Theme;
use pointsman::console::{App, Console, Error, Options, Turn};
use pointsman::model::ask::{Answer, Ask, Changes};
use pointsman::model::time::Ms;
use pointsman::session::{Incoming, Session, Ticket};
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::Event;
use std::io;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

fn now() -> Ms {
    NOW
}

/// A console that runs, with both of its ends held here.
struct Ui {
    input: Option<mpsc::UnboundedSender<io::Result<Event>>>,
    inbox: mpsc::Sender<Incoming>,
    asks: mpsc::Receiver<(Ticket, Ask)>,
    turns: watch::Receiver<Turn>,
    /// Changes what is answered.
    tune: fn(&mut Answer),
    sent: u64,
    task: JoinHandle<(Result<(), Error>, Console<TestBackend>)>,
}

impl Ui {
    fn start(options: Options) -> Self {
        let (asks_in, asks) = mpsc::channel(64);
        let (inbox, inbox_out) = mpsc::channel(64);
        let (input, mut events) = mpsc::unbounded_channel();
        let session = Session { asks: asks_in, inbox: inbox_out, nudge: std::sync::Arc::default() };
        let theme = Theme::shipped("terminal", options.color).unwrap();
        let app = App::new(options, theme, (80, 24), NOW);
        let mut console = Console::new(app, TestBackend::new(80, 24), session, now).unwrap();
        let turns = console.turns();
        let task = tokio::spawn(async move {
            let stream = futures_util::stream::poll_fn(move |context| events.poll_recv(context));
            let result = console.drive(stream, Signals::default()).await;
            (result, console)
        });
        Self { input: Some(input), inbox, asks, turns, tune: |_| {}, sent: 0, task }
    }

    async fn send(&mut self, incoming: Incoming) {
        self.sent += 1;
        self.inbox.send(incoming).await.unwrap();
    }

    fn press(&mut self, text: &str) {
        for key in keys(text) {
            self.sent += 1;
            self.input.as_ref().unwrap().send(Ok(Event::Key(key.event()))).unwrap();
        }
    }

    /// Answers every question until the loop has taken in all that was sent and is idle.
    async fn settle(&mut self) {
        let wait = async {
            loop {
                let turn = *self.turns.borrow_and_update();
                if turn.idle && turn.taken >= self.sent {
                    return;
                }
                tokio::select! {
                    Some((ticket, ask)) = self.asks.recv() => {
                        let mut answered = answer(&ask, 600);
                        (self.tune)(&mut answered);
                        let reply = Incoming::Reply(ticket, Box::new(Ok(answered)));
                        self.sent += 1;
                        self.inbox.send(reply).await.unwrap();
                    }
                    changed = self.turns.changed() => if changed.is_err() { return },
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the console never became idle");
    }

    /// Ends the input and gives the console back with what its loop returned.
    async fn end(mut self) -> (Result<(), Error>, Console<TestBackend>) {
        self.input = None;
        tokio::time::timeout(Duration::from_secs(20), self.task).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn keys_open_what_they_say_and_q_quits() {
    let mut ui = Ui::start(Options::default());
    ui.settle().await;
    ui.press("2<enter>");
    ui.settle().await;
    let (result, console) = ui.end().await;
    assert!(matches!(result, Err(Error::Closed)), "the input ended: {result:?}");
    let shown = text(console.terminal.backend().buffer());
    assert!(shown.contains("Requests › ") && shown.contains("order_number"), "{shown}");

    let mut ui = Ui::start(Options::default());
    ui.settle().await;
    ui.press("3q");
    ui.settle().await;
    ui.press("q");
    let (result, _) = tokio::time::timeout(Duration::from_secs(20), ui.task).await.unwrap().unwrap();
    assert!(result.is_ok());
}

#[tokio::test]
async fn a_request_of_many_runs_says_how_many_and_opens_their_list() {
    for (pressed, opens) in [("", false), ("<enter>", true)] {
        let mut ui = Ui::start(Options::default());
        ui.tune = |answer| {
            if let Answer::Request(detail) = answer {
                detail.request.runs = vec![id(1), id(2), id(3)];
                detail.request.duplicate_of = None;
            }
        };
        ui.settle().await;
        ui.press("2");
        ui.settle().await;
        ui.press("<enter>");
        ui.settle().await;
        ui.press(pressed);
        ui.settle().await;
        let (_, console) = ui.end().await;
        let shown = text(console.terminal.backend().buffer());
        assert_eq!(shown.contains("· 3 runs"), !opens, "{shown}");
        let filter = console.app.runs.list.filter_in_force();
        assert_eq!(filter.starts_with("request:") && filter.len() > 40, opens, "{filter}");
    }
}

#[tokio::test]
async fn idle_draws_nothing_and_asks_nothing() {
    let mut ui = Ui::start(Options::default());
    ui.settle().await;
    let before = *ui.turns.borrow();
    // The same figures again: nothing that is shown has changed.
    let changes = Changes { counters: Some(counters()), at: NOW, ..Changes::default() };
    ui.send(Incoming::Changed(Box::new(changes))).await;
    ui.settle().await;
    let quiet = tokio::time::timeout(Duration::from_millis(400), ui.asks.recv()).await;
    assert!(quiet.is_err(), "it asked {quiet:?}");
    assert_eq!(ui.turns.borrow().frames, before.frames);
}

#[tokio::test]
async fn a_burst_of_data_is_a_few_frames() {
    let mut ui = Ui::start(Options::default());
    ui.settle().await;
    let before = ui.turns.borrow().frames;
    for n in 0..300 {
        let mut figures = counters();
        figures.accepted += n;
        figures.recent = 3_000;
        let changes = Changes {
            counters: Some(figures),
            arrived: 10,
            newest: Some(id(600)),
            at: NOW,
            ..Changes::default()
        };
        ui.send(Incoming::Changed(Box::new(changes))).await;
    }
    ui.settle().await;
    let frames = ui.turns.borrow().frames - before;
    assert!((1..=40).contains(&frames), "{frames} frames for 300 changes");
}

/// At over ten rows a second frames are four a second there, and a list that is read does not move.
#[tokio::test]
async fn over_ssh_frames_are_few_and_a_list_that_is_read_stays() {
    const LASTS: Duration = Duration::from_millis(1_500);
    let mut ui = Ui::start(Options { ssh: true, ..Options::default() });
    ui.settle().await;
    ui.press("2");
    ui.settle().await;
    ui.press("kkk");
    ui.settle().await;
    let before = ui.turns.borrow().frames;
    let begun = std::time::Instant::now();
    let mut n = 0;
    while begun.elapsed() < LASTS {
        n += 1;
        let mut figures = counters();
        (figures.accepted, figures.recent) = (figures.accepted + n, 3_000);
        let changes = Changes {
            counters: Some(figures),
            arrived: 10,
            newest: Some(id(600 + n)),
            at: NOW,
            ..Changes::default()
        };
        ui.send(Incoming::Changed(Box::new(changes))).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // One at once, one each quarter of a second, and one for the answers of the last of them.
    let frames = ui.turns.borrow().frames - before;
    assert!((2..=9).contains(&frames), "{frames} frames for {n} changes");
    ui.settle().await;
    let (_, console) = ui.end().await;
    let list = &console.app.requests.list;
    assert!(!list.follow && list.selected == Some(id(596)), "{:?}", list.selected);
}

#[tokio::test]
async fn enter_typed_ahead_confirms_nothing() {
    let mut ui = Ui::start(Options::default());
    ui.settle().await;
    ui.press("3v/state:errored<enter>");
    ui.settle().await;
    // Both keys are read before the facts can have been drawn.
    ui.press("r<enter>");
    let mut acts = Vec::new();
    let watch = async {
        loop {
            let turn = *ui.turns.borrow_and_update();
            if turn.idle && turn.taken >= ui.sent {
                break;
            }
            tokio::select! {
                Some((ticket, ask)) = ui.asks.recv() => {
                    if let Ask::Act(act) = &ask {
                        acts.push(act.clone());
                    }
                    ui.sent += 1;
                    ui.inbox.send(Incoming::Reply(ticket, Box::new(Ok(answer(&ask, 600))))).await.unwrap();
                }
                _ = ui.turns.changed() => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), watch).await.unwrap();
    assert_eq!(acts.iter().map(|act| act.dry_run).collect::<Vec<_>>(), [true], "only the plan was asked for");
    ui.press("<enter>");
    let (_, ask) = tokio::time::timeout(Duration::from_secs(20), ui.asks.recv()).await.unwrap().unwrap();
    let Ask::Act(act) = ask else { panic!("{ask:?}") };
    assert!(!act.dry_run);
    assert_eq!(act.seen, [(act.ids[0].clone(), 7)], "it names what was shown");
}

#[tokio::test]
async fn the_other_end_going_away_is_shown_and_verbs_say_why() {
    let mut ui = Ui::start(Options::default());
    ui.settle().await;
    let (gone, _) = mpsc::channel(1);
    ui.inbox = gone;
    ui.sent += 1;
    ui.settle().await;
    ui.press("3vr");
    ui.settle().await;
    let (_, console) = ui.end().await;
    assert!(matches!(console.app.link.0, pointsman::session::Link::Down(_)));
    let shown = text(console.terminal.backend().buffer());
    assert!(
        shown.contains("LINK DOWN") && shown.contains("retry is not possible: the link is down since"),
        "{shown}"
    );
}
