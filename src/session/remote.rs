//! A session with a desk at the other end of a socket.

use super::{ASKS, INBOX, Incoming, Link, Session, drain};
use crate::api::{ChangeStream, Client};
use crate::model::ask::{Refusal, Who};
use std::time::Duration;
use tokio::sync::mpsc;

/// The first pause before the link is tried again, doubled with each try…
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// …up to this.
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// Opens a session with the desk that a client leads to. It ends when the console drops its channel
/// ends; while the link is down questions are refused at once, and it is tried again for ever.
#[must_use]
pub fn remote(client: Client, who: Who) -> Session {
    let (asks, questions) = mpsc::channel(ASKS);
    let (answers, inbox) = mpsc::channel(INBOX);
    let (watching, changes) = (client.clone(), answers.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = changes.closed() => {}
            () = watch(&watching, &changes) => {}
        }
    });
    drain(questions, answers, move |ask| {
        let (client, who) = (client.clone(), who.clone());
        async move { client.ask(&who, &ask).await }
    });
    Session { asks, inbox }
}

/// Passes on what changes, over as many connections as it takes. `seq` goes on over all of them,
/// and the first push after a gap says that something may have been missed.
async fn watch(client: &Client, inbox: &mpsc::Sender<Incoming>) {
    let mut seq = 0;
    let mut pause = FIRST_PAUSE;
    let mut down = false;
    loop {
        let broken = match client.changes().await {
            Ok(stream) => {
                let before = seq;
                let Some(broken) = follow(stream, inbox, &mut seq, down).await else { return };
                if seq > before {
                    (pause, down) = (FIRST_PAUSE, false);
                }
                broken
            }
            Err(broken) => broken,
        };
        if !down && !tell(inbox, &broken).await {
            return;
        }
        down = true;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

/// Passes one connection's changes on, merging for as long as the console has no room; why it
/// ended, or `None` where the console has gone.
async fn follow(
    mut stream: ChangeStream,
    inbox: &mpsc::Sender<Incoming>,
    seq: &mut u64,
    missed: bool,
) -> Option<Refusal> {
    // Live is who has a snapshot, not who has a connection.
    let mut first = match stream.next().await {
        Ok(first) => first,
        Err(broken) => return Some(broken),
    };
    first.resync |= missed;
    inbox.send(Incoming::Link(Link::Live)).await.ok()?;
    let mut waiting = Some(first);
    loop {
        tokio::select! {
            room = inbox.reserve(), if waiting.is_some() => {
                let room = room.ok()?;
                if let Some(mut changes) = waiting.take() {
                    *seq += 1;
                    changes.seq = *seq;
                    room.send(Incoming::Changed(Box::new(changes)));
                }
            }
            next = stream.next() => match next {
                Ok(later) => match &mut waiting {
                    Some(changes) => changes.merge(later),
                    None => waiting = Some(later),
                },
                Err(broken) => return Some(broken),
            },
        }
    }
}

async fn tell(inbox: &mpsc::Sender<Incoming>, broken: &Refusal) -> bool {
    inbox.send(Incoming::Link(Link::Down(broken.message.clone()))).await.is_ok()
}
