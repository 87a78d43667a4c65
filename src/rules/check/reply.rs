//! How senders are answered: `reply`, `timeout`, `on_timeout`, `split`, and the `respond` step.

use super::connection::headers_but;
use super::exchange::body_of;
use super::fields::Fields;
use super::gates::request_path;
use super::names::Names;
use crate::model::document::{Body, Patience, Reply, Respond, Trigger};
use crate::model::path::Path;
use crate::model::time::{MINUTE, SECOND};

/// What `wait` and `poll` may be at most: a connection is held for so long.
const LONGEST: i64 = 10 * MINUTE;
/// How long `wait` waits where the document does not say.
const WAIT: i64 = 30 * SECOND;
/// How long `poll` waits where the document does not say.
const POLL: i64 = 500;
/// Keys of a `respond` step besides those of every step.
pub(super) const RESPOND: &[&str] = &["status", "headers", "json", "text"];

/// `reply`, `timeout` and `on_timeout` of a trigger.
pub(super) fn reply(fields: &Fields<'_>) -> Reply {
    #[derive(Clone, Copy, PartialEq)]
    enum Mode {
        Accept,
        Wait,
        Poll,
    }
    let modes = [("accept", Mode::Accept), ("wait", Mode::Wait), ("poll", Mode::Poll)];
    // A word that is none is told already: what hangs on it is then not told again.
    let mode =
        if fields.has("reply") { fields.choice("reply", &modes).unwrap_or(Mode::Wait) } else { Mode::Accept };
    let timeout = fields.duration("timeout", LONGEST, "\"10m\"");
    let abort = fields.choice("on_timeout", &[("continue", false), ("abort", true)]).unwrap_or(false);
    if mode == Mode::Accept {
        for key in ["timeout", "on_timeout"].into_iter().filter(|key| fields.has(key)) {
            let message =
                format!("{key} is of senders that wait: write reply = \"wait\" or \"poll\", or leave it out");
            fields.report.error(fields.key_at(key), message);
        }
    }
    let patience = |standard| Patience { timeout: timeout.unwrap_or(standard), abort };
    match mode {
        Mode::Accept => Reply::Accept,
        Mode::Wait => Reply::Wait(patience(WAIT)),
        Mode::Poll => Reply::Poll(patience(POLL)),
    }
}

/// `split` of a trigger: a path into the body.
pub(super) fn split(fields: &Fields<'_>) -> Option<Path> {
    let (text, span) = fields.text("split")?;
    let path = request_path(fields, &text, span.start, "split")?;
    if path.root() != "body" {
        let message = format!("split {text:?} is not possible: write a path into the body, body.records");
        fields.report.error(span.start, message);
        return None;
    }
    Some(path)
}

/// A `respond` step.
pub(super) fn respond(fields: &Fields<'_>, names: &Names, trigger: &Trigger, at: usize) -> Respond {
    let report = fields.report;
    match trigger {
        Trigger::Webhook(webhook) if webhook.reply == Reply::Accept => report.error(
            at,
            "type = \"respond\": senders of this flow are answered at once; write reply = \"wait\" or \"poll\" in its trigger",
        ),
        Trigger::Webhook(_) => {}
        _ => report.error(at, "type = \"respond\": no sender waits for this flow: its trigger is no webhook"),
    }
    let status =
        fields.integer("status", 200..600).and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    let body = body_of(fields, names, &["json", "text"]);
    if matches!(status, 204 | 205 | 304) && body != Body::Empty {
        report.error(
            fields.key_at("status"),
            format!(
                "an answer with status {status} has no body: leave json and text out, or write another status"
            ),
        );
    }
    Respond { status, headers: headers_but(fields, names, reserved), body }
}

