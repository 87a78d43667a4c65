//! Jobs in the store: what is there after a restart, and what retention takes.

use super::*;
use crate::model::ask::{Verb, Who};
use crate::model::id::Kind;
use crate::model::job::JobState;
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
