//! Reads that lists, details and filters are made of.
//!
//! Everything is paged by key and bounded: a read transaction takes 20 ms or 2,000 rows, a page a
//! tenth of a second. When its time is up, it answers what it has, with `next` and `partial`, and how
//! far it came.

mod configured;
mod content;
mod explain;
mod groups;
mod head;
mod ids;
mod launches;
mod look;
mod pages;
mod pinned;
mod pluck;
mod probe;
mod progress;
mod reach;
mod recent;
mod rows;
pub mod scan;
mod sources;
mod status;
mod timeline;
mod traffic;
mod under_way;
mod urgent;
mod values;
mod views;
mod walk;
mod what;

use super::apply::refusal;
use super::{Store, StoreError};
use crate::model::ask::{Page, Refusal, Rows};
use crate::model::id::{Kind, Typed};
use crate::model::path::Path;
use crate::model::query::Query;
use crate::model::request::Seed;
use crate::model::view::{
    AuditView, CallbackView, EndpointView, EventView, ExplainView, GroupFigures, GroupView, IntegrationView,
    RequestDetail, RequestView, RunView,
};
use crate::model::{CallbackId, FlowId, Ms, RequestId, RunId};
use crate::rules::mask;
use look::Look;
use reach::Range;
pub use status::RequestStatus;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
pub(in crate::store) use urgent::OVERDUE;
pub(in crate::store) use views::group_name;
use walk::{Budget, Walked, Way};

/// Rows of a page where the asker names no number, and the most that he may name.
const LIMIT: (usize, usize) = (100, 1_000);
/// Ids that [`Store::runs_by_id`] takes.
const BY_ID: usize = 256;
/// Ids that were shown lately and are remembered, so that their endings are understood.
const SHOWN: usize = 4_096;

/// Rows of a page, as they are asked for.
fn bounded(limit: u32) -> usize {
    match limit as usize {
        0 => LIMIT.0,
        limit => limit.min(LIMIT.1),
    }
}

/// What reads remember from one to the next.
#[derive(Debug, Default)]
pub(in crate::store) struct Reads {
    recent: Mutex<recent::Recent>,
    shown: Mutex<VecDeque<(Kind, i64)>>,
}

impl Reads {
    fn remember(&self, kind: Kind, ids: impl Iterator<Item = i64>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            if shown.len() >= SHOWN {
                shown.pop_front();
            }
            shown.push_back((kind, id));
        }
    }

    fn shown(&self, kind: Kind) -> Vec<i64> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.iter().filter(|(other, _)| *other == kind).map(|(_, id)| *id).collect()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        refusal(&error)
    }
}

