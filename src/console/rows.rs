//! Rows of the two logs: a view with its time read once.

use super::list::Item;
use crate::model::time::{Ms, parse_rfc3339};
use crate::model::view::{RequestView, RunView};
use crate::rules::redelivery;
use std::collections::{BTreeSet, VecDeque};

/// A request in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRow {
    /// As the desk gave it.
    pub view: RequestView,
    /// Arrival.
    pub at: Ms,
    /// Older requests of the same delivery that it stands for, at most [`MOST_COPIES`].
    pub copies: BTreeSet<String>,
}

/// Redeliveries that one row counts; it stands for more, and says no more.
pub const MOST_COPIES: usize = 999;

/// A run in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// As the desk gave it.
    pub view: RunView,
    /// Start, or birth where it has not started.
    pub at: Ms,
    /// How long it took, or has taken until it stopped.
    pub took: Option<Ms>,
    /// When its state was seen to change, for the colour of what is new.
    pub moved: Option<Ms>,
}

impl From<RequestView> for RequestRow {
    fn from(view: RequestView) -> Self {
        let at = parse_rfc3339(&view.time).unwrap_or_default();
        Self { view, at, copies: BTreeSet::new() }
    }
}

impl From<RunView> for RunRow {
    fn from(view: RunView) -> Self {
        let read = |time: &Option<String>| time.as_deref().and_then(parse_rfc3339);
        let started = read(&view.started);
        let at = started.or_else(|| birth(&view.id)).unwrap_or_default();
        let stopped = || view.steps.iter().filter_map(|step| read(&step.ended)).max();
        let end = read(&view.ended).or_else(stopped);
        let took = end.map(|end| end - at).filter(|took| started.is_some() && *took >= 0);
        Self { view, at, took, moved: None }
    }
}

impl Item for RequestRow {
    fn id(&self) -> &str {
        &self.view.id
    }
    fn at(&self) -> Ms {
        self.at
    }
    fn fold(rows: VecDeque<Self>) -> VecDeque<Self> {
        let delivery = |row: &Self| Some((row.view.endpoint.clone(), row.view.delivery.clone()?));
        let newest_first = redelivery::fold(rows.into_iter().rev(), delivery, |newest, row| {
            let all = row.copies.into_iter().chain([row.view.id]);
            // By id: a page that is read again counts nothing twice.
            let room = MOST_COPIES.saturating_sub(newest.copies.len());
            newest.copies.extend(all.take(room));
        });
        newest_first.into_iter().rev().collect()
    }
}

impl Item for RunRow {
    fn id(&self) -> &str {
        &self.view.id
    }
    fn at(&self) -> Ms {
        self.at
    }
}

/// The time in the head of a `UUIDv7`.
#[must_use]
pub fn birth(id: &str) -> Option<Ms> {
    let head: String = id.chars().filter(|letter| *letter != '-').take(12).collect();
    if head.len() == 12 { Ms::from_str_radix(&head, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_id_is_its_time() {
        assert_eq!(birth("0197a2b4-77c1-7d30-9f11-c2a990d7fe00"), Some(0x0197_a2b4_77c1));
        assert_eq!(birth("nope"), None);
        assert_eq!(birth("‹é›-‹é›-‹é›‹é›‹é›"), None);
    }
}
