//! Keys of a person's own: `[keys]` of the configuration file, an action and what it is pressed with.

use super::action::Action;
use super::key::Key;
use super::keymap::Keymap;
use crate::model::query::nearest;
use crossterm::event::KeyCode;

/// Actions that keep their own keys whatever is given beside them: every box and every text needs them.
const FIXED: [Action; 5] = [Action::Back, Action::Open, Action::Interrupt, Action::Suspend, Action::Redraw];

/// What terminals send for other keys, or keep for themselves.
const RESERVED: [(char, &str); 6] = [
    ('i', "terminals send it for tab"),
    ('m', "terminals send it for enter"),
    ('h', "terminals send it for backspace"),
    ('[', "terminals send it for esc"),
    ('s', "it stops the output of terminals"),
    ('q', "it starts the output of terminals"),
];

/// A line of the table: an action, its keys, and where it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The action's id.
    pub id: String,
    /// Its keys; none takes them all away.
    pub keys: Vec<String>,
    /// The byte of the text at which it stands.
    pub at: usize,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The byte of the text.
    pub at: usize,
    /// A sentence.
    pub why: String,
}

/// The program's keys with a person's own in the place of some.
///
/// # Errors
/// An unknown action, a key that does not read, that is reserved, or that two actions have.
pub fn keymap(lines: &[Written]) -> Result<Keymap, Wrong> {
    let mut map = Keymap::default();
    for line in lines {
        let wrong = |why: String| Wrong { at: line.at, why: format!("keys.{}: {why}", line.id) };
        let action = action_of(&map, &line.id).map_err(wrong)?;
        let mut keys = Vec::new();
        for name in &line.keys {
            let key = read(name).map_err(wrong)?;
            if keys.contains(&key) {
                return Err(wrong(format!("{name:?} stands there twice")));
            }
            keys.push(key);
        }
        if FIXED.contains(&action) {
            let own = map.bound(action).map(|bound| bound.keys.clone()).unwrap_or_default();
            let own: Vec<Key> = own.into_iter().filter(|key| !keys.contains(key)).collect();
            keys.splice(0..0, own);
        }
        map.give(action, keys);
    }
    // After all of them: keys may change places.
    for line in lines {
        let Ok(action) = action_of(&map, &line.id) else { continue };
        if let Some((key, other)) = map.doubled(action) {
            let other = other.id();
            let why = format!("keys.{}: {key} is {other} already: give {other} another key too", line.id);
            return Err(Wrong { at: line.at, why });
        }
    }
    Ok(map)
}

fn action_of(map: &Keymap, id: &str) -> Result<Action, String> {
    let known = || map.lines().map(|bound| bound.binding.action);
    known().find(|action| action.id() == id).ok_or_else(|| match nearest(id, known().map(Action::id)) {
        Some(name) => format!("there is no action {id:?}; did you mean {name}?"),
        None => {
            format!("there is no action {id:?}: {}", known().map(Action::id).collect::<Vec<_>>().join(" "))
        }
    })
}

fn read(name: &str) -> Result<Key, String> {
    let key = Key::parse(name).filter(|key| match key.code {
        // What a terminal reports has shift in the letter, and none beside ctrl.
        KeyCode::Char(letter) => !(letter.is_control() || key.ctrl && letter.is_uppercase()),
        _ => !key.ctrl,
    });
    let Some(key) = key else {
        return Err(format!(
            "{name:?} is no key: write a letter or a sign, ctrl- and a small letter, f1 to f12, or one of {}",
            Key::names().collect::<Vec<_>>().join(" ")
        ));
    };
    let reserved = RESERVED.iter().find(|(letter, _)| key.ctrl && key.code == KeyCode::Char(*letter));
    match reserved {
        Some((_, why)) => Err(format!("{name} is not possible: {why}")),
        None => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, keys: &[&str]) -> Written {
        Written { id: id.to_owned(), keys: keys.iter().map(|key| (*key).to_owned()).collect(), at: id.len() }
    }

    fn told(lines: &[Written]) -> String {
        keymap(lines).unwrap_err().why
    }

    fn key(name: &str) -> Key {
        Key::parse(name).unwrap()
    }

    #[test]
    fn an_action_has_the_keys_that_it_is_given_and_no_other() {
        let map = keymap(&[line("retry", &["ctrl-t", "f5"]), line("skip", &[])]).unwrap();
        assert_eq!(map.action_of(key("ctrl-t")), Some(Action::Retry));
        assert_eq!(map.action_of(key("f5")), Some(Action::Retry));
        assert_eq!((map.action_of(key("r")), map.action_of(key("s"))), (None, None));
        assert_eq!((map.key(Action::Retry), map.key(Action::Skip)), ("ctrl-t", ""));
        assert_eq!((map.now("r"), map.now("s"), map.now("h"), map.now("↑")), ("ctrl-t", "", "h", "↑"));
    }

    #[test]
    fn two_may_change_places_and_what_every_box_needs_stays() {
        let map = keymap(&[line("retry", &["s"]), line("skip", &["r"])]).unwrap();
        assert_eq!(map.action_of(key("s")), Some(Action::Retry));
        assert_eq!(map.action_of(key("r")), Some(Action::Skip));
        let map = keymap(&[line("back", &["backspace"])]).unwrap();
        assert_eq!(map.action_of(key("esc")), Some(Action::Back));
        assert_eq!(map.action_of(key("backspace")), Some(Action::Back));
        assert_eq!(map.key(Action::Back), "esc");
    }

    #[test]
    fn what_is_wrong_is_told_with_what_would_be_right() {
        assert_eq!(
            told(&[line("rety", &["y"])]),
            "keys.rety: there is no action \"rety\"; did you mean retry?"
        );
        assert!(
            told(&[line("restart", &["y"])]).contains("there is no action \"restart\": live requests runs")
        );
        for name in ["", "ctrl-", "ctrl-T", "ctrl-esc", "meta-x", "rr", "f13", "\u{7}"] {
            assert!(told(&[line("retry", &[name])]).contains("is no key: write a letter"), "{name:?}");
        }
        assert_eq!(
            told(&[line("retry", &["ctrl-m"])]),
            "keys.retry: ctrl-m is not possible: terminals send it for enter"
        );
        assert_eq!(
            told(&[line("retry", &["s"])]),
            "keys.retry: s is skip already: give skip another key too"
        );
        assert_eq!(
            told(&[line("retry", &["ctrl-c"])]),
            "keys.retry: ctrl-c is interrupt already: give interrupt another key too"
        );
        assert_eq!(told(&[line("retry", &["f5", "f5"])]), "keys.retry: \"f5\" stands there twice");
        assert_eq!(
            told(&[line("retry", &["f5"]), line("skip", &["f5"])]),
            "keys.retry: f5 is skip already: give skip another key too"
        );
    }

    #[test]
    fn every_action_has_a_name_of_its_own() {
        let map = Keymap::default();
        let mut names = std::collections::HashSet::new();
        for bound in map.lines() {
            assert!(names.insert(bound.binding.action.id()), "{}", bound.binding.action.id());
        }
    }
}
