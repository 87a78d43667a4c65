//! Values that are put into an answer by hand, and stand-ins for those that nobody knows.

use crate::model::path::Segment;
use crate::model::run::StepState;
use crate::rules::template::{StepData, encode};
use serde_json::Value;

/// The furthest element of a list that can be put into an answer.
const FURTHEST: usize = 1_000;

/// What stands for a value that is not known.
pub(super) fn stand_in(path: &str) -> String {
    format!("<{path}>")
}

/// A text that was sent, with stand-ins for these paths as people read them: URLs and forms write
/// them percent-encoded.
#[must_use]
pub fn readable<'p>(text: &str, paths: impl IntoIterator<Item = &'p str>) -> String {
    let mut text = text.to_owned();
    for path in paths {
        let plain = stand_in(path);
        let mut encoded = String::new();
        encode(&mut encoded, &plain);
        text = text.replace(&encoded, &plain);
    }
    text
}

/// Puts a value into an answer: `outputs.id`, `body.items[0].id`, `headers["x-id"]`, `status`; into that
/// of an item of a step under `for_each` with its index before it.
///
/// # Errors
/// Why it cannot stand there.
pub fn lay(data: &mut StepData, path: &[Segment], value: Value) -> Result<(), &'static str> {
    if let [Segment::Index(item), rest @ ..] = path {
        if *item > FURTHEST {
            return Err("the list would be too long");
        }
        let items = data.items.get_or_insert_default();
        if items.len() <= *item {
            items.resize(item + 1, StepData::bare(StepState::Succeeded));
        }
        return lay(&mut items[*item], rest, value);
    }
    let [Segment::Key(field), rest @ ..] = path else {
        return Err("write steps.NAME.outputs.ID, …body…, …headers[\"…\"] or …status");
    };
    match (field.as_str(), rest) {
        ("outputs", [Segment::Key(name), rest @ ..]) => {
            let outputs = data.outputs.get_or_insert_default();
            put(outputs.entry(name.clone()).or_insert(Value::Null), rest, value)
        }
        ("body", rest) => put(data.body.get_or_insert(Value::Null), rest, value),
        ("headers", [Segment::Key(name)]) => {
            let text = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            data.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            data.headers.push((name.to_ascii_lowercase(), text));
            Ok(())
        }
        ("status", []) => {
            let status = value.as_u64().and_then(|status| u16::try_from(status).ok());
            data.status = Some(status.filter(|status| (100..600).contains(status)).ok_or("it is no status")?);
            Ok(())
        }
        _ => Err("write steps.NAME.outputs.ID, …body…, …headers[\"…\"] or …status"),
    }
}

fn put(at: &mut Value, path: &[Segment], value: Value) -> Result<(), &'static str> {
    let Some((first, rest)) = path.split_first() else {
        *at = value;
        return Ok(());
    };
    match first {
        Segment::Key(key) => {
            if !at.is_object() {
                *at = Value::Object(crate::model::Map::new());
            }
            match at.as_object_mut() {
                Some(map) => put(map.entry(key.clone()).or_insert(Value::Null), rest, value),
                None => Ok(()),
            }
        }
        Segment::Index(index) if *index > FURTHEST => Err("the list would be too long"),
        Segment::Index(index) => {
            if !at.is_array() {
                *at = Value::Array(Vec::new());
            }
            match at.as_array_mut() {
                Some(items) => {
                    if items.len() <= *index {
                        items.resize(index + 1, Value::Null);
                    }
                    put(&mut items[*index], rest, value)
                }
                None => Ok(()),
            }
        }
        Segment::Any => Err("[] means any element; name one"),
    }
}
