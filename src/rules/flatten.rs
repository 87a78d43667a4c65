//! Flattening: each leaf and each empty container under a path that is a valid template expression
//! (contract section 5).

use serde_json::Value;

/// Calls `leaf` with path text and value, depth first, in document order. `prefix` is put before
/// each path (`body`); empty for none.
pub fn flatten(_prefix: &str, _value: &Value, _leaf: &mut dyn FnMut(&str, &Value)) {
    todo!()
}
