//! Which runs or requests a verb acts on: named by their ids, or all that a filter matches now.

use super::super::Desk;
use crate::model::ask::{Act, Object, Page, Refusal, Verb};
use crate::model::id::Kind;
use crate::model::view::CallbackView;
use crate::model::{CallbackId, RequestId, RunId};
use std::collections::HashMap;

/// Objects of one act.
pub const MOST: usize = 100_000;

/// One object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// A run.
    Run(RunId),
    /// A request.
    Request(RequestId),
    /// A callback, and the run that waits for it.
    Callback(CallbackId, RunId),
}

/// A run that a verb moves, and the callback that is meant, where one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aim {
    /// Which run.
    pub run: RunId,
    /// Which of its callbacks.
    pub callback: Option<CallbackId>,
}

impl Target {
    /// What a verb that moves runs would move.
    pub fn aim(self) -> Option<Aim> {
        match self {
            Self::Run(run) => Some(Aim { run, callback: None }),
            Self::Callback(callback, run) => Some(Aim { run, callback: Some(callback) }),
            Self::Request(_) => None,
        }
    }
}

/// Refusals that are kept one by one.
pub const LISTED: usize = 1_000;

/// What a plan of many found.
#[derive(Debug, Default)]
pub struct Planned {
    /// What it would act on, and the `seq` that a run was shown at.
    pub objects: Vec<(Target, Option<i64>)>,
    /// What is refused, and why: the first of them.
    pub refused: Vec<(Target, String)>,
    /// How many are.
    pub left_out: u64,
}

impl Planned {
    /// Something is refused.
    pub fn leave_out(&mut self, target: Target, why: String) {
        self.left_out += 1;
        if self.refused.len() < LISTED {
            self.refused.push((target, why));
        }
    }
}

/// What was chosen.
pub struct Chosen {
    /// Each once, in the order in which they were named, else oldest first: as they came.
    pub targets: Vec<Target>,
    /// The filter, where they were chosen by one.
    pub filter: Option<String>,
    /// What the person was shown of runs: their `seq`.
    seen: HashMap<RunId, i64>,
    /// They were chosen as many, although one may be left of them.
    many: bool,
    /// What the plan refused: it is not tried, and told with what is refused now.
    pub refused: Vec<(Target, String)>,
    /// How much that is.
    pub left_out: u64,
}

impl Chosen {
    /// What a plan of many found.
    pub fn of(planned: Planned, filter: Option<String>) -> Self {
        let Planned { objects, refused, left_out } = planned;
        let run = |(target, seq): &(Target, Option<i64>)| Some((target.aim()?.run, (*seq)?));
        let seen = objects.iter().filter_map(run).collect();
        let targets = objects.into_iter().map(|(target, _)| target).collect();
        Self { targets, filter, seen, many: true, refused, left_out }
    }

    /// The `seq` at which a run was shown; nothing is done where it has moved on.
    pub fn seq(&self, target: Target) -> Option<i64> {
        self.seen.get(&target.aim()?.run).copied()
    }

    /// What was named, or found by a filter.
    fn named(targets: Vec<Target>, filter: Option<String>, seen: HashMap<RunId, i64>, many: bool) -> Self {
        Self { targets, filter, seen, many, refused: Vec::new(), left_out: 0 }
    }

    /// How many, and how they were chosen: `1,209 by filter state:errored`.
    pub fn described(&self) -> String {
        let count = crate::text::count(self.targets.len() as u64);
        match &self.filter {
            Some(filter) => format!("{count} by filter {filter}"),
            None => format!("{count} by id"),
        }
    }

    /// The requests among them.
    pub fn requests(&self) -> Vec<RequestId> {
        let request = |target: &Target| match target {
            Target::Request(id) => Some(*id),
            Target::Run(_) | Target::Callback(..) => None,
        };
        self.targets.iter().filter_map(request).collect()
    }

    /// The one object that was named, where it was one: its refusal is the answer's.
    pub fn one(&self) -> Option<Target> {
        match self.targets.as_slice() {
            [one] if !self.many => Some(*one),
            _ => None,
        }
    }
}

