//! A session with a desk at the other end of a link: the socket of this machine, or a server's
//! operators' API.

use super::{ASKS, INBOX, Incoming, Link, Outage, Session, drain};
use crate::api::{ChangeStream, Client};
use crate::model::ask::{Refusal, Who};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, watch};

/// The first pause before the link is tried again, doubled with each try…
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// …up to this.
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// The code of a refusal of somebody who is not an operator, or not any more.
const UNKNOWN: &str = "unknown";

/// Opens a session with the desk that a client leads to. It ends when the console drops its channel
/// ends; while the link is down questions are refused at once, and it is tried again for ever.
#[must_use]
pub fn remote(client: Client, who: Who) -> Session {
    let (asks, questions) = mpsc::channel(ASKS);
    let (answers, inbox) = mpsc::channel(INBOX);
    let who = super::at_a_console(who);
    let (nudge, cut) = (Arc::new(Notify::new()), watch::Sender::new(0));
    let cuts = cut.subscribe();
    let mut thread = Thread {
        client: client.clone(),
        who: who.clone(),
        inbox: answers.clone(),
        nudge: Arc::clone(&nudge),
        cut,
        place: None,
        seq: 0,
        tries: 0,
        heard: None,
    };
    tokio::spawn(async move {
        let inbox = thread.inbox.clone();
        tokio::select! {
            () = inbox.closed() => {}
            () = thread.spin() => {}
        }
    });
    drain(questions, answers, move |ask| {
        let (client, who, mut cuts) = (client.clone(), who.clone(), cuts.clone());
        // A cut before the question is no cut of it.
        cuts.mark_unchanged();
        async move {
            tokio::select! {
                answer = client.ask(&who, &ask) => answer,
                // What a dead link still owes never comes, and others wait for its place.
                _ = cuts.changed() => Err(Refusal {
                    code: "link".to_owned(),
                    message: "the link went down before the answer came".to_owned(),
                    exit: 1,
                }),
            }
        }
    });
    Session { asks, inbox, nudge }
}

/// What holds over all links of a session.
struct Thread {
    client: Client,
    who: Who,
    inbox: mpsc::Sender<Incoming>,
    nudge: Arc<Notify>,
    /// Raised when a link is cut.
    cut: watch::Sender<u64>,
    /// Up to where the console has seen what changed.
    place: Option<String>,
    /// Of what the console is pushed; it goes on over all links.
    seq: u64,
    /// Tries since the link was cut.
    tries: u32,
    /// When the other end was last heard.
    heard: Option<Instant>,
}

impl Thread {
    /// Passes on what changes, over as many links as it takes, until the console is gone.
    async fn spin(&mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let before = self.seq;
            let broken = match self.client.follow(&self.who, self.place.as_deref()).await {
                Ok(stream) => {
                    let Some(broken) = self.follow(stream).await else { return };
                    self.cut.send_modify(|cut| *cut += 1);
                    broken
                }
                Err(broken) => broken,
            };
            if self.seq > before {
                (pause, self.tries) = (FIRST_PAUSE, 0);
            }
            self.tries = self.tries.saturating_add(1);
            // Whom the other end does not know it will not know in five seconds either.
            let barred = broken.code == UNKNOWN;
            let outage = Outage {
                why: if barred { format!("{}; ctrl-r asks again", broken.message) } else { broken.message },
                tries: if barred { 0 } else { self.tries },
                pause: i64::try_from(pause.as_millis()).unwrap_or(0),
                silent: self.heard.map_or(0, |at| i64::try_from(at.elapsed().as_millis()).unwrap_or(0)),
            };
            if self.inbox.send(Incoming::Link(Link::Down(outage))).await.is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(pause), if !barred => pause = (pause * 2).min(LAST_PAUSE),
                () = self.nudge.notified() => pause = FIRST_PAUSE,
            }
        }
    }

    /// Passes one link's changes on, merging for as long as the console has no room; why it ended, or
    /// `None` where the console has gone.
    async fn follow(&mut self, mut stream: ChangeStream) -> Option<Refusal> {
        // Live is who has a snapshot, not who has a connection.
        let mut first = match stream.next().await {
            Ok(first) => first,
            Err(broken) => return Some(broken),
        };
        if let Some(mut hello) = first.hello.take() {
            hello.console = self.who.console.clone().unwrap_or_default();
            self.inbox.send(Incoming::Hello(hello)).await.ok()?;
        }
        self.inbox.send(Incoming::Link(Link::Live)).await.ok()?;
        let mut waiting = Some(first);
        loop {
            tokio::select! {
                room = self.inbox.reserve(), if waiting.is_some() => {
                    let room = room.ok()?;
                    if let Some(mut changes) = waiting.take() {
                        self.seq += 1;
                        changes.seq = self.seq;
                        // What the console has not taken in is asked for again over the next link.
                        if let Some(place) = changes.place.take() {
                            self.place = Some(place);
                        }
                        room.send(Incoming::Changed(Box::new(changes)));
                    }
                }
                next = stream.next() => match next {
                    Ok(later) => match &mut waiting {
                        Some(changes) => changes.merge(later),
                        None => waiting = Some(later),
                    },
                    Err(broken) => {
                        self.heard = Some(stream.heard());
                        return Some(broken);
                    }
                },
            }
        }
    }
}
