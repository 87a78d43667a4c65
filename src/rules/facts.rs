//! One streaming pass over a body: is it JSON, how deep, how many values, what does it hold at the
//! paths that matter. No tree is built.

use crate::model::path::Path;

/// Deeper than this is refused.
pub const MAX_DEPTH: usize = 128;
/// More values than this are refused.
pub const MAX_VALUES: usize = 200_000;

/// What the pass found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The canonical value (see [`super::dedup`]) at each wanted path, in its order; `None` where missing.
    pub wanted: Vec<Option<Vec<u8>>>,
    /// Whether each required path is there, in its order.
    pub present: Vec<bool>,
    /// An object had a key twice.
    pub repeated_keys: bool,
    /// Scalars and containers.
    pub values: usize,
}

/// Why a body is refused (a 400).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Not JSON.
    #[error("not JSON: line {line}, column {column}: {expected}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        expected: String,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// More than [`MAX_VALUES`].
    #[error("more than {MAX_VALUES} values")]
    TooMany,
}

/// Reads a body once. `wanted` and `required` are paths under `body`; others are left `None`/`false`.
///
/// # Errors
/// See [`BodyError`].
pub fn scan(_body: &[u8], _wanted: &[&Path], _required: &[&Path]) -> Result<Facts, BodyError> {
    todo!()
}
