//! Values of variables as people write them, read by the variable's type.

use super::Desk;
use crate::model::ask::{Answer, Done, Refusal, Who};
use crate::model::document::Variable;
use crate::store::config::values::typed;
use serde_json::Value;

impl Desk {
    /// Sets values of variables; they count for steps that start from then on, without a deploy.
    pub(super) async fn set(
        &self,
        who: &Who,
        name: &str,
        values: &[(String, String)],
        reason: Option<&str>,
    ) -> Result<Answer, Refusal> {
        if values.is_empty() {
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
        let values = read(name, &variables, values)?;
        let said = values
            .iter()
            .map(|(variable, value)| format!("{variable} = {value}"))
            .collect::<Vec<_>>()
            .join(", ");
        self.deps.store.set_values(name, values, &who.name).await?;
        self.audit(who, "set", name, reason, &said).await?;
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
    use crate::model::document::VariableKind;
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
        assert_eq!(refusal.message, "acme has no variable \"limits\"; it has note, limit, on, base, mode");
        let twice =
            read("acme", &variables(), &[("on".into(), "true".into()), ("on".into(), "false".into())]);
        assert_eq!(twice.unwrap_err().message, "on is named twice");
    }
}
