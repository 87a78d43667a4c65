//! A document's text becomes an [`Integration`], or every mistake in it at once.

use crate::model::document::{Integration, Problem};

/// What else exists: judged against when a document is checked.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Aliases of other integrations and who owns them.
    pub paths: Vec<(String, String)>,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The document, where nothing but warnings was found.
    pub integration: Option<Integration>,
    /// In the order of the lines.
    pub problems: Vec<Problem>,
}

/// Checks a document.
#[must_use]
pub fn check(_source: &str, _known: &Known) -> Checked {
    todo!()
}
