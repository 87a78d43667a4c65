//! Stored requests through the draft and the live version, side by side: what changes. Nothing is
//! sent and nothing written; a part of the answer is made at a time.
//!
//! What later steps ask of earlier ones is taken from the journal of the request's newest run.

use super::super::Desk;
use super::super::lists::read;
use super::super::verbs::sends::traces;
use super::trial::{build, judged};
use crate::model::ask::{Page, Refusal};
use crate::model::query::{Query, Subject};
use crate::model::request::{Marks, Seed, StoredRequest, Verdict};
use crate::model::run::{RunState, StepState};
use crate::model::study::{BackTest, BackTestChange, BackTestField, BackTestView};
use crate::model::time::{parse_rfc3339, rfc3339};
use crate::model::{FlowId, Map, RequestId, RunId};
use crate::rules::advance::fold::fold;
use crate::rules::mask::Traces;
use crate::rules::plan::Plan;
use crate::rules::simulate::{Course, Differ, Known, course, fields, readable};
use crate::rules::split;
use crate::rules::template::{Context, Outgoing, StepData};
use crate::store::registry::Holding;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Requests of a part, at most.
const PART: u32 = 100;
/// How long a part takes, about: so that whoever asks can say how far it is, and stop.
const TIME: Duration = Duration::from_millis(250);
/// Fields of a request that are told one by one.
const FIELDS: usize = 50;
/// Characters of a value that is told.
const VALUE: usize = 500;
/// Unknown values of a request that are told one by one.
const UNKNOWN: usize = 20;

/// A version of a flow, with the values that it would see.
struct Side {
    plan: Option<Arc<Plan>>,
    config: Arc<Map>,
}

/// Both versions of a flow.
struct Sides {
    live: Side,
    draft: Side,
    /// Both would do the same with every request.
    same: bool,
    /// Both let the same senders in.
    same_gates: bool,
}

impl Desk {
    /// A part of a back-test.
    pub(super) async fn back_test(&self, asked: &BackTest) -> Result<BackTestView, Refusal> {
        let (holding, only) = self.tested(&asked.flow)?;
        let (Some(live), Some(newest)) = (&holding.live, &holding.newest) else {
            return Err(Refusal::refused(
                "not_deployed",
                format!("{} was never deployed: nothing can be compared", holding.name),
            ));
        };
        if live.number == newest.number {
            return Err(Refusal::refused(
                "no_draft",
                format!("{} has no draft: pointsman apply FILE --draft saves one", holding.name),
            ));
        }
        let store = &self.deps.store;
        let now = store.now();
        let from = match &asked.from {
            Some(from) => parse_rfc3339(from)
                .ok_or_else(|| Refusal::usage(format!("{from:?} is no time: 2026-11-18T13:31:55Z")))?,
            None if asked.since <= 0 => {
                return Err(Refusal::usage("--since is a duration over 0: write 24h, 7d"));
            }
            None => (now - asked.since).max(0),
        };
        let mut view = BackTestView {
            integration: holding.name.clone(),
            live: live.number,
            draft: newest.number,
            from: rfc3339(from),
            looked: 0,
            left_out: Vec::new(),
            failing_alike: 0,
            changes: Vec::new(),
            next: None,
            at: None,
        };
        let own = read(&format!("integration={}", holding.name), now, Subject::Requests)?;
        let query = Query::all(vec![Query::Since(from), own, read(&asked.filter, now, Subject::Requests)?]);
        let page = Page { before: asked.before.clone(), limit: PART, ..Page::default() };
        let begun = Instant::now();
        let rows = store.page_requests(&query, &page).await?;
        view.next.clone_from(&rows.next);
        let mut sides: HashMap<FlowId, Sides> = HashMap::new();
        let last = rows.rows.len().saturating_sub(1);
        for (at, row) in rows.rows.into_iter().enumerate() {
            view.at = Some(row.time);
            if let Some(id) = store.ids().parse::<RequestId>(&row.id)
                && let Some(stored) = store.request(id).await?
                && only.is_none_or(|only| only == stored.seed.flow)
            {
                let flow = stored.seed.flow;
                let sides = sides.entry(flow).or_insert_with(|| self.sides(&holding, flow));
                self.weigh(sides, &stored, &mut view).await?;
            }
            if at < last && begun.elapsed() >= TIME {
                view.next = Some(row.id);
                break;
            }
        }
        Ok(view)
    }

    /// The integration that is meant, and the flow where only one is.
    fn tested(&self, text: &str) -> Result<(Arc<Holding>, Option<FlowId>), Refusal> {
        if text.contains('/') {
            let named = self.named_of(text, |_| true, "")?;
            return Ok((self.holding(&named.integration)?, Some(named.flow)));
        }
        Ok((self.holding(text.trim())?, None))
    }

