//! The document that the steps make, as text: each edits the lines that it is about, and leaves all
//! else, comments too, as it was written.

use super::super::editor::form::{fields, set};
use super::super::editor::outline::{Object, What, outline};
use super::super::editor::parts::add_step;
use super::super::editor::pasted::{Pasted, quoted, toml_with};
use crate::model::document::{Trigger, Webhook};
use crate::rules::check::{Known, check};
use serde_json::Value;

/// Letters of a name.
const NAME: usize = 64;
/// What a step is called that is made here.
const STEP: &str = "push";

/// A name as integrations have them: lower case, everything else a hyphen; empty where nothing is left.
#[must_use]
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(NAME);
    slug.trim_end_matches('-').to_owned()
}

/// A document with one flow that nothing starts yet.
#[must_use]
pub fn new(title: &str, flow: &str) -> String {
    let id = match slug(flow) {
        id if id.is_empty() => "flow".to_owned(),
        id => id,
    };
    format!(
        "name = {}\ntitle = {}\n\n[[flow]]\nid = {}\nname = {}\n\n[flow.trigger]\ntype = \"manual\"\n",
        quoted(&slug(title)),
        quoted(title),
        quoted(&id),
        quoted(flow)
    )
}

fn lines(text: &str) -> Vec<String> {
    text.split('\n').map(str::to_owned).collect()
}

/// The first object of a kind in the first flow.
fn first(lines: &[String], what: What) -> Option<Object> {
    outline(lines).into_iter().find(|one| one.what == what && one.flow == Some(0))
}

/// Sets a key of the first such object of the first flow; an empty value takes it away.
fn with(text: &str, what: What, key: &str, value: &str) -> Result<String, String> {
    let lines = lines(text);
    let Some(object) = first(&lines, what) else {
        return Err("the document has no flow as it is made here: {e} edits it".to_owned());
    };
    let Some(field) = fields(&lines, &object).into_iter().find(|field| field.key.name == key) else {
        return Err(format!("{key} cannot stand there: {{e}} edits the document"));
    };
    if field.long {
        return Err(format!("{key} goes over lines: {{e}} edits it in the document"));
    }
    // A body is a table, a list or a text: what it is is written.
    let field = if key == "json" { field.as_written() } else { field };
    Ok(set(&lines, &object, &field, value))
}

/// The first flow under another name.
///
/// # Errors
/// Why it cannot be set here.
pub fn with_flow(text: &str, name: &str) -> Result<String, String> {
    with(text, What::Flow, "name", name)
}

/// A flow that a request starts, from those who are let in.
///
/// # Errors
/// Why it cannot be set here.
pub fn with_auth(text: &str, auth: &str) -> Result<String, String> {
    let text = with(text, What::Trigger, "type", "webhook")?;
    with(&text, What::Trigger, "auth", auth)
}

/// Paths in a list.
fn list(paths: &[String]) -> String {
    let quote = |path: &String| if path.contains('"') { format!("'{path}'") } else { quoted(path) };
    format!("[{}]", paths.iter().map(quote).collect::<Vec<_>>().join(", "))
}

/// With paths that must be there.
///
/// # Errors
/// Why it cannot be set here.
pub fn with_required(text: &str, paths: &[String]) -> Result<String, String> {
    let value = if paths.is_empty() { String::new() } else { list(paths) };
    with(text, What::Trigger, "required", &value)
}

/// With what makes two requests one, for so long; without it where there are no paths.
///
/// # Errors
/// Why it cannot be set here.
pub fn with_dedup(text: &str, paths: &[String], window: &str) -> Result<String, String> {
    let value = if paths.is_empty() {
        String::new()
    } else {
        format!("{{ fields = {}, window = {} }}", list(paths), quoted(window.trim()))
    };
    with(text, What::Trigger, "dedup", &value)
}

/// What the first step says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct First {
    /// Its method.
    pub method: String,
    /// Its URL.
    pub url: String,
    /// Its body: JSON, or a template that gives it; none for a step that sends none.
    pub body: String,
    /// What else it says, in words.
    pub more: Vec<String>,
}

