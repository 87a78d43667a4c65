//! Arguments of `overview`.

use crate::model::overview::Span;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// `overview`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Overview {
    /// Over which: hour, day or week
    #[arg(long, value_name = "SPAN", default_value = "hour", value_parser = span())]
    pub span: Span,
}

/// Reads the word of a span.
fn span() -> impl TypedValueParser<Value = Span> {
    PossibleValuesParser::new(Span::ALL.map(Span::word))
        .map(|word| Span::ALL.into_iter().find(|span| span.word() == word).unwrap_or_default())
}
