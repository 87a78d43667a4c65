//! What holds of every run, whatever comes in whatever order.

use super::tests::{
    OWNER, World, abort, callback_step, delay_step, each_step, exchange_of, fail_step, guarded, request,
    respond_step, retry, set_step, skip,
};
use super::*;
use crate::model::document::{OnError, Step, StepKind};
use crate::model::run::{EntryKind, ITEMS_AT_ONCE, Items, Outcome, StepState};
use crate::model::time::{DAY, HOUR, SECOND};
use crate::rules::retry::INTERRUPTED_ATTEMPTS;
use crate::rules::template::resolve;
use proptest::prelude::*;

fn step(at: usize) -> impl Strategy<Value = Step> {
    let on_error = prop_oneof![Just(OnError::Stop), Just(OnError::Continue), Just(OnError::Abort)];
    (0_u8..13, on_error, any::<bool>(), 1_u32..4, any::<bool>()).prop_map(
        move |(kind, on_error, idempotent, attempts, written)| {
            let name = format!("s{at}");
            let mut step = match kind {
                0 => delay_step(&name, 0),
                1 => delay_step(&name, HOUR),
                2 => callback_step(&name),
                3 => set_step(&name, "{{ 1 }}"),
                4 => guarded(request(&name), "{{ false }}"),
                5 => guarded(callback_step(&name), "{{ steps.s0.state == 'succeeded' }}"),
                6 if attempts == 3 => fail_step(&name, "no"),
                6 => set_step(&name, "{{ error('no') }}"),
                7 if attempts == 3 => respond_step(&name, 200, "{{ error('no') }}"),
                7 => respond_step(&name, 201, "ok"),
                8 => each_step(&name, "{{ range(11) }}"),
                9 => each_step(&name, ["{{ [] }}", "{{ 1 }}", "{{ [7] }}"][attempts as usize - 1]),
                10 => guarded(each_step(&name, "{{ [1, 2, 3] }}"), "{{ item != 2 }}"),
                11 => set_step(&name, "{{ steps }}"),
                _ => request(&name),
            };
            step.on_error = on_error;
            if matches!(step.kind, StepKind::Request(_)) {
                let exchange = exchange_of(&mut step);
                exchange.idempotent = idempotent;
                exchange.retry.attempts = attempts;
                exchange.retry.written = written;
            }
            step
        },
    )
}

fn plan() -> impl Strategy<Value = Vec<Step>> {
    (1_usize..5).prop_flat_map(|len| (0..len).map(step).collect::<Vec<_>>())
}

/// Inputs by number, the last ones of every kind kept so that they come twice and too late.
fn input(world: &World, what: u8, which: u8) -> Option<Input> {
    let run = &world.snapshot.run;
    let codes = [200, 202, 204, 302, 404, 429, 501, 503];
    let code = codes[usize::from(which) % codes.len()];
    let callbacks = world.snapshot.callbacks.len();
    Some(match what {
        0..=3 => Input::Claimed { owner: OWNER, until: world.now + 30 * SECOND },
        4..=9 => {
            let ending = match what {
                9 if which.is_multiple_of(2) => world.failed(Transport::NoConnection),
                9 => world.failed(Transport::Broken),
                _ => world.answered(code),
            };
            match &world.snapshot.frame.items {
                // Mostly one that is under way, else any of them.
                Some(items) => {
                    let flying: Vec<u32> = items.of(StepState::Running).map(|(at, _)| at).collect();
                    let which = usize::from(which);
                    let any = u32::try_from(which % items.all.len()).unwrap();
                    let item =
                        if which > 240 || flying.is_empty() { any } else { flying[which % flying.len()] };
                    world.of_item(item, ending)
                }
                None => ending,
            }
        }
        23 => Input::Start { fence: run.fence },
        10 => Input::Died,
        11 => Input::Due,
        12 | 13 if callbacks > 0 => {
            let status = if which.is_multiple_of(3) { 500 } else { 200 };
            world.callback(usize::from(which) % callbacks, status, which % 2)
        }
        14 => retry(),
        15 => skip(which.is_multiple_of(2).then(Map::new)),
        16 => abort(),
        17 => Input::PutBack { fence: run.fence, due: None },
        18 => Input::Renew { fence: run.fence, until: world.now + 30 * SECOND },
        19 => Input::Retry { actor: "b".to_owned(), reason: None, fresh_key: true },
        20..=22 if callbacks > 0 => {
            let hand = world.hand(usize::from(which) % callbacks);
            let status = if which.is_multiple_of(3) { 500 } else { 200 };
            match what {
                20 => Input::Complete { hand, status, body: bytes::Bytes::from_static(b"{\"by\":1}") },
                21 => Input::Extend { hand, by: HOUR },
                _ => Input::Cancel { hand },
            }
        }
        _ => return None,
    })
}

