//! What a sender that waits is told, and how long it waits.

use crate::model::Ms;
use crate::model::document::Reply;
use crate::model::run::{Given, RunState};

/// How long one sender waits, and what it is told then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Milliseconds, within the flow's `timeout`.
    pub within: Ms,
    /// Where the run is not finished in time: a 202 and an address to ask, not a 504.
    pub asks_later: bool,
    /// Where it is not finished in time it ends `aborted`.
    pub abort: bool,
}

/// What one sender of a flow asked for; `None` where the flow's senders do not wait.
///
/// The time is `?timeout=` in milliseconds, else `Prefer: wait=` in seconds (RFC 7240), else the
/// flow's, and never more than that. `Prefer: respond-async` asks for a 202 as `poll` gives it, at
/// once unless it names a time; who asks so is not there to see the run aborted, so it is not. What
/// cannot be read is as good as not there.
#[must_use]
pub fn wish<'p>(reply: Reply, query: &str, prefer: impl Iterator<Item = &'p str>) -> Option<Wish> {
    let patience = reply.patience()?;
    let (mut wait, mut is_async) = (None, false);
    for preference in prefer.flat_map(|line| line.split(',')) {
        // What follows a semicolon belongs to the preference, and none of ours has any.
        let preference = preference.split(';').next().unwrap_or_default().trim();
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        if name.trim().eq_ignore_ascii_case("respond-async") {
            is_async = true;
        } else if name.trim().eq_ignore_ascii_case("wait") && wait.is_none() {
            wait = number(value.trim().trim_matches('"')).map(|seconds| seconds.saturating_mul(1_000));
        }
    }
    let mut values = url::form_urlencoded::parse(query.as_bytes());
    let written = values.find(|(name, _)| name == "timeout").and_then(|(_, value)| number(&value));
    let asked = written.or(wait).or(is_async.then_some(0));
    Some(Wish {
        within: asked.map_or(patience.timeout, |asked| asked.min(patience.timeout)),
        asks_later: is_async || matches!(reply, Reply::Poll(_)),
        abort: patience.abort && !is_async,
    })
}

/// Digits alone; more than fit are as many as fit.
fn number(text: &str) -> Option<Ms> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(Ms::MAX))
}

/// Whether a run does nothing more by itself.
#[must_use]
pub fn rests(state: RunState) -> bool {
    state.ended() || state == RunState::Errored
}

/// The state of a request: of its run, or of its runs taken together. As long as one of them goes on
/// by itself, that one's; then the worst. Of no runs at all nothing is left to do: `succeeded`.
#[must_use]
pub fn state_of(states: impl IntoIterator<Item = RunState>) -> RunState {
    let rank = |state: &RunState| match state {
        RunState::Running => 0,
        RunState::Queued => 1,
        RunState::Retrying => 2,
        RunState::Waiting => 3,
        RunState::Errored => 4,
        RunState::Failed => 5,
        RunState::Aborted => 6,
        RunState::SucceededWithSkips => 7,
        RunState::Succeeded => 8,
    };
    states.into_iter().min_by_key(rank).unwrap_or(RunState::Succeeded)
}

/// What is to be told of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'g> {
    /// The answer of a `respond` step, or the problem of a `fail` step.
    Given(&'g Given),
    /// Every run ended well.
    Finished(RunState),
    /// A run is errored, failed, or was aborted, and none goes on.
    Stopped(RunState),
    /// Some run goes on.
    Open(RunState),
}

