//! The one door for operators: questions are answered from the store, orders are judged, carried
//! out and written into the audit trail. Console, command line and socket all come in here.

mod breakers;
mod detail;
mod doctor;
mod documents;
mod edit;
mod editing;
mod jobs;
mod keys;
mod lists;
mod pauses;
mod removal;
mod samples;
mod sign;
mod start;
mod study;
mod trail;
mod values;
mod verbs;
mod versions;
pub mod watch;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

pub use watch::Watch;

use crate::feed::{Feed, Stats};
use crate::model::ask::{Answer, Ask, Refusal, Who};
use crate::model::change::Counters;
use crate::model::settings::Settings;
use crate::runner::guard::Guard;
use crate::runner::http::Http;
use crate::scheduler::Hosts;
use crate::store::Store;
use crate::vault::Vault;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use values::Setting;

/// What a desk works with.
#[derive(Clone)]
pub struct Deps {
    /// Rows, and the configuration.
    pub store: Store,
    /// Makes callback tokens again.
    pub vault: Vault,
    /// Figures of the receiver.
    pub stats: Arc<Stats>,
    /// What changed.
    pub feed: Feed,
    /// What the operator set.
    pub settings: Arc<Settings>,
    /// The targets that runs send to; none are known where no runs are carried out.
    pub hosts: Hosts,
}

/// The desk: cheap to clone, safe to share.
#[derive(Clone)]
pub struct Desk {
    deps: Arc<Deps>,
    /// Held while senders' keys are read and swapped: the later reader must be the later writer.
    loading: Arc<tokio::sync::Mutex<()>>,
    /// Plans of many that were shown and may be carried out.
    plans: Arc<verbs::Plans>,
    /// Jobs under way in this process.
    board: Arc<jobs::Board>,
    /// Sends what a person wants sent outside of any run; made when it is first needed.
    http: Arc<OnceLock<Http>>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

impl Desk {
    /// A desk over a store.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        Self {
            deps: Arc::new(deps),
            loading: Arc::default(),
            plans: Arc::default(),
            board: Arc::default(),
            http: Arc::default(),
        }
    }

    /// What sends outside of any run: under the guard of the runner, on connections of its own.
    fn http(&self) -> Result<&Http, Refusal> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let made = Http::new(Guard::new(&self.deps.settings)).map_err(Refusal::failed)?;
        Ok(self.http.get_or_init(|| made))
    }

    /// Answers a question or carries out an order.
    ///
    /// # Errors
    /// What is refused, and why.
    pub async fn answer(&self, who: &Who, ask: Ask) -> Result<Answer, Refusal> {
        if let Some(verb) = order(&ask)
            && (who.read_only || self.deps.settings.read_only)
        {
            return Err(Refusal::refused(
                "read_only",
                format!("{verb} is not possible: this console is read-only (--read-only)"),
            ));
        }
        match ask {
            Ask::Counters => Ok(Answer::Counters(self.counters())),
            Ask::Requests(page) => self.requests(&page).await,
            Ask::Runs(page) => self.runs(&page).await,
            Ask::RunsById { ids } => self.runs_by_id(&ids).await,
            Ask::Callbacks(page) => self.callbacks(&page).await,
            Ask::Urgent { filter, limit } => self.urgent(&filter, limit).await,
            Ask::Groups => Ok(Answer::Groups { groups: self.deps.store.groups().await? }),
            Ask::Audit(page) => self.trail(&page).await,
            Ask::Request { id } => self.request(&id).await,
            Ask::Explain { id } => self.explain(&id).await,
            Ask::Run { id } => self.run(&id).await,
            Ask::Callback { id, reveal } => self.callback(who, &id, reveal).await,
            Ask::Alerts => Ok(Answer::Alerts { alerts: self.deps.store.told_alerts().await? }),
            Ask::Endpoints => Ok(Answer::Endpoints { endpoints: self.deps.store.endpoints().await? }),
            Ask::Integrations => {
                let store = &self.deps.store;
                let integrations = store.with_traffic(store.with_ticks(store.integrations()).await?).await?;
                Ok(Answer::Integrations { integrations })
            }
            Ask::Integration { name } => self.integration(&name).await,
            Ask::Export { name, version } => self.export(&name, version).await,
            Ask::History { name, limit } => self.history(&name, limit).await,
            Ask::Diff { name, from, to } => self.diff(&name, from, to).await,
            Ask::Apply(apply) => self.apply(who, apply).await,
            Ask::Edit(editing) => self.edit(who, *editing).await,
            Ask::Rollback(rollback) => self.rollback(who, rollback).await,
            Ask::Deploy { name, seen, reason, dry_run } => {
                self.unchanged(&name, seen)?;
                self.deploy(who, &name, reason.as_deref(), dry_run).await
            }
            Ask::Remove { name, reason, dry_run } => {
                self.remove(who, &name, reason.as_deref(), dry_run).await
            }
            Ask::Set { name, values, secret, reason, dry_run } => {
                self.set(who, Setting { name, values, secret, reason, dry_run }).await
            }
            Ask::Act(act) => self.act(who, *act).await,
            Ask::Jobs { before, limit } => self.jobs(before.as_deref(), limit).await,
            Ask::Job { id } => self.job(&id).await,
            Ask::Pieces { id, from, limit } => self.pieces(&id, from, limit).await,
            Ask::StopJob { id, reason, dry_run } => self.stop_job(who, &id, reason.as_deref(), dry_run).await,
            Ask::ResumeJob { id, reason, dry_run } => {
                self.resume_job(who, &id, reason.as_deref(), dry_run).await
            }
            Ask::Keys => self.keys().await,
            Ask::AddKey(add) => self.add_key(who, *add).await,
            Ask::RemoveKey { name, reason, dry_run } => {
                self.remove_key(who, &name, reason.as_deref(), dry_run).await
            }
            Ask::Token(new) => self.token(who, new).await,
            Ask::Sign(sign) => self.sign(who, sign).await,
            Ask::Start(start) => self.start(who, start).await,
            Ask::Pause(order) => self.pause(who, order).await,
            Ask::LoadSamples => self.load_samples(who).await,
            Ask::Doctor => self.doctor().await,
            Ask::Overview { span } => Ok(Answer::Overview(Box::new(self.deps.store.overview(span).await?))),
            Ask::Study(study) => self.study(who, study).await,
        }
    }

    /// The header's figures as they are now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        counters(&self.deps, &self.board)
    }

    /// Watches what changes. Take it before the first page is read, and nothing falls in between.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let (deps, board) = (Arc::clone(&self.deps), Arc::clone(&self.board));
        Watch::new(self.deps.feed.watch(), self.deps.store.ids().clone(), move || counters(&deps, &board))
    }
}

