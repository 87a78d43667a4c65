//! What is told of trouble. Everything is derived from rows: the error groups, the breakers, the
//! counts of requests say how things stand, the rows of `alert` what was told of it.
//!
//! A look reads both and lets [`judge`] decide; where something is to be told, it is judged again
//! within the writer's transaction, which then holds what is remembered together with what is sent:
//! a post that waits for its URL, or the run of a flow. So whatever becomes of the process, nothing
//! is told twice, and what was not told is found at the next look.
//!
//! | file | holds |
//! |---|---|
//! | `rules` | what the live versions ask for, and what a deploy makes of it |
//! | `causes` | how things stand |
//! | `silences` | endpoints and their last requests |
//! | `posts` | what waits for its URL |
//! | `views`, `told` | how it is shown |

mod causes;
mod posts;
mod rules;
mod silences;
mod told;
mod views;

pub use causes::BreakerMove;
pub use posts::{Delivery, Post};
pub use silences::{Silence, Watched};

pub(super) use rules::{deployed, removed};

use super::occasion::Occasion;
use super::state::{Batch, State};
use super::{Store, StoreError};
use crate::model::alert::{AlertKind, AlertLine, SilentView};
use crate::model::request::Marks;
use crate::model::{AlertId, IdKey, Ms};
use crate::rules::alert::letter::Letter;
use crate::rules::alert::post::WAITING;
use crate::rules::alert::{Memory, Verdict, after, judge};
use causes::Cause;
use rules::{Rule, To};
use rusqlite::{Connection, Result, params};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// What is told in one transaction at most.
const AT_ONCE: usize = 64;
/// Lines that are remembered for those who watch.
const LINES: usize = 256;

/// Wakes those who look and those who send.
#[derive(Debug, Default)]
pub(in crate::store) struct Signals {
    /// An error group changed since the last look.
    changed: AtomicBool,
    look: Notify,
    post: Notify,
    lines: Mutex<(u64, VecDeque<AlertLine>)>,
    line: Notify,
    silent: Mutex<Vec<SilentView>>,
}

impl Signals {
    /// A run came into an error group, or left one.
    pub(in crate::store) fn causes(&self) {
        self.changed.store(true, Ordering::Release);
        self.look.notify_one();
    }

    /// Endpoints that were told to be silent.
    pub(in crate::store) fn silent(&self) -> Vec<SilentView> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn are_silent(&self, all: Vec<SilentView>) {
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }

    fn told(&self, at: Ms, text: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.0 += 1;
        let seq = lines.0;
        if lines.1.len() >= LINES {
            lines.1.pop_front();
        }
        lines.1.push_back(AlertLine { seq, at, text });
        drop(lines);
        self.line.notify_one();
    }
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Looked {
    /// When something may be told that may not now.
    pub next: Option<Ms>,
    /// An endpoint was told to be silent: its next request is waited for.
    pub silent: bool,
}

/// What a look found, and what it asks for.
#[derive(Debug)]
struct Found {
    tellings: Vec<Telling>,
    looked: Looked,
    silent: Vec<SilentView>,
}

/// Something to tell, or to forget.
#[derive(Debug)]
struct Telling {
    rule: usize,
    cause: Cause,
    verdict: Verdict,
    memory: Option<Memory>,
}

impl Store {
    /// Looks how things stand, and tells what is to be told: as posts that wait ([`Store::alert_posts`])
    /// and as runs that begin. `silences` is what [`Store::silences`] found.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn look_for_trouble(&self, silences: Vec<Silence>) -> std::result::Result<Looked, StoreError> {
        // What is missed while the store is in trouble is told later.
        if self.takes_no_writes().is_some() {
            return Ok(Looked { next: Some(self.now()), silent: true });
        }
        self.inner.links.alerts.changed.store(false, Ordering::Release);
        let rules = rules::of(&self.configured());
        if rules.is_empty() {
            self.inner.links.alerts.are_silent(Vec::new());
            return Ok(Looked::default());
        }
        let now = self.now();
        let look = {
            let (rules, silences) = (rules.clone(), silences.clone());
            move |conn: &Connection| decide(conn, &rules, &silences, now)
        };
        let Found { tellings, looked, silent } =
            self.read(look).await.inspect_err(|_| self.inner.links.alerts.causes())?;
        if tellings.is_empty() {
            self.inner.links.alerts.are_silent(silent);
            return Ok(looked);
        }
        let ids = self.ids().clone();
        let (lines, looked, silent) = self
            .write_runs(Vec::new(), move |tx, state, batch| {
                // Again: a run may have moved since, or a version been deployed.
                let Found { tellings, looked, silent } = decide(tx, &rules, &silences, batch.now)?;
                let mut lines = Vec::new();
                for telling in tellings {
                    lines.extend(tell(tx, state, batch, &ids, &rules[telling.rule], &telling)?);
                }
                Ok((lines, looked, silent))
            })
            .await
            .inspect_err(|_| self.inner.links.alerts.causes())?;
        self.inner.links.alerts.are_silent(silent);
        for line in lines {
            self.inner.links.alerts.told(now, line);
        }
        self.inner.links.alerts.post.notify_one();
        Ok(looked)
    }