/// What must hold after every transition.
fn check(world: &World, before: &Run, kind: &str) -> Result<(), TestCaseError> {
    let run = &world.snapshot.run;
    prop_assert!(run.seq > before.seq, "every input raises seq");
    prop_assert!(run.fence >= before.fence);
    if before.state.ended() {
        let reopened = kind == "retry" && before.state == RunState::Failed;
        prop_assert!(run.state == before.state || reopened, "{kind} un-finished a {:?} run", before.state);
    }
    match run.state {
        RunState::Queued => prop_assert!(run.due.is_some() || run.attempt == 0),
        RunState::Running => {
            prop_assert!(run.owner == OWNER && run.attempt > 0);
            let step = &world.plan.flow.steps[run.step as usize];
            prop_assert!(step.kind.exchange().is_some(), "only an exchange runs");
        }
        RunState::Waiting | RunState::Retrying => prop_assert!(run.due.is_some()),
        _ => prop_assert_eq!(run.due, None),
    }
    prop_assert_eq!(run.ended.is_some(), run.state.ended());
    // At most one answer of a `respond` step, and the frame knows of it.
    let answers = world.given().iter().filter(|(_, _, problem)| !problem).count();
    prop_assert_eq!(answers, usize::from(world.snapshot.frame.answered));
    // A callback row of a running or waiting step, and never two that can be answered.
    let pending = world.snapshot.callbacks.iter().filter(|one| one.state == CallbackState::Pending).count();
    prop_assert!(pending <= 1);
    if run.state.ended() || matches!(run.state, RunState::Queued | RunState::Retrying) {
        prop_assert_eq!(pending, 0, "nobody waits for it in {:?}", run.state);
    }
    // The way back.
    let fold = world.fold();
    let claimed = matches!(fold.state, RunState::Queued | RunState::Retrying | RunState::Running)
        && matches!(run.state, RunState::Running | RunState::Queued);
    prop_assert!(fold.state == run.state || claimed, "journal {:?}, row {:?}", fold.state, run.state);
    prop_assert_eq!(fold.step, run.step);
    prop_assert_eq!(&fold.frame, &world.snapshot.frame);
    if !run.state.ended() {
        prop_assert_eq!(&fold.data, &world.snapshot.context.steps);
        prop_assert_eq!(&fold.results, &world.snapshot.results);
        let list = fold.list.as_ref().map(|begun| resolve(begun, &world.snapshot.context));
        prop_assert_eq!(&list, &world.snapshot.context.list);
        prop_assert_eq!(list.is_some(), world.snapshot.frame.items.is_some());
    }
    let current = &fold.steps[run.step as usize];
    let state = match run.state {
        RunState::Running => Some(StepState::Running),
        RunState::Waiting => Some(StepState::Waiting),
        RunState::Retrying => Some(StepState::Retrying),
        RunState::Errored => Some(StepState::Errored),
        RunState::Failed => Some(StepState::Failed),
        _ => None,
    };
    if let Some(state) = state {
        prop_assert_eq!(current.state, state, "{:?}", run.state);
    }
    // One outcome an attempt, and the numbers go up.
    for step in &fold.steps {
        let mut items: Vec<Option<u32>> = step.attempts.iter().map(|attempt| attempt.item).collect();
        items.sort_unstable();
        items.dedup();
        for item in items {
            let own = || step.attempts.iter().filter(|attempt| attempt.item == item);
            let numbers: Vec<u32> = own().map(|attempt| attempt.number).collect();
            prop_assert!(numbers.is_sorted_by(|one, next| one < next), "{} {item:?}: {numbers:?}", step.name);
            let open = own().filter(|attempt| attempt.outcome.is_none()).count();
            prop_assert!(open <= 1 && (open == 0 || run.state == RunState::Running));
        }
    }
    Ok(())
}

/// What must hold of the items of a step that goes on.
fn check_items(before: Option<&Items>, world: &World) -> Result<(), TestCaseError> {
    let Some(items) = &world.snapshot.frame.items else { return Ok(()) };
    let running = items.count(StepState::Running);
    prop_assert!(running <= ITEMS_AT_ONCE);
    prop_assert!(running == 0 || world.state() == RunState::Running);
    for (item, now) in items.indexed() {
        prop_assert!(now.attempt + 1 - now.round.min(now.attempt + 1) <= INTERRUPTED_ATTEMPTS);
        if let Some(was) = before.and_then(|items| items.get(item)) {
            let done = matches!(was.state, StepState::Succeeded | StepState::Skipped);
            prop_assert!(!done || now == was, "item {item} was done and is {now:?}");
            prop_assert!(now.round >= was.round);
        }
    }
    let step = &world.fold().steps[world.snapshot.run.step as usize];
    prop_assert_eq!(step.items.len(), items.all.len());
    for (told, item) in step.items.iter().zip(&items.all) {
        prop_assert_eq!((told.state, told.attempts), (item.state, item.attempt));
    }
    Ok(())
}

