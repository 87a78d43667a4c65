//! Jobs over a real store: what was planned is what is done, each object once, whatever is stopped
//! or ends in between.

use super::*;
use crate::model::JobId;
use crate::model::ask::With;
use crate::model::job::{JobState, JobView, Outcomes, PieceState, PieceView};
use crate::store::{Piece, Refused};
use tokio_util::sync::CancellationToken;

fn retry() -> Verb {
    Verb::Retry { version: With::Deployed, fresh_key: false }
}

const ERRORED: &str = "state:errored";

impl House {
    async fn start(&self, order: Act) -> JobView {
        match self.ask(Ask::Act(Box::new(order))).await.unwrap() {
            Answer::Job(job) => *job,
            other => panic!("{other:?}"),
        }
    }

    async fn job(&self, id: &str) -> JobView {
        match self.ask(Ask::Job { id: id.to_owned() }).await.unwrap() {
            Answer::Job(job) => *job,
            other => panic!("{other:?}"),
        }
    }

    async fn pieces(&self, id: &str) -> Vec<PieceView> {
        match self.ask(Ask::Pieces { id: id.to_owned(), from: 0, limit: 0 }).await.unwrap() {
            Answer::Pieces { pieces, .. } => pieces,
            other => panic!("{other:?}"),
        }
    }

    fn job_id(&self, job: &JobView) -> JobId {
        self.store.ids().parse(&job.id).unwrap()
    }

