//! Who else is here: what others do, where they are, and where this console says that it is.

use super::app::{App, Dirt, Overlay, Screen, Tone};
use super::asks::Want;
use super::key::Key;
use crate::model::ask::Ask;
use crate::model::company::{ActView, ConsoleView, Here};
use crate::session::Link;
use crossterm::event::KeyCode;

/// What is known of the others.
#[derive(Debug, Default)]
pub struct Company {
    /// The consoles that are attached, this one too.
    pub consoles: Vec<ConsoleView>,
    /// Which of them is this one.
    pub own: Option<String>,
    /// The place that was said last; `None` where nobody listens, or nothing was said yet.
    said: Option<(String, Option<String>)>,
    listens: bool,
    /// The act that was told last, and how: others of its kind are told with it.
    told: Option<(ActView, String)>,
}

impl Company {
    /// Somebody listens at the other end: where this console is is said anew.
    pub fn seated(&mut self) {
        self.listens = true;
        self.said = None;
    }

    /// The others who have a run open, each name once.
    #[must_use]
    pub fn in_run(&self, run: &str) -> Vec<&str> {
        let others = self.consoles.iter().filter(|console| Some(&console.id) != self.own.as_ref());
        let mut names: Vec<&str> = others
            .filter(|console| console.run.as_deref() == Some(run))
            .map(|one| one.who.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// `anna is here`, where somebody else has this run open.
    #[must_use]
    pub fn here(&self, run: &str) -> Option<String> {
        match self.in_run(run).as_slice() {
            [] => None,
            [one] => Some(format!("{one} is here")),
            [one, other] => Some(format!("{one} and {other} are here")),
            [one, rest @ ..] => Some(format!("{one} and {} others are here", rest.len())),
        }
    }
}

/// The list of those who are here.
#[derive(Debug, Default)]
pub struct Attached {
    /// First drawn line.
    pub top: usize,
}

impl App {
    /// News of the others came.
    pub(super) fn company_came(&mut self, acts: Vec<ActView>, consoles: Option<Vec<ConsoleView>>) {
        if let Some(consoles) = consoles {
            self.company.consoles = consoles;
            self.touch(Dirt::Data);
        }
        for act in acts {
            let own = act.console.is_some() && act.console == self.company.own;
            if !own {
                self.tell_act(act);
            }
        }
    }

    /// Tells what somebody did: with what they did before, while that is still shown.
    fn tell_act(&mut self, act: ActView) {
        let mut act = act;
        if let Some((before, said)) = self.company.told.take()
            && before.is_like(&act)
            && let Some(at) = self.toasts.iter().position(|toast| toast.text == said)
        {
            self.toasts.remove(at);
            let mut both = before;
            both.merge(&act);
            act = both;
        }
        let said = act.sentence();
        self.toast(Tone::Info, said.clone());
        self.company.told = Some((act, said));
    }

    /// Says where this console is, where that has changed and somebody listens.
    pub(super) fn say_where(&mut self) {
        if !self.company.listens || self.link.0 != Link::Live {
            return;
        }
        let Some(console) = self.company.own.clone() else { return };
        let (name, run) = match self.screen {
            Screen::Live => ("Live", None),
            Screen::Requests => ("Requests", None),
            Screen::Runs => ("Runs", self.runs.opened.clone()),
            Screen::Callbacks => ("Callbacks", None),
            Screen::Integrations => ("Integrations", None),
            Screen::Overview => ("Overview", None),
        };
        let here = (name.to_owned(), run);
        if self.company.said.as_ref() == Some(&here) {
            return;
        }
        self.company.said = Some(here.clone());
        let (screen, run) = here;
        self.asks.drop_wants(|want| *want == Want::Here);
        self.asks.ask(Want::Here, Ask::Here(Here { console, screen, run }));
    }

    /// Opens the list of those who are here.
    pub fn open_consoles(&mut self) {
        self.overlay = Some(Overlay::Consoles(Attached::default()));
    }

    /// A key while it is open.
    pub fn consoles_key(&mut self, key: Key) {
        let last = self.company.consoles.len().saturating_sub(1);
        let Some(Overlay::Consoles(open)) = &mut self.overlay else { return };
        match (key.code, key.ctrl) {
            (KeyCode::Down | KeyCode::Char('j'), false) => open.top = (open.top + 1).min(last),
            (KeyCode::Up | KeyCode::Char('k'), false) => open.top = open.top.saturating_sub(1),
            (KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q'), _) => self.overlay = None,
            _ => self.global(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(id: &str, who: &str, run: Option<&str>) -> ConsoleView {
        ConsoleView {
            id: id.to_owned(),
            who: who.to_owned(),
            run: run.map(str::to_owned),
            ..ConsoleView::default()
        }
    }

    #[test]
    fn others_in_the_same_run_are_named_and_this_console_is_not() {
        let mut company = Company { own: Some("a".into()), ..Company::default() };
        company.consoles = vec![console("a", "ops", Some("r1")), console("b", "anna", Some("r2"))];
        assert_eq!(company.here("r1"), None);
        assert_eq!(company.here("r2").as_deref(), Some("anna is here"));
        company.consoles.push(console("c", "anna", Some("r2")));
        assert_eq!(company.here("r2").as_deref(), Some("anna is here"));
        company.consoles.push(console("d", "ops", Some("r2")));
        assert_eq!(company.here("r2").as_deref(), Some("anna and ops are here"));
        company.consoles.push(console("e", "zoe", Some("r2")));
        assert_eq!(company.here("r2").as_deref(), Some("anna and 2 others are here"));
    }
}
