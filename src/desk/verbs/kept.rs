//! Plans of many that were shown: what is carried out is what was planned, whatever has come to
//! match its filter since.

use super::select::Chosen;
use crate::model::ask::{Refusal, Verb};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Plans that are kept: the newest. Each has at most as many objects as one act.
const MOST: usize = 8;

/// Plans that may still be carried out.
#[derive(Default)]
pub struct Plans(Mutex<VecDeque<Kept>>);

struct Kept {
    token: String,
    verb: Verb,
    chosen: Chosen,
}

impl Plans {
    /// Keeps a plan; its name.
    pub(super) fn keep(&self, token: String, verb: Verb, chosen: Chosen) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.pop_front();
        }
        kept.push_back(Kept { token: token.clone(), verb, chosen });
        token
    }

    /// Takes a plan out, to carry it out: once.
    ///
    /// # Errors
    /// It is not kept any more, or it is of another verb.
    pub(super) fn take(&self, token: &str, verb: &Verb) -> Result<Chosen, Refusal> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|kept| kept.token == token && kept.verb == *verb);
        match found.and_then(|at| kept.remove(at)) {
            Some(kept) => Ok(kept.chosen),
            None => Err(Refusal::refused(
                "changed",
                "the plan that was shown is kept no longer: make it again. Nothing was done.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::select::{Planned, Target};
    use super::*;
    use crate::model::RunId;

    fn chosen(run: i64) -> Chosen {
        let objects = vec![(Target::Run(RunId(run)), None)];
        Chosen::of(Planned { objects, ..Planned::default() }, Some("state:errored".to_owned()))
    }

    #[test]
    fn a_plan_is_carried_out_once_and_as_it_was_shown() {
        let plans = Plans::default();
        plans.keep("a".to_owned(), Verb::Abort, chosen(1));
        assert!(plans.take("b", &Verb::Abort).is_err());
        assert!(plans.take("a", &Verb::Forget).is_err(), "another verb is another plan");
        assert_eq!(plans.take("a", &Verb::Abort).unwrap().targets, [Target::Run(RunId(1))]);
        assert_eq!(plans.take("a", &Verb::Abort).err().map(|refusal| refusal.exit), Some(4));
    }

    #[test]
    fn the_newest_plans_are_kept_and_no_more() {
        let plans = Plans::default();
        for at in 0..=MOST {
            plans.keep(at.to_string(), Verb::Abort, chosen(1));
        }
        assert!(plans.take("0", &Verb::Abort).is_err());
        assert!(plans.take("1", &Verb::Abort).is_ok());
    }
}
