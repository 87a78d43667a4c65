//! Values of variables: what a variable's type takes.

use crate::model::document::{Variable, VariableKind};
use serde_json::Value;

/// Reads a value as it was typed (`pointsman set NAME VAR=VALUE`).
///
/// # Errors
/// A sentence that says what the variable takes.
pub fn typed(kind: &VariableKind, text: &str) -> Result<Value, String> {
    let value = match kind {
        VariableKind::Number => serde_json::from_str(text.trim()).unwrap_or(Value::Null),
        VariableKind::Boolean => match text.trim() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Null,
        },
        VariableKind::Text | VariableKind::Url | VariableKind::Choice(_) => Value::String(text.to_owned()),
    };
    if fits(kind, &value) { Ok(value) } else { Err(format!("{text:?} is not {}", wanted(kind))) }
}

/// Whether a variable of this type takes the value.
#[must_use]
pub fn fits(kind: &VariableKind, value: &Value) -> bool {
    match (kind, value) {
        (VariableKind::Text, Value::String(_))
        | (VariableKind::Number, Value::Number(_))
        | (VariableKind::Boolean, Value::Bool(_)) => true,
        (VariableKind::Url, Value::String(text)) => {
            url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        }
        (VariableKind::Choice(options), Value::String(text)) => options.contains(text),
        _ => false,
    }
}

/// What a variable of this type takes, in words.
#[must_use]
pub fn wanted(kind: &VariableKind) -> String {
    match kind {
        VariableKind::Text => "text".to_owned(),
        VariableKind::Number => "a number".to_owned(),
        VariableKind::Boolean => "true or false".to_owned(),
        VariableKind::Url => "an absolute http or https URL".to_owned(),
        VariableKind::Choice(options) => format!("one of {}", options.join(", ")),
    }
}

/// The value in force: the one that was set, if the variable's type still takes it, else the
/// default. The flag tells whether it was set.
#[must_use]
pub fn in_force<'v>(variable: &'v Variable, set: Option<&'v Value>) -> Option<(&'v Value, bool)> {
    match set {
        Some(value) if fits(&variable.kind, value) => Some((value, true)),
        _ => variable.default.as_ref().map(|value| (value, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_type_decides_how_a_value_is_read() {
        assert_eq!(typed(&VariableKind::Text, "5").unwrap(), json!("5"));
        assert_eq!(typed(&VariableKind::Number, "5.10").unwrap().to_string(), "5.10");
        assert_eq!(typed(&VariableKind::Boolean, "true").unwrap(), json!(true));
        let choice = VariableKind::Choice(vec!["a".into(), "b".into()]);
        assert_eq!(typed(&choice, "b").unwrap(), json!("b"));
        for (kind, text, words) in [
            (&VariableKind::Number, "five", "a number"),
            (&VariableKind::Number, "\"5\"", "a number"),
            (&VariableKind::Boolean, "yes", "true or false"),
            (&VariableKind::Url, "ftp://x", "http or https"),
            (&VariableKind::Url, "/only/a/path", "http or https"),
            (&choice, "c", "one of a, b"),
        ] {
            let error = typed(kind, text).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_value_that_the_type_no_longer_takes_gives_way_to_the_default() {
        let variable = Variable {
            name: "n".into(),
            kind: VariableKind::Number,
            heading: String::new(),
            help: String::new(),
            default: Some(json!(7)),
            required: true,
        };
        assert_eq!(in_force(&variable, Some(&json!("text"))), Some((&json!(7), false)));
        assert_eq!(in_force(&variable, Some(&json!(8))), Some((&json!(8), true)));
        assert_eq!(in_force(&Variable { default: None, ..variable }, None), None);
    }
}
