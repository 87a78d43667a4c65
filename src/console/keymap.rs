//! The keys: one table from which input, footer and help all come.
//!
//! A key has one meaning everywhere; what it acts on depends on the screen, and where it cannot
//! act it says why.

use super::action::Action;
use super::key::Key;

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Names of keys that mean the same; the first is shown.
    pub keys: &'static [&'static str],
    /// What they mean.
    pub action: Action,
    /// A word for the footer.
    pub word: &'static str,
    /// A few words for the help.
    pub help: &'static str,
}

const fn key(
    keys: &'static [&'static str],
    action: Action,
    word: &'static str,
    help: &'static str,
) -> Binding {
    Binding { keys, action, word, help }
}

/// Every key.
pub const KEYS: &[Binding] = &[
    key(&["1"], Action::Screen(1), "Live", "Live"),
    key(&["2"], Action::Screen(2), "Requests", "Requests"),
    key(&["3"], Action::Screen(3), "Runs", "Runs"),
    key(&["4"], Action::Screen(4), "Callbacks", "Callbacks"),
    key(&["5"], Action::Screen(5), "Integrations", "Integrations"),
    key(&["6"], Action::Screen(6), "Overview", "Overview"),
    key(&["j", "down"], Action::Down, "down", "down"),
    key(&["k", "up"], Action::Up, "up", "up; stops following"),
    key(&["pgdn", "ctrl-d"], Action::PageDown, "page", "a page down"),
    key(&["pgup", "ctrl-u"], Action::PageUp, "page", "a page up"),
    key(&["g", "home"], Action::Top, "oldest", "to the first"),
    key(&["G", "end"], Action::Bottom, "newest", "to the newest, without following"),
    key(&["enter"], Action::Open, "open", "into what the row names"),
    key(&["esc"], Action::Back, "back", "back, one step at a time"),
    key(&["q"], Action::Quit, "quit", "to the root, then quit"),
    key(&["tab"], Action::NextPane, "pane", "next pane"),
    key(&["backtab"], Action::PreviousPane, "pane", "pane before"),
    key(&["+"], Action::Full, "full", "this pane over everything, and back"),
    key(&["v"], Action::View, "view", "next view: why, tree, flat, raw, hex; groups; form; span"),
    key(&["h", "left"], Action::Left, "fold", "fold, also redeliveries; step before"),
    key(&["l", "right"], Action::Right, "unfold", "unfold; next step"),
    key(&["["], Action::PreviousSibling, "previous", "attempt, request before"),
    key(&["]"], Action::NextSibling, "next", "next attempt, request"),
    key(&["/"], Action::Filter, "filter", "filter this list; search in a payload, run, document"),
    key(&["n"], Action::NextMatch, "next match", "to the next match of a search; next error of a document"),
    key(&["N"], Action::PreviousMatch, "match before", "to the match before"),
    key(&["F"], Action::FilterToggle, "filter off, on", "filter off and on"),
    key(&["f"], Action::Follow, "follow", "to the newest, and follow"),
    key(&["space"], Action::Mark, "mark", "mark, unmark"),
    key(&["a"], Action::MarkAll, "mark all", "mark all that the filter matches now"),
    key(&["z"], Action::Undo, "undo", "take the last change of a document back; bring cleared marks back"),
    key(&["Z"], Action::Redo, "redo", "make again what was undone"),
    key(&["e"], Action::Edit, "edit", "edit the document of what is selected, or set a value; in it: type"),
    key(&["E"], Action::EditBody, "edit, replay", "edit the body of a request; there R replays it so"),
    key(&["w"], Action::Save, "save", "save what is edited as the next version, a draft"),
    key(&["i"], Action::Add, "add", "add a flow, step, variable or connection after this one"),
    key(&["K"], Action::MoveUp, "move up", "move the step up"),
    key(&["J"], Action::MoveDown, "move down", "move the step down"),
    key(&["O"], Action::Outside, "outside", "a document in your own editor ($VISUAL, $EDITOR)"),
    key(&["r"], Action::Retry, "retry", "same run, same step, a new attempt"),
    key(&["s"], Action::Skip, "skip", "the step ends skipped, the run goes on"),
    key(&["x"], Action::Abort, "abort", "the run ends aborted"),
    key(&["R"], Action::Replay, "replay", "a new run from the stored request"),
    key(
        &["X"],
        Action::Forget,
        "forget key",
        "forget the dedup key; take a badge away; cancel a callback; remove an integration",
    ),
    key(&["c"], Action::Complete, "complete", "give a callback's answer by hand"),
    key(&["u"], Action::Extend, "extend", "wait longer for a callback"),
    key(&["D"], Action::Deploy, "deploy", "make the draft live; an older version: back to it"),
    key(&["A"], Action::Readmit, "readmit", "judge a rejected request again"),
    key(&["C"], Action::Capture, "capture", "what the flow is sent, path by path"),
    key(
        &["d"],
        Action::Difference,
        "diff",
        "two requests (marked, a copy and its first, a refusal and what passed), a replay and its run, or the \
         versions that a group came after",
    ),
    key(
        &["t"],
        Action::Test,
        "test",
        "try its flow: what it would send, one real call, a test run; there t again: another dedup rule",
    ),
    key(&["b"], Action::BackTest, "back-test", "what the draft changes of the flow's stored requests"),
    key(
        &["S"],
        Action::SaveSample,
        "sample",
        "save the request as a sample, without its sender's credentials",
    ),
    key(&["y"], Action::Copy, "copy", "copy the value or the id, through the terminal"),
    key(&["Y"], Action::CopyAs, "copy as", "copy as path, template, curl, body, URL, id"),
    key(&["o"], Action::Links, "go to", "to its run, request, first; from a refusal all like it"),
    key(
        &["P"],
        Action::Pause,
        "pause",
        "pause its flow or integration, or resume it; a job that halted goes on",
    ),
    key(&["T"], Action::Theme, "theme", "next theme"),
    key(&[":"], Action::Palette, "all", "all actions by their words, and jobs"),
    key(&["?"], Action::Help, "help", "these keys"),
    key(&["ctrl-c"], Action::Interrupt, "quit", "ask to quit"),
    key(&["ctrl-z"], Action::Suspend, "suspend", "to the shell; fg comes back"),
    key(&["ctrl-l"], Action::Redraw, "redraw", "draw everything again"),
    key(&["ctrl-r"], Action::Reload, "reload", "ask for what is shown again; try a link that is down"),
    key(&["'"], Action::Later("saved views"), "", ""),
    key(&["p"], Action::Later("pin a path"), "", ""),
    key(&["#"], Action::Later("values and counts of a path"), "", ""),
    key(&["m"], Action::Later("mouse"), "", ""),
    key(&["-"], Action::Later("filter a value away"), "", ""),
];

