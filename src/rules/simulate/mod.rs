//! A run as it would go, step by step, with nothing sent: what each step would build, and which of
//! the answers that it asks for are not known.
//!
//! Templates are rendered by the functions that a run uses. What an exchange would have answered is
//! told ([`Known`]): by a person, by a call that was made by hand, or by the journal of a run. Where
//! nobody tells it, its path stands in its place (`<steps.lookup.outputs.id>`), and every field that
//! asks for it says so.

mod differ;
mod place;
#[cfg(test)]
mod tests;

pub use differ::{Differ, Difference, fields};
pub use place::{lay, readable};

use super::plan::Plan;
use super::template::{self, Context, RenderError, StepData};
use crate::model::document::{OnError, Step as Written, StepKind};
use crate::model::path::{Path, Segment};
use crate::model::run::{Given, RunState, StepState};
use crate::model::{Map, Ms};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What is known of a step's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// As later steps see it.
    pub data: StepData,
    /// All of the answer is known: what is not in it was not there. Else what is not in it is unknown.
    pub whole: bool,
    /// Where it is known from: `given`, `remembered`, `recorded`.
    pub from: &'static str,
}

/// A value of an earlier step's answer that a field asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// `json.customer`, `url`, `when`.
    pub field: String,
    /// `steps.lookup.outputs.id`.
    pub path: String,
    /// The value; `None` where it is missing, or not known.
    pub value: Option<Value>,
    /// Where the value is known from; `None` where it is not known.
    pub from: Option<&'static str>,
}

/// Items of a step under `for_each` that are built.
pub const ITEMS: usize = 100;

/// What becomes of an item of a list.
#[derive(Debug, PartialEq)]
pub enum ItemFate<B> {
    /// It sends this.
    Sends(B),
    /// The step's `when` is false for it.
    Passed,
    /// Its request cannot be made.
    Unbuilt(RenderError),
}

/// What becomes of a step. `B` is what a request is built into.
#[derive(Debug, PartialEq)]
pub enum Fate<B> {
    /// It sends this.
    Sends(B),
    /// It sends once an item of a list: how many there are, and the first [`ITEMS`] of them.
    Each(usize, Vec<ItemFate<B>>),
    /// Its `when` is false.
    Passed,
    /// It gives these values to later steps.
    Sets(Map),
    /// It answers the sender; `None` where an earlier step did.
    Answers(Option<Given>),
    /// It ends the run as failed: status and message.
    Fails(u16, String),
    /// It waits until then.
    Waits(Ms),
    /// Its request, or another value of it, cannot be made.
    Unbuilt(RenderError),
    /// The run stops or ends at an earlier step.
    NotReached,
}

/// A step, simulated.
#[derive(Debug, PartialEq)]
pub struct Step<B> {
    /// Its name.
    pub name: String,
    /// request, send, set, …
    pub kind: &'static str,
    /// What becomes of it. Where its `when` asks for what is not known it is taken to hold.
    pub fate: Fate<B>,
    /// Values of earlier steps' answers that its fields ask for.
    pub asks: Vec<Asked>,
}

impl<B> Step<B> {
    /// Whether it is known if it runs.
    #[must_use]
    pub fn judged(&self) -> bool {
        !self.asks.iter().any(|asked| asked.field == "when" && asked.from.is_none())
    }
}

/// A run, simulated.
#[derive(Debug, PartialEq)]
pub struct Course<B> {
    /// In order.
    pub steps: Vec<Step<B>>,
    /// How it ends, as far as answers are as they are known, and else are successes; `errored` is
    /// where an operator would decide.
    pub end: RunState,
    /// Why it stops.
    pub cause: Option<String>,
}

/// Simulates a run. `build` makes the request of the step at a place with a context. A step whose
/// answer is not known is taken to succeed.
pub fn course<B>(
    plan: &Plan,
    context: &Context,
    known: &BTreeMap<String, Known>,
    now: Ms,
    build: impl FnMut(usize, &Context) -> Result<B, RenderError>,
) -> Course<B> {
    let walk = Walk {
        plan,
        known,
        now,
        build,
        context: context.clone(),
        origin: HashMap::new(),
        made_of: HashMap::new(),
        answered: false,
        with_skips: false,
        stopped: None,
    };
    walk.all()
}

