//! Text to filter: recursive descent over characters, bounded in length and nesting.

use super::test::read_time;
use super::{Field, Op, Query, QueryError, ROOTS, Subject, Test};
use crate::model::Ms;

/// Characters of a filter.
const MAX_CHARS: usize = 4_096;
/// Parentheses and negations in one another.
const MAX_NESTING: usize = 64;

pub(super) fn parse(text: &str, now: Ms, subject: Option<Subject>) -> Result<Query, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_CHARS {
        let message = format!("a filter has at most {MAX_CHARS} characters");
        return Err(QueryError { message, at: MAX_CHARS });
    }
    let mut parser = Parser { chars, at: 0, now, nesting: 0, subject };
    parser.space();
    if parser.at == parser.chars.len() {
        return Ok(Query::All);
    }
    let query = parser.any()?;
    if parser.at < parser.chars.len() {
        return parser.fail(parser.at, "this ) closes nothing; quote it to search for it");
    }
    Ok(query)
}

/// Whether a path begins so: `body`, `body.products`, `step.outputs`.
fn is_root(text: &str) -> bool {
    let head = text.split(['.', '[']).next().unwrap_or_default();
    ROOTS.contains(&head) || text.starts_with("step.outputs")
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    now: Ms,
    nesting: usize,
    /// What it goes over, where that is known.
    subject: Option<Subject>,
}

type Parsed<T> = Result<T, QueryError>;

