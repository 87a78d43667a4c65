//! `mask`: values that nobody is shown. They are kept as they came, since templates need them; what
//! is shown, filtered, exported or copied is made of a request in which `•••` stands in their place.

use super::json::{BodyError, Cursor, Head};
use crate::model::headers::{Headers, is_credential};
use crate::model::path::{Path, Segment};
use crate::model::request::{RequestData, Seed};
use serde_json::Value;
use std::borrow::Cow;

/// What stands for a masked value.
pub const MASK: &str = "•••";
/// The same, as a JSON text.
const QUOTED: &[u8] = "\"•••\"".as_bytes();
/// The same, in a query.
pub const IN_QUERY: &str = "%E2%80%A2%E2%80%A2%E2%80%A2";
/// Texts that are looked for elsewhere, at most; and the shortest: anything shorter is found
/// everywhere and tells nothing.
const TRACES: (usize, usize) = (1_000, 4);

/// A request as it may be shown.
#[must_use]
pub fn seed(paths: &[Path], seed: &Seed) -> Seed {
    if paths.is_empty() {
        return seed.clone();
    }
    Seed {
        headers: headers(paths, &seed.headers),
        query: query(paths, &seed.query).into_owned(),
        body: body(paths, &seed.body).into_owned().into(),
        ..seed.clone()
    }
}

/// A body with `"•••"` in place of each masked value, every other byte as it came. Of a repeated key
/// every value is masked. What cannot be read as JSON (a broken body, one that was cut) is shown up
/// to there, and `•••` for the rest: it could hold anything.
#[must_use]
pub fn body<'b>(paths: &[Path], bytes: &'b [u8]) -> Cow<'b, [u8]> {
    let tracks: Vec<&[Segment]> = paths.iter().filter(|path| path.root() == "body").map(Path::rest).collect();
    if tracks.is_empty() || bytes.is_empty() {
        return Cow::Borrowed(bytes);
    }
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) => error.valid_up_to(),
    };
    let readable = &bytes[..valid];
    let mut scan = match Cursor::new(readable) {
        Ok(cursor) => Scan { cursor, spans: Vec::new(), open: None },
        Err(_) => return Cow::Borrowed(QUOTED),
    };
    let read = scan.value(&tracks).and_then(|()| scan.cursor.end());
    let end = match read {
        Ok(()) if valid == bytes.len() => None,
        Ok(()) => Some(valid),
        Err(_) => Some(scan.open.unwrap_or_else(|| scan.cursor.at())),
    };
    if scan.spans.is_empty() && end.is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    for (from, to) in scan.spans {
        out.extend_from_slice(&bytes[copied..from]);
        out.extend_from_slice(QUOTED);
        copied = to;
    }
    match end {
        Some(end) => {
            out.extend_from_slice(&bytes[copied..end.max(copied)]);
            out.extend_from_slice(MASK.as_bytes());
        }
        None => out.extend_from_slice(&bytes[copied..]),
    }
    Cow::Owned(out)
}

struct Scan<'b> {
    cursor: Cursor<'b>,
    /// Bytes of masked values, in order.
    spans: Vec<(usize, usize)>,
    /// Where the masked value begins that is being read.
    open: Option<usize>,
}

impl Scan<'_> {
    /// Reads a value; `tracks` are what is left of the paths that lead to it.
    fn value(&mut self, tracks: &[&[Segment]]) -> Result<(), BodyError> {
        let before = self.cursor.at();
        let masked = tracks.iter().any(|track| track.is_empty());
        if masked {
            self.open = Some(before);
        }
        let head = self.cursor.value()?;
        let below = |is_next: &dyn Fn(&Segment) -> bool| -> Vec<&[Segment]> {
            if masked {
                return Vec::new();
            }
            tracks
                .iter()
                .filter_map(|track| track.split_first().filter(|(first, _)| is_next(first)))
                .map(|(_, rest)| rest)
                .collect()
        };
        match head {
            Head::Array => {
                let mut index = 0;
                while self.cursor.element(index == 0)? {
                    let next = below(&|segment| match segment {
                        Segment::Index(wanted) => *wanted == index,
                        Segment::Any => true,
                        Segment::Key(_) => false,
                    });
                    self.value(&next)?;
                    index += 1;
                }
            }
            Head::Object => {
                let mut first = true;
                while let Some(key) = self.cursor.key(first)? {
                    first = false;
                    let next = below(&|segment| matches!(segment, Segment::Key(name) if key.is(name)));
                    self.value(&next)?;
                }
            }
            Head::Null | Head::Bool(_) | Head::Number(_) | Head::String(_) => {}
        }
        if masked {
            let text = self.cursor.since(before);
            let from = self.cursor.at() - text.trim_start().len();
            self.spans.push((from, self.cursor.at()));
            self.open = None;
        }
        Ok(())
    }
}

/// Header lines with `•••` in place of masked values. Credentials are left to who shows them.
#[must_use]
pub fn headers(paths: &[Path], headers: &Headers) -> Headers {
    let all = paths.iter().any(|path| path.root() == "headers" && path.rest().is_empty());
    let names: Vec<String> = paths.iter().filter_map(Path::header).collect();
    if names.is_empty() && !all {
        return headers.clone();
    }
    headers.relined(headers.iter().map(|(name, value)| {
        let text = String::from_utf8_lossy(name);
        let masked = all || names.iter().any(|other| text.eq_ignore_ascii_case(other));
        (name, if masked && !headers.hides(&text) { MASK.as_bytes() } else { value })
    }))
}

