//! What each object of a document may say: its keys, what they take, and a sentence of help.

use super::outline::What;

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A text.
    Text,
    /// A text in which `{{ … }}` stands.
    Template,
    /// One of these.
    Choice(&'static [&'static str]),
    /// The name of a connection.
    Connection,
    /// `10s`, `5m`, `7d`.
    Duration,
    /// A number.
    Number,
    /// true or false.
    Flag,
    /// `[ … ]`.
    List,
    /// `{ … }`.
    Table,
}

impl Takes {
    /// What is written before it is filled in, and how many of its letters stand after the cursor.
    #[must_use]
    pub fn blank(self) -> (&'static str, usize) {
        match self {
            Self::Text | Self::Template | Self::Choice(_) | Self::Connection | Self::Duration => ("\"\"", 1),
            Self::Number => ("", 0),
            Self::Flag => ("true", 0),
            Self::List => ("[]", 1),
            Self::Table => ("{  }", 2),
        }
    }
}

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it does.
    pub help: &'static str,
}

const fn key(name: &'static str, takes: Takes, help: &'static str) -> Key {
    Key { name, takes, help }
}

use Takes::{Choice, Connection, Duration, Flag, List, Number, Table, Template, Text};

const INTEGRATION: &[Key] = &[
    key("name", Text, "what it is called everywhere: a-z, 0-9 and -"),
    key("title", Text, "what people read"),
    key("icon", Text, "one or two cells before the title"),
    key("description", Text, "what it is for"),
];

const VARIABLE: &[Key] = &[
    key("name", Text, "config.NAME in templates"),
    key("type", Choice(&["text", "number", "boolean", "url", "choice", "secret"]), "how its value is read"),
    key("heading", Text, "variables under one heading stand together"),
    key("help", Text, "what whoever sets it reads"),
    key("required", Flag, "nothing is deployed before it has a value"),
    key("default", Text, "its value until one is set"),
    key("options", List, "what a choice may be"),
];

const CONNECTION: &[Key] = &[
    key("name", Text, "what steps call it"),
    key("base_url", Template, "goes before the url of each step"),
    key(
        "auth",
        Table,
        "{ type = \"bearer\", token = \"{{ config.token }}\" }; basic: user, password; header: name, value",
    ),
    key("headers", Table, "sent with each request"),
    key("proxy", Text, "an HTTP proxy"),
    key("verify_tls", Flag, "whether the target's certificate is verified"),
    key("ca_file", Text, "a PEM file with an own certificate authority"),
];

const FLOW: &[Key] = &[
    key("id", Text, "stays when the name changes, and keeps the endpoint"),
    key("name", Text, "what it is called"),
    key("was", Text, "what it was called before, where it has no id"),
    key("description", Text, "what it is for"),
];

const TRIGGER: &[Key] =
    &[key("type", Choice(&["webhook", "schedule", "deploy", "remove", "manual"]), "what starts the flow")];

const DEPLOY: &[Key] = &[key("first", Flag, "only by the first deploy")];

const WEBHOOK: &[Key] = &[
    key("path", Text, "a short name for its URL: /in/PATH"),
    key("methods", List, "methods that are let in"),
    key("auth", Table, "who is let in: { type = \"none\" }, jwt, api_key, basic, signature"),
    key("allow_from", List, "networks that are let in"),
    key("dedup", Table, "{ fields = [\"body.id\"], window = \"7d\" }: what came already is not run again"),
    key("required", List, "paths without which a request is refused"),
    key("when", Template, "only what this is true for is run"),
    key("split", Text, "a list of the body: a run for each of its elements"),
    key("mask", List, "paths that are kept and shown masked"),
    key("reply", Choice(&["accept", "wait", "poll"]), "whether the sender waits for the run"),
    key("timeout", Duration, "how long a sender waits"),
    key("on_timeout", Choice(&["continue", "abort"]), "what becomes of a run that nobody waits for"),
    key("rate_limit", Text, "\"100/m\": more are answered 429"),
    key("max_body", Text, "\"6MiB\": longer ones are answered 413"),
    key("concurrency", Number, "most runs at once; 1 is one after the other"),
];

const SCHEDULE: &[Key] = &[
    key("cron", Text, "minute hour day month weekday"),
    key("every", Duration, "from one start to the next"),
    key("zone", Text, "whose clock it is: Europe/Berlin"),
];

const STEP: &[Key] = &[
    key("name", Text, "steps.NAME in templates"),
    key("type", Choice(&["request", "send", "set", "respond", "fail", "delay"]), "what it does"),
    key("when", Template, "only where this is true; else it is passed over"),
    key("missing", Choice(&["omit", "empty", "fail"]), "what becomes of a value that is not there"),
    key("on_error", Choice(&["stop", "continue", "abort"]), "what becomes of the run where it fails"),
];

