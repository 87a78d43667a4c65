//! What the parts of a line are: of a TOML document, or of a JSON body. One scanner for colours and
//! for the outline.

use crate::console::theme::Role;
use std::ops::Range;

/// What a part of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// After `#`.
    Comment,
    /// `[[flow]]`.
    Header,
    /// Before `=`, or `:`.
    Key,
    /// In quotes.
    Text,
    /// `{{ … }}` in quotes.
    Template,
    /// A number or a time.
    Number,
    /// `true`, `false`, `null`.
    Literal,
    /// Anything else.
    Other,
}

impl Kind {
    /// How it looks.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Comment => Role::Muted,
            Self::Header => Role::Title,
            Self::Key => Role::JsonKey,
            Self::Text => Role::JsonString,
            Self::Template => Role::Template,
            Self::Number => Role::JsonNumber,
            Self::Literal => Role::JsonLiteral,
            Self::Other => Role::Text,
        }
    }
}

/// A part of a line, in bytes.
pub type Token = (Range<usize>, Kind);

/// Goes through a text line by line.
#[derive(Debug, Clone, Default)]
pub struct Scanner {
    /// Inside of a text over lines: its quotes.
    open: Option<&'static str>,
    /// Brackets of values that are open.
    depth: usize,
    json: bool,
}

impl Scanner {
    /// Of a JSON body.
    #[must_use]
    pub fn json() -> Self {
        Self { json: true, ..Self::default() }
    }

    /// Whether the next line begins a new entry: it is inside of no value.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        self.open.is_none() && self.depth == 0
    }

    /// The parts of the next line, in order; blanks are in none.
    pub fn line(&mut self, line: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        let mut at = 0;
        if let Some(quotes) = self.open {
            let end = closing(line, 0, quotes);
            at = end.unwrap_or(line.len());
            text(line, 0..at, &mut tokens);
            if end.is_none() {
                return tokens;
            }
            self.open = None;
        }
        let begins = self.is_outside() && !self.json && at == 0;
        if begins && let Some(header) = header(line) {
            tokens.push((header.clone(), Kind::Header));
            at = header.end;
        }
        while let Some(letter) = line[at..].chars().next() {
            match letter {
                _ if letter.is_whitespace() => at += letter.len_utf8(),
                '#' if !self.json => {
                    tokens.push((at..line.len(), Kind::Comment));
                    return tokens;
                }
                '"' | '\'' if letter == '"' || !self.json => {
                    at = self.quoted(line, at, letter, &mut tokens);
                    if self.open.is_some() {
                        return tokens;
                    }
                }
                '[' | '{' | ']' | '}' => {
                    self.depth = if matches!(letter, '[' | '{') {
                        self.depth + 1
                    } else {
                        self.depth.saturating_sub(1)
                    };
                    tokens.push((at..at + 1, Kind::Other));
                    at += 1;
                }
                _ if word_letter(letter) => {
                    let end = at + line[at..].find(|c: char| !word_letter(c)).unwrap_or(line.len() - at);
                    tokens.push((at..end, self.word(line, at, end)));
                    at = end;
                }
                _ => {
                    tokens.push((at..at + letter.len_utf8(), Kind::Other));
                    at += letter.len_utf8();
                }
            }
        }
        tokens
    }

    /// A text in quotes, or a key in them; where it goes on.
    fn quoted(&mut self, line: &str, at: usize, quote: char, tokens: &mut Vec<Token>) -> usize {
        let quotes = match (quote, line[at..].starts_with("\"\"\""), line[at..].starts_with("'''")) {
            (_, true, _) if !self.json => "\"\"\"",
            (_, _, true) => "'''",
            ('"', ..) => "\"",
            _ => "'",
        };
        match closing(line, at + quotes.len(), quotes) {
            Some(end) if self.is_key(line, end) => {
                tokens.push((at..end, Kind::Key));
                end
            }
            Some(end) => {
                text(line, at..end, tokens);
                end
            }
            None => {
                text(line, at..line.len(), tokens);
                // One that is not closed ends with its line.
                self.open = (quotes.len() == 3).then_some(quotes);
                line.len()
            }
        }
    }

    fn word(&self, line: &str, at: usize, end: usize) -> Kind {
        let word = &line[at..end];
        if !self.json && self.is_key(line, end) {
            Kind::Key
        } else if matches!(word, "true" | "false" | "null") {
            Kind::Literal
        } else if word.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
            Kind::Number
        } else {
            Kind::Other
        }
    }

    fn is_key(&self, line: &str, end: usize) -> bool {
        line[end..].trim_start().starts_with(if self.json { ':' } else { '=' })
    }
}

