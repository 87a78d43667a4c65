//! The body of a stored request, edited to be replayed: what was changed goes along with the replay,
//! and the stored request stays as it is.

use super::history::History;
use super::source::Source;
use super::{Aim, Editor, Wanted};
use crate::console::app::{App, Place, Tone};
use crate::console::asks::Want;
use crate::console::dialog::{Dialog, Kind};
use crate::model::ask::Ask;
use crate::model::document::Problem;
use crate::model::id::short;
use crate::model::json::{BodyError, parse};
use crate::model::path::{Path, Segment};
use crate::model::view::RequestDetail;
use serde_json::Value;

/// Bytes of a body that is edited here.
const MOST: usize = 1 << 20;
/// Paths that a replay takes.
const PATHS: usize = 200;
/// What stands in place of a secret.
const MASK: &str = "•••";

/// A stored body.
#[derive(Debug)]
pub struct Body {
    /// The request's id.
    pub request: String,
    /// As it is stored.
    stored: Value,
}

/// What makes one body of another: paths and their new values, as a replay takes them.
#[must_use]
pub fn edits(old: &Value, new: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    differ(&mut vec![Segment::Key("body".to_owned())], old, new, &mut all);
    all
}

fn differ(path: &mut Vec<Segment>, old: &Value, new: &Value, all: &mut Vec<(String, Value)>) {
    if old == new {
        return;
    }
    match (old, new) {
        // What is gone cannot be set: then the whole object is.
        (Value::Object(old), Value::Object(new)) if old.keys().all(|key| new.contains_key(key)) => {
            for (key, value) in new {
                path.push(Segment::Key(key.clone()));
                match old.get(key) {
                    Some(before) => differ(path, before, value, all),
                    None => all.push((Path(path.clone()).to_string(), value.clone())),
                }
                path.pop();
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (at, (before, value)) in old.iter().zip(new).enumerate() {
                path.push(Segment::Index(at));
                differ(path, before, value, all);
                path.pop();
            }
        }
        _ => all.push((Path(path.clone()).to_string(), new.clone())),
    }
}

fn masked(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(MASK),
        Value::Array(items) => items.iter().any(masked),
        Value::Object(map) => map.values().any(masked),
        _ => false,
    }
}

impl Editor {
    /// What is wrong with the text of a body.
    pub(super) fn judge_body(&mut self) {
        let told = match parse(self.source.text().as_bytes()) {
            Ok(_) => None,
            Err(BodyError::NotJson { line, column, expected }) => Some((line, column, expected)),
            Err(other) => Some((1, 1, other.to_string())),
        };
        let problem = told.map(|(line, column, message)| Problem { line, column, message, warning: false });
        self.problems = problem.into_iter().collect();
        self.changes = self.body_edits().map_or(1, |edits| edits.len());
    }

    /// What was changed of the stored body.
    ///
    /// # Errors
    /// Why it cannot be replayed so.
    pub fn body_edits(&self) -> Result<Vec<(String, Value)>, String> {
        let Some(body) = &self.body else { return Ok(Vec::new()) };
        let new = parse(self.source.text().as_bytes()).map_err(|error| error.to_string())?;
        let all = edits(&body.stored, &new);
        if let Some((path, _)) = all.iter().find(|(_, value)| masked(value)) {
            return Err(format!("{path} holds a masked value, and a mask would be sent in its place"));
        }
        if all.len() > PATHS {
            return Err(format!("{} paths were changed: at most {PATHS} go along with a replay", all.len()));
        }
        Ok(all)
    }
}

impl App {
    /// The request whose body `E` edits here.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn edited_body(&self) -> Result<String, String> {
        if let Some(reason) = self.barred(Kind::Replay) {
            return Err(reason.replacen("replay", "edit and replay", 1));
        }
        let requests = matches!(self.place(), Place::Requests(_) | Place::Payload(_));
        let none =
            || "edit and replay is not possible: this is no request; they are on 2 Requests".to_owned();
        if !requests {
            return Err(none());
        }
        self.tried_flow().map(|(_, request)| request).ok_or_else(none)
    }

    /// Opens the body of the selected request.
    pub(in crate::console) fn open_body(&mut self) {
        let Ok(id) = self.edited_body() else { return };
        self.editor = Some(Box::new(Editor::new(format!("request {}", short(&id)), Aim::Top, None)));
        let name = format!("request {}", short(&id));
        self.asks.ask(Want::Editor(name, Wanted::Body), Ask::Request { id });
    }

    /// The request came: its body is edited, where it is JSON and was kept whole.
    pub(super) fn body_came(&mut self, detail: RequestDetail) {
        let now = self.now;
        let cut = detail.request.is_cut();
        let text = serde_json::to_string_pretty(&detail.body).unwrap_or_default();
        let why = if cut {
            Some("only the beginning of its body was kept")
        } else if detail.body.is_null() {
            Some("its body is no JSON")
        } else if text.len() > MOST {
            Some("its body is over 1 MiB; pointsman replay --set changes it")
        } else {
            None
        };
        if let Some(why) = why {
            self.editor = None;
            return self.toast(Tone::Info, format!("edit and replay is not possible: {why}"));
        }
        let Some(editor) = &mut self.editor else { return };
        editor.loading = false;
        editor.base_text.clone_from(&text);
        editor.source = Source::new(text, History::default());
        editor.body = Some(Body { request: detail.request.id, stored: detail.body });
        editor.judged(now);
    }

    /// The dialog of a replay with what was changed.
    pub(super) fn replay_edited(&mut self) {
        let Some(editor) = &self.editor else { return };
        let Some(body) = &editor.body else { return };
        match editor.body_edits() {
            Ok(set) => {
                let dialog = Dialog::new(Kind::Replay, vec![body.request.clone()]);
                let dialog = dialog.with_body(set).in_zone(self.options.zone.clone());
                self.open_dialog(dialog);
            }
            Err(why) => self.toast(Tone::Info, format!("replay is not possible: {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_smallest_paths_that_make_one_body_of_another() {
        let old = json!({"ref": "a", "n": {"x": 1, "y": 2}, "l": [1, {"z": 2}], "a.b": 1});
        let told = |new: Value| edits(&old, &new);
        let with = |path: &str, value: Value| {
            let mut new = old.clone();
            *new.pointer_mut(path).unwrap() = value;
            told(new)
        };
        assert_eq!(told(old.clone()), []);
        assert_eq!(with("/ref", json!("b")), [("body.ref".to_owned(), json!("b"))]);
        assert_eq!(with("/l/1/z", json!(3)), [("body.l[1].z".to_owned(), json!(3))]);
        assert_eq!(with("/a.b", json!(2)), [("body[\"a.b\"]".to_owned(), json!(2))]);
        assert_eq!(with("/n", json!({"x": 1})), [("body.n".to_owned(), json!({"x": 1}))], "y is gone");
        assert_eq!(with("/n", json!({"x": 1, "y": 2, "w": 3})), [("body.n.w".to_owned(), json!(3))]);
        assert_eq!(with("/l", json!([1])), [("body.l".to_owned(), json!([1]))]);
        assert_eq!(told(json!([])), [("body".to_owned(), json!([]))]);
        assert!(masked(&json!({"a": ["•••"]})) && !masked(&old));
    }
}
