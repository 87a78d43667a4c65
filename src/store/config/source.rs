//! Small edits of a document's text that leave everything else, comments too, as it was written.

use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Writes the ids of the flows into the text, where the author left them out: `ids` in the order
/// of the flows. The line goes before the flow's `name`.
///
/// A text that is no TOML, or whose flows are not where they are expected, is given back as it is:
/// an export without ids is worth more than none.
#[must_use]
pub fn with_ids(source: &str, ids: &[String]) -> String {
    let Ok(table) = DeTable::parse(source) else {
        return source.to_owned();
    };
    let Some(flows) = value(table.get_ref(), "flow").and_then(|flows| flows.get_ref().as_array()) else {
        return source.to_owned();
    };
    let mut edits = Vec::new();
    for (flow, id) in flows.iter().zip(ids) {
        let Some(flow) = flow.get_ref().as_table() else { continue };
        if value(flow, "id").is_some() {
            continue;
        }
        let Some(name) = key(flow, "name") else { continue };
        let quoted = toml::Value::String(id.clone()).to_string();
        let line = source[..name.start].rfind('\n').map_or(0, |at| at + 1);
        let lead = &source[line..name.start];
        let own_line = lead.chars().all(|c| c == ' ' || c == '\t');
        let between = if own_line && !inline(source, name.start) { format!("\n{lead}") } else { ", ".into() };
        edits.push((name.start..name.start, format!("id = {quoted}{between}")));
    }
    let edited = apply(source, edits);
    // An edit that would break the text is worse than none.
    if DeTable::parse(&edited).is_ok() { edited } else { source.to_owned() }
}

/// Gives the document another name (`apply --as`).
#[must_use]
pub fn with_name(source: &str, name: &str) -> String {
    let Ok(table) = DeTable::parse(source) else {
        return source.to_owned();
    };
    match value(table.get_ref(), "name") {
        Some(old) if old.get_ref().as_str() == Some(name) => source.to_owned(),
        Some(old) => {
            let quoted = toml::Value::String(name.to_owned()).to_string();
            apply(source, vec![(old.span(), quoted)])
        }
        None => source.to_owned(),
    }
}

/// Whether the key at `at` stands in an inline table that goes over lines: there pairs end with
/// commas. Only the text between the last header line and the key has to be looked at.
fn inline(source: &str, at: usize) -> bool {
    let before = source[..at].trim_end();
    before.ends_with('{') || before.ends_with(',')
}

fn value<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<&'t Spanned<DeValue<'i>>> {
    table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
}

fn key(table: &DeTable<'_>, name: &str) -> Option<Range<usize>> {
    table.iter().find(|(key, _)| key.get_ref() == name).map(|(key, _)| key.span())
}

/// Carries out replacements, given in the order of the text.
fn apply(source: &str, edits: Vec<(Range<usize>, String)>) -> String {
    let mut text = source.to_owned();
    for (range, new) in edits.into_iter().rev() {
        text.replace_range(range, &new);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_where_they_are_missing_and_comments_stay() {
        let source = "name = \"acme\" # mine\n\n[[flow]]   # first\n  name = \"Flow 1\"\n[flow.trigger]\n\
                      type = \"manual\"\n\n[[flow]]\nid = \"kept\"\nname = \"Flow 2\"\n\n[[flow]]\nname = 'Ü'\n";
        let ids = ["flow-1".to_owned(), "x".to_owned(), "a\"b".to_owned()];
        let edited = with_ids(source, &ids);
        assert!(edited.contains("  id = \"flow-1\"\n  name = \"Flow 1\"\n"), "{edited}");
        assert!(edited.contains("[[flow]]   # first"));
        assert!(edited.contains("id = \"kept\"\nname"));
        let read: toml::Table = edited.parse().unwrap();
        assert_eq!(read["flow"][2]["id"].as_str(), Some("a\"b"));
        assert_eq!(with_ids(&edited, &ids), edited, "a second time changes nothing");
    }

    #[test]
    fn inline_flows_get_a_comma() {
        for source in [
            "name = \"a\"\nflow = [{ name = \"x\", trigger = { type = \"manual\" } }]\n",
            "name = \"a\"\nflow = [\n  {\n    name = \"x\",\n    trigger = { type = \"manual\" } }]\n",
        ] {
            let edited = with_ids(source, &["x".into()]);
            let read: toml::Table = edited.parse().unwrap();
            assert_eq!(read["flow"][0]["id"].as_str(), Some("x"), "{edited}");
        }
    }

    #[test]
    fn broken_text_stays_as_it_is() {
        assert_eq!(with_ids("[[flow", &["x".into()]), "[[flow");
        assert_eq!(with_name("name", "x"), "name");
    }

    #[test]
    fn another_name_takes_the_place_of_the_old_one_alone() {
        let source = "# name = \"no\"\nname = \"acme\" # yes\n[[flow]]\nname = \"acme\"\n";
        assert_eq!(
            with_name(source, "other"),
            "# name = \"no\"\nname = \"other\" # yes\n[[flow]]\nname = \"acme\"\n"
        );
        assert_eq!(with_name(source, "acme"), source);
    }
}
