//! The template engine under bounds: minijinja's instructions, with those exchanged that could eat
//! memory, lose digits or hide a missing value.
//!
//! Fuel bounds the number of instructions but not what one of them does (`'x' * 90000000`). So each
//! operator that can grow a value, each filter and each output becomes a call of ours, which counts
//! bytes and values against one [`Spent`] per rendering.

use super::value::{Digits, plain, to_json};
use minijinja::machinery::{
    CodeGenerator, Instruction, Instructions, eval, make_string_output, parse, parse_expr,
};
use minijinja::value::{Rest, Value as Jinja, ValueKind, ValueOrKwargs};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::LazyLock;

/// Bytes of one rendered leaf.
pub(super) const MAX_OUTPUT: usize = 8 << 20;
/// Bytes made in all while one leaf is rendered, in between included.
const MAX_BYTES: usize = 32 << 20;
/// Values built or walked while one leaf is rendered.
const MAX_VALUES: usize = 1_000_000;
/// Instructions of one rendering.
const FUEL: u64 = 200_000;
/// Bytes and values looked at while one leaf is rendered (a search in a long text costs its length).
const MAX_WORK: usize = 256 << 20;
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

/// Why a rendering was ended by us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stop {
    /// `error("…")`.
    #[error("{0}")]
    Asked(String),
    /// A bound.
    #[error("{0}")]
    Bound(&'static str),
}

impl Stop {
    fn error(self) -> Error {
        Error::new(ErrorKind::InvalidOperation, self.to_string()).with_source(self)
    }
}

/// What a rendering has used, and whether it printed a missing value.
#[derive(Debug, Default)]
struct Spent {
    bytes: usize,
    values: usize,
    work: usize,
    missed: bool,
}

fn spend(state: &mut State, bytes: usize, values: usize) -> Result<(), Error> {
    let spent = state.get_or_insert_extension_with(Spent::default);
    spent.bytes = spent.bytes.saturating_add(bytes);
    spent.values = spent.values.saturating_add(values);
    if spent.bytes > MAX_BYTES {
        return Err(Stop::Bound("the template makes more text than 32 MiB").error());
    }
    if spent.values > MAX_VALUES {
        return Err(Stop::Bound("the template makes more than 1,000,000 values").error());
    }
    Ok(())
}

/// Counts what an operation has to look at: fuel counts it as one instruction.
fn work(state: &mut State, value: &Jinja) -> Result<(), Error> {
    let size = match value.kind() {
        ValueKind::String => value.as_str().map_or(0, str::len),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => value.len().unwrap_or(1).saturating_mul(64),
        _ => 0,
    };
    let spent = state.get_or_insert_extension_with(Spent::default);
    spent.work = spent.work.saturating_add(size);
    if spent.work > MAX_WORK {
        return Err(Stop::Bound("the template looks through more than 256 MiB").error());
    }
    Ok(())
}

/// Pristine: filters and operators of ours hand over to it.
static BASE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut base = Environment::new();
    base.set_undefined_behavior(UndefinedBehavior::Chainable);
    base
});

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Chainable);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(60);
    env.set_formatter(emit);
    env.remove_global("debug");
    for name in FILTERS.iter().copied() {
        env.add_filter(name, move |state: &mut State, args: Rest<ValueOrKwargs>| {
            filter(name, state, args.into_values())
        });
    }
    for name in TESTS.iter().copied() {
        env.add_test(name, move |state: &mut State, args: Rest<ValueOrKwargs>| {
            test(name, state, args.into_values())
        });
    }
    env.add_function(SLICE, |state: &mut State, a: Jinja, from: Jinja, to: Jinja, step: Jinja| {
        if a.is_undefined() {
            return Ok(a);
        }
        work(state, &a)?;
        let parts = [("a", a), ("b", from), ("c", to), ("d", step)];
        let part = compiled("a[b:c:d]")?.eval(Jinja::from_pairs(parts))?;
        spend(state, part.as_str().map_or(0, str::len), 0)?;
        Ok(part)
    });
    env.add_function("error", |message: Jinja| -> Result<Jinja, Error> {
        Err(Stop::Asked(bounded(&message, 4_096).unwrap_or_default()).error())
    });
    for (name, operator) in OPERATORS {
        env.add_function(name, move |state: &mut State, a: Jinja, b: Jinja| binary(operator, state, &a, &b));
    }
    env.add_function(
        NEGATE,
        |a: Jinja| if a.is_undefined() { Ok(a) } else { base("-a", &plain(&a), &plain(&a)) },
    );
    env.add_function(WEIGH, |state: &mut State, value: Jinja| weigh(state, &value).map(|()| value));
    env.add_function(CHECK_SET, |state: &mut State, value: Jinja, target: Jinja| {
        weigh(state, &value)?;
        if holds_objects(&value, 0) {
            return Err(Error::new(ErrorKind::InvalidOperation, "a namespace takes plain values only"));
        }
        Ok(Jinja::from(vec![target, value]))
    });
    env
});

