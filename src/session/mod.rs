//! The console's two channel ends: questions out, answers and changes in. The console cannot tell
//! whether a desk in this process or a socket is at the other end.

mod local;
mod remote;
#[cfg(test)]
mod tests;

pub use local::local;
pub use remote::remote;

use crate::model::ask::{Answer, Ask, Changes, Refusal};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// Questions that wait to be taken up.
const ASKS: usize = 64;
/// What waits to be taken in by the console; behind it changes merge and answers wait.
const INBOX: usize = 32;
/// Questions that are answered at once.
const UNDER_WAY: usize = 8;

/// Tells which question an answer belongs to; raised with each question.
pub type Ticket = u64;

/// What comes in.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// The answer to a question.
    Reply(Ticket, Box<Result<Answer, Refusal>>),
    /// What changed since the last one.
    Changed(Box<Changes>),
    /// The state of the link, where it has one.
    Link(Link),
}

/// The state of the link to the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// In the same process, or connected with a first snapshot.
    Live,
    /// Not connected: since when, and why.
    Down(String),
}

/// A console's connection.
///
/// A console must never wait for room in `asks` while it does not drain `inbox`: answers that find
/// no room there hold the questions behind them. It tries, and keeps what it wants to ask.
#[derive(Debug)]
pub struct Session {
    /// Questions; bounded, and drained by a task that answers each in its own time.
    pub asks: mpsc::Sender<(Ticket, Ask)>,
    /// What comes in; bounded, changes merged before they are put in.
    pub inbox: mpsc::Receiver<Incoming>,
}

/// Answers questions side by side, each in its own time, until the console drops its end.
fn drain<F, A>(mut questions: mpsc::Receiver<(Ticket, Ask)>, answers: mpsc::Sender<Incoming>, answer: F)
where
    F: Fn(Ask) -> A + Send + 'static,
    A: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    tokio::spawn(async move {
        let under_way = Arc::new(Semaphore::new(UNDER_WAY));
        loop {
            let asked = tokio::select! {
                () = answers.closed() => return,
                asked = questions.recv() => asked,
            };
            let Some((ticket, ask)) = asked else { return };
            let Ok(permit) = Arc::clone(&under_way).acquire_owned().await else { return };
            let (answers, reply) = (answers.clone(), answer(ask));
            tokio::spawn(async move {
                let reply = Box::new(reply.await);
                // Nobody waits for it any more where the console has gone.
                let _ = answers.send(Incoming::Reply(ticket, reply)).await;
                drop(permit);
            });
        }
    });
}
