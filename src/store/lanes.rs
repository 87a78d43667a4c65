//! Lanes of flows that bound their runs or are held: their rules as configured, whose turn it is,
//! and the runs that are sent to their places.

use super::claims::{lanes, later, whole};
use super::lines::{self, Gate};
use super::{Claim, Store, StoreError, codec};
use crate::model::gate::Pausing;
use crate::model::run::Run;
use crate::model::{FlowId, Ms, RunId};
use crate::rules::lane::{self, FRONT, LINES, PARKED, Rule, Turn, tag_of};
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use crate::rules::lane::place as parked;

/// Runs of a lane that are looked at, or sent to their places, at once.
const AT_ONCE: usize = 256;

/// The runs that hold places in lanes, as far as they are known; the runner keeps them from one
/// look to the next. A lane that is not in it is learnt from the rows.
#[derive(Debug, Clone, Default)]
pub struct Holders(BTreeMap<FlowId, (Rule, Vec<RunId>)>);

/// What is due.
#[derive(Debug, Default)]
pub struct Due {
    /// Claimed where a claim is all that precedes their next exchange; else as they stand.
    pub runs: Vec<Run>,
    /// Runs that were sent to their places.
    pub parked: usize,
}

/// Flows whose runs are watched: each move of one of them may make room for another.
#[derive(Debug, Default)]
pub(super) struct Watched {
    any: AtomicBool,
    flows: Mutex<HashSet<FlowId>>,
}

impl Watched {
    fn set(&self, flows: impl Iterator<Item = FlowId>) {
        let mut watched = self.flows.lock().unwrap_or_else(PoisonError::into_inner);
        watched.clear();
        watched.extend(flows);
        self.any.store(!watched.is_empty(), Ordering::Release);
    }

    /// Whether one of these flows is watched. One atomic load where none is.
    pub(super) fn has(&self, mut flows: impl Iterator<Item = FlowId>) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let watched = self.flows.lock().unwrap_or_else(PoisonError::into_inner);
        flows.any(|flow| watched.contains(&flow))
    }
}

/// What a pass over all lanes found.
#[derive(Debug, Default)]
struct Pass {
    /// May start as far as their lanes are concerned, flow by flow.
    runs: Vec<Run>,
    park: Vec<(RunId, Ms)>,
    next: Option<Ms>,
    holders: Holders,
    /// Lines of targets in which runs wait.
    tags: Vec<u32>,
}

impl Pass {
    fn at(&mut self, due: Option<Ms>) {
        self.next = [self.next, due].into_iter().flatten().min();
    }
}

impl Store {
    /// The rule of a flow; `None` where all its runs may start at once.
    #[must_use]
    pub fn lane(&self, flow: FlowId) -> Option<Rule> {
        let routes = self.routes();
        let held = routes.pausing(flow, || self.now()) == Pausing::Held;
        Rule::of(routes.limits.get(&flow).copied().unwrap_or(0), held)
    }

    fn rules(&self, now: Ms) -> BTreeMap<FlowId, Rule> {
        let routes = self.routes();
        let flows = routes.limits.keys().chain(routes.paused.keys());
        flows
            .filter_map(|flow| {
                let held = match routes.paused.get(flow) {
                    // A flow that refuses requests goes on with those it has taken.
                    Some(pauses) => Pausing::of(pauses, now) == Pausing::Held,
                    None => false,
                };
                Some((*flow, Rule::of(routes.limits.get(flow).copied().unwrap_or(0), held)?))
            })
            .collect()
    }

