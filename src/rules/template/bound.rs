//! What one rendering may use: bytes, values and work, counted by every operation that could grow.

use super::value::Digits;
use minijinja::value::{Value as Jinja, ValueKind};
use minijinja::{Error, ErrorKind, State};
use std::fmt::{self, Write};

/// Bytes of one rendered leaf.
pub(super) const MAX_OUTPUT: usize = 8 << 20;
/// Bytes made in all while one leaf is rendered, in between included.
const MAX_BYTES: usize = 32 << 20;
/// Values built or walked while one leaf is rendered.
pub(super) const MAX_VALUES: usize = 1_000_000;
/// Bytes and values looked at while one leaf is rendered (a search in a long text costs its length).
const MAX_WORK: usize = 256 << 20;

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
    pub(super) fn error(self) -> Error {
        Error::new(ErrorKind::InvalidOperation, self.to_string()).with_source(self)
    }
}

/// What a rendering has used, and whether it printed a missing value.
#[derive(Debug, Default)]
pub(super) struct Spent {
    bytes: usize,
    values: usize,
    work: usize,
    /// A missing value was printed.
    pub(super) missed: bool,
}

pub(super) fn spend(state: &mut State, bytes: usize, values: usize) -> Result<(), Error> {
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
pub(super) fn work(state: &mut State, value: &Jinja) -> Result<(), Error> {
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

/// Walks what an instruction has just built: sharing makes `[x, x]` cheap to build and dear to print.
pub(super) fn weigh(state: &mut State, value: &Jinja) -> Result<(), Error> {
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
pub(super) fn holds_objects(value: &Jinja, depth: usize) -> bool {
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

pub(super) fn bounded(value: &Jinja, limit: usize) -> Option<String> {
    let mut writer = Limited { text: String::new(), left: limit };
    write!(writer, "{value}").ok()?;
    Some(writer.text)
}

/// The text of a value, counted.
pub(super) fn text(state: &mut State, value: &Jinja) -> Result<String, Error> {
    let text = bounded(value, MAX_OUTPUT)
        .ok_or_else(|| Stop::Bound("the template makes a text over 8 MiB").error())?;
    spend(state, text.len(), 0)?;
    Ok(text)
}
