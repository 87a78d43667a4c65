//! What is sent on: method, URL and body of the first step, and what can stand in a template there.

use super::super::edit::Edit;
use super::super::editor::complete::{Completion, Known, complete};
use super::text::First;
use crate::model::study::FieldsView;

/// Methods, the usual one first.
pub const METHODS: [&str; 6] = ["POST", "PUT", "PATCH", "GET", "DELETE", "HEAD"];
/// What is sent where nobody says otherwise: all that came.
const BODY: &str = "{{ request.body }}";

/// What is filled in.
#[derive(Debug)]
pub struct StepForm {
    /// The method, by its place.
    pub method: usize,
    /// The URL.
    pub url: Edit,
    /// The body.
    pub body: Edit,
    /// Method, URL, body.
    pub focus: usize,
    /// What can stand at the cursor.
    pub list: Option<Completion>,
    /// What else the step says.
    pub more: Vec<String>,
    /// What a pasted command brought along, or did not.
    pub told: Vec<String>,
}

impl Default for StepForm {
    fn default() -> Self {
        Self {
            method: 0,
            url: Edit::default(),
            body: Edit::with(BODY),
            focus: 1,
            list: None,
            more: Vec::new(),
            told: Vec::new(),
        }
    }
}

impl StepForm {
    /// As a step says it.
    #[must_use]
    pub fn of(first: &First) -> Self {
        let method = METHODS.iter().position(|method| *method == first.method).unwrap_or(0);
        Self {
            method,
            url: Edit::with(&first.url),
            body: Edit::with(&first.body),
            more: first.more.clone(),
            ..Self::default()
        }
    }

    /// Whether such a method sends a body.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.method < 3
    }

    /// The step as it is filled in.
    #[must_use]
    pub fn first(&self) -> First {
        First {
            method: METHODS[self.method % METHODS.len()].to_owned(),
            url: self.url.text(),
            body: if self.has_body() { self.body.text() } else { String::new() },
            more: Vec::new(),
        }
    }

    /// Whether letters are text.
    #[must_use]
    pub fn types(&self) -> bool {
        self.focus > 0
    }

    /// What is typed into.
    pub fn edit(&mut self) -> Option<&mut Edit> {
        match self.focus {
            1 => Some(&mut self.url),
            2 => Some(&mut self.body),
            _ => None,
        }
    }

    /// To another field.
    pub fn next(&mut self, by: isize) {
        let count = if self.has_body() { 3 } else { 2 };
        let by = if by < 0 { count - 1 } else { 1 };
        self.focus = (self.focus + by) % count;
        self.list = None;
    }

    /// Another method.
    pub fn choose(&mut self, by: isize) {
        self.method = self.method.saturating_add_signed(by).min(METHODS.len() - 1);
    }

    /// What can stand at the cursor, inside of a template, from paths that came.
    pub fn complete(&mut self, text: &str, fields: Option<&FieldsView>) {
        self.list = None;
        let key = if self.focus == 1 { "url" } else { "json" };
        let Some(edit) = self.edit() else { return };
        let before: String = edit.text().chars().take(edit.cursor()).collect();
        if before.rfind("{{").is_none_or(|open| before[open..].contains("}}")) {
            return;
        }
        // As the document would say it, up to the cursor.
        let written =
            format!("{text}\n[[flow.step]]\nname = \"push\"\ntype = \"request\"\n{key} = \"{before}");
        let lines: Vec<String> = written.split('\n').map(str::to_owned).collect();
        let Some(last) = lines.len().checked_sub(1) else { return };
        let cursor = (last, lines[last].chars().count());
        self.list = complete(&lines, cursor, Known { fields, ..Known::default() });
    }

    /// Takes what is selected in the list; a template that is not closed is.
    pub fn take(&mut self) {
        let Some(list) = self.list.take() else { return };
        let Some(chosen) = list.all.get(list.at).cloned() else { return };
        let Some(edit) = self.edit() else { return };
        for _ in 0..list.typed {
            edit.backspace();
        }
        edit.insert(&chosen.text);
        let text = edit.text();
        let after: String = text.chars().skip(edit.cursor()).collect();
        let open = after.find("{{").unwrap_or(after.len());
        if !after[..open].contains("}}") {
            edit.insert(" }}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::study::FoundField;
    use serde_json::json;

    #[test]
    fn paths_that_came_complete_and_close_their_template() {
        let found = |path: &str| FoundField {
            path: path.to_owned(),
            sample: json!("x"),
            present: 2,
            ..FoundField::default()
        };
        let fields = FieldsView {
            requests: 2,
            fields: vec![found("body.order_number"), found("headers[\"x-id\"]")],
            ..FieldsView::default()
        };
        let text = "name = \"a\"\n[[flow]]\nname = \"F\"\n[flow.trigger]\ntype = \"manual\"";
        let mut form = StepForm::default();
        let typed = |form: &mut StepForm, letters: &str| {
            form.edit().unwrap().insert(letters);
            form.complete(text, Some(&fields));
        };
        typed(&mut form, "http://a/");
        assert!(form.list.is_none());
        typed(&mut form, "{{ request.body.o");
        assert_eq!(form.list.as_ref().unwrap().all[0].text, "request.body.order_number");
        form.take();
        assert_eq!(form.url.text(), "http://a/{{ request.body.order_number }}");
        typed(&mut form, "/");
        assert!(form.list.is_none(), "the template is over");
        form.next(1);
        form.body = Edit::with("{\"id\": \"\"}");
        form.body.go(-2);
        typed(&mut form, "{{ x-i");
        form.take();
        assert_eq!(form.body.text(), "{\"id\": \"{{ request.headers['x-id'] }}\"}");
        form.focus = 0;
        form.choose(3);
        assert!(!form.has_body() && form.first().body.is_empty());
        assert_eq!(StepForm::of(&form.first()).first(), form.first());
    }
}
