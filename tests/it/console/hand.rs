//! Views made by hand, a console that has them, and its picture as text.

use super::studies::studied;
use super::workflows;
use pointsman::console::theme::{Depth, Role, Theme};
use pointsman::console::{App, Options, asks::Effect, key::Key, picture};
use pointsman::model::ask::{Answer, Ask, Offers, Plan, Rows, Verb};
use pointsman::model::change::Counters;
use pointsman::model::credential::Secret;
use pointsman::model::request::Verdict;
use pointsman::model::run::{Outcome, RunState, StepState};
use pointsman::model::time::{MINUTE, Ms, rfc3339};
use pointsman::model::view::{
    AnswerView, AttemptView, BeganView, CopyView, EventView, ExplainView, FieldView, GotView, GroupFigures,
    GroupView, LikeView, RequestDetail, RequestView, RunView, SentView, StepView, UrlCount,
};
use pointsman::session::{Incoming, Ticket};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::Event;
use ratatui::style::Style;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// 2026-11-18T13:31:55.120Z
pub const NOW: Ms = 1_795_008_715_120;

/// A key that is made.
pub const SECRET: &str = "q7Zt0uY2c4Wn8vLk1sRmXbHdPfGaEjTiOoUy5tNw3eQ";

/// The id of the nth request or run, in the order of their arrival.
pub fn id(n: u64) -> String {
    let at = NOW - 600_000 + i64::try_from(n).unwrap() * 1_000;
    let hex = format!("{at:012x}7{:03x}9f11c2a990{n:06x}", n % 4096);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn at(n: u64) -> Ms {
    NOW - 600_000 + i64::try_from(n).unwrap() * 1_000
}

pub fn request(n: u64) -> RequestView {
    let (verdict, status, cause, what) = match n % 7 {
        3 => (Verdict::Duplicate, 204, None, format!("order_number {n} = 90d7fe")),
        5 => (
            Verdict::Rejected,
            415,
            Some("Content-Type is text/plain"),
            "Content-Type is text/plain".to_owned(),
        ),
        6 => (Verdict::Filtered, 200, Some("when is false"), "when is false: type is \"sms\"".to_owned()),
        _ => (Verdict::Accepted, 200, None, format!("order_number {n} · 2 products")),
    };
    let (integration, flow) =
        [("shop-orders", "Orders"), ("acme-erp", "Sync customers")][usize::from(n.is_multiple_of(3))];
    RequestView {
        id: id(n),
        time: rfc3339(at(n)),
        integration: integration.to_owned(),
        flow: flow.to_owned(),
        endpoint: "8Zk2mPq0xT4nBv7sLw1RvQ".to_owned(),
        method: "POST".to_owned(),
        path: String::new(),
        verdict,
        status: Some(status),
        cause: cause.map(str::to_owned),
        dedup_key: Some("7f3a19c91e".to_owned()),
        duplicate_of: (verdict == Verdict::Duplicate).then(|| id(n - 1)),
        runs: if verdict == Verdict::Accepted { vec![id(n)] } else { Vec::new() },
        size: 300 + n * 7,
        actor: None,
        from: Some("203.0.113.9".to_owned()),
        test: false,
        marks: Vec::new(),
        what,
        delivery: Some(format!("d{}", n / 2)),
        pinned: pointsman::model::study::Pinned::new(),
    }
}

pub fn detail(n: u64) -> RequestDetail {
    let body = json!({
        "order_number": n.to_string(),
        "total": 59.90,
        "note": null,
        "evil": "\u{1b}[31mred\u{202e}evil\n",
        "products": [{"name": "Earwax", "options": []}, {"name": "Soap"}],
    });
    let flat: Map<String, Value> = [
        ("body.order_number", json!(n.to_string())),
        ("body.total", json!(59.90)),
        ("body.note", json!(null)),
        ("body.evil", json!("\u{1b}[31mred\u{202e}evil\n")),
        ("body.products[0].name", json!("Earwax")),
        ("body.products[0].options", json!([])),
        ("body.products[1].name", json!("Soap")),
        ("headers[\"x-request-id\"]", json!("b1a7-2c40-77e9")),
    ]
    .into_iter()
    .map(|(path, value)| (path.to_owned(), value))
    .collect();
    RequestDetail {
        // Of the bytes that are kept here.
        request: RequestView { size: 20, ..request(n) },
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-request-id".to_owned(), "b1a7-2c40-77e9".to_owned()),
        ],
        target: Some("/in/customers?x=1%26y&x=2".to_owned()),
        query: Map::new(),
        raw: "eyJvcmRlcl9udW1iZXIiOiIxIn0=".to_owned(),
        body,
        flat,
        answer: Some(AnswerView {
            status: request(n).status.unwrap(),
            headers: Vec::new(),
            body: String::new(),
        }),
        version: Some(14),
        parent: None,
        began: request(n)
            .runs
            .into_iter()
            .map(|run| BeganView { run, state: state(n), version: 14 })
            .collect(),
    }
}

