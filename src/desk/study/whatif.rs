//! What another dedup rule would have merged or let through, over the traffic that is stored.
//!
//! The rule is run from one window before the time that is asked about, so that copies of requests
//! from before it are told as such. Requests are read in chunks and forgotten; what is kept is a key
//! each (at most [`MOST_KEYS`]) and the first [`LISTED`] changes.

use super::super::Desk;
use crate::model::Ms;
use crate::model::RequestId;
use crate::model::ask::Refusal;
use crate::model::document::Dedup;
use crate::model::headers::is_credential;
use crate::model::id::{first_at, time_of};
use crate::model::request::{Marks, Seed, StoredRequest, Verdict};
use crate::model::study::{Change, Judged, Rule, WhatIfChange, WhatIfView};
use crate::model::time::rfc3339;
use crate::model::view::FieldView;
use crate::rules::data::request_data;
use crate::rules::whatif::{Found, Judge, MOST_KEYS};
use crate::rules::{dedup, explain, facts, whatif};
use crate::store::Store;
use serde_json::Value;

/// Changes that are told one by one; the counts are of all.
pub(super) const LISTED: usize = 10_000;

/// The rule with what it has found so far.
struct Trial {
    rule: Dedup,
    judge: Judge,
    from: i64,
    view: WhatIfView,
}

impl Desk {
    pub(super) async fn what_if(&self, asked: &Rule) -> Result<WhatIfView, Refusal> {
        let named = self.named(&asked.flow)?;
        let fields = whatif::fields(&asked.fields).map_err(Refusal::usage)?;
        if asked.since <= 0 || asked.window.is_some_and(|window| window <= 0) {
            return Err(Refusal::usage("--since and --window are durations over 0: write 7d, 24h"));
        }
        let live = named.webhook().and_then(|webhook| webhook.dedup.as_ref());
        let rule = whatif::rule(fields, asked.window, asked.from_first, live);
        let (now, store) = (self.deps.store.now(), &self.deps.store);
        let since = (now - asked.since).max(0);
        let to = store.fresh_id();
        let view = WhatIfView {
            integration: named.integration.clone(),
            flow: named.name.clone(),
            fields: rule.fields.iter().map(ToString::to_string).collect(),
            window: explain::written(rule.window),
            from: if rule.from_first { "first" } else { "last" }.to_owned(),
            since: rfc3339(since),
            requests: 0,
            no_dedup_key: 0,
            before: Judged::default(),
            after: Judged::default(),
            merged: 0,
            let_through: 0,
            changes: Vec::new(),
            stopped: None,
        };
        let judge = Judge::new(rule.window, rule.from_first, MOST_KEYS);
        let mut trial = Trial { from: first_at(since), judge, view, rule };
        let mut from = first_at((since - trial.rule.window).max(0));
        loop {
            let chunk = store.stored_of(named.flow, from, to, false).await?;
            for request in &chunk.requests {
                if !trial.take(store, request) {
                    trial.view.stopped = Some(format!(
                        "It stopped at {}: {} different keys are as many as it holds. A shorter --since looks at all.",
                        rfc3339(request.id.time()),
                        crate::text::count(MOST_KEYS as u64)
                    ));
                    return Ok(trial.view);
                }
            }
            match chunk.next {
                Some(next) => from = next + 1,
                None => return Ok(trial.view),
            }
        }
    }
}

impl Trial {
    /// Judges a request that dedup has judged; `false` where the judge is full.
    fn take(&mut self, store: &Store, request: &StoredRequest) -> bool {
        let marks = request.seed.marks;
        let was_copy = match request.verdict {
            Verdict::Accepted => false,
            Verdict::Duplicate => true,
            Verdict::Filtered | Verdict::Rejected => return true,
        };
        if marks.has(Marks::TEST) || !marks.arrived() {
            return true;
        }
        let id = request.id.0;
        let key = key_of(&self.rule, request);
        let found = key.map_or(Found::Fresh, |key| self.judge.judge(key, id, time_of(id)));
        if found == Found::Full {
            return false;
        }
        if id < self.from {
            return true;
        }
        let view = &mut self.view;
        view.requests += 1;
        view.no_dedup_key += u64::from(key.is_none());
        *if was_copy { &mut view.before.duplicate } else { &mut view.before.accepted } += 1;
        let would = matches!(found, Found::CopyOf(_));
        *if would { &mut view.after.duplicate } else { &mut view.after.accepted } += 1;
        let (change, of) = match (was_copy, found) {
            (false, Found::CopyOf(first)) => (Change::Merged, Some(RequestId(first))),
            (true, Found::Fresh) => (Change::LetThrough, request.duplicate_of),
            _ => return true,
        };
        *if change == Change::Merged { &mut view.merged } else { &mut view.let_through } += 1;
        if view.changes.len() < LISTED {
            let ids = store.ids();
            view.changes.push(WhatIfChange {
                request: ids.print(request.id),
                time: rfc3339(request.id.time()),
                change,
                duplicate_of: of.map(|of| ids.print(of)),
                fields: shown(&self.rule, &store.shown(&request.seed), request.id.time()),
            });
        }
        true
    }
}

/// The key that the rule gives a request; `None` where it has none of the fields.
fn key_of(rule: &Dedup, request: &StoredRequest) -> Option<[u8; 16]> {
    let seed = &request.seed;
    let body: &[u8] = if seed.body.is_empty() { b"{}" } else { &seed.body };
    let facts = facts::scan(body, &dedup::body_fields(rule), &[]).ok()?;
    dedup::key(seed.flow, rule, &facts, &seed.headers, &seed.query).map(|key| key.key)
}

fn shown(rule: &Dedup, seed: &Seed, time: Ms) -> Vec<FieldView> {
    let data = request_data(seed, "", time, "");
    let mut fields = explain::fields(rule, &data);
    for (field, path) in fields.iter_mut().zip(&rule.fields) {
        if !field.missing && path.header().is_some_and(|name| is_credential(&name)) {
            field.value = Value::from("•••");
        }
    }
    fields
}
