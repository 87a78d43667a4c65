//! What is asked while a document is edited: what is typed is kept, the step at the cursor is built for
//! the last real request, and the paths of real requests are asked for.

use super::complete::{Known, complete, complete_path};
use super::outline::What;
use super::{After, Editor};
use crate::console::app::{App, Dirt, PAUSE, Tone};
use crate::console::asks::Want;
use crate::console::keymap::Keymap;
use crate::model::Ms;
use crate::model::ask::{Answer, Ask, Deed, Editing, Refusal, Typed};
use crate::model::id::short;
use crate::model::study::{Sampled, SimulatedView, Source as Paths, Studied, Study, Trial};
use crate::session::Link;

/// How long something typed waits until it is kept.
const SOON: Ms = 400;
/// How long a refused one waits.
const AGAIN: Ms = 5_000;
/// Requests whose paths are offered.
const REQUESTS: u32 = 100;
/// Flows whose paths are remembered.
const FLOWS: usize = 100;

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The document.
    Open,
    /// How it stands now: somebody else may have saved.
    Stands,
    /// What is typed was kept.
    Keep,
    /// It was saved, and what comes then.
    Save(After),
    /// Who saved meanwhile, and what.
    Newest(After),
    /// The text of that.
    Theirs(After),
    /// What a step would send.
    Preview,
    /// Paths of the last requests of a flow.
    Paths(String),
    /// The body of a request.
    Body,
}

/// Whether what is typed is kept.
#[derive(Debug, Default)]
pub struct Keep {
    /// How often it was kept, as far as is known here.
    pub seen: u64,
    /// There is something to keep.
    pub wanted: bool,
    /// When it is kept.
    pub due: Option<Ms>,
    /// Why it is not.
    pub refused: Option<String>,
    /// What was kept last, or tried to.
    sent: String,
    /// The person quits once it is kept.
    quits: bool,
}

impl Keep {
    pub(super) fn changed(&mut self, now: Ms) {
        self.wanted = true;
        self.due = self.due.or(Some(now + SOON));
    }
}

/// What the step at the cursor would send.
#[derive(Debug, Default)]
pub struct Preview {
    /// When it is asked for.
    pub due: Option<Ms>,
    /// The flow that it was asked for.
    pub of: Option<String>,
    /// What that would send.
    pub view: Option<Box<SimulatedView>>,
    /// Why it is not known.
    pub trouble: Option<String>,
}

impl Preview {
    pub(super) fn changed(&mut self, now: Ms) {
        self.due = Some(now + PAUSE);
    }
}

impl Editor {
    /// What can stand at the cursor.
    pub fn complete(&mut self) {
        if self.body.is_some() {
            return;
        }
        let (_, flow) = self.here();
        let name = flow.and_then(|flow| flow.name);
        let fields = name.and_then(|name| self.fields.get(&name)?.as_ref());
        let known = Known { fields, connections: &self.connections, urls: &self.urls };
        self.completion = match self.form.as_ref().and_then(|form| form.edit.as_ref()) {
            Some(edit) => {
                let before: String = edit.text().chars().take(edit.cursor()).collect();
                let (object, _, objects) = self.fields();
                complete_path(&before, &objects, &object, known)
            }
            None => complete(self.source.lines(), self.source.cursor(), known),
        };
    }

