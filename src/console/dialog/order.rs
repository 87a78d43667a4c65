//! What a dialog orders, as it is filled in.

use super::{Dialog, Facts, Kind, Purpose, Subject, answer};
use crate::model::ask::{Act, Ask, Replay, Verb};

impl Dialog {
    /// The order as it is filled in, or the question what it would do.
    #[must_use]
    pub fn order(&self, dry_run: bool) -> Ask {
        match &self.subject {
            Subject::Flow(_) => Ask::Pause(self.pause_order(dry_run)),
            Subject::Objects | Subject::Version(_) => {
                self.version_order(dry_run).unwrap_or_else(|| Ask::Act(self.act(dry_run)))
            }
        }
    }

    /// The act on requests, runs or callbacks as it is filled in.
    #[must_use]
    pub fn act(&self, dry_run: bool) -> Act {
        let chosen = |purpose| self.chosen(purpose);
        let verb = match self.kind {
            Kind::Retry => {
                Verb::Retry { original: chosen(Purpose::With) == 1, fresh_key: chosen(Purpose::KeyOf) == 1 }
            }
            Kind::Skip => Verb::Skip { stand_in: self.stand_in().ok().flatten() },
            Kind::Forget => Verb::Forget,
            Kind::Readmit => Verb::Readmit,
            Kind::Replay => Verb::Replay(Replay {
                version: match chosen(Purpose::With) {
                    1 => Some("original".to_owned()),
                    2 => Some("draft".to_owned()),
                    _ => None,
                },
                set: Vec::new(),
            }),
            // What does not read was never shown, and is never sent: the default only asks.
            kind => match self.hand().unwrap_or_else(|_| answer::default(kind)) {
                Some(hand) => hand,
                // Pauses and versions are ordered by [`Dialog::order`].
                None => Verb::Abort,
            },
        };
        let reason = self.reason();
        let seen = match &self.facts {
            Facts::Known(plan) if !dry_run => plan.seen.clone(),
            _ => Vec::new(),
        };
        // What was shown one by one is acted on, and nothing that joined since.
        let all = match &self.facts {
            Facts::Known(plan) if !dry_run => seen.len() as u64 == plan.count,
            _ => false,
        };
        let (ids, filter) = match &self.filter {
            Some(_) if all => (seen.iter().map(|(id, _)| id.clone()).collect(), None),
            filter => (self.ids.clone(), filter.clone()),
        };
        Act { verb, ids, filter, seen, reason, dry_run }
    }
}
