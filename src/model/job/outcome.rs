//! What became of the runs of a job.

use super::Reason;
use crate::model::run::RunState;
use serde::{Deserialize, Serialize};

/// What became of the runs that a job moved or made, as they stand now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcomes {
    /// Every step is done.
    pub succeeded: u64,
    /// Done, but for steps that were skipped.
    pub succeeded_with_skips: u64,
    /// Queued or running.
    pub under_way: u64,
    /// They wait for their next attempt.
    pub retrying: u64,
    /// For a callback or a delay.
    pub waiting: u64,
    /// They stopped, and need an operator.
    pub errored: u64,
    /// They ended failed.
    pub failed: u64,
    /// A person ended them.
    pub aborted: u64,
    /// Retention has taken them: what became of them is not known any more.
    pub gone: u64,
    /// Why those that are errored or failed are, and how many: the most first.
    pub causes: Vec<Reason>,
}

impl Outcomes {
    /// Causes that are told.
    pub const CAUSES: usize = 20;

    /// Counts runs of a state; `None` where they are gone.
    pub fn add(&mut self, state: Option<RunState>, many: u64) {
        let place = match state {
            Some(RunState::Queued | RunState::Running) => &mut self.under_way,
            Some(RunState::Succeeded) => &mut self.succeeded,
            Some(RunState::Waiting) => &mut self.waiting,
            Some(RunState::Retrying) => &mut self.retrying,
            Some(RunState::Errored) => &mut self.errored,
            Some(RunState::SucceededWithSkips) => &mut self.succeeded_with_skips,
            Some(RunState::Failed) => &mut self.failed,
            Some(RunState::Aborted) => &mut self.aborted,
            None => &mut self.gone,
        };
        *place += many;
    }

    /// Each count that is not zero, with its mark and word; `again` where the runs had stopped before.
    #[must_use]
    pub fn lines(&self, again: bool) -> Vec<Line> {
        let errored = if again { "errored again" } else { "errored" };
        let state = |state: RunState, word, many| Line { state: Some(state), word, many };
        let all = [
            state(RunState::Succeeded, "succeeded", self.succeeded),
            state(RunState::SucceededWithSkips, "with skips", self.succeeded_with_skips),
            state(RunState::Running, "under way", self.under_way),
            state(RunState::Retrying, "retrying", self.retrying),
            state(RunState::Waiting, "waiting", self.waiting),
            state(RunState::Errored, errored, self.errored),
            state(RunState::Failed, "failed", self.failed),
            state(RunState::Aborted, "aborted", self.aborted),
            Line { state: None, word: "gone by retention", many: self.gone },
        ];
        all.into_iter().filter(|line| line.many > 0).collect()
    }

    /// `3 × progix answered 409, 2 × timeout`; at most so many of them.
    #[must_use]
    pub fn why(&self, most: usize) -> String {
        let told = self.causes.iter().take(most);
        let told: Vec<String> =
            told.map(|one| format!("{} × {}", crate::text::count(one.count), one.why)).collect();
        let more = self.causes.len().saturating_sub(most);
        let told = told.join(", ");
        if more > 0 { format!("{told}, and {more} more causes") } else { told }
    }
}

/// Runs that stand alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// How they stand; `None` where they are gone.
    pub state: Option<RunState>,
    /// In words.
    pub word: &'static str,
    /// How many.
    pub many: u64,
}

impl Line {
    /// Whether their causes are told.
    #[must_use]
    pub fn bad(&self) -> bool {
        matches!(self.state, Some(RunState::Errored | RunState::Failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_counted_by_how_they_stand_and_zeros_are_not_told() {
        let mut told = Outcomes::default();
        for (state, many) in RunState::ALL.into_iter().zip(1..) {
            told.add(Some(state), many);
        }
        told.add(None, 10);
        let words: Vec<(&str, u64)> = told.lines(true).iter().map(|line| (line.word, line.many)).collect();
        let all = [
            ("succeeded", 3),
            ("with skips", 7),
            ("under way", 1 + 2),
            ("retrying", 5),
            ("waiting", 4),
            ("errored again", 6),
            ("failed", 8),
            ("aborted", 9),
            ("gone by retention", 10),
        ];
        assert_eq!(words, all);
        let few = Outcomes { errored: 5, ..Outcomes::default() };
        assert_eq!(few.lines(false).iter().map(|line| line.word).collect::<Vec<_>>(), ["errored"]);
    }

    #[test]
    fn causes_are_told_with_their_counts_and_what_is_left_out_is_said() {
        let cause = |why: &str, count| Reason { why: why.to_owned(), count };
        let causes = vec![cause("409", 1_003), cause("timeout", 2), cause("x", 1)];
        let told = Outcomes { causes, ..Outcomes::default() };
        assert_eq!(told.why(3), "1,003 × 409, 2 × timeout, 1 × x");
        assert_eq!(told.why(1), "1,003 × 409, and 2 more causes");
        assert_eq!(Outcomes::default().why(3), "");
    }
}
