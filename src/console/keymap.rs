//! The keys: one table from which input, footer and help all come, with other keys where the person
//! gave some ([`super::rebind`]).
//!
//! A key has one meaning everywhere; what it acts on depends on the screen, and where it cannot
//! act it says why.

use super::action::Action;
use super::key::Key;
use std::sync::Arc;

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Names of keys that mean the same; the first is shown.
    pub keys: &'static [&'static str],
    /// What they mean.
    pub action: Action,
    /// A word for the footer.
    pub word: &'static str,
    /// A few words for the help, for [`Keymap::say`].
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
    key(
        &["'"],
        Action::Views,
        "views",
        "and a key: errored, waiting, duplicates, rejected, new, one of your own",
    ),
    key(&["p"], Action::Pin, "pin", "the path as a column of Requests, and off again"),
    key(&["#"], Action::Values, "values", "the values of the path, and how often each is there"),
    key(&["-"], Action::Without, "without", "in the list of {#}: all but this value"),
    key(&["f"], Action::Follow, "follow", "to the newest, and follow"),
    key(&["space"], Action::Mark, "mark", "mark, unmark"),
    key(&["a"], Action::MarkAll, "mark all", "mark all that the filter matches now"),
    key(&["z"], Action::Undo, "undo", "take the last change of a document back; bring cleared marks back"),
    key(&["Z"], Action::Redo, "redo", "make again what was undone"),
    key(&["e"], Action::Edit, "edit", "edit the document of what is selected, or set a value; in it: type"),
    key(&["E"], Action::EditBody, "edit, replay", "edit the body of a request; there {R} replays it so"),
    key(
        &["w"],
        Action::Save,
        "save",
        "save what is edited as the next version, a draft; write a payload or a value to a file",
    ),
    key(
        &["i"],
        Action::Add,
        "add",
        "make an integration, step by step; in one add a flow, step, variable or connection",
    ),
    key(&["K"], Action::MoveUp, "move up", "move the step up"),
    key(&["J"], Action::MoveDown, "move down", "move the step down"),
    key(
        &["O"],
        Action::Outside,
        "outside",
        "a document in your own editor ($VISUAL, $EDITOR), a payload in $PAGER",
    ),
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
        "try its flow: what it would send, one real call, a test run; there {t} again: another dedup rule",
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
    key(&["m"], Action::Mouse, "mouse", "mouse on and off; it is off at the start"),
    key(&[":"], Action::Palette, "all", "all actions by their words, and jobs"),
    key(&["?"], Action::Help, "help", "these keys"),
    key(&["ctrl-c"], Action::Interrupt, "quit", "stop a search, else ask to quit"),
    key(&["ctrl-z"], Action::Suspend, "suspend", "to the shell; fg comes back"),
    key(&["ctrl-l"], Action::Redraw, "redraw", "draw everything again"),
    key(&["ctrl-r"], Action::Reload, "reload", "ask for what is shown again; try a link that is down"),
];

/// A line of the table as it is in force: the person may have given it other keys.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The line as the program has it.
    pub binding: &'static Binding,
    /// Its keys; the first is shown.
    pub keys: Vec<Key>,
    /// Their names, one space between.
    pub names: String,
}

impl Bound {
    fn new(binding: &'static Binding, keys: Vec<Key>) -> Self {
        let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
        Self { binding, keys, names: names.join(" ") }
    }

    /// The key that is shown for it; nothing where it has none.
    #[must_use]
    pub fn key(&self) -> &str {
        self.names.split(' ').next().unwrap_or_default()
    }
}

/// The keys in force.
#[derive(Debug, Clone)]
pub struct Keymap(Arc<Vec<Bound>>);

impl Default for Keymap {
    /// The keys that the program has of itself.
    fn default() -> Self {
        let keys = |binding: &Binding| binding.keys.iter().filter_map(|name| Key::parse(name)).collect();
        Self(Arc::new(KEYS.iter().map(|binding| Bound::new(binding, keys(binding))).collect()))
    }
}

impl Keymap {
    /// Every line.
    pub fn lines(&self) -> impl Iterator<Item = &Bound> {
        self.0.iter()
    }

    /// What a key means; nothing where it is not in the table.
    #[must_use]
    pub fn action_of(&self, key: Key) -> Option<Action> {
        self.0.iter().find(|bound| bound.keys.contains(&key)).map(|bound| bound.binding.action)
    }

    /// The line of an action.
    #[must_use]
    pub fn bound(&self, action: Action) -> Option<&Bound> {
        self.0.iter().find(|bound| bound.binding.action == action)
    }

    /// The key that is shown for an action; nothing where it has none.
    #[must_use]
    pub fn key(&self, action: Action) -> &str {
        self.bound(action).map_or("", Bound::key)
    }