/// A page of one kind of rows.
type PageOf<T> = fn(&Look<'_>, &Query, Way, &Budget) -> rusqlite::Result<Walked<T>>;

impl Store {
    /// A page of requests.
    ///
    /// # Errors
    /// A cursor that is no id of a request; the store.
    pub async fn page_requests(&self, query: &Query, page: &Page) -> Result<Rows<RequestView>, Refusal> {
        self.page(Kind::Request, query, page, Budget::default(), pages::requests).await
    }

    /// A page of runs, steps without what their attempts sent and got.
    ///
    /// # Errors
    /// A cursor that is no id of a run; the store.
    pub async fn page_runs(&self, query: &Query, page: &Page) -> Result<Rows<RunView>, Refusal> {
        self.page(Kind::Run, query, page, Budget::default(), pages::runs).await
    }

    /// A page of callbacks, newest first (not most urgent first: that is who shows them).
    ///
    /// # Errors
    /// A cursor that is no id of a callback; the store.
    pub async fn page_callbacks(&self, query: &Query, page: &Page) -> Result<Rows<CallbackView>, Refusal> {
        self.page(Kind::Callback, query, page, Budget::default(), pages::callbacks).await
    }

    /// Callbacks, the most urgent first: overdue, then by deadline, then the rest, newest first; at
    /// most `limit`. `partial` where there are more.
    ///
    /// # Errors
    /// The store.
    pub async fn urgent_callbacks(&self, query: &Query, limit: u32) -> Result<Rows<CallbackView>, Refusal> {
        let (query, limit) = (query.clone(), bounded(limit));
        let walked = self.look(move |look| urgent::urgent(look, &query, limit, &Budget::default())).await?;
        let rows = self.told(Kind::Callback, walked);
        Ok(Rows { next: None, ..rows })
    }

    /// What came last in answer to a callback of a step: when, its code and body.
    ///
    /// # Errors
    /// The store.
    pub async fn last_answer(
        &self,
        flow: FlowId,
        step: u32,
    ) -> Result<Option<(Ms, u16, String)>, StoreError> {
        self.look(move |look| urgent::last_answer(look, flow, step)).await
    }

    /// A page of the audit trail.
    ///
    /// # Errors
    /// A cursor that is no id of an audit entry; the store.
    pub async fn page_audit(&self, query: &Query, page: &Page) -> Result<Rows<AuditView>, Refusal> {
        self.page(Kind::Audit, query, page, Budget::default(), pages::audit).await
    }

    async fn page<T: Send + 'static>(
        &self,
        kind: Kind,
        query: &Query,
        page: &Page,
        budget: Budget,
        read: PageOf<T>,
    ) -> Result<Rows<T>, Refusal> {
        let cursor = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => match self.ids().parse_any(text) {
                Some((found, raw)) if found == kind => Ok(Some(raw)),
                _ => Err(Refusal::usage(format!("{text:?} is no id of a {}", kind.word()))),
            },
        };
        let before = cursor(&page.before)?;
        let after = match page.after.as_deref() {
            // From the other end: after nothing.
            Some("") => Some(0),
            _ => cursor(&page.after)?,
        };
        let range = Range {
            low: after.map_or(0, |id| id.saturating_add(1)),
            high: before.map_or(i64::MAX, |id| id.saturating_sub(1)),
        };
        let way = Way { range, forward: after.is_some(), limit: bounded(page.limit) };
        let query = query.clone();
        let walked = self.look(move |look| read(look, &query, way, &budget)).await?;
        Ok(self.told(kind, walked))
    }

    /// Rows as they are answered; their ids are remembered, so that endings of them are understood.
    fn told<T>(&self, kind: Kind, walked: Walked<T>) -> Rows<T> {
        self.inner.registry.reads.remember(kind, walked.rows.iter().map(|(id, _)| *id));
        Rows {
            next: walked.next.map(|raw| self.ids().print_raw(kind, raw)),
            rows: walked.rows.into_iter().map(|(_, row)| row).collect(),
            scanned: walked.scanned,
            partial: walked.partial,
            percent: walked.percent,
            newest: walked.newest.map(|raw| self.ids().print_raw(kind, raw)),
        }
    }

    async fn look<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Look<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        self.read(move |conn| f(&Look::new(conn, &store))).await
    }

    /// Runs by id, in the order that was asked for; those that are gone or do not match are left out.
    ///
    /// # Errors
    /// More than 256; the store.
    pub async fn runs_by_id(&self, runs: &[RunId], query: &Query) -> Result<Rows<RunView>, Refusal> {
        if runs.len() > BY_ID {
            return Err(Refusal::usage(format!("{} runs at once, {BY_ID} are the most", runs.len())));
        }
        let (runs, query) = (runs.to_vec(), query.clone());
        let rows = self.look(move |look| pages::runs_among(look, &query, &runs)).await?;
        Ok(Rows::whole(rows))
    }

    /// Groups of errored runs, most runs first. Their counts add up to the errored runs.
    ///
    /// # Errors
    /// The store.
    pub async fn groups(&self) -> Result<Vec<GroupView>, Refusal> {
        Ok(self.look(groups::groups).await?)
    }

    /// What the runs of a group sent last, and how long the answers took: of the newest of them, as many as
    /// a twentieth of a second has room for.
    ///
    /// # Errors
    /// There is no errored run in it; the store.
    pub async fn group_figures(&self, id: &str) -> Result<GroupFigures, Refusal> {
        let name = id.to_owned();
        let found = self.look(move |look| groups::figures(look, &name)).await?;
        found.ok_or_else(|| Refusal::not_found(format!("there is no group {id} with errored runs")))
    }

    /// A request, whole.
    ///
    /// # Errors
    /// There is none of that id; the store.
    pub async fn request_detail(&self, id: RequestId) -> Result<RequestDetail, Refusal> {
        let found = self.look(move |look| views::request_detail(look, id)).await?;
        found.ok_or_else(|| self.gone(id))
    }

    /// A run, whole, and its timeline, oldest first.
    ///
    /// # Errors
    /// There is none of that id; the store.
    pub async fn run_detail(&self, id: RunId) -> Result<(RunView, Vec<EventView>), Refusal> {
        let found = self
            .look(move |look| {
                let Some(run) = head::run_by_id(look.conn, id)? else { return Ok(None) };
                let journal = head::journal(look.conn, id, true)?;
                let mut view = views::run(look, &run, &journal, true);
                view.callback = urgent::of_run(look, &run)?.map(Box::new);
                if let Some(request) = run.request
                    && let Some((_, body)) = head::content(look.conn, request)?
                {
                    let body = mask::body(&look.mask(run.flow, run.version), &body).into_owned();
                    views::fill_same_bodies(&mut view, &journal, &body);
                }
                let birth = timeline::Birth {
                    at: id.time(),
                    request: view.request.as_deref(),
                    parent: view.parent.as_deref(),
                };
                let plan = look.plan(run.flow, run.version);
                let steps: Vec<String> = plan
                    .map(|plan| plan.flow.steps.iter().map(|step| step.name.clone()).collect())
                    .unwrap_or_default();
                let mut events = timeline::timeline(birth, &run, &steps, &journal);
                let traces = look.traces(&run);
                for event in &mut events {
                    traces.hide_in(&mut event.text);
                }
                Ok(Some((view, events)))
            })
            .await?;
        found.ok_or_else(|| self.gone(id))
    }

    /// What of a flow's requests nobody is shown: by a version, and by the live one.
    #[must_use]
    pub fn masked(&self, flow: FlowId, version: u32) -> Vec<Path> {
        let (own, live) = (self.plan(flow, version), self.deployed_plan(flow));
        look::masked(own.as_deref(), live.as_deref())
    }

    /// A request as it may be shown.
    #[must_use]
    pub fn shown(&self, seed: &Seed) -> Seed {
        mask::seed(&self.masked(seed.flow, seed.version), seed)
    }

    /// Why a request was judged as it was.
    ///
    /// # Errors
    /// There is none of that id; the store.
    pub async fn explain(&self, id: RequestId) -> Result<ExplainView, Refusal> {
        let head = self.look(move |look| head::request_by_id(look.conn, id)).await?;
        let Some(head) = head else { return Err(self.gone(id)) };
        let key = head.dedup.as_deref().and_then(|key| <[u8; 16]>::try_from(key).ok());
        // The judge is asked where it can be; a store that takes no writes still explains by rows.
        let judge = match key {
            Some(key) => self.dedup_entry(key).await.ok(),
            None => None,
        };
        let judge = judge.map(|entry| entry.map(|entry| (entry.first, entry.last_seen)));
        Ok(self.look(move |look| explain::explain(look, &head, judge)).await?)
    }

    /// A callback, with who shall answer it and without its URL.
    ///
    /// # Errors
    /// There is none of that id; the store.
    pub async fn callback_view(&self, id: CallbackId) -> Result<CallbackView, Refusal> {
        let found = self
            .look(move |look| {
                let Some(callback) = head::callback_by_id(look.conn, id)? else { return Ok(None) };
                let run = head::run_by_id(look.conn, callback.run)?;
                urgent::detail(look, &callback, run.as_ref()).map(Some)
            })
            .await?;
        found.ok_or_else(|| self.gone(id))
    }

    /// The live endpoints, by integration and flow.
    ///
    /// # Errors
    /// The store.
    pub async fn endpoints(&self) -> Result<Vec<EndpointView>, Refusal> {
        let views = self
            .look(|look| {
                let flows: Vec<FlowId> = look.state.flows.keys().copied().collect();
                let mut recent =
                    look.store.inner.registry.reads.recent.lock().unwrap_or_else(PoisonError::into_inner);
                let last = recent.look(look.conn, &flows)?;
                Ok(configured::endpoints(&look.state, &look.store.inner.public_url, last, look.now))
            })
            .await?;
        Ok(views)
    }

    /// All integrations, by name.
    #[must_use]
    pub fn integrations(&self) -> Vec<IntegrationView> {
        let state = self.configured();
        let mut views = configured::integrations(&state, &self.inner.public_url, self.now());
        self.count_refusals(&state, &mut views);
        views
    }

    /// One integration; `None` where there is none of that name.
    #[must_use]
    pub fn integration(&self, name: &str) -> Option<IntegrationView> {
        let state = self.configured();
        let mut view =
            configured::integration(&state, &self.inner.public_url, state.by_name(name)?, self.now());
        self.count_refusals(&state, std::slice::from_mut(&mut view));
        Some(view)
    }

    /// The id that was meant: whole, or any unique ending of six or more digits.
    ///
    /// # Errors
    /// It is of another kind; there is none; several end so (they are named).
    pub async fn resolve<T: Typed + Send + 'static>(&self, text: &str) -> Result<T, Refusal> {
        let kind = T::KIND;
        let (digits, mask) = match ids::read(self.ids(), kind, text)? {
            ids::Typed::Whole(raw) => return Ok(T::from_raw(raw)),
            ids::Typed::Ending { digits, mask } => (digits, mask),
        };
        let shown = self.inner.registry.reads.shown(kind);
        let found = self
            .look(move |look| ids::with_ending(look.conn, look.ids(), kind, (digits, mask), &shown))
            .await?;
        ids::only(self.ids(), kind, text, &found).map(T::from_raw)
    }

    fn gone<T: Typed>(&self, id: T) -> Refusal {
        let text = self.ids().print(id);
        // An id tells its store and its time.
        if self.now() - RequestId(id.raw()).time() > self.inner.limits.retention {
            return ids::purged(&text, self.inner.limits.retention);
        }
        ids::unknown(T::KIND, &text)
    }
}

#[cfg(test)]
mod tests;
