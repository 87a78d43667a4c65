//! The console's two channel ends: questions out, answers and changes in. The console cannot tell
//! whether a desk in this process or a socket is at the other end.

mod local;
mod remote;
#[cfg(test)]
mod tests;

pub use local::local;
pub use remote::remote;

use crate::model::Ms;
use crate::model::ask::{Answer, Ask, Changes, Refusal, Who};
use crate::model::company::Hello;
use std::sync::Arc;
use tokio::sync::{Notify, Semaphore, mpsc};

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
    /// Who we are at the other end of a link: before it is live.
    Hello(Hello),
}

/// The state of the link to the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Not there yet, for the first time.
    Connecting,
    /// In the same process, or connected with a first snapshot.
    Live,
    /// Not connected.
    Down(Outage),
}

impl Link {
    /// It is down for a reason, and is not tried again.
    #[must_use]
    pub fn down(why: &str) -> Self {
        Self::Down(Outage { why: why.to_owned(), ..Outage::default() })
    }
}

/// A link that is down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outage {
    /// Why, as the last try found.
    pub why: String,
    /// The number of the next try; 0 where none comes by itself.
    pub tries: u32,
    /// Milliseconds until then.
    pub pause: Ms,
    /// Milliseconds since the other end was last heard, as the link went down.
    pub silent: Ms,
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
    /// A link that is down is tried at once where this is notified.
    pub nudge: Arc<Notify>,
}

/// Gives whoever sits at a console a number for it, by which others see where it is.
fn at_a_console(mut who: Who) -> Who {
    who.console.get_or_insert_with(|| format!("{:016x}", fastrand::u64(..)));
    who
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
