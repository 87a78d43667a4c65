//! The configuration as [`Store`] gives it: routes, plans and values as of now, and the verbs that
//! change it. A verb commits first, then the state in memory is read again and swapped, then those
//! who watch are told.

use super::{Act, ConfigError, values};
use crate::model::change::Change;
use crate::model::document::Trigger;
use crate::model::gate::Pause;
use crate::model::{FlowId, IntegrationId, Map};
use crate::rules::plan::Plan;
use crate::rules::secrets::Secrets;
use crate::store::equipment::Equipment;
use crate::store::occasion::Occasion;
use crate::store::registry::{Doc, Routes, Save, Saved, State, random_endpoint, read_doc, url};
use crate::store::{Store, StoreError};
use rusqlite::Connection;
use std::sync::Arc;

impl Store {
    /// Everything that is configured, as of now.
    #[must_use]
    pub fn configured(&self) -> Arc<State> {
        self.inner.registry.state()
    }

    /// The routes as of now.
    #[must_use]
    pub fn routes(&self) -> Arc<Routes> {
        self.inner.registry.state().routes.clone()
    }

    /// The plan of a flow at a version; compiled when it is first asked for. A version that is
    /// neither live nor newest is read from the store then: a point read on this thread.
    #[must_use]
    pub fn plan(&self, flow: FlowId, version: u32) -> Option<Arc<Plan>> {
        let owner = self.inner.registry.state().flows.get(&flow)?.integration;
        self.doc(owner, version)?.plan(flow)
    }

    /// A version of an integration, read and checked; `None` where there is none, or where this
    /// program refuses its text.
    #[must_use]
    pub fn doc(&self, integration: IntegrationId, version: u32) -> Option<Arc<Doc>> {
        let globals = self.inner.registry.equipment().connections;
        let read = || self.inner.pool.read_here(|conn| read_doc(conn, integration, version, &globals));
        self.inner.registry.doc(integration, version, read).ok().flatten()
    }

    /// The deployed version's plan of a flow.
    #[must_use]
    pub fn deployed_plan(&self, flow: FlowId) -> Option<Arc<Plan>> {
        let state = self.inner.registry.state();
        let holding = state.integrations.get(&state.flows.get(&flow)?.integration)?;
        // The flow that a removal begins is live from then on, for its run is retried and replayed.
        let plan = holding.live.as_ref()?.plan(flow);
        plan.filter(|plan| !holding.removed || plan.flow.trigger == Trigger::Remove)
    }

    /// The newest version's plan of a flow, whether it was deployed or not.
    #[must_use]
    pub fn draft_plan(&self, flow: FlowId) -> Option<Arc<Plan>> {
        let state = self.inner.registry.state();
        let holding = state.integrations.get(&state.flows.get(&flow)?.integration)?;
        if holding.removed { None } else { holding.newest.as_ref()?.plan(flow) }
    }

    /// Values of an integration's open variables: set, else the default.
    #[must_use]
    pub fn values(&self, integration: IntegrationId) -> Arc<Map> {
        let state = self.inner.registry.state();
        state.integrations.get(&integration).map(|holding| holding.values.clone()).unwrap_or_default()
    }

    /// The same, where the defaults of the newest version go before those of the live one: what a draft
    /// would see.
    #[must_use]
    pub fn draft_values(&self, integration: IntegrationId) -> Arc<Map> {
        let state = self.inner.registry.state();
        let Some(holding) = state.integrations.get(&integration) else { return Arc::default() };
        Arc::new(values::open(&[holding.newest.as_ref(), holding.live.as_ref()], &holding.set))
    }

    /// Values of an integration's secret variables.
    #[must_use]
    pub fn secrets(&self, integration: IntegrationId) -> Arc<Secrets> {
        let state = self.inner.registry.state();
        state.integrations.get(&integration).map(|holding| holding.secrets.clone()).unwrap_or_default()
    }

    /// `webhook_urls` of an integration: flow name → URL.
    #[must_use]
    pub fn webhook_urls(&self, integration: IntegrationId) -> Arc<Map> {
        let state = self.inner.registry.state();
        let holding = state.integrations.get(&integration);
        holding.map(|holding| holding.urls(&self.inner.public_url)).unwrap_or_default()
    }

    /// The absolute URL of an endpoint or alias.
    #[must_use]
    pub fn endpoint_url(&self, name: &str) -> String {
        url(&self.inner.public_url, name)
    }

    /// Aliases and their owners, but for those of one integration: for `rules::check`.
    #[must_use]
    pub fn paths_but(&self, name: &str) -> Vec<(String, String)> {
        let state = self.inner.registry.state();
        let mut paths = Vec::new();
        for holding in state.integrations.values().filter(|holding| !holding.removed && holding.name != name)
        {
            for doc in [&holding.live, &holding.newest].into_iter().flatten() {
                for flow in &doc.flows {
                    if let Some(path) = &flow.path
                        && !paths.iter().any(|(other, _)| other == path)
                    {
                        paths.push((path.clone(), format!("{} / {}", holding.name, flow.name)));
                    }
                }
            }
        }
        paths
    }