pub fn state(n: u64) -> RunState {
    [
        RunState::Succeeded,
        RunState::Errored,
        RunState::Waiting,
        RunState::Succeeded,
        RunState::Retrying,
        RunState::Running,
        RunState::SucceededWithSkips,
        RunState::Failed,
        RunState::Aborted,
        RunState::Queued,
    ][usize::try_from(n % 10).unwrap()]
}

fn attempt(number: u32, n: u64, status: u16) -> AttemptView {
    AttemptView {
        item: None,
        number,
        started: Some(rfc3339(at(n) + i64::from(number) * 10_000)),
        elapsed_ms: Some(45),
        outcome: Some(if status < 400 { Outcome::Ok } else { Outcome::Transient }),
        status: Some(status),
        request: Some(SentView {
            method: "POST".to_owned(),
            url: "http://127.0.0.1:9000/customers/c.meyer%40example.com".to_owned(),
            headers: vec![("Idempotency-Key".to_owned(), format!("{}.push", id(n)))],
            body: Some("{\"email\":\"c.meyer@example.com\"}".to_owned()),
        }),
        response: Some(GotView {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: "{\"error\":\"maintenance until 15:00\"}".to_owned(),
            cut: false,
            binary: false,
        }),
        cause: (status >= 400).then(|| format!("Progix answered {status}")),
        left_out: Vec::new(),
    }
}

pub fn run(n: u64) -> RunView {
    let state = state(n);
    let (second, status, tries) = match state {
        RunState::Errored => (StepState::Errored, 503, 3),
        RunState::Retrying => (StepState::Retrying, 503, 2),
        RunState::Waiting => (StepState::Waiting, 202, 1),
        RunState::Running => (StepState::Running, 503, 1),
        RunState::Failed => (StepState::Failed, 404, 1),
        RunState::SucceededWithSkips => (StepState::Skipped, 503, 1),
        RunState::Queued | RunState::Aborted => (StepState::Pending, 0, 0),
        RunState::Succeeded => (StepState::Succeeded, 200, 1),
    };
    let step = |name: &str, kind: &str, state, attempts| StepView {
        name: name.to_owned(),
        kind: kind.to_owned(),
        state,
        cause: None,
        started: Some(rfc3339(at(n))),
        ended: Some(rfc3339(at(n) + 377)),
        outputs: None,
        tries: Some(3),
        needs: if state == StepState::Pending && name == "notify" {
            vec!["push.id".to_owned()]
        } else {
            Vec::new()
        },
        awaits: (state == StepState::Pending && name == "notify").then(|| "7d".to_owned()),
        attempts,
        attempts_left_out: 0,
        items: Vec::new(),
        item_counts: None,
    };
    RunView {
        id: id(n),
        request: Some(id(n)),
        parent: None,
        integration: "acme-erp".to_owned(),
        flow: "Sync customers".to_owned(),
        version: 14,
        state,
        cause: match state {
            RunState::Errored => Some("503 after 3 attempts".to_owned()),
            RunState::Waiting => Some("callback".to_owned()),
            RunState::Failed => Some("404 Progix does not know this URL".to_owned()),
            _ => None,
        },
        started: Some(rfc3339(at(n))),
        ended: state.ended().then(|| rfc3339(at(n) + 377)),
        test: false,
        due: (state == RunState::Waiting).then(|| rfc3339(NOW + 6 * 86_400_000)),
        waits: None,
        line: None,
        seq: 7,
        callback: None,
        steps: vec![
            step("lookup", "request", StepState::Succeeded, vec![attempt(1, n, 200)]),
            step("push", "request", second, (1..=tries).map(|number| attempt(number, n, status)).collect()),
            step("notify", "send", StepState::Pending, Vec::new()),
        ],
    }
}

