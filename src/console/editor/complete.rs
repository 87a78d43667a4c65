//! What can stand at the cursor: paths in a template with what they held in the last real requests,
//! keys of the object, names and choices in a value.

use super::outline::{Object, What, at, outline};
use super::shape::{self, Takes};
use crate::console::payload::value_text;
use crate::model::study::FieldsView;

/// Candidates that are shown.
pub const MOST: usize = 200;

/// Something that can stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What is written.
    pub text: String,
    /// How it is shown: without what it shares with what was typed.
    pub shown: String,
    /// A value of it, or what it does.
    pub note: String,
    /// In how many of a hundred requests it is.
    pub share: Option<u64>,
    /// Letters of what is written that stand after the cursor.
    pub after: usize,
}

/// The list at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Letters before the cursor that it takes the place of.
    pub typed: usize,
    /// What can stand there.
    pub all: Vec<Candidate>,
    /// The selected one.
    pub at: usize,
    /// How many requests the paths were seen in.
    pub seen: Option<u64>,
}

/// What is known besides the text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'k> {
    /// Paths of the last real requests of the flow.
    pub fields: Option<&'k FieldsView>,
    /// The operator's connections.
    pub connections: &'k [String],
    /// Flows with an endpoint, and their URLs.
    pub urls: &'k [(String, String)],
}

/// What can stand at the cursor; `None` where nothing can, or all of it is written.
#[must_use]
pub fn complete(lines: &[String], cursor: (usize, usize), known: Known<'_>) -> Option<Completion> {
    let line = lines.get(cursor.0)?;
    let before: String = line.chars().take(cursor.1).collect();
    let objects = outline(lines);
    let here = objects.get(at(&objects, cursor.0))?;
    if in_template(&before) {
        return complete_path(&before, &objects, here, known);
    }
    if before.trim_start().chars().all(name_letter) {
        let typed = before.trim_start();
        return listed(typed, keys(typed, here, cursor.0), None);
    }
    let (key, typed) = value_before(&before)?;
    listed(typed, values(key, typed, &objects, here, known), None)
}

/// The paths that can stand at the end of a text that is cut at the cursor; `None` where it is in no
/// template.
#[must_use]
pub fn complete_path(
    before: &str,
    objects: &[Object],
    here: &Object,
    known: Known<'_>,
) -> Option<Completion> {
    if !in_template(before) {
        return None;
    }
    let typed = path_before(before);
    listed(typed, paths(typed, objects, here, known), known.fields.map(|fields| fields.requests))
}

fn in_template(before: &str) -> bool {
    before.rfind("{{").is_some_and(|open| !before[open..].contains("}}"))
}

fn listed(typed: &str, all: Vec<Candidate>, seen: Option<u64>) -> Option<Completion> {
    let all: Vec<Candidate> = all.into_iter().take(MOST).collect();
    let written = all.len() == 1 && all[0].text == typed;
    let typed = typed.chars().count();
    (!all.is_empty() && !written).then_some(Completion { typed, all, at: 0, seen })
}

fn name_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The path that is typed right before the cursor.
fn path_before(before: &str) -> &str {
    let letter = |c: char| name_letter(c) || matches!(c, '.' | '[' | ']' | '"' | '-' | '\'' | '\\');
    let from = before
        .rfind(|c: char| !letter(c))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    &before[from..]
}

/// The key of the text that the cursor is in, and what of it is typed.
fn value_before(before: &str) -> Option<(&str, &str)> {
    let quote = before.rfind(['"', '\''])?;
    let (head, typed) = (before[..quote].trim_end(), &before[quote + 1..]);
    let head = head.strip_suffix('=')?.trim_end();
    let from = head.rfind(|c: char| !name_letter(c)).map_or(0, |at| at + 1);
    let key = &head[from..];
    (!key.is_empty()).then_some((key, typed))
}