    /// Claims up to `limit` queued or retrying runs that are due and whose lane has room: state
    /// running, fence and attempt raised, lease until `now` + [`super::LEASE`]. Runs whose step has a
    /// callback or a `when`, or sends nothing, are claimed by [`Store::commit`] instead: they are
    /// listed here too, unclaimed (their state is still queued or retrying). Flows share the limit
    /// evenly. What may not start is sent to its place: in its lane, or in the line of its target
    /// where `gate` says so.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn due(
        &self,
        now: Ms,
        limit: usize,
        holders: &mut Holders,
        gate: &Arc<dyn Gate>,
    ) -> std::result::Result<Due, StoreError> {
        let mut pass = self.pass(now, limit, holders, gate).await?;
        if self.changing() {
            // Told when it is known: until then a run would see what was configured before.
            return Ok(Due::default());
        }
        let runs = enter(&mut pass, gate.as_ref());
        let parked = pass.park.len();
        if parked > 0 {
            self.park(pass.park).await?;
        }
        *holders = pass.holders;
        let (plain, mut runs): (Vec<Run>, Vec<Run>) =
            runs.into_iter().partition(|run| self.sends_plainly(run));
        let until = now + super::LEASE;
        let claims = plain.iter().map(|run| Claim { run: run.id, seq: run.seq, until }).collect();
        runs.extend(self.claim(claims).await?);
        Ok(Due { runs, parked })
    }

    /// When the next run is due (a retry, a deadline, a lease's end, the room in its lane), if any is.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn next_due(
        &self,
        holders: &mut Holders,
        gate: &Arc<dyn Gate>,
    ) -> std::result::Result<Option<Ms>, StoreError> {
        let now = self.now();
        let pass = self.pass(now, 1, holders, gate).await?;
        gate.lines(&pass.tags);
        *holders = pass.holders;
        let at_once = !pass.runs.is_empty() || !pass.park.is_empty();
        Ok(if at_once { Some(pass.next.unwrap_or(now).min(now)) } else { pass.next })
    }

    /// What is due, without a claim.
    #[cfg(test)]
    pub(super) async fn due_rows(&self, now: Ms, limit: usize) -> std::result::Result<Vec<Run>, StoreError> {
        let gate: Arc<dyn Gate> = Arc::new(lines::OpenGate);
        Ok(self.pass(now, limit, &Holders::default(), &gate).await?.runs)
    }

    async fn pass(
        &self,
        now: Ms,
        limit: usize,
        holders: &Holders,
        gate: &Arc<dyn Gate>,
    ) -> std::result::Result<Pass, StoreError> {
        let rules = self.rules(now);
        // Before the rows are read: a move after that is told.
        self.inner.links.watched.set(rules.keys().copied());
        let (holders, gate) = (holders.clone(), Arc::clone(gate));
        self.read(move |conn| pass(conn, &rules, &holders, gate.as_ref(), (now, limit))).await
    }

    /// Sends runs that have not started, or could not go on, to their places in their lanes.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn park(&self, mut runs: Vec<(RunId, Ms)>) -> std::result::Result<(), StoreError> {
        while !runs.is_empty() {
            let some: Vec<(RunId, Ms)> = runs.drain(..runs.len().min(AT_ONCE)).collect();
            self.write(Vec::new(), move |tx| {
                let mut park =
                    tx.prepare_cached("UPDATE run SET due = ?2 WHERE id = ?1 AND state IN (0, 4)")?;
                for (run, due) in some {
                    park.execute(params![run.0, due])?;
                }
                Ok(())
            })
            .await?;
        }
        self.inner.links.due.notify_one();
        Ok(())
    }
}

/// Of what may start, those whose targets take them: flows in turn, so that none has a target for
/// itself. The others go to their places. What has a place in its lane stays where it is.
fn enter(pass: &mut Pass, gate: &dyn Gate) -> Vec<Run> {
    let mut turns: BTreeMap<FlowId, usize> = BTreeMap::new();
    let mut runs: Vec<(usize, Run)> = std::mem::take(&mut pass.runs)
        .into_iter()
        .map(|run| {
            let turn = turns.entry(run.flow).or_default();
            *turn += 1;
            (*turn, run)
        })
        .collect();
    runs.sort_by_key(|(turn, _)| *turn);
    let mut start = Vec::with_capacity(runs.len());
    for (_, run) in runs {
        match gate.enter(&run) {
            None => start.push(run),
            Some(place) => {
                pass.tags.extend(tag_of(place));
                if run.due != Some(place) && !pass.holders.0.contains_key(&run.flow) {
                    pass.park.push((run.id, place));
                }
            }
        }
    }
    gate.lines(&pass.tags);
    start
}

fn pass(
    conn: &Connection,
    rules: &BTreeMap<FlowId, Rule>,
    holders: &Holders,
    gate: &dyn Gate,
    (now, limit): (Ms, usize),
) -> Result<Pass> {
    // One moment for all of it.
    let tx = conn.unchecked_transaction()?;
    let flows: Vec<FlowId> = lanes(&tx)?.into_iter().map(FlowId).collect();
    let share = (limit / flows.len().max(1)).max(1);
    let mut pass = Pass::default();
    let mut full = Vec::new();
    for flow in &flows {
        let room = share.min(limit - pass.runs.len());
        if let Some(rule) = rules.get(flow) {
            let known =
                holders.0.get(flow).filter(|(known, _)| known == rule).map(|(_, runs)| runs.as_slice());
            bounded(&tx, (*flow, *rule), known, (now, room), &mut pass)?;
            continue;
        }
        pass.at(after(&tx, *flow, Ms::MIN)?);
        // Who waits for a target came before who is due now.
        let mut found = lines::ready(&tx, *flow, gate, room, &mut pass.tags)?;
        let lined = found.len();
        found.extend(free(&tx, *flow, now, room - lined, 0)?);
        if found.len() == room && lined == 0 && room > 0 {
            full.push(*flow);
        }
        pass.runs.extend(found);
    }
    for flow in later(&tx)? {
        pass.at(next_end(&tx, flow)?);
    }
    for flow in full {
        let room = limit - pass.runs.len();
        if room == 0 {
            break;
        }
        let more = free(&tx, flow, now, room, share)?;
        pass.runs.extend(more);
    }
    Ok(pass)
}

/// When the next run of a flow can be claimed, after a time.
fn after(conn: &Connection, flow: FlowId, time: Ms) -> Result<Option<Ms>> {
    conn.prepare_cached(
        "SELECT due FROM run INDEXED BY run_due WHERE flow = ?1 AND due IS NOT NULL AND state IN (0, 4)
             AND due > ?2 AND due < ?3 ORDER BY due LIMIT 1",
    )?
    .query_row(params![flow.0, time, FRONT], |row| row.get(0))
    .optional()
}

