//! Forget: the dedup key of a request is dropped, so that the next one with it is accepted.

use super::super::Desk;
use super::LISTED;
use super::select::Chosen;
use crate::model::RequestId;
use crate::model::ask::{Act, Acted, Plan, Refusal, Who};
use crate::model::id::short;
use crate::model::time::parse_rfc3339;
use crate::model::view::ExplainView;
use std::collections::{BTreeMap, HashSet};

/// What is told of requests whose key another of them has: forgotten once, it is forgotten for all.
const SAME: &str = "the same key as another of them";

impl Desk {
    /// What forgetting the keys of requests would do.
    pub(super) async fn plan_forget(&self, chosen: &Chosen) -> Result<Plan, Refusal> {
        let mut plan = Plan { verb: "forget".to_owned(), ..Plan::default() };
        let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
        let mut keys = HashSet::new();
        for id in chosen.requests() {
            match self.forgettable(id, &keys).await {
                Ok(Some((key, told))) => {
                    keys.insert(key);
                    plan.count += 1;
                    if chosen.one().is_some() {
                        let key = told.key.unwrap_or_default();
                        plan.lines.push(format!("Drops the dedup key {key}."));
                        let copies = match told.copies {
                            0 | 1 => "No copy came with it so far".to_owned(),
                            more => format!("{} requests came with it so far", crate::text::count(more)),
                        };
                        plan.lines.push(format!("{copies}; the next one is accepted and runs."));
                        plan.lines.push("It cannot be undone.".to_owned());
                    }
                }
                Ok(None) => *left_out.entry(SAME.to_owned()).or_default() += 1,
                Err(refusal) if chosen.one().is_some() => return Err(refusal),
                Err(refusal) => *left_out.entry(refusal.message).or_default() += 1,
            }
        }
        if plan.lines.is_empty() {
            plan.lines
                .push(format!("Drops {}: the next request with each is accepted.", keys_of(plan.count)));
        }
        plan.left_out = left_out.into_iter().collect();
        Ok(plan)
    }

    /// Drops the keys of what was chosen, each once.
    pub(super) async fn forget_keys(&self, who: &Who, act: &Act, chosen: &Chosen) -> Result<Acted, Refusal> {
        let (mut acted, mut refused, mut same) = (Acted::default(), 0, 0);
        let mut keys = HashSet::new();
        for id in chosen.requests() {
            match self.forget_key(id, &mut keys).await {
                Ok(Some(said)) if chosen.one().is_some() => {
                    self.audit(who, "forget", &self.deps.store.ids().print(id), act.reason.as_deref(), &said)
                        .await?;
                    return Ok(Acted { done: 1, lines: vec![said], ..Acted::default() });
                }
                Ok(Some(_)) => acted.done += 1,
                Ok(None) => same += 1,
                Err(refusal) if chosen.one().is_some() => return Err(refusal),
                Err(refusal) => {
                    refused += 1;
                    if acted.refused.len() < LISTED {
                        acted.refused.push((self.deps.store.ids().print(id), refusal.message));
                    }
                }
            }
        }
        let more = match same {
            0 => String::new(),
            1 => "; 1 request more had the same key as another".to_owned(),
            many => format!("; {} requests more had the same key as another", crate::text::count(many)),
        };
        acted.lines.push(format!("Forgot {}{more}.", keys_of(acted.done)));
        self.audit_many(who, act, chosen, &acted, refused).await?;
        Ok(acted)
    }

    /// The key of a request, where it has one that lives; `None` where it is one of these.
    async fn forgettable(
        &self,
        id: RequestId,
        known: &HashSet<[u8; 16]>,
    ) -> Result<Option<([u8; 16], ExplainView)>, Refusal> {
        let text = self.deps.store.ids().print(id);
        let Some(request) = self.deps.store.request(id).await? else {
            return Err(Refusal::not_found(format!("there is no request {text}")));
        };
        let Some(key) = request.dedup else {
            return Err(Refusal::refused("no_key", "forget is not possible: the request has no dedup key"));
        };
        if known.contains(&key) {
            return Ok(None);
        }
        // A lapsed key is there until it is swept; to forget it would say something that is not so.
        let told = self.deps.store.explain(id).await?;
        let end = told.lapses.as_deref().and_then(parse_rfc3339);
        if end.is_some_and(|at| at <= self.deps.store.now())
            || self.deps.store.dedup_entry(key).await?.is_none()
        {
            return Err(lapsed());
        }
        Ok(Some((key, told)))
    }

    /// Drops the key of a request, unless it is one of those that were dropped; what happened.
    async fn forget_key(
        &self,
        id: RequestId,
        dropped: &mut HashSet<[u8; 16]>,
    ) -> Result<Option<String>, Refusal> {
        let Some((key, _)) = self.forgettable(id, dropped).await? else { return Ok(None) };
        if !self.deps.store.forget_key(key).await? {
            return Err(lapsed());
        }
        dropped.insert(key);
        let text = self.deps.store.ids().print(id);
        Ok(Some(format!("Forgot the dedup key of {}: the next request with it is accepted.", short(&text))))
    }
}

/// `1 dedup key`, `12 dedup keys`.
fn keys_of(count: u64) -> String {
    format!("{} dedup {}", crate::text::count(count), if count == 1 { "key" } else { "keys" })
}

fn lapsed() -> Refusal {
    Refusal::refused("no_key", "forget is not possible: its dedup key has lapsed, or was forgotten before")
}
