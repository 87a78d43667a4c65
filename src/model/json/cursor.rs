//! The cursor: reads a JSON text value by value, front to back, without allocating.

use super::{BodyError, MAX_DEPTH, MAX_VALUES};
use std::borrow::Cow;

/// The beginning of a value: scalars whole, containers opened.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Head<'b> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Its text.
    Number(&'b str),
    /// Still escaped.
    String(Text<'b>),
    /// Opened: read on with [`Cursor::element`].
    Array,
    /// Opened: read on with [`Cursor::key`].
    Object,
}

/// A string between its quotes, known to be valid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'b> {
    raw: &'b str,
    escaped: bool,
}

impl<'b> Text<'b> {
    /// What it says.
    pub(crate) fn decode(self) -> Cow<'b, str> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }

    /// Whether it says this.
    pub(crate) fn is(self, other: &str) -> bool {
        if self.escaped { unescape(self.raw) == other } else { self.raw == other }
    }
}

/// Where a reader stands in a JSON text.
#[derive(Debug)]
pub(crate) struct Cursor<'b> {
    text: &'b str,
    at: usize,
    depth: usize,
    values: usize,
    bounds: Bounds,
}

/// What a text may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Containers within one another.
    pub(crate) depth: usize,
    /// Values, containers among them.
    pub(crate) values: usize,
}

impl Bounds {
    /// Of what senders send.
    pub(crate) const BODY: Self = Self { depth: MAX_DEPTH, values: MAX_VALUES };
    /// Of what targets answer: its length is bounded where it comes from.
    pub(crate) const ANSWER: Self = Self { depth: MAX_DEPTH, values: usize::MAX };
    /// Of what was written here around a body or an answer: deep enough for the envelope, and for
    /// the stack of any thread.
    pub(crate) const KEPT: Self = Self { depth: MAX_DEPTH + 32, values: usize::MAX };
}

/// How many bytes of a string go by until a quote, a backslash or a control: eight at a time, since
/// most of a body is inside its strings.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        // A borrow can only mark bytes after one that is marked rightly: the first is exact.
        let found = (quote | backslash | control) & HIGH;
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let tail = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'));
    words.len() * 8 + tail.unwrap_or(rest.len())
}

impl<'b> Cursor<'b> {
    /// At the beginning of a body.
    ///
    /// # Errors
    /// The body is not UTF-8.
    pub(crate) fn new(body: &'b [u8]) -> Result<Self, BodyError> {
        Self::within(body, Bounds::BODY)
    }

    /// At the beginning of a text that may hold this much.
    ///
    /// # Errors
    /// The text is not UTF-8.
    pub(crate) fn within(text: &'b [u8], bounds: Bounds) -> Result<Self, BodyError> {
        match std::str::from_utf8(text) {
            Ok(text) => Ok(Self { text, at: 0, depth: 0, values: 0, bounds }),
            Err(error) => {
                let valid = std::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default();
                Err(not_json(valid, valid.len(), "UTF-8 is expected"))
            }
        }
    }

    /// Values begun so far.
    pub(crate) fn values(&self) -> usize {
        self.values
    }

