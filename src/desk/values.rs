//! Values of variables as people write them, read by the variable's type.

use super::{Deps, Desk};
use crate::model::ask::{Answer, Done, Refusal, Who};
use crate::model::credential::{MAX_SECRET, Secret};
use crate::model::document::{Variable, VariableKind};
use crate::rules::mask::MASK;
use crate::rules::secrets::SHORTEST;
use crate::store::Equipment;
use crate::store::config::values::{SetValue, typed};
use serde_json::Value;
use std::sync::Arc;

/// What is to be set.
pub struct Setting {
    /// The integration's name.
    pub name: String,
    /// Open variables and their values as written.
    pub values: Vec<(String, String)>,
    /// A secret variable and its value.
    pub secret: Option<(String, Secret)>,
    /// Why.
    pub reason: Option<String>,
    /// Only says what would happen.
    pub dry_run: bool,
}

impl Desk {
    /// Sets values of variables; they count for steps that start from then on, without a deploy.
    pub(super) async fn set(&self, who: &Who, setting: Setting) -> Result<Answer, Refusal> {
        let Setting { name, values, secret, reason, dry_run } = setting;
        let name = name.as_str();
        if values.is_empty() && secret.is_none() {
            return Err(Refusal::usage("name at least one variable: VAR=VALUE"));
        }
        let holding = self.holding(name)?;
        // The newest version's variables, and those that only the live one has.
        let mut variables: Vec<Variable> = Vec::new();
        for doc in [&holding.newest, &holding.live].into_iter().flatten() {
            for variable in &doc.integration.variables {
                if !variables.iter().any(|other| other.name == variable.name) {
                    variables.push(variable.clone());
                }
            }
        }
        let values = read(name, &variables, &values)?;
        let mut said: Vec<String> =
            values.iter().map(|(variable, value)| format!("{variable} = {value}")).collect();
        let mut values: Vec<(String, SetValue)> =
            values.into_iter().map(|(variable, value)| (variable, value.into())).collect();
        if let Some((variable, secret)) = secret {
            judge_secret(name, &variables, &variable, &secret)?;
            let sealed = self.deps.vault.seal_value(holding.id, &variable, &secret);
            let sealed =
                sealed.map_err(|why| Refusal::failed(format!("{variable} cannot be sealed: {why}")))?;
            said.push(format!("{variable} = {MASK}"));
            values.push((variable, SetValue::Sealed(sealed)));
        }
        let said = said.join(", ");
        if dry_run {
            let lines = vec![format!("{name}: would set {said}")];
            return Ok(Answer::Done(Done { lines, refused: false }));
        }
        self.deps.store.set_values(name, values, &who.name).await?;
        self.audit(who, "set", name, reason.as_deref(), &said).await?;
        let mut lines = vec![format!("{name}: {said}")];
        let state = self.deps.store.configured();
        if let Some(holding) = state.by_name(name)
            && holding.deployed != Some(holding.latest)
            && let Some(newest) = &holding.newest
            && super::documents::unset(&newest.integration, Some(holding)).is_empty()
        {
            lines.push(format!("v{} is a draft: pointsman deploy {name}", holding.latest));
        }
        Ok(Answer::Done(Done { lines, refused: false }))
    }

    /// Gives the store what it needs of the vault and the settings, before anything runs: what opens
    /// secrets, and the operator's connections.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn equip(&self) -> Result<(), Refusal> {
        let Deps { store, vault, settings, .. } = &*self.deps;
        let equipment =
            Equipment { opener: Some(Arc::new(vault.clone())), connections: settings.connections.0.clone() };
        Ok(store.equip(equipment).await?)
    }
}

/// Whether a secret can be the value of a variable. Nothing that is said repeats it.
fn judge_secret(
    integration: &str,
    variables: &[Variable],
    name: &str,
    secret: &Secret,
) -> Result<(), Refusal> {
    let Some(variable) = variables.iter().find(|variable| variable.name == name) else {
        return Err(unknown(integration, variables, name));
    };
    let wrong = |why: String| Err(Refusal::usage(format!("{name} cannot be set: {why}")));
    if variable.kind != VariableKind::Secret {
        return wrong(format!("it is no secret; write {name}=VALUE"));
    }
    match secret.reveal() {
        text if text.chars().count() < SHORTEST => wrong(format!(
            "a secret has {SHORTEST} characters or more: a shorter one could not be hidden where it turns up"
        )),
        text if text.len() > MAX_SECRET => wrong("a secret has at most 64 KiB".to_owned()),
        _ => Ok(()),
    }
}

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
        let value = typed(&variable.kind, text)
            .map_err(|why| Refusal::usage(format!("{name} cannot be set: {why}")))?;
        read.push((name.clone(), value));
    }
    Ok(read)
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
            variable("token", VariableKind::Secret),
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
            ("limit", "many", "limit cannot be set: \"many\" is not a number"),
            ("limit", "\"1\"", "is not a number"),
            ("on", "yes", "is not true or false"),
            ("base", "ftp://x", "an absolute http or https URL"),
            ("base", "/x", "an absolute http or https URL"),
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
        assert_eq!(
            refusal.message,
            "acme has no variable \"limits\"; it has note, limit, on, base, mode, token"
        );
        let twice =
            read("acme", &variables(), &[("on".into(), "true".into()), ("on".into(), "false".into())]);
        assert_eq!(twice.unwrap_err().message, "on is named twice");
    }

    #[test]
    fn a_secret_is_given_for_a_secret_variable_alone_and_never_repeated() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let judge = |name: &str, text: &str| judge_secret("acme", &variables(), name, &secret(text));
        assert_eq!(judge("token", "s3cret"), Ok(()));
        for (name, text, said) in [
            ("note", "s3cret", "it is no secret; write note=VALUE"),
            ("tokens", "s3cret", "acme has no variable"),
            ("token", "", "4 characters or more"),
            ("token", "abc", "4 characters or more"),
        ] {
            let refusal = judge(name, text).unwrap_err();
            assert!(refusal.message.contains(said), "{refusal}");
            assert!(text.is_empty() || !refusal.message.contains(text), "{refusal}");
        }
        assert!(judge("token", &"x".repeat(MAX_SECRET + 1)).unwrap_err().message.contains("64 KiB"));
        let typed = one("token", "s3cret").unwrap_err();
        assert!(typed.message.contains("--secret-file") && !typed.message.contains("s3cret"), "{typed}");
    }
}
