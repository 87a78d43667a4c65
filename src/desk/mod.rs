//! The one door for operators: questions are answered from the store, orders are judged, carried
//! out and written into the audit trail. Console, command line and socket all come in here.

mod breakers;
mod company;
mod deploying;
mod detail;
mod doctor;
mod documents;
mod edit;
mod editing;
mod jobs;
mod keys;
mod lists;
mod operators;
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

pub use operators::Pass;
pub use watch::{Resumed, Watch};

use crate::feed::{Caught, Feed, Mailbox, Place, Stats};
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
    /// Who may come in over the operators' API.
    guests: Arc<operators::Guests>,
    /// Who is here.
    company: Arc<company::Company>,
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
            guests: Arc::default(),
            company: Arc::default(),
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

    /// Answers a question or carries out an order, and tells those who are here of it.
    ///
    /// # Errors
    /// What is refused, and why.
    pub async fn answer(&self, who: &Who, ask: Ask) -> Result<Answer, Refusal> {
        let subject = company::Subject::of(&ask);
        let answer = self.carry(who, ask).await?;
        if let Some(subject) = subject {
            self.tell(who, subject, &answer);
        }
        Ok(answer)
    }

    async fn carry(&self, who: &Who, ask: Ask) -> Result<Answer, Refusal> {
        let bound = Who { read_only: who.read_only || self.deps.settings.read_only, ..who.clone() };
        bound.may(&ask)?;
        match ask {
            Ask::Counters => Ok(Answer::Counters(self.counters())),
            Ask::Requests(page) => self.requests(&page).await,
            Ask::Runs(page) => self.runs(&page).await,
            Ask::RunsById { ids } => self.runs_among(&ids, "").await,
            Ask::RunsAmong { ids, filter } => self.runs_among(&ids, &filter).await,
            Ask::Callbacks(page) => self.callbacks(&page).await,
            Ask::Urgent { filter, limit } => self.urgent(&filter, limit).await,
            Ask::Groups => Ok(Answer::Groups { groups: self.deps.store.groups().await? }),
            Ask::Group { id } => Ok(Answer::Group(self.deps.store.group_figures(&id).await?)),
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
            Ask::Operators => self.operators().await,
            Ask::AddOperator(add) => self.add_operator(who, add).await,
            Ask::RemoveOperator { name, reason, dry_run } => {
                self.remove_operator(who, &name, reason.as_deref(), dry_run).await
            }
            Ask::Sign(sign) => self.sign(who, sign).await,
            Ask::Start(start) => self.start(who, start).await,
            Ask::Pause(order) => self.pause(who, order).await,
            Ask::LoadSamples { dry_run } => self.load_samples(who, dry_run).await,
            Ask::Here(here) => Ok(self.here(who, &here)),
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

    /// Whether every order is refused, whoever gives it.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.deps.settings.read_only
    }

    /// Watches what changes. Take it before the first page is read, and nothing falls in between.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.watch_at(self.deps.feed.watch())
    }

    /// The same as a console, which others see: `from` says where it is.
    #[must_use]
    pub fn attend(&self, who: &Who, from: &str) -> Watch {
        self.watch().among(self.among(who, from))
    }

    /// The same for a console whose link may be cut: what it missed since a place comes first, and
    /// where that is not known any more, everything is to be read anew.
    #[must_use]
    pub fn resume(&self, who: &Who, from: &str, place: Option<Place>) -> (Watch, Resumed) {
        let (mailbox, caught) = self.deps.feed.watch_from(place);
        let resumed = match (&caught, place) {
            (Caught::Up { missed, .. }, Some(place)) => {
                Resumed::From { seq: place.seq, missed: missed.len() }
            }
            (Caught::TooOld, _) => Resumed::Anew,
            _ => Resumed::Begun,
        };
        (self.watch_at(mailbox).among(self.among(who, from)).missed(caught), resumed)
    }

    fn watch_at(&self, mailbox: Mailbox) -> Watch {
        let (deps, board) = (Arc::clone(&self.deps), Arc::clone(&self.board));
        Watch::new(mailbox, self.deps.store.ids().clone(), move || counters(&deps, &board))
    }
}

/// What the store knows, and what it leaves to others.
fn counters(deps: &Deps, board: &jobs::Board) -> Counters {
    let counters = deps.store.counters();
    let state = deps.store.configured();
    let integrations = state.integrations.values().filter(|holding| !holding.removed).count();
    let (flows, paused) = state.paused(counters.at);
    Counters {
        listen: deps.settings.listen.to_string(),
        probe: deps.stats.probe(),
        promised: deps.stats.promised.load(Ordering::Relaxed),
        stopping: counters.stopping || deps.stats.stopping.load(Ordering::Relaxed),
        integrations: integrations as u64,
        unfinished: state.unfinished(),
        flows,
        paused,
        breakers: breakers::figures(deps),
        jobs: board.figures(),
        ..counters
    }
}
