//! Forget: the dedup key of a request is dropped, so that the next one with it is accepted.

use super::super::Desk;
use super::plan::SAMPLE;
use super::select::{Chosen, Planned, Target};
use crate::model::RequestId;
use crate::model::ask::{Plan, Refusal};
use crate::model::id::short;
use crate::model::time::parse_rfc3339;
use crate::model::view::ExplainView;
use crate::store::Piece;
use std::collections::{BTreeMap, HashSet};

/// What is told of requests whose key another of them has: forgotten once, it is forgotten for all.
const SAME: &str = "the same key as another of them";

impl Desk {
    /// What forgetting the keys of requests would do.
    pub(super) async fn plan_forget(&self, chosen: &Chosen) -> Result<(Plan, Planned), Refusal> {
        let mut plan = Plan { verb: "forget".to_owned(), ..Plan::default() };
        let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
        let (mut found, mut keys) = (Planned::default(), HashSet::new());
        for id in chosen.requests() {
            match self.forgettable(id, &keys).await {
                Ok(Some((key, told))) => {
                    keys.insert(key);
                    plan.count += 1;
                    found.objects.push((Target::Request(id), None));
                    if plan.sample.len() < SAMPLE {
                        let key = told.key.clone().unwrap_or_default();
                        plan.sample.push((self.deps.store.ids().print(id), format!("key {key}")));
                    }
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
                Err(refusal) => {
                    found.leave_out(Target::Request(id), refusal.message.clone());
                    *left_out.entry(refusal.message).or_default() += 1;
                }
            }
        }
        if plan.lines.is_empty() {
            plan.lines
                .push(format!("Drops {}: the next request with each is accepted.", keys_of(plan.count)));
        }
        plan.left_out = left_out.into_iter().collect();
        Ok((plan, found))
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

    /// Drops the key of a request; what happened.
    pub(super) async fn forget_key(&self, id: RequestId, piece: Option<Piece>) -> Result<String, Refusal> {
        let (key, _) = self.forgettable(id, &HashSet::new()).await?.ok_or_else(lapsed)?;
        if !self.deps.store.forget_key(key, piece).await? {
            return Err(lapsed());
        }
        let text = self.deps.store.ids().print(id);
        Ok(format!("Forgot the dedup key of {}: the next request with it is accepted.", short(&text)))
    }
}

/// `1 dedup key`, `12 dedup keys`.
/// `2 dedup keys`.
pub fn keys_of(count: u64) -> String {
    format!("{} dedup {}", crate::text::count(count), if count == 1 { "key" } else { "keys" })
}

fn lapsed() -> Refusal {
    Refusal::refused("no_key", "forget is not possible: its dedup key has lapsed, or was forgotten before")
}
