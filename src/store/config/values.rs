//! Values of variables: what a variable's type takes.

use crate::model::document::{Variable, VariableKind};
use crate::model::{IntegrationId, Map};
use crate::rules::mask::MASK;
use crate::rules::secrets::Secrets;
use crate::store::equipment::Equipment;
use crate::store::registry::Doc;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// What stands for the value of a secret.
static HIDDEN: LazyLock<Value> = LazyLock::new(|| MASK.into());

/// A value that was set.
#[derive(Clone, PartialEq)]
pub enum SetValue {
    /// Of any variable but a secret one.
    Plain(Value),
    /// Of a secret one, for its place alone.
    Sealed(Vec<u8>),
}

impl std::fmt::Debug for SetValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(value) => write!(f, "{value}"),
            Self::Sealed(_) => f.write_str(MASK),
        }
    }
}

impl From<Value> for SetValue {
    fn from(value: Value) -> Self {
        Self::Plain(value)
    }
}

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
        // Not repeated, and not taken: what is typed so stays in the shell's history.
        VariableKind::Secret => {
            return Err("it is a secret: give it with --secret-file FILE (- is stdin)".to_owned());
        }
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
        VariableKind::Secret => "a secret".to_owned(),
    }
}

/// The value in force: the one that was set, if the variable's type still takes it, else the
/// default. The flag tells whether it was set. A secret's is `•••`; what was set openly is none, and
/// what was sealed is no value of an open variable.
#[must_use]
pub fn in_force<'v>(variable: &'v Variable, set: Option<&'v SetValue>) -> Option<(&'v Value, bool)> {
    match (set, &variable.kind) {
        (Some(SetValue::Sealed(_)), VariableKind::Secret) => Some((&HIDDEN, true)),
        (Some(SetValue::Plain(value)), kind) if fits(kind, value) => Some((value, true)),
        _ => variable.default.as_ref().map(|value| (value, false)),
    }
}

/// Values in force: what was set, then the defaults of the live version, then those of a draft.
/// Values of variables that no version has any more stay: runs of older versions may want them.
pub(in crate::store) fn open(docs: &[Option<&Arc<Doc>>], set: &BTreeMap<String, SetValue>) -> Map {
    let mut values = Map::new();
    let open = |variable: &&Variable| variable.kind != VariableKind::Secret;
    for variable in docs.iter().flatten().flat_map(|doc| &doc.integration.variables).filter(open) {
        if values.contains_key(&variable.name) {
            continue;
        }
        if let Some((value, _)) = in_force(variable, set.get(&variable.name)) {
            values.insert(variable.name.clone(), value.clone());
        }
    }
    for (name, value) in set {
        let mut known = docs.iter().flatten().flat_map(|doc| &doc.integration.variables);
        if let SetValue::Plain(value) = value
            && !known.any(|variable| variable.name == *name)
        {
            values.insert(name.clone(), value.clone());
        }
    }
    values
}

/// The secrets of an integration, opened, and those that cannot be, with why.
///
/// A sealed value of a variable that no version has any more stays, since runs of older versions may
/// want it; one that a version has openly now is no secret of it.
pub(in crate::store) fn secrets(
    equipment: &Equipment,
    integration: IntegrationId,
    docs: &[Option<&Arc<Doc>>],
    set: &BTreeMap<String, SetValue>,
) -> (Secrets, Vec<(String, String)>) {
    let Some(opener) = &equipment.opener else { return Default::default() };
    let wanted = |name: &str| {
        let known = docs.iter().flatten().flat_map(|doc| &doc.integration.variables);
        let mut known = known.filter(|variable| variable.name == name).peekable();
        known.peek().is_none() || known.any(|variable| variable.kind == VariableKind::Secret)
    };
    let (mut secrets, mut closed) = (Vec::new(), Vec::new());
    for (name, value) in set {
        let SetValue::Sealed(cipher) = value else { continue };
        if wanted(name) {
            match opener.open(integration, name, cipher) {
                Ok(secret) => secrets.push((name.clone(), secret)),
                Err(why) => closed.push((name.clone(), why)),
            }
        }
    }
    (Secrets::new(&secrets), closed)
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
        let (text, eight) = (json!("text").into(), json!(8).into());
        assert_eq!(in_force(&variable, Some(&text)), Some((&json!(7), false)));
        assert_eq!(in_force(&variable, Some(&eight)), Some((&json!(8), true)));
        let sealed = SetValue::Sealed(b"s3cret".to_vec());
        assert_eq!(in_force(&variable, Some(&sealed)), Some((&json!(7), false)));
        assert_eq!(format!("{sealed:?} {eight:?}"), "••• 8");
        let secret = Variable { kind: VariableKind::Secret, default: None, ..variable.clone() };
        assert_eq!(in_force(&secret, Some(&sealed)), Some((&json!("•••"), true)));
        assert_eq!(in_force(&secret, Some(&text)), None, "what was set openly is no secret");
        assert!(typed(&VariableKind::Secret, "s3cret").unwrap_err().contains("--secret-file"));
        assert_eq!(in_force(&Variable { default: None, ..variable }, None), None);
    }
}
