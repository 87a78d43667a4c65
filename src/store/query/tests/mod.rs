//! Reads against a store with rows of every kind.

mod details;
mod facets;
mod paging;
mod urgent;

use super::*;
use crate::feed::Feed;
use crate::model::Ms;
use crate::model::headers::Headers;
use crate::model::id::first_at;
use crate::model::request::{Marks, Seed, Verdict};
use crate::model::run::{
    Callback, CallbackState, Detail, Entry, EntryKind, Got, Outcome, Run, RunState, Sent, StepState,
};
use crate::model::settings::Limits;
use crate::rules::check::{Known, check};
use crate::store::clock::Clock;
use crate::store::codec::{self, Decided};
use crate::store::registry::Save;
use crate::store::{Handover, Options};
use rusqlite::{Connection, params};
use serde_json::json;
use std::path::Path;

/// Engine time when a test store opens.
const START: Ms = 1_795_008_000_000;

const SHOP: &str = r#"
name = "shop"
title = "Shop"
[[variable]]
name = "limit"
type = "number"
default = 5
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
dedup = { fields = ["body.order_number", 'headers["X-Req"]'], window = "7d" }
[[flow.step]]
name = "push"
type = "request"
url = "http://127.0.0.1:9/push"
[[flow.step]]
name = "note"
type = "set"
outputs = { total = "{{ request.body.total }}" }
[[flow]]
name = "Log"
[flow.trigger]
type = "webhook"
auth = { type = "none" }
"#;

const CRM: &str = r#"
name = "crm"
[[flow]]
name = "Sync customers"
[flow.trigger]
type = "webhook"
auth = { type = "none" }
[[flow.step]]
name = "archive"
type = "send"
url = "http://127.0.0.1:9/archive"
"#;

/// A store in a folder of its own, with two integrations.
struct House {
    store: Store,
    clock: Clock,
    folder: tempfile::TempDir,
    handover: Handover,
}

fn open(folder: &Path, clock: &Clock) -> (Store, Handover) {
    let options = Options {
        limits: Limits { free_disk: 0, ..Limits::default() },
        feed: Feed::default(),
        public_url: "http://127.0.0.1:7700".into(),
        clock: clock.clone(),
    };
    Store::open(folder, options).unwrap()
}