    /// The title of what the step at the cursor would send, and that in a line; whether it is well.
    #[must_use]
    pub fn told(&self, keys: &Keymap) -> (String, String, bool) {
        let preview = || "preview".to_owned();
        if self.body.is_some() {
            let told = match self.body_edits() {
                Ok(edits) if edits.is_empty() => {
                    keys.say("nothing yet: enter types, {R} replays what was changed")
                }
                Ok(edits) => edits
                    .iter()
                    .map(|(path, value)| format!("{path} = {value}"))
                    .collect::<Vec<_>>()
                    .join("   "),
                Err(why) => why,
            };
            return ("changed".to_owned(), told, true);
        }
        let (here, flow) = self.here();
        let Some(flow) = flow.and_then(|flow| flow.name) else {
            let (_, help) = self.help().unwrap_or_default();
            return (
                preview(),
                if help.is_empty() {
                    "in a flow: what it would send for its last request".to_owned()
                } else {
                    help
                },
                true,
            );
        };
        let errors = self.errors();
        if errors > 0 {
            let first = self.problems.iter().find(|problem| !problem.warning).map_or(0, |one| one.line);
            return (preview(), format!("not while there are errors: the first is in line {first}"), true);
        }
        if let Some(trouble) = &self.preview.trouble {
            return (preview(), trouble.clone(), true);
        }
        let of_flow = self.preview.of.as_ref() == Some(&flow);
        let Some(view) = self.preview.view.as_ref().filter(|_| of_flow) else {
            return (preview(), "asking the store…".to_owned(), true);
        };
        let title = view.request.as_deref().map_or_else(preview, |id| format!("preview · {}", short(id)));
        let step = here.name.as_deref().filter(|_| here.what == What::Step);
        let Some(step) = step.and_then(|name| view.steps.iter().find(|step| step.name == name)) else {
            let cause = view.cause.as_deref().map_or_else(String::new, |cause| format!(": {cause}"));
            return (
                title,
                format!("it would be {}{cause}; a step shows what it would send", view.verdict.word()),
                true,
            );
        };
        let why = step.cause.as_ref().or(step.blocked.as_ref());
        if let Some(sent) = &step.request {
            let body = sent.body.as_deref().unwrap_or_default();
            let why = why.map_or_else(String::new, |why| format!("   ({why})"));
            return (title, format!("{} {}   {body}{why}", sent.method, sent.url), why.is_empty());
        }
        if let Some(why) = why {
            return (title, why.clone(), step.runs == Some(false));
        }
        let told =
            match (&step.outputs, &step.answer, step.items.first().and_then(|item| item.request.as_ref())) {
                (Some(outputs), ..) => serde_json::to_string(outputs).unwrap_or_default(),
                (_, Some(answer), _) => format!("answers {} {}", answer.status, answer.body),
                (_, _, Some(sent)) => format!(
                    "the first of {}: {} {}   {}",
                    step.item_count.unwrap_or(0),
                    sent.method,
                    sent.url,
                    sent.body.as_deref().unwrap_or_default()
                ),
                _ => step
                    .until
                    .as_ref()
                    .map_or_else(|| step.kind.clone(), |until| format!("waits until {until}")),
            };
        (title, told, true)
    }

    /// The key of the cursor's line, or of the form's field, and what it does.
    #[must_use]
    pub fn help(&self) -> Option<(String, String)> {
        if let Some(form) = &self.form {
            let key = self.fields().1.get(form.at)?.key;
            return Some((key.name.to_owned(), format!("{}: {}", key.name, key.help)));
        }
        let (here, _) = self.here();
        let line = self.source.cursor().0;
        let (name, _) = here.keys.iter().find(|(_, at)| *at == line)?;
        let key = super::shape::find(here.what, here.kind.as_deref(), name)?;
        Some((name.clone(), format!("{name}: {}", key.help)))
    }

    /// When something is due by itself.
    #[must_use]
    pub fn next_age(&self) -> Option<Ms> {
        [self.keep.due, self.preview.due].into_iter().flatten().min()
    }
}

impl App {
    /// Whether the person may change documents at all.
    pub(super) fn may_type(&self) -> bool {
        Deed::Keep.allowed(self.options.read_only, self.options.role).is_ok()
    }

    /// When the editor does something by itself: not while it waits for the desk or the link.
    #[must_use]
    pub fn editor_age(&self) -> Option<Ms> {
        let editor = self.editor.as_ref().filter(|_| self.link.0 == Link::Live)?;
        // What is overdue and cannot be asked for is waited for by nobody: it would keep the loop awake.
        let keeps = editor.keep.wanted && !self.holds_back(editor);
        let previews = editor.asks() && editor.flow_here().is_some();
        let previews = previews && !self.is_asked(&editor.name, &Wanted::Preview);
        [editor.keep.due.filter(|_| keeps), editor.preview.due.filter(|_| previews)]
            .into_iter()
            .flatten()
            .min()
    }

    fn is_asked(&self, name: &str, what: &Wanted) -> bool {
        self.asks.awaits(|want| matches!(want, Want::Editor(of, wanted) if of == name && wanted == what))
    }

    /// Brings the editor in line with the size of the screen, and asks for what is due.
    pub(in crate::console) fn settle_editor(&mut self) {
        let area = self.frame().content;
        let Some(editor) = &mut self.editor else { return };
        let (_, body, _) = crate::console::screen::editor::parts(area);
        editor.fit(usize::from(body.height), body.width);
        if !editor.asks() || self.link.0 != Link::Live {
            return;
        }
        self.keep_typed(false);
        self.ask_preview();
        self.ask_paths();
    }

    /// Whether what is typed cannot be kept now: nobody may, it is refused, or the last was not answered.
    fn holds_back(&self, editor: &Editor) -> bool {
        let refused = editor.keep.refused.is_some();
        !self.may_type() || !editor.asks() || refused || self.is_asked(&editor.name, &Wanted::Keep)
    }

