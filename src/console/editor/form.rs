//! An object of the document as a form: its keys with what they say, choices as lists. It edits the
//! same text: comments and all else stay as they were written.

use super::Editor;
use super::outline::{Object, What, at, outline};
use super::pasted::quoted;
use super::shape::{self, Key, Takes};
use super::syntax::{Kind, Scanner};
use crate::console::edit::Edit;
use crate::model::Ms;
use std::ops::Range;

/// The form.
#[derive(Debug, Default)]
pub struct Form {
    /// The selected field.
    pub at: usize,
    /// What is typed into it.
    pub edit: Option<Edit>,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub key: Key,
    /// Where it stands, where it does.
    pub line: Option<usize>,
    /// What it says: a text without its quotes, anything else as TOML writes it.
    pub value: String,
    /// Its value goes over lines, or has a table of its own: it is edited in the source.
    pub long: bool,
    /// It is written as TOML writes it, not as a text.
    raw: bool,
}

impl Field {
    /// The same, whose value is set as TOML writes it.
    #[must_use]
    pub fn as_written(self) -> Self {
        Self { raw: true, ..self }
    }

    /// What it may say, where that is a list.
    #[must_use]
    pub fn choices(&self, objects: &[Object], connections: &[String]) -> Vec<String> {
        match self.key.takes {
            Takes::Choice(all) => all.iter().map(|one| (*one).to_owned()).collect(),
            Takes::Flag => ["true", "false"].map(str::to_owned).to_vec(),
            Takes::Connection => {
                let own = objects.iter().filter(|one| one.what == What::Connection);
                own.filter_map(|one| one.name.clone()).chain(connections.iter().cloned()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The value of the key that a line begins with, in bytes, and whether it ends in the line.
fn value(line: &str) -> Option<(Range<usize>, bool)> {
    let mut scanner = Scanner::default();
    let tokens = scanner.line(line);
    let sign = tokens.iter().position(|(range, kind)| *kind == Kind::Other && &line[range.clone()] == "=")?;
    let rest = tokens[sign + 1..].iter().filter(|(_, kind)| *kind != Kind::Comment);
    let (mut from, mut to) = (tokens[sign].0.end, tokens[sign].0.end);
    for (at, (range, _)) in rest.enumerate() {
        from = if at == 0 { range.start } else { from };
        to = range.end;
    }
    Some((from..to, scanner.is_outside()))
}

/// The text of a value, where it is one.
fn text_of(raw: &str) -> Option<String> {
    let table: toml::Table = format!("v = {raw}").parse().ok()?;
    table.get("v")?.as_str().map(str::to_owned)
}

/// The fields of an object.
#[must_use]
pub fn fields(lines: &[String], object: &Object) -> Vec<Field> {
    let kind = object.kind.as_deref();
    let plain = |key: &Key| match key.takes {
        Takes::Number | Takes::Flag | Takes::List | Takes::Table => true,
        _ => key.name == "default" && matches!(kind, Some("number" | "boolean")),
    };
    let field = |key: Key| {
        let raw = plain(&key);
        let line = object.keys.iter().find(|(name, _)| name == key.name).map(|(_, at)| *at);
        let text = line.and_then(|at| lines.get(at));
        let found = text.and_then(|text| Some((value(text)?, text)));
        match found {
            Some(((range, whole), text)) => {
                let written = &text[range];
                let told = text_of(written).filter(|_| whole);
                let raw = told.is_none();
                Field { key, line, value: told.unwrap_or_else(|| written.to_owned()), long: !whole, raw }
            }
            // A table of its own: `[flow.step.retry]`.
            None => Field { key, line, value: String::new(), long: line.is_some(), raw },
        }
    };
    shape::keys(object.what, kind).into_iter().map(field).collect()
}

/// The text with another value of a field; without the field where it is empty.
#[must_use]
pub fn set(lines: &[String], object: &Object, field: &Field, value: &str) -> String {
    let raw = if field.raw { value.to_owned() } else { quoted(&value.replace('\n', " ")) };
    let mut made: Vec<String> = lines.to_vec();
    match field.line {
        Some(at) if value.is_empty() && at < made.len() => {
            made.remove(at);
        }
        Some(at) => {
            if let Some((range, _)) = made.get(at).and_then(|line| self::value(line)) {
                made[at].replace_range(range, &raw);
            }
        }
        None if value.is_empty() => {}
        None => {
            // After its last key of its own: one after a table inside would be that table's.
            let own =
                object.keys.iter().filter(|(_, at)| lines[*at].trim_start().starts_with(|c: char| c != '['));
            let after = own.map(|(_, at)| end_of(lines, *at)).max();
            let header = if object.what == What::Integration { 0 } else { object.header + 1 };
            let at = after.map_or(header, |at| at + 1).min(made.len());
            made.insert(at, format!("{} = {raw}", field.key.name));
        }
    }
    made.join("\n")
}

/// The last line of the value that begins in a line.
fn end_of(lines: &[String], from: usize) -> usize {
    let mut scanner = Scanner::default();
    let ends = lines[from..].iter().position(|line| {
        scanner.line(line);
        scanner.is_outside()
    });
    from + ends.unwrap_or(0)
}

impl Editor {
    /// The object whose form is shown, its fields, and all objects.
    #[must_use]
    pub fn fields(&self) -> (Object, Vec<Field>, Vec<Object>) {
        let lines = self.source.lines();
        let objects = outline(lines);
        let object = objects[at(&objects, self.source.cursor().0).min(objects.len() - 1)].clone();
        let fields = fields(lines, &object);
        (object, fields, objects)
    }

    /// The form, at the field of the cursor's line; or the source, at the line of the field.
    pub fn switch(&mut self) {
        self.completion = None;
        self.typing = false;
        if let Some(form) = self.form.take() {
            let (object, fields, _) = self.fields();
            let line = fields.get(form.at).and_then(|field| field.line);
            self.source.go(line.unwrap_or(object.header), 0);
        } else {
            self.form = Some(Form::default());
            self.follow();
        }
    }

    /// The field is that of the cursor's line.
    pub fn follow(&mut self) {
        let line = self.source.cursor().0;
        let (_, fields, _) = self.fields();
        let Some(form) = &mut self.form else { return };
        let found = fields.iter().position(|field| field.line == Some(line));
        form.at = found.unwrap_or(form.at).min(fields.len().saturating_sub(1));
        form.edit = None;
    }

    /// Takes the last change back, or makes it again; a form stays at its object where that was changed.
    pub fn take_back(&mut self, again: bool) -> usize {
        let object = self.form.is_some().then(|| self.fields().0);
        // A text that was made from an older version comes back as that: its save asks again.
        let base = self.source.history.base(again);
        if self.source.undo(again) {
            self.base = base.unwrap_or(self.base);
        }
        let line = self.source.cursor().0;
        if let Some(object) = object.filter(|object| (object.header..=object.end).contains(&line)) {
            self.source.go_quietly(object.header);
        }
        line
    }

    /// What stands in a line, from 0, as people call it: `url of push`; the line where it is nothing of
    /// its own.
    #[must_use]
    pub fn called(&self, line: usize) -> String {
        let objects = outline(self.source.lines());
        let here = objects.get(at(&objects, line)).filter(|_| self.body.is_none());
        let key =
            here.and_then(|here| here.keys.iter().filter(|(_, at)| *at <= line).max_by_key(|(_, at)| *at));
        let blank = self.source.lines().get(line).is_none_or(|text| text.trim().is_empty());
        match (here, key) {
            (Some(here), Some((key, _))) if line < here.end && !blank => {
                let name = here
                    .name
                    .clone()
                    .or_else(|| (here.what == What::Trigger).then(|| "the trigger".to_owned()));
                name.map_or_else(|| key.clone(), |name| format!("{key} of {name}"))
            }
            _ => format!("the change in line {}", line + 1),
        }
    }

    /// To another field.
    pub fn step_field(&mut self, by: isize) {
        let (object, fields, _) = self.fields();
        let Some(form) = &mut self.form else { return };
        form.at = form.at.saturating_add_signed(by).min(fields.len().saturating_sub(1));
        let line = fields.get(form.at).and_then(|field| field.line);
        self.source.go(line.unwrap_or(object.header), 0);
    }

    /// To the object before or after this one.
    pub fn step_object(&mut self, by: isize) {
        let (_, _, objects) = self.fields();
        let here = at(&objects, self.source.cursor().0);
        let to = here.saturating_add_signed(by).min(objects.len() - 1);
        self.source.go(objects[to].header, 0);
        if let Some(form) = &mut self.form {
            *form = Form::default();
        }
        self.step_field(0);
    }

    /// Begins to type into the field.
    ///
    /// # Errors
    /// Why it cannot be typed into.
    pub fn type_field(&mut self) -> Result<(), &'static str> {
        let (_, fields, objects) = self.fields();
        let Some(form) = &mut self.form else { return Ok(()) };
        let Some(field) = fields.get(form.at) else { return Err("there is nothing to fill in") };
        if field.long {
            return Err("its value goes over lines: {v} edits it in the source");
        }
        if !field.choices(&objects, &self.connections).is_empty() {
            return Err("it is one of a list: {h} and {l} choose");
        }
        form.edit = Some(Edit::with(&field.value));
        self.source.history.close();
        self.typing = true;
        Ok(())
    }

    /// Chooses the next of a list, or the one before; past its ends it says nothing.
    ///
    /// # Errors
    /// Why there is nothing to choose.
    pub fn choose(&mut self, by: isize, now: Ms) -> Result<(), &'static str> {
        let (_, fields, objects) = self.fields();
        let Some(field) = self.form.as_ref().and_then(|form| fields.get(form.at)) else { return Ok(()) };
        let choices = field.choices(&objects, &self.connections);
        if choices.is_empty() {
            return Err("this is no list: enter types");
        }
        let here = choices.iter().position(|one| *one == field.value);
        let next = match (here, by > 0) {
            (None, true) => Some(0),
            (None, false) => None,
            (Some(at), true) => Some(at + 1),
            (Some(at), false) => at.checked_sub(1),
        };
        let value = next.and_then(|at| choices.get(at)).cloned().unwrap_or_default();
        self.set_field(&value, now);
        Ok(())
    }

    /// What is typed into the field stands in the text.
    pub fn set_field(&mut self, value: &str, now: Ms) {
        let (object, fields, _) = self.fields();
        let Some(field) = self.form.as_ref().and_then(|form| fields.get(form.at)) else { return };
        let key = field.key.name;
        let text = set(self.source.lines(), &object, field, value);
        self.source.put(text);
        self.source.go_quietly(object.header);
        // Another type has other fields: the cursor stays on its own.
        let (object, fields, _) = self.fields();
        if let Some(form) = &mut self.form {
            form.at = fields.iter().position(|field| field.key.name == key).unwrap_or(0);
            let line = fields.get(form.at).and_then(|field| field.line).unwrap_or(object.header);
            self.source.go_quietly(line);
        }
        self.judged(now);
    }

    /// Takes the chosen completion into the field.
    pub fn take_in_field(&mut self, now: Ms) {
        let Some(list) = self.completion.take() else { return };
        let edit = self.form.as_mut().and_then(|form| form.edit.as_mut());
        let (Some(chosen), Some(edit)) = (list.all.get(list.at), edit) else { return };
        for _ in 0..list.typed {
            edit.backspace();
        }
        edit.insert(&chosen.text);
        let text = edit.text();
        self.set_field(&text, now);
    }

    /// What the form is of: `Sync customers · step 2 push`.
    #[must_use]
    pub fn object_title(&self) -> String {
        let (object, _, objects) = self.fields();
        let flow = objects.iter().find(|one| one.what == What::Flow && one.flow == object.flow);
        let flow =
            flow.filter(|_| object.flow.is_some()).and_then(|flow| flow.name.clone()).unwrap_or_default();
        let name = object.name.clone().unwrap_or_default();
        match object.what {
            What::Step => {
                let before = objects.iter().filter(|one| one.what == What::Step && one.flow == object.flow);
                let number = before.take_while(|one| one.header <= object.header).count();
                format!("{flow} · step {number} {name}")
            }
            What::Trigger => format!("{flow} · trigger"),
            What::Flow => flow,
            What::Variable => format!("variable {name}"),
            What::Connection => format!("connection {name}"),
            What::Alert => "alert".to_owned(),
            What::Integration | What::Part => "integration".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"name = "acme" # the name

[[flow]]
name = "Orders"
[[flow.step]]
name = "push"
type = "request"
url = 'http://a/{{ x }}' # where
json = {
  a = "1",
}
[flow.step.retry]
attempts = 3
"#;

    fn lines(text: &str) -> Vec<String> {
        text.split('\n').map(str::to_owned).collect()
    }

    fn step(text: &str) -> (Vec<String>, Object, Vec<Field>) {
        let lines = lines(text);
        let object = outline(&lines).into_iter().find(|one| one.what == What::Step).unwrap();
        let fields = fields(&lines, &object);
        (lines, object, fields)
    }

    fn field<'f>(fields: &'f [Field], name: &str) -> &'f Field {
        fields.iter().find(|field| field.key.name == name).unwrap()
    }

    #[test]
    fn fields_say_what_the_text_says() {
        let (_, _, fields) = step(TEXT);
        assert_eq!(field(&fields, "url").value, "http://a/{{ x }}");
        assert_eq!((field(&fields, "json").long, field(&fields, "retry").long), (true, true));
        let timeout = field(&fields, "timeout");
        assert_eq!((timeout.line, timeout.value.as_str(), timeout.long), (None, "", false));
        assert_eq!(field(&fields, "method").choices(&[], &[]).len(), 6);
    }

    #[test]
    fn a_field_is_set_where_it_stands_and_comments_stay() {
        let (lines, object, fields) = step(TEXT);
        let with = |name: &str, value: &str| set(&lines, &object, field(&fields, name), value);
        assert_eq!(with("url", "http://b\"\\"), TEXT.replace("'http://a/{{ x }}'", "'http://b\"\\'"));
        assert_eq!(
            with("timeout", "10s"),
            TEXT.replace("  a = \"1\",\n}\n", "  a = \"1\",\n}\ntimeout = \"10s\"\n")
        );
        assert_eq!(with("idempotent", "true"), TEXT.replace("}\n[flow", "}\nidempotent = true\n[flow"));
        assert_eq!(with("url", ""), TEXT.replace("url = 'http://a/{{ x }}' # where\n", ""));
        assert_eq!(with("timeout", ""), TEXT);
        let whole = outline(&lines)[0].clone();
        let title = self::fields(&lines, &whole).into_iter().find(|one| one.key.name == "title").unwrap();
        assert!(
            set(&lines, &whole, &title, "Acme").starts_with("name = \"acme\" # the name\ntitle = \"Acme\"\n")
        );
    }

    #[test]
    fn whatever_is_set_reads_back_as_it_was_typed() {
        for value in ["a", "é", "\"", "'", "\\", "{{ a['b'] }}", "# no comment", "a = b", "'''", "[[flow]]"]
        {
            let (lines, object, fields) = step(TEXT);
            let text = set(&lines, &object, field(&fields, "url"), value);
            let (_, _, again) = step(&text);
            assert_eq!(field(&again, "url").value, value, "{text}");
            assert_eq!(text.matches("# where").count(), 1);
        }
    }
}
