//! One look into the store: a reader's connection and the configuration as of its beginning.

use super::head;
use crate::model::path::Path;
use crate::model::request::StoredRequest;
use crate::model::run::Run;
use crate::model::{FlowId, IdKey, Ms, RequestId, RunId};
use crate::rules::data::request_data;
use crate::rules::mask::{self, Traces};
use crate::rules::plan::Plan;
use crate::store::Store;
use crate::store::registry::{State, read_doc};
use rusqlite::Connection;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Masked paths by flow and version, as far as they were asked for.
type Masks = HashMap<(FlowId, u32), Arc<[Path]>>;

/// What rows are read and named with.
pub(super) struct Look<'a> {
    /// A reader.
    pub conn: &'a Connection,
    /// Whose it is.
    pub store: &'a Store,
    /// Names of flows.
    pub state: Arc<State>,
    /// Engine time when it began.
    pub now: Ms,
    masks: RefCell<Masks>,
}

impl<'a> Look<'a> {
    /// Begins.
    pub fn new(conn: &'a Connection, store: &'a Store) -> Self {
        Self { conn, store, state: store.configured(), now: store.now(), masks: RefCell::default() }
    }

    /// Prints ids.
    pub fn ids(&self) -> &'a IdKey {
        self.store.ids()
    }

    /// A request's id as text.
    pub fn request_id(&self, id: RequestId) -> String {
        self.ids().print(id)
    }

    /// A run's id as text.
    pub fn run_id(&self, id: RunId) -> String {
        self.ids().print(id)
    }

    /// The plan of a flow at a version.
    pub fn plan(&self, flow: FlowId, version: u32) -> Option<Arc<Plan>> {
        let owner = self.state.flows.get(&flow)?.integration;
        let registry = &self.store.inner.registry;
        let globals = registry.equipment().connections;
        let doc = registry.doc(owner, version, || read_doc(self.conn, owner, version, &globals));
        doc.ok().flatten()?.plan(flow)
    }

    /// What of a flow's requests nobody is shown: by the version that judged it, and by the live one.
    pub fn mask(&self, flow: FlowId, version: u32) -> Arc<[Path]> {
        if let Some(known) = self.masks.borrow().get(&(flow, version)) {
            return Arc::clone(known);
        }
        let paths: Arc<[Path]> =
            masked(self.plan(flow, version).as_deref(), self.live(flow).as_deref()).into();
        self.masks.borrow_mut().insert((flow, version), Arc::clone(&paths));
        paths
    }

    fn live(&self, flow: FlowId) -> Option<Arc<Plan>> {
        let owner = self.state.flows.get(&flow)?.integration;
        self.state.integrations.get(&owner)?.live.as_ref()?.plan(flow)
    }

    /// A stored request as it may be shown.
    pub fn shown(&self, id: RequestId) -> rusqlite::Result<Option<StoredRequest>> {
        Ok(head::stored(self.conn, id)?.map(|stored| {
            let paths = self.mask(stored.seed.flow, stored.seed.version);
            StoredRequest { seed: mask::seed(&paths, &stored.seed), ..stored }
        }))
    }

    /// What is hidden in the views of a run: the masked values of its request.
    pub fn traces(&self, run: &Run) -> Traces {
        let request = run.request;
        request.map_or_else(Traces::default, |id| self.traces_of(id, &self.mask(run.flow, run.version)))
    }

    /// What is hidden where it turns up beside a request: its masked values.
    pub fn traces_of(&self, request: RequestId, paths: &[Path]) -> Traces {
        if paths.is_empty() {
            return Traces::default();
        }
        match head::stored(self.conn, request) {
            Ok(Some(stored)) => {
                let judged = self.mask(stored.seed.flow, stored.seed.version);
                let data = request_data(&stored.seed, "", 0, "");
                let all: Vec<Path> = paths.iter().chain(judged.iter()).cloned().collect();
                Traces::of(&all, &data)
            }
            Ok(None) => Traces::default(),
            Err(_) => Traces::unknown(),
        }
    }

    /// Names of a flow's integration and of the flow.
    pub fn names(&self, flow: FlowId) -> (String, String) {
        self.state.names(flow)
    }

    /// The generated endpoint of a flow.
    pub fn endpoint(&self, flow: FlowId) -> String {
        self.state.flows.get(&flow).map(|row| row.endpoint.clone()).unwrap_or_default()
    }
}

/// The masked paths of two plans, each once.
pub(in crate::store) fn masked(one: Option<&Plan>, other: Option<&Plan>) -> Vec<Path> {
    let mut paths: Vec<Path> = Vec::new();
    for plan in [one, other].into_iter().flatten() {
        for path in plan.flow.webhook().map(|hook| &hook.gates.mask).into_iter().flatten() {
            if !paths.contains(path) {
                paths.push(path.clone());
            }
        }
    }
    paths
}
