//! A JSON tree whose string leaves are templates: taken apart first, serialised last, so that no
//! value can break out of its place.

use super::leaf::{Leaf, Rendered, as_text};
use super::value::Scope;
use super::{RenderError, place_key};
use crate::model::document::Missing;
use serde_json::{Map, Value};

/// A compiled tree.
#[derive(Debug, Clone)]
pub(super) enum Tree {
    /// A value without templates.
    Constant(Value),
    /// A template.
    Leaf(Leaf),
    /// An array.
    Array(Vec<Tree>),
    /// An object; keys are taken as they are.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Compiles a tree.
    ///
    /// # Errors
    /// The first mistake, and its place under `place`.
    pub(super) fn new(value: &Value, place: &str) -> Result<Self, RenderError> {
        Ok(match value {
            Value::String(text) => Self::Leaf(
                Leaf::new(text).map_err(|message| RenderError { place: place.to_owned(), message })?,
            ),
            Value::Array(items) => Self::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| Self::new(item, &format!("{place}[{index}]")))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(map) => Self::Object(
                map.iter()
                    .map(|(key, item)| Ok((key.clone(), Self::new(item, &place_key(place, key))?)))
                    .collect::<Result<_, RenderError>>()?,
            ),
            other => Self::Constant(other.clone()),
        })
    }

    /// Calls `each` with the place and the template of every leaf.
    pub(super) fn leaves(&self, place: &str, each: &mut dyn FnMut(&str, &Leaf)) {
        match self {
            Self::Constant(_) => {}
            Self::Leaf(leaf) => each(place, leaf),
            Self::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.leaves(&format!("{place}[{index}]"), each);
                }
            }
            Self::Object(fields) => {
                for (key, item) in fields {
                    item.leaves(&place_key(place, key), each);
                }
            }
        }
    }
}

/// Renders what belongs to one step, noting what is left out.
pub(super) struct Renderer<'c> {
    pub(super) scope: Scope<'c>,
    pub(super) missing: Missing,
    /// `json.customer`, `query.page`, …
    pub(super) left_out: Vec<String>,
    /// Bytes that may still be rendered.
    pub(super) left: usize,
}

impl Renderer<'_> {
    /// Renders a leaf; `None` where its field is left out.
    pub(super) fn leaf(&mut self, leaf: &Leaf, place: &str) -> Result<Option<Value>, RenderError> {
        let fail = |message: String| RenderError { place: place.to_owned(), message };
        match leaf.render(&self.scope).map_err(fail)? {
            Rendered::Value(value) => {
                self.left = self
                    .left
                    .checked_sub(size(&value))
                    .ok_or_else(|| fail("what the templates make is larger than 16 MiB".to_owned()))?;
                Ok(Some(value))
            }
            Rendered::Missing(why) => match self.missing {
                Missing::Fail => Err(fail(why)),
                Missing::Omit => {
                    self.left_out.push(place.to_owned());
                    Ok(None)
                }
                Missing::Empty => {
                    self.left_out.push(place.to_owned());
                    Ok(Some(Value::String(String::new())))
                }
            },
        }
    }

    /// Renders a leaf where there is only text. A null is there, and as text it is empty.
    pub(super) fn text(&mut self, leaf: &Leaf, place: &str) -> Result<Option<String>, RenderError> {
        Ok(self.leaf(leaf, place)?.as_ref().map(|value| match value {
            Value::Null => String::new(),
            value => as_text(value),
        }))
    }

    /// Renders a tree; `None` where it is left out as a whole.
    pub(super) fn tree(&mut self, tree: &Tree, place: &str) -> Result<Option<Value>, RenderError> {
        Ok(match tree {
            Tree::Constant(value) => Some(value.clone()),
            Tree::Leaf(leaf) => self.leaf(leaf, place)?,
            Tree::Array(items) => {
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    values.extend(self.tree(item, &format!("{place}[{index}]"))?);
                }
                Some(Value::Array(values))
            }
            Tree::Object(fields) => {
                let mut map = Map::new();
                for (key, item) in fields {
                    if let Some(value) = self.tree(item, &place_key(place, key))? {
                        map.insert(key.clone(), value);
                    }
                }
                Some(Value::Object(map))
            }
        })
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Number(number) => number.as_str().len() + 1,
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 2,
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + 4 + size(value)).sum::<usize>() + 2,
        Value::Null | Value::Bool(_) => 5,
    }
}