    fn sides(&self, holding: &Holding, flow: FlowId) -> Sides {
        let store = &self.deps.store;
        let side = |doc: Option<&Arc<crate::store::registry::Doc>>, config| Side {
            plan: doc.and_then(|doc| doc.plan(flow)),
            config,
        };
        let live = side(holding.live.as_ref(), store.values(holding.id));
        let draft = side(holding.newest.as_ref(), store.draft_values(holding.id));
        let (same, same_gates) = match (&live.plan, &draft.plan) {
            (Some(one), Some(other)) => {
                let same = one.flow == other.flow
                    && one.connections == other.connections
                    && live.config == draft.config;
                let gates = |plan: &Plan| {
                    plan.flow.webhook().map(|hook| (hook.auth.clone(), hook.gates.allow_from.clone()))
                };
                (same, gates(one) == gates(other))
            }
            (None, None) => (true, true),
            _ => (false, false),
        };
        Sides { live, draft, same, same_gates }
    }

    /// Judges one request by both versions.
    async fn weigh(
        &self,
        sides: &Sides,
        stored: &StoredRequest,
        view: &mut BackTestView,
    ) -> Result<(), Refusal> {
        let marks = stored.seed.marks;
        if marks.has(Marks::TEST) || marks.has(Marks::CAPTURED) {
            return Ok(());
        }
        view.looked += 1;
        if sides.same {
            return Ok(());
        }
        if marks.has(Marks::BODY_CUT) {
            left_out(view, "only the beginning of the body was kept");
            return Ok(());
        }
        if stored.verdict == Verdict::Rejected {
            match stored.status {
                // Who is let in, and when there is room, hangs on nothing that is judged here.
                Some(429 | 503) => return Ok(()),
                Some(401 | 403) if sides.same_gates => return Ok(()),
                _ => {}
            }
        }
        let (before, after) = match (
            self.outcome(&sides.live, stored, sides.same_gates),
            self.outcome(&sides.draft, stored, sides.same_gates),
        ) {
            (Ok(before), Ok(after)) => (before, after),
            (Err(why), _) | (_, Err(why)) => {
                left_out(view, &why);
                return Ok(());
            }
        };
        let mut change = BackTestChange {
            request: self.deps.store.ids().print(stored.id),
            time: rfc3339(stored.id.time()),
            flow: String::new(),
            verdict: stored.verdict,
            fields: Vec::new(),
            more: 0,
            unknown: Vec::new(),
        };
        let mut traced = Traces::default();
        let mut alike = false;
        if before.words != after.words {
            change.fields.push(BackTestField {
                element: None,
                step: None,
                path: "verdict".to_owned(),
                before: Value::from(before.words),
                after: Value::from(after.words),
            });
        } else if let (true, Some(live), Some(draft)) =
            (before.runs && after.runs, &sides.live.plan, &sides.draft.plan)
        {
            let one = (self.base(live, &sides.live.config, stored), before.elements);
            let other = (self.base(draft, &sides.draft.config, stored), after.elements);
            traced = traces(&self.deps.store, draft, &other.0);
            alike = self.compare((live, one), (draft, other), stored, &mut change).await?;
        }
        if change.fields.is_empty() {
            view.failing_alike += u64::from(alike);
            return Ok(());
        }
        for field in &mut change.fields {
            tidy(&mut field.before, &traced);
            tidy(&mut field.after, &traced);
        }
        let named = sides.draft.plan.as_ref().or(sides.live.plan.as_ref());
        change.flow = named.map(|plan| plan.flow.name.clone()).unwrap_or_default();
        view.changes.push(change);
        Ok(())
    }

    /// What a version's trigger makes of a request.
    fn outcome(&self, side: &Side, stored: &StoredRequest, same_gates: bool) -> Result<Outcome, String> {
        let Some(plan) = &side.plan else {
            let words = "rejected: 410: the version has no such flow".to_owned();
            return Ok(Outcome { words, runs: false, elements: None });
        };
        let mut seed = stored.seed.clone();
        if !same_gates && plan.flow.webhook().is_some() && seed.marks.arrived() {
            match self.let_in(plan, &seed, stored.id.time()) {
                Ok((as_sent, _)) => seed = Seed { headers: as_sent, ..seed },
                Err(shut) => {
                    let words = format!("rejected: {}", shut.denied()?);
                    return Ok(Outcome { words, runs: false, elements: None });
                }
            }
        }
        let config = Some(&side.config);
        let (verdict, cause, elements) = judged(&self.deps.store, plan, &seed, config);
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        let copy = stored.verdict == Verdict::Duplicate;
        Ok(match verdict {
            // Other duplicates are told by trying another rule of dedup.
            Verdict::Accepted if copy => {
                Outcome { words: "duplicate".to_owned(), runs: false, elements: None }
            }
            Verdict::Accepted => Outcome { words: "accepted".to_owned(), runs: true, elements },
            other => Outcome { words: format!("{}{cause}", other.word()), runs: false, elements: None },
        })
    }

    /// What templates of a version see of a request, before any step.
    fn base(&self, plan: &Plan, config: &Arc<Map>, stored: &StoredRequest) -> Context {
        let seed = Some((stored.id, &stored.seed));
        let context = self.deps.store.context(plan, RunId(0), None, seed);
        Context { config: Arc::clone(config), run: "<run>".to_owned(), ..context }
    }

