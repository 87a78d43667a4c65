use super::*;
use crate::model::FlowId;
use crate::model::run::{Detail, Entry, EntryKind, Run};
use crate::rules::advance::Effect;
use proptest::prelude::*;

fn moved(run: i64, state: RunState, given: Option<Given>) -> Transition {
    let run = Run {
        id: RunId(run),
        request: None,
        parent: None,
        flow: FlowId(1),
        version: 1,
        state,
        step: 0,
        attempt: 1,
        round: 1,
        fence: 1,
        seq: 2,
        owner: 1,
        due: None,
        started: None,
        ended: None,
        cause: None,
        test: false,
        element: None,
    };
    let entry = Entry {
        run: run.id,
        seq: 2,
        at: 0,
        kind: EntryKind::Local,
        step: 0,
        item: None,
        attempt: 1,
        status: None,
        actor: None,
        detail: Detail::default(),
        sent: None,
        got: None,
        answer: given,
    };
    Transition {
        guard: 1,
        run,
        frame: None,
        entry: Some(entry),
        callbacks: Vec::new(),
        cause: None,
        finished: Vec::new(),
        results: Vec::new(),
        list: None,
        took: None,
        effect: Effect::None,
    }
}

fn given(body: &str, problem: bool) -> Given {
    Given { status: 201, headers: Vec::new(), body: body.to_owned(), problem }
}

fn seated(waiters: &Arc<Waiters>, runs: &[i64]) -> Waiting {
    let (seat, waiting) = waiters.wait();
    let runs: Vec<_> = runs.iter().map(|run| (RunId(*run), RunState::Queued)).collect();
    waiters.seat(seat, &runs);
    waiting
}

/// What was told so far, without waiting.
fn told(waiting: &mut Waiting) -> Option<Told> {
    waiting.told.try_recv().ok()
}

fn one(run: i64, state: RunState) -> Vec<(RunId, RunState)> {
    vec![(RunId(run), state)]
}

#[test]
fn a_sender_is_told_by_the_commit_that_ends_its_run() {
    let waiters = Arc::new(Waiters::default());
    let mut waiting = seated(&waiters, &[7]);
    for state in [RunState::Running, RunState::Waiting, RunState::Retrying, RunState::Queued] {
        waiters.moved(&mut moved(7, state, None));
    }
    waiters.moved(&mut moved(8, RunState::Succeeded, None));
    assert_eq!(told(&mut waiting), None);
    waiters.moved(&mut moved(7, RunState::Errored, None));
    assert_eq!(told(&mut waiting), Some(Told { states: one(7, RunState::Errored), given: None }));
    assert_eq!(waiters.len(), 0);
}

#[test]
fn an_answer_is_told_at_once_and_a_problem_with_the_end() {
    let waiters = Arc::new(Waiters::default());
    let mut waiting = seated(&waiters, &[7]);
    waiters.moved(&mut moved(7, RunState::Running, Some(given("a", false))));
    assert_eq!(told(&mut waiting), Some(Told { states: vec![], given: Some(given("a", false)) }));
    waiters.moved(&mut moved(7, RunState::Succeeded, None));
    let mut waiting = seated(&waiters, &[8]);
    waiters.moved(&mut moved(8, RunState::Failed, Some(given("no", true))));
    let wanted = Told { states: one(8, RunState::Failed), given: Some(given("no", true)) };
    assert_eq!((told(&mut waiting), waiters.len()), (Some(wanted), 0));
}

#[test]
fn of_a_split_the_last_end_tells_or_the_first_answer() {
    let waiters = Arc::new(Waiters::default());
    let mut waiting = seated(&waiters, &[1, 2, 3]);
    waiters.moved(&mut moved(2, RunState::Failed, Some(given("first", true))));
    waiters.moved(&mut moved(1, RunState::Failed, Some(given("second", true))));
    assert_eq!(told(&mut waiting), None);
    waiters.moved(&mut moved(3, RunState::Succeeded, None));
    let found = told(&mut waiting).unwrap();
    assert_eq!((found.states.len(), found.given), (3, Some(given("first", true))));
    let mut waiting = seated(&waiters, &[1, 2, 3]);
    waiters.moved(&mut moved(2, RunState::Failed, Some(given("problem", true))));
    waiters.moved(&mut moved(3, RunState::Running, Some(given("answer", false))));
    assert_eq!(told(&mut waiting).unwrap().given, Some(given("answer", false)));
    assert_eq!(waiters.len(), 0);
}

#[test]
fn runs_that_rest_at_birth_are_told_at_once() {
    let waiters = Arc::new(Waiters::default());
    for runs in [vec![], vec![(RunId(1), RunState::Succeeded)]] {
        let (seat, mut waiting) = waiters.wait();
        waiters.seat(seat, &runs);
        assert_eq!(told(&mut waiting), Some(Told { states: runs, given: None }));
    }
    assert_eq!(waiters.len(), 0);
}

#[test]
fn a_sender_that_hangs_up_leaves_whenever_it_does() {
    let waiters = Arc::new(Waiters::default());
    drop(seated(&waiters, &[1, 2]));
    assert_eq!((waiters.len(), waiters.lock().runs.len()), (0, 0));
    // Before its commit: nobody is seated.
    let (seat, waiting) = waiters.wait();
    drop(waiting);
    waiters.seat(seat, &[(RunId(1), RunState::Queued)]);
    assert_eq!((waiters.len(), waiters.lock().runs.len()), (0, 0));
}

proptest! {
    /// Whatever comes in whatever order: nobody is told twice, nobody stays who has nothing to wait for.
    #[test]
    fn nobody_stays_who_has_nothing_to_wait_for(
        sizes in prop::collection::vec(1_usize..5, 1..6),
        moves in prop::collection::vec((0_i64..20, 0_i64..9, 0_u8..4), 0..80),
        gone in 0_usize..6,
    ) {
        let waiters = Arc::new(Waiters::default());
        let mut next = 0;
        let mut all = Vec::new();
        for size in sizes {
            let runs: Vec<i64> = (next..next + i64::try_from(size).unwrap()).collect();
            next += 5;
            all.push((seated(&waiters, &runs), runs));
        }
        let mut rested: std::collections::HashSet<i64> = std::collections::HashSet::new();
        let mut answered: std::collections::HashSet<i64> = std::collections::HashSet::new();
        if gone < all.len() {
            all.remove(gone);
        }
        for (run, state, what) in moves {
            let state = RunState::from_number(state).unwrap();
            let given = match what { 0 => Some(given("a", false)), 1 => Some(given("p", true)), _ => None };
            if given.as_ref().is_some_and(|given| !given.problem) {
                answered.insert(run);
            }
            waiters.moved(&mut moved(run, state, given));
            if rests(state) {
                rested.insert(run);
            }
        }
        let mut waiting = 0;
        for (sender, runs) in &mut all {
            match told(sender) {
                Some(found) if found.given.as_ref().is_some_and(|given| !given.problem) => {
                    prop_assert!(runs.iter().any(|run| answered.contains(run)));
                }
                Some(found) => prop_assert_eq!(found.states.len(), runs.len()),
                None => {
                    waiting += 1;
                    prop_assert!(runs.iter().any(|run| !rested.contains(run)));
                }
            }
        }
        prop_assert_eq!(waiters.len(), waiting);
        drop(all);
        prop_assert_eq!((waiters.len(), waiters.lock().runs.len()), (0, 0));
    }
}