fn save_of(text: &str) -> Save {
    let checked = check(text, &Known::default());
    Save {
        integration: checked.integration.unwrap_or_else(|| panic!("{:?}", checked.problems)),
        source: text.into(),
        base: None,
    }
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(START);
        let (store, handover) = open(folder.path(), &clock);
        store.save(vec![save_of(SHOP), save_of(CRM)], "ann", Some("first"), true).await.unwrap();
        Self { store, clock, folder, handover }
    }

    fn flow(&self, name: &str) -> FlowId {
        let state = self.store.configured();
        state.flows.values().find(|row| row.name == name).unwrap().id
    }

    fn query(&self, text: &str) -> Query {
        Query::parse(text, self.store.now()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    async fn put(&self, f: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static) {
        self.store.write(Vec::new(), move |tx| f(tx)).await.unwrap();
    }

    async fn requests(&self, filter: &str) -> Vec<RequestView> {
        self.store.page_requests(&self.query(filter), &page(1_000)).await.unwrap().rows
    }

    async fn runs(&self, filter: &str) -> Vec<RunView> {
        self.store.page_runs(&self.query(filter), &page(1_000)).await.unwrap().rows
    }
}

fn page(limit: u32) -> Page {
    Page { limit, ..Page::default() }
}

fn id_at(at: Ms, n: i64) -> i64 {
    first_at(at) | n << 12
}

fn seed(flow: FlowId, body: &str) -> Seed {
    Seed {
        flow,
        version: 1,
        marks: Marks::default(),
        method: "POST".into(),
        path: String::new(),
        query: String::new(),
        headers: Headers::from_pairs([("Content-Type", "application/json")]),
        body: body.to_owned().into(),
        peer: Some("203.0.113.9".into()),
        actor: None,
        hops: 0,
    }
}

fn run_row(id: i64, flow: FlowId, state: RunState) -> Run {
    Run {
        id: RunId(id),
        request: Some(RequestId(id)),
        parent: None,
        flow,
        version: 1,
        state,
        step: 0,
        attempt: u32::from(state != RunState::Queued),
        round: 1,
        fence: 1,
        seq: 1,
        owner: 1,
        due: matches!(state, RunState::Waiting | RunState::Retrying).then_some(START + 60_000),
        started: (state != RunState::Queued).then_some(crate::model::id::time_of(id) + 5),
        ended: state.ended().then_some(crate::model::id::time_of(id) + 50),
        cause: None,
        test: false,
        element: None,
    }
}

fn answer(id: i64, step: &str, status: u16, step_state: StepState, run_state: RunState) -> Entry {
    let at = crate::model::id::time_of(id);
    let ok = status < 300;
    Entry {
        run: RunId(id),
        seq: 1,
        at: at + 50,
        kind: EntryKind::Answer,
        step: 0,
        item: None,
        attempt: 1,
        status: Some(status),
        actor: None,
        detail: Detail {
            outcome: Some(if ok { Outcome::Ok } else { Outcome::Refused }),
            started: Some(at + 5),
            elapsed_ms: Some(45),
            step_name: step.into(),
            step_state: Some(step_state),
            run_state: Some(run_state),
            cause: (!ok).then(|| format!("the target answered {status}")),
            ..Detail::default()
        },
        sent: Some(Sent {
            method: "POST".into(),
            url: "http://127.0.0.1:9/push".into(),
            headers: vec![("x-a".into(), "1".into())],
            body: Some("sent-text".into()),
            ..Sent::default()
        }),
        got: Some(Got::of(status, Vec::new(), b"got-text", true)),
        answer: None,
    }
}

fn callback_row(id: i64, run: i64, state: CallbackState) -> Callback {
    Callback {
        id: CallbackId(id),
        run: RunId(run),
        step: 0,
        attempt: 1,
        hash: [0; 32],
        state,
        deadline: START + 600_000,
        created: crate::model::id::time_of(id) + 3,
        received: None,
        status: None,
        digest: None,
    }
}

/// Requests and runs of every kind: the same ones each time.
async fn filled(count: i64) -> House {
    let house = House::new().await;
    let flows = [house.flow("Orders"), house.flow("Log"), house.flow("Sync customers")];
    house
        .put(move |conn| {
            let mut dice = fastrand::Rng::with_seed(7);
            let mut accepted = Vec::new();
            for n in 0..count {
                // Several share a millisecond.
                let id = id_at(START - 3_600_000 + n / 3 * 2_000, n % 3);
                let flow = flows[dice.usize(0..3)];
                let verdict = match dice.u8(0..10) {
                    0..6 => Verdict::Accepted,
                    6 | 7 if !accepted.is_empty() => Verdict::Duplicate,
                    8 => Verdict::Filtered,
                    _ => Verdict::Rejected,
                };
                put_request(conn, &mut dice, id, flow, verdict, &accepted)?;
                if verdict == Verdict::Accepted {
                    accepted.push(id);
                    put_run(conn, &mut dice, id, flow)?;
                }
            }
            Ok(())
        })
        .await;
    house
}

fn put_request(
    conn: &Connection,
    dice: &mut fastrand::Rng,
    id: i64,
    flow: FlowId,
    verdict: Verdict,
    accepted: &[i64],
) -> rusqlite::Result<()> {
    let name = ["wax", "Soap", "Grüße", "a \"b\""][dice.usize(0..4)];
    let body = json!({
        "order_number": dice.u32(0..50),
        "total": f64::from(dice.u32(0..1_000)) / 10.0,
        "customer": { "name": name, "mail": null },
        "products": [{ "name": name }, { "name": "box", "tags": [] }],
    });
    let mut seed = seed(flow, &body.to_string());
    if verdict == Verdict::Rejected && dice.bool() {
        seed.body = "this is not json".to_owned().into();
        seed.marks = Marks::BODY_CUT;
    }
    seed.method = ["POST", "PUT"][dice.usize(0..2)].into();
    seed.query = ["", "page=2&x=wax", "page=10"][dice.usize(0..3)].into();
    seed.headers = Headers::from_pairs([
        ("Content-Type", "application/json".to_owned()),
        ("X-Req", dice.u32(0..9).to_string()),
        ("Authorization", "Bearer secret-word".to_owned()),
    ]);
    let key = (verdict != Verdict::Rejected).then(|| [dice.u8(0..4); 16]);
    let (status, cause) = match verdict {
        Verdict::Accepted => (200, None),
        Verdict::Duplicate => (204, None),
        Verdict::Filtered => (200, Some("when is false")),
        Verdict::Rejected => {
            [(400, Some("not JSON: line 1, column 1")), (415, Some("Content-Type is text/plain"))]
                [dice.usize(0..2)]
        }
    };
    let first = (verdict == Verdict::Duplicate).then(|| accepted[dice.usize(0..accepted.len())]);
    let decided = Decided {
        id,
        verdict,
        runs: u32::from(verdict == Verdict::Accepted),
        status: Some(status),
        born: RunState::Queued,
        cause,
        duplicate_of: first,
        dedup: key.as_ref(),
    };
    codec::insert_request(conn, &seed, &decided)
}

fn put_run(conn: &Connection, dice: &mut fastrand::Rng, id: i64, flow: FlowId) -> rusqlite::Result<()> {
    let state = RunState::ALL[dice.usize(0..9)];
    let mut run = run_row(id, flow, state);
    run.test = dice.u8(0..10) == 0;
    let step = if dice.bool() { "push" } else { "archive" };
    let step_state = match state {
        RunState::Errored => Some((404, StepState::Errored)),
        RunState::Failed => Some((500, StepState::Failed)),
        RunState::Retrying => Some((503, StepState::Retrying)),
        RunState::Waiting => Some((202, StepState::Waiting)),
        RunState::Succeeded | RunState::SucceededWithSkips => Some((200, StepState::Succeeded)),
        RunState::Queued | RunState::Running | RunState::Aborted => None,
    };
    if let Some((status, step_state)) = step_state {
        codec::insert_entry(conn, &answer(id, step, status, step_state, state))?;
    }
    if state == RunState::Errored {
        let cause = i64::from(dice.u8(1..4));
        run.cause = Some(cause);
        conn.execute(
            "INSERT OR IGNORE INTO cause (id, flow, step, text, normal, count, seen, stops, first, last)
             VALUES (?1, ?2, 'push', 'the target answered 404', 'the target answered 404', 0, 0, 0, 0, 0)",
            params![cause, flow.0],
        )?;
    }
    if matches!(state, RunState::Waiting | RunState::Errored) {
        let state = if state == RunState::Waiting { CallbackState::Pending } else { CallbackState::Expired };
        codec::insert_callback(conn, &callback_row(id + (1 << 30), id, state))?;
    }
    codec::insert_run(conn, &run)?;
    if dice.u8(0..10) == 0 {
        let mut replay = run_row(id + (1 << 31), flow, RunState::Succeeded);
        replay.request = Some(RequestId(id));
        replay.parent = Some(RunId(id));
        codec::insert_run(conn, &replay)?;
    }
    Ok(())
}
