//! Whom runs send to next: by their plan and the values of variables as they are now.

use super::Store;
use super::registry::State;
use crate::model::FlowId;
use crate::model::change::Change;
use crate::model::run::Run;
use crate::model::target::Target;
use crate::rules::lane::tag_of;
use crate::rules::plan::Plan;
use crate::rules::template::{self, Context};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Steps whose targets are remembered.
const REMEMBERED: usize = 4_096;

/// A flow, its version, and the position of a step.
type Key = (FlowId, u32, usize);

/// Targets of steps, as long as nothing is configured anew.
#[derive(Debug, Default)]
pub(super) struct Targets(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    /// What was configured when they were found.
    of: Arc<State>,
    steps: HashMap<Key, Option<Arc<Target>>>,
}

impl Store {
    /// Tells those who watch that a breaker opened or closed.
    pub fn breaker_moved(&self) {
        self.inner.feed.publish(|| Arc::from([Change::Breaker]));
    }

    /// Whom a step sends to with the values of variables as they are now; `None` where it sends
    /// nothing, or its URL cannot be made of them.
    #[must_use]
    pub fn target(&self, plan: &Plan, step: usize) -> Option<Arc<Target>> {
        let state = self.configured();
        let key = (plan.flow_id, plan.version, step);
        {
            let known = self.inner.targets.0.read().unwrap_or_else(PoisonError::into_inner);
            if Arc::ptr_eq(&known.of, &state)
                && let Some(target) = known.steps.get(&key)
            {
                return target.clone();
            }
        }
        let context = Context {
            config: self.values(plan.integration),
            secrets: self.secrets(plan.integration),
            webhook_urls: self.webhook_urls(plan.integration),
            ..Context::default()
        };
        let target = template::sent_to(plan, step, &context).map(Arc::new);
        let mut known = self.inner.targets.0.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&known.of, &state) || known.steps.len() >= REMEMBERED {
            *known = Known { of: state, steps: HashMap::new() };
        }
        known.steps.insert(key, target.clone());
        target
    }

    /// Whom a queued or retrying run sends to once it is claimed, as far as that is known before: a
    /// `when` that was not judged yet may leave its step out.
    #[must_use]
    pub fn target_of(&self, run: &Run) -> Option<Arc<Target>> {
        let plan = self.plan(run.flow, run.version)?;
        let step = plan.flow.steps.get(run.step as usize)?;
        let judged =
            run.attempt > 0 || step.when.is_none() || run.due.is_some_and(|due| tag_of(due).is_some());
        if judged { self.target(&plan, run.step as usize) } else { None }
    }
}
