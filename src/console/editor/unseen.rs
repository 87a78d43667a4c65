//! Paths in templates that no real request had: a slip of the hand, most often.

use super::outline::{Object, What, whole};
use super::syntax::{Kind, Scanner};
use crate::model::document::Problem;
use crate::model::path::{Path, Segment};
use crate::model::study::FieldsView;
use crate::rules::near::closest;

/// From so many requests on it is told: before, what they lack says nothing.
const ENOUGH: u64 = 5;

/// Warnings for paths of the body that are in none of a flow's last requests. What a template gives a
/// default for, or asks for, may be missing.
#[must_use]
pub fn unseen(lines: &[String], objects: &[Object], flow: &str, fields: &FieldsView) -> Vec<Problem> {
    let is_flow = |one: &Object| one.what == What::Flow && one.name.as_deref() == Some(flow);
    let Some(at) = objects.iter().position(is_flow).filter(|_| fields.requests >= ENOUGH) else {
        return Vec::new();
    };
    let known: Vec<Path> = fields.fields.iter().filter_map(|field| field.path.parse().ok()).collect();
    let (from, to) = whole(objects, at);
    let mut scanner = Scanner::default();
    let mut told = Vec::new();
    for (number, line) in lines.iter().enumerate().take(to) {
        let tokens = scanner.line(line);
        if number < from {
            continue;
        }
        for (range, _) in tokens.into_iter().filter(|(_, kind)| *kind == Kind::Template) {
            let template = &line[range.clone()];
            if template.contains("default") || template.contains("defined") {
                continue;
            }
            for (offset, path) in bodies(template) {
                if known.iter().any(|one| begins(one, &path)) {
                    continue;
                }
                let near = closest(&path.to_string(), fields.fields.iter().map(|field| field.path.as_str()));
                let near = near.map_or_else(String::new, |near| format!("; {near} is"));
                let column = line[..range.start + offset].chars().count() + 1;
                let message = format!("{path} is in none of the last {} requests{near}", fields.requests);
                told.push(Problem { line: number + 1, column, message, warning: true });
            }
        }
    }
    told
}

/// Paths of the body in a template, and where they begin.
fn bodies(template: &str) -> Vec<(usize, Path)> {
    const ROOT: &str = "request.body";
    let letter =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '"' | '\'' | '\\');
    let mut all = Vec::new();
    for (at, _) in template.match_indices(ROOT) {
        let begun = template[..at].chars().next_back();
        let rest = &template[at + "request.".len()..];
        let end = rest.find(|c: char| !letter(c)).unwrap_or(rest.len());
        // A method is no path, and a word that goes on is another one.
        let called = rest[end..].starts_with('(');
        let text = rest[..end].trim_end_matches('.').replace('\\', "").replace('\'', "\"");
        let whole = matches!(text.strip_prefix("body").and_then(|rest| rest.chars().next()), Some('.' | '['));
        if begun.is_some_and(letter) || called || !whole {
            continue;
        }
        if let Ok(path) = text.parse::<Path>() {
            all.push((at, path));
        }
    }
    all
}

/// Whether a path begins with another; one index is as good as another.
fn begins(path: &Path, with: &Path) -> bool {
    let index = |one: &Segment| matches!(one, Segment::Index(_) | Segment::Any);
    let same = |(a, b): (&Segment, &Segment)| a == b || (index(a) && index(b));
    path.0.len() >= with.0.len() && path.0.iter().zip(&with.0).all(same)
}

#[cfg(test)]
mod tests {
    use super::super::outline::outline;
    use super::*;
    use crate::model::study::FoundField;

    fn told(line: &str, requests: u64) -> Vec<(usize, String)> {
        let text = format!(
            "name = \"a\"\n[[flow]]\nname = \"Orders\"\n[[flow.step]]\nname = \"push\"\n{line}\n[[flow]]\nname = \"B\"\n"
        );
        let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let found = |path: &str| FoundField { path: path.to_owned(), ..FoundField::default() };
        let fields = vec![found("body.customer_email"), found("body.items[0].sku"), found("body[\"a b\"]")];
        let fields = FieldsView { requests, fields, ..FieldsView::default() };
        let told = unseen(&lines, &outline(&lines), "Orders", &fields);
        assert!(told.iter().all(|problem| problem.warning && problem.line == 6));
        told.into_iter().map(|problem| (problem.column, problem.message)).collect()
    }

    #[test]
    fn a_path_that_no_request_had_is_told_with_the_one_that_is_near() {
        let said = "body.custmer_email is in none of the last 100 requests; body.customer_email is";
        assert_eq!(told("url = \"/c/{{ request.body.custmer_email }}\"", 100), [(14, said.to_owned())]);
        assert!(told("url = \"/c/{{ request.body.custmer_email }}\"", 4).is_empty(), "too few to say so");
        for fine in [
            "url = \"{{ request.body.customer_email | upper }}\"",
            "json = \"{{ request.body }}\"",
            "json = \"{{ request.body.items }}\"",
            "url = \"{{ request.body.items[3].sku }}\"",
            "url = \"{{ request.body['a b'] }}\"",
            "url = \"{{ request.body.note | default('x') }}\"",
            "when = \"{{ request.body.note is defined }}\"",
            "url = \"{{ request.body.note.upper() }}\"",
            "text = \"request.body.none\"",
            "# {{ request.body.none }}",
            "url = \"{{ steps.request.body.none }}\"",
        ] {
            assert!(told(fine, 100).is_empty(), "{fine}: {:?}", told(fine, 100));
        }
        assert_eq!(
            told("json = { a = \"{{ request.body.x1 }}\", b = \"{{ request.body.y1 }}\" }", 100).len(),
            2
        );
    }
}