pub fn events(n: u64) -> Vec<EventView> {
    [
        ("", "queued, from its request", None),
        ("lookup", "attempt 1", Some(StepState::Running)),
        ("lookup", "200 in 84ms", Some(StepState::Succeeded)),
        ("push", "attempt 1", Some(StepState::Running)),
        ("push", "503, next in 10s", Some(StepState::Retrying)),
        ("push", "errored: 503", Some(StepState::Errored)),
    ]
    .into_iter()
    .zip(0..)
    .map(|((step, text, state), after): (_, i64)| EventView {
        at: rfc3339(at(n) + after * 50),
        step: step.to_owned(),
        actor: None,
        text: text.to_owned(),
        state,
    })
    .collect()
}

pub fn counters() -> Counters {
    Counters {
        at: NOW,
        listen: "127.0.0.1:7700".to_owned(),
        probe: Some(None),
        promised: 48_211,
        stored: 48_211,
        duplicates: 214,
        rejected: 13,
        filtered: 1_830,
        accepted: 46_120,
        last_rejected: Some(NOW - 10 * MINUTE),
        last_accepted: Some(NOW - 1_000),
        recent: 80,
        runs: [2, 1, 45_201, 41, 1, 3, 1, 4, 2],
        queue: 12,
        queue_limit: 10_000,
        oldest: Some(NOW - 430),
        callbacks_pending: 41,
        callbacks_overdue: 1,
        commit_p99_us: 2_700,
        integrations: 5,
        ..Counters::default()
    }
}

pub fn number(id: &str) -> u64 {
    u64::from_str_radix(&id[id.len() - 6..], 16).unwrap()
}

/// The autopsy of a refusal: of a type that is not taken, or of what is not JSON.
fn told(n: u64) -> Vec<(String, String)> {
    if request(n).verdict != Verdict::Rejected {
        return Vec::new();
    }
    [
        ("answered", "415 to 203.0.113.9, with the cause"),
        ("what", "Content-Type is text/plain."),
        ("likely", "The body is JSON all the same: only the header says otherwise."),
        ("do", "Let the sender send `Content-Type: application/json` (or one that ends in +json)."),
        ("checks", "✓ the body is JSON"),
        ("received", "Content-Type: text/plain"),
        ("expected", "Content-Type: application/json, or one that ends in +json"),
        ("line 3", "  \"b\": 2"),
        ("", "  ^"),
        ("like it", "12 since 13:02:10, UTC; the last that passed: 13:01:40 (71ab03)"),
    ]
    .map(|(label, text)| (label.to_owned(), text.to_owned()))
    .into()
}