    /// Does a job while the clock goes on, as that of a real store does.
    async fn carry_out(&self, job: &JobView) {
        let stop = CancellationToken::new();
        let work = self.desk.carry_out(self.job_id(job), &stop);
        let clock = async {
            loop {
                self.clock.advance(50);
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            () = work => {}
            () = clock => {}
        }
    }

    async fn many(&self, state: RunState, count: usize) -> Vec<crate::model::RunId> {
        let mut runs = Vec::new();
        for _ in 0..count {
            runs.push(self.run_in(state).await);
        }
        runs
    }
}

fn slowly(order: Act) -> Act {
    Act { rate: Some("1000/s".parse().unwrap()), ..order }
}

#[tokio::test]
async fn what_was_planned_is_done_and_nothing_that_came_since() {
    let house = House::acme().await;
    let early = house.many(RunState::Errored, 3).await;
    let order = act_by(retry(), ERRORED);
    let plan = house.plan_on(order.clone()).await.unwrap();
    assert_eq!((plan.count, plan.sample.len()), (3, 3));
    assert_eq!(plan.sample[0].0, house.id(early[0]), "oldest first");
    assert!(plan.sample[0].1.starts_with("POST http://127.0.0.1:9000/customers/"), "{:?}", plan.sample);
    // One comes, and one moves on and stops again at the same step.
    let late = house.run_in(RunState::Errored).await;
    house.act(retry(), early[1]).await.unwrap();
    house.step(early[1], 404).await;
    let order = Act { plan: plan.token, filter: None, ..order };
    let acted = house.act_on(order.clone()).await.unwrap();
    assert_eq!((acted.done, acted.refused.len()), (2, 1));
    assert!(acted.refused[0].1.starts_with("Changed since you looked"), "{:?}", acted.refused);
    assert_eq!(house.row(late).await.state, RunState::Errored);
    assert_eq!(house.act_on(order).await.unwrap_err().code, "changed", "a plan is carried out once");
}

#[tokio::test]
async fn a_job_does_each_object_once_and_tells_who_and_why() {
    let house = House::acme().await;
    let runs = house.many(RunState::Errored, 40).await;
    let order = slowly(Act { reason: Some(" URL fixed ".into()), ..act_by(retry(), ERRORED) });
    let plan = house.plan_on(order.clone()).await.unwrap();
    // One is taken up by somebody else after the job was ordered.
    let job = house.start(Act { plan: plan.token, filter: None, ..order }).await;
    assert_eq!((job.state, job.total, job.left, job.done), (JobState::Running, 40, 40, 0));
    assert_eq!(house.desk.counters().jobs.running, 1);
    house.act(Verb::Abort, runs[39]).await.unwrap();
    house.carry_out(&job).await;
    let job = house.job(&job.id).await;
    assert_eq!((job.state, job.done, job.refused, job.left), (JobState::Done, 39, 1, 0));
    assert_eq!((job.who.as_str(), job.reason.as_deref()), ("anna", Some("URL fixed")));
    assert_eq!((job.filter.as_deref(), job.verb.as_str()), (Some(ERRORED), "retry"));
    assert_eq!(job.reasons.len(), 1);
    assert!(job.reasons[0].why.starts_with("Changed since you looked"), "{:?}", job.reasons);
    let pieces = house.pieces(&job.id).await;
    assert_eq!(pieces.len(), 40);
    assert_eq!(pieces[0].id, house.id(runs[0]));
    assert_eq!(pieces.iter().filter(|piece| piece.state == PieceState::Done).count(), 39);
    for run in &runs[..39] {
        let row = house.row(*run).await;
        assert_eq!((row.state, row.round), (RunState::Queued, 2), "retried, and once");
    }
    let end = house.desk.counters().jobs;
    assert_eq!(end.running, 0);
    let end = end.ended.unwrap();
    assert!(end.short && end.said.contains("39 done, 1 refused"), "{end:?}");
    let trail = house.trail().await;
    let entries: Vec<_> = trail.iter().filter(|entry| entry.target == job.id).collect();
    assert_eq!(entries.len(), 1, "one entry for all of them");
    assert_eq!((entries[0].verb.as_str(), entries[0].reason.as_deref()), ("retry", Some("URL fixed")));
    assert!(
        entries[0].detail.contains("40 runs by filter state:errored, at 1000/s"),
        "{}",
        entries[0].detail
    );
    // An act on few is none.
    assert_eq!(house.act(Verb::Abort, runs[0]).await.unwrap().done, 1);
}

#[tokio::test]
async fn a_piece_is_done_with_its_act_or_not_at_all() {
    let house = House::acme().await;
    let runs = house.many(RunState::Errored, 2).await;
    let job = house.start(slowly(act_by(Verb::Abort, ERRORED))).await;
    let id = house.job_id(&job);
    let order = crate::desk::verbs::Order { who: &anna(), verb: &Verb::Abort, reason: None };
    let target = crate::desk::verbs::Target::Run(runs[0]);
    let piece = Piece { job: id, at: 0 };
    house.desk.one(order, target, None, Some(piece)).await.unwrap();
    assert_eq!(house.job(&job.id).await.done, 1);
    // The same piece again, as a process would try that lost its memory: nothing happens.
    let (_, again) = (runs[1], house.row(runs[1]).await);
    let other = crate::desk::verbs::Target::Run(runs[1]);
    let refusal = house.desk.one(order, other, None, Some(piece)).await.unwrap_err();
    assert!(refusal.message.contains("done already"), "{refusal}");
    assert_eq!(house.row(runs[1]).await, again);
    // A refusal of what was done changes nothing either.
    house.store.refuse_pieces(id, vec![Refused { at: 0, why: "x".into() }]).await.unwrap();
    assert_eq!(house.job(&job.id).await.refused, 0);
    // Once it is stopped no piece is done any more.
    let stop = |dry_run| Ask::StopJob { id: job.id.clone(), reason: Some("enough".into()), dry_run };
    let Answer::Done(would) = house.ask(stop(true)).await.unwrap() else { panic!("no plan") };
    assert!(would.lines[0].starts_with("Would stop"), "{would:?}");
    assert_eq!(house.job(&job.id).await.state, JobState::Running);
    house.ask(stop(false)).await.unwrap();
    let left = Piece { job: id, at: 1 };
    assert!(house.desk.one(order, other, None, Some(left)).await.is_err());
    assert_eq!(house.row(runs[1]).await, again);
    let stopped = house.job(&job.id).await;
    assert_eq!((stopped.state, stopped.done, stopped.left), (JobState::Stopped, 1, 1));
    assert_eq!(stopped.stopped_by.as_deref(), Some("anna"));
    assert_eq!(house.ask(stop(false)).await.unwrap_err().code, "ended");
    let entry = &house.trail().await[0];
    assert_eq!((entry.verb.as_str(), entry.target.as_str()), ("stop", job.id.as_str()));
    assert_eq!(entry.reason.as_deref(), Some("enough"));
}

#[tokio::test]
async fn replays_forgets_and_answers_by_hand_are_pieces_too() {
    let house = House::acme().await;
    for at in 0..3 {
        house.receive("Orders", json!({"ref": format!("r{at}")})).await;
    }
    let waiting = house.many(RunState::Waiting, 2).await;
    let replay = Replay { set: vec![("body.ref".into(), json!("z"))], ..Replay::default() };
    let replay = Verb::Replay(replay);
    let job = house.start(slowly(act_by(replay, "flow:Orders"))).await;
    house.carry_out(&job).await;
    let pieces = house.pieces(&job.id).await;
    assert_eq!(pieces.len(), 3);
    for piece in &pieces {
        let run = house.store.ids().parse(piece.run.as_deref().unwrap()).unwrap();
        let made = house.store.load(run).await.unwrap().unwrap();
        assert!(made.run.parent.is_some());
        assert_eq!(&made.request.unwrap().seed.body[..], br#"{"ref":"z"}"#);
    }
    let job = house.start(slowly(act_by(Verb::Forget, "verdict:accepted flow:Orders"))).await;
    house.carry_out(&job).await;
    let job = house.job(&job.id).await;
    assert_eq!((job.done, job.refused), (3, 3), "the edited ones have no key: {:?}", job.reasons);
    let complete = Verb::Complete { status: 200, body: "{}".into() };
    let job = house.start(slowly(act_by(complete, "state:pending"))).await;
    house.carry_out(&job).await;
    assert_eq!(house.job(&job.id).await.done, 2);
    for run in waiting {
        assert_eq!(house.row(run).await.state, RunState::Queued);
    }
}

#[tokio::test]
async fn what_was_being_sent_when_a_process_ended_is_never_sent_again() {
    let house = House::acme().await;
    for at in 0..2 {
        house.receive("Orders", json!({"ref": format!("r{at}")})).await;
    }
    let how = Replay { to: Some("http://127.0.0.1:1/".into()), ..Replay::default() };
    let job = house.start(slowly(act_by(Verb::Replay(how), "flow:Orders"))).await;
    let piece = Piece { job: house.job_id(&job), at: 0 };
    assert!(house.store.sending_piece(piece).await.unwrap());
    assert!(!house.store.sending_piece(piece).await.unwrap(), "it is under way already");
    house.carry_out(&job).await;
    let job = house.job(&job.id).await;
    assert_eq!((job.done, job.refused, job.state), (0, 2, JobState::Done));
    let pieces = house.pieces(&job.id).await;
    assert!(pieces[0].said.as_deref().unwrap().starts_with("may have been delivered"), "{pieces:?}");
    assert!(pieces[1].said.as_deref().unwrap().contains("no answer came"), "{pieces:?}");
}

#[tokio::test]
async fn what_became_of_the_runs_of_a_job_is_told_as_they_stand_now() {
    let house = House::acme().await;
    let runs = house.many(RunState::Errored, 6).await;
    let job = house.start(slowly(act_by(retry(), ERRORED))).await;
    house.carry_out(&job).await;
    let told = || async { house.job(&job.id).await.outcomes.unwrap() };
    assert_eq!(told().await, Outcomes { under_way: 6, ..Outcomes::default() });
    for (run, status) in [(0, 404), (1, 404), (2, 409)] {
        house.step(runs[run], status).await;
    }
    house.step(runs[3], 503).await;
    house.act(Verb::Abort, runs[4]).await.unwrap();
    let now = told().await;
    let counts = [now.under_way, now.errored, now.retrying, now.aborted, now.succeeded, now.gone];
    assert_eq!(counts, [1, 3, 1, 1, 0, 0], "{now:?}");
    let causes: Vec<(u64, bool)> =
        now.causes.iter().map(|cause| (cause.count, cause.why.contains("404"))).collect();
    assert_eq!(causes, [(2, true), (1, false)], "the most first: {:?}", now.causes);
    assert!(now.causes[1].why.contains("answered 409"), "{:?}", now.causes);
    // A list holds no outcomes, and a verb that ends things has none.
    let Answer::Jobs { jobs, .. } = house.ask(Ask::Jobs { before: None, limit: 0 }).await.unwrap() else {
        panic!("no jobs")
    };
    assert!(jobs[0].outcomes.is_none());
    let job = house.start(slowly(act_by(Verb::Abort, ERRORED))).await;
    house.carry_out(&job).await;
    assert_eq!(house.job(&job.id).await.outcomes, None);
}

#[tokio::test]
async fn a_replay_tells_what_became_of_the_runs_that_it_made() {
    let house = House::acme().await;
    for at in 0..3 {
        house.receive("Orders", json!({"ref": format!("r{at}")})).await;
    }
    let job = house.start(slowly(act_by(Verb::Replay(Replay::default()), "flow:Orders"))).await;
    house.carry_out(&job).await;
    let first = house.pieces(&job.id).await[0].run.clone().unwrap();
    house.step(house.store.ids().parse(&first).unwrap(), 404).await;
    let now = house.job(&job.id).await.outcomes.unwrap();
    assert_eq!((now.under_way, now.errored, now.causes.len()), (2, 1, 1), "not their parents: {now:?}");
}

/// A job that halts after failures in a row, as far as it goes by itself.
async fn until_it_waits(house: &House, job: &JobView) {
    let id = house.job_id(job);
    let stop = CancellationToken::new();
    let work = house.desk.carry_out(id, &stop);
    let look = async {
        let mut before = (u64::MAX, 0);
        loop {
            for _ in 0..20 {
                house.clock.advance(50);
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            let done = house.job(&job.id).await.done;
            before = if before.0 == done { (done, before.1 + 1) } else { (done, 0) };
            if before.1 >= 2 {
                return stop.cancel();
            }
        }
    };
    tokio::join!(work, look);
}

#[tokio::test]
async fn a_job_waits_for_what_it_began_and_halts_after_failures_in_a_row() {
    let house = House::acme().await;
    let runs = house.many(RunState::Errored, 30).await;
    let order = Act { stop_after: Some(4), ..slowly(act_by(retry(), ERRORED)) };
    let job = house.start(order).await;
    until_it_waits(&house, &job).await;
    let state = |job: JobView| (job.state, job.done, job.left);
    assert_eq!(state(house.job(&job.id).await), (JobState::Running, 4, 26), "no more than may fail");
    // Three fail and a person ends one: it goes on with one more, and no further.
    for run in &runs[..3] {
        house.step(*run, 404).await;
    }
    house.step(runs[3], 200).await;
    house.act(Verb::Abort, runs[3]).await.unwrap();
    until_it_waits(&house, &job).await;
    let now = house.job(&job.id).await;
    assert_eq!(state(now), (JobState::Running, 5, 25), "one that was ended by a person tells nothing");
    house.step(runs[4], 404).await;
    house.carry_out(&job).await;
    assert_eq!(state(house.job(&job.id).await), (JobState::Halted, 5, 25));
    // It waits for a person, who is told and has two ways.
    house.desk.note_halted().await;
    let halted = house.desk.counters().jobs.halted;
    assert_eq!(halted.len(), 1);
    assert_eq!((halted[0].what.as_str(), halted[0].failures, halted[0].left), ("retry of 30 runs", 4, 25));
    let resume = |dry_run| Ask::ResumeJob { id: job.id.clone(), reason: Some("fixed".into()), dry_run };
    let Answer::Done(would) = house.ask(resume(true)).await.unwrap() else { panic!("no plan") };
    assert!(would.lines[0].starts_with("Would resume job"), "{would:?}");
    house.ask(resume(false)).await.unwrap();
    assert_eq!(house.ask(resume(false)).await.unwrap_err().code, "not_halted");
    let entry = &house.trail().await[0];
    assert_eq!((entry.verb.as_str(), entry.reason.as_deref()), ("resume", Some("fixed")));
    // What failed before does not count any more.
    until_it_waits(&house, &job).await;
    assert_eq!(state(house.job(&job.id).await), (JobState::Running, 9, 21));
    house.ask(Ask::StopJob { id: job.id.clone(), reason: None, dry_run: false }).await.unwrap();
    assert_eq!(house.job(&job.id).await.state, JobState::Stopped);
}

#[tokio::test]
async fn failures_in_a_row_have_a_bound_and_one_that_halted_can_be_stopped() {
    let house = House::acme().await;
    house.many(RunState::Errored, 3).await;
    for many in [0, 1_001] {
        let order = Act { stop_after: Some(many), ..act_by(retry(), ERRORED) };
        assert_eq!(house.act_on(order).await.unwrap_err().code, "usage", "{many}");
    }
    // What is refused fails as well; with nothing left there is nothing to halt.
    let order = Act { stop_after: Some(1), ..act_by(retry(), ERRORED) };
    let job = house.start(order).await;
    let id = house.job_id(&job);
    house.store.refuse_pieces(id, vec![Refused { at: 0, why: "it is gone".into() }]).await.unwrap();
    house.carry_out(&job).await;
    let now = house.job(&job.id).await;
    assert_eq!((now.state, now.refused, now.left), (JobState::Halted, 1, 2));
    house.ask(Ask::StopJob { id: job.id.clone(), reason: None, dry_run: false }).await.unwrap();
    let now = house.job(&job.id).await;
    assert_eq!((now.state, now.stopped_by.as_deref()), (JobState::Stopped, Some("anna")));
}
