//! Objects of a document that are added, and steps that are moved: edits of its text that leave all
//! else as it was written.

use super::outline::{Object, What, at, outline, whole};

/// What can be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum New {
    /// A flow that a webhook starts.
    Flow,
    /// A step that sends a request.
    Step,
    /// A variable.
    Variable,
    /// A connection.
    Connection,
}

impl New {
    /// Its text, and what of it is filled in first.
    fn text(self, name: &str) -> String {
        match self {
            Self::Flow => format!(
                "[[flow]]\nname = \"{name}\"\n\n[flow.trigger]\ntype = \"webhook\"\nauth = {{ type = \"none\" }}\n"
            ),
            Self::Step => format!(
                "[[flow.step]]\nname = \"{name}\"\ntype = \"request\"\nmethod = \"POST\"\nurl = \"\"\n"
            ),
            Self::Variable => format!("[[variable]]\nname = \"{name}\"\ntype = \"text\"\n"),
            Self::Connection => format!("[[connection]]\nname = \"{name}\"\nbase_url = \"https://\"\n"),
        }
    }

    fn what(self) -> What {
        match self {
            Self::Flow => What::Flow,
            Self::Step => What::Step,
            Self::Variable => What::Variable,
            Self::Connection => What::Connection,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Flow => "New flow",
            Self::Step => "step",
            Self::Variable => "variable",
            Self::Connection => "connection",
        }
    }
}

/// A text with something in it, and the line of its name.
#[derive(Debug, PartialEq, Eq)]
pub struct Added {
    /// The text.
    pub text: String,
    /// The line of its name, from 0.
    pub line: usize,
}

/// Adds an object after the one that a line is in.
///
/// # Errors
/// Why it cannot stand there.
pub fn add(lines: &[String], line: usize, new: New) -> Result<Added, &'static str> {
    let objects = outline(lines);
    let name = free(&objects, line, new.what(), new.name());
    put(lines, &objects, line, new.what(), &new.text(&name))
}

/// Adds a step after the one that a line is in; its name is free in the flow.
///
/// # Errors
/// Why it cannot stand there.
pub fn add_step(lines: &[String], line: usize, step: impl Fn(&str) -> String) -> Result<Added, &'static str> {
    let objects = outline(lines);
    let name = free(&objects, line, What::Step, New::Step.name());
    put(lines, &objects, line, What::Step, &step(&name))
}

/// A name that no other of its kind has.
fn free(objects: &[Object], line: usize, what: What, stem: &str) -> String {
    let flow = objects.get(at(objects, line)).and_then(|here| here.flow);
    let taken = |name: &str| {
        let same = |one: &&Object| one.what == what && (what != What::Step || one.flow == flow);
        objects.iter().filter(same).any(|one| one.name.as_deref() == Some(name))
    };
    let numbered = |number: usize| {
        if what == What::Flow { format!("{stem} {number}") } else { format!("{stem}_{number}") }
    };
    if what != What::Step && !taken(stem) {
        return stem.to_owned();
    }
    // Of one more than there are objects one is free.
    (1..=objects.len() + 1).map(numbered).find(|name| !taken(name)).unwrap_or_default()
}

fn put(
    lines: &[String],
    objects: &[Object],
    line: usize,
    what: What,
    text: &str,
) -> Result<Added, &'static str> {
    let here = at(objects, line);
    let flow = objects.get(here).and_then(|one| one.flow);
    let last = |what: What| objects.iter().rposition(|one| one.what == what);
    let after = match what {
        // Tables of a flow belong to the flow above them: a step never comes before the flow's trigger.
        What::Step => {
            let Some(flow) = flow else { return Err("a step stands in a flow, and this is none") };
            let in_flow = |one: &Object| one.flow == Some(flow);
            let trigger = objects.iter().rposition(|one| in_flow(one) && one.what == What::Trigger);
            let own = objects.get(here).filter(|one| one.what == What::Step).map(|_| here);
            own.or(trigger).unwrap_or(here)
        }
        What::Flow => match flow {
            Some(flow) => objects.iter().rposition(|one| one.flow == Some(flow)).unwrap_or(here),
            None => last(What::Flow).map_or(objects.len() - 1, |flow| {
                let number = objects[flow].flow;
                objects.iter().rposition(|one| one.flow == number).unwrap_or(flow)
            }),
        },
        _ => match objects.get(here) {
            Some(one) if one.what == what => here,
            // Beside its kind, before the flows.
            _ => last(what).or_else(|| last(What::Variable)).unwrap_or(0),
        },
    };
    let from = whole(objects, after).1.max(objects.get(after).map_or(0, |one| one.end));
    let mut made: Vec<&str> = lines[..from].iter().map(String::as_str).collect();
    let mut begin = made.len();
    if made.last().is_some_and(|line| !line.trim().is_empty()) {
        made.push("");
        begin += 1;
    }
    made.extend(text.trim_end().split('\n'));
    let rest = &lines[from..];
    if rest.first().is_some_and(|line| !line.trim().is_empty()) {
        made.push("");
    }
    made.extend(rest.iter().map(String::as_str));
    if rest.is_empty() {
        made.push("");
    }
    Ok(Added { text: made.join("\n"), line: begin + 1 })
}

