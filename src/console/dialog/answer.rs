//! Callbacks in a dialog: the answer that is given by hand, and how much longer one is waited for.

use super::{Dialog, Field, Kind, Purpose};
use crate::console::edit::Edit;
use crate::console::format::precise;
use crate::model::ask::{Plan, Verb};
use crate::model::time::{DAY, parse_duration, parse_rfc3339};

/// The code that an answer has where none is typed.
const STATUS: u16 = 200;
/// How much longer is waited where nothing is typed.
const BY: &str = "1d";

/// The verb of a dialog whose fields are not filled in, or do not read.
pub(super) fn default(kind: Kind) -> Option<Verb> {
    match kind {
        Kind::Complete => Some(Verb::Complete { status: STATUS, body: String::new() }),
        Kind::Extend => Some(Verb::Extend { by: DAY }),
        Kind::Cancel => Some(Verb::Cancel),
        _ => None,
    }
}

/// What the facts of a new dialog hang on, as its fields will say it.
pub(super) fn first(kind: Kind) -> String {
    match kind {
        Kind::Complete => format!("{STATUS}\n"),
        Kind::Extend => BY.to_owned(),
        _ => String::new(),
    }
}

impl Dialog {
    /// What to fill in.
    pub(super) fn answer_fields(&self, plan: &Plan) -> Vec<Field> {
        match self.kind {
            Kind::Complete => {
                let mut status = Field::line(Purpose::Status, "status");
                status.edit = Edit::with(&STATUS.to_string());
                "2xx: succeeded, else: the step fails".clone_into(&mut status.hint);
                let mut body = Field::line(Purpose::Body, "body");
                match &plan.given {
                    Some(given) => {
                        body.edit = Edit::with(&given.body);
                        status.edit = Edit::with(&given.status.to_string());
                        let at = parse_rfc3339(&given.at).map(|at| precise(at, &self.zone));
                        let at = at.as_deref().and_then(|at| at.split('.').next()).unwrap_or_default();
                        body.hint = format!("as the last one received, {at}: change what differs");
                    }
                    None => {
                        "JSON or text: what later steps see of it; may stay empty".clone_into(&mut body.hint);
                    }
                }
                vec![status, body]
            }
            Kind::Extend => {
                let mut by = Field::line(Purpose::By, "by");
                by.edit = Edit::with(BY);
                "30m, 1d: from its deadline on, or from now where that is past".clone_into(&mut by.hint);
                vec![by]
            }
            _ => Vec::new(),
        }
    }

    /// What is typed of an answer, that the facts hang on.
    pub(super) fn typed_answer(&self) -> Option<String> {
        let text = |purpose| self.field(purpose).map(|field| field.edit.text());
        match self.kind {
            Kind::Complete => Some(format!("{}\n{}", text(Purpose::Status)?, text(Purpose::Body)?)),
            Kind::Extend => text(Purpose::By),
            _ => None,
        }
    }

    /// The verb as it is filled in; of one that acts on no callback none.
    ///
    /// # Errors
    /// What is typed is no status or no time.
    pub(super) fn hand(&self) -> Result<Option<Verb>, String> {
        let text = |purpose| self.field(purpose).map(|field| field.edit.text());
        Ok(match (default(self.kind), text(Purpose::Status), text(Purpose::By)) {
            (Some(Verb::Complete { .. }), Some(code), _) => {
                let body = text(Purpose::Body).unwrap_or_default();
                Some(Verb::Complete { status: status(&code)?, body })
            }
            (Some(Verb::Extend { .. }), _, Some(by)) => Some(Verb::Extend { by: parse_duration(by.trim())? }),
            (verb, ..) => verb,
        })
    }
}

/// A code that an answer can have.
fn status(text: &str) -> Result<u16, String> {
    let read = text.trim().parse().ok().filter(|status| (200..600).contains(status) && *status != 202);
    read.ok_or_else(|| "status is 200 to 599, but not 202".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::dialog::Outcome;
    use crate::model::ask::GivenView;

    fn plan(given: Option<&str>) -> Box<Plan> {
        let given = given.map(|body| GivenView {
            status: 200,
            body: body.to_owned(),
            at: "2026-11-18T13:05:11.000Z".to_owned(),
        });
        Box::new(Plan {
            count: 1,
            given,
            seen: vec![("0197a2b4-77c1-7d30-9f11-c2a990a91c07".to_owned(), 7)],
            step: Some("archive".to_owned()),
            ..Plan::default()
        })
    }

    #[test]
    fn an_answer_is_filled_in_as_the_last_one_and_asked_about_before_it_is_given() {
        let mut dialog = Dialog::new(Kind::Complete, vec!["c".to_owned()]);
        dialog.install(Ok(plan(Some(r#"{"document":"88102"}"#))));
        assert_eq!(dialog.title(), "Complete archive of a91c07", "the run is what people know");
        dialog.flushed();
        assert_eq!(dialog.enter(), Outcome::Stays, "what is filled in was not asked about");
        assert!(dialog.replans(1));
        dialog.install(Ok(plan(Some(r#"{"document":"88102"}"#))));
        dialog.flushed();
        assert_eq!(dialog.enter(), Outcome::Act);
        let body = r#"{"document":"88102"}"#.to_owned();
        assert_eq!(dialog.act(false).verb, Verb::Complete { status: 200, body });
    }

    #[test]
    fn nothing_known_of_an_answer_needs_no_second_question() {
        let mut dialog = Dialog::new(Kind::Complete, vec!["c".to_owned()]);
        dialog.install(Ok(plan(None)));
        dialog.flushed();
        assert_eq!(dialog.enter(), Outcome::Act);
        assert_eq!(dialog.act(false).verb, Verb::Complete { status: 200, body: String::new() });
    }

    #[test]
    fn a_status_that_no_answer_has_is_said_at_once() {
        let mut dialog = Dialog::new(Kind::Complete, vec!["c".to_owned()]);
        dialog.install(Ok(plan(None)));
        dialog.flushed();
        dialog.focus = 0;
        dialog.edit().unwrap().delete_to_start();
        dialog.edit().unwrap().insert("202");
        dialog.changed(5);
        assert!(!dialog.replans(5));
        assert!(dialog.error.as_deref().is_some_and(|error| error.contains("not 202")));
        assert_eq!(dialog.enter(), Outcome::Stays);
    }

    #[test]
    fn a_deadline_is_moved_by_what_is_typed_and_a_cancel_keeps_by_default() {
        let mut dialog = Dialog::new(Kind::Extend, vec!["c".to_owned()]);
        dialog.install(Ok(plan(None)));
        dialog.flushed();
        assert_eq!(dialog.act(false).verb, Verb::Extend { by: DAY });
        dialog.focus = 0;
        dialog.edit().unwrap().insert("0");
        dialog.changed(5);
        assert!(!dialog.replans(5), "1d0 is no time");
        let mut dialog = Dialog::new(Kind::Cancel, vec!["c".to_owned()]);
        dialog.install(Ok(plan(None)));
        dialog.flushed();
        assert_eq!(dialog.enter(), Outcome::Close);
        dialog.sideways(1);
        assert_eq!(dialog.enter(), Outcome::Act);
        assert_eq!(dialog.act(false).verb, Verb::Cancel);
    }
}
