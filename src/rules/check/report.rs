//! Mistakes gathered by byte offset and told by line and column.

use crate::model::document::Problem;
use std::cell::RefCell;
use std::ops::Range;

/// More mistakes than this are counted, not told.
const MAX_PROBLEMS: usize = 200;

const NO_TOML: &str = "this is no TOML";
/// After so many nothing more is looked at.
const MAX_KEPT: usize = 5_000;

/// The mistakes of one document.
pub(super) struct Report<'s> {
    source: &'s str,
    /// Offset, message, warning.
    found: RefCell<Vec<(usize, String, bool)>>,
    /// The text is no TOML: what seems to be missing may only not have been understood.
    broken: bool,
}

impl<'s> Report<'s> {
    /// None yet.
    pub(super) fn new(source: &'s str, broken: bool) -> Self {
        Self { source, found: RefCell::new(Vec::new()), broken }
    }

    /// A mistake.
    pub(super) fn error(&self, at: usize, message: impl Into<String>) {
        self.add(at, message.into(), false);
    }

    /// Something that does not stop a deploy.
    pub(super) fn warning(&self, at: usize, message: impl Into<String>) {
        self.add(at, message.into(), true);
    }

    /// Something that is not there, unless the text could not be read whole.
    pub(super) fn missing(&self, at: usize, message: impl Into<String>) {
        if !self.broken {
            self.error(at, message);
        }
    }

    fn add(&self, at: usize, message: String, warning: bool) {
        let mut found = self.found.borrow_mut();
        if found.len() >= MAX_KEPT {
            return;
        }
        let problem = (at, message, warning);
        if !found.contains(&problem) {
            found.push(problem);
        }
    }

    /// The offset in the document of an offset in a string's value: they differ by the quotes and
    /// by escapes.
    pub(super) fn inside(&self, span: &Range<usize>, offset: usize) -> usize {
        let Some(raw) = self.source.get(span.clone()) else { return span.start };
        let (quotes, escapes) = match raw.as_bytes() {
            [b'"', b'"', b'"', ..] => (3, true),
            [b'\'', b'\'', b'\'', ..] => (3, false),
            [b'"', ..] => (1, true),
            [b'\'', ..] => (1, false),
            _ => (0, false),
        };
        let mut at = quotes;
        // A newline right after three quotes is no part of the value.
        if quotes == 3 {
            at += match raw.as_bytes().get(at..at + 2) {
                Some([b'\n', _]) => 1,
                Some(b"\r\n") => 2,
                _ => 0,
            };
        }
        let mut decoded = 0;
        while decoded < offset && at < raw.len() {
            let rest = &raw[at..];
            let mut chars = rest.chars();
            let Some(first) = chars.next() else { break };
            let (read, made) = match (escapes && first == '\\', chars.next()) {
                (true, Some('u')) => (6, code(rest, 2, 4)),
                (true, Some('U')) => (10, code(rest, 2, 8)),
                (true, Some('x')) => (4, code(rest, 2, 2)),
                (true, Some(next)) if next.is_whitespace() => {
                    // A backslash at the end of a line takes all white space with it.
                    (1 + rest[1..].find(|c: char| !c.is_whitespace()).unwrap_or(rest.len() - 1), 0)
                }
                (true, Some(next)) => (1 + next.len_utf8(), 1),
                _ => (first.len_utf8(), first.len_utf8()),
            };
            at += read;
            decoded += made;
        }
        span.start + at.min(raw.len())
    }

    /// All mistakes, in the order of the lines.
    pub(super) fn finish(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|(at, _, _)| *at);
        let more = found.len().saturating_sub(MAX_PROBLEMS);
        found.truncate(MAX_PROBLEMS);
        let mut problems: Vec<Problem> = found
            .into_iter()
            .map(|(at, message, warning)| {
                let (line, column) = position(self.source, at);
                Problem { line, column, message, warning }
            })
            .collect();
        // A line that could not be read is told once, and where it heads a table its keys were read
        // as those of another one.
        let unread: Vec<Range<usize>> = problems
            .iter()
            .filter(|problem| problem.message.starts_with(NO_TOML))
            .map(|problem| problem.line..end_of_table(self.source, problem.line))
            .collect();
        problems.retain(|problem| {
            problem.message.starts_with(NO_TOML) || !unread.iter().any(|lines| lines.contains(&problem.line))
        });
        if more > 0
            && let Some(last) = problems.last()
        {
            let (line, column) = (last.line, last.column);
            let message = format!("{more} more mistakes come after these");
            problems.push(Problem { line, column, message, warning: false });
        }
        problems
    }
}

/// The line after the table that a line heads, from 1; the next one where it heads none.
fn end_of_table(source: &str, line: usize) -> usize {
    let heads = |text: &str| text.trim_start().starts_with('[');
    let mut lines = source.lines().skip(line - 1);
    if lines.next().is_some_and(heads) {
        return line + 1 + lines.take_while(|text| !heads(text)).count();
    }
    line + 1
}

fn code(rest: &str, from: usize, len: usize) -> usize {
    rest.get(from..from + len)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .and_then(char::from_u32)
        .map_or(1, char::len_utf8)
}

/// Line and column (in characters) of a byte offset, both from 1.
fn position(source: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    let before = &source[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// What the TOML reader says, as a sentence of ours.
pub(super) fn toml_sentence(message: &str) -> String {
    format!("{NO_TOML}: {message}")
}
