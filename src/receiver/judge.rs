//! The pure parts of judging a request: everything that needs neither store nor socket.

use super::answer::Problem;
use super::body::Unread;
use super::gunzip::Torn;
use crate::model::Ms;
use crate::model::document::Webhook;
use crate::model::headers::Headers;
pub(super) use crate::rules::judge::Content;
use crate::rules::judge::{self, Refused, quoted};
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt::Write as _;
use warp::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING,
};
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

/// Bytes of a request's line and headers at most, as they were sent.
pub(super) const MAX_HEAD: usize = 16 << 10;

/// Why a head cannot be gone by, wherever it leads: it is too long, or it does not say clearly whom it
/// is for (RFC 9112, section 3.2).
pub(super) fn fault(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Problem> {
    let len = head_len(method, uri, headers);
    if len > MAX_HEAD {
        let cause = format!("the request line and headers have {len} bytes, {MAX_HEAD} are the most");
        return Some(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, cause));
    }
    judge::host(headers.get_all(HOST).iter().count()).err().map(Problem::from)
}

/// Bytes of a line and its end, of each header and its end, and of the empty line.
fn head_len(method: &Method, uri: &Uri, headers: &HeaderMap) -> usize {
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    // Of a target in absolute form: its scheme and authority too.
    let before = uri.scheme_str().map_or(0, |scheme| scheme.len() + "://".len())
        + uri.authority().map_or(0, |authority| authority.as_str().len());
    let line = method.as_str().len() + before + target + "  HTTP/1.1\r\n".len();
    let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    line + lines.sum::<usize>() + "\r\n".len()
}

/// Endpoint and rest of a path under `/in/`; `None` where it is not there.
pub(super) fn endpoint(path: &str) -> Option<(Cow<'_, str>, &str)> {
    let path = path.strip_prefix("/in/")?;
    let (endpoint, rest) = path.split_once('/').unwrap_or((path, ""));
    (!endpoint.is_empty()).then(|| (unescaped(endpoint), rest))
}

/// `%7E` and `~` are the same (RFC 3986, section 6.2.2.2).
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = match after {
            [high, low, ..] if *first == b'%' => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                digit(high).zip(digit(low)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
            }
            _ => None,
        };
        bytes.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// What `Allow` says: the methods that begin runs, and those that are always answered.
pub(super) fn allow(hook: &Webhook) -> String {
    let mut all = String::new();
    for method in hook.methods.iter().map(String::as_str).chain(["GET", "HEAD", "OPTIONS"]) {
        if !all.split(", ").any(|other| other == method) {
            let _ = write!(all, "{}{method}", if all.is_empty() { "" } else { ", " });
        }
    }
    all
}

/// Whether the method begins a run.
///
/// # Errors
/// 405 with `Allow`.
pub(super) fn method(hook: &Webhook, method: &Method) -> Result<(), Problem> {
    if hook.methods.iter().any(|listed| listed == method.as_str()) {
        return Ok(());
    }
    let cause = format!("{} is not in methods", quoted(method.as_str().as_bytes()));
    Err(Problem::method(cause, &allow(hook)))
}

/// How a body says that it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Framing {
    /// `Content-Length`.
    pub(super) declared: Option<u64>,
    /// There is a `Transfer-Encoding`.
    pub(super) chunked: bool,
}

/// Reads the framing; hyper has refused what contradicts itself.
pub(super) fn framing(headers: &HeaderMap) -> Framing {
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    Framing {
        declared: declared.and_then(|text| text.trim().parse().ok()),
        chunked: headers.contains_key(TRANSFER_ENCODING),
    }
}

/// Whether the declared length is within bounds.
///
/// # Errors
/// 413.
pub(super) fn declared_length(framing: Framing, max: u64) -> Result<(), Problem> {
    match framing.declared {
        Some(len) if len > max => Err(judge::too_long(Some(len), max).into()),
        _ => Ok(()),
    }
}

/// Why a body could not be read, as its sender is told: 413, 408 or 400. `deadline` is the one for
/// bodies, `came` how many bytes there are.
pub(super) fn unread(failed: Unread, max: u64, deadline: Ms, framing: Framing, came: usize) -> Problem {
    match failed {
        Unread::TooLong => judge::too_long(None, max).into(),
        Unread::NoRoom => Problem::unavailable(),
        Unread::Late => {
            let cause = format!("the body did not come within {} s", deadline as f64 / 1_000.0);
            Problem::new(StatusCode::REQUEST_TIMEOUT, cause)
        }
        Unread::Broken => bad_request(match framing.declared {
            Some(declared) => format!("the body broke off after {came} of {declared} bytes"),
            None => format!("the body broke off after {came} bytes"),
        }),
    }
}

