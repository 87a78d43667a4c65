//! What is kept of an exchange: the request as it was sent, the answer as it came.

use serde::{Deserialize, Serialize};

/// Bytes of a body that are kept in the journal (contract section 8); the rest is cut.
pub const KEPT: usize = 64 << 10;

/// The text of a body as it is kept, and whether it was cut: at most [`KEPT`] bytes, never in the
/// middle of a character; bytes that are not UTF-8 are replaced.
#[must_use]
pub fn keep(body: &[u8]) -> (String, bool) {
    let cut = body.len() > KEPT;
    let head = &body[..body.len().min(KEPT)];
    let head = match std::str::from_utf8(head) {
        // A character that the cut went through is left away whole.
        Err(error) if cut && error.error_len().is_none() => &head[..error.valid_up_to()],
        _ => head,
    };
    let mut text = String::from_utf8_lossy(head).into_owned();
    // Replacement characters are longer than the bytes that they stand for.
    if text.len() > KEPT {
        let mut end = KEPT;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        return (text, true);
    }
    (text, cut)
}

/// A request as it was sent, secrets masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Sent {
    /// Of the request.
    pub method: String,
    /// With secrets masked and the callback's token as `•••`.
    pub url: String,
    /// In order, with secrets masked.
    pub headers: Vec<(String, String)>,
    /// Text, capped at 64 KiB; `None` without a body.
    pub body: Option<String>,
    /// The body is the incoming request's own, and is not kept twice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_body: bool,
    /// Only the first 64 KiB are kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Got {
    /// Its code.
    pub status: u16,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// Text, capped at 64 KiB.
    pub body: String,
    /// Only the first 64 KiB are kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// It was longer than what is read of an answer: no value is taken from its body.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// It is not UTF-8: the text is only for looking at, and no value is taken from it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binary: bool,
}

impl Got {
    /// An answer as it is kept; `whole` where nothing of the body is missing.
    #[must_use]
    pub fn of(status: u16, headers: Vec<(String, String)>, body: &[u8], whole: bool) -> Self {
        let (text, cut) = keep(body);
        let binary = match std::str::from_utf8(body) {
            Ok(_) => false,
            // A character that the end of what was read went through tells nothing.
            Err(error) => whole || error.error_len().is_some(),
        };
        Self { status, headers, body: text, cut: cut || !whole, over: !whole, binary }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_kept_whole_up_to_the_bound_and_cut_past_it() {
        let whole = vec![b'a'; KEPT];
        assert_eq!(keep(&whole), ("a".repeat(KEPT), false));
        let over = vec![b'a'; KEPT + 1];
        assert_eq!(keep(&over), ("a".repeat(KEPT), true));
        let mut split = vec![b'a'; KEPT - 1];
        split.extend_from_slice("é".as_bytes());
        assert_eq!(keep(&split), ("a".repeat(KEPT - 1), true));
        let (text, cut) = keep(&vec![0xff; KEPT]);
        assert!(text.len() <= KEPT && cut);
        assert_eq!(keep(b"a\xffb"), ("a\u{fffd}b".to_owned(), false));
    }

    #[test]
    fn an_answer_says_that_it_is_binary_or_too_long() {
        let of = |body: &[u8], whole| {
            let got = Got::of(200, Vec::new(), body, whole);
            (got.binary, got.over, got.cut)
        };
        assert_eq!(of("é".as_bytes(), true), (false, false, false));
        assert_eq!(of(b"\x89PNG\xff", true), (true, false, false));
        assert_eq!(of(b"a\xc3", true), (true, false, false));
        assert_eq!(of(b"a\xc3", false), (false, true, true));
        assert_eq!(of(b"a\xffb", false), (true, true, true));
    }
}
