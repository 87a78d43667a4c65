//! Endpoints and their last requests: which of them have gone silent.

use super::rules::{self, Rule};
use crate::model::alert::AlertKind;
use crate::model::gate::Pausing;
use crate::model::{FlowId, Ms};
use crate::rules::alert::silence::{self, KEPT, is_long};
use crate::store::arrivals::{LET_IN, history};
use crate::store::{Store, StoreError};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// An endpoint, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Its flow.
    pub flow: FlowId,
    /// When a request was let in last; 0 for never.
    pub last: Ms,
    /// Since when it is silent, as far as somebody could tell.
    pub since: Ms,
    /// How many requests usually come in such a time, where that makes it a silence.
    pub usual: Option<u64>,
}

/// Since when silence can be told from not having listened.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Before it nobody listened.
    from: Ms,
    /// When each flow was last seen to be paused.
    paused: BTreeMap<FlowId, Ms>,
}

impl Watched {
    /// Nobody listened before this.
    pub fn blind(&mut self, now: Ms) {
        self.from = now;
    }

    fn since(&self, flow: FlowId) -> Ms {
        self.paused.get(&flow).map_or(self.from, |paused| self.from.max(*paused))
    }
}

impl Store {
    /// How endpoints stand whose silence is told. `thorough`: whether they have gone silent is looked
    /// up; else it is only said when a request came last.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn silences(&self, watched: &mut Watched, thorough: bool) -> Result<Vec<Silence>, StoreError> {
        let state = self.configured();
        let now = self.now();
        let told = |rule: &Rule| rule.on.contains(&AlertKind::Silent);
        let endpoints: BTreeSet<FlowId> =
            rules::of(&state).into_iter().filter(told).flat_map(|rule| rule.endpoints).collect();
        watched.paused.retain(|flow, _| endpoints.contains(flow));
        let mut all = Vec::with_capacity(endpoints.len());
        {
            let tally = self.inner.links.tally();
            for flow in endpoints {
                if state.routes.pausing(flow, || now) != Pausing::Open {
                    watched.paused.insert(flow, now);
                }
                let of = |verdict| tally.totals.get(&(flow.0, verdict as i64)).map_or(0, |total| total.last);
                let last = LET_IN.into_iter().map(of).max().unwrap_or(0);
                all.push(Silence { flow, last, since: last.max(watched.since(flow)), usual: None });
            }
        }
        if !thorough || !all.iter().any(|one| is_long(one.since, now)) {
            return Ok(all);
        }
        self.read(move |conn| {
            for one in all.iter_mut().filter(|one| is_long(one.since, now)) {
                one.usual = usual(conn, one, now)?;
            }
            Ok(all)
        })
        .await
    }
}

fn usual(conn: &Connection, one: &Silence, now: Ms) -> rusqlite::Result<Option<u64>> {
    Ok(silence::silent(&history(conn, one.flow, now - KEPT)?, one.since, now))
}
