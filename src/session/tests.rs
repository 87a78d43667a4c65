//! One body for both kinds of session: a console must not be able to tell them apart.

use super::*;
use crate::api::{Client, Door};
use crate::desk::fixture::{House, anna};
use crate::model::ask::Page;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the console reaches the desk.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Local,
    Remote,
}

struct Rig {
    house: House,
    session: Session,
    stop: CancellationToken,
}

impl Rig {
    fn open(house: House, way: Way) -> Self {
        let stop = CancellationToken::new();
        let session = match way {
            Way::Local => local(house.desk.clone(), anna()),
            Way::Remote => {
                serve(&house, &stop);
                remote(Client::connect(house.folder.path()).unwrap(), anna())
            }
        };
        Self { house, session, stop }
    }

    async fn next(&mut self) -> Incoming {
        loop {
            let incoming = timeout(PATIENCE, self.session.inbox.recv()).await.expect("nothing comes");
            let incoming = incoming.expect("the session ended");
            if !matches!(incoming, Incoming::Hello(_)) {
                return incoming;
            }
        }
    }

    async fn changed(&mut self) -> Changes {
        loop {
            if let Incoming::Changed(changes) = self.next().await {
                return *changes;
            }
        }
    }

    async fn reply(&mut self) -> (Ticket, Result<Answer, Refusal>) {
        loop {
            if let Incoming::Reply(ticket, reply) = self.next().await {
                return (ticket, *reply);
            }
        }
    }
}

fn serve(house: &House, stop: &CancellationToken) {
    let door = Door::bind(house.folder.path()).unwrap();
    tokio::spawn(door.serve(house.desk.clone(), stop.clone()));
}

async fn both<F: AsyncFn(Way)>(body: F) {
    for way in [Way::Local, Way::Remote] {
        println!("{way:?}");
        body(way).await;
    }
}

#[tokio::test]
async fn a_session_begins_live_with_the_figures_as_they_are() {
    both(async |way| {
        let house = House::acme().await;
        house.receive("Orders", json!({"ref": "a"})).await;
        let mut rig = Rig::open(house, way);
        assert_eq!(rig.next().await, Incoming::Link(Link::Live));
        let first = rig.changed().await;
        let counters = first.counters.unwrap();
        assert_eq!((first.seq, counters.stored, counters.integrations), (1, 1, 1));
        assert!(!first.resync);
    })
    .await;
}

#[tokio::test]
async fn every_question_gets_its_own_answer() {
    both(async |way| {
        let mut rig = Rig::open(House::acme().await, way);
        for ticket in 0..40 {
            let ask = match ticket % 4 {
                0 => Ask::Counters,
                1 => Ask::Integrations,
                2 => Ask::Runs(Page::default()),
                _ => Ask::Run { id: "ffffff".into() },
            };
            rig.session.asks.try_send((ticket, ask)).unwrap();
        }
        let mut tickets = Vec::new();
        for _ in 0..40 {
            let (ticket, reply) = rig.reply().await;
            let fits = match ticket % 4 {
                0 => matches!(reply, Ok(Answer::Counters(_))),
                1 => matches!(reply, Ok(Answer::Integrations { .. })),
                2 => matches!(reply, Ok(Answer::Runs(_))),
                _ => reply.is_err_and(|refusal| refusal.exit == 3),
            };
            assert!(fits, "{ticket}");
            tickets.push(ticket);
        }
        tickets.sort_unstable();
        assert_eq!(tickets, (0..40).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn what_changes_is_pushed_and_nothing_else_is() {
    both(async |way| {
        let mut rig = Rig::open(House::acme().await, way);
        let first = rig.changed().await;
        let (request, run) = rig.house.receive("Orders", json!({"ref": "a"})).await;
        let mut arrived = 0;
        let mut runs = Vec::new();
        let mut seq = first.seq;
        while arrived == 0 || runs.is_empty() {
            let changes = rig.changed().await;
            assert!(changes.seq > seq);
            seq = changes.seq;
            arrived += changes.arrived;
            runs.extend(changes.runs);
            if let Some(newest) = changes.newest {
                assert_eq!(newest, rig.house.request_id(request));
            }
        }
        assert_eq!((arrived, runs), (1, vec![rig.house.id(run)]));
        rig.house.apply(&crate::desk::fixture::ACME.replace("/log", "/logs")).await;
        while !rig.changed().await.config {}
        // Figures come to rest, and from then on it is quiet.
        while timeout(Duration::from_millis(1_500), rig.session.inbox.recv()).await.is_ok() {}
    })
    .await;
}

#[tokio::test]
async fn a_console_that_does_not_look_gets_changes_merged_and_holds_nobody_up() {
    both(async |way| {
        let mut rig = Rig::open(House::acme().await, way);
        rig.changed().await;
        let begun = tokio::time::Instant::now();
        let mut sent = 0_u64;
        let mut last = None;
        // Longer than the inbox holds at ten pushes a second.
        while begun.elapsed() < Duration::from_millis(100 * (INBOX as u64 + 12)) {
            last = Some(rig.house.receive("Orders", json!({"ref": sent})).await.0);
            sent += 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let newest = rig.house.request_id(last.unwrap());
        let (mut arrived, mut pushes) = (0, 0);
        while arrived < sent {
            let changes = rig.changed().await;
            pushes += 1;
            arrived += changes.arrived;
            if arrived == sent {
                assert_eq!(changes.newest.as_deref(), Some(newest.as_str()));
            }
        }
        assert_eq!(arrived, sent);
        assert!(pushes <= INBOX + 8, "{pushes} pushes for {sent} requests");
    })
    .await;
}

#[tokio::test]
async fn a_link_that_goes_down_says_so_and_comes_back_with_what_was_missed() {
    let mut rig = Rig::open(House::acme().await, Way::Remote);
    rig.changed().await;
    rig.stop.cancel();
    let why = loop {
        if let Incoming::Link(Link::Down(outage)) = rig.next().await {
            break outage.why;
        }
    };
    assert!(!why.is_empty());
    rig.session.asks.send((7, Ask::Counters)).await.unwrap();
    let (ticket, reply) = rig.reply().await;
    assert_eq!((ticket, reply.unwrap_err().code.as_str()), (7, "link"));
    let (_, run) = rig.house.receive("Orders", json!({"ref": "missed"})).await;
    let stop = CancellationToken::new();
    serve(&rig.house, &stop);
    while rig.next().await != Incoming::Link(Link::Live) {}
    let changes = rig.changed().await;
    assert!(!changes.resync && changes.seq > 1);
    assert_eq!((changes.arrived, changes.runs), (1, vec![rig.house.id(run)]));
    rig.session.asks.send((8, Ask::Counters)).await.unwrap();
    assert!(rig.reply().await.1.is_ok());
}

#[tokio::test]
async fn a_session_ends_with_its_console() {
    both(async |way| {
        let rig = Rig::open(House::new(), way);
        let Rig { house, session, stop } = rig;
        let Session { asks, inbox, .. } = session;
        drop(inbox);
        asks.closed().await;
        drop((house, stop));
    })
    .await;
}
