//! The console's two channel ends: questions out, answers and changes in. The console cannot tell
//! whether a desk in this process or a socket is at the other end.

use crate::model::ask::{Answer, Ask, Changes, Refusal};
use tokio::sync::mpsc;

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
#[derive(Debug)]
pub struct Session {
    /// Questions; bounded, and drained by a task that answers each in its own time.
    pub asks: mpsc::Sender<(Ticket, Ask)>,
    /// What comes in; bounded, changes merged before they are put in.
    pub inbox: mpsc::Receiver<Incoming>,
}
