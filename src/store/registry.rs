//! What is deployed: routes for the receiver, compiled plans for the runner, values for templates.
//!
//! All of it is one immutable [`State`], made from rows and swapped as a whole after the commit that
//! changed them. Versions never change, so what was read and compiled of one is kept.

use super::config::values::{self, SetValue};
use super::config::{self, VersionFlow};
use super::equipment::Equipment;
use super::occasion::Occasion;
use super::query::Reads;
use crate::model::document::{Connection as ConnectionSettings, Integration, Trigger};
use crate::model::gate::{Pause, Pausing};
use crate::model::{FlowId, IntegrationId, Map, Ms, guide};
use crate::rules::check::{Known, check};
use crate::rules::plan::Plan;
use crate::rules::secrets::Secrets;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

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
    /// `concurrency` of flows that bound their runs.
    pub limits: HashMap<FlowId, u32>,
    /// Pauses of flows, and of their integrations.
    pub paused: HashMap<FlowId, Vec<Pause>>,
}

impl Routes {
    /// What the pauses of a flow come to.
    #[must_use]
    pub fn pausing(&self, flow: FlowId, now: impl FnOnce() -> Ms) -> Pausing {
        self.paused.get(&flow).map_or(Pausing::Open, |pauses| Pausing::of(pauses, now()))
    }
}

/// A document to save.
#[derive(Debug, Clone)]
pub struct Save {
    /// Checked.
    pub integration: Integration,
    /// As written; where its `name` is another than the integration's, it is kept with that.
    pub source: String,
    /// The version that it was made from: it is refused where another is the newest.
    pub base: Option<u32>,
}

/// What saving did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The integration's name.
    pub name: String,
    /// The version that it made (or already had, where nothing changed).
    pub version: u32,
    /// Whether anything changed: a version was made, or went live.
    pub changed: bool,
    /// Required variables without a value: the deploy was refused, a draft was kept.
    pub unset: Vec<String>,
    /// Whether it is live now.
    pub deployed: bool,
    /// Flows that begin with it, and their runs.
    pub begins: Vec<Occasion>,
}

/// A version of a document, read.
#[derive(Debug)]
pub struct Doc {
    /// Its number.
    pub number: u32,
    /// When it was saved.
    pub at: Ms,
    /// By whom.
    pub author: String,
    /// What it says.
    pub integration: Integration,
    /// Its flows in the store, in its order.
    pub flows: Vec<VersionFlow>,
    owner: IntegrationId,
    globals: Arc<[ConnectionSettings]>,
    pub(super) guide: Option<u8>,
    plans: Vec<OnceLock<Option<Arc<Plan>>>>,
}

impl Doc {
    /// The plan of a flow, compiled when it is first asked for; `None` where this version does not
    /// have the flow, or what it says does not compile.
    #[must_use]
    pub fn plan(&self, flow: FlowId) -> Option<Arc<Plan>> {
        let at = self.position(flow)?;
        let compile = || {
            let plan =
                Plan::compile_with(self.owner, flow, self.number, &self.integration, at, &self.globals);
            plan.ok().map(Arc::new)
        };
        self.plans.get(at)?.get_or_init(compile).clone()
    }

    /// Whose version it is.
    #[must_use]
    pub fn owner(&self) -> IntegrationId {
        self.owner
    }

    /// The position of a flow in the document.
    #[must_use]
    pub fn position(&self, flow: FlowId) -> Option<usize> {
        self.flows.iter().position(|other| other.flow == flow.0)
    }
}

/// A flow's row.
#[derive(Debug, Clone)]
pub struct FlowRow {
    /// Its number.
    pub id: FlowId,
    /// Whose it is.
    pub integration: IntegrationId,
    /// Its document id.
    pub key: String,
    /// What it is called now.
    pub name: String,
    /// Its generated endpoint.
    pub endpoint: String,
    /// Its alias.
    pub path: Option<String>,
    /// Whether it, or its integration, was removed.
    pub removed: bool,
    /// Its own pause.
    pub pause: Option<Pause>,
}

