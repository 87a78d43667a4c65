//! A verb before it acts: what will happen, from the store; what to fill in; and the way out.
//!
//! `enter` acts only when it was read after the frame that shows the facts had been flushed, and
//! names what was shown ([`crate::model::ask::Act::seen`]), so that nothing is done to what has changed since.

use super::edit::Edit;
use crate::model::ask::{FieldPlan, Plan, Refusal};
use crate::model::id::short;
use crate::model::time::{Ms, parse_rfc3339};
use jiff::tz::TimeZone;
use serde_json::Value;

mod answer;
mod fault;
mod field;
mod kind;
mod moves;
mod order;
mod pause;
mod setting;
mod trying;
mod version;
mod weighed;

use field::Typed;
pub use field::{Field, Purpose};
pub use kind::{Facts, Kind, Outcome, Subject};
pub use pause::Paused;
pub use setting::Setting;
pub use version::Version;
pub use weighed::Weighed;

/// From how many objects on the count must be typed.
pub const TYPED_FROM: u64 = 20;

/// After how many failures in a row a bulk verb halts where nobody says otherwise.
const STOP_AFTER: u64 = 10;

/// The dialog.
#[derive(Debug, Clone)]
pub struct Dialog {
    /// Which verb.
    pub kind: Kind,
    /// To what.
    pub ids: Vec<String>,
    /// What will happen.
    pub facts: Facts,
    /// What to fill in.
    pub fields: Vec<Field>,
    /// The field that takes keys.
    pub focus: usize,
    /// The frame that shows the facts was flushed.
    pub armed: bool,
    /// Where the default is to keep: the other button is chosen.
    pub sure: bool,
    /// It was said yes to; the answer is awaited.
    pub acting: bool,
    /// What is wrong with what was filled in.
    pub error: Option<String>,
    /// The field that is meant by it, where the store said so.
    pub fault: Option<Purpose>,
    /// First line of the facts that is drawn, where they do not fit.
    pub scroll: u16,
    /// All that this filter matched when the dialog opened, in place of ids.
    pub filter: Option<String>,
    /// What it acts on, where neither an id nor a count tells it.
    pub object: Option<String>,
    /// What becomes of later fields without a stand-in.
    pub without: Vec<FieldPlan>,
    /// When the stand-in that is typed is asked about.
    pub due: Option<Ms>,
    /// What it is about.
    pub subject: Subject,
    /// Of a draft that goes live: what it changes of stored requests.
    pub weighed: Option<Weighed>,
    /// The last plan that the store gave.
    shown: Option<Box<Plan>>,
    /// Paths of a body and their new values, for a replay.
    set: Vec<(String, Value)>,
    /// The stand-in or the time that the facts are about, as it was typed.
    planned: Typed,
    zone: TimeZone,
}

impl Dialog {
    /// A dialog for a verb on some objects; its facts come later.
    #[must_use]
    pub fn new(kind: Kind, ids: Vec<String>) -> Self {
        Self {
            kind,
            ids,
            facts: Facts::Asking,
            fields: Vec::new(),
            focus: 0,
            armed: false,
            sure: false,
            acting: false,
            error: None,
            fault: None,
            scroll: 0,
            filter: None,
            object: None,
            without: Vec::new(),
            due: None,
            subject: Subject::Objects,
            weighed: None,
            shown: None,
            set: Vec::new(),
            planned: Typed(answer::first(kind)),
            zone: TimeZone::UTC,
        }
    }

    /// A dialog for a verb on all that a filter matches now; `object` names it.
    #[must_use]
    pub fn many(kind: Kind, filter: String, object: String) -> Self {
        Self { filter: Some(filter), object: Some(object), ..Self::new(kind, Vec::new()) }
    }

    /// A replay with another body.
    #[must_use]
    pub fn with_body(self, set: Vec<(String, Value)>) -> Self {
        Self { set, ..self }
    }

