//! URLs from templates: what comes from outside can fill a path segment or a query value, and never
//! form scheme, user, host or port.

use super::leaf::{Leaf, Rendered, as_text, value};
use super::syntax::{Piece, Shape};
use super::value::Scope;

/// Bytes of a URL.
const MAX_URL: usize = 32 << 10;

/// The URL of a step: its connection's `base_url`, then its own.
#[derive(Debug, Clone)]
pub(crate) struct UrlTemplate {
    pub(super) base: Option<Leaf>,
    pub(super) own: Leaf,
}

impl UrlTemplate {
    /// Renders it; the result is an absolute http(s) URL.
    ///
    /// # Errors
    /// In words.
    pub(super) fn render(&self, scope: &Scope<'_>) -> Result<String, String> {
        let mut url = String::new();
        if let Some(base) = &self.base {
            append(&mut url, base, scope)?;
            self.join(&mut url);
        }
        append(&mut url, &self.own, scope)?;
        if url.len() > MAX_URL {
            return Err("the URL is longer than 32 KiB".to_owned());
        }
        check(&url, scope)?;
        Ok(url)
    }

    /// Exactly one slash between `base_url` and a path.
    fn join(&self, url: &mut String) {
        let Shape::Pieces(own) = &self.own.parsed.shape else { return };
        let begin = match own.first() {
            None => return,
            Some(Piece::Raw(raw)) if raw.is_empty() || raw.starts_with(['?', '#']) => return,
            Some(Piece::Raw(raw)) => raw.starts_with('/'),
            Some(Piece::Insert(_)) => false,
        };
        match (url.ends_with('/'), begin) {
            (true, true) => drop(url.pop()),
            (false, false) if !url.contains('?') => url.push('/'),
            _ => {}
        }
    }

    /// Scheme, host and port with the values of `config` and `webhook_urls` alone.
    pub(super) fn target(&self, scope: &Scope<'_>) -> Option<url::Url> {
        let Shape::Pieces(pieces) = &self.base.as_ref().unwrap_or(&self.own).parsed.shape else {
            return None;
        };
        let mut url = String::new();
        for piece in pieces {
            match piece {
                Piece::Raw(raw) => url.push_str(raw),
                Piece::Insert(insert) if insert.settled => match value(insert, scope).ok()? {
                    Rendered::Value(value) => url.push_str(&as_text(&value)),
                    Rendered::Missing(_) => return None,
                },
                Piece::Insert(_) => break,
            }
        }
        let end = authority_end(&url)?;
        url::Url::parse(&url[..end]).ok()
    }

    /// Scheme, host and port, where the document alone decides them.
    pub(super) fn fixed_host(&self) -> Option<String> {
        let leaf = self.base.as_ref().unwrap_or(&self.own);
        let Shape::Pieces(pieces) = &leaf.parsed.shape else { return None };
        let Some(Piece::Raw(raw)) = pieces.first() else { return None };
        let end = authority_end(raw)?;
        if end == raw.len() && (pieces.len() > 1) {
            return None;
        }
        let url = url::Url::parse(&raw[..end]).ok()?;
        Some(url.origin().ascii_serialization())
    }
}

/// Where the authority of `http://host:port/…` ends; `None` without `http://` or `https://`, or with
/// nothing behind it (a URL reader would take the first path segment for the host).
pub(crate) fn authority_end(url: &str) -> Option<usize> {
    let scheme = ["http://", "https://"]
        .into_iter()
        .find(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let rest = &url[scheme.len()..];
    let authority = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    (authority > 0).then_some(scheme.len() + authority)
}

fn append(url: &mut String, leaf: &Leaf, scope: &Scope<'_>) -> Result<(), String> {
    let Shape::Pieces(pieces) = &leaf.parsed.shape else {
        return Err("a URL takes {{ … }} alone, no statements".to_owned());
    };
    for piece in pieces {
        match piece {
            Piece::Raw(raw) => url.push_str(raw),
            Piece::Insert(insert) => {
                let text = match value(insert, scope)? {
                    Rendered::Value(serde_json::Value::Null) => {
                        return Err(format!("{} is null", insert.source.trim()));
                    }
                    Rendered::Value(value) => as_text(&value),
                    Rendered::Missing(why) => return Err(why),
                };
                let authority_is_over = authority_end(url).is_some_and(|end| end < url.len());
                if authority_is_over {
                    if insert.safe {
                        url.push_str(&text);
                    } else {
                        encode(url, &text);
                    }
                } else if !insert.settled {
                    return Err(format!(
                        "{} would form scheme, user, host or port of the URL: begin it with a value of config",
                        insert.source.trim()
                    ));
                } else if url.is_empty()
                    || text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
                {
                    url.push_str(&text);
                } else {
                    return Err(format!("{} is no part of a host", insert.source.trim()));
                }
            }
        }
    }
    Ok(())
}

/// Percent-encodes everything but the unreserved characters of RFC 3986: right for a path segment
/// and for a query value.
pub(crate) fn encode(into: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(char::from(HEX[usize::from(byte >> 4)]));
            into.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

fn check(url: &str, scope: &Scope<'_>) -> Result<(), String> {
    let shown = || {
        // Before it is cut: a half of a secret is not known as one.
        let mut url = url.to_owned();
        scope.context.secrets.hide(&mut url);
        url.chars().take(200).collect::<String>()
    };
    if url.chars().any(char::is_control) {
        return Err("the URL holds a control character".to_owned());
    }
    let Some(end) = authority_end(url) else {
        return Err(format!("{:?} is no absolute http:// or https:// URL", shown()));
    };
    let parsed = url::Url::parse(url).map_err(|error| format!("{:?} is no URL: {error}", shown()))?;
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err(format!("{:?} has no host", shown()));
    }
    // `..` would climb out of the path that the document wrote, also as %2e%2e.
    let path = url[end..].split(['?', '#']).next().unwrap_or_default();
    let dots = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    };
    if path.split(['/', '\\']).any(dots) {
        return Err("a path segment of the URL is `.` or `..`".to_owned());
    }
    Ok(())
}