const SLICE: &str = "\u{1}slice";
const NEGATE: &str = "\u{1}negate";
const WEIGH: &str = "\u{1}weigh";
const CHECK_SET: &str = "\u{1}set";

/// Name (which no template can write) and operator.
const OPERATORS: [(&str, &str); 22] = [
    ("\u{1}add", "a + b"),
    ("\u{1}sub", "a - b"),
    ("\u{1}mul", "a * b"),
    ("\u{1}div", "a / b"),
    ("\u{1}int_div", "a // b"),
    ("\u{1}rem", "a % b"),
    ("\u{1}pow", "a ** b"),
    ("\u{1}concat", "a ~ b"),
    ("\u{1}eq", "a == b"),
    ("\u{1}ne", "a != b"),
    ("\u{1}lt", "a < b"),
    ("\u{1}lte", "a <= b"),
    ("\u{1}gt", "a > b"),
    ("\u{1}gte", "a >= b"),
    ("\u{1}in", "a in b"),
    ("\u{1}not_in", "a not in b"),
    ("\u{1}chain_Eq", "== a b"),
    ("\u{1}chain_Ne", "!= a b"),
    ("\u{1}chain_Lt", "< a b"),
    ("\u{1}chain_Lte", "<= a b"),
    ("\u{1}chain_Gt", "> a b"),
    ("\u{1}chain_Gte", ">= a b"),
];

fn compiled(source: &str) -> Result<&'static minijinja::Expression<'static, 'static>, Error> {
    static COMPILED: LazyLock<BTreeMap<&'static str, minijinja::Expression<'static, 'static>>> =
        LazyLock::new(|| {
            OPERATORS
                .iter()
                .map(|(_, operator)| *operator)
                .filter(|operator| operator.starts_with("a "))
                .chain(["-a", "a[b:c:d]"])
                .filter_map(|source| Some((source, BASE.compile_expression(source).ok()?)))
                .collect()
        });
    COMPILED.get(source).ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "an operator is not there"))
}

/// Carries out an operator on values without [`Digits`].
fn base(operator: &str, a: &Jinja, b: &Jinja) -> Result<Jinja, Error> {
    compiled(operator)?.eval(Jinja::from_pairs([("a", a.clone()), ("b", b.clone())]))
}

