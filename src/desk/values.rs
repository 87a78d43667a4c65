//! Values of variables as people write them, read by the variable's type.

use crate::model::ask::Refusal;
use crate::model::document::{Variable, VariableKind};
use serde_json::Value;

/// Reads the values of `set NAME VAR=VALUE…`, all or none.
///
/// # Errors
/// A variable that the integration does not have (its variables are named), one that is named
/// twice, a value that is not of the variable's type.
pub fn read(
    integration: &str,
    variables: &[Variable],
    values: &[(String, String)],
) -> Result<Vec<(String, Value)>, Refusal> {
    let mut read: Vec<(String, Value)> = Vec::with_capacity(values.len());
    for (name, text) in values {
        if read.iter().any(|(other, _)| other == name) {
            return Err(Refusal::usage(format!("{name} is named twice")));
        }
        let Some(variable) = variables.iter().find(|variable| variable.name == *name) else {
            return Err(unknown(integration, variables, name));
        };
        let value = value(&variable.kind, text)
            .map_err(|expected| Refusal::usage(format!("{name} takes {expected}, not {text:?}")))?;
        read.push((name.clone(), value));
    }
    Ok(read)
}

fn value(kind: &VariableKind, text: &str) -> Result<Value, String> {
    match kind {
        VariableKind::Text => Ok(Value::String(text.to_owned())),
        VariableKind::Number => serde_json::from_str(text.trim())
            .ok()
            .filter(Value::is_number)
            .ok_or_else(|| "a number".to_owned()),
        VariableKind::Boolean => match text.trim() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("true or false".to_owned()),
        },
        VariableKind::Url => {
            let absolute = url::Url::parse(text.trim())
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            let written = text.trim();
            if absolute {
                Ok(Value::String(written.to_owned()))
            } else {
                Err("an absolute http(s) URL".to_owned())
            }
        }
        VariableKind::Choice(options) => {
            if options.iter().any(|option| option == text) {
                Ok(Value::String(text.to_owned()))
            } else {
                Err(format!("one of {}", options.join(", ")))
            }
        }
    }
}

fn unknown(integration: &str, variables: &[Variable], name: &str) -> Refusal {
    let names: Vec<&str> = variables.iter().map(|variable| variable.name.as_str()).collect();
    let message = if names.is_empty() {
        format!("{integration} has no variables")
    } else {
        format!("{integration} has no variable {name:?}; it has {}", names.join(", "))
    };
    Refusal::not_found(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn variables() -> Vec<Variable> {
        let variable = |name: &str, kind| Variable {
            name: name.to_owned(),
            kind,
            heading: String::new(),
            help: String::new(),
            default: None,
            required: false,
        };
        vec![
            variable("note", VariableKind::Text),
            variable("limit", VariableKind::Number),
            variable("on", VariableKind::Boolean),
            variable("base", VariableKind::Url),
            variable("mode", VariableKind::Choice(vec!["fast".into(), "safe".into()])),
        ]
    }

    fn one(name: &str, text: &str) -> Result<Value, Refusal> {
        read("acme", &variables(), &[(name.into(), text.into())]).map(|mut read| read.remove(0).1)
    }

    #[test]
    fn a_value_is_read_by_the_type_of_its_variable() {
        assert_eq!(one("note", "12").unwrap(), json!("12"));
        assert_eq!(one("note", "").unwrap(), json!(""));
        assert_eq!(one("limit", " 1.10 ").unwrap().to_string(), "1.10", "digits stay");
        assert_eq!(one("on", "true").unwrap(), json!(true));
        assert_eq!(one("base", "https://a.example/x").unwrap(), json!("https://a.example/x"));
        assert_eq!(one("mode", "safe").unwrap(), json!("safe"));
    }

    #[test]
    fn a_value_of_another_type_is_refused_and_says_what_is_taken() {
        for (name, text, said) in [
            ("limit", "many", "limit takes a number, not \"many\""),
            ("limit", "\"1\"", "limit takes a number"),
            ("on", "yes", "on takes true or false"),
            ("base", "ftp://x", "an absolute http(s) URL"),
            ("base", "/x", "an absolute http(s) URL"),
            ("mode", "slow", "one of fast, safe"),
        ] {
            let refusal = one(name, text).unwrap_err();
            assert!(refusal.message.contains(said), "{refusal}");
            assert_eq!(refusal.exit, 2);
        }
    }

    #[test]
    fn an_unknown_variable_is_refused_with_those_that_there_are() {
        let refusal = one("limits", "1").unwrap_err();
        assert_eq!(refusal.exit, 3);
        assert_eq!(refusal.message, "acme has no variable \"limits\"; it has note, limit, on, base, mode");
        let twice =
            read("acme", &variables(), &[("on".into(), "true".into()), ("on".into(), "false".into())]);
        assert_eq!(twice.unwrap_err().message, "on is named twice");
    }
}
