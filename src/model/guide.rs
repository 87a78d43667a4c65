//! An integration that is being made step by step: how far it is stands in the first line of its
//! document, so that whoever opens it goes on there, in whichever console, after a restart too.

use serde::{Deserialize, Serialize};

/// What each step is about, in their order.
pub const WORDS: [&str; 6] = ["name", "auth", "capture", "dedup", "step", "test and deploy"];

const HEAD: &str = "# made step by step: ";

/// An integration that is not made yet, and the step that comes next, from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The integration's name.
    pub name: String,
    /// The step.
    pub step: u8,
}

impl Unfinished {
    /// So many of them are told at most.
    pub const SHOWN: usize = 3;
}

/// The step that a document is at, from 1; `None` where it is not made step by step.
#[must_use]
pub fn step(source: &str) -> Option<u8> {
    let first = source.lines().next()?.strip_prefix(HEAD)?;
    let number = first.split(' ').next()?.parse().ok()?;
    (1..=WORDS.len()).contains(&usize::from(number)).then_some(number)
}

/// What a step is about.
#[must_use]
pub fn word(step: u8) -> &'static str {
    WORDS.get(usize::from(step).saturating_sub(1)).copied().unwrap_or_default()
}

/// The document at a step.
#[must_use]
pub fn at(source: &str, step: u8) -> String {
    let count = WORDS.len();
    format!("{HEAD}{step} of {count}, {}, is next; i in the console goes on\n{}", word(step), without(source))
}

/// The document that is not made step by step, or no longer.
#[must_use]
pub fn without(source: &str) -> &str {
    if !source.starts_with(HEAD) {
        return source;
    }
    source.split_once('\n').map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_says_how_far_it_is_in_its_first_line_alone() {
        let source = "name = \"shop\"\n";
        assert_eq!(step(source), None);
        let marked = at(source, 4);
        assert_eq!(
            marked,
            "# made step by step: 4 of 6, dedup, is next; i in the console goes on\nname = \"shop\"\n"
        );
        assert_eq!((step(&marked), without(&marked)), (Some(4), source));
        assert_eq!(step(&at(&marked, 5)), Some(5), "it has one such line");
        assert_eq!(at(&marked, 5).lines().count(), 2);
        for broken in ["# made step by step: 7 of 6", "# made step by step: 0 ", "# made step by step: x"] {
            assert_eq!(step(broken), None, "{broken}");
        }
        assert_eq!(step(&format!("\n{marked}")), None);
    }
}