    /// Whether an error group changed since the last look.
    #[must_use]
    pub fn trouble_changed(&self) -> bool {
        self.inner.links.alerts.changed.load(Ordering::Acquire)
    }

    /// Waits until an error group changed.
    pub async fn trouble(&self) {
        self.inner.links.alerts.look.notified().await;
    }

    /// A post was dealt with: the next one to its receiver may leave.
    pub fn alert_posts_again(&self) {
        self.inner.links.alerts.post.notify_one();
    }

    /// Waits until a post may be there.
    pub async fn alert_posted(&self) {
        self.inner.links.alerts.post.notified().await;
    }

    /// Waits until something was told, or could not be delivered; for one who watches.
    pub async fn alert_told(&self) {
        self.inner.links.alerts.line.notified().await;
    }

    /// What was told, or could not be delivered, after a number; the last of it, oldest first.
    #[must_use]
    pub fn alert_lines(&self, after: u64) -> Vec<AlertLine> {
        let lines = self.inner.links.alerts.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.1.iter().filter(|line| line.seq > after).cloned().collect()
    }
}

/// What is to be told now, and when to look again.
fn decide(conn: &Connection, rules: &[Rule], silences: &[Silence], now: Ms) -> Result<Found> {
    let (mut tellings, mut looked) = (Vec::new(), Looked::default());
    let mut later = |at: Ms| looked.next = Some(looked.next.map_or(at, |next: Ms| next.min(at)));
    let mut silent: Vec<SilentView> = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let full = posts::waiting(conn, rule)? >= WAITING;
        for kind in &rule.on {
            // Of a rule that is not deployed any more nothing is told.
            let Some(since) = rules::since(conn, rule, *kind)? else { continue };
            for (cause, memory) in causes::of(conn, rule, *kind, silences, now)? {
                let verdict = judge(memory.as_ref(), cause.trouble, since, rule.quiet, now);
                let open = memory.is_some_and(|memory| memory.open);
                let told = matches!(verdict, Verdict::Open { .. });
                if *kind == AlertKind::Silent && (told || open && verdict != Verdict::Recovered) {
                    let view = causes::silent_view(rule, &cause);
                    if !silent.contains(&view) {
                        silent.push(view);
                    }
                }
                match verdict {
                    Verdict::Nothing => {}
                    Verdict::Later(at) => later(at),
                    Verdict::Open { .. } | Verdict::Recovered if full => later(now + 1_000),
                    _ if tellings.len() >= AT_ONCE => later(now),
                    Verdict::Open { .. } | Verdict::Recovered | Verdict::Forget => {
                        tellings.push(Telling { rule: at, cause, verdict, memory });
                    }
                }
            }
        }
    }
    looked.silent = !silent.is_empty();
    silent.truncate(SilentView::SHOWN);
    Ok(Found { tellings, looked, silent })
}

/// Writes what is remembered and what is sent; a line of it for those who watch.
fn tell(
    conn: &Connection,
    state: &mut State,
    batch: &mut Batch,
    ids: &IdKey,
    rule: &Rule,
    telling: &Telling,
) -> Result<Option<String>> {
    let Telling { cause, verdict, memory, .. } = telling;
    causes::remember(conn, rule, cause, after(memory.as_ref(), *verdict, cause.trouble, batch.now))?;
    let (recovered, new) = match verdict {
        Verdict::Open { new } => (false, *new),
        Verdict::Recovered => (true, 0),
        Verdict::Nothing | Verdict::Later(_) | Verdict::Forget => return Ok(None),
    };
    let id = AlertId(state.ids.next(batch.now));
    let letter = Letter {
        id: ids.print(id),
        recovered,
        at: batch.now,
        new,
        ..causes::letter(conn, ids, rule, cause)?
    };
    let body = letter.document(cause.kind);
    conn.prepare_cached("UPDATE alert_place SET told = ?3 WHERE integration = ?1 AND place = ?2")?
        .execute(params![rule.integration.0, rule.place, batch.now])?;
    match &rule.to {
        To::Url(_) => posts::put(conn, rule, id, &body.to_string(), batch.now)?,
        To::Flow { flow, name, version } => {
            let mut occasion = Occasion {
                flow: *flow,
                name: name.clone(),
                version: *version,
                mark: Marks::ALERT,
                body,
                actor: None,
                run: None,
            };
            state.begin(conn, &mut occasion, batch)?;
        }
    }
    let word = if recovered { "recovered" } else { "open" };
    let (kind, said) = (cause.kind.word(), letter.sentence(cause.kind));
    Ok(Some(format!("{kind} {word} to {}: {said}", rule.to.shown())))
}