/// Headers of an answer that are not the document's to set, and why.
fn reserved(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "content-length" | "transfer-encoding" | "connection" | "keep-alive" | "upgrade" | "te"
        | "trailer" | "date" => Some("it belongs to the connection"),
        _ if name.starts_with("pointsman-") => Some("Pointsman sets it"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::document::{Flow, StepKind};
    use crate::rules::check::{Known, check};

    fn source(trigger: &str, steps: &str) -> String {
        format!(
            "name = \"a\"\n[[flow]]\nname = \"F\"\n[flow.trigger]\ntype = \"webhook\"\nauth = {{ type = \"none\" }}\n{trigger}\n{steps}\n"
        )
    }

    fn flow(trigger: &str, steps: &str) -> Flow {
        let checked = check(&source(trigger, steps), &Known::default());
        assert_eq!(checked.problems, [], "{trigger} {steps}");
        checked.integration.unwrap().flows.remove(0)
    }

    fn mistakes(trigger: &str, steps: &str) -> Vec<String> {
        let problems = check(&source(trigger, steps), &Known::default()).problems;
        problems.into_iter().map(|one| format!("{}:{}: {}", one.line, one.column, one.message)).collect()
    }

    #[test]
    fn each_mode_has_its_own_time() {
        let patience = |timeout, abort| Patience { timeout, abort };
        for (keys, reply) in [
            ("", Reply::Accept),
            ("reply = \"accept\"", Reply::Accept),
            ("reply = \"wait\"", Reply::Wait(patience(30_000, false))),
            ("reply = \"poll\"", Reply::Poll(patience(500, false))),
            (
                "reply = \"wait\"\ntimeout = \"10m\"\non_timeout = \"abort\"",
                Reply::Wait(patience(600_000, true)),
            ),
            (
                "reply = \"poll\"\ntimeout = \"2s\"\non_timeout = \"continue\"",
                Reply::Poll(patience(2_000, false)),
            ),
        ] {
            assert_eq!(flow(keys, "").reply(), reply, "{keys}");
        }
    }

    #[test]
    fn a_time_of_nobody_and_too_long_a_time_are_refused() {
        assert_eq!(
            mistakes("timeout = \"1s\"\non_timeout = \"abort\"", ""),
            [
                "7:1: timeout is of senders that wait: write reply = \"wait\" or \"poll\", or leave it out",
                "8:1: on_timeout is of senders that wait: write reply = \"wait\" or \"poll\", or leave it out",
            ]
        );
        assert_eq!(
            mistakes("reply = \"wait\"\ntimeout = \"601s\"\non_timeout = \"stop\"", ""),
            [
                "8:11: timeout is \"601s\": at most \"10m\" is possible",
                "9:14: on_timeout \"stop\" is not possible: write \"continue\" or \"abort\"",
            ]
        );
    }

    #[test]
    fn a_respond_step_needs_a_sender_that_waits() {
        let step = "[[flow.step]]\nname = \"r\"\ntype = \"respond\"\n";
        let found = mistakes("", step);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("10:8: type = \"respond\": senders of this flow are answered at once"),
            "{found:?}"
        );
        let keys = format!(
            "{step}status = 201\nheaders = {{ Location = \"/x\" }}\njson = {{ id = \"{{{{ request.body.id }}}}\" }}"
        );
        let StepKind::Respond(respond) = flow("reply = \"poll\"", &keys).steps.remove(0).kind else {
            panic!()
        };
        assert_eq!((respond.status, respond.headers.len()), (201, 1));
        assert!(matches!(respond.body, Body::Json(_)));
        let StepKind::Respond(respond) = flow("reply = \"wait\"", step).steps.remove(0).kind else {
            panic!()
        };
        assert_eq!((respond.status, &respond.body), (200, &Body::Empty));
        for (keys, wanted) in [
            ("status = 199", "11:10: status is no whole number from 200 to 599"),
            ("status = 204\ntext = \"x\"", "11:1: an answer with status 204 has no body"),
            ("json = 1\ntext = \"x\"", "12:1: step \"r\" has json and text: keep one of json and text"),
            ("form = { a = 1 }", "11:1: step \"r\" has no key \"form\""),
            (
                "headers = { \"Content-Length\" = \"1\" }",
                "11:13: the header \"Content-Length\" cannot be set: it belongs to the connection",
            ),
            (
                "headers = { \"Pointsman-X\" = \"1\" }",
                "11:13: the header \"Pointsman-X\" cannot be set: Pointsman sets it",
            ),
            ("text = \"{{ steps.x.body }}\"", "11:12: there is no step \"x\" before this one"),
        ] {
            let found = mistakes("reply = \"wait\"", &format!("{step}{keys}"));
            assert!(found.len() == 1 && found[0].starts_with(wanted), "{keys}: {found:?}");
        }
        let manual = "name = \"a\"\n[[flow]]\nname = \"F\"\ntrigger = { type = \"manual\" }\n[[flow.step]]\nname = \"r\"\ntype = \"respond\"\n";
        let problems = check(manual, &Known::default()).problems;
        assert!(problems.len() == 1 && problems[0].message.contains("no sender waits"), "{problems:?}");
    }

    #[test]
    fn a_split_is_a_path_into_the_body_and_gives_steps_a_record() {
        let step = "[[flow.step]]\nname = \"s\"\ntype = \"set\"\noutputs = { id = \"{{ record.id }}\" }";
        let found = flow("split = \"body.records\"", step);
        assert_eq!(found.split().map(ToString::to_string).as_deref(), Some("body.records"));
        assert_eq!(flow("split = \"body\"", "").split().map(ToString::to_string).as_deref(), Some("body"));
        for (split, wanted) in [
            ("query.x", "7:9: split \"query.x\" is not possible: write a path into the body"),
            ("body.x[]", "7:9: split \"body.x[]\" names any element"),
            ("request.body.x", "7:9: split \"request.body.x\" is not possible"),
            ("body..x", "7:9: split \"body..x\" is no path"),
        ] {
            let found = mistakes(&format!("split = \"{split}\""), "");
            assert!(found.len() == 1 && found[0].starts_with(wanted), "{split}: {found:?}");
        }
        let found = mistakes("", step);
        assert!(
            found.len() == 1 && found[0].starts_with("11:22: record is an element of `split`"),
            "{found:?}"
        );
        // The trigger's own `when` is judged before there are elements.
        let found = mistakes("split = \"body.x\"\nwhen = \"{{ record.a == 1 }}\"", "");
        assert!(found.len() == 1 && found[0].starts_with("8:12: record is"), "{found:?}");
    }

    #[test]
    fn what_new_shows_in_comments_can_be_written() {
        const SHOWN: [&str; 9] = [
            "# split",
            "# timeout",
            "# on_timeout",
            "# [[flow.step]]",
            "# name = \"answer\"",
            "# type = \"respond\"",
            "# status",
            "# headers = { Location",
            "# json = { id",
        ];
        let document =
            include_str!("../../../samples/new.toml").replace("# reply = \"accept\"", "reply = \"wait\"");
        let is_shown = |line: &str| SHOWN.iter().any(|key| line.starts_with(key));
        let lines = document.lines().map(|line| if is_shown(line) { &line[2..] } else { line });
        let source = lines
            .collect::<Vec<_>>()
            .join("\n")
            .replace("NAME", "acme")
            .replace("# outputs = { id", "outputs = { id");
        let checked = check(&source, &Known::default());
        assert_eq!(checked.problems, [], "{source}");
        let flow = checked.integration.unwrap().flows.remove(0);
        assert_eq!(flow.reply(), Reply::Wait(Patience { timeout: 30_000, abort: false }));
        assert!(flow.split().is_some() && flow.steps.iter().any(|step| step.kind.word() == "respond"));
    }
}
