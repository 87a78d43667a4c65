//! What is deployed: routes for the receiver, compiled plans for the runner, values for templates.

use super::{Store, StoreError};
use crate::model::document::Integration;
use crate::model::{FlowId, IntegrationId, Map};
use crate::rules::plan::Plan;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// Where an endpoint leads.
#[derive(Debug, Clone)]
pub enum Route {
    /// To a flow.
    Live(Arc<Plan>),
    /// The flow or its integration was removed: 410.
    Removed(FlowId),
    /// Saved, never deployed: 404.
    Draft(FlowId),
}

/// All endpoints and aliases; immutable, swapped as a whole by deploy and removal.
#[derive(Debug, Default)]
pub struct Routes {
    /// By generated id, and by alias.
    pub by_name: HashMap<String, Route>,
}

/// A document to save.
#[derive(Debug, Clone)]
pub struct Save {
    /// Checked.
    pub integration: Integration,
    /// As written.
    pub source: String,
}

/// What saving did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The integration's name.
    pub name: String,
    /// The version that it made (or already had, where nothing changed).
    pub version: u32,
    /// Whether anything changed.
    pub changed: bool,
    /// Required variables without a value: the deploy was refused, a draft was kept.
    pub unset: Vec<String>,
    /// Whether it is live now.
    pub deployed: bool,
}

impl Store {
    /// The routes as of now.
    #[must_use]
    pub fn routes(&self) -> Arc<Routes> {
        todo!()
    }

    /// The plan of a flow at a version; compiled when it is first asked for.
    #[must_use]
    pub fn plan(&self, _flow: FlowId, _version: u32) -> Option<Arc<Plan>> {
        todo!()
    }

    /// The deployed version's plan of a flow.
    #[must_use]
    pub fn deployed_plan(&self, _flow: FlowId) -> Option<Arc<Plan>> {
        todo!()
    }

    /// Values of an integration's variables: set, else the default.
    #[must_use]
    pub fn values(&self, _integration: IntegrationId) -> Arc<Map> {
        todo!()
    }

    /// `webhook_urls` of an integration: flow name → URL.
    #[must_use]
    pub fn webhook_urls(&self, _integration: IntegrationId) -> Arc<Map> {
        todo!()
    }

    /// Aliases and their owners, but for those of one integration: for `rules::check`.
    #[must_use]
    pub fn paths_but(&self, _name: &str) -> Vec<(String, String)> {
        todo!()
    }

    /// Saves documents and deploys them, in one transaction: all or none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn save(
        &self,
        _documents: Vec<Save>,
        _author: &str,
        _reason: Option<&str>,
        _deploy: bool,
    ) -> Result<Vec<Saved>, StoreError> {
        todo!()
    }

    /// Sets values of variables, already typed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn set_values(
        &self,
        _name: &str,
        _values: Vec<(String, Value)>,
        _author: &str,
    ) -> Result<(), StoreError> {
        todo!()
    }
}

/// What is kept of the configuration in memory.
#[derive(Debug, Default)]
pub(in crate::store) struct Registry {}

impl Registry {
    /// Reads it when the store is opened.
    ///
    /// # Errors
    /// Whatever `SQLite` says.
    pub(in crate::store) fn load(_conn: &rusqlite::Connection) -> rusqlite::Result<Self> {
        Ok(Self {})
    }
}
