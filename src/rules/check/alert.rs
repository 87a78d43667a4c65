//! `[[alert]]`.

use super::exchange::url_shape;
use super::fields::{Fields, list, meant, meant_or};
use super::names::Names;
use crate::model::alert::{Alert, AlertKind, QUIET, Receiver};
use crate::model::document::{Flow, Trigger};
use crate::model::time::DAY;

const KEYS: &[&str] = &["on", "url", "flow", "quiet"];
/// More would say one thing to many.
const MOST: usize = 20;
/// What a URL is made of: nothing that happened may choose where it is told.
const SEEN: &[&str] = &["config", "webhook_urls", "integration"];

/// All alerts that could be read.
pub(super) fn read(top: &Fields<'_>, names: &Names, flows: &[Flow]) -> Vec<Alert> {
    let mut all: Vec<Alert> = Vec::new();
    for mut fields in top.tables("alert", MOST) {
        "an alert".clone_into(&mut fields.what);
        let on = kinds(&fields);
        let to = receiver(&fields, names, flows);
        let quiet = fields.duration("quiet", 30 * DAY, "\"30d\"").unwrap_or(QUIET);
        fields.finish(KEYS);
        let Some(to) = to else { continue };
        for (kind, at) in &on {
            if all.iter().any(|other| other.to == to && other.on.contains(kind)) {
                let message = format!("{:?} goes to this receiver already: leave it out here", kind.word());
                fields.report.error(*at, message);
            }
        }
        all.push(Alert { on: on.into_iter().map(|(kind, _)| kind).collect(), to, quiet });
    }
    all
}

/// What is told, and where each word stands.
fn kinds(fields: &Fields<'_>) -> Vec<(AlertKind, usize)> {
    let words: Vec<&str> = AlertKind::ALL.iter().map(|kind| kind.word()).collect();
    if !fields.has("on") {
        fields.report.missing(fields.span.start, format!("an alert has no on: write on = {words:?}"));
    }
    let written = fields.texts("on").unwrap_or_default();
    if fields.get("on").and_then(|on| on.get_ref().as_array()).is_some_and(|on| on.is_empty()) {
        fields
            .report
            .error(fields.key_at("on"), format!("on is empty, so nothing is told: {}", list(&words)));
    }
    let mut all: Vec<(AlertKind, usize)> = Vec::new();
    for (word, span) in written {
        match AlertKind::ALL.into_iter().find(|kind| kind.word() == word) {
            Some(kind) if all.iter().any(|(other, _)| *other == kind) => {
                fields.report.error(span.start, format!("on {word:?} is written twice"));
            }
            Some(kind) => all.push((kind, span.start)),
            None => {
                let message =
                    format!("on {word:?} is not possible: {}{}", list(&words), meant(&word, &words));
                fields.report.error(span.start, message);
            }
        }
    }
    all
}

