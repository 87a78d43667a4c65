//! What is filled in and not saved yet: kept beside what else this console keeps, so that a kill, a
//! restart or a lost link takes none of it. A secret is not among it: it would lie there in plain.

use super::auth::{AuthForm, Scheme};
use super::step::{METHODS, StepForm};
use super::{Guide, Stage, text};
use crate::console::app::{App, Tone};
use crate::console::capture::From;
use crate::console::edit::Edit;
use crate::console::options::HERE;
use crate::model::Ms;
use crate::model::auth::Provider;
use crate::model::study::Sampled;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// How long something filled in waits until it is kept.
const SOON: Ms = 400;
/// Integrations of which something is kept; the newest are.
const MOST: usize = 4;
/// Bytes of what stands for a request that are kept.
const LONGEST: usize = 512 << 10;
/// Under which names it is kept.
const NAMED: &str = "guide";

/// The first step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Named {
    title: String,
    flow: String,
}

/// The second, without its secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LetIn {
    scheme: String,
    key: Option<String>,
    header: String,
    signed: String,
    user: String,
    provider: String,
}

/// The fourth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Same {
    paths: Vec<String>,
    window: String,
}

/// The fifth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sends {
    method: String,
    url: String,
    body: String,
}

/// What stands for a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// A stored one.
    Request(String),
    /// JSON.
    Text(String),
}

/// What is filled in, whether it is saved or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    named: Named,
    let_in: LetIn,
    required: BTreeSet<String>,
    same: Same,
    sends: Sends,
}

/// What is filled in and not saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Typed {
    /// The version that the rest of it is in.
    pub(super) base: u32,
    stage: u8,
    named: Option<Named>,
    pub(super) let_in: Option<LetIn>,
    required: Option<BTreeSet<String>>,
    same: Option<Same>,
    sends: Option<Sends>,
    /// The document, where it is not as it was saved: a command was pasted.
    text: Option<String>,
    stands: Option<Stands>,
    /// Keys that were made on the way.
    pub(super) made: BTreeSet<String>,
}

/// As it is written, with when that was: the oldest gives way.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Written {
    at: Ms,
    typed: Typed,
}

impl Typed {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self { base: self.base, stage: self.stage, ..Self::default() }
    }

    /// The step at which something is filled in and not saved.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        let stage = Stage::of(self.stage)?;
        let some = match stage {
            Stage::Name => self.named.is_some(),
            Stage::Auth => self.let_in.is_some(),
            Stage::Capture => self.required.is_some() || self.stands.is_some(),
            Stage::Dedup => self.same.is_some(),
            Stage::Step => self.sends.is_some() || self.text.is_some(),
            Stage::Test => false,
        };
        some.then_some(stage)
    }

    /// Whether what stands for a request is too long to be kept.
    fn is_over(&self) -> bool {
        matches!(&self.stands, Some(Stands::Text(text)) if text.len() > LONGEST)
    }

    /// Whether a guide has something else than this, as far as this says something.
    pub(super) fn differs(&self, guide: &Guide) -> bool {
        let now = guide.filled();
        self.named.as_ref().is_some_and(|named| *named != now.named)
            || self.required.as_ref().is_some_and(|required| *required != now.required)
            || self.same.as_ref().is_some_and(|same| *same != now.same)
            || self.sends.as_ref().is_some_and(|sends| *sends != now.sends)
            || self.text.as_ref().is_some_and(|text| *text != guide.text)
    }
}

impl LetIn {
    pub(super) fn of(form: &AuthForm) -> Self {
        Self {
            scheme: form.scheme().word().to_owned(),
            key: form.chosen().map(str::to_owned),
            header: form.header.text(),
            signed: form.signed.text(),
            user: form.user.text(),
            provider: form.provider().to_owned(),
        }
    }

    /// Fills a form in, as far as what it names is there.
    pub(super) fn fill(&self, form: &mut AuthForm) {
        let at = Scheme::ALL.iter().position(|scheme| scheme.word() == self.scheme);
        form.at = at.unwrap_or(form.at);
        form.header = Edit::with(&self.header);
        form.signed = Edit::with(&self.signed);
        form.user = Edit::with(&self.user);
        let at = Provider::WORDS.iter().position(|word| *word == self.provider);
        form.provider = at.unwrap_or(form.provider);
        form.pick(self.key.as_deref());
    }
}

impl Sends {
    fn of(form: &StepForm) -> Self {
        let method = METHODS[form.method % METHODS.len()].to_owned();
        Self { method, url: form.url.text(), body: form.body.text() }
    }
}

impl Guide {
    /// What is filled in at a step is as it was saved, from here on.
    pub(super) fn settled(&mut self, stage: Stage) {
        let now = self.filled();
        match stage {
            Stage::Name => self.plain.named = now.named,
            Stage::Auth => self.plain.let_in = now.let_in,
            Stage::Capture => self.plain.required = now.required,
            Stage::Dedup => self.plain.same = now.same,
            Stage::Step => self.plain.sends = now.sends,
            Stage::Test => {}
        }
    }

    /// Whether something else is filled in at a step than was saved.
    pub(super) fn touched(&self, stage: Stage) -> bool {
        let now = self.filled();
        match stage {
            Stage::Name => self.plain.named != now.named,
            Stage::Auth => self.plain.let_in != now.let_in,
            Stage::Capture => self.plain.required != now.required,
            Stage::Dedup => self.plain.same != now.same,
            Stage::Step => self.plain.sends != now.sends || self.text != self.saved,
            Stage::Test => false,
        }
    }

