//! `[flow.trigger]`: its type, and the triggers that no request is needed for.

use super::Known;
use super::fields::{Fields, list, meant};
use super::flow::{WEBHOOK, webhook};
use super::names::Names;
use crate::model::document::{Flow, Trigger};
use crate::model::schedule::Schedule;
use crate::model::time::{DAY, SECOND};
use crate::rules::near::closest;
use crate::rules::schedule;

const TYPES: &[&str] = &["webhook", "schedule", "deploy", "remove", "manual"];
const SCHEDULE: &[&str] = &["type", "every", "cron", "zone"];
const DEPLOY: &[&str] = &["type", "first"];
const BARE: &[&str] = &["type"];

/// The trigger of a flow; `manual` where it cannot be read.
pub(super) fn read(flow: &Fields<'_>, names: &Names, flows: &[Flow], known: &Known) -> Trigger {
    let Some(fields) = flow.table("trigger", &format!("the trigger of {}", flow.what)) else {
        if !flow.has("trigger") {
            let message =
                format!("{} has no trigger: write [flow.trigger] with type = \"webhook\"", flow.what);
            flow.report.missing(flow.span.start, message);
        }
        return Trigger::Manual;
    };
    let Some((kind, span)) = fields.required_text("type", "type = \"webhook\"") else {
        return Trigger::Manual;
    };
    match kind.as_str() {
        "webhook" => {
            strangers(&fields, "webhook", WEBHOOK);
            Trigger::Webhook(webhook(&fields, names, flows, known))
        }
        "schedule" => {
            strangers(&fields, "schedule", SCHEDULE);
            schedule(&fields).map_or(Trigger::Manual, Trigger::Schedule)
        }
        "deploy" => {
            strangers(&fields, "deploy", DEPLOY);
            Trigger::Deploy { first: fields.boolean("first").unwrap_or(false) }
        }
        "remove" => {
            strangers(&fields, "remove", BARE);
            Trigger::Remove
        }
        "manual" => {
            strangers(&fields, "manual", BARE);
            Trigger::Manual
        }
        other => {
            let message = format!("type {other:?} is not possible: {}{}", list(TYPES), meant(other, TYPES));
            fields.report.error(span.start, message);
            Trigger::Manual
        }
    }
}

/// Tells keys that the type does not have, and whose they are.
fn strangers(fields: &Fields<'_>, kind: &str, own: &[&str]) {
    let others = [("webhook", WEBHOOK), ("schedule", SCHEDULE), ("deploy", DEPLOY)];
    for (key, span, _) in fields.entries().filter(|(key, _, _)| !own.contains(key)) {
        if let Some((owner, _)) = others.iter().find(|(_, keys)| keys.contains(&key)) {
            let message = format!(
                "{key} is a key of type = {owner:?}, and this trigger is of type = {kind:?}: leave it out"
            );
            fields.report.error(span.start, message);
            let _ = fields.get(key);
        }
    }
    // The reader of a webhook ends with this itself.
    if kind != "webhook" {
        fields.finish(own);
    }
}

fn schedule(fields: &Fields<'_>) -> Option<Schedule> {
    const EXAMPLE: &str = "write every = \"15m\" or cron = \"0 6 * * *\"";
    let report = fields.report;
    let every = fields.duration_from("every", (SECOND, "1s"), (365 * DAY, "\"365d\""));
    let cron = fields.text("cron");
    let zone = zone(fields);
    match (fields.has("every"), fields.has("cron")) {
        (true, true) => {
            report.error(fields.key_at("cron"), "every and cron are both there: write one of them");
            None
        }
        (false, false) => {
            let message = format!("{} has neither every nor cron: {EXAMPLE}", fields.what);
            report.missing(fields.span.start, message);
            None
        }
        (true, false) => {
            if fields.has("zone") {
                report.error(fields.key_at("zone"), "zone belongs to cron: with every leave it out");
            }
            every.map(Schedule::Every)
        }
        (false, true) => {
            let (text, span) = cron?;
            if let Some((offset, message)) = schedule::mistake(&text) {
                report.error(report.inside(&span, offset), message);
                return None;
            }
            let expression = text.split_whitespace().collect::<Vec<_>>().join(" ");
            Some(Schedule::Cron { expression, zone: zone? })
        }
    }
}

