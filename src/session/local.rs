//! A session with the desk in this process.

use super::{ASKS, INBOX, Incoming, Link, Session, at_a_console, drain};
use crate::desk::Desk;
use crate::model::ask::Who;
use crate::model::company::Hello;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Opens a session with a desk. It ends when the console drops its channel ends.
#[must_use]
pub fn local(desk: Desk, who: Who) -> Session {
    let (asks, questions) = mpsc::channel(ASKS);
    let (answers, inbox) = mpsc::channel(INBOX);
    let changes = answers.clone();
    let (watching, who) = (desk.clone(), at_a_console(who));
    let watcher = who.clone();
    tokio::spawn(async move {
        // The mailbox is taken before anything is read, so nothing falls between the two.
        let mut watch = watching.attend(&watcher, "this machine");
        let hello = Hello {
            name: watcher.name.clone(),
            role: watcher.role,
            host: String::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            console: watcher.console.unwrap_or_default(),
        };
        for first in [Incoming::Hello(hello), Incoming::Link(Link::Live)] {
            if changes.send(first).await.is_err() {
                return;
            }
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
    Session { asks, inbox, nudge: Arc::default() }
}