/// When the next delay, deadline or lease of a flow ends.
fn next_end(conn: &Connection, flow: i64) -> Result<Option<Ms>> {
    conn.prepare_cached(
        "SELECT due FROM run INDEXED BY run_later WHERE flow = ?1 AND due IS NOT NULL AND state NOT IN (0, 4)
             ORDER BY due LIMIT 1",
    )?
    .query_row([flow], |row| row.get(0))
    .optional()
}

/// Rows of a flow with a `due` from one value to another, both included.
fn between(conn: &Connection, flow: FlowId, dues: (Ms, Ms), n: usize, skip: usize) -> Result<Vec<Run>> {
    if n == 0 {
        return Ok(Vec::new());
    }
    conn.prepare_cached(&format!(
        "SELECT {} FROM run INDEXED BY run_due WHERE flow = ?1 AND due IS NOT NULL AND due >= ?2 AND due <= ?3
             AND state IN (0, 4) ORDER BY due, id LIMIT ?4 OFFSET ?5",
        codec::RUN
    ))?
    .query_map(params![flow.0, dues.0, dues.1, whole(n), whole(skip)], |row| codec::run(row, 0))?
    .collect()
}

/// What is due in a flow without a bound; then what was parked while it had one.
fn free(conn: &Connection, flow: FlowId, now: Ms, n: usize, skip: usize) -> Result<Vec<Run>> {
    let mut runs = between(conn, flow, (Ms::MIN, now), n, skip)?;
    if runs.len() < n && skip == 0 {
        runs.extend(between(conn, flow, (FRONT, LINES - 1), n - runs.len(), 0)?);
    }
    Ok(runs)
}

/// The turn of a lane.
fn bounded(
    conn: &Connection,
    (flow, rule): (FlowId, Rule),
    known: Option<&[RunId]>,
    (now, slots): (Ms, usize),
    pass: &mut Pass,
) -> Result<()> {
    let holders = match known {
        Some(known) => {
            let mut holders = Vec::with_capacity(known.len());
            for id in known {
                holders.extend(one(conn, *id)?.filter(|run| rule.holds(run)));
            }
            holders
        }
        None => learn(conn, flow, rule)?,
    };
    let due = between(conn, flow, (Ms::MIN, now), AT_ONCE, 0)?;
    let Turn { start, park, room } = lane::turn(rule, &holders, &due, slots, now);
    let started = |run: &&Run| start.contains(&run.id);
    let mut runs: Vec<Run> = Vec::new();
    for run in holders.iter().chain(&due).filter(started) {
        if !runs.iter().any(|other| other.id == run.id) {
            runs.push(run.clone());
        }
    }
    runs.extend(between(conn, flow, (FRONT, Ms::MAX), room, 0)?);
    let mut ids: Vec<RunId> = holders.iter().map(|run| run.id).collect();
    ids.extend(runs.iter().map(|run| run.id));
    ids.sort_unstable();
    ids.dedup();
    pass.holders.0.insert(flow, (rule, ids));
    // What lies behind is parked, started, or waits for a slot.
    pass.at(after(conn, flow, now)?);
    if due.len() == AT_ONCE || start.len() + park.len() < due.len() {
        pass.at(Some(now));
    }
    pass.park.extend(park);
    pass.runs.extend(runs);
    Ok(())
}

fn one(conn: &Connection, id: RunId) -> Result<Option<Run>> {
    conn.prepare_cached(&format!("SELECT {} FROM run WHERE id = ?1", codec::RUN))?
        .query_row([id.0], |row| codec::run(row, 0))
        .optional()
}

/// Who holds places in a lane that is looked at for the first time: in the index all but those that
/// have not started; beside it runs that began within the last seconds.
fn learn(conn: &Connection, flow: FlowId, rule: Rule) -> Result<Vec<Run>> {
    let mut holders: Vec<Run> = conn
        .prepare_cached(&format!(
            "SELECT {0} FROM run INDEXED BY run_later WHERE flow = ?1 AND due IS NOT NULL AND state NOT IN (0, 4)
             UNION ALL SELECT {0} FROM run INDEXED BY run_due WHERE flow = ?1 AND due IS NOT NULL
                 AND state IN (0, 4) AND state = 4 AND (due < ?2 OR due >= ?3)",
            codec::RUN
        ))?
        .query_map(params![flow.0, PARKED, LINES], |row| codec::run(row, 0))?
        .collect::<Result<_>>()?;
    let low: i64 =
        conn.prepare_cached("SELECT ifnull(max(fresh_low), 0) FROM node")?.query_row([], |row| row.get(0))?;
    let bare: Vec<Run> = conn
        .prepare_cached(&format!(
            "SELECT {} FROM run WHERE id >= ?1 AND flow = ?2 AND state = 1 AND due IS NULL",
            codec::RUN
        ))?
        .query_map(params![low, flow.0], |row| codec::run(row, 0))?
        .collect::<Result<_>>()?;
    holders.extend(bare);
    holders.retain(|run| rule.holds(run));
    Ok(holders)
}