fn word_letter(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '+')
}

/// The whole header of a line that is one.
fn header(line: &str) -> Option<Range<usize>> {
    let from = line.len() - line.trim_start().len();
    let rest = &line[from..];
    let double = rest.starts_with("[[");
    let (open, close) = if double { (2, "]]") } else { (1, "]") };
    if !rest.starts_with('[') {
        return None;
    }
    let end = rest.find(close)? + close.len();
    let name = rest[open..end - close.len()].trim();
    let after = rest[end..].trim_start();
    let named = !name.is_empty() && !name.contains(['[', ',', '=', '{']);
    (named && (after.is_empty() || after.starts_with('#'))).then_some(from..from + end)
}

/// The end of a text after its opening quotes, with the closing ones.
fn closing(line: &str, from: usize, quotes: &str) -> Option<usize> {
    let escapes = quotes.starts_with('"');
    let mut at = from;
    while at < line.len() {
        if line[at..].starts_with(quotes) {
            return Some(at + quotes.len());
        }
        let letter = line[at..].chars().next()?;
        at += letter.len_utf8();
        if escapes && letter == '\\' {
            at += line[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    None
}

/// A text, with its templates apart.
fn text(line: &str, range: Range<usize>, tokens: &mut Vec<Token>) {
    let mut at = range.start;
    while at < range.end {
        let rest = &line[at..range.end];
        let Some(open) = rest.find("{{") else { break };
        let end = rest[open..].find("}}").map_or(range.end, |close| at + open + close + 2);
        if open > 0 {
            tokens.push((at..at + open, Kind::Text));
        }
        tokens.push((at + open..end, Kind::Template));
        at = end;
    }
    if at < range.end {
        tokens.push((at..range.end, Kind::Text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(scanner: &mut Scanner, line: &str) -> Vec<(String, Kind)> {
        scanner.line(line).into_iter().map(|(range, kind)| (line[range].to_owned(), kind)).collect()
    }

    #[test]
    fn parts_of_a_line_are_told_apart() {
        let mut scanner = Scanner::default();
        let told = kinds(&mut scanner, "url = \"/c/{{ request.body.id }}?x\" # why");
        let words: Vec<(&str, Kind)> = told.iter().map(|(word, kind)| (word.as_str(), *kind)).collect();
        assert_eq!(
            words,
            [
                ("url", Kind::Key),
                ("=", Kind::Other),
                ("\"/c/", Kind::Text),
                ("{{ request.body.id }}", Kind::Template),
                ("?x\"", Kind::Text),
                ("# why", Kind::Comment),
            ]
        );
        assert_eq!(
            kinds(&mut scanner, "  [[flow.step]] # one")[0],
            ("[[flow.step]]".to_owned(), Kind::Header)
        );
        let told = kinds(&mut scanner, "a = { \"b c\" = 1.5, d = true }");
        assert!(told.contains(&("\"b c\"".to_owned(), Kind::Key)), "{told:?}");
        assert!(
            told.contains(&("1.5".to_owned(), Kind::Number))
                && told.contains(&("true".to_owned(), Kind::Literal))
        );
    }

    #[test]
    fn texts_and_lists_over_lines_are_no_headers() {
        let mut scanner = Scanner::default();
        for (line, outside) in [
            ("text = \"\"\"", false),
            ("[[flow]] # no header", false),
            ("end\"\"\"", true),
            ("list = [", false),
            ("[\"a\"],", false),
            ("]", true),
        ] {
            let told = kinds(&mut scanner, line);
            assert!(told.iter().all(|(_, kind)| *kind != Kind::Header), "{line}: {told:?}");
            assert_eq!(scanner.is_outside(), outside, "{line}");
        }
        assert_eq!(kinds(&mut scanner, "[flow]")[0].1, Kind::Header);
        // A text that is not closed ends with its line, and every letter is in some part.
        kinds(&mut scanner, "a = \"no end \\");
        assert!(scanner.is_outside());
        for line in ["é = 'ü", "\u{202e}\"", "{{ \"", "[", "[[", "\\", "''''", "\"\"\"\""] {
            let _ = Scanner::default().line(line);
        }
    }

    #[test]
    fn json_has_keys_before_colons() {
        let told = kinds(&mut Scanner::json(), "{\"ref\": \"main\", \"n\": -1, \"x\": null}");
        assert_eq!(told[1], ("\"ref\"".to_owned(), Kind::Key));
        assert_eq!(told[3], ("\"main\"".to_owned(), Kind::Text));
        assert!(
            told.contains(&("-1".to_owned(), Kind::Number))
                && told.contains(&("null".to_owned(), Kind::Literal))
        );
    }
}