fn binary(operator: &'static str, state: &mut State, a: &Jinja, b: &Jinja) -> Result<Jinja, Error> {
    // A chained comparison (`0 < x < 10`) needs its right side again: both are given back.
    if let Some(sign) = operator.strip_suffix(" a b") {
        let plain_operator = OPERATORS.iter().map(|(_, written)| *written).find(|written| {
            written.strip_prefix("a ").and_then(|rest| rest.strip_suffix(" b")) == Some(sign)
        });
        let result = binary(plain_operator.unwrap_or("a == b"), state, a, b)?;
        return Ok(Jinja::from(vec![Jinja::from(result.is_true()), b.clone()]));
    }
    let missing = a.is_undefined() || b.is_undefined();
    match operator {
        "a == b" | "a != b" => {}
        "a not in b" if missing => return Ok(Jinja::from(true)),
        "a in b" if missing => return Ok(Jinja::from(false)),
        // What is calculated from a missing value is missing.
        _ if missing => return Ok(Jinja::UNDEFINED),
        _ => {}
    }
    if operator == "a ~ b" {
        let (left, right) = (text(state, a)?, text(state, b)?);
        spend(state, left.len() + right.len(), 0)?;
        return Ok(Jinja::from(left + &right));
    }
    let (a, b) = (&plain(a), &plain(b));
    if operator != "a + b" {
        work(state, a)?;
        work(state, b)?;
    }
    match operator {
        "a + b" => match (a.as_str(), b.as_str()) {
            (Some(left), Some(right)) => spend(state, left.len() + right.len(), 0)?,
            _ => return sum(state, a, b),
        },
        "a * b" => {
            let times = |value: &Jinja| value.as_usize().unwrap_or(0);
            for (many, count) in [(a, b), (b, a)] {
                if let Some(text) = many.as_str() {
                    spend(state, text.len().saturating_mul(times(count)), 0)?;
                } else if matches!(many.kind(), ValueKind::Seq | ValueKind::Iterable) {
                    spend(state, 0, many.len().unwrap_or(MAX_VALUES).saturating_mul(times(count)))?;
                }
            }
        }
        _ => {}
    }
    base(operator, a, b)
}

/// `+` on numbers and lists; lists are copied at once, so that a chain of them cannot grow unseen.
fn sum(state: &mut State, a: &Jinja, b: &Jinja) -> Result<Jinja, Error> {
    let list =
        |value: &Jinja| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) && !value.is_tuple();
    if !(list(a) && list(b)) {
        return base("a + b", a, b);
    }
    let mut items = Vec::new();
    for item in a.try_iter()?.chain(b.try_iter()?) {
        spend(state, 0, 1)?;
        items.push(item);
    }
    Ok(Jinja::from(items))
}

/// Walks what an instruction has just built: sharing makes `[x, x]` cheap to build and dear to print.
fn weigh(state: &mut State, value: &Jinja) -> Result<(), Error> {
    spend(state, 0, 1)?;
    match value.kind() {
        ValueKind::Seq => {
            for item in value.try_iter()? {
                weigh(state, &item)?;
            }
        }
        ValueKind::Map => {
            for key in value.try_iter()? {
                weigh(state, &value.get_item(&key)?)?;
            }
        }
        ValueKind::String => spend(state, value.as_str().map_or(0, str::len) / 16, 0)?,
        _ => {}
    }
    Ok(())
}

/// Whether a value holds something that could point back at its holder (a namespace, a macro).
fn holds_objects(value: &Jinja, depth: usize) -> bool {
    if depth > 100 {
        return true;
    }
    match value.kind() {
        ValueKind::Plain => value.downcast_object_ref::<Digits>().is_none(),
        ValueKind::Seq => {
            value.try_iter().is_ok_and(|mut items| items.any(|item| holds_objects(&item, depth + 1)))
        }
        ValueKind::Map => {
            value.as_object().is_some_and(|object| object.type_name().contains("Namespace"))
                || value.try_iter().is_ok_and(|mut keys| {
                    keys.any(|key| value.get_item(&key).is_ok_and(|item| holds_objects(&item, depth + 1)))
                })
        }
        _ => false,
    }
}

/// A writer that ends at a bound.
struct Limited {
    text: String,
    left: usize,
}

impl Write for Limited {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        self.text.push_str(text);
        Ok(())
    }
}

fn bounded(value: &Jinja, limit: usize) -> Option<String> {
    let mut writer = Limited { text: String::new(), left: limit };
    write!(writer, "{value}").ok()?;
    Some(writer.text)
}

/// The text of a value, counted.
fn text(state: &mut State, value: &Jinja) -> Result<String, Error> {
    let text = bounded(value, MAX_OUTPUT)
        .ok_or_else(|| Stop::Bound("the template makes a text over 8 MiB").error())?;
    spend(state, text.len(), 0)?;
    Ok(text)
}

