//! What the store says of what was filled in: the fields stay, and the one that is meant says so.

use super::field::Typed;
use super::{Dialog, Facts, Kind, Purpose};
use crate::model::ask::{Plan, Refusal};

/// In place of what the facts are about: nothing that is typed is it, so that nothing can be confirmed
/// until the store was asked about something else.
const REFUSED: &str = "\0";

impl Dialog {
    /// Whether a refusal is of what was filled in, and can be mended there.
    pub(super) fn mends(&self, refusal: &Refusal) -> bool {
        self.shown.is_some() && !self.fields.is_empty() && (self.kind == Kind::Replay || refusal.exit == 2)
    }

    /// Keeps the fields, and says at one of them what is wrong.
    pub(super) fn blame(&mut self, refusal: &Refusal) {
        let at = self.blamed(&refusal.message);
        let said = refusal.message.strip_prefix("--to: ").unwrap_or(&refusal.message);
        // The names of the command line's options are not here.
        let said = said
            .replace("--sign exact", "as it came")
            .replace("--sign fresh", "anew")
            .replace("--set", "edited payload");
        self.fault = Some(at);
        self.error = Some(said);
        self.planned = Typed(REFUSED.to_owned());
        if let Some(shown) = &self.shown {
            self.facts = Facts::Known(shown.clone());
        }
    }

    /// The field that a refusal means.
    fn blamed(&self, message: &str) -> Purpose {
        let is_set = |purpose| self.field(purpose).is_some_and(|field| !field.edit.text().trim().is_empty());
        if self.kind == Kind::Replay {
            return match message {
                message if message.starts_with("--sign") => Purpose::Sign,
                _ if is_set(Purpose::To) && self.chosen(Purpose::Sign) > 0 && message.contains("sign") => {
                    Purpose::Sign
                }
                _ if is_set(Purpose::To) => Purpose::To,
                _ => Purpose::With,
            };
        }
        self.fields.get(self.focus).map_or(Purpose::Reason, |field| field.purpose)
    }

    /// What `with` offers of one replay: nothing that there is not.
    pub(super) fn replayed_with(plan: &Plan) -> Vec<String> {
        let Some(offers) = plan.offers else {
            return ["live", "its own", "draft"].map(str::to_owned).to_vec();
        };
        let live = offers.live.map_or_else(|| "live".to_owned(), |live| format!("v{live} live"));
        let mut choices = vec![live, format!("v{} its own", offers.own)];
        choices.extend(offers.draft.map(|draft| format!("v{draft} draft")));
        choices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::dialog::Outcome;
    use crate::model::ask::Offers;

    fn replay(offers: Offers) -> Dialog {
        let mut dialog = Dialog::new(Kind::Replay, vec!["0197a2b4-77c1-7d30-9f11-c2a9905d7c31".to_owned()]);
        let plan = Plan { count: 1, offers: Some(offers), ..Plan::default() };
        dialog.install(Ok(Box::new(plan)));
        dialog.flushed();
        dialog
    }

    #[test]
    fn what_the_store_refuses_of_a_field_is_said_at_it_and_cannot_be_confirmed() {
        let mut dialog = replay(Offers { live: Some(3), own: 3, draft: None });
        let fields = dialog.fields.len();
        dialog.focus = dialog.fields.iter().position(|field| field.purpose == Purpose::To).unwrap();
        dialog.edit().unwrap().insert("nowhere");
        dialog.changed(250);
        assert!(dialog.replans(250));
        dialog.install(Err(Refusal::usage("--to: \"nowhere\" is no URL")));
        dialog.flushed();
        assert_eq!((dialog.fault, dialog.fields.len()), (Some(Purpose::To), fields));
        assert_eq!(dialog.error.as_deref(), Some("\"nowhere\" is no URL"));
        assert!(matches!(dialog.facts, Facts::Known(_)), "the form stays");
        assert_eq!(dialog.enter(), Outcome::Stays);
        assert!(!dialog.acting);
        // Typing goes on, and what reads is asked about and can be confirmed.
        dialog.edit().unwrap().insert(".example");
        assert_eq!((dialog.fault, dialog.error.clone()), (None, None));
        dialog.changed(500);
        assert!(dialog.replans(500));
        dialog.install(Ok(Box::new(Plan { count: 1, ..Plan::default() })));
        dialog.flushed();
        assert_eq!(dialog.enter(), Outcome::Act);
    }

    #[test]
    fn only_versions_that_there_are_can_be_chosen() {
        let choices = |dialog: &Dialog| dialog.field(Purpose::With).unwrap().choices.clone();
        let without = replay(Offers { live: Some(3), own: 2, draft: None });
        assert_eq!(choices(&without), ["v3 live", "v2 its own"]);
        let with = replay(Offers { live: Some(3), own: 3, draft: Some(4) });
        assert_eq!(choices(&with), ["v3 live", "v3 its own", "v4 draft"]);
    }
}
