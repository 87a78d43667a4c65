//! Split requests, senders that wait, and where a request stands.

use super::*;
use crate::model::RequestId;
use crate::model::run::Given;
use crate::store::RequestStatus;

fn split(body: &str, key: impl Into<Option<DedupKey>>, elements: u32, launch: Launch) -> Accept {
    Accept { seed: seed(1, body), judgement: Judgement::Split { key: key.into(), elements, launch } }
}

fn given(body: &str, problem: bool) -> Given {
    Given { status: 201, headers: Vec::new(), body: body.to_owned(), problem }
}

async fn status(store: &Store, request: RequestId) -> RequestStatus {
    store.request_status(request).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_split_request_and_all_of_its_runs_are_one_commit() {
    let rig = Rig::new();
    let (store, mut handover) = rig.open();
    let admitted = accept(&store, split("{}", key(1), 3, Launch::Fresh)).await.unwrap();
    let runs = admitted.split.clone().unwrap();
    assert_eq!((runs.len(), admitted.runs().len()), (3, 3));
    assert_eq!(runs[0].0.0, admitted.request.0, "the first has its request's integer");
    assert!(runs.is_sorted_by(|one, next| one.0.0 < next.0.0));
    for (at, (run, state)) in (0..).zip(&runs) {
        let loaded = store.load(*run).await.unwrap().unwrap().run;
        assert_eq!(
            (loaded.element, loaded.request, *state),
            (Some(at), Some(admitted.request), RunState::Queued)
        );
    }
    assert_eq!(store.request(admitted.request).await.unwrap().unwrap().runs, 3);
    let born = handover.queue.recv().await.unwrap();
    assert_eq!(
        born.iter().map(|born| born.run.id).collect::<Vec<_>>(),
        runs.iter().map(|run| run.0).collect::<Vec<_>>()
    );
    // One more with the same key is a duplicate of the whole.
    let copy = accept(&store, split("{}", key(1), 2, Launch::Fresh)).await.unwrap();
    assert_eq!(
        (copy.verdict, copy.duplicate_of, copy.runs().len()),
        (Verdict::Duplicate, Some(admitted.request), 0)
    );
    // None, and those without steps.
    let none = accept(&store, split("{}", None, 0, Launch::Fresh)).await.unwrap();
    assert_eq!((none.verdict, none.split, none.run), (Verdict::Accepted, Some(vec![]), None));
    let done = accept(&store, split("{}", None, 2, Launch::Done)).await.unwrap();
    assert!(done.runs().iter().all(|(_, state)| *state == RunState::Succeeded));
    assert_eq!(store.newest_runs(admitted.request).await.unwrap().len(), 3);
    healthy(&store).await;
}

#[tokio::test]
async fn a_waiting_sender_is_told_by_the_commit_and_its_request_has_no_status_yet() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let (answer, mut waiting) = store.accept_waiting(admit("{}", None, Birth::Fresh)).unwrap();
    let admitted = answer.await.unwrap().unwrap();
    assert_eq!(store.request(admitted.request).await.unwrap().unwrap().status, None);
    let run = store.load(admitted.run.unwrap().0).await.unwrap().unwrap().run;
    let mut answering = step(&run, |next| next.state = RunState::Running);
    answering.entry.as_mut().unwrap().answer = Some(given("hello", false));
    // What is refused by its guard tells nobody.
    let mut stale = answering.clone();
    stale.guard = 7;
    stale.run.seq = 8;
    assert_eq!(store.commit(stale).await, Err(StoreError::Stale));
    assert_eq!(store.inner.links.waiters.len(), 1);
    store.commit(answering).await.unwrap();
    assert_eq!(waiting.told().await.unwrap().given, Some(given("hello", false)));
    assert_eq!(store.inner.links.waiters.len(), 0);
    let found = status(&store, admitted.request).await;
    assert_eq!((found.given, found.runs[0].1), (Some(given("hello", false)), RunState::Running));
    // A flow without steps is over at once.
    let (answer, mut waiting) = store.accept_waiting(admit("{}", None, Birth::Done)).unwrap();
    let run = answer.await.unwrap().unwrap().run.unwrap();
    assert_eq!(waiting.told().await.unwrap().states, [run]);
    // A duplicate has nothing to wait for, and nobody stays.
    let (first, _waiting) = store.accept_waiting(admit("{}", key(3), Birth::Fresh)).unwrap();
    first.await.unwrap().unwrap();
    let (second, mut told) = store.accept_waiting(admit("{}", key(3), Birth::Fresh)).unwrap();
    assert_eq!(second.await.unwrap().unwrap().verdict, Verdict::Duplicate);
    assert!(told.told().await.unwrap().states.is_empty());
    assert_eq!(store.inner.links.waiters.len(), 1);
}

#[tokio::test]
async fn where_a_request_stands_leaves_replays_out_and_takes_the_first_answer() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let admitted = accept(&store, split("{}", None, 3, Launch::Fresh)).await.unwrap();
    let answers = [(1, given("second run", false)), (0, given("first run", false))];
    for (at, answer) in answers {
        let run = store.load(admitted.runs()[at].0).await.unwrap().unwrap().run;
        let mut moved = step(&run, |next| next.state = RunState::Running);
        moved.entry.as_mut().unwrap().answer = Some(answer);
        store.commit(moved).await.unwrap();
    }
    let run = store.load(admitted.runs()[2].0).await.unwrap().unwrap().run;
    let mut failed = step(&run, |next| {
        next.state = RunState::Failed;
        next.ended = Some(T0);
    });
    failed.entry.as_mut().unwrap().answer = Some(given("problem", true));
    store.commit(failed).await.unwrap();
    let again = Again { parent: Some(run.id), element: Some(2) };
    let judgement =
        Judgement::Replay { of: Some(admitted.request), runs: vec![again], launch: Launch::Fresh };
    let replayed = accept(&store, Accept { seed: seed(1, "{}"), judgement }).await.unwrap();
    let found = status(&store, admitted.request).await;
    assert_eq!(found.runs.len(), 3, "a replay is a person's");
    assert_eq!(found.given, Some(given("second run", false)), "the first one that was committed");
    assert_eq!(found.runs[2].1, RunState::Failed);
    let newest = store.newest_runs(admitted.request).await.unwrap();
    assert_eq!(newest[2], (Some(2), replayed.run.unwrap().0));
    assert_eq!(store.request_status(RequestId(5)).await, Ok(None));
    healthy(&store).await;
}
