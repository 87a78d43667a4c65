//! Who did what, when and why: the audit trail as a list, the newest last, more of it as the cursor
//! goes up.

use super::app::{App, Dirt, Overlay};
use super::asks::Want;
use super::edit::Edit;
use super::input::edit_key;
use super::key::Key;
use crate::model::ask::{Ask, Page, Refusal, Rows};
use crate::model::view::AuditView;
use crossterm::event::KeyCode;

/// Entries that are asked for at once.
const PAGE: u32 = 100;
/// Most that are held; a filter finds those before them.
pub const MOST: usize = 2_000;
/// Entries before the first held one at which more are asked for.
const NEAR: usize = 30;

/// The list while it is open.
#[derive(Debug, Default)]
pub struct Trail {
    /// The newest first.
    pub rows: Vec<AuditView>,
    /// The selected one.
    pub at: usize,
    /// The filter in force.
    pub filter: String,
    /// One that is typed.
    pub typing: Option<Edit>,
    /// Why nothing came.
    pub trouble: Option<String>,
    /// Something came.
    pub known: bool,
    /// Where older ones go on.
    older: Option<String>,
    /// The filter that is asked with.
    asked: String,
}

impl Trail {
    /// The selected entry.
    #[must_use]
    pub fn current(&self) -> Option<&AuditView> {
        self.rows.get(self.at)
    }

    /// Whether there are older ones, and whether they can be shown.
    #[must_use]
    pub fn more(&self) -> (bool, bool) {
        (self.older.is_some(), self.rows.len() < MOST)
    }

    fn install(&mut self, before: bool, rows: Rows<AuditView>) {
        if !before {
            self.rows.clear();
            self.at = 0;
            self.filter.clone_from(&self.asked);
        }
        self.rows.extend(rows.rows);
        self.rows.truncate(MOST);
        self.older = rows.next;
        (self.known, self.trouble) = (true, None);
    }
}

impl App {
    /// Opens it.
    pub fn open_audit(&mut self) {
        self.overlay = Some(Overlay::Audit(Box::default()));
        self.ask_audit(false);
    }

    fn ask_audit(&mut self, older: bool) {
        let Some(Overlay::Audit(open)) = &mut self.overlay else { return };
        let before = if older { open.older.clone() } else { None };
        let filter = if older { open.filter.clone() } else { open.asked.clone() };
        self.asks.drop_wants(|want| matches!(want, Want::Audit(_)));
        let page = Page { filter, before, limit: PAGE, ..Page::default() };
        self.asks.ask(Want::Audit(older), Ask::Audit(page));
    }

    /// A page of it came.
    pub fn audit_came(&mut self, older: bool, result: Result<Rows<AuditView>, Refusal>) {
        let Some(Overlay::Audit(open)) = &mut self.overlay else { return };
        match result {
            Ok(rows) => open.install(older, rows),
            // What was shown stays, with the filter that it is of.
            Err(refusal) => open.trouble = Some(refusal.message),
        }
        self.touch(Dirt::Input);
        self.audit_goes_on();
    }

    /// Asks for older ones where the cursor comes near to the last that is held.
    fn audit_goes_on(&mut self) {
        let Some(Overlay::Audit(open)) = &self.overlay else { return };
        let near = open.at + NEAR >= open.rows.len() && open.more() == (true, true) && open.trouble.is_none();
        if near && !self.asks.awaits(|want| matches!(want, Want::Audit(_))) {
            self.ask_audit(true);
        }
    }

    /// A key while it is open.
    pub fn audit_key(&mut self, key: Key) {
        let Some(Overlay::Audit(open)) = &mut self.overlay else { return };
        let last = open.rows.len().saturating_sub(1);
        if let Some(edit) = &mut open.typing {
            match (key.code, key.ctrl) {
                (KeyCode::Esc, _) => open.typing = None,
                (KeyCode::Enter, _) => {
                    edit.text().trim().clone_into(&mut open.asked);
                    (open.typing, open.trouble) = (None, None);
                    self.ask_audit(false);
                }
                (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
                _ => {
                    edit_key(edit, key);
                }
            }
            return;
        }
        match (key.code, key.ctrl) {
            (KeyCode::Up, _) | (KeyCode::Char('k'), false) => open.at = (open.at + 1).min(last),
            (KeyCode::Down, _) | (KeyCode::Char('j'), false) => open.at = open.at.saturating_sub(1),
            (KeyCode::PageUp, _) | (KeyCode::Char('u'), true) => open.at = (open.at + 10).min(last),
            (KeyCode::PageDown, _) | (KeyCode::Char('d'), true) => open.at = open.at.saturating_sub(10),
            (KeyCode::Home, _) | (KeyCode::Char('g'), false) => open.at = last,
            (KeyCode::End, _) | (KeyCode::Char('G'), false) => open.at = 0,
            (KeyCode::Char('/'), false) => open.typing = Some(Edit::with(&open.filter)),
            (KeyCode::Char('r'), true) => return self.ask_audit(false),
            (KeyCode::Esc, _) if !open.filter.is_empty() || open.trouble.is_some() => {
                open.asked.clear();
                return self.ask_audit(false);
            }
            (KeyCode::Esc, _) | (KeyCode::Char('q'), false) => {
                self.overlay = None;
                return;
            }
            (KeyCode::Char('c' | 'z' | 'l'), true) => return self.global(key),
            _ => return self.refuse_key(key),
        }
        self.audit_goes_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(from: usize, next: bool) -> Rows<AuditView> {
        let rows = (from..from + 100)
            .map(|n| AuditView {
                id: n.to_string(),
                at: String::new(),
                who: "anna".into(),
                door: "console".into(),
                verb: "retry".into(),
                target: String::new(),
                reason: None,
                detail: String::new(),
            })
            .collect();
        Rows { next: next.then(|| "on".to_owned()), scanned: 100, ..Rows::whole(rows) }
    }

    #[test]
    fn it_grows_to_its_bound_and_another_filter_begins_anew() {
        let mut trail = Trail::default();
        for n in 0..25 {
            trail.install(n > 0, page(n * 100, true));
        }
        assert_eq!((trail.rows.len(), trail.more()), (MOST, (true, false)));
        trail.at = 1_500;
        trail.asked = "who:anna".into();
        trail.install(false, page(0, false));
        assert_eq!(
            (trail.rows.len(), trail.at, trail.filter.as_str(), trail.more().0),
            (100, 0, "who:anna", false)
        );
    }
}
