//! Verbs on callbacks: which are meant, and why one cannot be acted on.

use super::action::Action;
use super::app::{App, Place};
use super::dialog::Kind;
use super::format::clock;
use super::keymap::Keymap;
use super::verbs::{fits, kind_of};
use crate::model::run::CallbackState;
use crate::model::time::{Ms, parse_rfc3339};
use crate::model::view::CallbackView;
use jiff::tz::TimeZone;

/// Whether a verb fits a callback; else why not.
///
/// # Errors
/// The sentence that the key says instead.
pub fn callback_fits(
    kind: Kind,
    view: &CallbackView,
    (now, zone): (Ms, &TimeZone),
    keys: &Keymap,
) -> Result<(), String> {
    let word = kind.word();
    if kind.object() == "run" {
        return match view.awaited.as_ref().and_then(|awaited| awaited.run_state) {
            Some(state) => fits(kind, state, keys),
            None => Ok(()),
        };
    }
    // What stopped a run for want of an answer can still be given one, whatever stopped it.
    let held = view.awaited.as_ref().is_some_and(|awaited| awaited.held) || view.overdue;
    let reason = match (kind, view.state) {
        (Kind::Cancel | Kind::Complete | Kind::Extend, CallbackState::Pending) => return Ok(()),
        (Kind::Complete | Kind::Extend, _) if held => return Ok(()),
        (Kind::Cancel, CallbackState::Expired) if view.overdue => {
            keys.say("its deadline is past already; {c} completes it")
        }
        (_, CallbackState::Received) => {
            let at = view.received.as_deref().and_then(parse_rfc3339);
            let at = at.map_or_else(String::new, |at| format!(" at {}", clock(at, now, zone)));
            let status = view.status.map_or_else(String::new, |status| format!(" {status}"));
            format!("it was answered{status}{at}")
        }
        (_, CallbackState::Cancelled) => "it was cancelled".to_owned(),
        (_, CallbackState::Pending | CallbackState::Expired) => {
            "no callback is pending or overdue".to_owned()
        }
    };
    Err(format!("{word} is not possible: {reason}"))
}

impl App {
    /// The verb of an action where the focus is: `X` on a callback cancels it.
    #[must_use]
    pub fn kind_here(&self, action: Action) -> Option<Kind> {
        match (action, self.place()) {
            (Action::Forget, Place::Board | Place::BoardPane) => Some(Kind::Cancel),
            (Action::Forget, Place::Tree | Place::Facts) => Some(Kind::Remove),
            (Action::Edit, Place::Facts) if self.focused_variable().is_some() => Some(Kind::Set),
            _ => kind_of(action),
        }
    }

    /// The ids that a verb would act on: callbacks, or for retry, skip and abort the runs that wait
    /// for them.
    ///
    /// # Errors
    /// The sentence that the key says where it cannot act.
    pub(super) fn callback_targets(&self, kind: Kind) -> Result<Vec<String>, String> {
        let word = kind.word();
        let on_board = matches!(self.place(), Place::Board | Place::BoardPane);
        if !matches!(kind.object(), "callback" | "run") {
            return Err(format!("{word} is not possible: this is a callback; enter opens its run"));
        }
        if on_board && !self.board.marks.is_empty() {
            return self.marked(kind);
        }
        let Some(view) = self.focused_callback() else {
            let what =
                if on_board { "there is no callback here" } else { "no callback is pending or overdue" };
            return Err(format!("{word} is not possible: {what}"));
        };
        callback_fits(kind, view, (self.now, &self.options.zone), &self.options.keymap)?;
        Ok(vec![if kind.object() == "run" { view.run.clone() } else { view.id.clone() }])
    }

    /// The marked callbacks, or their runs: each once.
    fn marked(&self, kind: Kind) -> Result<Vec<String>, String> {
        let marks = &self.board.marks;
        if kind.object() == "callback" {
            return Ok(marks.iter().cloned().collect());
        }
        let marked = self.board.rows.iter().filter(|row| marks.contains(&row.view.id));
        let runs: Vec<&String> = marked.map(|row| &row.view.run).collect();
        if runs.len() < marks.len() {
            let word = kind.word();
            return Err(format!(
                "{word} is not possible: some marked callbacks are not on the board any more"
            ));
        }
        let each: std::collections::BTreeSet<String> = runs.into_iter().cloned().collect();
        Ok(each.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn view(state: &str, overdue: bool, run: &str) -> CallbackView {
        serde_json::from_value(json!({
            "id": "c", "run": "r", "step": "archive", "state": state, "deadline": "", "created": "",
            "received": (state == "received").then_some("2026-11-18T14:05:11.000Z"),
            "status": (state == "received").then_some(200), "overdue": overdue,
            "awaited": {"run_state": run},
        }))
        .unwrap()
    }

    #[test]
    fn a_callback_says_why_it_cannot_be_acted_on() {
        let now = parse_rfc3339("2026-11-18T15:00:00.000Z").unwrap();
        let of =
            |kind, view: &CallbackView| callback_fits(kind, view, (now, &TimeZone::UTC), &Keymap::default());
        let pending = view("pending", false, "waiting");
        let overdue = view("expired", true, "errored");
        let received = view("received", false, "running");
        let gone = view("expired", false, "succeeded");
        for kind in [Kind::Complete, Kind::Extend] {
            assert_eq!((of(kind, &pending), of(kind, &overdue)), (Ok(()), Ok(())));
            assert!(of(kind, &gone).unwrap_err().ends_with("no callback is pending or overdue"));
        }
        assert_eq!(
            of(Kind::Complete, &received).unwrap_err(),
            "complete is not possible: it was answered 200 at 14:05:11"
        );
        assert_eq!(of(Kind::Cancel, &pending), Ok(()));
        assert!(
            of(Kind::Cancel, &overdue)
                .unwrap_err()
                .starts_with("cancel is not possible: its deadline is past")
        );
        assert_eq!((of(Kind::Retry, &overdue), of(Kind::Skip, &pending)), (Ok(()), Ok(())));
        assert_eq!(of(Kind::Retry, &received).unwrap_err(), "retry is not possible: the run is running");
    }
}