/// What a desk with so many requests and runs would answer.
pub fn answer(ask: &Ask, newest: u64) -> Answer {
    fn page<T>(
        page: &pointsman::model::ask::Page,
        newest: u64,
        view: impl Fn(u64) -> T,
        keep: impl Fn(&T) -> bool,
    ) -> Rows<T> {
        let limit = u64::from(page.limit);
        if let Some(after) = &page.after {
            let from = if after.is_empty() { 0 } else { number(after) + 1 };
            let to = newest.min(from + limit);
            let rows = (from..to).map(view).filter(|row| keep(row)).collect();
            return Rows {
                rows,
                next: (to < newest).then(|| id(to - 1)),
                scanned: to.saturating_sub(from),
                ..Rows::whole(Vec::new())
            };
        }
        let to = page.before.as_deref().map_or(newest, number);
        let from = to.saturating_sub(limit);
        let rows = (from..to).rev().map(view).filter(|row| keep(row)).collect();
        Rows { next: (from > 0).then(|| id(from)), scanned: to - from, ..Rows::whole(rows) }
    }
    match ask {
        Ask::Counters => Answer::Counters(counters()),
        Ask::Requests(asked) if asked.filter == SLOW => {
            let rows = (newest - 40..newest).rev().step_by(10).map(request).collect();
            Answer::Requests(Rows {
                next: Some(id(newest - 366)),
                scanned: 366,
                partial: true,
                percent: Some(61),
                newest: Some(id(newest - 1)),
                rows,
            })
        }
        Ask::Requests(asked) => {
            let verdict = asked.filter.strip_prefix("verdict:").and_then(|rest| rest.split(' ').next());
            let verdict = verdict.map(str::to_owned);
            let mut rows = page(asked, newest, request, |row| {
                verdict.as_deref().is_none_or(|verdict| row.verdict.word() == verdict)
            });
            for row in rows.rows.iter_mut().filter(|_| !asked.pins.is_empty()) {
                row.pinned = super::facets::pinned(&row.id, &asked.pins);
            }
            Answer::Requests(rows)
        }
        Ask::Runs(asked) => {
            let state = asked.filter.strip_prefix("state:").map(str::to_owned);
            if asked.filter.starts_with("group:") {
                let errored = (0..newest).rev().map(run).filter(|run| run.state == RunState::Errored);
                return Answer::Runs(Rows::whole(errored.take(asked.limit as usize).collect()));
            }
            Answer::Runs(page(asked, newest, run, |row| {
                state.as_deref().is_none_or(|state| row.state.word() == state)
            }))
        }
        Ask::RunsById { ids } => {
            Answer::Runs(Rows::whole(ids.iter().map(|id| run(number(id))).collect()))
        }
        Ask::RunsAmong { ids, filter } => {
            let state = filter.strip_prefix("state:").map(str::to_owned);
            let runs = ids.iter().map(|id| run(number(id)));
            Answer::Runs(Rows::whole(
                runs.filter(|run| state.as_deref().is_none_or(|state| run.state.word() == state)).collect(),
            ))
        }
        Ask::Group { .. } => Answer::Group(GroupFigures {
            runs: 1_212,
            whole: true,
            sent: 1_212,
            urls: vec![UrlCount { pattern: "http://127.0.0.1:9000/customers/…".to_owned(), runs: 1_212 }],
            patterns: 1,
            median_ms: Some(41),
        }),
        Ask::Audit(_) => Answer::Audit(Rows::whole(
            vec![
                serde_json::from_value(json!({
                    "id": id(1), "at": rfc3339(NOW - 31 * MINUTE), "who": "ben", "door": "console", "verb": "deploy",
                    "target": "acme-erp", "reason": "move to v2 API", "detail": "acme-erp v14 is live",
                }))
                .unwrap(),
            ],
        )),
        Ask::Groups => Answer::Groups {
            groups: vec![GroupView {
                id: "g1".to_owned(),
                count: 1_212,
                integration: "acme-erp".to_owned(),
                flow: "Sync customers".to_owned(),
                step: "push".to_owned(),
                cause: "404 Progix does not know this URL".to_owned(),
                first: rfc3339(NOW - 30 * MINUTE),
                last: rfc3339(NOW - MINUTE),
                hours: vec![0, 0, 1, 40, 212, 180, 190, 200, 170, 90, 60, 69],
                expired: 0,
            }],
        },
        Ask::Callbacks(_) => Answer::Callbacks(workflows::rows(vec![workflows::callback(0)])),
        Ask::Urgent { .. }
        | Ask::Callback { .. }
        | Ask::Integrations
        | Ask::Keys
        | Ask::Export { .. }
        | Ask::History { .. }
        | Ask::Diff { .. } => workflows::answer(ask),
        Ask::Request { id } => Answer::Request(Box::new(detail(number(id)))),
        Ask::Explain { id } => Answer::Explain(Box::new(ExplainView {
            request: id.clone(),
            verdict: request(number(id)).verdict,
            fields: vec![FieldView {
                path: "body.order_number".to_owned(),
                value: json!("10438"),
                missing: false,
            }],
            key: Some("7f3a19c91e".to_owned()),
            first: Some(self::id(number(id).saturating_sub(1))),
            copies: 3,
            lapses: Some(rfc3339(NOW + 7 * 86_400_000)),
            why: Vec::new(),
            differs: vec![("headers[\"x-retry\"]".to_owned(), Value::Null, json!("1"))],
            rule: Some("v2 of shop-orders / Orders: 1 field, 7d from the last copy".to_owned()),
            listed: [(1, Verdict::Accepted), (0, Verdict::Duplicate)]
                .map(|(before, verdict)| CopyView {
                    request: self::id(number(id).saturating_sub(before)),
                    time: rfc3339(at(number(id).saturating_sub(before))),
                    verdict,
                })
                .into(),
            told: told(number(id)),
            like: (request(number(id)).verdict == Verdict::Rejected).then(|| LikeView {
                count: 12,
                first: rfc3339(NOW - 30 * MINUTE),
                more: false,
                filter: "verdict:rejected".to_owned(),
                passed: Some(CopyView {
                    request: self::id(1),
                    time: rfc3339(at(1)),
                    verdict: Verdict::Accepted,
                }),
                partial: false,
            }),
            first_fields: Vec::new(),
            paths: 8,
        })),
        Ask::Integration { name } => {
            let view = json!({
                "name": name, "title": "", "description": "", "deployed": 1, "draft": null, "saved": "", "author": "",
                "flows": [], "variables": [],
            });
            Answer::Integrations { integrations: vec![serde_json::from_value(view).unwrap()] }
        }
        Ask::Endpoints => {
            let view = json!({
                "id": "8Zk2mPq0xT4nBv7sLw1RvQ", "url": "http://127.0.0.1:7700/in/8Zk2mPq0xT4nBv7sLw1RvQ", "path": null,
                "integration": "shop-orders", "flow": "Orders", "methods": ["POST"], "auth": "none",
                "last_request": null,
            });
            Answer::Endpoints { endpoints: vec![serde_json::from_value(view).unwrap()] }
        }
        Ask::Deploy { dry_run: true, .. } => workflows::deploy_plan(),
        Ask::Pause(order) => Answer::Done(pointsman::model::ask::Done {
            lines: vec![format!("{} would be paused: requests are answered 503", order.target)],
            refused: false,
        }),
        Ask::Overview { span } => Answer::Overview(Box::new(super::overview::view(*span))),
        Ask::Jobs { .. } | Ask::Job { .. } => super::jobs::answer(ask, "answered 503"),
        Ask::Edit(editing) => super::editing::answer(editing),
        Ask::Study(study) => Answer::Studied(Box::new(studied(study))),
        Ask::Run { id } => {
            Answer::Run { run: Box::new(workflows::run(number(id))), events: events(number(id)) }
        }
        Ask::Act(act) if act.dry_run => Answer::Plan(Plan {
            verb: act.verb.word().to_owned(),
            count: if act.filter.is_some() { 1_212 } else { act.ids.len() as u64 },
            step: Some("push".to_owned()).filter(|_| {
                matches!(act.verb, Verb::Retry { .. } | Verb::Skip { .. } | Verb::Complete { .. })
            }),
            given: workflows::given(&act.verb),
            offers: matches!(act.verb, Verb::Replay(_)).then_some(Offers {
                live: Some(14),
                own: 13,
                draft: None,
            }),
            seen: act.ids.iter().map(|id| (id.clone(), 7)).collect(),
            lines: vec![match &act.verb {
                Verb::Retry { .. } => "Sends attempt 4 of push now; then notify.".to_owned(),
                Verb::Skip { .. } => "push ends skipped; the run goes on with 3 notify.".to_owned(),
                Verb::Abort => "The run ends aborted. Steps 2, 3 never run.".to_owned(),
                Verb::Forget => "Drops the dedup key 7f3a19c91e.".to_owned(),
                Verb::Readmit => "Judged again with v3, as of its arrival: it passes now.".to_owned(),
                Verb::Replay(_) => "Makes a new run of acme-erp / Sync customers, past dedup.".to_owned(),
                Verb::Complete { status, .. } => format!("archive ends as if {status} had been posted."),
                Verb::Extend { .. } => "archive waits for its callback until 14:32:13 UTC.".to_owned(),
                Verb::Cancel => "archive waits no longer: the run is errored.".to_owned(),
            }],
            ..Plan::default()
        }),
        Ask::Act(act) => Answer::Acted(pointsman::model::ask::Acted {
            done: act.ids.len() as u64,
            lines: vec![format!("{}: done to {}", act.verb.word(), act.ids.len())],
            ..Default::default()
        }),
        Ask::AddKey(add) => Answer::Key(pointsman::model::ask::keys::Made {
            key: serde_json::from_value(json!({
                "name": add.name, "type": add.kind, "algorithm": null, "user": add.user, "added": rfc3339(NOW),
                "used": null, "signs": false, "flows": [],
            }))
            .unwrap(),
            secret: add.generate.then(|| Secret::new(SECRET.to_owned())),
            lines: Vec::new(),
        }),
        Ask::LoadSamples { dry_run } => {
            let line = if *dry_run { "forms is new: v1 would go live" } else { "6 integrations are live, 7 flows" };
            let done = pointsman::model::ask::Done { lines: vec![line.to_owned()], refused: false };
            if *dry_run {
                return Answer::Done(done);
            }
            let send = |flow: &str| {
                let url = "http://127.0.0.1:7700/in/8Zk2mPq0xT4nBv7sLw1RvQ";
                (flow.to_owned(), format!("curl --json '{{\"a\":1}}' {url}"))
            };
            let sends = vec![send("forms / Submissions"), send("shop-orders / Orders")];
            Answer::Loaded(pointsman::model::ask::LoadedView { done, sends })
        }
        _ => Answer::Done(pointsman::model::ask::Done { lines: vec!["Done.".to_owned()], refused: false }),
    }
}