/// The first step of the first flow, where it sends a request.
#[must_use]
pub fn step(text: &str) -> Option<First> {
    let table: toml::Table = text.parse().ok()?;
    let step = table.get("flow")?.get(0)?.get("step")?.get(0)?;
    let word = |key: &str| step.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    if word("type").as_deref() != Some("request") {
        return None;
    }
    let body = step.get("json").or_else(|| step.get("text")).map(|value| match value {
        toml::Value::String(text) => text.clone(),
        other => serde_json::to_value(other).map_or_else(|_| String::new(), |value| value.to_string()),
    });
    let more = step.as_table().map_or_else(Vec::new, |step| {
        let own = ["name", "type", "method", "url", "json", "text"];
        step.iter()
            .filter(|(key, _)| !own.contains(&key.as_str()))
            .map(|(key, value)| match value.as_table() {
                Some(all) => format!("{key} {}", all.keys().cloned().collect::<Vec<_>>().join(", ")),
                None => key.clone(),
            })
            .collect()
    });
    Some(First {
        method: word("method").unwrap_or_else(|| "POST".to_owned()),
        url: word("url").unwrap_or_default(),
        body: body.unwrap_or_default(),
        more,
    })
}

/// With a step that a pasted command makes, in place of the first one.
///
/// # Errors
/// Why it cannot be set here.
pub fn with_pasted(text: &str, pasted: &Pasted) -> Result<String, String> {
    let mut lines = lines(text);
    if let Some(old) = first(&lines, What::Step) {
        lines.drain(old.start..old.end);
        // The blank lines that parted it from what it stood between part nothing now.
        let blank = |line: Option<&String>| line.is_some_and(|line| line.trim().is_empty());
        let mut at = old.start;
        while at > 0 && blank(lines.get(at - 1)) {
            at -= 1;
        }
        while blank(lines.get(at)) {
            lines.remove(at);
        }
        lines.insert(at, String::new());
    }
    let Some(flow) = first(&lines, What::Trigger).or_else(|| first(&lines, What::Flow)) else {
        return Err("the document has no flow as it is made here: {e} edits it".to_owned());
    };
    let added = add_step(&lines, flow.header, |_| pasted.step(STEP)).map_err(str::to_owned)?;
    Ok(added.text)
}

/// With the first step as it is filled in; it is added where there is none.
///
/// # Errors
/// Why it cannot be set here, or what of it does not read.
pub fn with_step(text: &str, step: &First) -> Result<String, String> {
    let mut made = text.to_owned();
    if first(&lines(&made), What::Step).is_none() {
        let pasted = Pasted { method: step.method.clone(), url: "http://x".to_owned(), ..Pasted::default() };
        made = with_pasted(&made, &pasted)?;
    }
    made = with(&made, What::Step, "method", &step.method)?;
    made = with(&made, What::Step, "url", step.url.trim())?;
    let old = self::step(text).unwrap_or_default();
    if old.body == step.body {
        return Ok(made);
    }
    let body = step.body.trim();
    let json = match serde_json::from_str::<Value>(body) {
        _ if body.is_empty() => String::new(),
        Ok(value @ (Value::Object(_) | Value::Array(_))) => toml_with(&value, quoted),
        Ok(_) => {
            return Err(
                "the body is no object and no list: write {\"id\": \"{{ request.body.id }}\"}".to_owned()
            );
        }
        Err(_) if body.starts_with("{{") && body.ends_with("}}") => quoted(body),
        Err(error) => return Err(format!("the body is not JSON: {error}")),
    };
    made = with(&made, What::Step, "text", "")?;
    with(&made, What::Step, "json", &json)
}

/// What the trigger of the first flow says, where a request starts it.
#[must_use]
pub fn webhook(text: &str) -> Option<Webhook> {
    let first = check(text, &Known::default()).integration?.flows.into_iter().next()?;
    match first.trigger {
        Trigger::Webhook(hook) => Some(hook),
        _ => None,
    }
}

/// The name of the first flow.
#[must_use]
pub fn flow(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    table.get("flow")?.get(0)?.get("name")?.as_str().map(str::to_owned)
}

