//! The person chooses how the console looks: `T` for the next theme, `:theme` for the list of them,
//! which shows each as the cursor moves.

use super::app::{App, Dirt, Overlay, Tone};
use super::asks::Effect;
use super::key::Key;
use super::theme::{Depth, Theme};
use super::themes::Themes;
use crossterm::event::KeyCode;

/// The name under which the choice is kept.
pub const KEPT: &str = "theme";

/// The list of themes while it is open.
#[derive(Debug)]
pub struct Choosing {
    /// The selected one.
    pub at: usize,
    /// What `esc` goes back to.
    pub before: Theme,
    /// Why the selected one is not shown.
    pub trouble: Option<String>,
}

impl App {
    fn no_theme(&mut self) -> bool {
        let mono = self.options.color == Depth::Mono;
        if mono {
            self.toast(Tone::Info, "theme is not possible: without colour there is one, mono");
        }
        mono
    }

    fn names(&self) -> Vec<String> {
        self.options.themes.names().map(str::to_owned).collect()
    }

    /// The next theme that reads; what is wrong with one that does not is told.
    pub(super) fn next_theme(&mut self) {
        if self.no_theme() {
            return;
        }
        // What was changed in the files since is shown the next time.
        self.asks.effect(Effect::Themes);
        let names = self.names();
        let at = names.iter().position(|name| *name == self.theme.name).unwrap_or(0);
        for name in names.iter().cycle().skip(at + 1).take(names.len()) {
            match self.options.themes.load(name, self.options.color) {
                Ok(theme) => {
                    self.theme = theme;
                    self.keep(KEPT, name);
                    return self.toast(Tone::Info, format!("theme {name}"));
                }
                Err(error) => self.toast(Tone::Bad, error.to_string()),
            }
        }
    }

    /// Opens the list.
    pub fn open_themes(&mut self) {
        if self.no_theme() {
            return;
        }
        self.asks.effect(Effect::Themes);
        let at = self.options.themes.names().position(|name| name == self.theme.name).unwrap_or(0);
        let before = self.theme.clone();
        self.overlay = Some(Overlay::Themes(Box::new(Choosing { at, before, trouble: None })));
    }

    /// A key while it is open.
    pub fn themes_key(&mut self, key: Key) {
        let last = self.options.themes.names().count().saturating_sub(1);
        let Some(Overlay::Themes(open)) = &mut self.overlay else { return };
        let at = match (key.code, key.ctrl) {
            (KeyCode::Down | KeyCode::Tab, _) | (KeyCode::Char('j'), false) => open.at + 1,
            (KeyCode::Up | KeyCode::BackTab, _) | (KeyCode::Char('k'), false) => open.at.saturating_sub(1),
            (KeyCode::PageDown, _) => open.at + 10,
            (KeyCode::PageUp, _) => open.at.saturating_sub(10),
            (KeyCode::Home, _) | (KeyCode::Char('g'), false) => 0,
            (KeyCode::End, _) | (KeyCode::Char('G'), false) => last,
            (KeyCode::Enter, _) => return self.keep_theme(),
            (KeyCode::Esc, _) | (KeyCode::Char('q'), false) => {
                self.theme = open.before.clone();
                self.overlay = None;
                return;
            }
            (KeyCode::Char('c' | 'z' | 'l'), true) => return self.global(key),
            _ => return self.refuse_key(key),
        };
        open.at = at.min(last);
        self.preview();
    }

    /// Shows the selected one; where it does not read, the last that did stays.
    fn preview(&mut self) {
        let Some(Overlay::Themes(open)) = &mut self.overlay else { return };
        let Some(name) = self.options.themes.names().nth(open.at) else { return };
        match self.options.themes.load(name, self.options.color) {
            Ok(theme) => {
                self.theme = theme;
                open.trouble = None;
            }
            // Its folder is the longest part, and known: the name stands above.
            Err(error) => open.trouble = Some(error.under(&format!("{name}.toml"))),
        }
    }

    fn keep_theme(&mut self) {
        let Some(Overlay::Themes(open)) = &self.overlay else { return };
        if let Some(trouble) = open.trouble.clone() {
            return self.toast(Tone::Info, format!("theme is not possible: {trouble}"));
        }
        self.overlay = None;
        let name = self.theme.name.clone();
        self.keep(KEPT, &name);
        self.toast(Tone::Info, format!("theme {name}"));
    }

    /// The files were read again: a theme that is shown and was changed is shown as it is now.
    pub fn themes_came(&mut self, themes: Themes) {
        if themes == self.options.themes {
            return;
        }
        for told in &themes.told {
            if !self.options.themes.told.contains(told) {
                self.toast(Tone::Bad, told.clone());
            }
        }
        let selected = match &self.overlay {
            Some(Overlay::Themes(open)) => self.options.themes.names().nth(open.at).map(str::to_owned),
            _ => None,
        };
        self.options.themes = themes;
        self.touch(Dirt::Input);
        if let Some(Overlay::Themes(open)) = &mut self.overlay {
            let names = || self.options.themes.names();
            let at = selected.and_then(|selected| names().position(|name| name == selected));
            open.at = at.unwrap_or(open.at).min(names().count().saturating_sub(1));
            if let Some(again) = read_again(&self.options.themes, &open.before, self.options.color) {
                open.before = again;
            }
            return self.preview();
        }
        let name = self.theme.name.clone();
        if self.options.themes.own(&name).is_none() {
            return;
        }
        match self.options.themes.load(&name, self.options.color) {
            Ok(theme) => self.theme = theme,
            Err(error) => self.toast(Tone::Bad, format!("{name} stays as it was: {error}")),
        }
    }
}

fn read_again(themes: &Themes, theme: &Theme, depth: Depth) -> Option<Theme> {
    themes.own(&theme.name)?;
    themes.load(&theme.name, depth).ok()
}

/// The theme to begin with; where it does not read, the terminal's own colours and what to tell.
#[must_use]
pub fn first(themes: &Themes, name: &str, depth: Depth) -> (Theme, Option<String>) {
    match themes.load(name, depth) {
        Ok(theme) => (theme, None),
        Err(error) => {
            let theme = Theme::shipped("terminal", depth).unwrap_or_default();
            (theme, Some(format!("The theme terminal is in use: {error}")))
        }
    }
}
