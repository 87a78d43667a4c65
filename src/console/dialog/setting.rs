//! The value of a variable in a dialog, behind a mask where it is a secret; and an integration that is
//! removed.

use super::field::Typed;
use super::{Dialog, Facts, Field, Kind, Purpose, Subject};
use crate::console::edit::Edit;
use crate::model::ask::{Ask, Plan};
use crate::model::credential::Secret;
use crate::model::view::VariableView;
use serde_json::Value;

/// Which variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The integration's name.
    pub integration: String,
    /// The variable's name.
    pub variable: String,
    /// Whether its value is shown to nobody.
    pub secret: bool,
    /// The value now; nothing of a secret.
    now: String,
    /// What it takes.
    hint: String,
    /// What it may be, where that is a list.
    options: Vec<String>,
}

impl Setting {
    /// For a variable of an integration.
    #[must_use]
    pub fn of(integration: &str, variable: &VariableView) -> Self {
        let secret = variable.kind == "secret";
        let now = match &variable.value {
            _ if secret => String::new(),
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let hint = match variable.kind.as_str() {
            _ if secret => "not shown to anybody, here neither; of one line".to_owned(),
            kind if variable.help.is_empty() => kind.to_owned(),
            kind => format!("{kind}: {}", variable.help),
        };
        let options = match variable.kind.as_str() {
            "boolean" => ["true", "false"].map(str::to_owned).to_vec(),
            _ => variable.options.clone(),
        };
        let (integration, variable) = (integration.to_owned(), variable.name.clone());
        Self { integration, variable, secret, now, hint, options }
    }

    /// What to fill in.
    pub(super) fn field(&self) -> Field {
        let mut field = Field::line(Purpose::Value, "value");
        field.hint.clone_from(&self.hint);
        if self.options.is_empty() {
            field.edit = if self.secret { Edit::hidden() } else { Edit::with(&self.now) };
            return field;
        }
        // What it is now stands first where the list does not have it: nothing is changed unseen.
        let mut choices = self.options.clone();
        if !choices.contains(&self.now) {
            choices.insert(0, self.now.clone());
        }
        field.chosen = choices.iter().position(|one| *one == self.now).unwrap_or(0);
        field.choices = choices;
        field
    }
}

/// What setting a value does, before one is typed.
pub(super) fn first_plan() -> Plan {
    let line = "A value counts for steps that start from then on, without a deploy.";
    Plan { verb: "set".to_owned(), count: 1, lines: vec![line.to_owned()], ..Plan::default() }
}

impl Dialog {
    /// A dialog for the value of a variable. What is typed is asked about; until then it says what
    /// setting one does.
    #[must_use]
    pub fn setting(setting: Setting) -> Self {
        let now = setting.now.clone();
        let mut dialog = Self { subject: Subject::Value(setting), ..Self::new(Kind::Set, Vec::new()) };
        dialog.planned = Typed(now);
        let plan = first_plan();
        dialog.fields = dialog.fields_for(&plan);
        dialog.focus = dialog.first_field();
        dialog.facts = Facts::Known(Box::new(plan));
        dialog
    }

    /// A dialog for the removal of an integration.
    #[must_use]
    pub fn removing(name: String) -> Self {
        Self { subject: Subject::Whole(name), ..Self::new(Kind::Remove, Vec::new()) }
    }

    /// A dialog for documents that are applied.
    #[must_use]
    pub fn applying(files: Vec<(String, String)>) -> Self {
        Self { subject: Subject::Files(files), ..Self::new(Kind::Apply, Vec::new()) }
    }

    /// A dialog for the samples.
    #[must_use]
    pub fn loading() -> Self {
        Self { subject: Subject::Samples, ..Self::new(Kind::Load, Vec::new()) }
    }

    pub(super) fn is_setting(&self) -> bool {
        matches!(self.subject, Subject::Value(_))
    }

    /// The title, where it is about a value or a whole integration.
    pub(super) fn value_title(&self) -> Option<String> {
        match &self.subject {
            Subject::Value(setting) => Some(format!("Set {} of {}", setting.variable, setting.integration)),
            Subject::Whole(name) => Some(format!("Remove {name}")),
            Subject::Files(files) => {
                let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
                Some(format!("Apply {}", names.join(", ")))
            }
            Subject::Samples => Some("Load the samples".to_owned()),
            _ => None,
        }
    }

    pub(super) fn set_order(&self, setting: &Setting, dry_run: bool) -> Ask {
        let text = self.field(Purpose::Value).map_or_else(String::new, Field::text);
        let name = setting.integration.clone();
        let (values, secret) = if setting.secret {
            (Vec::new(), Some((setting.variable.clone(), Secret::new(text))))
        } else {
            (vec![(setting.variable.clone(), text)], None)
        };
        Ask::Set { name, values, secret, reason: self.reason(), dry_run }
    }