/// An integration as it stands.
#[derive(Debug)]
pub struct Holding {
    /// Its number.
    pub id: IntegrationId,
    /// Its name.
    pub name: String,
    /// Whether it was removed.
    pub removed: bool,
    /// The pause of all its flows.
    pub pause: Option<Pause>,
    /// The live version.
    pub live: Option<Arc<Doc>>,
    /// The newest version; the live one where there is no draft.
    pub newest: Option<Arc<Doc>>,
    /// The number of the live version, also where it cannot be read.
    pub deployed: Option<u32>,
    /// The number of the newest version.
    pub latest: u32,
    /// Values that were set.
    pub set: BTreeMap<String, SetValue>,
    /// Values in force, but for those of secret variables.
    pub values: Arc<Map>,
    /// Values of secret variables.
    pub secrets: Arc<Secrets>,
    /// Secret variables whose values cannot be opened, and why.
    pub closed: Vec<(String, String)>,
    /// Flow name → generated endpoint, of flows that a webhook triggers.
    endpoints: Vec<(String, String)>,
    urls: OnceLock<Arc<Map>>,
}

impl Holding {
    /// The live version, or the newest where none is live.
    #[must_use]
    pub fn current(&self) -> Option<&Arc<Doc>> {
        self.live.as_ref().or(self.newest.as_ref())
    }

    /// Flow name → URL of the generated endpoint.
    #[must_use]
    pub fn urls(&self, public_url: &str) -> Arc<Map> {
        let urls = || {
            let pairs = self.endpoints.iter();
            Arc::new(pairs.map(|(flow, name)| (flow.clone(), Value::String(url(public_url, name)))).collect())
        };
        self.urls.get_or_init(urls).clone()
    }
}

/// The absolute URL of an endpoint or alias.
#[must_use]
pub fn url(public_url: &str, name: &str) -> String {
    format!("{}/in/{name}", public_url.trim_end_matches('/'))
}

/// Everything that is configured, as of one commit.
#[derive(Debug, Default)]
pub struct State {
    /// Removed ones too: their runs are still shown.
    pub integrations: BTreeMap<IntegrationId, Arc<Holding>>,
    /// Removed ones too.
    pub flows: BTreeMap<FlowId, Arc<FlowRow>>,
    /// For the receiver.
    pub routes: Arc<Routes>,
}

impl State {
    /// The integration of a name that is not removed.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Arc<Holding>> {
        self.integrations.values().find(|holding| !holding.removed && holding.name == name)
    }

    /// Names of a flow's integration and of the flow; both empty where it is not known.
    #[must_use]
    pub fn names(&self, flow: FlowId) -> (String, String) {
        let Some(row) = self.flows.get(&flow) else {
            return (String::new(), String::new());
        };
        let owner = self.integrations.get(&row.integration);
        (owner.map(|holding| holding.name.clone()).unwrap_or_default(), row.name.clone())
    }
}

/// Versions that are kept beside the live and the newest ones.
const OLD_VERSIONS: usize = 256;

/// Holds the [`State`] of a store.
#[derive(Debug, Default)]
pub(in crate::store) struct Registry {
    state: RwLock<Arc<State>>,
    old: Mutex<VecDeque<Arc<Doc>>>,
    equipment: RwLock<Equipment>,
    /// One reload at a time: each reads rows after the commits that came before it.
    loading: Mutex<()>,
    /// What reads remember.
    pub(in crate::store) reads: Reads,
    /// Captures that are open.
    pub(in crate::store) captures: super::captures::Captures,
}

