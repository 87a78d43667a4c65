//! Paths to values: `body.products[0].name`, `body["a.b"]`, `headers["x-request-id"]`.
//!
//! A path prints as a valid template expression (after `request.`, or after `steps.<name>.` for an
//! answer), so no two leaves share one.

use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// The value of a key of an object.
    Key(String),
    /// An element of an array, counted from 0.
    Index(usize),
    /// Any element of an array (`[]`): the filter language alone uses it.
    Any,
}

/// A path; its first segment is the root (`body`, `headers`, `query`, `status`, …).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path(pub Vec<Segment>);

/// Whether a key can be written without quotes: `[A-Za-z_][A-Za-z0-9_]*`.
#[must_use]
pub fn is_identifier(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Appends a segment to a path's text.
pub fn push_segment(text: &mut String, segment: &Segment) {
    use std::fmt::Write as _;
    match segment {
        Segment::Key(key) if is_identifier(key) => {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(key);
        }
        Segment::Key(key) => {
            text.push('[');
            text.push_str(&Value::String(key.clone()).to_string());
            text.push(']');
        }
        Segment::Index(index) => {
            let _ = write!(text, "[{index}]");
        }
        Segment::Any => text.push_str("[]"),
    }
}

impl Path {
    /// The root: the first segment's key.
    #[must_use]
    pub fn root(&self) -> &str {
        match self.0.first() {
            Some(Segment::Key(key)) => key,
            _ => "",
        }
    }

    /// The segments after the root.
    #[must_use]
    pub fn rest(&self) -> &[Segment] {
        self.0.get(1..).unwrap_or_default()
    }

    /// For a path into headers: the header's name in lower case.
    #[must_use]
    pub fn header(&self) -> Option<String> {
        match (self.root(), self.rest()) {
            ("headers", [Segment::Key(name)]) => Some(name.to_ascii_lowercase()),
            _ => None,
        }
    }
}

/// Walks segments into a value.
#[must_use]
pub fn walk<'v>(mut value: &'v Value, segments: &[Segment]) -> Option<&'v Value> {
    for segment in segments {
        value = match segment {
            Segment::Key(key) => value.as_object()?.get(key)?,
            Segment::Index(index) => value.as_array()?.get(*index)?,
            Segment::Any => return None,
        };
    }
    Some(value)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for segment in &self.0 {
            push_segment(&mut text, segment);
        }
        f.write_str(&text)
    }
}

/// Why a text is no path: what was expected, and the byte where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{expected} is expected at {at}")]
pub struct PathError {
    /// What would have fitted.
    pub expected: &'static str,
    /// Byte offset in the text.
    pub at: usize,
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let bytes = text.as_bytes();
        let mut at = 0;
        let mut segments = Vec::new();
        loop {
            match bytes.get(at) {
                Some(b'[') if !segments.is_empty() => at = bracket(text, at + 1, &mut segments)?,
                Some(b'.') if !segments.is_empty() => at = identifier(text, at + 1, &mut segments)?,
                Some(_) if segments.is_empty() => at = identifier(text, at, &mut segments)?,
                None if !segments.is_empty() => return Ok(Self(segments)),
                _ if segments.is_empty() => {
                    return Err(PathError { expected: "a name", at });
                }
                _ => {
                    return Err(PathError { expected: "a dot or a bracket", at });
                }
            }
        }
    }
}

fn identifier(text: &str, from: usize, segments: &mut Vec<Segment>) -> Result<usize, PathError> {
    let len = text[from..].bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let name = &text[from..from + len];
    if !is_identifier(name) {
        return Err(PathError { expected: "a name (others are written [\"…\"])", at: from });
    }
    segments.push(Segment::Key(name.to_owned()));
    Ok(from + len)
}

fn bracket(text: &str, from: usize, segments: &mut Vec<Segment>) -> Result<usize, PathError> {
    let rest = &text[from..];
    let inside = if rest.starts_with(']') {
        segments.push(Segment::Any);
        0
    } else if rest.starts_with('"') {
        let mut keys = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        match keys.next() {
            Some(Ok(key)) => segments.push(Segment::Key(key)),
            _ => {
                return Err(PathError { expected: "a JSON string", at: from });
            }
        }
        keys.byte_offset()
    } else if let Some(quoted) = rest.strip_prefix('\'') {
        let len = quoted.find('\'').ok_or(PathError { expected: "a closing quote", at: from })?;
        segments.push(Segment::Key(quoted[..len].to_owned()));
        len + 2
    } else {
        let len = rest.bytes().take_while(u8::is_ascii_digit).count();
        let index =
            rest[..len].parse().map_err(|_| PathError { expected: "a number or a quoted key", at: from })?;
        segments.push(Segment::Index(index));
        len
    };
    if text.as_bytes().get(from + inside) == Some(&b']') {
        Ok(from + inside + 1)
    } else {
        Err(PathError { expected: "a closing bracket", at: from + inside })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_print_as_they_were_read() {
        for text in [
            "body",
            "body.products[0].name",
            r#"body["a.b"].c"#,
            r#"headers["x-request-id"]"#,
            "body.a[].b",
            r#"body["q\"]"]"#,
            r#"body[""]"#,
        ] {
            assert_eq!(text.parse::<Path>().map(|path| path.to_string()), Ok(text.to_owned()), "{text}");
        }
        assert_eq!("headers['X-A']".parse::<Path>().unwrap().header().as_deref(), Some("x-a"));
    }

    #[test]
    fn a_bad_path_says_what_and_where() {
        for (text, at) in [
            ("", 0),
            ("1a", 0),
            ("body.", 5),
            ("body[", 5),
            ("body[\"a", 5),
            ("body[x]", 5),
            ("body a", 4),
            ("body[99999999999999999999]", 5),
            ("é", 0),
        ] {
            assert_eq!(text.parse::<Path>().unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn walking_follows_keys_and_indexes() {
        let value = serde_json::json!({"a": [{"b c": 1}]});
        let path: Path = r#"body.a[0]["b c"]"#.parse().unwrap();
        assert_eq!(walk(&value, path.rest()), Some(&serde_json::json!(1)));
        let path: Path = "body.a.b".parse().unwrap();
        assert_eq!(walk(&value, path.rest()), None);
    }
}
