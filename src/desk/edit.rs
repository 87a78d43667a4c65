//! Edits of a stored body before it is replayed: a path and its new value each.

use crate::model::ask::Refusal;
use crate::model::path::{Path, Segment};
use serde_json::Value;

/// Sets values in a body, in order; the stored one is never changed.
///
/// A path may name a new key of an object that is there, or the place right after the last element
/// of an array; whatever it passes on the way must be there.
///
/// # Errors
/// A text that is no path or does not begin with `body`; a path that leads nowhere.
pub fn set(mut body: Value, edits: &[(String, Value)]) -> Result<Value, Refusal> {
    for (text, value) in edits {
        let path: Path =
            text.parse().map_err(|error| Refusal::usage(format!("{text:?} is not a path: {error}")))?;
        if path.root() != "body" {
            return Err(Refusal::usage(format!(
                "{text:?} is not in the body: write body.ref, body.items[0]"
            )));
        }
        put(&mut body, path.rest(), value.clone())
            .map_err(|at| Refusal::usage(format!("{text:?} leads nowhere: {at}")))?;
    }
    Ok(body)
}

fn put(at: &mut Value, rest: &[Segment], value: Value) -> Result<(), String> {
    let Some((first, rest)) = rest.split_first() else {
        *at = value;
        return Ok(());
    };
    match (first, at) {
        (Segment::Key(key), Value::Object(map)) => {
            if rest.is_empty() {
                map.insert(key.clone(), value);
                return Ok(());
            }
            map.get_mut(key).ok_or_else(|| format!("there is no {key:?}")).and_then(|at| put(at, rest, value))
        }
        (Segment::Index(index), Value::Array(items)) => {
            let length = items.len();
            if rest.is_empty() && *index == length {
                items.push(value);
                return Ok(());
            }
            items
                .get_mut(*index)
                .ok_or_else(|| format!("there are {length} elements and none at {index}"))
                .and_then(|at| put(at, rest, value))
        }
        (Segment::Key(key), other) => Err(format!("{key:?} is looked for in {}", kind(other))),
        (Segment::Index(index), other) => Err(format!("element {index} is looked for in {}", kind(other))),
        (Segment::Any, _) => Err("[] means any element; name one".to_owned()),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn edited(edits: &[(&str, Value)]) -> Result<Value, Refusal> {
        let edits: Vec<(String, Value)> =
            edits.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
        set(json!({"ref": "a", "items": [{"n": 1}], "a.b": null}), &edits)
    }

    #[test]
    fn values_are_set_added_and_appended_and_all_others_stay() {
        let body = edited(&[
            ("body.ref", json!("b")),
            ("body.new", json!(true)),
            ("body.items[0].n", json!(2)),
            ("body.items[1]", json!({"n": 3})),
            ("body[\"a.b\"]", json!(4)),
        ])
        .unwrap();
        assert_eq!(body, json!({"ref": "b", "items": [{"n": 2}, {"n": 3}], "a.b": 4, "new": true}));
        assert_eq!(edited(&[("body", json!([]))]).unwrap(), json!([]));
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused_where_it_ends() {
        for (path, said) in [
            ("body.items[2]", "there are 1 elements and none at 2"),
            ("body.none.x", "there is no \"none\""),
            ("body.ref.x", "\"x\" is looked for in a text"),
            ("body.items[]", "[] means any element"),
            ("headers[\"x\"]", "is not in the body"),
            ("body..x", "is not a path"),
        ] {
            let refusal = edited(&[(path, json!(1))]).unwrap_err();
            assert!(refusal.message.contains(said), "{refusal}");
            assert_eq!(refusal.exit, 2);
        }
    }
}
