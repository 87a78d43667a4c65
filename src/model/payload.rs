//! Values that senders and targets sent, inside what is kept and what goes over the wire.
//!
//! For serde a number is told apart from an object by a private key, and a number that is read is
//! spelt anew. So a payload with that key in it could not be read again, and `1e0` would come back as
//! `1e+0`. Fields that hold payloads are read by these functions instead (`deserialize_with`): they
//! take the text as it stands and give it to [`json`].

use super::{Map, json};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;
use serde_json::value::RawValue;

/// Any value.
///
/// # Errors
/// It is not JSON, or what it is in cannot give its text (a buffer of serde's own).
pub fn value<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    let text = Box::<RawValue>::deserialize(from)?;
    json::parse_kept(text.get().as_bytes()).map_err(D::Error::custom)
}

/// A value that may be left out; a null that is there is a value.
///
/// # Errors
/// See [`value`].
pub fn some_value<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    value(from).map(Some)
}

/// An object.
///
/// # Errors
/// See [`value`]; it is something else.
pub fn map<'de, D: Deserializer<'de>>(from: D) -> Result<Map, D::Error> {
    match value(from)? {
        Value::Object(map) => Ok(map),
        _ => Err(D::Error::custom("an object is expected")),
    }
}

/// An object or null. With `default` on the field, also nothing.
///
/// # Errors
/// See [`map`].
pub fn some_map<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Map>, D::Error> {
    match value(from)? {
        Value::Null => Ok(None),
        Value::Object(map) => Ok(Some(map)),
        _ => Err(D::Error::custom("an object or null is expected")),
    }
}

/// Any values.
///
/// # Errors
/// See [`value`]; it is no array.
pub fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Value>, D::Error> {
    match value(from)? {
        Value::Array(values) => Ok(values),
        _ => Err(D::Error::custom("an array is expected")),
    }
}

/// Paths and a value each.
///
/// # Errors
/// See [`value`].
pub fn pairs<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, Value)>, D::Error> {
    Ok(Vec::<(String, Exact)>::deserialize(from)?
        .into_iter()
        .map(|(path, Exact(value))| (path, value))
        .collect())
}

/// Paths and two values each.
///
/// # Errors
/// See [`value`].
pub fn triples<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, Value, Value)>, D::Error> {
    let triples = Vec::<(String, Exact, Exact)>::deserialize(from)?;
    Ok(triples.into_iter().map(|(path, Exact(one), Exact(other))| (path, one, other)).collect())
}

/// A value that [`value`] reads.
struct Exact(Value);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        value(from).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ask::from_json;
    use serde::Serialize;

    #[derive(Debug, Default, PartialEq, Serialize, serde::Deserialize)]
    struct Kept {
        #[serde(deserialize_with = "value")]
        body: Value,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_value")]
        answer: Option<Value>,
        #[serde(deserialize_with = "map")]
        flat: Map,
        #[serde(default, deserialize_with = "some_map")]
        outputs: Option<Map>,
        #[serde(deserialize_with = "pairs")]
        set: Vec<(String, Value)>,
        #[serde(deserialize_with = "triples")]
        differs: Vec<(String, Value, Value)>,
        size: u64,
    }

    fn kept(value: &Value) -> Kept {
        let map: Map = [("a".to_owned(), value.clone())].into_iter().collect();
        Kept {
            body: value.clone(),
            answer: Some(value.clone()),
            flat: map.clone(),
            outputs: Some(map),
            set: vec![("a".into(), value.clone())],
            differs: vec![("a".into(), value.clone(), value.clone())],
            size: 7,
        }
    }

    #[test]
    fn what_was_sent_comes_back_to_the_letter() {
        for text in [
            "1e0",
            "-0",
            "1E+05",
            "98765432109876543210",
            "null",
            r#"{"$serde_json::private::Number":"x"}"#,
            r#"{"$serde_json::private::Number":"12"}"#,
            r#"{"$serde_json::private::RawValue":"[1]"}"#,
            r#"[[{"a":[1.10,-0.0]}]]"#,
        ] {
            let kept = kept(&json::parse(text.as_bytes()).unwrap());
            let written = serde_json::to_string(&kept).unwrap();
            let wire: Kept = from_json(written.as_bytes()).unwrap();
            let stored: Kept = serde_json::from_str(&written).unwrap();
            for read in [wire, stored] {
                assert_eq!(serde_json::to_string(&read).unwrap(), written);
                assert_eq!(read, kept, "{text}");
            }
        }
    }

    #[test]
    fn nothing_is_nothing_and_another_type_is_refused() {
        let with = |outputs: &str| {
            let text = format!(r#"{{"body":1,"flat":{{}},"set":[],"differs":[],"size":1{outputs}}}"#);
            from_json::<Kept>(text.as_bytes())
        };
        assert_eq!(with("").unwrap().outputs, None);
        assert_eq!(with("").unwrap().answer, None);
        assert_eq!(with(r#","answer":null"#).unwrap().answer, Some(Value::Null));
        assert_eq!(with(r#","outputs":null"#).unwrap().outputs, None);
        assert!(with(r#","outputs":[]"#).is_err());
    }
}
