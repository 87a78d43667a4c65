//! One look into the store: a reader's connection and the configuration as of its beginning.

use crate::model::{FlowId, IdKey, Ms, RequestId, RunId};
use crate::rules::plan::Plan;
use crate::store::Store;
use crate::store::registry::{State, read_doc};
use rusqlite::Connection;
use std::sync::Arc;

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
}

impl<'a> Look<'a> {
    /// Begins.
    pub fn new(conn: &'a Connection, store: &'a Store) -> Self {
        Self { conn, store, state: store.configured(), now: store.now() }
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
        let doc = self.store.inner.registry.doc(owner, version, || read_doc(self.conn, owner, version));
        doc.ok().flatten()?.plan(flow)
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