/// A query string with `•••` in place of masked values.
#[must_use]
pub fn query<'q>(paths: &[Path], query: &'q str) -> Cow<'q, str> {
    let wanted = |name: &str| {
        paths.iter().filter(|path| path.root() == "query").any(|path| match path.rest() {
            [] => true,
            [Segment::Key(other), ..] => other == name,
            _ => false,
        })
    };
    if query.is_empty() || !paths.iter().any(|path| path.root() == "query") {
        return Cow::Borrowed(query);
    }
    let parts: Vec<Cow<'_, str>> = query
        .split('&')
        .map(|part| {
            let written = part.split('=').next().unwrap_or_default();
            let name = url::form_urlencoded::parse(written.as_bytes()).next();
            match name {
                Some((name, _)) if wanted(&name) => Cow::Owned(format!("{written}={IN_QUERY}")),
                _ => Cow::Borrowed(part),
            }
        })
        .collect();
    Cow::Owned(parts.join("&"))
}

/// The masked values of a request as texts: what is hidden where they turn up again, in what was
/// sent, in answers, outputs and causes. Values of fewer than four characters are not followed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Traces {
    texts: Vec<String>,
    /// They could not be read: nothing is shown.
    unknown: bool,
}

impl Traces {
    /// Of a request as it came.
    #[must_use]
    pub fn of(paths: &[Path], data: &RequestData) -> Self {
        let mut texts = Vec::new();
        for path in paths {
            match (path.root(), path.rest()) {
                ("body", rest) => reach(&data.body, rest, &mut |value| leaves(value, &mut texts)),
                ("headers", rest) => {
                    let wanted = path.header();
                    let fits = |name: &String| rest.is_empty() || wanted.as_ref() == Some(name);
                    let found = data.headers.iter().filter(|(name, _)| fits(name) && !is_credential(name));
                    texts.extend(found.map(|(_, value)| value.clone()));
                }
                ("query", []) => data.query.values().for_each(|value| leaves(value, &mut texts)),
                ("query", [Segment::Key(name), ..]) => {
                    data.query.get(name).into_iter().for_each(|value| leaves(value, &mut texts));
                }
                _ => {}
            }
        }
        Self::of_texts(texts)
    }

    /// Of texts that are to be shown nowhere, in the ways in which URLs, forms and JSON write them.
    #[must_use]
    pub fn of_texts(texts: Vec<String>) -> Self {
        let mut forms = Vec::new();
        for text in texts.into_iter().filter(|text| text.chars().count() >= TRACES.1).take(TRACES.0) {
            let escaped = Value::from(text.as_str()).to_string();
            let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            let escaped = escaped.get(1..escaped.len() - 1).unwrap_or_default();
            forms.push(escaped.replace('/', "\\/"));
            forms.push(escaped.to_owned());
            let mut segment = String::new();
            super::template::encode(&mut segment, &text);
            forms.push(small_escapes(&segment));
            forms.push(segment);
            forms.push(encoded.replace('+', "%20"));
            forms.push(encoded);
            forms.push(text);
        }
        // The longer ones first: one may be part of another.
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self { texts: forms, unknown: false }
    }

    /// Of a request that could not be read.
    #[must_use]
    pub fn unknown() -> Self {
        Self { texts: Vec::new(), unknown: true }
    }

    /// Whether there is nothing to hide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty() && !self.unknown
    }

    /// A text without them.
    #[must_use]
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.unknown && !text.is_empty() {
            return Cow::Borrowed(MASK);
        }
        let mut shown = Cow::Borrowed(text);
        for trace in &self.texts {
            if shown.contains(trace.as_str()) {
                shown = Cow::Owned(shown.replace(trace.as_str(), MASK));
            }
        }
        shown
    }

    /// The same, in place.
    pub fn hide_in(&self, text: &mut String) {
        let shown = self.hide(text);
        if shown != text.as_str() {
            *text = shown.into_owned();
        }
    }

    /// The same for a body: one that is JSON stays JSON.
    pub fn hide_in_body(&self, body: &mut String) {
        if self.hide(body) == body.as_str() {
            return;
        }
        match super::json::parse(body.as_bytes()) {
            Ok(mut value) => {
                self.hide_value(&mut value);
                *body = value.to_string();
                // In a name, or across values.
                self.hide_in(body);
            }
            Err(_) => self.hide_in(body),
        }
    }

    /// A value without them: a leaf that holds one becomes a text.
    pub fn hide_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.hide_in(text),
            Value::Number(number) => {
                let shown = self.hide(number.as_str());
                if shown != number.as_str() {
                    *value = Value::from(shown.into_owned());
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.hide_value(value)),
            Value::Object(map) => map.values_mut().for_each(|value| self.hide_value(value)),
            Value::Null | Value::Bool(_) => {}
        }
    }
}

/// `%2F` as `%2f`, which others write.
fn small_escapes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut small = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        small.push('%');
        small.push_str(&hex.to_ascii_lowercase());
        small.push_str(rest);
    }
    small
}

fn reach(value: &Value, path: &[Segment], found: &mut dyn FnMut(&Value)) {
    let Some((first, rest)) = path.split_first() else { return found(value) };
    match (first, value) {
        (Segment::Key(key), Value::Object(map)) => {
            if let Some(value) = map.get(key) {
                reach(value, rest, found);
            }
        }
        (Segment::Index(index), Value::Array(list)) => {
            if let Some(value) = list.get(*index) {
                reach(value, rest, found);
            }
        }
        (Segment::Any, Value::Array(list)) => list.iter().for_each(|value| reach(value, rest, found)),
        _ => {}
    }
}

fn leaves(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Number(number) => texts.push(number.as_str().to_owned()),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, texts)),
        Value::Object(map) => map.values().for_each(|value| leaves(value, texts)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests;