    fn filled(&self) -> Filled {
        let table = self.table.as_ref();
        Filled {
            named: Named { title: self.naming.title.text(), flow: self.naming.flow.text() },
            let_in: LetIn::of(&self.auth),
            required: table.map(|table| table.required_paths.clone()).unwrap_or_default(),
            same: Same {
                paths: table.map(|table| table.dedup_paths.clone()).unwrap_or_default(),
                window: self.window.text(),
            },
            sends: Sends::of(&self.step),
        }
    }

    /// What is filled in and not saved.
    #[must_use]
    pub fn unsaved(&self) -> Typed {
        let now = self.filled();
        let plain = &self.plain;
        // Until the keys are known that it may name, it is as it was.
        let let_in = self.recalled.clone().or_else(|| (now.let_in != plain.let_in).then_some(now.let_in));
        let stands = self.table.as_ref().and_then(|table| match table.from {
            From::Request => Some(Stands::Request(table.request.clone())),
            From::Pasted => Some(Stands::Text(table.pasted().to_owned())),
            From::Capture | From::Newest => None,
        });
        Typed {
            base: self.base,
            stage: self.stage.number(),
            named: (now.named != plain.named).then_some(now.named),
            let_in,
            required: (now.required != plain.required).then_some(now.required),
            same: (now.same != plain.same).then_some(now.same),
            sends: (now.sends != plain.sends).then_some(now.sends),
            text: (self.text != self.saved).then(|| self.text.clone()),
            stands,
            made: self.made.clone(),
        }
    }

    /// Fills in what was not saved; the version that it was for is open.
    pub(super) fn recall(&mut self, typed: Typed) {
        if let Some(named) = typed.named {
            self.naming.title = Edit::with(&named.title);
            self.naming.flow = Edit::with(&named.flow);
        }
        self.recalled = typed.let_in;
        if let Some(text) = typed.text {
            self.text = text;
            self.step.more = text::step(&self.text).map(|step| step.more).unwrap_or_default();
        }
        if let Some(sends) = typed.sends {
            let method = METHODS.iter().position(|method| *method == sends.method);
            self.step.method = method.unwrap_or(self.step.method);
            self.step.url = Edit::with(&sends.url);
            self.step.body = Edit::with(&sends.body);
        }
        if let Some(required) = typed.required {
            self.table().required_paths = required;
        }
        if let Some(same) = typed.same {
            self.table().dedup_paths = same.paths;
            self.window = Edit::with(&same.window);
        }
    }

    /// What stands for a request as it was chosen, and the keys that were made: whatever was saved since.
    pub(super) fn recall_beside(&mut self, typed: &mut Typed) {
        match typed.stands.take() {
            Some(Stands::Request(id)) => self.table().take(Sampled::Request(id)),
            Some(Stands::Text(text)) => self.table().take(Sampled::Text(text)),
            None => {}
        }
        self.made.append(&mut typed.made);
    }

    /// Whether what is filled in is of a document that is there, or of one that is yet to be named.
    fn is_open(&self) -> bool {
        self.name.is_empty() || self.base > 0
    }
}

impl App {
    /// Under which name it is kept what is filled in for an integration.
    fn kept_as(&self, name: &str) -> String {
        match self.options.attached.as_deref().filter(|host| *host != HERE) {
            Some(host) => format!("{NAMED} {name} at {host}"),
            None => format!("{NAMED} {name}"),
        }
    }

    /// What was filled in for an integration and not saved; nothing for one that has no name yet.
    pub(super) fn kept_typed(&self, name: &str) -> Option<Typed> {
        self.options.kept.get::<Written>(&self.kept_as(name)).map(|written| written.typed)
    }

    /// Nothing of an integration is to be kept any more.
    pub(super) fn forget_typed(&mut self, name: &str) {
        let kept_as = self.kept_as(name);
        if self.options.kept.get::<Value>(&kept_as).is_some() {
            self.keep(kept_as, Value::Null);
        }
    }

    /// When what is filled in is kept.
    #[must_use]
    pub fn guide_age(&self) -> Option<Ms> {
        self.guide.as_ref()?.due
    }

    /// Keeps what is filled in, where that is due or `now`.
    pub(super) fn keep_filled(&mut self, now: bool) {
        let at = self.now;
        let Some(guide) = self.guide.as_mut().filter(|guide| guide.is_open() && guide.finished.is_none())
        else {
            return;
        };
        let typed = guide.unsaved();
        if typed == guide.kept {
            guide.due = None;
            return;
        }
        let due = *guide.due.get_or_insert(at + SOON);
        if due > at && !now {
            return;
        }
        let over = typed.is_over() && typed.stands != guide.kept.stands;
        (guide.due, guide.kept) = (None, typed.clone());
        let name = guide.name.clone();
        if typed.is_empty() {
            return self.forget_typed(&name);
        }
        let mut typed = typed;
        if typed.is_over() {
            typed.stands = None;
        }
        if over {
            self.toast(
                Tone::Info,
                "it is over 512 KiB, and not kept for the next start: there v takes it again",
            );
        }
        let Ok(value) = serde_json::to_value(Written { at, typed }) else { return };
        let kept_as = self.kept_as(&name);
        self.make_room(&kept_as);
        self.keep(kept_as, value);
    }

    /// The oldest gives way to one more.
    fn make_room(&mut self, kept_as: &str) {
        let mut others: Vec<(Ms, String)> = self
            .options
            .kept
            .names()
            .filter(|name| name.split(' ').next() == Some(NAMED) && *name != kept_as)
            .map(|name| (self.options.kept.get::<Written>(name).map_or(0, |one| one.at), name.to_owned()))
            .collect();
        others.sort();
        let over = (others.len() + 1).saturating_sub(MOST);
        for (_, name) in others.into_iter().take(over) {
            self.keep(name, Value::Null);
        }
    }
}
