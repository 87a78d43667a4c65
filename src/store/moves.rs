//! What moves runs, within the writer's transaction: transitions under their guard, claims, leases.

use super::queue::Claim;
use super::state::{Batch, State};
use super::{LEASE, StoreError, codec};
use crate::model::change::Change;
use crate::model::run::{CallbackState, Run, RunState};
use crate::model::{CallbackId, FlowId, Ms, RunId};
use crate::rules::advance::{CallbackWrite, Cause, Transition};
use rusqlite::{Connection, OptionalExtension, Result, params};
use sha2::{Digest, Sha256};

/// The id of an error group: 63 bits of a hash, so that no look-up is needed to know it.
pub(in crate::store) fn cause_id(flow: FlowId, cause: &Cause) -> i64 {
    let mut hash = Sha256::new();
    hash.update(flow.0.to_le_bytes());
    for part in [&cause.step, &cause.normal] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    i64::from_le_bytes(head) & i64::MAX
}

/// A run's row before it moves.
struct Before {
    seq: i64,
    state: RunState,
    cause: Option<i64>,
}

fn before(conn: &Connection, run: RunId) -> Result<Option<Before>> {
    conn.prepare_cached("SELECT seq, state, cause FROM run WHERE id = ?1")?
        .query_row([run.0], |row| {
            let state = row.get(1)?;
            let state =
                RunState::from_number(state).ok_or(rusqlite::Error::IntegralValueOutOfRange(1, state))?;
            Ok(Before { seq: row.get(0)?, state, cause: row.get(2)? })
        })
        .optional()
}

/// A run left a group: it is errored for it no longer.
fn leave(conn: &Connection, cause: i64) -> Result<()> {
    conn.prepare_cached("UPDATE cause SET count = count - 1 WHERE id = ?1")?.execute([cause]).map(|_| ())
}

/// A run came back into a group that is there.
fn again(conn: &Connection, cause: i64) -> Result<()> {
    conn.prepare_cached("UPDATE cause SET count = count + 1 WHERE id = ?1")?.execute([cause]).map(|_| ())
}

/// A run stopped for a cause: the first of those that are errored for it now began the group. One that ended with it is not errored, and waits for nobody.
fn enter(conn: &Connection, id: i64, flow: FlowId, cause: &Cause, errored: bool, now: Ms) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO cause (id, flow, step, text, normal, count, seen, stops, first, last)
         VALUES (?1, ?2, ?3, ?4, ?5, ?7, 1, ?7, ?6, ?6)
         ON CONFLICT (id) DO UPDATE SET first = CASE WHEN count > 0 THEN first ELSE excluded.first END,
             count = count + excluded.count, seen = seen + 1, stops = stops + excluded.stops,
             text = excluded.text, last = excluded.last",
    )?
    .execute(params![id, flow.0, cause.step, cause.text, cause.normal, now, i64::from(errored)])
    .map(|_| ())
}

impl State {
    /// Writes a transition; nothing of it where its guard does not hold.
    pub(super) fn transit(
        &mut self,
        conn: &Connection,
        transition: &Transition,
        batch: &mut Batch,
    ) -> Result<std::result::Result<(), StoreError>> {
        let mut run = transition.run.clone();
        let Some(old) = before(conn, run.id)?.filter(|old| old.seq == transition.guard) else {
            return Ok(Err(StoreError::Stale));
        };
        if run.seq <= transition.guard {
            let why = format!("a transition from seq {} to {}", transition.guard, run.seq);
            return Ok(Err(StoreError::Broken(why)));
        }
        let errored = run.state == RunState::Errored;
        match &transition.cause {
            Some(cause) => run.cause = Some(cause_id(run.flow, cause)),
            None if errored => run.cause = run.cause.or(old.cause),
            None => {}
        }
        self.keep_findable(&mut run, batch.now);
        if !codec::update_run(conn, &run, transition.guard)? {
            return Ok(Err(StoreError::Stale));
        }
        let was_in = old.cause.filter(|_| old.state == RunState::Errored);
        let is_in = run.cause.filter(|_| errored);
        if was_in != is_in || transition.cause.is_some() {
            if let Some(cause) = was_in {
                leave(conn, cause)?;
            }
            match (run.cause, &transition.cause) {
                (Some(id), Some(cause)) => enter(conn, id, run.flow, cause, errored, batch.now)?,
                (Some(id), None) if errored => again(conn, id)?,
                _ => {}
            }
        }
        if let Some(entry) = &transition.entry {
            codec::insert_entry(conn, entry)?;
        }
        if let Some(frame) = &transition.frame {
            codec::set_frame(conn, run.id, frame)?;
        }
        for write in &transition.callbacks {
            write_callback(conn, write, batch)?;
        }
        if let (Some(group), Some(_)) = (is_in, &transition.cause) {
            batch.deltas.errors.push(group);
        }
        batch.deltas.took.extend(transition.took.clone().map(|took| (run.flow.0, took)));
        batch.deltas.callbacks |= was_in.is_some() || is_in.is_some();
        batch.deltas.causes |= was_in.is_some() || is_in.is_some();
        batch.placed(&run, Some(old.state));
        Ok(Ok(()))
    }

