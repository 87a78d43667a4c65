//! Saves of what is edited: as a draft, to back-test it, to deploy it; and what somebody else saved
//! meanwhile, which is never overwritten unseen.

use super::parts::New;
use super::texts::Texts;
use super::{Editor, Wanted};
use crate::console::action::Action;
use crate::console::app::{App, Overlay, Tone};
use crate::console::asks::Want;
use crate::console::dialog::{Dialog, Version};
use crate::console::format::clock;
use crate::console::menu::{self, Entry, Menu};
use crate::model::ask::{Ask, Deed, Editing, Refusal, Revision, SavedView, VersionView};
use crate::model::document::Problem;
use crate::model::time::parse_rfc3339;

/// What comes after a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    Stay,
    /// The back-test of the draft.
    BackTest,
    /// The dialog that deploys the draft.
    Deploy,
    /// The editor is left.
    Leave,
}

/// The code of a refusal that says that somebody saved meanwhile.
pub const MEANWHILE: &str = "saved_meanwhile";

/// What an entry of a list of the editor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Saves it.
    Save(After),
    /// Opens the dialog of a deploy.
    Deploy,
    /// Opens the dialog of a replay.
    Replay,
    /// The editor is left; what is typed is kept, and there again when it is opened.
    Leave,
    /// The text is again what it was made from; the editor is left.
    Discard,
    /// Shows both texts beside each other.
    Sides(After),
    /// Saves this text after theirs.
    Mine(After),
    /// Goes on with theirs.
    Theirs,
    /// Adds an object.
    Add(New),
}

/// What somebody else saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theirs {
    version: VersionView,
    text: Option<String>,
}

fn entry(key: char, word: &'static str, text: String, does: Result<Does, String>) -> Entry {
    Entry { key, word, text, does: does.map(menu::Does::Edit) }
}

impl Editor {
    /// The number that a save would make.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.latest + 1
    }

    /// Why it cannot be saved, if so.
    fn unsound(&self, word: &str) -> Option<String> {
        let first = self.problems.iter().find(|problem| !problem.warning)?;
        let count = match self.errors() {
            1 => "1 error".to_owned(),
            many => format!("{many} errors, the first"),
        };
        Some(format!("{word} is not possible: {count} in line {}; what is typed is kept", first.line))
    }
}

impl App {
    /// Why an act of the editor cannot be done now, if so.
    pub(super) fn editor_bars(&self, action: Action) -> Option<String> {
        let editor = self.editor.as_ref()?;
        if editor.body.is_some() {
            return self.body_bars(action);
        }
        let (word, needs_change) = match action {
            Action::Save => ("save", true),
            Action::BackTest => ("back-test", false),
            Action::Deploy => ("deploy", false),
            _ => return None,
        };
        if let Some(reason) = self.barred_as(Deed::Save, word) {
            return Some(reason);
        }
        if editor.saving.is_some() {
            return Some(format!("{word} is not possible: it is being saved"));
        }
        if editor.changes > 0 {
            return editor.unsound(word);
        }
        if needs_change {
            return Some(format!("{word} is not possible: nothing differs from v{}", editor.base));
        }
        match editor.live {
            Some(live) if live == editor.latest => {
                Some(format!("{word} is not possible: v{live} is live and there is no draft"))
            }
            _ => None,
        }
    }

    /// Why an act on a document cannot be done to a body, or a replay of it not now, if so.
    fn body_bars(&self, action: Action) -> Option<String> {
        let word = match action {
            Action::Save => "save",
            Action::BackTest => "back-test",
            Action::Deploy => "deploy",
            Action::View => "form",
            Action::Add => "add",
            Action::MoveUp | Action::MoveDown => "move",
            Action::Replay => {
                let unsound = self.editor.as_ref().and_then(|editor| editor.unsound("replay"));
                return self.barred_as(Deed::Replay, "replay").or(unsound);
            }
            _ => return None,
        };
        Some(format!("{word} is not possible: this is the body of a request; {} replays it", self.say("{R}")))
    }

