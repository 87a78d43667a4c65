//! What a transition tells of the time that a step took, against the time that it had.

use super::work::Work;
use super::{Exchange, ExchangeResult};
use crate::model::Ms;
use crate::model::run::Callback;

/// How long a step's exchange took, or the answer to its callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Took {
    /// The step's name.
    pub step: String,
    /// It was the wait for a callback, and not an exchange.
    pub callback: bool,
    /// Milliseconds.
    pub ms: Ms,
    /// Milliseconds that it had: the step's `timeout`, or until the callback's deadline.
    pub limit: Ms,
}

impl Work<'_> {
    /// An exchange ended. One that was refused or cut off tells nothing of its step's pace; one that
    /// ran out of time does.
    pub fn measure(&mut self, exchange: &Exchange) {
        let Some(step) = self.plan.flow.steps.get(self.run.step as usize) else { return };
        let Some(settings) = step.kind.exchange() else { return };
        let (ms, limit) = (exchange.elapsed_ms, settings.timeout);
        let told = match &exchange.result {
            ExchangeResult::Answered { .. } => true,
            ExchangeResult::Failed { .. } => ms >= limit,
            ExchangeResult::Blocked { .. } => false,
        };
        if told {
            self.took = Some(Took { step: step.name.clone(), callback: false, ms, limit });
        }
    }

    /// A callback was answered, or its deadline is past.
    pub fn measure_wait(&mut self, callback: &Callback) {
        let Some(step) = self.plan.flow.steps.get(callback.step as usize) else { return };
        let (ms, limit) = (self.env.now - callback.created, callback.deadline - callback.created);
        self.took = Some(Took { step: step.name.clone(), callback: true, ms, limit });
    }
}