/// Judges `Transfer-Encoding`: chunks are how a body comes; any coding beside them would have to be
/// undone.
///
/// # Errors
/// 415.
fn transfer(headers: &HeaderMap) -> Result<(), Problem> {
    for value in headers.get_all(TRANSFER_ENCODING) {
        for coding in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if !coding.is_empty() && !coding.eq_ignore_ascii_case(b"chunked") {
                return Err(unsupported(format!("Transfer-Encoding is {}", quoted(coding))));
            }
        }
    }
    Ok(())
}

/// Judges `Content-Type`; see [`encoding`] for what else is a 415.
///
/// # Errors
/// 415.
pub(super) fn content(headers: &HeaderMap, framing: Framing) -> Result<Content, Problem> {
    transfer(headers)?;
    let types = headers.get_all(CONTENT_TYPE).iter().map(HeaderValue::as_bytes);
    Ok(judge::content(types, framing.chunked, framing.declared)?)
}

/// Judges `Content-Encoding`; whether the body comes gzipped. `gzip` and its old name `x-gzip` are
/// one (RFC 9110, section 8.4.1.3), in any case; `identity` and nothing are none.
///
/// # Errors
/// 415 with `Accept-Encoding`: another encoding, or more than one.
pub(super) fn encoding(headers: &HeaderMap) -> Result<bool, Problem> {
    let mut gzip = false;
    for value in headers.get_all(CONTENT_ENCODING) {
        for name in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            let known = name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip");
            if !known || gzip {
                let twice = if known { " twice" } else { "" };
                let header = Some(Box::new((ACCEPT_ENCODING, HeaderValue::from_static("gzip, identity"))));
                let cause = format!("Content-Encoding is {}{twice}", quoted(name));
                return Err(Problem { header, ..unsupported(cause) });
            }
            gzip = true;
        }
    }
    Ok(gzip)
}

/// Why a gzip body could not be expanded, as its sender is told: 413, 503 or 400.
pub(super) fn torn(torn: Torn, max: u64) -> Problem {
    match torn {
        Torn::TooLong => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is over {} once expanded", judge::figure(max)),
        ),
        Torn::NoRoom => Problem::unavailable(),
        Torn::Broken(why) => bad_request(format!("the body is no sound gzip: {}", quoted(why.as_bytes()))),
    }
}

fn unsupported(cause: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, cause)
}

/// `Pointsman-Hops`: the largest of what was sent. What is no number counts as 0, since it was
/// not one of us who wrote it.
pub(super) fn hops(headers: &HeaderMap) -> u32 {
    let count = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().unwrap_or(u32::MAX) } else { 0 }
    };
    let values = headers.get_all("pointsman-hops").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|part| count(part.trim())).max().unwrap_or(0)
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
        Self::new(status, refused.cause)
    }
}

/// 400 for a cause.
pub(super) fn bad_request(cause: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, cause)
}

/// The headers of a refused request as one blob, and whether it was cut: at most [`MAX_HEAD`] bytes,
/// whole lines.
pub(super) fn first_headers(map: &HeaderMap) -> (Headers, bool) {
    let mut len = 0;
    let mut kept = HeaderMap::new();
    for (name, value) in map {
        len += name.as_str().len() + value.len() + 3;
        if len > MAX_HEAD {
            return (headers(&kept), true);
        }
        kept.append(name, value.clone());
    }
    (headers(map), false)
}

/// The headers as one blob.
pub(super) fn headers(map: &HeaderMap) -> Headers {
    let len = map.iter().map(|(name, value)| name.as_str().len() + value.len() + 3).sum();
    let mut blob = Vec::with_capacity(len);
    for (name, value) in map {
        blob.extend_from_slice(name.as_str().as_bytes());
        blob.extend_from_slice(b": ");
        blob.extend_from_slice(value.as_bytes());
        blob.push(b'\n');
    }
    Headers::from_blob(Bytes::from(blob))
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