    /// Adds what differs of the runs of a request; whether one of them stops or fails in both.
    async fn compare(
        &self,
        (live, (one, elements)): (&Plan, (Context, Option<u32>)),
        (draft, (other, others)): (&Plan, (Context, Option<u32>)),
        stored: &StoredRequest,
        change: &mut BackTestChange,
    ) -> Result<bool, Refusal> {
        let mut alike = false;
        if elements != others {
            let count = |elements: Option<u32>| Value::from(elements.unwrap_or(1));
            change.fields.push(BackTestField {
                element: None,
                step: None,
                path: "runs".to_owned(),
                before: count(elements),
                after: count(others),
            });
        }
        let runs = self.deps.store.newest_runs(stored.id).await?;
        let common = elements.unwrap_or(1).min(others.unwrap_or(1));
        let hops = stored.seed.hops;
        for at in 0..common {
            let element = elements.or(others).map(|_| at);
            let run = runs.iter().find(|(of, _)| *of == element).map(|(_, run)| *run);
            let known = self.recorded(run).await?;
            let before = self.sent_by(live, &of_element(&one, live, element), &known, hops);
            let after = self.sent_by(draft, &of_element(&other, draft, element), &known, hops);
            let mut differ = Differ::new(FIELDS.saturating_sub(change.fields.len()));
            differ.compare(fields(&before), fields(&after));
            change.more += differ.more;
            if differ.found.is_empty() {
                alike |=
                    matches!(before.end, RunState::Errored | RunState::Failed) && before.end == after.end;
                continue;
            }
            for asked in before.steps.iter().chain(&after.steps).flat_map(|step| &step.asks) {
                let new = asked.from.is_none() && !change.unknown.contains(&asked.path);
                if new && change.unknown.len() < UNKNOWN {
                    change.unknown.push(asked.path.clone());
                }
            }
            let unknown = change.unknown.clone();
            let plain = |mut value: Value| {
                if let Value::String(text) = &mut value {
                    *text = readable(text, unknown.iter().map(String::as_str));
                }
                value
            };
            change.fields.extend(differ.found.into_iter().map(|found| BackTestField {
                element,
                step: Some(found.step).filter(|step| !step.is_empty()),
                path: found.path,
                before: plain(found.before),
                after: plain(found.after),
            }));
        }
        Ok(alike)
    }

    fn sent_by(
        &self,
        plan: &Plan,
        context: &Context,
        known: &BTreeMap<String, Known>,
        hops: u32,
    ) -> Course<Outgoing> {
        course(plan, context, known, self.deps.store.now(), |at, context| {
            build(plan, at, context, hops, None).map(|call| call.comparable(&self.deps.vault))
        })
    }

    /// What the journal of a run knows of its steps' answers.
    async fn recorded(&self, run: Option<RunId>) -> Result<BTreeMap<String, Known>, Refusal> {
        let store = &self.deps.store;
        let mut known = BTreeMap::new();
        let Some(run) = run else { return Ok(known) };
        let Some(loaded) = store.load(run).await? else { return Ok(known) };
        let Some(plan) = store.plan(loaded.run.flow, loaded.run.version) else { return Ok(known) };
        let folded = fold(&plan, &loaded.run, &loaded.journal);
        for (name, data) in folded.data.iter() {
            let Some(step) = folded.steps.iter().find(|step| step.name == *name) else { continue };
            // One whose `when` was false was asked nothing.
            if data.state == StepState::Skipped && step.attempts.is_empty() {
                continue;
            }
            // Of each item the last one counts, and those before it are as good.
            let mut got = step.attempts.iter().filter_map(|attempt| attempt.got.as_ref()).peekable();
            let kept = got.peek().is_some() && got.all(|got| !got.cut && !got.binary);
            // Of what no later step looked at there may be nothing but its state.
            let told = |data: &StepData| data.state != StepState::Succeeded || data.status.is_some();
            let told = data.items.as_ref().map_or_else(|| told(data), |items| items.iter().all(told));
            let whole = data.state != StepState::Succeeded || (kept && told) || step.stood_in;
            known.insert(name.clone(), Known { data: data.clone(), whole, from: "recorded" });
        }
        Ok(known)
    }
}

/// What a trigger makes of a request.
struct Outcome {
    /// `filtered: when is false`.
    words: String,
    /// Whether it begins runs.
    runs: bool,
    /// How many, where its body is split.
    elements: Option<u32>,
}

fn of_element(base: &Context, plan: &Plan, element: Option<u32>) -> Context {
    let record = element.zip(plan.flow.split()).map(|(element, path)| split::record(path, element));
    Context { record, ..base.clone() }
}

fn left_out(view: &mut BackTestView, why: &str) {
    match view.left_out.iter_mut().find(|(other, _)| other == why) {
        Some((_, count)) => *count += 1,
        None => view.left_out.push((why.to_owned(), 1)),
    }
}

/// A value as it is told: masked values hidden, long texts cut.
fn tidy(value: &mut Value, traces: &Traces) {
    traces.hide_value(value);
    if let Value::String(text) = value
        && let Some((cut, _)) = text.char_indices().nth(VALUE)
    {
        text.truncate(cut);
        text.push('…');
    }
}