impl Desk {
    /// Finds what an act is about.
    pub(super) async fn choose(&self, act: &Act) -> Result<Chosen, Refusal> {
        if let Some(token) = &act.plan {
            return self.plans.take(token, &act.verb);
        }
        let ids = self.deps.store.ids();
        let seen = act.seen.iter().filter_map(|(id, seq)| Some((ids.parse(id)?, *seq))).collect();
        match (&act.filter, act.ids.as_slice()) {
            (Some(_), [_, ..]) => Err(Refusal::usage("name ids or a filter, not both")),
            (None, []) => {
                let (word, what) = (act.verb.word(), act.verb.object().word());
                Err(Refusal::usage(format!("{word} takes the id of a {what}, or a filter")))
            }
            (Some(filter), []) if filter.trim().is_empty() => Err(Refusal::usage(format!(
                "an empty filter would match everything: say which, for example {} --filter state:errored",
                act.verb.word()
            ))),
            (Some(filter), []) => {
                let targets = self.matching(filter, act.verb.object()).await?;
                Ok(Chosen::named(targets, Some(filter.clone()), seen, true))
            }
            (None, ids) => {
                if ids.len() > MOST {
                    return Err(too_many());
                }
                let mut targets: Vec<Target> = Vec::with_capacity(ids.len());
                for id in ids {
                    let target = self.target(id, &act.verb).await?;
                    if !targets.contains(&target) {
                        targets.push(target);
                    }
                }
                let many = ids.len() > 1;
                Ok(Chosen::named(targets, None, seen, many))
            }
        }
    }

    async fn target(&self, id: &str, verb: &Verb) -> Result<Target, Refusal> {
        let store = &self.deps.store;
        match verb {
            Verb::Replay(_) => {}
            Verb::Forget | Verb::Readmit => return store.resolve(id).await.map(Target::Request),
            Verb::Retry { .. } | Verb::Skip { .. } | Verb::Abort => {
                return store.resolve(id).await.map(Target::Run);
            }
            Verb::Complete { .. } | Verb::Extend { .. } | Verb::Cancel => {
                let id: CallbackId = store.resolve(id).await?;
                let found = store.callback(id).await?;
                let run = found.map(|callback| callback.run);
                return run.map(|run| Target::Callback(id, run)).ok_or_else(|| {
                    Refusal::not_found(format!("there is no callback {}", store.ids().print(id)))
                });
            }
        }
        // A replay takes a request, or a run, which then is the parent.
        if matches!(store.ids().parse_any(id), Some((Kind::Run, _))) {
            return store.resolve(id).await.map(Target::Run);
        }
        match store.resolve(id).await {
            Ok(request) => Ok(Target::Request(request)),
            Err(refusal) if refusal.code == "not_found" => {
                store.resolve(id).await.map(Target::Run).map_err(|_| refusal)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// All that a filter matches among what is there now: what comes while it pages is not in it.
    async fn matching(&self, filter: &str, what: Object) -> Result<Vec<Target>, Refusal> {
        let ids = self.deps.store.ids();
        let upper = self.deps.store.fresh_id();
        let mut page = Page {
            filter: filter.to_owned(),
            before: Some(match what {
                Object::Request => ids.print(RequestId(upper)),
                Object::Run => ids.print(RunId(upper)),
                Object::Callback => ids.print(CallbackId(upper)),
            }),
            limit: 1_000,
            ..Page::default()
        };
        let mut targets = Vec::new();
        loop {
            let next = match what {
                Object::Request => {
                    let rows = self.request_rows(&page).await?;
                    let found = rows.rows.iter().filter_map(|row| ids.parse(&row.id));
                    targets.extend(found.map(Target::Request));
                    rows.next
                }
                Object::Run => {
                    let rows = self.run_rows(&page).await?;
                    targets.extend(rows.rows.iter().filter_map(|row| ids.parse(&row.id)).map(Target::Run));
                    rows.next
                }
                Object::Callback => {
                    let rows = self.callback_rows(&page).await?;
                    let found = rows.rows.iter();
                    let pair = |row: &CallbackView| Some((ids.parse(&row.id)?, ids.parse(&row.run)?));
                    targets.extend(found.filter_map(pair).map(|(id, run)| Target::Callback(id, run)));
                    rows.next
                }
            };
            if targets.len() > MOST {
                return Err(too_many());
            }
            page.before = next;
            if page.before.is_none() {
                targets.reverse();
                return Ok(targets);
            }
        }
    }
}

fn too_many() -> Refusal {
    Refusal::refused(
        "too_many",
        format!(
            "a verb acts on at most {} objects: narrow the filter, for example with since:1h",
            crate::text::count(MOST as u64)
        ),
    )
}