const EXCHANGE: &[Key] = &[
    key("connection", Connection, "where it sends, and as whom"),
    key(
        "method",
        Choice(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
        "POST unless it says otherwise",
    ),
    key("url", Template, "goes after the connection's base_url; values are percent-encoded"),
    key("headers", Table, "sent besides those of the connection"),
    key("timeout", Duration, "until the answer must be there"),
    key("success", List, "codes that are well: \"2xx\", \"404\""),
    key("errors", Table, "what a code means, in words"),
    key("outputs", Table, "what later steps get of the answer: { id = \"body.id\" }"),
    key("retry", Table, "{ attempts = 3, delay = \"10s\", backoff = \"exponential\" }"),
    key("idempotent", Flag, "whether it may be sent again without asking"),
    key("callback_deadline", Duration, "how long the target may take to call back"),
];

const REQUEST: &[Key] = &[
    key("query", Table, "parameters of the URL"),
    key("json", Table, "the body, as JSON"),
    key("form", Table, "the body, as a form"),
    key("text", Template, "the body, as text"),
    key("callback", Flag, "the target answers 202 and calls back"),
    key("for_each", Template, "once for each item of this list"),
];

const SET: &[Key] = &[key("outputs", Table, "what later steps get: { total = \"{{ … }}\" }")];
const FAIL: &[Key] = &[
    key("message", Template, "why the run fails"),
    key("status", Number, "what a sender that waits is answered: 422"),
];
const DELAY: &[Key] = &[
    key("for", Duration, "how long it waits"),
    key("until", Template, "until when: a time or milliseconds"),
];
const RESPOND: &[Key] = &[
    key("status", Number, "the code of the answer"),
    key("headers", Table, "its headers"),
    key("json", Table, "its body, as JSON"),
    key("text", Template, "its body, as text"),
];

const ALERT: &[Key] = &[
    key("on", List, "what is told"),
    key("url", Template, "who is told"),
    key("flow", Text, "or a flow of this integration that is started"),
    key("quiet", Duration, "how long the same is not told again"),
];

/// The keys of an object, by its `type`.
#[must_use]
pub fn keys(what: What, kind: Option<&str>) -> Vec<Key> {
    let parts: &[&[Key]] = match (what, kind) {
        (What::Integration, _) => &[INTEGRATION],
        (What::Variable, _) => &[VARIABLE],
        (What::Connection, _) => &[CONNECTION],
        (What::Flow, _) => &[FLOW],
        (What::Trigger, Some("webhook")) => &[TRIGGER, WEBHOOK],
        (What::Trigger, Some("schedule")) => &[TRIGGER, SCHEDULE],
        (What::Trigger, Some("deploy")) => &[TRIGGER, DEPLOY],
        (What::Trigger, _) => &[TRIGGER],
        (What::Step, Some("request")) => &[STEP, EXCHANGE, REQUEST],
        (What::Step, Some("send")) => &[STEP, EXCHANGE],
        (What::Step, Some("set")) => &[STEP, SET],
        (What::Step, Some("fail")) => &[STEP, FAIL],
        (What::Step, Some("delay")) => &[STEP, DELAY],
        (What::Step, Some("respond")) => &[STEP, RESPOND],
        (What::Step, _) => &[STEP],
        (What::Alert, _) => &[ALERT],
        (What::Part, _) => &[],
    };
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}

/// A key of an object.
#[must_use]
pub fn find(what: What, kind: Option<&str>, name: &str) -> Option<Key> {
    keys(what, kind).into_iter().find(|key| key.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check::{Known, check};

    fn document(what: What, kind: Option<&str>, line: &str) -> String {
        let kind = kind.map_or_else(String::new, |kind| format!("type = \"{kind}\"\n"));
        let head = match what {
            What::Integration | What::Part => "",
            What::Variable => "[[variable]]\n",
            What::Connection => "[[connection]]\n",
            What::Flow => "[[flow]]\n",
            What::Trigger => "[[flow]]\nname = \"A\"\n[flow.trigger]\n",
            What::Step => "[[flow]]\nname = \"A\"\n[flow.trigger]\ntype = \"manual\"\n[[flow.step]]\n",
            What::Alert => "[[alert]]\n",
        };
        format!("{head}{kind}{line}\n")
    }

    fn unknown(what: What, kind: Option<&str>, line: &str) -> bool {
        let text = document(what, kind, line);
        let told = check(&text, &Known::default()).problems;
        told.iter().any(|problem| problem.message.contains("has no key"))
    }

    #[test]
    fn every_key_is_one_that_the_check_knows_and_no_other_is() {
        let all = [
            (What::Integration, None),
            (What::Variable, None),
            (What::Connection, None),
            (What::Flow, None),
            (What::Trigger, Some("webhook")),
            (What::Trigger, Some("schedule")),
            (What::Trigger, Some("deploy")),
            (What::Step, Some("request")),
            (What::Step, Some("send")),
            (What::Step, Some("set")),
            (What::Step, Some("fail")),
            (What::Step, Some("delay")),
            (What::Step, Some("respond")),
            (What::Alert, None),
        ];
        for (what, kind) in all {
            assert!(unknown(what, kind, "no_such_key = 1"), "{what:?} {kind:?}");
            for key in keys(what, kind).into_iter().filter(|key| kind.is_none() || key.name != "type") {
                assert!(!unknown(what, kind, &format!("{} = 1", key.name)), "{what:?} {kind:?} {}", key.name);
            }
        }
    }

    #[test]
    fn every_choice_is_one_that_the_check_takes() {
        for (what, kind) in [
            (What::Variable, None),
            (What::Trigger, None),
            (What::Trigger, Some("webhook")),
            (What::Step, None),
            (What::Step, Some("request")),
        ] {
            for key in keys(what, kind) {
                let Choice(choices) = key.takes else { continue };
                if kind.is_some() && key.name == "type" {
                    continue;
                }
                let refused = |choice: &str| {
                    let text = document(what, kind, &format!("{} = \"{choice}\"", key.name));
                    let told = check(&text, &Known::default()).problems;
                    let named = format!("{} {choice:?} is not possible", key.name);
                    told.iter().any(|problem| problem.message.contains(&named))
                };
                assert!(refused("no such choice"), "{what:?} {}", key.name);
                for choice in choices {
                    assert!(!refused(choice), "{what:?} {} {choice}", key.name);
                }
            }
        }
    }
}