    /// With the zone of its clocks.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// Verb and object.
    #[must_use]
    pub fn title(&self) -> String {
        let word = self.kind.word();
        let verb = format!("{}{}", word[..1].to_uppercase(), &word[1..]);
        if let Subject::Flow(paused) = &self.subject {
            return format!("{verb} {}", paused.named(self.chosen(Purpose::Scope)));
        }
        if let Some(title) =
            self.version_title().or_else(|| self.trial_title()).or_else(|| self.value_title())
        {
            return title;
        }
        let (count, step) = match &self.facts {
            Facts::Known(plan) => (Some(plan.count), plan.step.as_deref().filter(|step| !step.is_empty())),
            _ => (None, None),
        };
        match (self.ids.as_slice(), step) {
            ([], _) => match count {
                Some(1) => format!("{verb} 1 {}", self.kind.object()),
                Some(count) => format!("{verb} {} {}s", super::format::count(count), self.kind.object()),
                None => format!("{verb} a group"),
            },
            ([one], Some(step)) => format!("{verb} {step} of {}", short(self.run().unwrap_or(one))),
            ([one], None) => format!("{verb} {}", short(one)),
            (many, _) => {
                format!("{verb} {} {}s", super::format::count(many.len() as u64), self.kind.object())
            }
        }
    }

    /// The run that waits for the callback that it is about: that is what people know.
    fn run(&self) -> Option<&str> {
        let Facts::Known(plan) = &self.facts else { return None };
        let of_callback = self.kind.object() == "callback";
        plan.seen.first().filter(|_| of_callback).map(|(run, _)| run.as_str())
    }

    /// Whether the default is to keep things as they are.
    #[must_use]
    pub fn keeps(&self) -> bool {
        matches!(self.kind, Kind::Abort | Kind::Forget | Kind::Cancel | Kind::Remove)
    }

    /// Takes the facts in: they decide which fields there are. Where a stand-in was filled in, the
    /// plan with it is asked for next.
    pub fn install(&mut self, facts: Result<Box<Plan>, Refusal>) {
        self.armed = false;
        let plan = match facts {
            Ok(plan) => plan,
            // What is typed stays, to be mended.
            Err(refusal) if self.is_setting() => {
                self.error = Some(refusal.message);
                self.facts = Facts::Known(Box::new(setting::first_plan()));
                return;
            }
            Err(refusal) if self.mends(&refusal) => return self.blame(&refusal),
            Err(refusal) => {
                self.facts = Facts::Refused(refusal);
                return;
            }
        };
        if self.fields.is_empty() {
            self.fields = self.fields_for(&plan);
            self.focus = self.first_field();
        }
        if self.planned.0.trim().is_empty() {
            self.without.clone_from(&plan.fields);
        }
        if self.fault.take().is_some() {
            self.error = None;
        }
        self.shown = Some(plan.clone());
        self.facts = Facts::Known(plan);
        if self.typed() != self.planned.0 {
            // Filled in by the store itself: what it changes is asked for at once.
            self.due = Some(0);
        }
    }

    /// Whether it is about many objects, although one may be left of them.
    fn is_many(&self) -> bool {
        self.filter.is_some() || self.ids.len() > 1
    }

    /// The field that matters first: the count that must be typed, a stand-in, the version, the reason.
    fn first_field(&self) -> usize {
        let at = |purpose| self.fields.iter().position(|field| field.purpose == purpose);
        let first = at(Purpose::Count).or_else(|| at(Purpose::StandIn));
        let first = first.or_else(|| at(Purpose::With)).or_else(|| at(Purpose::Scope));
        let first = first.or_else(|| at(Purpose::Status)).or_else(|| at(Purpose::By));
        let first = first.or_else(|| at(Purpose::Value));
        first.or_else(|| at(Purpose::Reason)).unwrap_or(0)
    }

    /// What is typed that the facts hang on: the stand-in, the time of a pause, the answer to a
    /// callback, the target of a replay.
    fn typed(&self) -> String {
        if let Some(answer) = self.typed_answer() {
            return answer;
        }
        let field = [Purpose::StandIn, Purpose::Lasts, Purpose::To, Purpose::Value]
            .into_iter()
            .find_map(|one| self.field(one));
        field.map_or_else(String::new, Field::text)
    }