/// Those that begin with what is typed, then those that have it inside.
fn matching(typed: &str, all: Vec<Candidate>) -> Vec<Candidate> {
    let small = typed.to_lowercase();
    let inside = |one: &Candidate| one.text.to_lowercase().find(&small);
    // What is typed after the last dot is looked for anywhere behind it.
    let (stem, word) = small.rsplit_once('.').map_or(("", small.as_str()), |(stem, word)| (stem, word));
    let behind = |one: &Candidate| {
        let text = one.text.to_lowercase();
        text.strip_prefix(stem).is_some_and(|rest| word.len() > 1 && rest.contains(word))
    };
    let (first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| inside(one) == Some(0));
    first.into_iter().chain(rest.into_iter().filter(behind)).collect()
}

fn plain(text: String, note: impl Into<String>) -> Candidate {
    Candidate { shown: text.clone(), text, note: note.into(), share: None, after: 0 }
}

fn paths(typed: &str, objects: &[Object], here: &Object, known: Known<'_>) -> Vec<Candidate> {
    let mut all = Vec::new();
    if let Some(fields) = known.fields {
        for field in &fields.fields {
            let share = (field.present * 100).checked_div(fields.requests);
            let note = value_text(&field.sample).1;
            // The template stands in double quotes itself.
            let path = field.path.replace('"', "'");
            all.push(Candidate { share, ..plain(format!("request.{path}"), note) });
        }
    }
    for (name, note) in [
        ("request.id", "the request's id"),
        ("request.time", "when it came"),
        ("request.method", "POST"),
        ("run.id", "the run's id"),
    ] {
        all.push(plain(name.to_owned(), note));
    }
    let mut own: Vec<Candidate> = Vec::new();
    for object in objects {
        let Some(name) = &object.name else { continue };
        match object.what {
            What::Variable => {
                let kind = object.kind.as_deref().unwrap_or("variable");
                own.push(plain(format!("config.{name}"), kind));
            }
            What::Step if object.flow == here.flow && object.start < here.start => {
                own.extend(outputs(object, name));
            }
            _ => {}
        }
    }
    for (flow, url) in known.urls {
        own.push(plain(format!("webhook_urls['{flow}']"), url.clone()));
    }
    own.extend(all);
    let stem = typed.rfind('.').map_or(0, |at| at + 1);
    let mut found = matching(typed, own);
    for one in &mut found {
        if let Some(rest) = one.text.get(stem..).filter(|_| one.text.starts_with(&typed[..stem])) {
            one.shown = rest.to_owned();
        }
    }
    found
}

/// What a step gives to later ones.
fn outputs(step: &Object, name: &str) -> Vec<Candidate> {
    let kind = step.kind.as_deref().unwrap_or("step");
    let fields: &[&str] =
        if matches!(kind, "request" | "send") { &["status", "body", "state"] } else { &["state"] };
    let outputs = step.outputs.iter().map(|output| format!("steps.{name}.outputs.{output}"));
    let fields = fields.iter().map(|field| format!("steps.{name}.{field}"));
    outputs.chain(fields).map(|path| plain(path, kind)).collect()
}

fn keys(typed: &str, here: &Object, line: usize) -> Vec<Candidate> {
    let has = |name: &str| here.keys.iter().any(|(key, at)| key == name && *at != line);
    let all = shape::keys(here.what, here.kind.as_deref()).into_iter().filter(|key| !has(key.name));
    let all = all.map(|key| {
        let (blank, after) = key.takes.blank();
        Candidate {
            text: format!("{} = {blank}", key.name),
            shown: key.name.to_owned(),
            after,
            ..plain(String::new(), key.help)
        }
    });
    let found = matching(typed, all.collect());
    // A whole word is a key that goes on with `=`.
    if found.first().is_some_and(|one| one.shown == typed) { Vec::new() } else { found }
}

