//! The filter language: one for console, command line and bulk verbs.
//!
//! `verdict:duplicate and body.total>100 -flow:"Sync customers" since:15m`: bare words search
//! anywhere, `field:value` and its relatives look at one place, `and` may be left out, `-` is `not`.

mod field;
mod names;
mod parse;
mod test;

pub use field::{Field, ROOTS, nearest, words};
pub use names::{NAMES, Name, Subject};
pub use test::{Op, Test, contains, text_of};

use super::Ms;
use super::path::Path;
use super::time::rfc3339;
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// Everything (an empty filter).
    All,
    /// Both, all.
    And(Vec<Query>),
    /// Any.
    Or(Vec<Query>),
    /// The opposite.
    Not(Box<Query>),
    /// A bare word: anywhere, flattened values included.
    Word(String),
    /// Not older than this time (`since:15m`, `since:2026-11-18`).
    Since(Ms),
    /// Not newer than this time.
    Until(Ms),
    /// A field or flattened path against a value.
    Test(Test),
}

/// An error in a filter, at its token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What was expected, and what was perhaps meant.
    pub message: String,
    /// Where, in characters from the start.
    pub at: usize,
}

/// A row that a filter judges.
pub trait Row {
    /// Arrival of a request, birth of a run, by engine time.
    fn time(&self) -> Ms;
    /// The value of a JSON name; several where the name means several (`step.state`).
    fn named(&self, name: &str) -> Vec<Cow<'_, str>>;
    /// The values at a flattened path (`[]` stands for any element).
    fn at(&self, path: &Path) -> Vec<Cow<'_, Value>>;
    /// Whether a word (already lower-cased) occurs anywhere in the row, whatever its case.
    fn mentions(&self, word: &str) -> bool;
}

impl Query {
    /// Parses a filter; times like `15m` count back from `now`.
    ///
    /// # Errors
    /// What is wrong, at its token.
    pub fn parse(text: &str, now: Ms) -> Result<Self, QueryError> {
        parse::parse(text, now, None)
    }

    /// The same for rows of one kind: what they never have is an error too.
    ///
    /// # Errors
    /// What is wrong, at its token.
    pub fn parse_for(text: &str, now: Ms, subject: Subject) -> Result<Self, QueryError> {
        parse::parse(text, now, Some(subject))
    }

    /// All of these; nested ones are taken apart, one alone is itself, none is everything.
    #[must_use]
    pub fn all(queries: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(queries.len());
        for query in queries {
            match query {
                Self::All => {}
                Self::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::All,
            1 => flat.swap_remove(0),
            _ => Self::And(flat),
        }
    }

    /// Any of these; nested ones are taken apart, one alone is itself, everything is everything.
    #[must_use]
    pub fn any(queries: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(queries.len());
        for query in queries {
            match query {
                Self::All => return Self::All,
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::All,
            1 => flat.swap_remove(0),
            _ => Self::Or(flat),
        }
    }

    /// Whether a row passes.
    #[must_use]
    pub fn matches(&self, row: &dyn Row) -> bool {
        match self {
            Self::All => true,
            Self::And(queries) => queries.iter().all(|query| query.matches(row)),
            Self::Or(queries) => queries.iter().any(|query| query.matches(row)),
            Self::Not(query) => !query.matches(row),
            Self::Word(word) => row.mentions(&word.to_lowercase()),
            Self::Since(at) => row.time() >= *at,
            Self::Until(at) => row.time() <= *at,
            Self::Test(test) => test.matches(row),
        }
    }

    /// What must hold at once, each on its own: what a planner looks at. Empty for everything.
    #[must_use]
    pub fn conjuncts(&self) -> &[Self] {
        match self {
            Self::All => &[],
            Self::And(queries) => queries,
            other => std::slice::from_ref(other),
        }
    }

    /// The time range outside of which nothing can match: the latest `since` and the earliest
    /// `until` of the conjuncts, both inclusive.
    #[must_use]
    pub fn bounds(&self) -> (Option<Ms>, Option<Ms>) {
        let conjuncts = self.conjuncts();
        let since = |query: &Self| if let Self::Since(at) = query { Some(*at) } else { None };
        let until = |query: &Self| if let Self::Until(at) = query { Some(*at) } else { None };
        (conjuncts.iter().filter_map(since).max(), conjuncts.iter().filter_map(until).min())
    }

    /// The value that a name must have in every row that matches (`state:errored`, `verdict=…`):
    /// of the conjuncts with `:` or `=`, the first.
    #[must_use]
    pub fn wanted(&self, name: &str) -> Option<&str> {
        self.conjuncts().iter().find_map(|query| match query {
            Self::Test(Test { field: Field::Name(other), op: Op::Has | Op::Equals, value, .. })
                if other == name =>
            {
                Some(value.as_str())
            }
            _ => None,
        })
    }

    /// Whether a row's body, headers or query values must be read to judge it.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        self.any_part(&|query| match query {
            Self::Word(_) => true,
            Self::Test(Test { field: Field::Path(path), .. }) => path.root() != "step",
            _ => false,
        })
    }

    /// Whether values are searched that no index and no sketch knows: words, parts and orders of values.
    #[must_use]
    pub fn searches_values(&self) -> bool {
        self.any_part(&|query| match query {
            Self::Word(_) => true,
            Self::Test(Test { field: Field::Path(_), op, .. }) => *op != Op::Equals,
            _ => false,
        })
    }

    /// Whether a run's steps and attempts must be read to judge it.
    #[must_use]
    pub fn needs_steps(&self) -> bool {
        self.any_part(&|query| match query {
            Self::Word(_) => true,
            Self::Test(test) => match &test.field {
                Field::Name(name) => name == "step" || name == "steps" || name.starts_with("step."),
                Field::Path(path) => path.root() == "step",
            },
            _ => false,
        })
    }

    fn any_part(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        match self {
            Self::And(queries) | Self::Or(queries) => queries.iter().any(|query| query.any_part(is)),
            Self::Not(query) => query.any_part(is),
            other => is(other),
        }
    }
}

/// The text that parses to the same filter.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |f: &mut fmt::Formatter<'_>, query: &Self, plain: bool| {
            if plain { write!(f, "{query}") } else { write!(f, "({query})") }
        };
        match self {
            Self::All => Ok(()),
            Self::And(queries) => {
                for (at, query) in queries.iter().enumerate() {
                    if at > 0 {
                        f.write_str(" and ")?;
                    }
                    group(f, query, !matches!(query, Self::And(_) | Self::Or(_)))?;
                }
                Ok(())
            }
            Self::Or(queries) => {
                for (at, query) in queries.iter().enumerate() {
                    if at > 0 {
                        f.write_str(" or ")?;
                    }
                    group(f, query, !matches!(query, Self::Or(_)))?;
                }
                Ok(())
            }
            Self::Not(query) => {
                f.write_str("not ")?;
                group(f, query, !matches!(**query, Self::And(_) | Self::Or(_)))
            }
            Self::Word(word) => f.write_str(&quoted(word)),
            Self::Since(at) => write!(f, "since:{}", rfc3339(*at)),
            Self::Until(at) => write!(f, "until:{}", rfc3339(*at)),
            Self::Test(test) => write!(f, "{test}"),
        }
    }
}

/// A word or value as a filter writes it: in quotes where it could be read as something else.
#[must_use]
pub fn quoted(text: &str) -> Cow<'_, str> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_./@#%+-".contains(&byte);
    let plain = !text.is_empty()
        && !text.starts_with('-')
        && text.bytes().all(safe)
        && !["and", "or", "not"].iter().any(|word| text.eq_ignore_ascii_case(word));
    if plain {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests;