    /// Why a paste cannot be taken as it is: a secret is one line, and is taken whole or not.
    #[must_use]
    pub fn refuses_paste(&self, text: &str) -> Option<String> {
        let Subject::Value(setting) = &self.subject else { return None };
        let field = self.fields.get(self.focus).filter(|field| field.purpose == Purpose::Value)?;
        let inner = text.trim_end_matches(['\r', '\n']);
        let room = field.edit.room();
        let way = format!(
            "pointsman set {} --secret {} --secret-file FILE takes it",
            setting.integration, setting.variable
        );
        let why = if inner.chars().any(char::is_control) {
            "it has more than one line"
        } else if inner.chars().count() > room {
            "it is longer than a line here"
        } else {
            return None;
        };
        Some(if setting.secret {
            format!("paste is not possible: {why}; {way}")
        } else {
            format!("paste is not possible: {why}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::dialog::Outcome;
    use crate::model::ask::Refusal;
    use serde_json::json;

    fn variable(kind: &str, value: &Value) -> VariableView {
        serde_json::from_value(json!({
            "name": "token", "type": kind, "value": value, "set": true, "required": true, "help": "",
        }))
        .unwrap()
    }

    #[test]
    fn one_of_a_list_is_chosen_and_asked_about() {
        let mut choice = variable("choice", &json!("safe"));
        choice.options = ["fast", "safe"].map(str::to_owned).to_vec();
        let mut dialog = Dialog::setting(Setting::of("acme", &choice));
        assert_eq!((dialog.fields[0].choices.len(), dialog.fields[0].chosen), (2, 1));
        dialog.flushed();
        assert_eq!(dialog.sideways(1), Outcome::Stays, "that is the last one");
        assert_eq!(dialog.sideways(-1), Outcome::Replan);
        let Ask::Set { values, dry_run, .. } = dialog.order(true) else { panic!() };
        assert_eq!((values, dry_run), (vec![("token".to_owned(), "fast".to_owned())], true));
        dialog.install(Ok(Box::new(first_plan())));
        assert_eq!(dialog.enter(), Outcome::Stays, "nobody has seen what it does");
        dialog.flushed();
        assert_eq!(dialog.enter(), Outcome::Act);
        // A value that is none of them, and none at all, stay until one is chosen.
        for now in [json!("other"), Value::Null] {
            choice.value = now;
            let dialog = Dialog::setting(Setting::of("acme", &choice));
            assert_eq!((dialog.fields[0].choices.len(), dialog.fields[0].chosen), (3, 0));
        }
        let flag = Dialog::setting(Setting::of("acme", &variable("boolean", &json!(true))));
        assert_eq!(flag.fields[0].choices, ["true", "false"]);
    }

    #[test]
    fn a_secret_is_typed_behind_a_mask_and_nowhere_repeated() {
        let mut dialog = Dialog::setting(Setting::of("acme", &variable("secret", &json!("•••"))));
        assert_eq!(dialog.title(), "Set token of acme");
        dialog.flushed();
        dialog.edit().unwrap().insert("s3cret-value");
        dialog.changed(5);
        assert_eq!(dialog.enter(), Outcome::Stays, "nobody was asked about it");
        assert!(dialog.replans(5));
        let Ask::Set { values, secret, dry_run, .. } = dialog.order(true) else { panic!() };
        let (name, secret) = secret.unwrap();
        assert_eq!(
            (values.len(), name.as_str(), secret.reveal(), dry_run),
            (0, "token", "s3cret-value", true)
        );
        assert!(!format!("{dialog:?}").contains("s3cret"), "{dialog:?}");
        let (shown, cursor) = dialog.fields[0].edit.window(40);
        assert_eq!((shown.as_str(), cursor), ("••••••••••••", 12));
    }

    #[test]
    fn what_is_refused_stays_to_be_mended_and_is_not_sent() {
        let mut dialog = Dialog::setting(Setting::of("acme", &variable("number", &json!(3))));
        assert_eq!(dialog.fields[0].edit.text(), "3");
        dialog.edit().unwrap().insert("x");
        dialog.changed(0);
        assert!(dialog.replans(0));
        dialog.install(Err(Refusal::usage("token cannot be set: \"3x\" is not a number")));
        dialog.flushed();
        assert_eq!(dialog.enter(), Outcome::Stays);
        assert_eq!(dialog.fields[0].edit.text(), "3x", "what was typed is there");
        assert!(dialog.error.as_deref().unwrap().contains("not a number"));
        dialog.edit().unwrap().backspace();
        dialog.edit().unwrap().insert("4");
        dialog.changed(1);
        assert!(dialog.replans(1));
        dialog.install(Ok(Box::new(first_plan())));
        dialog.flushed();
        assert_eq!(dialog.enter(), Outcome::Act);
    }

    #[test]
    fn a_paste_that_a_line_cannot_hold_is_refused_whole() {
        let dialog = Dialog::setting(Setting::of("acme", &variable("secret", &Value::Null)));
        assert_eq!(dialog.refuses_paste("one line\n"), None);
        assert!(dialog.refuses_paste("-----BEGIN\nKEY").unwrap().contains("--secret-file"));
        assert!(dialog.refuses_paste(&"x".repeat(5_000)).unwrap().contains("longer"));
    }

    #[test]
    fn a_removal_keeps_by_default() {
        let mut dialog = Dialog::removing("acme".to_owned());
        dialog.install(Ok(Box::new(Plan { count: 1, ..Plan::default() })));
        dialog.flushed();
        assert_eq!((dialog.title().as_str(), dialog.enter()), ("Remove acme", Outcome::Close));
        dialog.sideways(1);
        assert_eq!(dialog.enter(), Outcome::Act);
        let Ask::Remove { name, dry_run, .. } = dialog.order(false) else { panic!() };
        assert_eq!((name.as_str(), dry_run), ("acme", false));
    }
}
