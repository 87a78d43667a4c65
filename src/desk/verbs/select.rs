//! Which runs or requests a verb acts on: named by their ids, or all that a filter matches now.

use super::super::Desk;
use crate::model::ask::{Act, Page, Refusal, Verb};
use crate::model::id::Kind;
use crate::model::{RequestId, RunId};
use std::collections::HashMap;

/// Objects of one act.
pub const MOST: usize = 20_000;

/// One object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// A run.
    Run(RunId),
    /// A request.
    Request(RequestId),
}

/// What was chosen.
pub struct Chosen {
    /// Each once, in the order in which they were named, else newest first.
    pub targets: Vec<Target>,
    /// The filter, where they were chosen by one.
    pub filter: Option<String>,
    /// What the person was shown: id as text → `seq`.
    pub seen: HashMap<String, i64>,
}

impl Chosen {
    /// The runs among them.
    pub fn runs(&self) -> Vec<RunId> {
        let mut runs = Vec::with_capacity(self.targets.len());
        for target in &self.targets {
            if let Target::Run(run) = target {
                runs.push(*run);
            }
        }
        runs
    }

    /// The requests among them.
    pub fn requests(&self) -> Vec<RequestId> {
        let request = |target: &Target| match target {
            Target::Request(id) => Some(*id),
            Target::Run(_) => None,
        };
        self.targets.iter().filter_map(request).collect()
    }

    /// The one object that was named, where it was one: its refusal is the answer's.
    pub fn one(&self) -> Option<Target> {
        match (self.targets.as_slice(), &self.filter) {
            ([one], None) => Some(*one),
            _ => None,
        }
    }
}

impl Desk {
    /// Finds what an act is about.
    pub(super) async fn choose(&self, act: &Act) -> Result<Chosen, Refusal> {
        let seen: HashMap<String, i64> = act.seen.iter().cloned().collect();
        match (&act.filter, act.ids.as_slice()) {
            (Some(_), [_, ..]) => Err(Refusal::usage("name ids or a filter, not both")),
            (None, []) => {
                let what = if act.verb.on_requests() { "request" } else { "run" };
                Err(Refusal::usage(format!("{} takes the id of a {what}, or a filter", act.verb.word())))
            }
            (Some(filter), []) if filter.trim().is_empty() => Err(Refusal::usage(format!(
                "an empty filter would match everything: say which, for example {} --filter state:errored",
                act.verb.word()
            ))),
            (Some(filter), []) => {
                let targets = self.matching(filter, act.verb.on_requests()).await?;
                Ok(Chosen { targets, filter: Some(filter.clone()), seen })
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
                Ok(Chosen { targets, filter: None, seen })
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
    async fn matching(&self, filter: &str, requests: bool) -> Result<Vec<Target>, Refusal> {
        let store = &self.deps.store;
        let upper = store.fresh_id();
        let mut page = Page {
            filter: filter.to_owned(),
            before: Some(if requests {
                store.ids().print(RequestId(upper))
            } else {
                store.ids().print(RunId(upper))
            }),
            after: None,
            limit: 1_000,
        };
        let mut targets = Vec::new();
        loop {
            let next = if requests {
                let rows = self.request_rows(&page).await?;
                let ids = rows.rows.iter().filter_map(|row| store.ids().parse::<RequestId>(&row.id));
                targets.extend(ids.map(Target::Request));
                rows.next
            } else {
                let rows = self.run_rows(&page).await?;
                let ids = rows.rows.iter().filter_map(|row| store.ids().parse::<RunId>(&row.id));
                targets.extend(ids.map(Target::Run));
                rows.next
            };
            if targets.len() > MOST {
                return Err(too_many());
            }
            match next {
                Some(next) => page.before = Some(next),
                None => return Ok(targets),
            }
        }
    }
}

fn too_many() -> Refusal {
    Refusal::refused(
        "too_many",
        format!(
            "this version acts on at most {} at once: narrow the filter, for example with since:1h",
            crate::text::count(MOST as u64)
        ),
    )
}
