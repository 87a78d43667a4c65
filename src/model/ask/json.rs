//! Questions and answers read from JSON, digits and all.

use crate::model::json;

/// Reads a JSON text as `T`.
///
/// Not straight from the text: where structs are flattened or a tag comes late serde buffers, and
/// with numbers kept digit for digit that buffer holds what no integer can be read from. A tree in
/// between tells integers from other numbers, and it is ours: a body's numbers keep their spelling.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn from_json<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let value = json::parse_kept(text).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| error.to_string())
}