/// Every output of a template comes through here.
fn emit(out: &mut Output, state: &mut State, value: &Jinja) -> Result<(), Error> {
    if value.is_undefined() {
        state.get_or_insert_extension_with(Spent::default).missed = true;
        return Ok(());
    }
    let text = match state.auto_escape() {
        AutoEscape::None => text(state, value)?,
        _ if value.is_safe() || value.is_number() => text(state, value)?,
        _ => {
            let escaped = filter("escape", state, vec![value.clone()])?;
            text(state, &escaped)?
        }
    };
    out.write_str(&text).map_err(Error::from)
}

fn filter(name: &'static str, state: &mut State, mut args: Vec<Jinja>) -> Result<Jinja, Error> {
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

fn test(name: &'static str, state: &mut State, mut args: Vec<Jinja>) -> Result<bool, Error> {
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

/// What came of a rendering.
pub(super) enum Outcome {
    /// A value; of statements, a text.
    Value(Jinja),
    /// It ended in, or printed, a value that is not there.
    Missing,
}

/// Evaluates one expression.
///
/// # Errors
/// In words; see [`Stop`] for those of ours.
pub(super) fn expression(source: &str, root: Jinja) -> Result<Outcome, String> {
    let tree = parse_expr(source).map_err(|error| explain(&error))?;
    let mut generator = CodeGenerator::new("template", source);
    generator.compile_expr(&tree);
    let (instructions, _) = generator.finish();
    let instructions = tame(&instructions);
    let (blocks, mut sink) = (BTreeMap::new(), String::new());
    let mut output = make_string_output(&mut sink);
    let (value, _) = eval(&ENVIRONMENT, &instructions, root, &blocks, &mut output, AutoEscape::None)
        .map_err(|error| explain(&error))?;
    Ok(match value {
        Some(value) if !value.is_undefined() => Outcome::Value(value),
        _ => Outcome::Missing,
    })
}

/// Renders a template with statements into text.
///
/// # Errors
/// As [`expression`].
pub(super) fn statements(source: &str, root: Jinja) -> Result<Outcome, String> {
    let (text, missed) = run(source, root)?;
    Ok(if missed { Outcome::Missing } else { Outcome::Value(Jinja::from(text)) })
}

/// Renders a template into text; what is missing prints nothing.
///
/// # Errors
/// As [`expression`], and mistakes in the template.
pub(super) fn text_of(source: &str, root: Jinja) -> Result<String, String> {
    super::parse_template(source).map_err(|mistakes| {
        mistakes.into_iter().next().map_or_else(String::new, |mistake| mistake.message)
    })?;
    run(source, root).map(|(text, _)| text)
}

fn run(source: &str, root: Jinja) -> Result<(String, bool), String> {
    let tree = parse(source, "template", minijinja::syntax::SyntaxConfig::default())
        .map_err(|error| explain(&error))?;
    let mut generator = CodeGenerator::new("template", source);
    generator.compile_stmt(&tree);
    let (instructions, _) = generator.finish();
    let instructions = tame(&instructions);
    let (blocks, mut text) = (BTreeMap::new(), String::new());
    let missed = {
        let mut output = make_string_output(&mut text);
        let (_, state) = eval(&ENVIRONMENT, &instructions, root, &blocks, &mut output, AutoEscape::None)
            .map_err(|error| explain(&error))?;
        state.get_extension::<Spent>().is_some_and(|spent| spent.missed)
    };
    if text.len() > MAX_OUTPUT {
        return Err("the template makes a text over 8 MiB".to_owned());
    }
    Ok((text, missed))
}

/// What an error of the engine says, without its file names and lines.
pub(super) fn explain(error: &Error) -> String {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(stop) = inner.downcast_ref::<Stop>() {
            return stop.to_string();
        }
        source = inner.source();
    }
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "the template takes more than 200,000 steps".to_owned(),
        (ErrorKind::WriteFailure, _) => "the template makes a text over 8 MiB".to_owned(),
        (_, Some(detail)) => detail.to_owned(),
        (kind, None) => kind.to_string(),
    }
}

