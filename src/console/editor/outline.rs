//! Where the objects of a document stand in its text, also while it does not read: flows, their
//! triggers and steps, variables, connections, by their headers.

use super::syntax::{Kind, Scanner};
use std::ops::Range;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The keys before the first header.
    Integration,
    /// `[[variable]]`.
    Variable,
    /// `[[connection]]`.
    Connection,
    /// `[[flow]]`.
    Flow,
    /// `[flow.trigger]`.
    Trigger,
    /// `[[flow.step]]`.
    Step,
    /// `[[alert]]`.
    Alert,
    /// Any other table: it belongs to the object before it.
    Part,
}

/// An object of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub what: What,
    /// Its `name`.
    pub name: Option<String>,
    /// Its `type`.
    pub kind: Option<String>,
    /// Its keys, and the lines where they stand.
    pub keys: Vec<(String, usize)>,
    /// What it gives to later steps, by name.
    pub outputs: Vec<String>,
    /// Its header's line, or that of the comments right above it.
    pub start: usize,
    /// Its header's line.
    pub header: usize,
    /// The line after its last one, blank ones at its end left out.
    pub end: usize,
    /// The position of the flow that it is of, from 0.
    pub flow: Option<usize>,
}

/// The objects of a text in the order of their lines. A flow has its own lines only; its steps follow.
#[must_use]
pub fn outline(lines: &[String]) -> Vec<Object> {
    let mut scanner = Scanner::default();
    let mut all = vec![object(What::Integration, 0, 0, None)];
    let mut flows = 0;
    // Under a header inside of an object, and not under its own.
    let mut inside = false;
    let mut in_outputs = false;
    for (at, line) in lines.iter().enumerate() {
        let begins = scanner.is_outside();
        let tokens = scanner.line(line);
        let Some((range, kind)) = tokens.first().filter(|_| begins) else { continue };
        if *kind == Kind::Header {
            let header = line[range.clone()].trim_matches(['[', ']', ' ']).to_owned();
            let what = what(&header);
            inside = what == What::Part;
            in_outputs = header == "flow.step.outputs";
            if what == What::Flow {
                flows += 1;
            }
            if what != What::Part {
                let start = start(lines, at);
                close(&mut all, lines, start);
                let of_flow = matches!(what, What::Flow | What::Trigger | What::Step);
                let flow = if of_flow { usize::checked_sub(flows, 1) } else { None };
                all.push(object(what, start, at, flow));
            } else if let Some(last) = all.last_mut() {
                // `[flow.step.retry]` is told as its key.
                last.keys.push((header.rsplit('.').next().unwrap_or_default().to_owned(), at));
            }
            continue;
        }
        let named = |range: &Range<usize>| line[range.clone()].trim_matches(['"', '\'']).to_owned();
        if let (Kind::Key, Some(last), true) = (kind, all.last_mut(), in_outputs) {
            last.outputs.push(named(range));
        }
        if let (Kind::Key, Some(last), false) = (kind, all.last_mut(), inside) {
            let key = named(range);
            let value = tokens.iter().find(|(_, kind)| *kind == Kind::Text);
            let value = value.map(|(range, _)| named(range));
            if key == "outputs" {
                let keys = tokens.iter().skip(1).filter(|(_, kind)| *kind == Kind::Key);
                last.outputs.extend(keys.map(|(range, _)| named(range)));
            }
            match key.as_str() {
                "name" if last.name.is_none() => last.name = value,
                "type" if last.kind.is_none() => last.kind = value,
                _ => {}
            }
            last.keys.push((key, at));
        }
    }
    close(&mut all, lines, lines.len());
    all
}

fn object(what: What, start: usize, header: usize, flow: Option<usize>) -> Object {
    Object {
        what,
        name: None,
        kind: None,
        keys: Vec::new(),
        outputs: Vec::new(),
        start,
        header,
        end: start,
        flow,
    }
}

fn what(header: &str) -> What {
    match header {
        "variable" => What::Variable,
        "connection" => What::Connection,
        "flow" => What::Flow,
        "flow.trigger" => What::Trigger,
        "flow.step" => What::Step,
        "alert" => What::Alert,
        _ => What::Part,
    }
}

/// The first of the comment lines right above a header.
fn start(lines: &[String], header: usize) -> usize {
    let above = lines[..header].iter().rev().take_while(|line| line.trim_start().starts_with('#')).count();
    header - above
}

fn close(all: &mut [Object], lines: &[String], next: usize) {
    if let Some(last) = all.last_mut() {
        let blank = lines[last.header..next].iter().rev().take_while(|line| line.trim().is_empty()).count();
        last.end = next - blank;
    }
}

/// The object that a line is in: the last one that begins at or before it.
#[must_use]
pub fn at(objects: &[Object], line: usize) -> usize {
    objects.iter().rposition(|object| object.start <= line).unwrap_or(0)
}

/// The lines of an object with all that is under it: of a flow its trigger and steps, too.
#[must_use]
pub fn whole(objects: &[Object], at: usize) -> (usize, usize) {
    let Some(object) = objects.get(at) else { return (0, 0) };
    let under = objects[at + 1..]
        .iter()
        .take_while(|next| object.what == What::Flow && matches!(next.what, What::Trigger | What::Step));
    (object.start, under.last().unwrap_or(object).end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# Acme
name = "acme"

[[variable]]
name = "token"
type = "secret"

[[flow]]
name = "Orders" # the first
[flow.trigger]
type = "webhook"

# looks it up
# twice
[[flow.step]]
name = "lookup"
type = "request"
[flow.step.retry]
attempts = 3
name = "no"

[[flow.step]]
name = 'push'
text = """
[[flow]]
"""

[[flow]]
name = "Second"
"#;

    fn lines(text: &str) -> Vec<String> {
        text.split('\n').map(str::to_owned).collect()
    }

    #[test]
    fn objects_are_found_with_their_comments_and_parts() {
        let lines = lines(TEXT);
        let all = outline(&lines);
        let told: Vec<(What, &str, usize, usize, usize)> = all
            .iter()
            .map(|one| (one.what, one.name.as_deref().unwrap_or(""), one.start, one.header, one.end))
            .collect();
        assert_eq!(
            told,
            [
                (What::Integration, "acme", 0, 0, 2),
                (What::Variable, "token", 3, 3, 6),
                (What::Flow, "Orders", 7, 7, 9),
                (What::Trigger, "", 9, 9, 11),
                (What::Step, "lookup", 12, 14, 20),
                (What::Step, "push", 21, 21, 26),
                (What::Flow, "Second", 27, 27, 29),
            ]
        );
        assert_eq!(all[4].kind.as_deref(), Some("request"));
        assert_eq!((all[5].flow, all[6].flow, all[1].flow), (Some(0), Some(1), None));
        assert_eq!(
            all[4].keys.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(),
            ["name", "type", "retry"]
        );
        assert_eq!((at(&all, 13), at(&all, 24), at(&all, 999)), (4, 5, 6));
        assert_eq!(whole(&all, 2), (7, 26));
        assert_eq!(whole(&all, 4), (12, 20));
    }

    #[test]
    fn a_text_that_does_not_read_has_an_outline_all_the_same() {
        for text in ["", "[[", "[[flow", "name = \"", "[[flow]]\nname", "x = [\n[[flow]]"] {
            let lines = lines(text);
            let all = outline(&lines);
            assert!(!all.is_empty() && all.iter().all(|one| one.end <= lines.len()));
            for at in 0..all.len() {
                let (from, to) = whole(&all, at);
                assert!(from <= to, "{text}");
            }
        }
    }
}
