//! One line that is asked for: the path of a file, the id of a request, JSON.

use super::app::{App, Overlay, Tone};
use super::asks::Effect;
use super::edit::Edit;
use super::input::edit_key;
use super::key::Key;
use crate::model::study::Sampled;
use crossterm::event::KeyCode;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// A document to apply.
    Document,
    /// A sample for the integration that is being made.
    SampleFile,
    /// A stored request for it.
    Request,
    /// JSON for it.
    Json,
}

/// The line.
#[derive(Debug)]
pub struct Prompt {
    /// What it is for.
    pub wants: Wants,
    /// What is typed.
    pub edit: Edit,
    /// What is wrong with it.
    pub trouble: Option<String>,
    /// JSON that is longer than a line.
    pasted: Option<String>,
}

impl Prompt {
    /// An empty one.
    #[must_use]
    pub fn new(wants: Wants) -> Self {
        Self { wants, edit: Edit::default(), trouble: None, pasted: None }
    }

    /// Over it, before it, under it.
    #[must_use]
    pub fn words(&self) -> (&'static str, &'static str, &'static str) {
        match self.wants {
            Wants::Document => (
                "Apply a file",
                "path",
                "A document in TOML. What it would do is shown first; its mistakes come with file and line.",
            ),
            Wants::SampleFile => {
                ("From a file", "path", "JSON, or a sample: {\"$request\": {\"headers\": …, \"body\": …}}.")
            }
            Wants::Request => ("A stored request", "id", "Six or more of its last digits; 2 lists them."),
            Wants::Json => ("Pasted JSON", "JSON", "Paste the body of a request, or type it."),
        }
    }

    /// Takes a paste in: what does not fit in a line is kept whole.
    pub fn paste(&mut self, text: &str) {
        self.trouble = None;
        if self.wants == Wants::Json && (text.chars().count() > self.edit.room() || text.contains('\n')) {
            self.edit = Edit::with(text);
            self.pasted = Some(text.to_owned());
        } else {
            self.edit.insert(text);
        }
    }
}

impl App {
    /// Asks for the path of a document.
    pub(super) fn open_apply(&mut self) {
        if let Some(why) = self.barred_deed(crate::model::ask::Deed::Apply) {
            return self.toast(Tone::Info, why);
        }
        self.overlay = Some(Overlay::Prompt(Box::new(Prompt::new(Wants::Document))));
    }

    /// A key while a line is asked for.
    pub(super) fn prompt_key(&mut self, key: Key) {
        let Some(Overlay::Prompt(open)) = &mut self.overlay else { return };
        match (key.code, key.ctrl) {
            (KeyCode::Esc, _) => self.overlay = None,
            (KeyCode::Enter, _) => self.prompt_enter(),
            (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
            _ => {
                if edit_key(&mut open.edit, key) {
                    (open.trouble, open.pasted) = (None, None);
                }
            }
        }
    }

    fn prompt_enter(&mut self) {
        let Some(Overlay::Prompt(open)) = &mut self.overlay else { return };
        let text = open.pasted.clone().unwrap_or_else(|| open.edit.text());
        let text = text.trim().to_owned();
        if text.is_empty() {
            let (_, what, _) = open.words();
            open.trouble = Some(format!("type the {what}; esc leaves it"));
            return;
        }
        match open.wants {
            Wants::Document | Wants::SampleFile => {
                let wants = open.wants;
                self.asks.effect(Effect::Read { path: text, wants });
            }
            Wants::Request => {
                self.overlay = None;
                self.guide_samples(Sampled::Request(text));
            }
            Wants::Json => {
                self.overlay = None;
                self.guide_samples(Sampled::Text(text));
            }
        }
    }

    /// A file was read, or was not: its path as it was meant, and its text.
    pub fn file_read(&mut self, wants: Wants, path: &str, read: Result<String, String>) {
        let text = match read {
            Ok(text) => text,
            Err(why) => {
                if let Some(Overlay::Prompt(open)) = &mut self.overlay {
                    open.trouble = Some(why);
                } else {
                    self.toast(Tone::Bad, why);
                }
                return self.settle();
            }
        };
        self.overlay = None;
        match wants {
            Wants::Document => self.apply_files(vec![(path.to_owned(), text)]),
            _ => self.guide_samples(Sampled::Text(text)),
        }
        self.settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_over_lines_is_kept_whole_and_typing_takes_its_place() {
        let mut prompt = Prompt::new(Wants::Json);
        prompt.paste("{\n\"a\": 1}");
        assert_eq!(prompt.pasted.as_deref(), Some("{\n\"a\": 1}"));
        let mut path = Prompt::new(Wants::Document);
        path.paste("/a/b.toml\n");
        assert_eq!((path.edit.text().as_str(), path.pasted), ("/a/b.toml", None));
    }
}