    /// Gives `due` to a run that nobody would find otherwise: one without `due` under the watermark.
    fn keep_findable(&self, run: &mut Run, now: Ms) {
        if run.due.is_some() {
            return;
        }
        match run.state {
            RunState::Queued if run.id.0 < self.fresh_low => run.due = Some(now),
            RunState::Running if run.id.0 < self.fresh_low => run.due = Some(now + LEASE),
            RunState::Waiting | RunState::Retrying => run.due = Some(now),
            _ => {}
        }
    }

    /// Claims runs; those that moved on meanwhile are left out.
    pub(super) fn claim(
        &mut self,
        conn: &Connection,
        claims: &[Claim],
        batch: &mut Batch,
    ) -> Result<Vec<Run>> {
        let sql = format!(
            "UPDATE run SET state = 1, fence = fence + 1, attempt = attempt + 1, owner = ?3,
                 due = CASE WHEN due IS NULL AND id >= ?5 THEN NULL ELSE ?4 END,
                 started = ifnull(started, ?6), seq = seq + 1
             WHERE id = ?1 AND seq = ?2 AND state IN (0, 4) RETURNING {}",
            codec::RUN
        );
        let mut statement = conn.prepare_cached(&sql)?;
        let mut claimed = Vec::with_capacity(claims.len());
        for claim in claims {
            let Some(old) = before(conn, claim.run)? else { continue };
            let run = statement
                .query_row(
                    params![claim.run.0, claim.seq, self.owner, claim.until, self.fresh_low, batch.now],
                    |row| codec::run(row, 0),
                )
                .optional()?;
            if let Some(run) = run {
                batch.placed(&run, Some(old.state));
                claimed.push(run);
            }
        }
        Ok(claimed)
    }

    /// Sets the end of leases that this process holds.
    pub(super) fn renew(
        &mut self,
        conn: &Connection,
        runs: &[RunId],
        until: Ms,
        batch: &mut Batch,
    ) -> Result<()> {
        let mut statement =
            conn.prepare_cached("UPDATE run SET due = ?2 WHERE id = ?1 AND state = 1 AND owner = ?3")?;
        for run in runs {
            if statement.execute(params![run.0, until, self.owner])? == 1 {
                batch.bare.push((run.0, false));
            }
        }
        Ok(())
    }
}

fn write_callback(conn: &Connection, write: &CallbackWrite, batch: &mut Batch) -> Result<()> {
    batch.deltas.callbacks = true;
    match write {
        CallbackWrite::New(callback) => {
            codec::insert_callback(conn, callback)?;
            batch.deltas.pending += i64::from(callback.state == CallbackState::Pending);
            batch.changes.push(Change::Callback { id: callback.id });
        }
        CallbackWrite::Move { id, state, received, status, digest } => {
            let was = state_of(conn, *id)?;
            conn.prepare_cached(
                "UPDATE callback SET state = ?2, received = ifnull(?3, received), status = ifnull(?4, status),
                     digest = ifnull(?5, digest) WHERE id = ?1",
            )?
            .execute(params![id.0, *state as i64, received, status, digest])?;
            let pending = CallbackState::Pending as i64;
            batch.deltas.pending += i64::from(*state as i64 == pending) - i64::from(was == Some(pending));
            batch.changes.push(Change::Callback { id: *id });
        }
        CallbackWrite::Extend { id, deadline } => {
            let was = state_of(conn, *id)?;
            let pending = CallbackState::Pending as i64;
            conn.prepare_cached("UPDATE callback SET state = ?2, deadline = ?3 WHERE id = ?1")?
                .execute(params![id.0, pending, deadline])?;
            batch.deltas.pending += i64::from(was != Some(pending));
            batch.changes.push(Change::Callback { id: *id });
        }
    }
    Ok(())
}

fn state_of(conn: &Connection, id: CallbackId) -> Result<Option<i64>> {
    conn.prepare_cached("SELECT state FROM callback WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()
}