/// The zone as the database spells it; UTC where none is written.
fn zone(fields: &Fields<'_>) -> Option<String> {
    let Some((name, span)) = fields.text("zone") else {
        return (!fields.has("zone")).then(|| "UTC".to_owned());
    };
    if let Some(zone) = schedule::zone(&name) {
        return Some(zone.iana_name().unwrap_or(&name).to_owned());
    }
    let all = schedule::zones();
    let near = closest(&name, all.iter().map(String::as_str));
    let meant = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
    let message = format!("there is no zone {name:?}: write an IANA name, as \"Europe/Berlin\"{meant}");
    fields.report.error(span.start, message);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check::check;

    const HEAD: &str = "name = \"a\"\n[[flow]]\nname = \"F\"\n[flow.trigger]\n";

    fn trigger(keys: &str) -> Trigger {
        let mut checked = check(&format!("{HEAD}{keys}\n"), &Known::default());
        assert_eq!(checked.problems, [], "{keys}");
        checked.integration.as_mut().unwrap().flows.remove(0).trigger
    }

    fn mistakes(keys: &str) -> Vec<(usize, usize, String)> {
        let checked = check(&format!("{HEAD}{keys}\n"), &Known::default());
        assert!(checked.integration.is_none(), "{keys}");
        // Lines from that of the type on.
        let place = |problem: crate::model::document::Problem| {
            (problem.line - HEAD.lines().count(), problem.column, problem.message)
        };
        checked.problems.into_iter().map(place).collect()
    }

    fn only(keys: &str, line: usize, column: usize, says: &str) {
        let found = mistakes(keys);
        assert_eq!(found.len(), 1, "{keys}: {found:?}");
        assert_eq!((found[0].0, found[0].1), (line, column), "{keys}: {found:?}");
        assert!(found[0].2.contains(says), "{keys}: {found:?}");
    }

    #[test]
    fn every_type_is_read() {
        assert_eq!(
            trigger("type = \"schedule\"\nevery = \"15m\""),
            Trigger::Schedule(Schedule::Every(900_000))
        );
        let cron = |zone: &str| {
            Trigger::Schedule(Schedule::Cron { expression: "0 6 * * mon".into(), zone: zone.into() })
        };
        assert_eq!(trigger("type = \"schedule\"\ncron = \" 0  6 * * mon\""), cron("UTC"));
        assert_eq!(
            trigger("type = \"schedule\"\ncron = \"0 6 * * mon\"\nzone = \"europe/berlin\""),
            cron("Europe/Berlin")
        );
        assert_eq!(trigger("type = \"deploy\""), Trigger::Deploy { first: false });
        assert_eq!(trigger("type = \"deploy\"\nfirst = true"), Trigger::Deploy { first: true });
        assert_eq!(trigger("type = \"remove\""), Trigger::Remove);
        assert_eq!(trigger("type = \"manual\""), Trigger::Manual);
    }

    #[test]
    fn a_schedule_says_what_is_wrong_with_it_and_where() {
        only("type = \"schedule\"", 0, 1, "has neither every nor cron: write every = \"15m\" or cron");
        only("type = \"schedule\"\nevery = \"1h\"\ncron = \"0 6 * * *\"", 3, 1, "both there");
        only("type = \"schedule\"\nevery = \"100ms\"", 2, 9, "at least \"1s\"");
        only("type = \"schedule\"\nevery = \"366d\"", 2, 9, "at most \"365d\"");
        only("type = \"schedule\"\nevery = 15", 2, 9, "unit");
        only("type = \"schedule\"\nevery = \"1h\"\nzone = \"UTC\"", 3, 1, "zone belongs to cron");
        only("type = \"schedule\"\ncron = 6", 2, 8, "cron is a number: write a text");
        only("type = \"schedule\"\ncron = \"0 6 * *\"", 2, 9, "has 4 fields");
        only("type = \"schedule\"\ncron = \"0 25 * * *\"", 2, 11, "the hour \"25\"");
        only("type = \"schedule\"\ncron = \"0 6 31 2 *\"", 2, 9, "never comes");
        only(
            "type = \"schedule\"\ncron = \"0 6 * * *\"\nzone = \"Europe/Berlim\"",
            3,
            8,
            "there is no zone \"Europe/Berlim\": write an IANA name, as \"Europe/Berlin\"; did you mean \"Europe/Berlin\"?",
        );
    }

    #[test]
    fn keys_of_another_type_and_of_none_are_refused_where_they_stand() {
        only(
            "type = \"schedule\"\nevery = \"1h\"\nauth = { type = \"none\" }",
            3,
            1,
            "auth is a key of type = \"webhook\", and this trigger is of type = \"schedule\"",
        );
        only("type = \"deploy\"\nevery = \"1h\"", 2, 1, "every is a key of type = \"schedule\"");
        only("type = \"deploy\"\nfirst = \"yes\"", 2, 9, "first is a text: write first = true");
        only("type = \"deploy\"\nfrist = true", 2, 1, "has no key \"frist\"; did you mean \"first\"?");
        only("type = \"remove\"\nfirst = true", 2, 1, "first is a key of type = \"deploy\"");
        only("type = \"manual\"\ncron = \"0 6 * * *\"", 2, 1, "cron is a key of type = \"schedule\"");
        only(
            "type = \"webhook\"\nauth = { type = \"none\" }\nfirst = true",
            3,
            1,
            "first is a key of type = \"deploy\"",
        );
        only("type = \"shedule\"\nevery = \"1h\"", 1, 8, "did you mean \"schedule\"?");
    }

    #[test]
    fn nobody_waits_for_an_answer_of_such_a_flow() {
        for kind in ["schedule\"\nevery = \"1h", "deploy", "remove"] {
            let step = "[[flow.step]]\nname = \"r\"\ntype = \"respond\"";
            let found = mistakes(&format!("type = \"{kind}\"\n{step}"));
            assert!(found[0].2.contains("no sender waits"), "{found:?}");
        }
    }
}
