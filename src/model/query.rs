//! The filter language: one for console, command line and bulk verbs.

use super::Ms;
use super::path::Path;
use serde_json::Value;
use std::borrow::Cow;

/// A parsed filter.
#[derive(Debug, Clone)]
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

/// One comparison.
#[derive(Debug, Clone)]
pub struct Test {
    /// What is compared.
    pub field: Field,
    /// How.
    pub op: Op,
    /// With what, as written.
    pub value: String,
    /// The compiled expression of [`Op::Matches`].
    pub regex: Option<regex::Regex>,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A JSON name: `state`, `verdict`, `flow`, `step.state`, …
    Name(String),
    /// A flattened path: `body.total`, `headers["x-a"]`, `body.products[].name`.
    Path(Path),
}

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `:` contains; equals for states, verdicts and ids.
    Has,
    /// `=`
    Equals,
    /// `!=`
    Differs,
    /// `~`, a regular expression.
    Matches,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
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
