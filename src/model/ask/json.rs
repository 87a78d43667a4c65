//! Questions and answers read from JSON, digits and all.

use serde_json::Value;

/// Reads a JSON text as `T`.
///
/// Not straight from the text: where structs are flattened or a tag comes late serde buffers, and
/// with numbers kept digit for digit that buffer holds what no integer can be read from. A
/// [`Value`] in between tells integers from other numbers.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn from_json<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let value: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| error.to_string())
}