/// What a key means; nothing where it is not in the table.
#[must_use]
pub fn action_of(key: Key) -> Option<Action> {
    KEYS.iter()
        .find(|binding| binding.keys.iter().any(|name| Key::parse(name) == Some(key)))
        .map(|binding| binding.action)
}

/// The line of an action.
#[must_use]
pub fn binding(action: Action) -> Option<&'static Binding> {
    KEYS.iter().find(|binding| binding.action == action)
}

/// The keys of the help, by group; every action that acts is in exactly one.
pub const HELP: &[(&str, &[Action])] = &[
    (
        "move",
        &[
            Action::Down,
            Action::Up,
            Action::PageDown,
            Action::PageUp,
            Action::Top,
            Action::Bottom,
            Action::Follow,
            Action::NextPane,
            Action::PreviousPane,
            Action::Full,
        ],
    ),
    (
        "look",
        &[
            Action::Open,
            Action::View,
            Action::Left,
            Action::Right,
            Action::PreviousSibling,
            Action::NextSibling,
            Action::Filter,
            Action::NextMatch,
            Action::PreviousMatch,
            Action::FilterToggle,
            Action::Difference,
            Action::Test,
            Action::BackTest,
            Action::Links,
            Action::Copy,
            Action::CopyAs,
        ],
    ),
    (
        "act",
        &[
            Action::Retry,
            Action::Skip,
            Action::Abort,
            Action::Replay,
            Action::Forget,
            Action::Readmit,
            Action::Complete,
            Action::Extend,
            Action::Deploy,
            Action::Capture,
            Action::Pause,
            Action::SaveSample,
            Action::Mark,
            Action::MarkAll,
            Action::Edit,
            Action::EditBody,
            Action::Save,
            Action::Add,
            Action::MoveUp,
            Action::MoveDown,
            Action::Outside,
            Action::Undo,
            Action::Redo,
        ],
    ),
    (
        "everywhere",
        &[
            Action::Screen(1),
            Action::Screen(2),
            Action::Screen(3),
            Action::Screen(4),
            Action::Screen(5),
            Action::Screen(6),
            Action::Back,
            Action::Quit,
            Action::Interrupt,
            Action::Suspend,
            Action::Redraw,
            Action::Reload,
            Action::Theme,
            Action::Palette,
            Action::Help,
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_key_is_bound_twice_and_every_name_reads() {
        let mut seen = HashSet::new();
        for binding in KEYS {
            for name in binding.keys {
                let key = Key::parse(name).unwrap_or_else(|| panic!("{name} is no key"));
                assert!(seen.insert(key), "{name} is bound twice");
            }
        }
    }

    #[test]
    fn no_key_is_one_that_terminals_or_multiplexers_take() {
        for reserved in
            ["ctrl-s", "ctrl-q", "ctrl-i", "ctrl-m", "ctrl-h", "ctrl-b", "ctrl-a", "ctrl-g", "ctrl-o"]
        {
            assert_eq!(action_of(Key::parse(reserved).unwrap()), None, "{reserved}");
        }
    }

    #[test]
    fn every_action_has_one_line_and_is_in_the_help_once() {
        let mut actions = HashSet::new();
        for binding in KEYS {
            assert!(actions.insert(binding.action), "{:?} has two lines", binding.action);
            let shown = HELP.iter().flat_map(|(_, group)| *group).filter(|a| **a == binding.action).count();
            let expected = usize::from(!matches!(binding.action, Action::Later(_)));
            assert_eq!(shown, expected, "{:?} in the help", binding.action);
        }
    }

    #[test]
    fn every_key_of_the_contract_says_something() {
        for letter in "123456jkgGqvhl/nNF'?o:fadp#mTO-rsxREetAcubDwiSCPXyYzZ[]KJ+ ".chars() {
            let key = Key { code: crossterm::event::KeyCode::Char(letter), ctrl: false };
            assert!(action_of(key).is_some(), "{letter:?} does nothing and says nothing");
        }
    }
}