    /// Saves the text as the next version, as a draft.
    pub(super) fn save_edit(&mut self, after: After) {
        let Some(editor) = &mut self.editor else { return };
        let (name, text) = (editor.name.clone(), editor.source.text().to_owned());
        editor.saving = Some(text.clone());
        let revision = Revision { name: name.clone(), base: editor.base, text, ..Revision::default() };
        self.asks.ask(Want::Editor(name, Wanted::Save(after)), Ask::Edit(Box::new(Editing::Save(revision))));
    }

    /// The draft's back-test: of what is typed, once it is saved.
    pub(super) fn back_test_edit(&mut self) {
        let Some(editor) = &self.editor else { return };
        if editor.changes > 0 {
            return self.save_edit(After::BackTest);
        }
        let (_, flow) = editor.here();
        let name = editor.name.clone();
        let of = flow.and_then(|flow| flow.name).map_or(name.clone(), |flow| format!("{name}/{flow}"));
        self.begin_back_test(of, 0);
    }

    /// The dialog of a deploy: of what is typed, else of the draft.
    pub(super) fn deploy_edit(&mut self) {
        let Some(editor) = &mut self.editor else { return };
        let typed = editor.changes > 0;
        let version = Version {
            integration: editor.name.clone(),
            number: if typed { editor.next() } else { editor.latest },
            live: editor.live,
            text: typed.then(|| (editor.base, editor.source.text().to_owned())),
        };
        editor.saving = typed.then(|| editor.source.text().to_owned());
        let dialog = Dialog::deploying(version, None).in_zone(self.options.zone.clone());
        self.open_dialog(dialog);
    }

    /// A dialog was left, or refused: nothing is being saved.
    pub(in crate::console) fn editor_unsaves(&mut self) {
        if let Some(editor) = &mut self.editor {
            editor.saving = None;
        }
    }

    /// It was saved.
    pub(in crate::console) fn editor_saved(&mut self, saved: &SavedView, after: After) {
        if self.guide.is_some() {
            return self.guide_deployed(saved);
        }
        let now = self.now;
        if let Some(editor) = &mut self.editor {
            if let Some(text) = editor.saving.take() {
                editor.base_text = text;
            }
            editor.base = saved.version;
            editor.latest = editor.latest.max(saved.version);
            editor.live = if saved.live { Some(saved.version) } else { editor.live };
            editor.judged(now);
            editor.keep.refused = None;
            let name = editor.name.clone();
            let said = saved.lines.iter().find(|line| line.starts_with(&name)).cloned();
            if matches!(after, After::Stay | After::Leave) {
                self.toast(Tone::Good, said.unwrap_or_else(|| format!("{name} v{} is saved", saved.version)));
            }
        }
        self.tree.stale = true;
        self.behind = true;
        self.keep_typed(true);
        self.ask_stands();
        match after {
            After::Stay => {}
            After::BackTest => self.back_test_edit(),
            After::Deploy => self.deploy_edit(),
            After::Leave => self.close_editor(),
        }
    }

    /// It was not saved.
    pub(in crate::console) fn editor_refused(&mut self, refusal: Refusal, after: After) {
        if self.guide.is_some() {
            return self.guide_refused(&refusal);
        }
        self.editor_unsaves();
        let Some(editor) = &mut self.editor else { return self.toast(Tone::Bad, refusal.message) };
        match refusal.code.as_str() {
            MEANWHILE => {
                let name = editor.name.clone();
                let ask = Ask::History { name: name.clone(), limit: 1 };
                self.asks.ask(Want::Editor(name, Wanted::Newest(after)), ask);
            }
            "document" => {
                let told: Vec<Problem> =
                    refusal.message.lines().filter_map(|line| told(&editor.name, line)).collect();
                let count = told.len();
                for problem in told {
                    if !editor.problems.contains(&problem) {
                        editor.problems.push(problem);
                    }
                }
                editor.problems.sort_by_key(|problem| (problem.line, problem.column));
                let errors = if count == 1 { "1 error" } else { "errors" };
                let n = self.say("{n}");
                self.toast(
                    Tone::Bad,
                    format!("nothing was saved: {errors} that the desk found; {n} goes to them"),
                );
            }
            _ => self.toast(Tone::Bad, refusal.message),
        }
    }

