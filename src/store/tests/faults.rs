//! What was answered is there, and what failed leaves no trace.

use super::*;

#[tokio::test]
async fn of_many_identical_requests_at_once_exactly_one_is_fresh() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { accept(&store, admit("{}", key(7), Birth::Fresh)).await.unwrap() })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    let fresh: Vec<_> = all.iter().filter(|admitted| admitted.verdict == Verdict::Accepted).collect();
    assert_eq!(fresh.len(), 1);
    let first = fresh[0].request;
    for other in all.iter().filter(|admitted| admitted.verdict != Verdict::Accepted) {
        assert_eq!((other.verdict, other.duplicate_of, other.run), (Verdict::Duplicate, Some(first), None));
        let row = store.request(other.request).await.unwrap().unwrap();
        assert_eq!((row.status, row.runs, row.duplicate_of), (Some(204), 0, Some(first)));
    }
    assert_eq!((store.counters().accepted, store.counters().duplicates), (1, 63));
    healthy(&store).await;
}

#[tokio::test]
async fn a_crash_takes_nothing_that_was_answered() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let first = accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    let second = accept(&store, admit("{}", key(2), Birth::Fresh)).await.unwrap();
    accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    accept(&store, refuse(1)).await.unwrap();
    let filter = Accept { seed: seed(1, "{}"), judgement: Judgement::Filter { cause: "when".into() } };
    accept(&store, filter).await.unwrap();
    assert!(store.forget_key([2; 16], None).await.unwrap());
    assert!(!store.forget_key([3; 16], None).await.unwrap());
    let before = figures(&store);
    assert_eq!(before, [2, 1, 1, 1, 2, 0]);
    let owner = store.owner();
    // The machine's clock is wrong after the restart: engine time is not.
    rig.clock.set_wall(T0 - HOUR);
    drop(store);

    let rig = Rig { clock: Clock::manual(T0 - HOUR), ..rig };
    let (store, _handover) = rig.open();
    assert_eq!(store.now(), T0);
    assert_eq!(store.owner(), owner + 1);
    assert_eq!(figures(&store), before);
    let again = accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    assert_eq!((again.verdict, again.duplicate_of), (Verdict::Duplicate, Some(first.request)));
    assert!(again.request > second.request);
    let forgotten = accept(&store, admit("{}", key(2), Birth::Fresh)).await.unwrap();
    assert_eq!(forgotten.verdict, Verdict::Accepted);
    let fresh = store.fresh_from(0, 10).await.unwrap();
    assert_eq!(fresh.len(), 3);
    assert_eq!(fresh[0].id.0, first.request.0);
    rig.clock.advance(HOUR * 2);
    healthy(&store).await;
}

#[tokio::test]
async fn nothing_is_answered_before_its_commit() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    fresh(&store).await;
    let other = rig.conn();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut first = store.accept(admit("{}", key(1), Birth::Fresh)).unwrap();
    let mut second = store.accept(admit("{}", key(1), Birth::Fresh)).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(first.try_recv().is_err() && second.try_recv().is_err());
    assert_eq!(store.counters().accepted, 1);
    other.execute_batch("ROLLBACK").unwrap();
    let first = first.await.unwrap().unwrap();
    assert_eq!(second.await.unwrap().unwrap().duplicate_of, Some(first.request));
}

#[tokio::test]
async fn a_full_queue_takes_no_more_and_empties_again() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let other = rig.conn();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut answers = Vec::new();
    while let Some(answer) = store.accept(admit("{}", None, Birth::Fresh)) {
        answers.push(answer);
    }
    assert_eq!(answers.len(), queue::ITEMS);
    assert_eq!(store.refuses().as_deref(), Some("the writer's queue is full"));
    other.execute_batch("ROLLBACK").unwrap();
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(store.refuses(), None);
    assert_eq!(store.counters().stored, queue::ITEMS as u64);
    healthy(&store).await;
}