    /// Keeps what is typed, where that is due or `now`.
    pub(super) fn keep_typed(&mut self, now: bool) {
        let at = self.now;
        let Some(editor) = &self.editor else { return };
        let due = editor.keep.wanted && (now || editor.keep.due.is_some_and(|due| due <= at));
        if !due || self.link.0 != Link::Live || self.holds_back(editor) {
            return;
        }
        let Some(editor) = &mut self.editor else { return };
        let name = editor.name.clone();
        let typed = Typed {
            name: name.clone(),
            base: editor.base,
            text: editor.source.text().to_owned(),
            history: editor.source.history.written(),
            unsaved: editor.changes > 0,
            seen: editor.keep.seen,
        };
        editor.keep.sent.clone_from(&typed.text);
        (editor.keep.wanted, editor.keep.due) = (false, None);
        self.asks.ask(Want::Editor(name, Wanted::Keep), Ask::Edit(Box::new(Editing::Keep(typed))));
    }

    /// Whether what is typed is kept first, before the person quits; asked again, they quit without.
    pub(in crate::console) fn keeps_first(&mut self) -> bool {
        self.keep_typed(true);
        let Some(editor) = &self.editor else { return false };
        if editor.keep.quits || !self.is_asked(&editor.name, &Wanted::Keep) {
            return false;
        }
        if let Some(editor) = &mut self.editor {
            editor.keep.quits = true;
        }
        true
    }

    /// How the document stands in the store now.
    pub(in crate::console) fn ask_stands(&mut self) {
        let editor = self.editor.as_ref().filter(|editor| !editor.loading && editor.body.is_none());
        let Some(editor) = editor else { return };
        let name = editor.name.clone();
        if !self.is_asked(&name, &Wanted::Stands) {
            let ask = Ask::Edit(Box::new(Editing::Open { name: name.clone() }));
            self.asks.ask(Want::Editor(name, Wanted::Stands), ask);
        }
    }

    /// The link is back, or the store was changed: what was asked is asked again.
    pub(in crate::console) fn editor_resumes(&mut self) {
        let Some(editor) = self.editor.as_mut().filter(|editor| editor.body.is_none()) else { return };
        editor.saving = None;
        if editor.loading {
            let name = editor.name.clone();
            return self.ask_for_editor(name);
        }
        editor.fields.retain(|_, fields| fields.is_some());
        editor.keep.wanted |= editor.keep.sent != editor.source.text() && editor.changes > 0;
        editor.preview.changed(self.now);
        self.ask_stands();
    }

    fn ask_preview(&mut self) {
        let now = self.now;
        let Some(editor) = &mut self.editor else { return };
        let name = editor.name.clone();
        let Some(flow) = editor.flow_here() else { return };
        if editor.preview.of.as_ref() != Some(&flow) {
            let preview = &mut editor.preview;
            (preview.of, preview.view, preview.trouble) = (Some(flow.clone()), None, None);
            preview.due = Some(now);
        }
        if editor.preview.due.is_none_or(|due| due > now) {
            return;
        }
        let (text, sound) = (editor.source.text().to_owned(), editor.errors() == 0);
        if self.is_asked(&name, &Wanted::Preview) {
            return;
        }
        if let Some(editor) = &mut self.editor {
            editor.preview.due = None;
        }
        if sound {
            let trial = Trial {
                flow: format!("{name}/{flow}"),
                sample: Sampled::Request("last".to_owned()),
                text: Some(text),
                ..Trial::default()
            };
            self.asks.ask(Want::Editor(name, Wanted::Preview), Ask::Study(Study::Simulate(trial)));
        }
    }

    fn ask_paths(&mut self) {
        let Some(editor) = &mut self.editor else { return };
        let name = editor.name.clone();
        let Some(flow) = editor.flow_here() else { return };
        if editor.fields.contains_key(&flow) || editor.fields.len() >= FLOWS {
            return;
        }
        editor.fields.insert(flow.clone(), None);
        self.ask_paths_of(name, flow);
    }

    /// Asks for the paths of a flow's last requests; those that are known are offered until they come.
    fn ask_paths_of(&mut self, name: String, flow: String) {
        if self.is_asked(&name, &Wanted::Paths(flow.clone())) {
            return;
        }
        let paths = Paths::Newest { flow: format!("{name}/{flow}"), most: REQUESTS };
        self.asks.ask(Want::Editor(name, Wanted::Paths(flow)), Ask::Study(Study::Fields(paths)));
    }

