//! What a list holds of a run: however often it was tried, its row has a bound.

use super::{RunView, StepView, Tally};

impl StepView {
    /// Attempts, and items, of a step that a list holds.
    pub const LISTED: usize = 20;

    /// How many attempts were made, with those that a list leaves out.
    #[must_use]
    pub fn tried(&self) -> u64 {
        self.attempts.len() as u64 + self.attempts_left_out
    }

    /// How many items have ended how.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.item_counts.unwrap_or_else(|| Tally::of(&self.items))
    }
}

impl RunView {
    /// As a list holds it: of each step the last attempts and the first items, and how many are left
    /// out.
    #[must_use]
    pub fn listed(mut self) -> Self {
        for step in &mut self.steps {
            let more = step.attempts.len().saturating_sub(StepView::LISTED);
            step.attempts.drain(..more);
            step.attempts_left_out += more as u64;
            if step.items.len() > StepView::LISTED {
                step.item_counts = Some(Tally::of(&step.items));
                step.items.truncate(StepView::LISTED);
            }
        }
        self
    }
}

/// Whether a count need not be written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn run(attempts: usize, items: usize) -> RunView {
        let attempt = |n: usize| {
            json!({"number": n, "started": null, "elapsed_ms": 5, "outcome": "transient", "status": 503,
                "request": null, "response": null, "cause": "Progix answered 503"})
        };
        let item = |n: usize| {
            let state = if n == items - 1 { "errored" } else { "succeeded" };
            json!({"index": n, "state": state, "cause": null, "attempts": 1})
        };
        let step = json!({
            "name": "push", "type": "request", "state": "errored", "cause": "Progix answered 503",
            "started": null, "ended": null, "outputs": null,
            "attempts": (1..=attempts).map(attempt).collect::<Vec<_>>(),
            "items": (0..items).map(item).collect::<Vec<_>>(),
        });
        serde_json::from_value(json!({
            "id": "a", "request": null, "parent": null, "integration": "i", "flow": "f", "version": 1,
            "state": "errored", "cause": null, "started": null, "ended": null, "test": false, "steps": [step],
        }))
        .unwrap()
    }

    #[test]
    fn a_list_holds_the_last_attempts_and_says_how_many_came_before() {
        let view = run(20, 20);
        assert_eq!(view.clone().listed(), view, "as many as a list holds are all there");
        let told = serde_json::to_value(&view).unwrap();
        assert_eq!(told["steps"][0]["attempts_left_out"], Value::Null);
        let step = &run(1_000, 1_000).listed().steps[0];
        assert_eq!((step.attempts.len(), step.attempts[0].number), (StepView::LISTED, 981));
        assert_eq!((step.attempts_left_out, step.tried()), (980, 1_000));
        assert_eq!((step.items.len(), step.items[19].index), (StepView::LISTED, 19));
        let tally = step.tally();
        assert_eq!((tally.all, tally.done, tally.failed), (1_000, 999, 1), "of all of them");
        let twice = run(1_000, 1_000).listed().listed();
        assert_eq!(twice.steps[0].tried(), 1_000);
    }
}