    /// Bytes read so far.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The text from a byte to here.
    pub(crate) fn since(&self, from: usize) -> &'b str {
        &self.text[from..self.at]
    }

    /// Reads the beginning of a value.
    ///
    /// # Errors
    /// See [`BodyError`]; also of the functions below.
    pub(crate) fn value(&mut self) -> Result<Head<'b>, BodyError> {
        self.skip_space();
        let Some(byte) = self.peek() else { return Err(self.expected("a value is expected")) };
        self.values += 1;
        if self.values > self.bounds.values {
            return Err(BodyError::TooMany);
        }
        match byte {
            b'"' => self.string().map(Head::String),
            b'{' => self.open().map(|()| Head::Object),
            b'[' => self.open().map(|()| Head::Array),
            b'-' | b'0'..=b'9' => self.number().map(Head::Number),
            b't' => self.literal("true").map(|()| Head::Bool(true)),
            b'f' => self.literal("false").map(|()| Head::Bool(false)),
            b'n' => self.literal("null").map(|()| Head::Null),
            _ if self.text[self.at..].starts_with('\u{feff}') => {
                Err(self.expected("a value is expected, not a byte order mark"))
            }
            _ => Err(self.expected("a value is expected")),
        }
    }

    /// Whether another element of the open array follows; closes the array where none does.
    pub(crate) fn element(&mut self, first: bool) -> Result<bool, BodyError> {
        self.skip_space();
        match self.peek() {
            Some(b']') => {
                self.close();
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                self.skip_space();
                match self.peek() {
                    Some(b']') => Err(self.expected("a value is expected after the comma")),
                    _ => Ok(true),
                }
            }
            Some(_) if first => Ok(true),
            _ if first => Err(self.expected("a value or ] is expected")),
            _ => Err(self.expected("a comma or ] is expected")),
        }
    }

    /// The next key of the open object, its colon read; closes the object where none follows.
    pub(crate) fn key(&mut self, first: bool) -> Result<Option<Text<'b>>, BodyError> {
        self.skip_space();
        match self.peek() {
            Some(b'}') => {
                self.close();
                return Ok(None);
            }
            Some(b'"') if first => {}
            Some(b',') if !first => {
                self.at += 1;
                self.skip_space();
                if self.peek() != Some(b'"') {
                    return Err(self.expected("a quoted key is expected after the comma"));
                }
            }
            _ if first => return Err(self.expected("a quoted key or } is expected")),
            _ => return Err(self.expected("a comma or } is expected")),
        }
        let key = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.expected("a colon is expected after the key"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Checks that nothing but space follows.
    pub(crate) fn end(&mut self) -> Result<(), BodyError> {
        self.skip_space();
        if self.at == self.text.len() {
            return Ok(());
        }
        Err(self.expected("nothing more is expected after the value"))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn open(&mut self) -> Result<(), BodyError> {
        self.at += 1;
        self.depth += 1;
        if self.depth > self.bounds.depth { Err(BodyError::TooDeep) } else { Ok(()) }
    }

    fn close(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    fn literal(&mut self, word: &'static str) -> Result<(), BodyError> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.expected(&format!("{word} is expected")))
    }

    fn number(&mut self) -> Result<&'b str, BodyError> {
        let from = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.expected("no digit is expected after a leading 0"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.since(from))
    }

    fn digits(&mut self) -> Result<(), BodyError> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == from { Err(self.expected("a digit is expected")) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Text<'b>, BodyError> {
        let bytes = self.text.as_bytes();
        let from = self.at + 1;
        self.at = from;
        let mut escaped = false;
        loop {
            self.at += plain(&bytes[self.at..]);
            match bytes.get(self.at) {
                Some(b'"') => {
                    let raw = self.since(from);
                    self.at += 1;
                    return Ok(Text { raw, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.expected("an escape is expected for a control character")),
                None => return Err(self.expected("a closing quote is expected")),
            }
        }
    }

    /// Checks an escape, from its backslash on.
    fn escape(&mut self) -> Result<(), BodyError> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                let begin = self.at - 1;
                match self.hex()? {
                    0xdc00..=0xdfff => {
                        self.at = begin;
                        Err(self.expected("the first half of a surrogate pair is expected"))
                    }
                    0xd800..=0xdbff => {
                        let second = self.at;
                        let paired = self.text[second..].starts_with("\\u") && {
                            self.at += 1;
                            matches!(self.hex()?, 0xdc00..=0xdfff)
                        };
                        if paired {
                            return Ok(());
                        }
                        self.at = second;
                        Err(self.expected("the second half of a surrogate pair is expected"))
                    }
                    _ => Ok(()),
                }
            }
            _ => Err(self.expected("one of \" \\ / b f n r t u is expected after \\")),
        }
    }

    /// Reads `uXXXX`.
    fn hex(&mut self) -> Result<u32, BodyError> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.expected("four hex digits are expected")) };
            unit = unit << 4 | digit;
            self.at += 1;
        }
        Ok(unit)
    }

    #[cold]
    fn expected(&self, what: &str) -> BodyError {
        not_json(self.text, self.at, what)
    }
}

#[cold]
fn not_json(text: &str, at: usize, expected: &str) -> BodyError {
    let before = &text[..at];
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    BodyError::NotJson {
        line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        column: before[line..].chars().count() + 1,
        expected: expected.to_owned(),
    }
}

/// The text of a valid raw string.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let kind = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or_default();
        text.push(match kind {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = unit(rest);
                rest = rest.get(4..).unwrap_or_default();
                let pair = (0xd800..0xdc00).contains(&first);
                let code = if pair {
                    let second = unit(rest.get(2..).unwrap_or_default());
                    rest = rest.get(6..).unwrap_or_default();
                    0x10000 + ((first - 0xd800) << 10) + (second & 0x3ff)
                } else {
                    first
                };
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            other => char::from(other),
        });
    }
    text.push_str(rest);
    text
}

fn unit(hex: &str) -> u32 {
    hex.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
