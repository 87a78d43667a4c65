//! The filters and tests of templates: the engine's own under bounds, and those that it lacks.

use super::bound::{MAX_VALUES, Stop, spend, text, weigh, work};
use super::operators::BASE;
use super::value::{plain, to_json};
use minijinja::value::{Value as Jinja, ValueKind};
use minijinja::{Error, ErrorKind, State};
use std::fmt::Write;

/// Widths and counts that filters take.
const MAX_WIDTH: i64 = 10_000;

/// The filters that templates may use.
pub(crate) const FILTERS: &[&str] = &[
    "safe",
    "escape",
    "e",
    "lower",
    "upper",
    "title",
    "capitalize",
    "replace",
    "length",
    "count",
    "dictsort",
    "items",
    "reverse",
    "trim",
    "join",
    "split",
    "lines",
    "default",
    "d",
    "round",
    "abs",
    "int",
    "float",
    "attr",
    "first",
    "last",
    "min",
    "max",
    "sort",
    "list",
    "string",
    "bool",
    "batch",
    "slice",
    "sum",
    "indent",
    "select",
    "reject",
    "selectattr",
    "rejectattr",
    "map",
    "groupby",
    "unique",
    "chain",
    "zip",
    "pprint",
    "format",
    "tojson",
    "urlencode",
    "truncate",
];
/// The tests that templates may use (`is …`).
pub(crate) const TESTS: &[&str] = &[
    "undefined",
    "defined",
    "none",
    "safe",
    "escaped",
    "boolean",
    "odd",
    "even",
    "divisibleby",
    "number",
    "integer",
    "int",
    "float",
    "string",
    "sequence",
    "iterable",
    "mapping",
    "startingwith",
    "endingwith",
    "lower",
    "upper",
    "sameas",
    "eq",
    "equalto",
    "==",
    "ne",
    "!=",
    "lt",
    "lessthan",
    "<",
    "le",
    "<=",
    "gt",
    "greaterthan",
    ">",
    "ge",
    ">=",
    "in",
    "true",
    "false",
    "filter",
    "test",
];
/// The functions that templates may call.
pub(crate) const FUNCTIONS: &[&str] = &["error", "range", "dict", "namespace"];

/// Applies a filter.
pub(super) fn filter(name: &'static str, state: &mut State, mut args: Vec<Jinja>) -> Result<Jinja, Error> {
    let Some(first) = args.first().cloned() else {
        return Err(Error::new(ErrorKind::MissingArgument, format!("the filter {name} needs a value")));
    };
    if matches!(name, "default" | "d") {
        return BASE.empty_state().apply_filter(name, &args);
    }
    // What is made of a missing value is missing.
    if first.is_undefined() {
        return Ok(Jinja::UNDEFINED);
    }
    if !matches!(name, "first" | "last" | "length" | "count" | "attr") {
        work(state, &first)?;
    }
    match name {
        "tojson" if args.len() == 1 => return json_text(state, &first),
        "urlencode" => return url_text(state, &first),
        "truncate" => return truncated(state, &first, &args),
        "round" | "abs" | "int" | "float" | "sum" | "min" | "max" | "sort" | "unique" | "bool" => {
            args[0] = numbers(state, &first)?;
        }
        "replace" => {
            let (from, to) = (args.get(1).and_then(Jinja::as_str), args.get(2).and_then(Jinja::as_str));
            if let (Some(from), Some(to)) = (from, to) {
                let text = text(state, &first)?;
                spend(state, text.matches(from).count().saturating_mul(to.len()), 0)?;
            }
        }
        "join" => {
            let between = args.get(1).and_then(Jinja::as_str).map_or(0, str::len);
            spend(state, first.len().unwrap_or(0).saturating_mul(between), 0)?;
        }
        "format" => {
            let mut digits = 0;
            for byte in first.as_str().unwrap_or_default().bytes() {
                digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
                if digits > 4 {
                    return Err(Stop::Bound("a width is at most 9,999").error());
                }
            }
            if first.as_str().is_some_and(|pattern| pattern.contains('*')) {
                return Err(Stop::Bound("a width is written in digits").error());
            }
        }
        _ => {}
    }
    if matches!(name, "batch" | "slice" | "indent" | "tojson") {
        let wide = |value: &Jinja| value.as_i64().is_some_and(|width| width > MAX_WIDTH);
        let named = |value: &Jinja| {
            value.is_kwargs()
                && value
                    .try_iter()
                    .is_ok_and(|mut keys| keys.any(|key| value.get_item(&key).is_ok_and(|v| wide(&v))))
        };
        if args.iter().skip(1).any(|value| wide(value) || named(value)) {
            return Err(Stop::Bound("a width or count is at most 10,000").error());
        }
        if name == "indent" {
            // Each line can grow by the width.
            let lines = first.as_str().map_or(0, |text| text.matches('\n').count() + 1);
            let width = args.get(1).and_then(Jinja::as_usize).unwrap_or(4);
            spend(state, lines.saturating_mul(width), 0)?;
        }
    }
    let result = BASE.empty_state().apply_filter(name, &args)?;
    match result.as_str() {
        Some(text) => spend(state, text.len(), 0)?,
        None => weigh(state, &result)?,
    }
    Ok(result)
}

