//! The small notations of documents: names, sizes, status lists, methods, header names.

use crate::model::document::StatusMatch;

/// 1 to 64 of `[a-z0-9-]`, beginning with a letter or digit.
pub(super) fn is_slug(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with('-')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A flow's id from its first name: lower case, everything else a hyphen.
pub(super) fn slug(name: &str) -> String {
    let mut id = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            id.push(c);
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
        if id.len() >= 60 {
            break;
        }
    }
    let id = id.trim_end_matches('-');
    if id.is_empty() { "flow".to_owned() } else { id.to_owned() }
}

/// An alias: 1 to 64 of `[A-Za-z0-9._~-]`, and no `.` or `..`, which no URL can end in.
pub(super) fn is_alias(path: &str) -> bool {
    (1..=64).contains(&path.len())
        && !matches!(path, "." | "..")
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
}

/// A header's name (a token of RFC 9110).
pub(super) fn is_header_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Headers that the engine or HTTP itself sets, and why.
pub(super) fn reserved_header(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "idempotency-key" => Some("every attempt carries its own"),
        "x-response-url" => Some("write callback = true"),
        "host" | "content-length" | "transfer-encoding" | "connection" | "upgrade" | "te" | "trailer"
        | "expect" => Some("it belongs to the connection"),
        _ if name.starts_with("pointsman-") => Some("Pointsman sets it"),
        _ => None,
    }
}

/// A code or a class: `404`, `2xx`.
pub(super) fn status(text: &str) -> Option<StatusMatch> {
    if let Some(class) = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
        let class = class.parse().ok()?;
        return (1..=5).contains(&class).then_some(StatusMatch::Class(class));
    }
    let code = text.parse().ok()?;
    (text.len() == 3 && (100..=599).contains(&code)).then_some(StatusMatch::Code(code))
}

/// Bytes of a size: `6MiB`, `512KiB`, `1MB`, `100B`.
///
/// # Errors
/// A sentence that says what a size looks like.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no size: write \"6MiB\", \"512KiB\" or \"100B\"");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let scale = match text[digits..].trim() {
        "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "" => return Err(format!("a size needs a unit: \"{text}B\", \"512KiB\", \"6MiB\"")),
        _ => return Err(wrong()),
    };
    number.checked_mul(scale).ok_or_else(wrong)
}