impl Registry {
    /// Reads what is configured.
    ///
    /// # Errors
    /// Whatever `SQLite` says.
    pub(in crate::store) fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let registry = Self::default();
        registry.reload(conn)?;
        Ok(registry)
    }

    /// What is configured now.
    #[must_use]
    pub(in crate::store) fn state(&self) -> Arc<State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads what is configured again, after a commit that changed it, and swaps it in.
    ///
    /// # Errors
    /// Whatever `SQLite` says; the old state then stays.
    pub(in crate::store) fn reload(&self, conn: &Connection) -> rusqlite::Result<()> {
        let _one = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.state();
        let state = self.read(conn, &before)?;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        Ok(())
    }

    /// What whoever opened the store gave it.
    pub(in crate::store) fn equipment(&self) -> Equipment {
        self.equipment.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what it is given, and reads everything anew with it.
    ///
    /// # Errors
    /// Whatever `SQLite` says; the old state then stays.
    pub(in crate::store) fn equip(&self, conn: &Connection, equipment: Equipment) -> rusqlite::Result<()> {
        let _one = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        *self.equipment.write().unwrap_or_else(PoisonError::into_inner) = equipment;
        self.old.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let state = self.read(conn, &State::default())?;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        Ok(())
    }

    /// A version of the integration that a flow belongs to. One that is neither live nor newest is
    /// read with `read` when it is first asked for, and kept (the last 256 of them).
    ///
    /// # Errors
    /// Whatever `read` says.
    pub(in crate::store) fn doc<E>(
        &self,
        owner: IntegrationId,
        version: u32,
        read: impl FnOnce() -> Result<Option<Arc<Doc>>, E>,
    ) -> Result<Option<Arc<Doc>>, E> {
        if let Some(doc) = self.kept(&self.state(), owner, version) {
            return Ok(Some(doc));
        }
        let doc = read()?;
        if let Some(doc) = &doc {
            let mut old = self.old.lock().unwrap_or_else(PoisonError::into_inner);
            if old.len() >= OLD_VERSIONS {
                old.pop_front();
            }
            old.push_back(doc.clone());
        }
        Ok(doc)
    }

    fn kept(&self, state: &State, owner: IntegrationId, version: u32) -> Option<Arc<Doc>> {
        let holding = state.integrations.get(&owner)?;
        let near = [&holding.live, &holding.newest].into_iter().flatten().find(|doc| doc.number == version);
        if let Some(doc) = near {
            return Some(doc.clone());
        }
        let old = self.old.lock().unwrap_or_else(PoisonError::into_inner);
        old.iter().find(|doc| doc.owner == owner && doc.number == version).cloned()
    }

    fn read(&self, conn: &Connection, before: &State) -> rusqlite::Result<State> {
        let equipment = self.equipment();
        let mut state = State::default();
        for row in flow_rows(conn)? {
            state.flows.insert(row.id, Arc::new(row));
        }
        let mut read = conn.prepare_cached(
            "SELECT id, name, deployed, removed, paused, paused_until, hold,
                (SELECT max(number) FROM version WHERE integration = integration.id) FROM integration",
        )?;
        let mut rows = read.query([])?;
        while let Some(row) = rows.next()? {
            let id = IntegrationId(row.get(0)?);
            let deployed: Option<u32> = row.get(2)?;
            let latest: u32 = row.get::<_, Option<u32>>(7)?.unwrap_or(0);
            let doc = |number: u32| match self.kept(before, id, number) {
                Some(doc) => Ok(Some(doc)),
                None => read_doc(conn, id, number, &equipment.connections),
            };
            let newest = doc(latest)?;
            let live = match deployed {
                Some(number) if number == latest => newest.clone(),
                Some(number) => doc(number)?,
                None => None,
            };
            let set = config::set_values_of(conn, id.0)?;
            let docs = [live.as_ref(), newest.as_ref()];
            let (secrets, closed) = values::secrets(&equipment, id, &docs, &set);
            let holding = Holding {
                id,
                name: row.get(1)?,
                removed: row.get::<_, Option<i64>>(3)?.is_some(),
                pause: pause(row, 4)?,
                values: Arc::new(values::open(&docs, &set)),
                secrets: Arc::new(secrets),
                closed,
                endpoints: endpoints(&state, live.as_ref().or(newest.as_ref())),
                urls: OnceLock::new(),
                live,
                newest,
                deployed,
                latest,
                set,
            };
            state.integrations.insert(id, Arc::new(holding));
        }
        state.routes = Arc::new(routes(&state));
        Ok(state)
    }
}

fn endpoints(state: &State, doc: Option<&Arc<Doc>>) -> Vec<(String, String)> {
    let Some(doc) = doc else { return Vec::new() };
    let flows = doc.flows.iter().zip(&doc.integration.flows);
    flows
        .filter(|(_, flow)| matches!(flow.trigger, Trigger::Webhook(_)))
        .filter_map(|(id, flow)| {
            Some((flow.name.clone(), state.flows.get(&FlowId(id.flow))?.endpoint.clone()))
        })
        .collect()
}