fn values(key: &str, typed: &str, objects: &[Object], here: &Object, known: Known<'_>) -> Vec<Candidate> {
    let Some(key) = shape::find(here.what, here.kind.as_deref(), key) else { return Vec::new() };
    let all = match key.takes {
        Takes::Choice(choices) => choices.iter().map(|choice| plain((*choice).to_owned(), "")).collect(),
        Takes::Connection => {
            let own = objects.iter().filter(|one| one.what == What::Connection);
            let own = own.filter_map(|one| one.name.clone()).map(|name| plain(name, "connection"));
            own.chain(known.connections.iter().map(|name| plain(name.clone(), "of the operator"))).collect()
        }
        _ => Vec::new(),
    };
    matching(typed, all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::study::FoundField;
    use serde_json::json;

    const TEXT: &str = r#"name = "acme"
[[variable]]
name = "token"
type = "secret"
[[connection]]
name = "progix"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
[[flow.step]]
name = "lookup"
type = "request"
outputs = { id = "body.id", "other" = "body.x" }
[[flow.step]]
name = "push"
type = "request"
"#;

    fn fields() -> FieldsView {
        let found = |path: &str, sample, present| FoundField {
            path: path.to_owned(),
            sample,
            present,
            ..FoundField::default()
        };
        FieldsView {
            requests: 100,
            fields: vec![
                found("body.customer_email", json!("a.haddad@example.com"), 100),
                found("body.customer.id", json!(4471), 98),
                found("headers[\"x-id\"]", json!("b1"), 3),
            ],
            ..FieldsView::default()
        }
    }

    fn at_end(line: &str) -> Option<Completion> {
        let text = format!("{TEXT}{line}");
        let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let cursor = (lines.len() - 1, line.chars().count());
        let (fields, urls) = (fields(), [("Orders".to_owned(), "http://h/in/x".to_owned())]);
        let connections = ["global/mail".to_owned()];
        complete(&lines, cursor, Known { fields: Some(&fields), connections: &connections, urls: &urls })
    }

    fn texts(line: &str) -> Vec<String> {
        at_end(line).map_or_else(Vec::new, |list| list.all.into_iter().map(|one| one.text).collect())
    }

    #[test]
    fn paths_come_from_real_requests_with_share_and_sample() {
        let list = at_end("url = \"/c/{{ request.body.cu").unwrap();
        assert_eq!((list.typed, list.seen, list.all.len()), (15, Some(100), 2));
        assert_eq!(list.all[0].shown, "customer_email");
        assert_eq!((list.all[0].note.as_str(), list.all[0].share), ("\"a.haddad@example.com\"", Some(100)));
        assert_eq!((list.all[1].text.as_str(), list.all[1].share), ("request.body.customer.id", Some(98)));
        assert_eq!(
            texts("url = \"{{ request.em"),
            ["request.body.customer_email"],
            "a word inside of a path"
        );
        assert_eq!(texts("url = \"{{ 1 }}/x"), Vec::<String>::new(), "the template is over");
    }

    #[test]
    fn steps_before_this_one_variables_and_urls_stand_in_templates() {
        assert_eq!(
            texts("url = \"{{ steps.lookup.o"),
            ["steps.lookup.outputs.id", "steps.lookup.outputs.other"]
        );
        assert!(texts("url = \"{{ steps.push").is_empty(), "a step does not see itself");
        assert_eq!(texts("url = \"{{ conf"), ["config.token"]);
        assert_eq!(texts("url = \"{{ webhook"), ["webhook_urls['Orders']"]);
        assert!(texts("url = \"{{ config.token").is_empty(), "all of it is written");
    }

    #[test]
    fn keys_and_values_are_those_of_the_object() {
        assert_eq!(texts("conn"), ["connection = \"\""]);
        assert!(texts("name").is_empty() && !texts("").iter().any(|text| text.starts_with("type")));
        assert_eq!(at_end("conn").unwrap().all[0].after, 1);
        assert_eq!(texts("connection = \"pro"), ["progix"]);
        assert_eq!(texts("connection = \""), ["progix", "global/mail"]);
        assert_eq!(texts("on_error = \"a"), ["abort"]);
        assert!(texts("on_error = \"abort").is_empty() && texts("title = \"x").is_empty());
    }
}