    /// Saves documents and deploys them, in one transaction: all or none. The newest version's text
    /// saved again makes no version; where a required variable of one of them has no value, all are
    /// kept as drafts.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where an alias is taken or two documents have one name; see
    /// [`StoreError`].
    pub async fn save(
        &self,
        documents: Vec<Save>,
        author: &str,
        reason: Option<&str>,
        deploy: bool,
    ) -> Result<Vec<Saved>, StoreError> {
        let (author, reason, now) = (author.to_owned(), reason.map(str::to_owned), self.now());
        let flows = documents.iter().map(|save| save.integration.flows.len()).sum();
        let mut endpoints = Vec::with_capacity(flows);
        for _ in 0..flows {
            endpoints.push(random_endpoint().map_err(|error| StoreError::Down(error.to_string()))?);
        }
        self.configure_runs(move |conn, begin| {
            let act = Act { author: &author, reason: reason.as_deref(), now };
            let mut all =
                super::save(conn, &documents, act, deploy, &mut || endpoints.pop().unwrap_or_default())?;
            all.iter_mut().flat_map(|saved| &mut saved.begins).try_for_each(begin)?;
            Ok(all)
        })
        .await
    }

    /// Makes the newest version of an integration the live one.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is none of that name, or this program refuses its text,
    /// or an alias is taken; see [`StoreError`].
    pub async fn deploy(&self, name: &str, author: &str, reason: Option<&str>) -> Result<Saved, StoreError> {
        let state = self.configured();
        let holding = state.by_name(name).ok_or_else(|| StoreError::Refused(unknown(name)))?;
        let Some(newest) = holding.newest.clone() else {
            return Err(StoreError::Refused(format!(
                "v{} of {name} is not a document that this version of the program takes",
                holding.latest
            )));
        };
        let (author, reason, now) = (author.to_owned(), reason.map(str::to_owned), self.now());
        self.configure_runs(move |conn, begin| {
            let current: u32 = conn.query_row(
                "SELECT coalesce(max(number), 0) FROM version WHERE integration = ?1",
                [newest.owner().0],
                |row| row.get(0),
            )?;
            if current != newest.number {
                let name = &newest.integration.name;
                return Err(ConfigError::Refused(format!("{name} was saved meanwhile: v{current}")));
            }
            let act = Act { author: &author, reason: reason.as_deref(), now };
            let mut saved = super::deploy(conn, &newest.integration, act)?;
            saved.begins.iter_mut().try_for_each(begin)?;
            Ok(saved)
        })
        .await
    }

    /// Removes an integration for good: its endpoints answer 410, its open runs go on to their end,
    /// and its name is free for a new one. Its flows that begin with a removal, and their runs.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is none of that name; see [`StoreError`].
    pub async fn remove(
        &self,
        name: &str,
        author: &str,
        reason: Option<&str>,
    ) -> Result<Vec<Occasion>, StoreError> {
        let (name, author) = (name.to_owned(), author.to_owned());
        let (reason, now) = (reason.map(str::to_owned), self.now());
        let globals = self.inner.registry.equipment().connections;
        self.configure_runs(move |conn, begin| {
            let act = Act { author: &author, reason: reason.as_deref(), now };
            let mut begins = super::remove(conn, &name, &globals, act)?;
            begins.iter_mut().try_for_each(begin)?;
            Ok(begins)
        })
        .await
    }

    /// Sets values of variables, already typed (see [`super::values::typed`]); `null` takes one away,
    /// so that the default counts again. They count for steps that start from then on.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is no integration of that name; see [`StoreError`].
    pub async fn set_values(
        &self,
        name: &str,
        values: Vec<(String, values::SetValue)>,
        author: &str,
    ) -> Result<(), StoreError> {
        let (name, author, now) = (name.to_owned(), author.to_owned(), self.now());
        self.configure(move |conn| {
            super::set_values(conn, &name, &values, Act { author: &author, reason: None, now })
        })
        .await
    }

    /// Sets or ends the pause of an integration or of one of its flows.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is no integration of that name; see [`StoreError`].
    pub async fn pause(
        &self,
        name: &str,
        flow: Option<FlowId>,
        pause: Option<Pause>,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.configure(move |conn| super::pause(conn, &name, flow, pause)).await
    }

    /// Gives the store what it has not itself: what opens secrets, and the operator's connections. All
    /// documents are then read anew. To be called before anything runs.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn equip(&self, equipment: Equipment) -> Result<(), StoreError> {
        let store = self.clone();
        self.read(move |conn| store.inner.registry.equip(conn, equipment)).await
    }

    pub(super) async fn configure<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, ConfigError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.configure_runs(move |conn, _| f(conn)).await
    }

    /// Changes the configuration; what `f` is given begins the run of an occasion in the same
    /// transaction.
    pub(super) async fn configure_runs<T: Send + 'static>(
        &self,
        f: impl FnOnce(
            &Connection,
            &mut dyn FnMut(&mut Occasion) -> rusqlite::Result<()>,
        ) -> Result<T, ConfigError>
        + Send
        + 'static,
    ) -> Result<T, StoreError> {
        let under_way = self.change_begins();
        let result = self
            .write_runs(Vec::new(), move |tx, state, batch| {
                match f(tx, &mut |occasion| state.begin(tx, occasion, batch)) {
                    Ok(done) => Ok(Ok(done)),
                    Err(ConfigError::Refused(why)) => Ok(Err(why)),
                    Err(ConfigError::Sql(error)) => Err(error),
                }
            })
            .await?;
        let done = result.map_err(StoreError::Refused)?;
        let store = self.clone();
        self.read(move |conn| store.inner.registry.reload(conn)).await?;
        drop(under_way);
        self.inner.feed.publish(|| Arc::from([Change::Config]));
        // A lane may have got room, a hold its end, or a run that began with it its URLs.
        self.inner.links.due.notify_one();
        Ok(done)
    }
}

pub(super) fn unknown(name: &str) -> String {
    format!("there is no integration {name}")
}