    /// How a sentence names what is to be pressed for an action: its key, or its word in the palette.
    #[must_use]
    pub fn named(&self, action: Action) -> String {
        match self.bound(action) {
            Some(bound) if !bound.keys.is_empty() => bound.key().to_owned(),
            Some(bound) => format!(":{}", bound.binding.word),
            None => String::new(),
        }
    }

    /// What is pressed now for what the program's own key `name` does; that name where it is none.
    #[must_use]
    pub fn now<'k>(&'k self, name: &'k str) -> &'k str {
        let own = self.0.iter().find(|bound| bound.binding.keys.contains(&name));
        own.map_or(
            name,
            |bound| if bound.names.split(' ').any(|key| key == name) { name } else { bound.key() },
        )
    }

    /// How a sentence names what is to be pressed now for what the program's own key `name` does.
    #[must_use]
    pub fn pressed(&self, name: &str) -> String {
        let own = self.0.iter().find(|bound| bound.binding.keys.contains(&name));
        own.map_or_else(
            || name.to_owned(),
            |bound| match self.now(name) {
                "" => self.named(bound.binding.action),
                key => key.to_owned(),
            },
        )
    }

    /// A sentence of ours with the keys in force: `{r}` stands for what is pressed now for what `r` does
    /// of itself. What stands in other brackets stays. It is for our own words alone: text from outside
    /// is put in afterwards.
    #[must_use]
    pub fn say(&self, text: &str) -> String {
        let mut said = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, from) = rest.split_at(at);
            said.push_str(before);
            let name = from[1..].split_once('}').map(|(name, _)| name);
            let known = name.filter(|name| KEYS.iter().any(|binding| binding.keys.contains(name)));
            if let Some(name) = known {
                said.push_str(&self.pressed(name));
                rest = &from[name.len() + 2..];
            } else {
                said.push('{');
                rest = &from[1..];
            }
        }
        said.push_str(rest);
        said
    }

    /// Gives an action other keys. [`Keymap::doubled`] tells afterwards whether two have the same.
    pub(super) fn give(&mut self, action: Action, keys: Vec<Key>) {
        let lines = Arc::make_mut(&mut self.0);
        if let Some(bound) = lines.iter_mut().find(|bound| bound.binding.action == action) {
            *bound = Bound::new(bound.binding, keys);
        }
    }

    /// A key of an action that another action has too, and that other one.
    pub(super) fn doubled(&self, action: Action) -> Option<(Key, Action)> {
        let keys = &self.bound(action)?.keys;
        let others = self.0.iter().filter(|bound| bound.binding.action != action);
        others
            .flat_map(|bound| bound.keys.iter().map(|key| (*key, bound.binding.action)))
            .find(|(key, _)| keys.contains(key))
    }
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
            Action::Views,
            Action::Pin,
            Action::Values,
            Action::Without,
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
    ("everywhere", EVERYWHERE),
];

/// What acts whatever is shown or edited.
pub const EVERYWHERE: &[Action] = &[
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
    Action::Mouse,
    Action::Palette,
    Action::Help,
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
            assert_eq!(Keymap::default().action_of(Key::parse(reserved).unwrap()), None, "{reserved}");
        }
    }

    #[test]
    fn a_sentence_names_the_keys_in_force() {
        let mut map = Keymap::default();
        assert_eq!(map.say("{r} retries, {esc} goes back; {x"), "r retries, esc goes back; {x");
        let key = |name| Key::parse(name).unwrap();
        map.give(Action::Retry, vec![key("ctrl-t"), key("f5")]);
        map.give(Action::Skip, Vec::new());
        map.give(Action::Down, vec![key("n"), key("down")]);
        assert_eq!(map.say("{r} retries, {s} skips: {{ a }}"), "ctrl-t retries, :skip skips: {{ a }}");
        assert_eq!(
            (map.pressed("down"), map.pressed("j"), map.pressed("no key")),
            ("down".to_owned(), "n".to_owned(), "no key".to_owned())
        );
    }

    #[test]
    fn every_action_has_one_line_and_is_in_the_help_once() {
        let mut actions = HashSet::new();
        for binding in KEYS {
            assert!(actions.insert(binding.action), "{:?} has two lines", binding.action);
            let shown = HELP.iter().flat_map(|(_, group)| *group).filter(|a| **a == binding.action).count();
            assert_eq!(shown, 1, "{:?} in the help", binding.action);
        }
    }

    #[test]
    fn every_key_of_the_contract_says_something() {
        for letter in "123456jkgGqvhl/nNF'?o:fadp#mTO-rsxREetAcubDwiSCPXyYzZ[]KJ+ ".chars() {
            let key = Key { code: crossterm::event::KeyCode::Char(letter), ctrl: false };
            assert!(Keymap::default().action_of(key).is_some(), "{letter:?} does nothing and says nothing");
        }
    }
}