/// Moves the step that a line is in before the one before it, or after the one after it; with the line
/// of its header then.
///
/// # Errors
/// Why it cannot be moved.
pub fn shift(lines: &[String], line: usize, down: bool) -> Result<Added, &'static str> {
    let objects = outline(lines);
    let here = at(&objects, line);
    let Some(step) = objects.get(here).filter(|one| one.what == What::Step) else {
        return Err("this is no step");
    };
    let is_sibling =
        |at: usize| objects.get(at).is_some_and(|one| one.what == What::Step && one.flow == step.flow);
    let (first, second) = if down {
        if !is_sibling(here + 1) {
            return Err("it is the flow's last step");
        }
        (here, here + 1)
    } else {
        match here.checked_sub(1).filter(|at| is_sibling(*at)) {
            Some(before) => (before, here),
            None => return Err("it is the flow's first step"),
        }
    };
    let (one, two) = (&objects[first], &objects[second]);
    let between = &lines[one.end..two.start];
    let mut made: Vec<&str> = lines[..one.start].iter().map(String::as_str).collect();
    let upper = made.len();
    made.extend(lines[two.start..two.end].iter().map(String::as_str));
    made.extend(between.iter().map(String::as_str));
    let lower = made.len();
    made.extend(lines[one.start..one.end].iter().map(String::as_str));
    made.extend(lines[two.end..].iter().map(String::as_str));
    let line = if down { lower + (one.header - one.start) } else { upper + (two.header - two.start) };
    Ok(Added { text: made.join("\n"), line })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check::{Known, check};

    const TEXT: &str = r#"name = "acme"

[[flow]]
name = "Orders"

[flow.trigger]
type = "manual"

# first
[[flow.step]]
name = "a"
type = "set"
outputs = { x = "1" }

[[flow.step]]
name = "b"
type = "set"
outputs = { x = "2" } # two

[[flow]]
name = "Other"
trigger = { type = "manual" }
"#;

    fn lines(text: &str) -> Vec<String> {
        text.split('\n').map(str::to_owned).collect()
    }

    fn line(text: &str, what: &str) -> usize {
        text.split('\n').position(|line| line.contains(what)).unwrap()
    }

    #[test]
    fn a_step_is_moved_with_its_comments_and_back_again() {
        let down = shift(&lines(TEXT), line(TEXT, "name = \"a\""), true).unwrap();
        assert!(line(&down.text, "name = \"b\"") < line(&down.text, "# first"), "{}", down.text);
        assert_eq!(down.text.split('\n').nth(down.line), Some("[[flow.step]]"));
        assert_eq!(down.line, line(&down.text, "name = \"a\"") - 1);
        assert_eq!(shift(&lines(&down.text), down.line, false).unwrap().text, TEXT);
        assert!(shift(&lines(TEXT), line(TEXT, "name = \"a\""), false).unwrap_err().contains("first"));
        assert!(shift(&lines(TEXT), line(TEXT, "name = \"b\""), true).unwrap_err().contains("last"));
        assert!(shift(&lines(TEXT), 0, true).is_err());
        let order = |text: &str| -> Vec<String> {
            let read = check(text, &Known::default()).integration.unwrap();
            read.flows[0].steps.iter().map(|step| step.name.clone()).collect()
        };
        assert_eq!(
            (order(TEXT), order(&down.text)),
            (vec!["a".into(), "b".into()], vec!["b".into(), "a".into()])
        );
    }

    #[test]
    fn what_is_added_stands_after_what_the_cursor_is_in() {
        let at = |what: &str| line(TEXT, what);
        let step = add(&lines(TEXT), at("name = \"a\""), New::Step).unwrap();
        assert_eq!(step.text.split('\n').nth(step.line), Some("name = \"step_1\""));
        assert!(step.line > line(&step.text, "name = \"a\"") && step.line < line(&step.text, "name = \"b\""));
        let first = add(&lines(TEXT), at("name = \"Orders\""), New::Step).unwrap();
        assert!(
            first.line > line(&first.text, "[flow.trigger]")
                && first.line < line(&first.text, "name = \"a\"")
        );
        let flow = add(&lines(TEXT), at("name = \"a\""), New::Flow).unwrap();
        assert!(
            flow.line > line(&flow.text, "name = \"b\"") && flow.line < line(&flow.text, "name = \"Other\"")
        );
        let variable = add(&lines(TEXT), at("name = \"b\""), New::Variable).unwrap();
        assert!(variable.line < line(&variable.text, "[[flow]]"), "{}", variable.text);
        let checked = check(&variable.text, &Known::default());
        assert!(checked.integration.is_some(), "{:?}\n{}", checked.problems, variable.text);
        let again = add(&lines(&variable.text), variable.line, New::Variable).unwrap();
        assert_eq!(again.text.split('\n').nth(again.line), Some("name = \"variable_1\""));
        assert!(add(&lines("name = \"a\""), 0, New::Step).is_err());
        for new in [New::Flow, New::Variable, New::Connection] {
            let alone = add(&lines("name = \"a\""), 0, new).unwrap();
            assert!(
                alone.text.ends_with('\n') && alone.text.starts_with("name = \"a\"\n\n[["),
                "{}",
                alone.text
            );
        }
    }
}