/// A console at a size whose questions a hand answers at once.
pub struct Hand {
    pub app: App,
    pub newest: u64,
    pub asked: Vec<Ask>,
    pub copied: Vec<String>,
    /// What else the loop was asked to do.
    pub done: Vec<Effect>,
    /// Parts of a search that are not answered.
    pub held: Vec<Ticket>,
}

/// What no index serves here: its first part finds four, and the next one takes for ever.
pub const SLOW: &str = "\"10438\" since:30d";

impl Hand {
    pub fn new(width: u16, height: u16) -> Self {
        Self::with(width, height, Options::default())
    }

    pub fn with(width: u16, height: u16, options: Options) -> Self {
        let theme = Theme::shipped(&options.theme, options.color).unwrap();
        let app = App::new(options, theme, (width, height), NOW);
        let mut hand = Self {
            app,
            newest: 600,
            asked: Vec::new(),
            copied: Vec::new(),
            done: Vec::new(),
            held: Vec::new(),
        };
        hand.serve();
        hand
    }

    pub fn mono(width: u16, height: u16) -> Self {
        Self::with(width, height, Options { color: Depth::Mono, ..Options::default() })
    }

    /// Answers until nothing is asked.
    pub fn serve(&mut self) {
        for _ in 0..100 {
            let effects = self.app.effects();
            if effects.is_empty() {
                if !self.app.behind {
                    self.app.flushed();
                    return;
                }
                self.app.refresh();
            }
            for effect in effects {
                match effect {
                    Effect::Ask(ticket, Ask::Requests(page))
                        if page.filter == SLOW && page.before.is_some() =>
                    {
                        self.asked.push(Ask::Requests(page));
                        self.held.push(ticket);
                    }
                    Effect::Ask(ticket, ask) => {
                        let answer = answer(&ask, self.newest);
                        self.asked.push(ask);
                        self.app.receive(Incoming::Reply(ticket, Box::new(Ok(answer))));
                    }
                    Effect::Copy(text) => self.copied.push(text),
                    other => self.done.push(other),
                }
            }
        }
        panic!("the console never stops asking");
    }