    /// An answer for an editor.
    pub(in crate::console) fn editor_answered(
        &mut self,
        name: &str,
        wanted: Wanted,
        answer: Result<Answer, Refusal>,
    ) {
        self.touch(Dirt::Data);
        let now = self.now;
        let reopens = wanted == Wanted::Keep;
        let Some(editor) = self.editor.as_mut().filter(|editor| editor.name == name) else {
            if let (Wanted::Keep, Err(refusal)) = (wanted, answer) {
                self.toast(Tone::Bad, format!("{name}: what was typed is not kept: {}", refusal.message));
            }
            return;
        };
        match (wanted, answer) {
            (Wanted::Open, Ok(Answer::Edit(view))) => {
                editor.install(*view, now);
                self.opened_editor();
            }
            (Wanted::Body, Ok(Answer::Request(detail))) => self.body_came(*detail),
            (Wanted::Open | Wanted::Body, Ok(_)) => {
                self.editor = None;
                self.toast(Tone::Bad, "the answer does not fit the question");
            }
            (Wanted::Open | Wanted::Body, Err(refusal)) => {
                self.editor = None;
                self.toast(Tone::Bad, refusal.message);
            }
            (Wanted::Stands, Ok(Answer::Edit(mut view))) => {
                if let Some(typed) = view.typed.take().filter(|typed| typed.seen != editor.keep.seen) {
                    // The answer to the last one was lost, and it was kept.
                    if typed.text == editor.keep.sent {
                        editor.keep.seen = typed.seen;
                    }
                }
                editor.stands(*view);
            }
            (Wanted::Keep, Ok(Answer::Kept { seen })) => {
                editor.keep.seen = seen;
                if std::mem::take(&mut editor.keep.quits) {
                    self.ask_to_quit();
                }
            }
            (Wanted::Keep, Err(refusal)) if refusal.code == "two_consoles" => {
                let said = format!("{}: what is typed here is not kept until it is saved", refusal.message);
                editor.keep.refused = Some(refusal.message);
                self.toast(Tone::Bad, said);
            }
            (Wanted::Keep, Err(refusal)) => {
                editor.keep.wanted = true;
                editor.keep.due = Some(now + AGAIN);
                self.toast(Tone::Bad, format!("what is typed is not kept: {}", refusal.message));
            }
            (Wanted::Preview, Ok(Answer::Studied(studied))) => {
                if let Studied::Simulated(view) = *studied {
                    let before = editor.preview.view.replace(view);
                    editor.preview.trouble = None;
                    let newest = editor.preview.view.as_ref().and_then(|view| view.request.clone());
                    let came = before.map(|view| view.request != newest);
                    let flow = editor.preview.of.clone().filter(|flow| {
                        let unknown = editor.fields.get(flow).is_none_or(Option::is_none);
                        newest.is_some() && came.unwrap_or(unknown)
                    });
                    if let Some(flow) = flow {
                        // What came since may have paths that no earlier one had.
                        self.ask_paths_of(name.to_owned(), flow);
                    }
                }
            }
            (Wanted::Preview, Err(refusal)) if refusal.code == Refusal::NO_REQUEST => {
                editor.preview.view = None;
                let said = "no request came yet: once one did, what it would make the step send stands here";
                editor.preview.trouble = Some(said.to_owned());
            }
            (Wanted::Preview, Err(refusal)) => {
                editor.preview.view = None;
                editor.preview.trouble = Some(refusal.message);
            }
            (Wanted::Paths(flow), Ok(Answer::Studied(studied))) => {
                if let Studied::Fields(fields) = *studied {
                    editor.fields.insert(flow, Some(fields));
                    editor.judge();
                }
            }
            (Wanted::Save(after), Ok(Answer::Saved(saved))) => self.editor_saved(&saved, after),
            (Wanted::Save(after), Err(refusal)) => self.editor_refused(refusal, after),
            (Wanted::Newest(after), Ok(Answer::History { versions })) => self.newest_came(versions, after),
            (Wanted::Theirs(after), Ok(Answer::Source { text, .. })) => self.theirs_came(text, after),
            (Wanted::Newest(_) | Wanted::Theirs(_), Err(refusal)) => self.toast(Tone::Bad, refusal.message),
            // Without a request there are no paths, and nothing is said of it.
            _ => {}
        }
        let waits = self.editor.as_ref().is_some_and(|editor| editor.loading);
        if reopens && waits {
            self.ask_for_editor(name.to_owned());
        }
    }
}