/// The word for an order, which a read-only console may not give; `None` for a question.
fn order(ask: &Ask) -> Option<&'static str> {
    match ask {
        Ask::Counters
        | Ask::Requests(_)
        | Ask::Runs(_)
        | Ask::RunsById { .. }
        | Ask::Callbacks(_)
        | Ask::Urgent { .. }
        | Ask::Groups
        | Ask::Audit(_)
        | Ask::Request { .. }
        | Ask::Explain { .. }
        | Ask::Run { .. }
        | Ask::Alerts
        | Ask::Endpoints
        | Ask::Integrations
        | Ask::Integration { .. }
        | Ask::Export { .. }
        | Ask::History { .. }
        | Ask::Diff { .. }
        | Ask::Keys
        | Ask::Jobs { .. }
        | Ask::Job { .. }
        | Ask::Pieces { .. }
        | Ask::Doctor
        | Ask::Overview { .. }
        | Ask::Callback { reveal: false, .. } => None,
        Ask::Callback { reveal: true, .. } => Some("showing the URL"),
        Ask::Study(study) => study.order(),
        Ask::Apply(_) => Some("apply"),
        Ask::Edit(editing) => editing.order(),
        Ask::Deploy { .. } => Some("deploy"),
        Ask::Remove { .. } => Some("remove"),
        Ask::Rollback(_) => Some("rollback"),
        Ask::Set { .. } => Some("set"),
        Ask::Act(act) => Some(act.verb.word()),
        Ask::StopJob { .. } => Some("stopping a job"),
        Ask::ResumeJob { .. } => Some("resuming a job"),
        Ask::AddKey(_) => Some("key add"),
        Ask::RemoveKey { .. } => Some("key rm"),
        Ask::Token(_) => Some("token"),
        Ask::Sign(_) => Some("signing"),
        Ask::Start(_) => Some("starting a run"),
        Ask::Pause(order) => Some(order.word()),
        Ask::LoadSamples => Some("loading the samples"),
    }
}

/// What the store knows, and what it leaves to others.
fn counters(deps: &Deps, board: &jobs::Board) -> Counters {
    let counters = deps.store.counters();
    let state = deps.store.configured();
    let integrations = state.integrations.values().filter(|holding| !holding.removed).count();
    Counters {
        listen: deps.settings.listen.to_string(),
        probe: deps.stats.probe(),
        promised: deps.stats.promised.load(Ordering::Relaxed),
        stopping: counters.stopping || deps.stats.stopping.load(Ordering::Relaxed),
        integrations: integrations as u64,
        paused: state.paused(counters.at),
        breakers: breakers::figures(deps),
        jobs: board.figures(),
        ..counters
    }
}