    /// Who saved meanwhile is known: their text is asked for.
    pub(super) fn newest_came(&mut self, versions: Vec<VersionView>, after: After) {
        let (Some(editor), Some(version)) = (&mut self.editor, versions.into_iter().next()) else { return };
        let name = editor.name.clone();
        let ask = Ask::Export { name: name.clone(), version: Some(version.number) };
        editor.latest = editor.latest.max(version.number);
        editor.theirs = Some(Theirs { version, text: None });
        self.asks.ask(Want::Editor(name, Wanted::Theirs(after)), ask);
    }

    /// Their text is there: the person decides.
    pub(super) fn theirs_came(&mut self, text: String, after: After) {
        if let Some(theirs) = self.editor.as_mut().and_then(|editor| editor.theirs.as_mut()) {
            theirs.text = Some(text);
        }
        self.open_meanwhile(after);
    }

    /// What somebody else saved, and what can be done about it.
    pub(super) fn open_meanwhile(&mut self, after: After) {
        let Some(editor) = &self.editor else { return };
        let Some(Theirs { version, .. }) = &editor.theirs else { return };
        let at = parse_rfc3339(&version.time).map(|at| clock(at, self.now, &self.options.zone));
        let at = at.unwrap_or_else(|| version.time.clone());
        let (theirs, mine, author) = (version.number, version.number + 1, &version.author);
        let reason = version.reason.as_deref().map_or_else(String::new, |why| format!(", \"{why}\""));
        let entries = vec![
            entry('d', "beside", "both texts beside each other".to_owned(), Ok(Does::Sides(after))),
            entry(
                'm',
                "mine",
                format!("is saved as v{mine}; v{theirs} stays in the history"),
                Ok(Does::Mine(after)),
            ),
            entry(
                'b',
                "theirs",
                format!("v{theirs} in place of what is typed; {} brings that back", self.say("{z}")),
                Ok(Does::Theirs),
            ),
        ];
        let title = format!("{author} saved v{theirs} at {at} while you edited v{}{reason}", editor.base);
        self.overlay = Some(Overlay::Menu(Box::new(Menu { title, copies: false, entries, at: 0 })));
    }

    /// What can be done with changes before they are left.
    pub(super) fn open_leave_menu(&mut self) {
        let Some(editor) = &self.editor else { return };
        if editor.body.is_some() {
            let can = self.editor_bars(Action::Replay).map_or(Ok(Does::Replay), Err);
            let entries = vec![
                entry('R', "replay", "with what was changed, after its plan".to_owned(), can),
                entry('x', "discard", "the stored request is as it was".to_owned(), Ok(Does::Discard)),
            ];
            let title = format!("the body of {} was changed", editor.name);
            self.overlay = Some(Overlay::Menu(Box::new(Menu { title, copies: false, entries, at: 0 })));
            return;
        }
        let next = editor.next();
        let can = |action, does| self.editor_bars(action).map_or(Ok(does), Err);
        let unkept = editor.keep.refused.as_ref();
        let leave = unkept.map_or(Ok(Does::Leave), |why| Err(format!("it is not kept: {why}")));
        let entries = vec![
            entry('w', "save", format!("as a draft: v{next}"), can(Action::Save, Does::Save(After::Leave))),
            entry(
                'b',
                "back-test",
                format!("saves v{next} as a draft, and shows what it changes"),
                can(Action::BackTest, Does::Save(After::BackTest)),
            ),
            entry('D', "deploy", format!("v{next}, after its plan"), can(Action::Deploy, Does::Deploy)),
            entry('l', "leave", self.say("as it is typed: it is kept, {e} goes on with it"), leave),
            entry('x', "discard", self.say("{z} brings them back, also later"), Ok(Does::Discard)),
        ];
        let count =
            if editor.changes == 1 { "1 change".to_owned() } else { format!("{} changes", editor.changes) };
        let title = format!("{} has {count}", editor.name);
        self.overlay = Some(Overlay::Menu(Box::new(Menu { title, copies: false, entries, at: 0 })));
    }