fn receiver(fields: &Fields<'_>, names: &Names, flows: &[Flow]) -> Option<Receiver> {
    let report = fields.report;
    match (fields.has("url"), fields.has("flow")) {
        (true, true) => {
            report.error(fields.key_at("flow"), "url and flow are both there: write one of them");
        }
        (false, false) => {
            let message = "an alert has neither url nor flow: write url = \"https://…\", or the name of a flow that is run by hand";
            report.missing(fields.span.start, message);
        }
        _ => {}
    }
    let url = fields.text("url").map(|(text, span)| {
        if let Some(parsed) = names.template(report, &text, &span) {
            if let Err(message) = url_shape(None, &parsed) {
                report.error(span.start, format!("url: {message}"));
            }
            for reference in &parsed.references {
                let root = reference.path.root();
                if !SEEN.contains(&root) {
                    let message =
                        format!("the url of an alert does not see {root}: only {}", SEEN.join(", "));
                    report.error(report.inside(&span, reference.at), message);
                }
            }
        }
        Receiver::Url(text)
    });
    let flow = fields.text("flow").map(|(name, span)| {
        match flows.iter().find(|flow| flow.name == name) {
            Some(flow) if flow.trigger == Trigger::Manual => {}
            Some(flow) => {
                let word = flow.trigger.word();
                let message = format!(
                    "flow {name:?} has a trigger of type {word:?}: alerts run one with type = \"manual\""
                );
                report.error(span.start, message);
            }
            None => {
                let all: Vec<&str> = flows
                    .iter()
                    .filter(|flow| flow.trigger == Trigger::Manual)
                    .map(|flow| flow.name.as_str())
                    .collect();
                let add = ": add [[flow]] with this name and a trigger of type = \"manual\"";
                let message =
                    format!("there is no flow {name:?} in this integration{}", meant_or(&name, &all, add));
                report.error(span.start, message);
            }
        }
        Receiver::Flow(name)
    });
    url.or(flow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check::{Known, check};

    const HEAD: &str = "name = \"a\"\n[[variable]]\nname = \"hook\"\ntype = \"url\"\n[[flow]]\nname = \"F\"\n\
        trigger = { type = \"webhook\", auth = { type = \"none\" } }\n[[flow]]\nname = \"Tell\"\ntrigger = { type = \"manual\" }\n";

    fn alerts(text: &str) -> Vec<Alert> {
        let checked = check(&format!("{HEAD}{text}\n"), &Known::default());
        assert_eq!(checked.problems, [], "{text}");
        checked.integration.unwrap().alerts
    }

    /// Line (of the alert's text), column and what is said.
    fn only(text: &str, line: usize, column: usize, says: &str) {
        let checked = check(&format!("{HEAD}{text}\n"), &Known::default());
        assert!(checked.integration.is_none(), "{text}");
        let found = &checked.problems;
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!((found[0].line - HEAD.lines().count(), found[0].column), (line, column), "{found:?}");
        assert!(found[0].message.contains(says), "{found:?}");
    }

    #[test]
    fn alerts_are_read() {
        use AlertKind::{Breaker, Errored, Overdue, Silent};
        assert_eq!(
            alerts(
                "[[alert]]\non = [\"errored\", \"overdue\", \"breaker\", \"silent\"]\nurl = \"https://a.example/x\"\n\
                 [[alert]]\non = [\"errored\"]\nflow = \"Tell\"\nquiet = \"1h\"\n\
                 [[alert]]\non = [\"silent\"]\nurl = \"{{ config.hook }}/{{ integration }}\""
            ),
            [
                Alert {
                    on: vec![Errored, Overdue, Breaker, Silent],
                    to: Receiver::Url("https://a.example/x".into()),
                    quiet: 900_000
                },
                Alert { on: vec![Errored], to: Receiver::Flow("Tell".into()), quiet: 3_600_000 },
                Alert {
                    on: vec![Silent],
                    to: Receiver::Url("{{ config.hook }}/{{ integration }}".into()),
                    quiet: 900_000
                },
            ]
        );
    }

    #[test]
    fn every_mistake_is_told_where_it_stands() {
        let url = "url = \"https://a.example\"";
        only(&format!("[[alert]]\n{url}"), 1, 1, "has no on: write on = [\"errored\"");
        only(&format!("[[alert]]\non = []\n{url}"), 2, 1, "on is empty");
        only(&format!("[[alert]]\non = \"errored\"\n{url}"), 2, 6, "on is a text: write a list");
        only(&format!("[[alert]]\non = [1]\n{url}"), 2, 7, "a text inside the list");
        only(&format!("[[alert]]\non = [\"error\"]\n{url}"), 2, 7, "did you mean \"errored\"?");
        only(&format!("[[alert]]\non = [\"silent\", \"silent\"]\n{url}"), 2, 17, "written twice");
        only("[[alert]]\non = [\"silent\"]", 1, 1, "neither url nor flow");
        only(&format!("[[alert]]\non = [\"silent\"]\n{url}\nflow = \"Tell\""), 4, 1, "both there");
        only("[[alert]]\non = [\"silent\"]\nurl = \"/x\"", 3, 7, "url: it is not absolute");
        only(
            "[[alert]]\non = [\"silent\"]\nurl = \"https://a.example/{{ request.id }}\"",
            3,
            29,
            "does not see request",
        );
        only("[[alert]]\non = [\"silent\"]\nurl = \"{{ config.hock }}\"", 3, 11, "did you mean \"hook\"?");
        only("[[alert]]\non = [\"silent\"]\nflow = \"Tall\"", 3, 8, "did you mean \"Tell\"?");
        only("[[alert]]\non = [\"silent\"]\nflow = \"F\"", 3, 8, "a trigger of type \"webhook\"");
        only(&format!("[[alert]]\non = [\"silent\"]\n{url}\nquiet = 15"), 4, 9, "needs a unit");
        only(
            &format!("[[alert]]\non = [\"silent\"]\n{url}\nquite = \"1h\""),
            4,
            1,
            "did you mean \"quiet\"?",
        );
        only(
            &format!("[[alert]]\non = [\"silent\"]\n{url}\n[[alert]]\non = [\"errored\", \"silent\"]\n{url}"),
            5,
            18,
            "goes to this receiver already",
        );
        let many = format!("[[alert]]\non = [\"silent\"]\n{url}\n").repeat(21);
        let checked = check(&format!("{HEAD}{many}"), &Known::default());
        assert!(checked.problems.iter().any(|problem| problem.message.contains("at most 20")));
    }
}
