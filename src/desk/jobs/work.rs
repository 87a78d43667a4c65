//! Does jobs: a few at a time, each a turn after the other at its own pace, and fewer pieces a turn
//! while requests crowd in.
//!
//! Nothing is remembered from one turn to the next but the pace: what is left is what the store says
//! is left, so that a process that begins goes on where the last one ended.

use super::super::Desk;
use super::super::verbs::{Order, SIDE_BY_SIDE};
use crate::model::JobId;
use crate::model::Ms;
use crate::model::ask::Refusal;
use crate::model::job::JobState;
use crate::rules::advance::UNKNOWN;
use crate::rules::pace::{Pacer, Turn};
use crate::rules::streak::Verdict;
use crate::store::{Job, PieceRow, Refused};
use futures_util::StreamExt as _;
use std::collections::HashSet;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Jobs that are done side by side; others wait for their turn, the oldest first.
const AT_ONCE: usize = 8;
/// Between two looks while nothing can be done.
const REST: Duration = Duration::from_secs(1);

/// Until the next look where a job waits to see what became of its runs.
const UNKNOWING: Ms = 100;

impl Desk {
    /// Does what jobs there are, until `stop`: those that an earlier process left too.
    pub async fn work(self, stop: CancellationToken) {
        let at_once = if self.deps.settings.read_only { 0 } else { AT_ONCE };
        let (mut under_way, mut tasks) = (HashSet::new(), JoinSet::new());
        while !stop.is_cancelled() {
            self.note_halted().await;
            for job in self.deps.store.open_jobs().await.unwrap_or_default() {
                if at_once > 0 {
                    self.board.note(&job);
                }
                if under_way.len() < at_once && under_way.insert(job.id) {
                    let (desk, stop) = (self.clone(), stop.clone());
                    tasks.spawn(async move {
                        desk.carry_out(job.id, &stop).await;
                        job.id
                    });
                }
            }
            tokio::select! {
                Some(ended) = tasks.join_next() => match ended {
                    Ok(id) => {
                        under_way.remove(&id);
                    }
                    // Which one it was is not known: all are looked at again.
                    Err(_) => under_way.clear(),
                },
                () = self.board.woken() => {}
                () = tokio::time::sleep(REST) => {}
                () = stop.cancelled() => {}
            }
        }
        // Each ends after the turn that it is at.
        while tasks.join_next().await.is_some() {}
    }

    /// Does one job to its end, or until `stop`.
    pub async fn carry_out(&self, id: JobId, stop: &CancellationToken) {
        let store = &self.deps.store;
        // Pieces whose answer nobody lived to see.
        let unknown = format!("{UNKNOWN}: this process ended while it was under way");
        while store.settle_pieces(id, unknown.clone()).await.is_err() {
            if rest(REST, stop).await {
                return;
            }
        }
        let mut pacer: Option<Pacer> = None;
        while !stop.is_cancelled() {
            let Ok(Some(job)) = store.job(id).await else {
                if rest(REST, stop).await {
                    return;
                }
                continue;
            };
            if job.state != JobState::Running {
                return self.board.ended(id, &self.job_view(job));
            }
            self.board.note(&job);
            if store.refuses().is_some() {
                if rest(REST, stop).await {
                    return;
                }
                continue;
            }
            let pacer = pacer.get_or_insert_with(|| Pacer::new(job.order.rate, store.now()));
            let mut turn = pacer.turn(store.now(), store.crowded());
            match self.room(&job).await {
                Ok(Verdict::Halt) => {
                    // Where the store refuses, it is judged again later.
                    if store.halt_job(id).await.is_err() && rest(REST, stop).await {
                        return;
                    }
                    continue;
                }
                Ok(Verdict::Go(room)) if room < turn.pieces => {
                    pacer.give_back(turn.pieces - room);
                    turn = Turn { pieces: room, wait: turn.wait.max(UNKNOWING) };
                }
                Ok(Verdict::Go(_)) => {}
                Err(_) => {
                    pacer.give_back(turn.pieces);
                    turn = Turn { pieces: 0, wait: 1_000 };
                }
            }
            let mut wait = Duration::from_millis(u64::try_from(turn.wait).unwrap_or(0));
            if self.turn(&job, turn.pieces).await.is_err() {
                // The store takes no writes just now: what was not done is left.
                pacer.give_back(turn.pieces);
                wait = REST;
            }
            if rest(wait, stop).await {
                return;
            }
        }
    }

    /// Whether a job goes on, and with how many pieces: what became of the last ones says so.
    async fn room(&self, job: &Job) -> Result<Verdict, Refusal> {
        // One that has nothing left ends, however it went.
        let limit = job.order.stop_after.filter(|_| job.left() > 0);
        let Some(limit) = limit else { return Ok(Verdict::Go(u32::MAX)) };
        Ok(self.deps.store.streak_of(job.id, &job.order, limit).await?.judge(limit))
    }

    /// Does the next pieces of a job; ends it where none is left.
    async fn turn(&self, job: &Job, pieces: u32) -> Result<(), Refusal> {
        let store = &self.deps.store;
        if pieces == 0 {
            return Ok(());
        }
        let left = store.pieces_left(job.id, pieces).await?;
        if left.is_empty() {
            store.end_job(job.id).await?;
            return Ok(());
        }
        let mut refused = Vec::new();
        let mut put_off = None;
        let mut each = futures_util::stream::iter(left)
            .map(|row| async move { (row.piece.at, self.piece(job, &row).await) })
            .buffer_unordered(SIDE_BY_SIDE);
        while let Some((at, result)) = each.next().await {
            match result {
                Ok(()) => {}
                Err(refusal) if passes(&refusal) => put_off = Some(refusal),
                Err(refusal) => refused.push(Refused { at, why: refusal.message }),
            }
        }
        drop(each);
        store.refuse_pieces(job.id, refused).await?;
        put_off.map_or(Ok(()), Err)
    }

    async fn piece(&self, job: &Job, row: &PieceRow) -> Result<(), Refusal> {
        let order = &job.order;
        let Some(target) = self.object(&row.object).await? else {
            return Err(Refusal::not_found(format!("the {} is gone", row.object.kind.word())));
        };
        let order = Order { who: &order.who, verb: &order.verb, reason: order.reason.as_deref() };
        self.one(order, target, row.object.seq, Some(row.piece)).await.map(drop)
    }
}

/// Whether a refusal is about this moment and not about the piece.
fn passes(refusal: &Refusal) -> bool {
    matches!(refusal.code.as_str(), "down" | "stale")
}

/// Waits; whether it is time to stop.
async fn rest(wait: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(wait) => stop.is_cancelled(),
        () = stop.cancelled() => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_rests_refuses_no_piece() {
        assert!(passes(&Refusal::failed("the disk is full").coded("down")));
        assert!(passes(&Refusal::failed("raced").coded("stale")));
        assert!(!passes(&Refusal::refused("ended", "the run has succeeded already")));
    }
}