/// A random endpoint: 128 bits from the system, URL-safe.
///
/// # Errors
/// The system gives no random bits.
pub fn random_endpoint() -> Result<String, getrandom::Error> {
    use base64::Engine as _;
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bits))
}

fn flow_rows(conn: &Connection) -> rusqlite::Result<Vec<FlowRow>> {
    conn.prepare_cached(
        "SELECT id, integration, slug, name, endpoint, path, removed, paused, paused_until, hold FROM flow",
    )?
    .query_map([], |row| {
        Ok(FlowRow {
            id: FlowId(row.get(0)?),
            integration: IntegrationId(row.get(1)?),
            key: row.get(2)?,
            name: row.get(3)?,
            endpoint: row.get(4)?,
            path: row.get(5)?,
            removed: row.get::<_, Option<i64>>(6)?.is_some(),
            pause: pause(row, 7)?,
        })
    })?
    .collect()
}

/// The columns `paused, paused_until, hold`.
pub(in crate::store) fn pause(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Option<Pause>> {
    let Some(since) = row.get(at)? else { return Ok(None) };
    Ok(Some(Pause { since, until: row.get(at + 1)?, hold: row.get::<_, Option<i64>>(at + 2)?.is_some() }))
}

/// Reads a version; `None` where there is none, or where this program refuses its text.
pub(in crate::store) fn read_doc(
    conn: &Connection,
    owner: IntegrationId,
    number: u32,
    globals: &Arc<[ConnectionSettings]>,
) -> rusqlite::Result<Option<Arc<Doc>>> {
    let row = conn
        .prepare_cached(
            "SELECT v.source, v.flows, v.at, v.author FROM version v
             WHERE v.integration = ?1 AND v.number = ?2",
        )?
        .query_row(params![owner.0, number], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((source, flows, at, author)) = row else { return Ok(None) };
    let Some(integration) = check(&source, &Known::default()).integration else { return Ok(None) };
    let flows: Vec<VersionFlow> = serde_json::from_str(&flows).unwrap_or_default();
    let plans = flows.iter().map(|_| OnceLock::new()).collect();
    let (globals, guide) = (globals.clone(), guide::step(&source));
    Ok(Some(Arc::new(Doc { number, at, author, integration, flows, owner, globals, guide, plans })))
}

/// Generated ids first, then the aliases of live flows, of drafts, and of what was removed: an
/// alias that was freed goes to who has it now.
fn routes(state: &State) -> Routes {
    let mut by_name = HashMap::new();
    let mut paused = HashMap::new();
    let mut limits = HashMap::new();
    let mut aliases = Vec::new();
    for row in state.flows.values() {
        let Some(holding) = state.integrations.get(&row.integration) else { continue };
        let own: Vec<Pause> = [holding.pause, row.pause].into_iter().flatten().collect();
        if !own.is_empty() && !row.removed {
            paused.insert(row.id, own);
        }
        let plan = holding.live.as_ref().and_then(|live| live.plan(row.id));
        // What was removed goes on to its end as it was bound.
        let bound =
            plan.as_ref().and_then(|plan| plan.flow.webhook()).map_or(0, |hook| hook.gates.concurrency);
        if bound > 0 {
            limits.insert(row.id, bound);
        }
        let plan = plan.filter(|_| !holding.removed);
        let (rank, route) = match plan {
            _ if row.removed => (2, Route::Removed(row.id)),
            Some(plan) if matches!(plan.flow.trigger, Trigger::Webhook(_)) => (0, Route::Live(plan)),
            // A flow that no request starts has an endpoint all the same, for the day it gets one.
            _ => (1, Route::Draft(row.id)),
        };
        by_name.insert(row.endpoint.clone(), route.clone());
        if let Some(path) = &row.path {
            aliases.push((rank, path.clone(), route));
        }
    }
    aliases.sort_by_key(|(rank, _, _)| *rank);
    for (_, path, route) in aliases {
        by_name.entry(path).or_insert(route);
    }
    Routes { by_name, limits, paused }
}