    /// Presses keys, `<enter>` in pointed brackets, answering after each, as if drawn.
    pub fn keys(&mut self, text: &str) -> &mut Self {
        for key in keys(text) {
            self.app.input(Event::Key(key.event()));
            self.serve();
        }
        self
    }

    pub fn text(&self) -> String {
        text(&picture(&self.app))
    }
}

/// Reads `jj<enter>/since:15m<esc>`.
pub fn keys(text: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let name =
            rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).filter(|(name, _)| !name.is_empty());
        if let Some((name, more)) = name {
            keys.push(Key::parse(name).unwrap_or_else(|| panic!("{name} is no key")));
            rest = more;
        } else {
            keys.push(Key::parse(&letter.to_string()).unwrap());
            rest = &rest[letter.len_utf8()..];
        }
    }
    keys
}

/// A frame as text.
pub fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for row in buf.content.chunks(usize::from(buf.area.width)) {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// A frame as text, and beside it a letter for the role of each cell.
pub fn styled(buf: &Buffer, theme: &Theme) -> String {
    let mut out = text(buf);
    let mut legend: Vec<(Style, char)> = Vec::new();
    let _ = writeln!(out, "-- styles");
    for row in buf.content.chunks(usize::from(buf.area.width)) {
        let mut line = String::new();
        for cell in row {
            let style = Style::new().fg(cell.fg).bg(cell.bg).add_modifier(cell.modifier);
            if style == Style::new().fg(ratatui::style::Color::Reset).bg(ratatui::style::Color::Reset) {
                line.push(if cell.symbol() == " " { ' ' } else { '.' });
                continue;
            }
            let letter = legend.iter().find(|(known, _)| *known == style).map(|(_, letter)| *letter);
            line.push(letter.unwrap_or_else(|| {
                let letter = char::from(b'a' + u8::try_from(legend.len()).unwrap());
                legend.push((style, letter));
                letter
            }));
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let _ = writeln!(out, "-- legend");
    for (style, letter) in &legend {
        let reset = ratatui::style::Color::Reset;
        let roles: Vec<&str> = Role::ALL
            .iter()
            .filter(|(role, _)| {
                let of = theme.style(*role);
                of.fg.unwrap_or(reset) == style.fg.unwrap_or(reset) && of.add_modifier == style.add_modifier
            })
            .map(|(_, name)| *name)
            .collect();
        let named = if roles.is_empty() { format!("{style:?}") } else { roles.join(" ") };
        let _ = writeln!(out, "{letter} {named}");
    }
    out
}