fn word(input: &Input) -> &'static str {
    match input {
        Input::Retry { .. } => "retry",
        Input::Answer(_) => "answer",
        Input::Skip { .. }
        | Input::Abort { .. }
        | Input::Complete { .. }
        | Input::Extend { .. }
        | Input::Cancel { .. } => "verb",
        _ => "other",
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_the_rows_hold_and_the_journal_tells_them(
        steps in plan(),
        moves in prop::collection::vec((0_u8..24, any::<u8>(), prop::bool::weighted(0.8), 0_u8..30), 1..90),
    ) {
        let mut world = World::new(steps);
        let mut past: Vec<Input> = Vec::new();
        for (what, which, lease, time) in moves {
            world.now += match time {
                0 => 8 * DAY,
                1..=4 => HOUR,
                _ => i64::from(time),
            };
            let repeated = which >= 200 && !past.is_empty();
            let input = if repeated {
                Some(past[usize::from(which) % past.len()].clone())
            } else {
                input(&world, what, which)
            };
            let Some(input) = input else { continue };
            world.room = usize::from(which % 9);
            let before = world.snapshot.clone();
            let (kind, journal) = (word(&input), world.journal.len());
            let stale = match &input {
                Input::Answer(exchange) => {
                    let items = before.frame.items.as_ref();
                    let of_item = match exchange.item {
                        Some(item) => items.and_then(|items| items.get(item)).is_some_and(|item| {
                            item.state == StepState::Running && item.attempt == exchange.attempt
                        }),
                        None => items.is_none(),
                    };
                    let same = exchange.fence == before.run.fence && exchange.step == before.run.step;
                    before.run.state != RunState::Running || !same || !of_item
                }
                _ => false,
            };
            if world.try_put(input.clone(), lease).is_err() {
                prop_assert_eq!(world.journal.len(), journal);
                continue;
            }
            past.push(input.clone());
            check(&world, &before.run, kind)?;
            if before.run.step == world.snapshot.run.step {
                check_items(before.frame.items.as_ref(), &world)?;
            }
            if stale {
                let mut after = world.snapshot.run.clone();
                after.seq = before.run.seq;
                prop_assert_eq!(&after, &before.run, "a late result changes nothing");
                prop_assert_eq!(&world.snapshot.frame, &before.frame);
                prop_assert_eq!(&world.snapshot.callbacks, &before.callbacks);
                prop_assert_eq!(world.journal.last().map(|entry| entry.kind), Some(EntryKind::Late));
            }
            // The same result, the same callback, a second time: harmless.
            if matches!(input, Input::Answer(_) | Input::Callback { .. } | Input::Due | Input::PutBack { .. }) {
                let first = world.snapshot.clone();
                let _ = world.try_put(input, lease);
                let mut second = world.snapshot.run.clone();
                second.seq = first.run.seq;
                // Two delays in a row may both be over.
                if world.journal.last().is_none_or(|entry| entry.kind != EntryKind::Due) {
                    prop_assert_eq!(&second, &first.run);
                }
            }
        }
    }

    /// Without people and without answers each run comes to rest within its bound of attempts.
    #[test]
    fn attempts_are_bounded(steps in plan(), codes in prop::collection::vec(0_u8..9, 64)) {
        let len = steps.len();
        let mut world = World::new(steps);
        let mut moves = 0;
        let mut codes = codes.into_iter().cycle();
        while matches!(
            world.state(),
            RunState::Queued | RunState::Retrying | RunState::Running | RunState::Waiting
        ) {
            moves += 1;
            prop_assert!(moves <= len * 400, "it never comes to rest");
            match world.state() {
                RunState::Running if world.snapshot.frame.items.is_some() => {
                    let flying = world.snapshot.frame.items.iter().flat_map(|items| items.of(StepState::Running));
                    let ending = match (flying.map(|(at, _)| at).last(), codes.next().unwrap_or(0)) {
                        (None, _) => Input::Start { fence: world.snapshot.run.fence },
                        (_, 0) => Input::Died,
                        (Some(item), 1) => world.of_item(item, world.failed(Transport::NoConnection)),
                        (Some(item), 2..5) => world.of_item(item, world.answered(200)),
                        (Some(item), _) => world.of_item(item, world.answered(503)),
                    };
                    world.put(ending);
                }
                RunState::Running => {
                    let code = codes.next().unwrap_or(0);
                    let ending = match code {
                        0 => Input::Died,
                        1 => world.failed(Transport::NoConnection),
                        2 => world.failed(Transport::Broken),
                        3 => world.answered(200),
                        4 => world.answered(202),
                        _ => world.answered(503),
                    };
                    world.put(ending);
                }
                RunState::Waiting => {
                    world.now = world.snapshot.run.due.unwrap_or(0);
                    world.put(Input::Due);
                }
                _ => {
                    world.now = world.now.max(world.snapshot.run.due.unwrap_or(0));
                    world.claim();
                }
            }
        }
        for step in &world.fold().steps {
            for item in step.attempts.iter().map(|attempt| attempt.item) {
                let own = || step.attempts.iter().filter(move |attempt| attempt.item == item);
                prop_assert!(own().count() <= INTERRUPTED_ATTEMPTS as usize);
                // What our own end cut off does not count against the target.
                let told = own().filter(|attempt| attempt.outcome != Some(Outcome::Unknown));
                prop_assert!(told.count() <= 3);
            }
        }
    }
}