#[tokio::test]
async fn the_queue_is_bounded_in_bytes_but_takes_one_of_any_size() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let other = rig.conn();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let big = "x".repeat(queue::BYTES);
    let first = store.accept(admit(&big, None, Birth::Fresh)).unwrap();
    assert!(store.accept(admit("{}", None, Birth::Fresh)).is_none());
    assert_eq!(store.refuses().as_deref(), Some("the writer's queue is full"));
    other.execute_batch("ROLLBACK").unwrap();
    first.await.unwrap().unwrap();
    accept(&store, admit("{}", None, Birth::Fresh)).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_said_and_what_failed_leaves_no_trace() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    accept(&store, admit("{}", key(9), Birth::Fresh)).await.unwrap();
    let pages = |n: &'static str| {
        store.write(Vec::new(), move |tx| {
            tx.query_row(&format!("PRAGMA max_page_count = {n}"), [], |_| Ok(()))
        })
    };
    // No fewer than there are: from now on the file cannot grow.
    pages("1").await.unwrap();
    let big = "x".repeat(1 << 20);
    let failed = accept(&store, admit(&big, key(1), Birth::Fresh)).await;
    assert_eq!(failed, Err(StoreError::Down("the disk is full".into())));
    assert_eq!(store.refuses().as_deref(), Some("the disk is full"));
    assert_eq!(store.dedup_entry([1; 16]).await.unwrap(), None);
    assert_eq!(store.counters().accepted, 1);
    // Reads go on.
    assert_eq!(store.fresh_from(0, 10).await.unwrap().len(), 1);
    // It is probed by itself and comes back, small requests being possible.
    until("the probe", || async { store.refuses().is_none() }).await;
    pages("1000000").await.unwrap();
    let now = accept(&store, admit(&big, key(1), Birth::Fresh)).await.unwrap();
    assert_eq!(now.verdict, Verdict::Accepted);
    healthy(&store).await;
}

#[tokio::test]
async fn a_sync_that_fails_is_answered_by_what_the_file_has() {
    let rig = Rig::new();
    let (store, mut handover) = rig.open();
    let fail = |how| *store.inner.links.fails.lock().unwrap() = Some(how);
    fail(commit::SyncFails::Kept);
    let kept = accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    assert_eq!(handover.queue.recv().await.unwrap()[0].run.id.0, kept.request.0);
    fail(commit::SyncFails::Gone);
    let gone = accept(&store, admit("{}", key(2), Birth::Fresh)).await;
    assert!(matches!(gone, Err(StoreError::Down(_))), "{gone:?}");
    assert_eq!(store.dedup_entry([2; 16]).await.unwrap(), None);
    until("it is tried again", || async { store.refuses().is_none() }).await;
    assert_eq!(accept(&store, admit("{}", key(2), Birth::Fresh)).await.unwrap().verdict, Verdict::Accepted);
    let again = accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    assert_eq!(again.duplicate_of, Some(kept.request));
    healthy(&store).await;
}

#[tokio::test]
async fn an_item_that_breaks_a_constraint_is_refused_alone() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let run = store.load(fresh(&store).await).await.unwrap().unwrap().run;
    store.commit(step(&run, |_| {})).await.unwrap();
    let run = store.load(run.id).await.unwrap().unwrap().run;
    let mut bad = step(&run, |run| run.state = RunState::Aborted);
    // An entry that is there already: a bug of whoever made it.
    if let Some(entry) = &mut bad.entry {
        entry.seq -= 1;
    }
    let other = rig.conn();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let first = store.accept(admit("{}", key(1), Birth::Fresh)).unwrap();
    let bad = tokio::spawn({
        let store = store.clone();
        async move { store.commit(bad).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let second = store.accept(admit("{}", key(1), Birth::Fresh)).unwrap();
    other.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(bad.await.unwrap(), Err(StoreError::Broken(_))));
    let first = first.await.unwrap().unwrap();
    assert_eq!(first.verdict, Verdict::Accepted);
    assert_eq!(second.await.unwrap().unwrap().duplicate_of, Some(first.request));
    assert_eq!(store.load(run.id).await.unwrap().unwrap().run, run);
    assert_eq!(store.refuses(), None);
    healthy(&store).await;
}

#[tokio::test]
async fn low_disk_refuses() {
    let rig = Rig { limits: Limits { free_disk: u64::MAX, ..Limits::default() }, ..Rig::new() };
    let (store, _handover) = rig.open();
    until("the ledger is read", || async { store.refuses().is_some_and(|why| why.contains("low on free")) })
        .await;
}

#[tokio::test]
async fn too_many_queued_runs_refuse() {
    let rig = Rig { limits: Limits { queue: 2, free_disk: 0, ..Limits::default() }, ..Rig::new() };
    let (store, _handover) = rig.open();
    fresh(&store).await;
    assert_eq!(store.refuses(), None);
    fresh(&store).await;
    assert_eq!(store.refuses().as_deref(), Some("the queue is full: 2 runs wait"));
    assert_eq!(store.takes_no_writes(), None, "a refusal can be stored");
}
