//! What another dedup rule would have done: its fields are typed, the store's traffic is asked.

use super::app::{App, Overlay, Tone};
use super::asks::Want;
use super::edit::Edit;
use super::input::edit_key;
use super::key::Key;
use crate::model::Ms;
use crate::model::ask::{Ask, Refusal};
use crate::model::study::{FieldsView, Rule, Source, Study, WhatIfView};
use crate::model::time::DAY;
use crate::rules::whatif::split_fields;
use crossterm::event::KeyCode;

/// How far back it looks.
pub const SINCE: Ms = 7 * DAY;

/// The rule that is tried, and what came of it.
#[derive(Debug)]
pub struct WhatIf {
    /// `NAME/FLOW`.
    pub flow: String,
    /// The request that was selected: the fields of its rule are the ones to begin with.
    pub request: String,
    /// The fields, with commas between them.
    pub edit: Edit,
    /// A person typed; else the live rule's fields are put in when they come.
    typed: bool,
    /// Fields of the rule that judged the request, as far as it is known.
    pub live: Option<String>,
    /// Paths that are nearly unique, the best first.
    pub good: Vec<String>,
    /// Which of them `tab` puts in next.
    next: usize,
    /// What was typed when the store was asked last.
    asked: String,
    /// The answer to that.
    found: Option<Box<WhatIfView>>,
    /// The store is asked.
    pub asking: bool,
    /// Why there is no answer.
    pub trouble: Option<String>,
    /// The selected change.
    pub at: usize,
}

impl WhatIf {
    fn new(flow: String, request: String) -> Self {
        Self {
            flow,
            request,
            edit: Edit::default(),
            typed: false,
            live: None,
            good: Vec::new(),
            next: 0,
            asked: String::new(),
            found: None,
            asking: false,
            trouble: None,
            at: 0,
        }
    }

    /// Where what is typed or pasted goes.
    pub fn typing(&mut self) -> &mut Edit {
        self.typed = true;
        self.trouble = None;
        &mut self.edit
    }

    /// The answer, where it is for what is typed now.
    #[must_use]
    pub fn current(&self) -> Option<&WhatIfView> {
        self.found.as_deref().filter(|_| self.asked == self.edit.text())
    }

    /// The fields of the rule that judged the request.
    fn set_live(&mut self, fields: &[String]) {
        let text = fields.join(",");
        if !self.typed && !text.is_empty() {
            self.edit = Edit::with(&text);
        }
        self.live = Some(text);
    }

    fn set_good(&mut self, found: &FieldsView) {
        self.good = found.fields.iter().filter(|field| field.good).map(|field| field.path.clone()).collect();
    }

    /// Puts the next path that is nearly unique in the place of what is typed.
    fn suggest(&mut self) -> bool {
        if self.good.is_empty() {
            return false;
        }
        self.edit = Edit::with(&self.good[self.next % self.good.len()]);
        self.next += 1;
        self.typed = true;
        true
    }
}

impl App {
    /// Opens the question for the flow of the selected request.
    pub fn open_what_if(&mut self) {
        let Some((flow, request)) = self.captured_flow() else { return };
        self.overlay = Some(Overlay::WhatIf(Box::new(WhatIf::new(flow.clone(), request.clone()))));
        self.asks.drop_wants(|want| matches!(want, Want::WhatIf | Want::WhatIfRule | Want::WhatIfFields));
        self.asks.ask(Want::WhatIfRule, Ask::Explain { id: request });
        self.asks.ask(Want::WhatIfFields, Ask::Study(Study::Fields(Source::Newest { flow, most: 1_000 })));
    }

    /// A key while it is open.
    pub fn what_if_key(&mut self, key: Key) {
        let Some(Overlay::WhatIf(open)) = &mut self.overlay else { return };
        let last = open.current().map_or(0, |view| view.changes.len().saturating_sub(1));
        match (key.code, key.ctrl) {
            (KeyCode::Esc, _) => self.overlay = None,
            (KeyCode::Down, _) => open.at = (open.at + 1).min(last),
            (KeyCode::Up, _) => open.at = open.at.saturating_sub(1),
            (KeyCode::PageDown, _) => open.at = (open.at + 10).min(last),
            (KeyCode::PageUp, _) => open.at = open.at.saturating_sub(10),
            (KeyCode::Enter, _) => self.what_if_enter(),
            (KeyCode::Tab | KeyCode::BackTab, _) => {
                if !open.suggest() {
                    self.toast(Tone::Info, "no path is nearly unique over the newest requests");
                }
            }
            (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
            _ => {
                if edit_key(&mut open.edit, key) {
                    open.typing();
                }
            }
        }
    }

    /// Asks, or opens the selected change where the answer is there.
    fn what_if_enter(&mut self) {
        let Some(Overlay::WhatIf(open)) = &mut self.overlay else { return };
        if let Some(view) = open.current() {
            let at = view.changes.get(open.at).map(|change| change.request.clone());
            match at {
                Some(id) => {
                    self.overlay = None;
                    self.open_request(id);
                }
                None => self.toast(Tone::Info, "nothing would have been judged otherwise"),
            }
            return;
        }
        let text = open.edit.text();
        let fields: Vec<String> = split_fields(&text).into_iter().filter(|field| !field.is_empty()).collect();
        if fields.is_empty() {
            return self
                .toast(Tone::Info, "type one to five paths, with commas between them; tab suggests one");
        }
        open.asking = true;
        open.trouble = None;
        open.found = None;
        open.asked = text;
        let rule = Rule { flow: open.flow.clone(), fields, since: SINCE, ..Rule::default() };
        self.asks.drop_wants(|want| *want == Want::WhatIf);
        self.asks.ask(Want::WhatIf, Ask::Study(Study::WhatIf(rule)));
    }

    /// What the rule would have done.
    pub fn what_if_found(&mut self, view: WhatIfView) {
        if let Some(Overlay::WhatIf(open)) = &mut self.overlay {
            open.found = Some(Box::new(view));
            open.asking = false;
            open.at = 0;
        }
    }

    /// The rule that judged the selected request.
    pub fn what_if_rule(&mut self, fields: &[String]) {
        if let Some(Overlay::WhatIf(open)) = &mut self.overlay {
            open.set_live(fields);
        }
    }

    /// The paths of the newest requests.
    pub fn what_if_fields(&mut self, found: &FieldsView) {
        if let Some(Overlay::WhatIf(open)) = &mut self.overlay {
            open.set_good(found);
        }
    }

    /// It was refused: a path that is none, a flow that is gone.
    pub fn what_if_refused(&mut self, refusal: Refusal) {
        if let Some(Overlay::WhatIf(open)) = &mut self.overlay {
            open.asking = false;
            open.found = None;
            open.trouble = Some(refusal.message);
        }
        self.touch(super::app::Dirt::Input);
    }
}