    /// Something was typed: what changes the plan is asked about after a pause, and nothing is
    /// confirmed until the answer is seen.
    pub fn changed(&mut self, at: Ms) {
        if self.typed() != self.planned.0 {
            self.armed = false;
            self.due = Some(at);
        }
    }

    /// Whether the plan must be asked for again now: what it hangs on is another, and reads.
    pub fn replans(&mut self, now: Ms) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        self.due = None;
        let reads = self.stand_in().map(|_| ()).and(self.lasts().map(|_| ()));
        if let Err(error) = reads.and(self.hand().map(|_| ())) {
            self.error = Some(error);
            return false;
        }
        self.error = None;
        self.planned = Typed(self.typed());
        self.armed = false;
        self.facts = Facts::Asking;
        true
    }

    /// What the stand-in changes, in words: `with it: all values there`.
    #[must_use]
    pub fn with_it(&self) -> Option<String> {
        use crate::model::ask::Fate;
        let Facts::Known(plan) = &self.facts else { return None };
        self.field(Purpose::StandIn)?;
        if self.is_many() || self.planned.0.trim().is_empty() || self.typed() != self.planned.0 {
            return None;
        }
        let fails = |fate: Fate| plan.fields.iter().filter(|field| field.fate == fate).count();
        let missing = fails(Fate::LeftOut) + fails(Fate::Empty);
        let mut said = Vec::new();
        match missing {
            0 => {}
            1 => said.push("1 field is missing".to_owned()),
            many => said.push(format!("{many} fields are missing")),
        }
        let broken = plan.fields.iter().filter(|field| field.fate == Fate::Fails);
        said.extend(broken.map(|field| format!("{} cannot be built and FAILS", field.step)));
        let passed = plan.fields.iter().filter(|field| field.fate == Fate::Passed);
        said.extend(passed.map(|field| format!("{} is passed over", field.step)));
        Some(if said.is_empty() {
            "with it: all values there".to_owned()
        } else {
            format!("with it: {}", said.join(", "))
        })
    }

    fn fields_for(&self, plan: &Plan) -> Vec<Field> {
        let mut fields = match &self.subject {
            Subject::Flow(paused) => paused.fields(self.kind),
            Subject::Value(setting) => vec![setting.field()],
            _ => self.answer_fields(plan),
        };
        match self.kind {
            Kind::Retry => {
                let choices = match plan.versions {
                    Some((own, live)) => vec![format!("v{live} live"), format!("v{own}, its own")],
                    None if self.ids.len() != 1 => vec!["live".to_owned(), "each its own".to_owned()],
                    None => Vec::new(),
                };
                if !choices.is_empty() {
                    fields.push(Field::choice(Purpose::With, "with", choices));
                }
                let keys = vec!["as before".to_owned(), "fresh: it may act twice".to_owned()];
                fields.push(Field::choice(Purpose::KeyOf, "key", keys));
            }
            Kind::Skip => {
                let mut field = Field::line(Purpose::StandIn, "stand-in");
                if let Some(map) = &plan.stand_in {
                    field.edit = Edit::with(&Value::Object(map.clone()).to_string());
                    let at = plan.stand_in_at.as_deref().and_then(parse_rfc3339);
                    let at = at.map_or_else(String::new, |at| {
                        format!(", {}", super::format::precise(at, &self.zone))
                    });
                    let at = at.split('.').next().unwrap_or_default();
                    field.hint = format!("from the last good run{at}; empty it to go on without");
                } else {
                    "a JSON object in place of its outputs; may stay empty".clone_into(&mut field.hint);
                }
                fields.push(field);
            }
            Kind::Replay => {
                fields.push(Field::choice(Purpose::With, "with", Self::replayed_with(plan)));
                fields.push(Field::line(Purpose::To, "to"));
                let signs = ["not", "anew", "as it came"].map(str::to_owned).to_vec();
                fields.push(Field::choice(Purpose::Sign, "sign", signs));
            }
            _ => {}
        }
        if self.is_many() {
            fields.push(Field::line(Purpose::Rate, "rate"));
            // Fewer than may fail never halt.
            if plan.count > STOP_AFTER && self.kind.makes_runs_go_on() {
                let mut field = Field::line(Purpose::StopAfter, "stop after");
                field.edit = Edit::with(&STOP_AFTER.to_string());
                fields.push(field);
            }
        }
        if self.weighs() {
            let windows = weighed::WINDOWS.map(|(_, word)| word.to_owned()).to_vec();
            fields.push(Field::choice(Purpose::Window, "back-test", windows));
        }
        if self.kind != Kind::Load {
            fields.push(Field::line(Purpose::Reason, "reason"));
        }
        if plan.weight() >= TYPED_FROM {
            let mut field = Field::line(Purpose::Count, "confirm");
            field.hint = format!("type {} to confirm", plan.weight());
            fields.push(field);
        }
        fields
    }

    /// The frame that shows the dialog as it is was flushed.
    pub fn flushed(&mut self) {
        self.armed =
            matches!(self.facts, Facts::Known(_)) && self.due.is_none() && self.typed() == self.planned.0;
        // A value that was refused is not sent again as it is.
        self.armed &= !(self.is_setting() && self.error.is_some());
    }

    fn field(&self, purpose: Purpose) -> Option<&Field> {
        self.fields.iter().find(|field| field.purpose == purpose)
    }

    /// The position of what is chosen in a field, the first where there is none.
    fn chosen(&self, purpose: Purpose) -> usize {
        self.field(purpose).map_or(0, |field| field.chosen)
    }

    /// Why, where a reason was given.
    fn reason(&self) -> Option<String> {
        let text = self.field(Purpose::Reason).map(|field| field.edit.text().trim().to_owned());
        text.filter(|text| !text.is_empty())
    }

    /// What `enter` does.
    pub fn enter(&mut self) -> Outcome {
        if self.acting {
            return Outcome::Stays;
        }
        let Facts::Known(plan) = &self.facts else {
            return if matches!(self.facts, Facts::Refused(_)) { Outcome::Close } else { Outcome::Stays };
        };
        if !self.armed {
            if self.due.is_some() || self.typed() != self.planned.0 {
                // What was typed is asked about first: nobody confirms what was not shown.
                self.due = Some(0);
            }
            return Outcome::Stays;
        }
        if self.keeps() && !self.sure {
            return Outcome::Close;
        }
        if plan.count == 0 {
            return Outcome::Close;
        }
        if let Err(error) = self.rate().map(|_| ()).and(self.stop_after().map(|_| ())) {
            self.error = Some(error);
            return Outcome::Stays;
        }
        if let Some(field) = self.field(Purpose::Count) {
            let typed = field.edit.text().replace([',', ' '], "");
            if typed != plan.weight().to_string() {
                self.error = Some(format!("type {} to confirm; nothing was done", plan.weight()));
                self.focus = self.fields.len() - 1;
                return Outcome::Stays;
            }
        }
        self.acting = true;
        Outcome::Act
    }

    /// The keys of its last line.
    #[must_use]
    pub fn keys(&self) -> String {
        let word = self.kind.word();
        match (&self.facts, self.acting) {
            (_, true) => "waiting for the store…".to_owned(),
            (Facts::Asking, _) => "asking the store…   esc back".to_owned(),
            // What was typed is asked about in a moment: until then nothing is confirmed.
            (Facts::Known(_), _) if self.due.is_some() => "asking the store…   esc back".to_owned(),
            (Facts::Refused(_), _) => "esc back".to_owned(),
            (Facts::Known(_), _) if self.fault.is_some() => {
                "change what is marked   tab field   ← → choice   esc back".to_owned()
            }
            (Facts::Known(plan), _) if plan.count == 0 => "nothing to do   esc back".to_owned(),
            (Facts::Known(_), _) if self.keeps() && self.sure => {
                format!("enter {word}s   ← keep   tab field   esc back")
            }
            (Facts::Known(_), _) if self.keeps() => {
                format!("enter keeps   → {word}   tab field   esc back")
            }
            (Facts::Known(_), _) if self.fields.is_empty() => format!("enter {word}   esc back"),
            (Facts::Known(_), _) => format!("enter {word}   tab field   ← → choice   esc back"),
        }
    }
}

#[cfg(test)]
mod tests;
