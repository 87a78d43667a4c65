//! A session with the desk in this process.

use super::{ASKS, INBOX, Incoming, Link, Session, drain};
use crate::desk::Desk;
use crate::model::ask::Who;
use tokio::sync::mpsc;

/// Opens a session with a desk. It ends when the console drops its channel ends.
#[must_use]
pub fn local(desk: Desk, who: Who) -> Session {
    let (asks, questions) = mpsc::channel(ASKS);
    let (answers, inbox) = mpsc::channel(INBOX);
    let changes = answers.clone();
    let watching = desk.clone();
    tokio::spawn(async move {
        // The mailbox is taken before anything is read, so nothing falls between the two.
        let mut watch = watching.watch();
        if changes.send(Incoming::Link(Link::Live)).await.is_err() {
            return;
        }
        loop {
            let pushed = tokio::select! {
                () = changes.closed() => return,
                pushed = watch.next() => pushed,
            };
            if changes.send(Incoming::Changed(Box::new(pushed))).await.is_err() {
                return;
            }
        }
    });
    drain(questions, answers, move |ask| {
        let (desk, who) = (desk.clone(), who.clone());
        async move { desk.answer(&who, ask).await }
    });
    Session { asks, inbox }
}
