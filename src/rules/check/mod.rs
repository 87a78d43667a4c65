//! A document's text becomes an [`Integration`], or every mistake in it at once.

mod alert;
mod auth;
mod connection;
mod each;
mod exchange;
mod fields;
mod flow;
mod gates;
mod names;
mod reply;
mod report;
mod step;
#[cfg(test)]
mod tests;
mod trigger;
mod units;
mod variable;

use crate::model::credential::KeyKind;
use crate::model::document::{Connection, Integration, Problem};
use crate::model::path::is_identifier;
use crate::rules::template::parse_template;
use fields::Fields;
use names::Names;
use report::Report;
use std::sync::Arc;
use toml::de::DeTable;
use units::is_slug;

/// Bytes of a document.
const MAX_DOCUMENT: usize = 1 << 20;

/// What else exists: judged against when a document is checked.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Aliases of other integrations and who owns them.
    pub paths: Vec<(String, String)>,
    /// Senders' keys and what they are for; `None` where that is not known, and names are not judged.
    pub keys: Option<Vec<(String, KeyKind)>>,
    /// What the flows of the saved version of this integration are or were called, and their ids;
    /// `None` where nothing is known of one.
    pub flows: Option<Vec<String>>,
    /// The operator's connections, named `global/NAME`; `None` where they are not known, and names
    /// are not judged.
    pub connections: Option<Arc<[Connection]>>,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The document, where nothing but warnings was found.
    pub integration: Option<Integration>,
    /// In the order of the lines.
    pub problems: Vec<Problem>,
}

/// Whether a connection can be called so.
#[must_use]
pub fn connection_name(name: &str) -> bool {
    is_identifier(name) || is_slug(name)
}

/// Why a header cannot be set, where that is so.
#[must_use]
pub fn header_refused(name: &str) -> Option<&'static str> {
    if units::is_header_name(name) { units::reserved_header(name) } else { Some("it is no name of a header") }
}

/// Checks a document.
#[must_use]
pub fn check(source: &str, known: &Known) -> Checked {
    if source.len() > MAX_DOCUMENT {
        let message = format!("the document is {} bytes long: at most 1 MiB is read", source.len());
        let problems = vec![Problem { line: 1, column: 1, message, warning: false }];
        return Checked { integration: None, problems };
    }
    let (table, errors) = DeTable::parse_recoverable(source);
    let report = Report::new(source, !errors.is_empty());
    for error in &errors {
        report.error(error.span().map_or(0, |span| span.start), report::toml_sentence(error.message()));
    }
    let integration = read(&report, table.get_ref(), known);
    let problems = report.finish();
    let sound = problems.iter().all(|problem| problem.warning);
    Checked { integration: integration.filter(|_| sound), problems }
}

const KEYS: &[&str] = &["name", "title", "icon", "description", "variable", "connection", "flow", "alert"];

fn read(report: &Report<'_>, table: &DeTable<'_>, known: &Known) -> Option<Integration> {
    let top = Fields::new(report, table, 0..0, "the document".to_owned());
    let name = top.required_text("name", "name = \"acme-erp\"");
    if let Some((name, span)) = &name
        && !is_slug(name)
    {
        report.error(
            span.start,
            format!("name {name:?} is not possible: write 1 to 64 of a-z, 0-9 and -, beginning with a letter or digit"),
        );
    }
    let title = top.text("title").map(|(title, _)| title);
    let icon = top.text("icon").map(|(icon, span)| {
        if !(1..=2).contains(&crate::text::width(&icon)) || icon.chars().any(char::is_control) {
            report.error(span.start, format!("icon {icon:?} is not possible: it is one or two cells wide"));
        }
        icon
    });
    let description = top.text("description").map(|(text, _)| text).unwrap_or_default();
    let variables = variable::read(&top);
    let flow_tables = top.tables("flow", 100);
    let mut names = Names::new(&variables, &flow_tables);
    let mut connections = connection::read(&top, &names);
    let globals = known.connections.iter().flat_map(|all| all.iter());
    let globals = globals.map(|one| {
        let base = one.base_url.as_deref().and_then(|base| parse_template(base).ok());
        (one.clone(), base)
    });
    let own = connections.len();
    connections.extend(globals);
    names.connections = connections.iter().map(|(connection, _)| connection.name.clone()).collect();
    names.globals = known.connections.is_some();
    let flows = flow::read(&flow_tables, &mut names, &connections, known);
    let alerts = alert::read(&top, &names, &flows);
    top.finish(KEYS);
    let (name, _) = name?;
    Some(Integration {
        title: title.unwrap_or_else(|| name.clone()),
        name,
        icon,
        description,
        variables,
        connections: connections.into_iter().take(own).map(|(connection, _)| connection).collect(),
        flows,
        alerts,
    })
}
