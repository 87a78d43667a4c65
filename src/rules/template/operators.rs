//! The operators of templates: numbers with odd digits are calculated with, what is made of a missing
//! value is missing, and nothing grows unseen.

use super::bound::{MAX_VALUES, spend, text, work};
use super::value::plain;
use minijinja::value::{Value as Jinja, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Pristine: filters and operators of ours hand over to it.
pub(super) static BASE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut base = Environment::new();
    base.set_undefined_behavior(UndefinedBehavior::Chainable);
    base
});

/// Name (which no template can write) and operator.
pub(super) const OPERATORS: [(&str, &str); 22] = [
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

pub(super) fn compiled(source: &str) -> Result<&'static minijinja::Expression<'static, 'static>, Error> {
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

/// Carries out an operator on values without `Digits`.
pub(super) fn base(operator: &str, a: &Jinja, b: &Jinja) -> Result<Jinja, Error> {
    compiled(operator)?.eval(Jinja::from_pairs([("a", a.clone()), ("b", b.clone())]))
}

pub(super) fn binary(
    operator: &'static str,
    state: &mut State,
    a: &Jinja,
    b: &Jinja,
) -> Result<Jinja, Error> {
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
