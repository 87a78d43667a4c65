//! The template engine under bounds: minijinja's instructions, with those exchanged that could eat
//! memory, lose digits or hide a missing value.
//!
//! Fuel bounds the number of instructions but not what one of them does (`'x' * 90000000`). So each
//! operator that can grow a value, each filter and each output becomes a call of ours, which counts
//! bytes and values against one [`Spent`] per rendering.

use super::bound::{MAX_OUTPUT, Spent, Stop, bounded, holds_objects, spend, text, weigh, work};
use super::filters::{FILTERS, TESTS, filter, test};
use super::operators::{OPERATORS, base, binary, compiled};
use super::tame::{CHECK_SET, NEGATE, SLICE, WEIGH, tame};
use super::value::plain;
use minijinja::machinery::{CodeGenerator, eval, make_string_output, parse, parse_expr};
use minijinja::value::{Rest, Value as Jinja, ValueOrKwargs};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Instructions of one rendering.
const FUEL: u64 = 200_000;

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