/// Carries out a test (`is …`).
pub(super) fn test(name: &'static str, state: &mut State, mut args: Vec<Jinja>) -> Result<bool, Error> {
    let missing = args.first().is_some_and(Jinja::is_undefined);
    if missing && !matches!(name, "defined" | "undefined" | "eq" | "equalto" | "==" | "ne" | "!=" | "sameas")
    {
        return Ok(false);
    }
    for value in &mut args {
        work(state, value)?;
        *value = plain(value);
    }
    BASE.empty_state().perform_test(name, &args)
}

/// A list (or a value) whose numbers can be calculated with.
fn numbers(state: &mut State, value: &Jinja) -> Result<Jinja, Error> {
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) || value.is_tuple() {
        return Ok(plain(value));
    }
    let mut items = Vec::new();
    for item in value.try_iter()? {
        spend(state, 0, 1)?;
        items.push(plain(&item));
    }
    Ok(Jinja::from(items))
}

/// `urlencode`: percent-encoded but for slashes; of an object, its pairs.
fn url_text(state: &mut State, value: &Jinja) -> Result<Jinja, Error> {
    let mut encoded = String::new();
    if value.kind() == ValueKind::Map {
        for key in value.try_iter()? {
            if !encoded.is_empty() {
                encoded.push('&');
            }
            super::url::encode(&mut encoded, &text(state, &key)?);
            encoded.push('=');
            super::url::encode(&mut encoded, &text(state, &value.get_item(&key)?)?);
        }
    } else {
        for (index, part) in text(state, value)?.split('/').enumerate() {
            if index > 0 {
                encoded.push('/');
            }
            super::url::encode(&mut encoded, part);
        }
    }
    spend(state, encoded.len(), 0)?;
    Ok(Jinja::from(encoded))
}

/// `truncate(length=255, killwords=false, end="...", leeway=5)`, as in Jinja.
fn truncated(state: &mut State, value: &Jinja, args: &[Jinja]) -> Result<Jinja, Error> {
    let named = args.iter().find(|argument| argument.is_kwargs());
    let argument = |at: usize, name: &str| {
        let by_name = named.and_then(|named| named.get_attr(name).ok()).filter(|value| !value.is_undefined());
        by_name.or_else(|| args.get(at).filter(|value| !value.is_kwargs()).cloned())
    };
    let number = |at, name, other| argument(at, name).and_then(|value| value.as_usize()).unwrap_or(other);
    let whole = text(state, value)?;
    let (length, leeway) = (number(1, "length", 255), number(4, "leeway", 5));
    let end = argument(3, "end").map_or_else(|| "...".to_owned(), |end| end.to_string());
    if whole.chars().count() <= length.saturating_add(leeway) {
        return Ok(Jinja::from(whole));
    }
    let kept: String = whole.chars().take(length.saturating_sub(end.chars().count())).collect();
    let kill = argument(2, "killwords").is_some_and(|kill| kill.is_true());
    let kept =
        if kill { kept.as_str() } else { kept.rsplit_once(' ').map_or(kept.as_str(), |(head, _)| head) };
    Ok(Jinja::from(format!("{kept}{end}")))
}

/// `tojson` with every digit, and with the characters escaped that mean something in HTML, as in Jinja.
fn json_text(state: &mut State, value: &Jinja) -> Result<Jinja, Error> {
    let mut budget = MAX_VALUES;
    let json =
        to_json(value, &mut budget, 0).map_err(|message| Error::new(ErrorKind::InvalidOperation, message))?;
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Spaced);
    serde::Serialize::serialize(&json, &mut serializer)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    let mut text = String::with_capacity(out.len());
    for c in String::from_utf8_lossy(&out).chars() {
        match c {
            c if !c.is_ascii() => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\'' => text.push_str("\\u0027"),
            c => text.push(c),
        }
    }
    spend(state, text.len(), 0)?;
    Ok(Jinja::from_safe_string(text))
}

/// A blank after commas and colons, as Python prints JSON.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}
