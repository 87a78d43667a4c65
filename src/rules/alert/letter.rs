//! What is told: a JSON document, and a sentence in it for those who only show text.

use crate::model::alert::AlertKind;
use crate::model::time::rfc3339;
use crate::model::{Map, Ms};
use crate::text::{clean, count};
use serde_json::{Value, json};

/// Runs and callbacks that are named.
pub const NAMED: usize = 5;

/// What is told of a cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letter {
    /// Names this document; the same over repeats of its delivery.
    pub id: String,
    /// Whether it is over.
    pub recovered: bool,
    /// When it was decided.
    pub at: Ms,
    /// The integration's name.
    pub integration: String,
    /// The flow's name; none of a target.
    pub flow: Option<String>,
    /// The step, where there is one.
    pub step: Option<String>,
    /// Why, in words.
    pub cause: String,
    /// The target that refuses.
    pub target: Option<String>,
    /// Names the group for `groups`.
    pub group: Option<String>,
    /// How many there are now: runs, callbacks, refusals in a row.
    pub count: u64,
    /// How many came since the last alert of this cause.
    pub new: u64,
    /// When the first came.
    pub first: Option<Ms>,
    /// When the last came.
    pub last: Option<Ms>,
    /// Since when it is so.
    pub since: Ms,
    /// The newest runs in it.
    pub runs: Vec<String>,
    /// The newest callbacks in it.
    pub callbacks: Vec<String>,
}

impl Letter {
    /// The document.
    #[must_use]
    pub fn document(&self, kind: AlertKind) -> Value {
        let mut all = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                all.insert(name.to_owned(), value);
            }
        };
        let time = |at: Option<Ms>| at.map_or(Value::Null, |at| rfc3339(at).into());
        put("id", json!(self.id));
        put("alert", json!(kind.word()));
        put("state", json!(if self.recovered { "recovered" } else { "open" }));
        put("text", json!(self.sentence(kind)));
        put("integration", json!(self.integration));
        put("flow", json!(self.flow));
        put("step", json!(self.step));
        put("target", json!(self.target));
        put("cause", json!(self.cause));
        put("group", json!(self.group));
        put("count", json!(self.count));
        put("new", json!(self.new));
        put("since", time(Some(self.since)));
        put("first", time(self.first));
        put("last", time(self.last));
        put("at", time(Some(self.at)));
        put("runs", json!(self.runs));
        if kind == AlertKind::Overdue {
            put("callbacks", json!(self.callbacks));
        }
        Value::Object(all)
    }

    /// It in a sentence: what happened, to what.
    #[must_use]
    pub fn sentence(&self, kind: AlertKind) -> String {
        let whose = match &self.flow {
            Some(flow) => format!("{} / {flow}", self.integration),
            None => self.integration.clone(),
        };
        let at = self.step.as_ref().map_or_else(String::new, |step| format!(" at {step}"));
        let several = |one: &str, more: &str| match self.count {
            1 => format!("1 {one}"),
            n => format!("{} {more}", count(n)),
        };
        let target = self.target.as_deref().unwrap_or_default();
        let said = match (kind, self.recovered) {
            (AlertKind::Errored, false) => {
                format!("{}{at}: {}", several("run is errored", "runs are errored"), self.cause)
            }
            (AlertKind::Errored, true) => format!("no run is errored{at} any more: {}", self.cause),
            (AlertKind::Overdue, false) => {
                format!("{}{at}: {}", several("callback is overdue", "callbacks are overdue"), self.cause)
            }
            (AlertKind::Overdue, true) => format!("no callback is overdue{at} any more"),
            (AlertKind::Breaker, false) => {
                format!("{target} refused {} times in a row and is not sent to for now", count(self.count))
            }
            (AlertKind::Breaker, true) => format!("{target} answers again"),
            (AlertKind::Silent, false) => self.cause.clone(),
            (AlertKind::Silent, true) => "requests come again".to_owned(),
        };
        clean(&format!("{whose}: {said}")).into_owned()
    }
}

/// Why a silence is told.
#[must_use]
pub fn silence(since: Ms, usual: u64) -> String {
    format!("no request since {}; usually {} come in that time", rfc3339(since), count(usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            id: "a1".into(),
            at: 3_000,
            integration: "acme".into(),
            flow: Some("Sync customers".into()),
            step: Some("push".into()),
            cause: "Progix answered 503".into(),
            group: Some("g1".into()),
            count: 300,
            new: 299,
            first: Some(1_000),
            last: Some(2_000),
            since: 1_000,
            runs: vec!["r1".into()],
            ..Letter::default()
        }
    }

    #[test]
    fn the_document_says_all_that_an_operator_needs() {
        let document = letter().document(AlertKind::Errored);
        assert_eq!(
            document,
            json!({
                "id": "a1", "alert": "errored", "state": "open",
                "text": "acme / Sync customers: 300 runs are errored at push: Progix answered 503",
                "integration": "acme", "flow": "Sync customers", "step": "push",
                "cause": "Progix answered 503", "group": "g1", "count": 300, "new": 299,
                "since": "1970-01-01T00:00:01.000Z", "first": "1970-01-01T00:00:01.000Z",
                "last": "1970-01-01T00:00:02.000Z", "at": "1970-01-01T00:00:03.000Z", "runs": ["r1"],
            })
        );
    }

    #[test]
    fn each_kind_has_its_sentence() {
        let said = |kind, recovered, count| {
            let target = Some("hooks.chat.example".to_owned());
            Letter { recovered, target, count, ..letter() }.sentence(kind)
        };
        for (kind, recovered, n, text) in [
            (AlertKind::Errored, false, 1, "1 run is errored at push: Progix answered 503"),
            (AlertKind::Errored, true, 0, "no run is errored at push any more: Progix answered 503"),
            (AlertKind::Overdue, false, 2, "2 callbacks are overdue at push: Progix answered 503"),
            (AlertKind::Overdue, true, 0, "no callback is overdue at push any more"),
            (
                AlertKind::Breaker,
                false,
                10,
                "hooks.chat.example refused 10 times in a row and is not sent to for now",
            ),
            (AlertKind::Breaker, true, 0, "hooks.chat.example answers again"),
            (AlertKind::Silent, true, 0, "requests come again"),
        ] {
            assert_eq!(said(kind, recovered, n), format!("acme / Sync customers: {text}"));
        }
        assert_eq!(
            silence(0, 1_200),
            "no request since 1970-01-01T00:00:00.000Z; usually 1,200 come in that time"
        );
    }

    #[test]
    fn a_sentence_shows_what_would_change_a_terminal() {
        let letter = Letter { cause: "a\u{1b}[31mb".into(), ..letter() };
        assert!(!letter.sentence(AlertKind::Errored).contains('\u{1b}'));
    }
}