struct Walk<'a, F> {
    plan: &'a Plan,
    known: &'a BTreeMap<String, Known>,
    now: Ms,
    build: F,
    /// What is known so far.
    context: Context,
    /// Exchanges that came before, and whether all of their answer is known, and from where.
    origin: HashMap<String, (bool, Option<&'static str>)>,
    /// Values of `set` steps that are made of what is not known: step and name, and of what.
    made_of: HashMap<(String, String), Vec<String>>,
    answered: bool,
    with_skips: bool,
    stopped: Option<(RunState, String)>,
}

impl<F> Walk<'_, F> {
    fn all<B>(mut self) -> Course<B>
    where
        F: FnMut(usize, &Context) -> Result<B, RenderError>,
    {
        let plan = self.plan;
        let mut steps = Vec::with_capacity(plan.flow.steps.len());
        for (at, written) in plan.flow.steps.iter().enumerate() {
            let (fate, asks) = if self.stopped.is_some() {
                (Fate::NotReached, Vec::new())
            } else {
                let asks = self.asks(at);
                (self.step(at, written, &asks), asks)
            };
            steps.push(Step { name: written.name.clone(), kind: written.kind.word(), fate, asks });
        }
        let done = if self.with_skips { RunState::SucceededWithSkips } else { RunState::Succeeded };
        let (end, cause) = self.stopped.map_or((done, None), |(end, cause)| (end, Some(cause)));
        Course { steps, end, cause }
    }

    fn step<B>(&mut self, at: usize, written: &Written, asks: &[Asked]) -> Fate<B>
    where
        F: FnMut(usize, &Context) -> Result<B, RenderError>,
    {
        let unknown: Vec<&Asked> = asks.iter().filter(|asked| asked.from.is_none()).collect();
        let context = self.standing_in(&unknown);
        let by_item = written.kind.for_each().is_some() && template::when_of_item(self.plan, at);
        if !by_item && !unknown.iter().any(|asked| asked.field == "when") {
            match template::step_when(self.plan, at, &context) {
                Ok(true) => {}
                Ok(false) => {
                    self.ended(written, StepData::of(written, StepState::Skipped));
                    return Fate::Passed;
                }
                Err(error) => return self.unbuilt(written, error, &unknown),
            }
        }
        match &written.kind {
            StepKind::Request(_) | StepKind::Send(_) if written.kind.for_each().is_some() => {
                self.each(at, written, &context, &unknown)
            }
            StepKind::Request(_) | StepKind::Send(_) => self.exchange(at, written, &context, &unknown),
            StepKind::Set(_) => match template::set_outputs(self.plan, at, &context) {
                Ok(made) => {
                    for asked in &unknown {
                        if let Some(output) = asked.field.strip_prefix("outputs.") {
                            let of = (written.name.clone(), output.to_owned());
                            self.made_of.entry(of).or_default().push(asked.path.clone());
                        }
                    }
                    self.ended(written, done(Some(made.clone())));
                    Fate::Sets(made)
                }
                Err(error) => self.unbuilt(written, error, &unknown),
            },
            StepKind::Respond(_) if self.answered => {
                self.ended(written, done(Some(Map::new())));
                Fate::Answers(None)
            }
            StepKind::Respond(_) => match template::respond_answer(self.plan, at, &context) {
                Ok((given, _)) => {
                    self.answered = true;
                    self.ended(written, done(Some(Map::new())));
                    Fate::Answers(Some(given))
                }
                Err(error) => self.unbuilt(written, error, &unknown),
            },
            StepKind::Fail { status, .. } => {
                let message = match template::fail_message(self.plan, at, &context) {
                    Ok(message) => message,
                    Err(error) => could_not(&error),
                };
                self.stopped = Some((RunState::Failed, message.clone()));
                Fate::Fails(*status, message)
            }
            StepKind::Delay(_) => match template::delay_until(self.plan, at, &context, self.now) {
                Ok(until) => {
                    self.ended(written, done(Some(Map::new())));
                    Fate::Waits(until)
                }
                Err(error) => self.unbuilt(written, error, &unknown),
            },
        }
    }

    fn exchange<B>(&mut self, at: usize, written: &Written, context: &Context, unknown: &[&Asked]) -> Fate<B>
    where
        F: FnMut(usize, &Context) -> Result<B, RenderError>,
    {
        let mut built = (self.build)(at, context);
        if built.is_err() && !unknown.is_empty() {
            // Perhaps it can be made without, as where a filter wants a number.
            built = (self.build)(at, &self.context).or(built);
        }
        let built = match built {
            Ok(built) => built,
            Err(error) => return self.unbuilt(written, error, unknown),
        };
        let (mut data, whole, from) = match self.known.get(&written.name) {
            Some(known) => (known.data.clone(), known.whole, Some(known.from)),
            None => (done(Some(Map::new())), false, None),
        };
        if let Some(outputs) = self.outputs(at, &data, whole) {
            data.outputs = Some(outputs);
        }
        self.with_skips |= data.state != StepState::Succeeded;
        self.origin.insert(written.name.clone(), (whole, from));
        self.ended(written, data);
        Fate::Sends(built)
    }

    /// A step that sends once an item of a list. Where an item cannot be made its `on_error` decides,
    /// as of a step.
    fn each<B>(&mut self, at: usize, written: &Written, context: &Context, unknown: &[&Asked]) -> Fate<B>
    where
        F: FnMut(usize, &Context) -> Result<B, RenderError>,
    {
        if unknown.iter().any(|asked| asked.field == "for_each") {
            let message = "nobody knows its list".to_owned();
            return self.unbuilt(written, RenderError { place: "for_each".to_owned(), message }, unknown);
        }
        let list = match template::items(self.plan, at, context) {
            Ok(list) => list.values,
            Err(error) => return self.unbuilt(written, error, unknown),
        };
        let of_list = Context { list: Some(Arc::clone(&list)), ..context.clone() };
        let by_item = template::when_of_item(self.plan, at);
        let unjudged = unknown.iter().any(|asked| asked.field == "when");
        let mut fates = Vec::with_capacity(list.len().min(ITEMS));
        for index in (0u32..).take(list.len().min(ITEMS)) {
            let context = of_list.of_item(index);
            let judged =
                if by_item && !unjudged { template::step_when(self.plan, at, &context) } else { Ok(true) };
            fates.push(match judged.and_then(|runs| runs.then(|| (self.build)(at, &context)).transpose()) {
                Ok(Some(built)) => ItemFate::Sends(built),
                Ok(None) => ItemFate::Passed,
                Err(error) => ItemFate::Unbuilt(error),
            });
        }
        let failed = fates.iter().find_map(|fate| match fate {
            ItemFate::Unbuilt(error) => Some(error.clone()),
            _ => None,
        });
        if let Some(error) = failed.filter(|_| unknown.is_empty()) {
            let _: Fate<B> = self.unbuilt(written, error, unknown);
            return Fate::Each(list.len(), fates);
        }
        let (items, whole, from) = match self.known.get(&written.name) {
            Some(known) => (known.data.items.clone().unwrap_or_default(), known.whole, Some(known.from)),
            None => (Vec::new(), false, None),
        };
        let whole = whole && items.len() >= list.len();
        let mut items: Vec<StepData> = items
            .into_iter()
            .map(|mut item| {
                if let Some(outputs) = self.outputs(at, &item, whole) {
                    item.outputs = Some(outputs);
                }
                item
            })
            .collect();
        items.resize(list.len(), done(Some(Map::new())));
        // Of an empty list all is known.
        let (whole, from) =
            if list.is_empty() { (true, Some(from.unwrap_or("given"))) } else { (whole, from) };
        self.origin.insert(written.name.clone(), (whole, from));
        self.ended(written, StepData { items: Some(items), ..StepData::bare(StepState::Succeeded) });
        Fate::Each(list.len(), fates)
    }

    /// The outputs of a known answer as this plan takes them: what is known of the answer came by
    /// another version, perhaps.
    fn outputs(&self, at: usize, data: &StepData, whole: bool) -> Option<Map> {
        let exchange = self.plan.flow.steps.get(at)?.kind.exchange()?;
        let mut outputs = data.outputs.clone().filter(|_| data.state == StepState::Succeeded)?;
        if let (true, Some(status)) = (whole, data.status) {
            outputs.retain(|name, _| exchange.outputs.iter().any(|(own, _)| own == name));
            outputs.extend(template::answer_outputs(
                self.plan,
                at,
                status,
                &data.headers,
                data.body.as_ref(),
            ));
        }
        Some(outputs)
    }

    /// A step that cannot be made. Where that may be for want of what is not known the run goes on.
    fn unbuilt<B>(&mut self, written: &Written, error: RenderError, unknown: &[&Asked]) -> Fate<B> {
        let end = match written.on_error {
            _ if !unknown.is_empty() => None,
            OnError::Stop => Some(RunState::Errored),
            OnError::Abort => Some(RunState::Failed),
            OnError::Continue => None,
        };
        match end {
            Some(end) => self.stopped = Some((end, could_not(&error))),
            None if unknown.is_empty() => {
                self.with_skips = true;
                self.ended(written, StepData::of(written, StepState::Failed));
            }
            None => {
                self.origin.insert(written.name.clone(), (false, None));
                self.ended(written, done(Some(Map::new())));
            }
        }
        Fate::Unbuilt(error)
    }

    fn ended(&mut self, written: &Written, data: StepData) {
        self.context.finish([(written.name.clone(), data)]);
    }

    /// What the step's fields ask of the steps before it.
    fn asks(&self, at: usize) -> Vec<Asked> {
        let mut asks: Vec<Asked> = Vec::new();
        let mut add = |asked: Asked| {
            if !asks.contains(&asked) {
                asks.push(asked);
            }
        };
        for (field, path) in template::uses(self.plan, at) {
            let ("steps", [first, rest @ ..]) = (path.root(), path.rest()) else {
                // All of them at once, or one that is chosen when it is rendered.
                if path.root() == "steps" && self.origin.values().any(|(whole, _)| !whole) {
                    add(Asked { field, path: path.to_string(), value: None, from: None });
                }
                continue;
            };
            let Segment::Key(name) = first else { continue };
            if let [Segment::Key(outputs), Segment::Key(output), ..] = rest
                && outputs == "outputs"
                && let Some(made_of) = self.made_of.get(&(name.clone(), output.clone()))
            {
                for path in made_of {
                    add(Asked { field: field.clone(), path: path.clone(), value: None, from: None });
                }
                continue;
            }
            // What is no exchange is carried out here, and all of it is known.
            let Some((whole, from)) = self.origin.get(name) else { continue };
            let asks_state = matches!(rest, [Segment::Key(state)] if state == "state");
            let value = template::value_at(&self.context, &path).filter(|_| !asks_state || from.is_some());
            let from = if *whole || value.is_some() { *from } else { None };
            add(Asked { field, path: path.to_string(), value, from });
        }
        asks
    }

    /// The context with a stand-in for each value that is not known.
    fn standing_in(&self, unknown: &[&Asked]) -> Context {
        let mut context = self.context.clone();
        for asked in unknown {
            let Ok(path) = asked.path.parse::<Path>() else { continue };
            let [Segment::Key(name), rest @ ..] = path.rest() else { continue };
            if let Some(data) = Arc::make_mut(&mut context.steps).get_mut(name) {
                // Where it cannot stand (a status is a number) it is missing.
                let _ = lay(data, rest, Value::String(place::stand_in(&asked.path)));
            }
        }
        context
    }
}

/// As the cause of a run that stops says it.
fn could_not(error: &RenderError) -> String {
    super::advance::unbuilt_cause(error)
}

fn done(outputs: Option<Map>) -> StepData {
    StepData { outputs, ..StepData::bare(StepState::Succeeded) }
}
