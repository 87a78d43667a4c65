//! A JSON text as a tree: keys in order, numbers digit for digit, the last of a repeated key.

use super::{BodyError, Bounds, Cursor, Head};
use crate::model::Map;
use serde_json::{Number, Value};

/// Parses a JSON text within the bounds of a body.
///
/// # Errors
/// See [`BodyError`].
pub fn parse(text: &[u8]) -> Result<Value, BodyError> {
    whole(Cursor::new(text)?)
}

/// Parses what a target answered: its length was bounded where it came in.
///
/// # Errors
/// It is not JSON, or is nested deeper than a body can be.
pub fn parse_answer(text: &[u8]) -> Result<Value, BodyError> {
    whole(Cursor::within(text, Bounds::ANSWER)?)
}

/// Parses what was written here with a body or an answer in it.
///
/// # Errors
/// It is not JSON, or is nested much deeper than a body can be.
pub fn parse_kept(text: &[u8]) -> Result<Value, BodyError> {
    whole(Cursor::within(text, Bounds::KEPT)?)
}

fn whole(mut cursor: Cursor) -> Result<Value, BodyError> {
    let value = value(&mut cursor)?;
    cursor.end()?;
    Ok(value)
}

/// What the beginning of a JSON text says: a text that was cut, as far as it goes. `None` where not
/// even its first value begins.
#[must_use]
pub fn beginning(text: &[u8]) -> Option<Value> {
    if let Ok(whole) = parse(text) {
        return Some(whole);
    }
    let valid = std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
    let mut cursor = Cursor::new(&text[..valid]).ok()?;
    let mut read = Value::Null;
    // What is wrong is where it was cut, or no JSON: what was read by then is what there is.
    let _ = part(&mut cursor, &mut read);
    (!read.is_null()).then_some(read)
}

/// Reads a value into its place piece by piece, so that what was read stays where the rest fails.
fn part(cursor: &mut Cursor, into: &mut Value) -> Result<(), BodyError> {
    match cursor.value()? {
        Head::Null => *into = Value::Null,
        Head::Bool(value) => *into = Value::Bool(value),
        Head::Number(text) => *into = Value::Number(number(text)),
        Head::String(text) => *into = Value::String(text.decode().into_owned()),
        Head::Array => {
            *into = Value::Array(Vec::new());
            let Value::Array(values) = into else { return Ok(()) };
            while cursor.element(values.is_empty())? {
                values.push(Value::Null);
                if let Some(last) = values.last_mut() {
                    part(cursor, last)?;
                }
            }
        }
        Head::Object => {
            *into = Value::Object(Map::new());
            let Value::Object(map) = into else { return Ok(()) };
            let mut first = true;
            while let Some(key) = cursor.key(first)? {
                first = false;
                part(cursor, map.entry(key.decode().into_owned()).or_insert(Value::Null))?;
            }
        }
    }
    Ok(())
}

fn value(cursor: &mut Cursor) -> Result<Value, BodyError> {
    Ok(match cursor.value()? {
        Head::Null => Value::Null,
        Head::Bool(value) => Value::Bool(value),
        Head::Number(text) => Value::Number(number(text)),
        Head::String(text) => Value::String(text.decode().into_owned()),
        Head::Array => {
            let mut values = Vec::new();
            while cursor.element(values.is_empty())? {
                values.push(value(cursor)?);
            }
            Value::Array(values)
        }
        Head::Object => {
            let mut map = Map::new();
            let mut first = true;
            while let Some(key) = cursor.key(first)? {
                first = false;
                map.insert(key.decode().into_owned(), value(cursor)?);
            }
            Value::Object(map)
        }
    })
}

/// A number with the digits that were sent. Every public way to a [`Number`] writes `1e5` as `1e+5`;
/// the text is known to be a JSON number, which is all that the hidden one asks for.
fn number(text: &str) -> Number {
    Number::from_string_unchecked(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json::{MAX_DEPTH, MAX_VALUES};
    use proptest::prelude::*;

    #[test]
    fn numbers_keep_their_digits() {
        let long = format!("-{}.{}e-999999999999", "9".repeat(5_000), "10".repeat(2_500));
        for text in ["0", "-0", "-0.0", "1.0", "1e5", "1E5", "1E+05", "1e-05", "59.90", "1e400", &long] {
            assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text, "{text}");
        }
    }

    #[test]
    fn a_text_that_was_cut_says_what_it_said_so_far() {
        let whole = r#"{"a":1,"b":{"c":[1,{"d":"x"}],"e":"é"},"f":2}"#;
        for cut in 0..whole.len() {
            let read = beginning(&whole.as_bytes()[..cut]);
            assert_eq!(read.is_some(), cut > 0, "{cut}: {read:?}");
        }
        let read = beginning(&whole.as_bytes()[..30]).unwrap();
        assert_eq!((&read["a"], &read["b"]["c"][1]["d"]), (&Value::from(1), &Value::from("x")));
        assert_eq!(beginning(whole.as_bytes()), parse(whole.as_bytes()).ok());
        assert_eq!(beginning(b"no json"), None);
    }

    #[test]
    fn a_sender_cannot_name_the_private_keys_of_a_library() {
        for text in [
            r#"{"$serde_json::private::Number":"1"}"#,
            r#"{"$serde_json::private::Number":"x"}"#,
            r#"{"$serde_json::private::RawValue":"[1]"}"#,
        ] {
            let value = parse(text.as_bytes()).unwrap();
            assert!(value.is_object());
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn the_last_of_a_repeated_key_counts_in_the_place_of_the_first() {
        let value = parse(br#"{"a":1,"b":2,"\u0061":3}"#).unwrap();
        assert_eq!(value.to_string(), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn depth_and_count_are_bounded_to_the_digit() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(parse(nested(MAX_DEPTH + 1).as_bytes()), Err(BodyError::TooDeep));
        assert_eq!(parse("{\"a\":".repeat(100_000).as_bytes()), Err(BodyError::TooDeep));
        let many = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
        assert!(parse(many(MAX_VALUES).as_bytes()).is_ok());
        assert_eq!(parse(many(MAX_VALUES + 1).as_bytes()), Err(BodyError::TooMany));
        // Siblings are not depth.
        assert!(parse(format!("[{}[]]", "[],".repeat(1_000)).as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn it_reads_what_another_parser_reads(text in r#"[\[\]{}",:0-9eE.+\-a\\ntruefalsuU \n]{0,24}"#) {
            let ours = parse(text.as_bytes());
            let theirs = serde_json::from_str::<Value>(&text);
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
            if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                // The other one spells exponents anew.
                let respelt: Value = serde_json::from_str(&ours.to_string()).unwrap();
                prop_assert_eq!(respelt, theirs);
            }
        }

        #[test]
        fn it_reads_back_what_was_written(value in super::super::tests::any_value()) {
            prop_assert_eq!(parse(value.to_string().as_bytes()).unwrap(), value.clone());
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(parse(pretty.as_bytes()).unwrap(), value);
        }
    }
}
