//! JSON (RFC 8259) as it was sent: a bounded cursor over the text that loses nothing.
//!
//! Why not `serde_json` for what senders send: it tells numbers and objects apart by a private
//! key, so a body with that key would change its meaning; its depth ends one short of ours; and it
//! says nothing of repeated keys. Trees made here are ordinary [`serde_json::Value`]s.

mod cursor;

mod tree;

pub use super::decimal::Decimal;
pub(crate) use cursor::{Bounds, Cursor, Head, Text};
pub use tree::{beginning, parse, parse_answer, parse_kept};

/// Deeper than this is refused.
pub const MAX_DEPTH: usize = 128;
/// More values than this are refused.
pub const MAX_VALUES: usize = 200_000;

/// Why a body is refused (a 400).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Not JSON.
    #[error("not JSON: line {line}, column {column}: {expected}")]
    NotJson {
        /// From 1.
        line: usize,
        /// In characters, from 1.
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

#[cfg(test)]
pub(crate) mod tests {
    use crate::model::Map;
    use proptest::prelude::*;
    use serde_json::Value;

    /// Any JSON value: odd keys, odd strings, odd numbers.
    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?"
                .prop_map(|text| Value::Number(text.parse().unwrap())),
            any::<String>().prop_map(Value::from),
            "[a-c\\.\\[\\]\"]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let key = prop_oneof![any::<String>(), "[a-c]{0,2}", "[a\\.\\[\\]\"0-9é]{0,3}"];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                proptest::collection::vec((key, inner), 0..5)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map>())),
            ]
        })
    }
}