/// What is wrong with a text, in a sentence: the first mistake.
///
/// # Errors
/// The mistake.
pub fn sound(text: &str) -> Result<(), String> {
    let problems = check(text, &Known::default()).problems;
    let first = problems.into_iter().find(|problem| !problem.warning);
    first.map_or(Ok(()), |problem| Err(problem.message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::editor::pasted::curl;

    fn made() -> String {
        with_auth(&new("Acme ERP", "Orders, new"), "{ type = \"api_key\", keys = [\"acme-erp\"] }").unwrap()
    }

    #[test]
    fn a_name_becomes_one_that_integrations_have() {
        for (text, wanted) in [
            ("Acme ERP", "acme-erp"),
            ("  --Ünïcode 2--", "n-code-2"),
            ("日本", ""),
            ("a/../b\u{202e}", "a-b"),
            ("-", ""),
        ] {
            assert_eq!(slug(text), wanted, "{text}");
        }
        assert_eq!(slug(&"ab ".repeat(60)).len(), NAME);
        assert!(slug(&"a ".repeat(60)).len() < NAME, "it does not end in a hyphen");
        assert_eq!(sound(&new("Acme ERP", "Orders")), Ok(()));
        for hostile in ["\"]\nname = \"x", "{{ a }}", "'''", "日本"] {
            let text = new(&format!("a{hostile}"), &hostile.replace('\n', " "));
            assert_eq!(sound(&text), Ok(()), "{text}");
            assert_eq!(flow(&text).unwrap(), hostile.replace('\n', " "));
        }
    }

    #[test]
    fn each_step_edits_its_own_lines_and_reads_back() {
        let text = made();
        let hook = webhook(&text).unwrap();
        assert_eq!((hook.auth.word(), hook.auth.keys()), ("api_key", ["acme-erp".to_owned()].as_slice()));
        let paths = ["body.order_number".to_owned(), "headers[\"x-id\"]".to_owned()];
        let text = with_required(&text, &paths[..1]).unwrap();
        let text = with_dedup(&text, &paths, " 7d").unwrap();
        let commented = text.replace("type = \"webhook\"", "type = \"webhook\" # mine");
        let hook = webhook(&commented).unwrap();
        assert_eq!(hook.required.len(), 1);
        assert_eq!(hook.dedup.unwrap().fields.iter().map(ToString::to_string).collect::<Vec<_>>(), paths);
        let again = with_dedup(&with_required(&commented, &[]).unwrap(), &[], "7d").unwrap();
        assert!(again.contains("# mine") && webhook(&again).unwrap().dedup.is_none(), "{again}");
        assert_eq!(flow(&with_flow(&again, "Other \"name\"").unwrap()).as_deref(), Some("Other \"name\""));
        assert!(sound(&with_dedup(&made(), &paths, "soon").unwrap()).unwrap_err().contains("duration"));
    }

    #[test]
    fn a_step_is_filled_in_and_a_pasted_command_takes_its_place() {
        let wanted = First {
            method: "PUT".to_owned(),
            url: "https://api.example/{{ request.body.id }}".to_owned(),
            body: "{{ request.body }}".to_owned(),
            more: Vec::new(),
        };
        let text = with_step(&made(), &wanted).unwrap();
        assert_eq!((sound(&text), step(&text).unwrap()), (Ok(()), wanted.clone()));
        let body = "{\"id\":\"{{ request.body.id }}\",\"n\":[1.50,null]}".to_owned();
        let other = First { body: body.clone(), ..wanted.clone() };
        let text = with_step(&text, &other).unwrap();
        assert!(
            text.contains("json = { \"id\" = \"{{ request.body.id }}\", \"n\" = [1.50, \"{{ none }}\"] }"),
            "{text}"
        );
        assert_eq!(sound(&text), Ok(()));
        for (body, said) in [("7", "no object"), ("{", "not JSON"), ("x", "not JSON")] {
            let broken = First { body: body.to_owned(), ..wanted.clone() };
            assert!(with_step(&text, &broken).unwrap_err().contains(said), "{body}");
        }
        let none = with_step(&text, &First { body: String::new(), ..wanted }).unwrap();
        assert!(!none.contains("json"), "{none}");
        let pasted = curl("curl -H 'X-A: 1' -d '{\"a\":1}' https://b.example/x").unwrap();
        let text = with_pasted(&none, &pasted).unwrap();
        let told = step(&text).unwrap();
        assert_eq!((told.method.as_str(), told.url.as_str()), ("POST", "https://b.example/x"));
        assert_eq!((told.body.as_str(), told.more), ("{\"a\":1}", vec!["headers X-A".to_owned()]));
        assert_eq!((sound(&text), text.matches("[[flow.step]]").count()), (Ok(()), 1));
        // However often one takes the place of another, no blank lines gather.
        let again = with_pasted(&with_pasted(&text, &pasted).unwrap(), &pasted).unwrap();
        assert_eq!(again, with_pasted(&again, &pasted).unwrap());
        assert!(!again.contains("\n\n\n"), "{again:?}");
    }

    #[test]
    fn what_goes_over_lines_is_left_to_the_editor() {
        let text = made().replace("auth = {", "required = [\n  \"body.a\",\n]\nauth = {");
        assert!(with_required(&text, &[]).unwrap_err().contains("goes over lines"));
        assert!(with_auth("name = \"a\"\n", "{}").unwrap_err().contains("no flow"));
    }
}
