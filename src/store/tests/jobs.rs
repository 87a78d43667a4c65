//! Jobs in the store: what is there after a restart, and what retention takes.

use super::*;
use crate::model::ask::{Verb, Who, With};
use crate::model::id::Kind;
use crate::model::job::{JobState, Reason};
use crate::store::jobs::past;

async fn started(store: &Store, pieces: usize) -> Job {
    let who = Who::local("anna", "console");
    let rate = Some("5/s".parse().unwrap());
    let order = JobOrder {
        who,
        verb: Verb::Abort,
        filter: Some("f".into()),
        reason: None,
        rate,
        stop_after: Some(10),
    };
    let piece = NewPiece { kind: Kind::Run, object: 7, seq: Some(3) };
    store.new_job(order, vec![piece; pieces], "said").await.unwrap()
}

async fn refuse(store: &Store, job: &Job, at: std::ops::Range<u32>) {
    let refused = at.map(|at| Refused { at, why: format!("why {}", at % 2) }).collect();
    store.refuse_pieces(job.id, refused).await.unwrap();
}

#[tokio::test]
async fn a_job_is_as_it_was_after_a_restart() {
    let rig = Rig::new();
    let (store, handover) = rig.open();
    let job = started(&store, 4_100).await;
    assert_eq!(store.job(job.id).await.unwrap(), Some(job.clone()));
    refuse(&store, &job, 0..3).await;
    let sent = Piece { job: job.id, at: 3 };
    assert!(store.sending_piece(sent).await.unwrap());
    store.close().await;
    drop((store, handover));
    let (store, _handover) = rig.open();
    let open = store.open_jobs().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].total, open[0].refused, open[0].left()), (4_100, 3, 4_097));
    assert_eq!(open[0].order, job.order);
    // What was being sent is neither left nor done until that is settled.
    let left = store.pieces_left(job.id, 10).await.unwrap();
    assert_eq!(left[0].piece.at, 4);
    assert_eq!(left[0].object, NewPiece { kind: Kind::Run, object: 7, seq: Some(3) });
    store.settle_pieces(job.id, "unknown".to_owned()).await.unwrap();
    let reasons = store.refusals_of(job.id).await.unwrap();
    let told: Vec<(&str, u64)> = reasons.iter().map(|reason| (reason.why.as_str(), reason.count)).collect();
    assert_eq!(told, [("why 0", 2), ("unknown", 1), ("why 1", 1)]);
    store.sent_piece(sent, Ok("200".into())).await.unwrap();
    assert_eq!(store.job(job.id).await.unwrap().unwrap().done, 0, "it is settled");
    assert_eq!(store.pieces(job.id, 4_099, 10).await.unwrap().len(), 1);
    let newer = started(&store, 1).await;
    assert!(newer.id > job.id, "ids go on");
    let ids = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(ids(store.jobs(None, 10).await.unwrap()), [newer.id, job.id]);
    assert_eq!(ids(store.jobs(Some(newer.id), 10).await.unwrap()), [job.id]);
}

#[tokio::test]
async fn what_ended_long_ago_leaves_with_its_pieces_and_what_never_came_to_be_too() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let (long, open) = (started(&store, 2_500).await, started(&store, 3).await);
    refuse(&store, &long, 0..2_500).await;
    assert!(store.end_job(long.id).await.unwrap());
    assert!(!store.end_job(long.id).await.unwrap(), "once");
    rig.clock.advance(HOUR);
    let late = started(&store, 3).await;
    store.end_job(late.id).await.unwrap();
    // Pieces of a job that was cut off before its row was written.
    let orphan = open.id.0 - 1;
    store
        .write(Vec::new(), move |tx| {
            tx.execute("INSERT INTO piece (job, at, kind, object, state) VALUES (?1, 0, 2, 7, 0)", [orphan])
        })
        .await
        .unwrap();
    let before = store.now() - 1;
    let mut slices = 0;
    while store.write(Vec::new(), move |tx| past(tx, before)).await.unwrap() {
        slices += 1;
        assert!(slices < 10, "it ends");
    }
    assert_eq!(store.job(long.id).await.unwrap(), None);
    assert!(store.pieces(long.id, 0, 10).await.unwrap().is_empty());
    assert!(store.pieces(JobId(orphan), 0, 10).await.unwrap().is_empty());
    assert_eq!(store.job(open.id).await.unwrap().map(|job| job.state), Some(JobState::Running));
    assert_eq!(store.pieces(open.id, 0, 10).await.unwrap().len(), 3);
    assert_eq!(store.pieces(late.id, 0, 10).await.unwrap().len(), 3, "younger than that");
}

/// What a console asks for again and again while a job runs: over a hundred thousand objects, in reads
/// that give the reader back.
#[tokio::test]
async fn what_became_of_a_hundred_thousand_runs_is_counted_in_short_reads() {
    const MANY: i64 = 100_000;
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let who = Who::local("anna", "console");
    let verb = Verb::Retry { version: With::Deployed, fresh_key: false };
    let order = JobOrder { who, verb, filter: None, reason: None, rate: None, stop_after: None };
    let job = store.new_job(order.clone(), Vec::new(), "said").await.unwrap();
    store
        .write(Vec::new(), move |tx| {
            tx.execute(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                 INSERT INTO run (id, request, flow, version, state, step, attempt, round, fence, seq, owner, cause, test)
                 SELECT i * 64, i * 64, 1, 1, CASE i % 5 WHEN 0 THEN 5 ELSE 2 END, 0, 1, 1, 0, 3, 0,
                     CASE i % 5 WHEN 0 THEN 7 END, 0 FROM n",
                [MANY],
            )?;
            tx.execute(
                "INSERT INTO cause (id, flow, step, text, normal, count, seen, stops, first, last)
                 VALUES (7, 1, 'push', 'answered 503', 'answered 503', 1, 1, 1, 0, 0)",
                [],
            )?;
            // The last is left, and the first was refused.
            tx.execute(
                "INSERT INTO piece (job, at, kind, object, state)
                 SELECT ?1, id / 64 - 1, 2, id, CASE id / 64 WHEN 1 THEN 3 WHEN ?2 THEN 0 ELSE 2 END FROM run",
                (job.id.0, MANY),
            )
        })
        .await
        .unwrap();
    let clock = Instant::now();
    let told = store.outcomes_of(job.id, &order).await.unwrap().unwrap();
    println!("outcomes of {MANY} objects: {:?}", clock.elapsed());
    let errored = MANY.cast_unsigned() / 5 - 1;
    assert_eq!(told.errored, errored);
    assert_eq!(told.succeeded + told.errored, MANY.cast_unsigned() - 2);
    assert_eq!(told.causes, [Reason { why: "answered 503".into(), count: errored }]);
}