/// Exchanges instructions for calls of ours, and moves the jumps along.
fn tame<'s>(old: &Instructions<'s>) -> Instructions<'s> {
    let all: Vec<&Instruction<'s>> = (0..).map_while(|at| old.get(at)).collect();
    let mut starts = Vec::with_capacity(all.len() + 1);
    let mut next = 0_u32;
    for instruction in &all {
        starts.push(next);
        next += match instruction {
            Instruction::EmitRaw(_)
            | Instruction::BuildList(_)
            | Instruction::BuildMap(_)
            | Instruction::BuildTuple(_) => 2,
            Instruction::CompareAndPreserve(_) => 2,
            Instruction::SetAttr(_) => 3,
            _ => 1,
        };
    }
    starts.push(next);
    let moved = |target: u32| starts.get(target as usize).copied().unwrap_or(next);
    let mut new = Instructions::new(old.name(), old.source());
    for instruction in all {
        use Instruction as I;
        let call = |name| I::CallFunction(name, Some(2));
        match instruction {
            I::EmitRaw(raw) => {
                new.add(I::LoadConst(Jinja::from(*raw)));
                new.add(I::Emit);
            }
            I::BuildList(_) | I::BuildMap(_) | I::BuildTuple(_) => {
                new.add(instruction.clone());
                new.add(I::CallFunction(WEIGH, Some(1)));
            }
            I::SetAttr(_) => {
                new.add(call(CHECK_SET));
                new.add(I::UnpackList(2));
                new.add(instruction.clone());
            }
            // The value of `x if y` without an else: it prints nothing and is no miss.
            I::LoadConst(value) if value.is_undefined() => {
                new.add(I::LoadConst(Jinja::from("")));
            }
            I::Jump(target) => {
                new.add(I::Jump(moved(*target)));
            }
            I::JumpIfFalse(target) => {
                new.add(I::JumpIfFalse(moved(*target)));
            }
            I::JumpIfFalseOrPop(target) => {
                new.add(I::JumpIfFalseOrPop(moved(*target)));
            }
            I::JumpIfTrueOrPop(target) => {
                new.add(I::JumpIfTrueOrPop(moved(*target)));
            }
            I::Iterate(target) => {
                new.add(I::Iterate(moved(*target)));
            }
            I::BuildMacro(name, target, flags) => {
                new.add(I::BuildMacro(name, moved(*target), *flags));
            }
            I::CompareAndPreserve(op) => {
                // The operator's type is not public, its name is.
                let name = format!("{op:?}");
                let chain =
                    OPERATORS.iter().find(|(call, _)| call.strip_prefix("\u{1}chain_") == Some(&name));
                new.add(call(chain.map_or("\u{1}chain_In", |(call, _)| *call)));
                new.add(I::UnpackList(2));
            }
            I::Add => add(&mut new, "\u{1}add", 2),
            I::Sub => add(&mut new, "\u{1}sub", 2),
            I::Mul => add(&mut new, "\u{1}mul", 2),
            I::Div => add(&mut new, "\u{1}div", 2),
            I::IntDiv => add(&mut new, "\u{1}int_div", 2),
            I::Rem => add(&mut new, "\u{1}rem", 2),
            I::Pow => add(&mut new, "\u{1}pow", 2),
            I::StringConcat => add(&mut new, "\u{1}concat", 2),
            I::Eq => add(&mut new, "\u{1}eq", 2),
            I::Ne => add(&mut new, "\u{1}ne", 2),
            I::Lt => add(&mut new, "\u{1}lt", 2),
            I::Lte => add(&mut new, "\u{1}lte", 2),
            I::Gt => add(&mut new, "\u{1}gt", 2),
            I::Gte => add(&mut new, "\u{1}gte", 2),
            I::In => add(&mut new, "\u{1}in", 2),
            I::Neg => add(&mut new, NEGATE, 1),
            I::Slice => add(&mut new, SLICE, 4),
            other => {
                new.add(other.clone());
            }
        }
    }
    new
}

fn add<'s>(new: &mut Instructions<'s>, name: &'static str, arguments: u16) {
    new.add(Instruction::CallFunction(name, Some(arguments)));
}
