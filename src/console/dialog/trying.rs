//! Trials that really send, in a dialog: the call of one step, and a test run.

use super::{Dialog, Kind, Subject};
use crate::model::ask::Ask;
use crate::model::study::{Study, Trial, TrialOrder};

impl Dialog {
    /// A dialog for what a trial really sends.
    #[must_use]
    pub fn trying(kind: Kind, trial: Trial) -> Self {
        Self { subject: Subject::Trial(Box::new(trial)), ..Self::new(kind, Vec::new()) }
    }

    /// The title, where it is about a trial.
    pub(super) fn trial_title(&self) -> Option<String> {
        let Subject::Trial(trial) = &self.subject else { return None };
        let flow = trial.flow.replacen('/', " / ", 1);
        Some(match (self.kind, &trial.step) {
            (Kind::Call, Some(step)) => format!("Call {step} of {flow} once"),
            (Kind::Call, None) => format!("Call a step of {flow} once"),
            _ => format!("Run {flow} as a test"),
        })
    }

    pub(super) fn trial_order(&self, trial: &Trial, dry_run: bool) -> Ask {
        let order = TrialOrder { trial: trial.clone(), reason: self.reason(), dry_run };
        Ask::Study(match self.kind {
            Kind::TestRun => Study::TestRun(order),
            _ => Study::Call(order),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::dialog::Outcome;
    use crate::model::ask::Plan;

    #[test]
    fn what_is_really_sent_is_asked_first_and_ordered_with_its_reason() {
        let trial =
            Trial { flow: "shop/Orders".to_owned(), step: Some("event".to_owned()), ..Trial::default() };
        let mut dialog = Dialog::trying(Kind::Call, trial.clone());
        assert_eq!(dialog.title(), "Call event of shop / Orders once");
        let Ask::Study(Study::Call(order)) = dialog.order(true) else { panic!() };
        assert!(order.dry_run && order.reason.is_none());
        assert_eq!(dialog.enter(), Outcome::Stays, "its facts are not there");
        dialog.install(Ok(Box::new(Plan { count: 1, ..Plan::default() })));
        assert_eq!(dialog.enter(), Outcome::Stays, "nobody has seen them");
        dialog.flushed();
        dialog.edit().unwrap().insert("to see");
        assert_eq!(dialog.enter(), Outcome::Act);
        let Ask::Study(Study::Call(order)) = dialog.order(false) else { panic!() };
        assert_eq!((order.trial, order.reason.as_deref(), order.dry_run), (trial, Some("to see"), false));
        let whole =
            Dialog::trying(Kind::TestRun, Trial { flow: "shop/Orders".to_owned(), ..Trial::default() });
        assert_eq!(whole.title(), "Run shop / Orders as a test");
        assert!(matches!(whole.order(true), Ask::Study(Study::TestRun(_))));
    }
}