    /// What can be added.
    pub(super) fn open_add_menu(&mut self) {
        let entries = vec![
            entry(
                's',
                "step",
                "after the one at the cursor; or paste a curl command".to_owned(),
                Ok(Does::Add(New::Step)),
            ),
            entry('f', "flow", "after the one at the cursor".to_owned(), Ok(Does::Add(New::Flow))),
            entry('v', "variable", "config.NAME in templates".to_owned(), Ok(Does::Add(New::Variable))),
            entry(
                'c',
                "connection",
                "a target: base URL and credentials".to_owned(),
                Ok(Does::Add(New::Connection)),
            ),
        ];
        let title = "Add".to_owned();
        self.overlay = Some(Overlay::Menu(Box::new(Menu { title, copies: false, entries, at: 0 })));
    }

    /// Does what an entry says.
    pub(in crate::console) fn do_edit(&mut self, does: Does) {
        let now = self.now;
        let Some(editor) = &mut self.editor else { return };
        match does {
            Does::Save(after) => self.save_edit(after),
            Does::Deploy => self.deploy_edit(),
            Does::Replay => self.replay_edited(),
            Does::Leave => self.close_editor(),
            Does::Discard if editor.body.is_some() => self.close_editor(),
            Does::Discard => {
                let count = editor.changes;
                editor.source.replace(editor.base_text.clone());
                editor.judged(now);
                let name = editor.name.clone();
                self.close_editor();
                let s = if count == 1 { "change is" } else { "changes are" };
                let (e, z) = (self.say("{e}"), self.say("{z}"));
                self.toast(
                    Tone::Info,
                    format!("{count} {s} discarded; {e} {name}, then {z} brings them back"),
                );
            }
            Does::Sides(after) => self.open_sides(after),
            Does::Mine(after) => {
                if let Some(Theirs { version, text: Some(text) }) = editor.theirs.take() {
                    (editor.base, editor.base_text) = (version.number, text);
                    editor.judged(now);
                    self.save_edit(after);
                }
            }
            Does::Theirs => {
                if let Some(Theirs { version, text: Some(text) }) = editor.theirs.take() {
                    editor.source.replace_by(text.clone(), Some((editor.base, version.number)));
                    (editor.base, editor.base_text) = (version.number, text);
                    editor.judged(now);
                    let z = self.options.keymap.pressed("z");
                    let said =
                        format!("this is v{} of {}; {z} brings yours back", version.number, version.author);
                    self.toast(Tone::Info, said);
                }
            }
            Does::Add(new) => self.add_object(new),
        }
    }

    fn open_sides(&mut self, after: After) {
        let Some(editor) = &self.editor else { return };
        let Some(Theirs { version, text: Some(text) }) = &editor.theirs else { return };
        let heads = ("yours".to_owned(), format!("v{} of {}", version.number, version.author));
        let texts = Texts::new(editor.source.text(), text, heads, Some(after));
        self.overlay = Some(Overlay::Texts(Box::new(texts)));
    }

    /// What the text was made from beside what it is now.
    pub(super) fn open_changes(&mut self) {
        let Some(editor) = &self.editor else { return };
        let heads = (format!("v{}", editor.base), "as it is typed".to_owned());
        let texts = Texts::new(&editor.base_text, editor.source.text(), heads, None);
        self.overlay = Some(Overlay::Texts(Box::new(texts)));
    }
}

/// A mistake as the desk tells it: `acme:44:14: a duration needs a unit`.
fn told(name: &str, line: &str) -> Option<Problem> {
    let rest = line.strip_prefix(name)?.strip_prefix(':')?;
    let (line, rest) = rest.split_once(':')?;
    let (column, message) = rest.split_once(": ")?;
    let (message, warning) = match message.strip_prefix("warning: ") {
        Some(message) => (message, true),
        None => (message, false),
    };
    Some(Problem {
        line: line.parse().ok()?,
        column: column.parse().ok()?,
        message: message.to_owned(),
        warning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_desk_finds_is_read_by_line_and_column() {
        let read = told("acme", "acme:44:14: warning: no key \"x\": add it").unwrap();
        assert_eq!((read.line, read.column, read.warning), (44, 14, true));
        assert_eq!(read.message, "no key \"x\": add it");
        assert_eq!(told("acme", "something else"), None);
    }
}