impl Parser {
    #[expect(clippy::unused_self, reason = "reads better at its many calls")]
    fn fail<T>(&self, at: usize, message: impl Into<String>) -> Parsed<T> {
        Err(QueryError { message: message.into(), at })
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn text(&self, from: usize, to: usize) -> String {
        self.chars.get(from..to).unwrap_or_default().iter().collect()
    }

    /// Whether a keyword stands here; it is read where it does.
    fn keyword(&mut self, word: &str) -> bool {
        let end = self.at + word.len();
        let ends = self.chars.get(end).is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')'));
        let is = ends && self.text(self.at, end).eq_ignore_ascii_case(word);
        if is {
            self.at = end;
            self.space();
        }
        is
    }

    fn any(&mut self) -> Parsed<Query> {
        let mut parts = vec![self.all()?];
        loop {
            let from = self.at;
            if !self.keyword("or") {
                return Ok(Query::any(parts));
            }
            self.operand(from, "or")?;
            parts.push(self.all()?);
        }
    }

    fn all(&mut self) -> Parsed<Query> {
        let mut parts = vec![self.one()?];
        loop {
            let from = self.at;
            if self.keyword("and") {
                self.operand(from, "and")?;
            } else if self.peek().is_none_or(|c| c == ')') || self.is_or() {
                return Ok(Query::all(parts));
            }
            parts.push(self.one()?);
        }
    }

    fn is_or(&mut self) -> bool {
        let at = self.at;
        let is = self.keyword("or");
        self.at = at;
        is
    }

    /// Checks that something follows a keyword.
    fn operand(&self, keyword_at: usize, word: &str) -> Parsed<()> {
        match self.peek() {
            None | Some(')') => self.fail(
                keyword_at,
                format!("something is expected after {word}; quote \"{word}\" to search for it"),
            ),
            Some(_) => Ok(()),
        }
    }

    fn one(&mut self) -> Parsed<Query> {
        let from = self.at;
        if self.keyword("not") {
            self.operand(from, "not")?;
            return self.negated(from);
        }
        match self.peek() {
            Some('-') => {
                self.at += 1;
                if self.peek().is_none_or(|c| c.is_whitespace() || c == ')') {
                    return self.fail(from, "something is expected right after -");
                }
                self.negated(from)
            }
            Some('(') => self.group(from),
            Some(')') => self.fail(from, "something is expected before )"),
            Some('"') => {
                let word = self.quoted()?;
                if word.is_empty() {
                    return self.fail(from, "a word is expected between the quotes");
                }
                self.space();
                Ok(Query::Word(word))
            }
            _ if self.keyword("and") || self.keyword("or") => {
                let word = self.text(from, self.at);
                let word = word.trim();
                self.fail(
                    from,
                    format!("something is expected before {word}; quote \"{word}\" to search for it"),
                )
            }
            _ => self.term(),
        }
    }

    fn negated(&mut self, from: usize) -> Parsed<Query> {
        self.nest(from)?;
        let query = self.one()?;
        self.nesting -= 1;
        Ok(Query::Not(Box::new(query)))
    }

    fn group(&mut self, from: usize) -> Parsed<Query> {
        self.nest(from)?;
        self.at += 1;
        self.space();
        let query = self.any()?;
        if self.peek() != Some(')') {
            return self.fail(from, "this ( is not closed");
        }
        self.at += 1;
        self.nesting -= 1;
        self.space();
        Ok(query)
    }

    fn nest(&mut self, at: usize) -> Parsed<()> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            self.fail(at, format!("at most {MAX_NESTING} levels are expected"))
        } else {
            Ok(())
        }
    }

    /// A word, or a field with its operator and value.
    fn term(&mut self) -> Parsed<Query> {
        let from = self.at;
        let field_end = self.field_end();
        if field_end > from
            && let Some(op) = self.operator(field_end)
        {
            let field = self.text(from, field_end);
            self.at = field_end + op.text().chars().count();
            return self.test(from, &field, op);
        }
        if self.chars.get(field_end) == Some(&'[') && is_root(&self.text(from, field_end)) {
            return self.fail(
                field_end,
                "this [ is not closed; a key with spaces is quoted: body[\"a b\"]. To search for the text, quote it",
            );
        }
        let word = self.bare();
        self.space();
        Ok(Query::Word(word))
    }

    /// Where the field that may stand here ends: a name, dots, and brackets with quotes in them.
    fn field_end(&self) -> usize {
        let mut at = self.at;
        if !self.chars.get(at).is_some_and(|c| c.is_ascii_alphabetic() || *c == '_') {
            return at;
        }
        loop {
            match self.chars.get(at) {
                Some(c) if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') => at += 1,
                Some('[') => match self.bracket_end(at + 1) {
                    Some(end) => at = end,
                    None => return at,
                },
                _ => return at,
            }
        }
    }

    /// The place after the `]` of a bracket.
    fn bracket_end(&self, from: usize) -> Option<usize> {
        let mut at = from;
        let mut quote = None;
        loop {
            let c = *self.chars.get(at)?;
            match quote {
                Some('"') if c == '\\' => at += 1,
                Some(open) if c == open => quote = None,
                None if c == ']' => return Some(at + 1),
                None if matches!(c, '"' | '\'') => quote = Some(c),
                None if c.is_whitespace() => return None,
                Some(_) | None => {}
            }
            at += 1;
        }
    }

    fn operator(&self, at: usize) -> Option<Op> {
        Op::ALL.into_iter().find(|op| self.text(at, at + op.text().len()) == op.text())
    }

    fn test(&mut self, from: usize, field: &str, op: Op) -> Parsed<Query> {
        let value_at = self.at;
        let value = self.value(field, op)?;
        let bounds = matches!(field, "since" | "until");
        if bounds && !matches!(op, Op::Has | Op::Equals) {
            return self.fail(from, format!("did you mean {field}:{value}?"));
        }
        let at = |message: String| QueryError { message, at: value_at };
        self.space();
        if bounds {
            let (first, last) = read_time(&value, self.now).map_err(at)?;
            return Ok(if field == "since" { Query::Since(first) } else { Query::Until(last) });
        }
        let field = Field::read(field, self.subject).map_err(|message| QueryError { message, at: from })?;
        Test::new(field, op, &value, self.now).map(Query::Test).map_err(at)
    }

    fn value(&mut self, field: &str, op: Op) -> Parsed<String> {
        let from = self.at;
        let after = format!("a number or a word is expected after {}", op.text());
        match self.peek() {
            Some('"') => self.quoted(),
            None | Some(')') => self.fail(from, after),
            Some(c) if c.is_whitespace() => self.fail(from, after),
            Some(':' | '=' | '~' | '>' | '<' | '!') => {
                while matches!(self.peek(), Some(':' | '=' | '~' | '>' | '<' | '!')) {
                    self.at += 1;
                }
                let rest = self.bare();
                let meant = if rest.is_empty() {
                    String::new()
                } else {
                    format!("; did you mean {field}{}{rest} ?", op.text())
                };
                self.fail(from, format!("{after}{meant}"))
            }
            Some(_) => Ok(self.bare()),
        }
    }

    /// Up to a space or a `)` that was not opened here.
    fn bare(&mut self) -> String {
        let from = self.at;
        let mut open = 0_usize;
        while let Some(c) = self.peek() {
            match c {
                c if c.is_whitespace() => break,
                '(' => open += 1,
                ')' if open == 0 => break,
                ')' => open -= 1,
                _ => {}
            }
            self.at += 1;
        }
        self.text(from, self.at)
    }

    /// Between quotes; `\"` and `\\` stand for what they escape, other backslashes for themselves.
    fn quoted(&mut self) -> Parsed<String> {
        let from = self.at;
        let mut text = String::new();
        loop {
            self.at += 1;
            match (self.peek(), self.chars.get(self.at + 1)) {
                (None, _) => return self.fail(from, "this quote is not closed"),
                (Some('\\'), Some(escaped @ ('"' | '\\'))) => {
                    text.push(*escaped);
                    self.at += 1;
                }
                (Some('"'), next) => {
                    let ends = next.is_none_or(|c| c.is_whitespace() || *c == ')');
                    self.at += 1;
                    return if ends {
                        Ok(text)
                    } else {
                        self.fail(self.at, "a space is expected after the quote")
                    };
                }
                (Some(c), _) => text.push(c),
            }
        }
    }
}