/// What is to be told of a request whose runs are in these states, and one of which gave an answer.
/// A `respond` step's counts whatever became of the runs, a `fail` step's where they failed.
#[must_use]
pub fn told(states: impl IntoIterator<Item = RunState>, given: Option<&Given>) -> Told<'_> {
    let state = state_of(states);
    match (given, state) {
        (Some(given), _) if !given.problem => Told::Given(given),
        (_, state) if !rests(state) => Told::Open(state),
        (Some(given), RunState::Failed) => Told::Given(given),
        (_, RunState::Errored | RunState::Failed | RunState::Aborted) => Told::Stopped(state),
        (_, _) => Told::Finished(state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::document::Patience;
    use proptest::prelude::*;

    const WAIT: Reply = Reply::Wait(Patience { timeout: 30_000, abort: true });
    const POLL: Reply = Reply::Poll(Patience { timeout: 500, abort: false });

    fn of(reply: Reply, query: &str, prefer: &[&str]) -> Wish {
        wish(reply, query, prefer.iter().copied()).unwrap()
    }

    #[test]
    fn a_sender_chooses_its_time_within_the_flows() {
        assert_eq!(wish(Reply::Accept, "timeout=5", ["wait=1"].into_iter()), None);
        let wait = |within| Wish { within, asks_later: false, abort: true };
        assert_eq!(of(WAIT, "", &[]), wait(30_000));
        assert_eq!(of(WAIT, "a=1&timeout=250", &[]), wait(250));
        assert_eq!(of(WAIT, "timeout=30000", &[]), wait(30_000));
        assert_eq!(of(WAIT, "timeout=30001", &[]), wait(30_000));
        assert_eq!(of(WAIT, "timeout=99999999999999999999", &[]), wait(30_000));
        assert_eq!(of(WAIT, "timeout=0", &[]), wait(0));
        assert_eq!(of(WAIT, "", &["wait=2"]), wait(2_000));
        assert_eq!(of(WAIT, "", &["return=minimal, WAIT = \"3\"; x=y"]), wait(3_000));
        assert_eq!(of(WAIT, "", &["foo", "wait=4, wait=5"]), wait(4_000), "the first one counts");
        assert_eq!(of(WAIT, "timeout=100", &["wait=4"]), wait(100), "the query is the sender's own word");
        for (query, prefer) in [
            ("timeout=", "wait"),
            ("timeout=-1", "wait=x"),
            ("timeout=1s", "wait=-1"),
            ("timeouts=1", "waits=1"),
        ] {
            assert_eq!(of(WAIT, query, &[prefer]), wait(30_000), "{query} {prefer}");
        }
        assert_eq!(of(POLL, "timeout=400", &[]), Wish { within: 400, asks_later: true, abort: false });
    }

    #[test]
    fn who_asks_later_is_told_at_once_and_aborts_nothing() {
        let later = |within| Wish { within, asks_later: true, abort: false };
        assert_eq!(of(WAIT, "", &["respond-async"]), later(0));
        assert_eq!(of(WAIT, "", &["Respond-Async, wait=10"]), later(10_000));
        assert_eq!(of(WAIT, "timeout=20", &["respond-async"]), later(20));
        assert_eq!(of(POLL, "", &["wait=10", "respond-async"]), later(500));
    }

    fn given(problem: bool) -> Given {
        Given { status: 201, headers: Vec::new(), body: String::new(), problem }
    }

    #[test]
    fn each_state_has_its_answer() {
        use RunState as S;
        let one = |state| told([state], None);
        for open in [S::Queued, S::Running, S::Waiting, S::Retrying] {
            assert_eq!(one(open), Told::Open(open));
        }
        for stopped in [S::Errored, S::Failed, S::Aborted] {
            assert_eq!(one(stopped), Told::Stopped(stopped));
        }
        for well in [S::Succeeded, S::SucceededWithSkips] {
            assert_eq!(one(well), Told::Finished(well));
        }
        assert_eq!(told([], None), Told::Finished(S::Succeeded), "no elements, nothing to do");
        assert_eq!(told([S::Succeeded, S::Failed, S::Running], None), Told::Open(S::Running));
        assert_eq!(told([S::Succeeded, S::Failed, S::Errored], None), Told::Stopped(S::Errored));
        let (answer, problem) = (given(false), given(true));
        for state in S::ALL {
            assert_eq!(told([state], Some(&answer)), Told::Given(&answer), "{state:?}");
            let wanted = if state == S::Failed { Told::Given(&problem) } else { one(state) };
            assert_eq!(told([state], Some(&problem)), wanted, "{state:?}");
        }
    }

    proptest! {
        #[test]
        fn no_sender_waits_longer_than_the_flow_lets_it(
            timeout in 1_i64..600_000,
            query in "[a-z=&0-9%]{0,20}|timeout=[0-9]{0,25}",
            prefer in "[a-z=,; \"0-9-]{0,24}|wait=[0-9]{0,25}",
            poll in any::<bool>(),
        ) {
            let patience = Patience { timeout, abort: true };
            let reply = if poll { Reply::Poll(patience) } else { Reply::Wait(patience) };
            let wish = wish(reply, &query, [prefer.as_str()].into_iter()).unwrap();
            prop_assert!((0..=timeout).contains(&wish.within));
            prop_assert!(!wish.abort || wish.asks_later == poll);
        }

        #[test]
        fn a_request_is_open_while_any_of_its_runs_is(numbers in prop::collection::vec(0_i64..9, 0..20)) {
            let states: Vec<RunState> = numbers.into_iter().filter_map(RunState::from_number).collect();
            let open = states.iter().any(|state| !rests(*state));
            let well = states.iter().all(|state| matches!(state, RunState::Succeeded | RunState::SucceededWithSkips));
            match told(states.iter().copied(), None) {
                Told::Open(state) => prop_assert!(open && states.contains(&state)),
                Told::Finished(_) => prop_assert!(well),
                Told::Stopped(state) => prop_assert!(!open && !well && states.contains(&state)),
                Told::Given(_) => prop_assert!(false),
            }
            let mut turned = states.clone();
            turned.reverse();
            prop_assert_eq!(state_of(states), state_of(turned));
        }
    }
}
