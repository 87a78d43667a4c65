//! What a draft that is about to go live would have made of the requests of the last time: the
//! back-test within its dialog, found part by part while it is open. Nobody has to wait for it.

use super::{Dialog, Kind, Purpose, Subject};
use crate::console::format::count;
use crate::console::payload::value_text;
use crate::console::theme::Role;
use crate::model::study::{BackTest, BackTestField, BackTestView};
use crate::model::time::{DAY, HOUR, Ms};
use crate::text::{apart, cut_end, width};
use serde_json::Value;

/// How far back it looks, as the field's choices say it.
pub(super) const WINDOWS: [(Ms, &str); 3] = [(24 * HOUR, "24h"), (7 * DAY, "7d"), (30 * DAY, "30d")];
/// Kinds of changes that are told apart, and of those the ones that are shown.
const KINDS: usize = 100;
const SHOWN: usize = 3;

/// A back-test, as far as it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weighed {
    window: usize,
    /// It was asked for.
    asked: bool,
    running: bool,
    looked: u64,
    changed: u64,
    alike: u64,
    left_out: u64,
    /// Requests that only the draft rejects.
    rejected: u64,
    /// Requests whose run only the draft stops.
    failing: u64,
    kinds: Vec<Changes>,
    trouble: Option<String>,
}

/// A field of a step that changes, and the newest request's values of it.
#[derive(Debug, Clone, PartialEq)]
struct Changes {
    step: Option<String>,
    path: String,
    requests: u64,
    before: Value,
    after: Value,
}

impl Weighed {
    fn over(window: usize) -> Self {
        Self { window, running: true, ..Self::default() }
    }

    /// Takes a part in.
    fn take(&mut self, part: BackTestView) {
        self.looked += part.looked;
        self.changed += part.changes.len() as u64;
        self.alike += part.failing_alike;
        self.left_out += part.left_out.iter().map(|(_, many)| many).sum::<u64>();
        for change in part.changes {
            let any = |test: fn(&BackTestField) -> bool| u64::from(change.fields.iter().any(test));
            self.rejected += any(|field| field.path == "verdict" && turns(field, &["rejected"]));
            self.failing += any(|field| field.path == "end" && turns(field, &["errored", "failed"]));
            // Elements of one request are one change of it.
            let mut met: Vec<(Option<&str>, &str)> = Vec::new();
            for field in change.fields.iter().filter(|field| field.path != "end") {
                let what = (field.step.as_deref(), field.path.as_str());
                if !met.contains(&what) {
                    met.push(what);
                    self.count(field);
                }
            }
        }
    }

    fn count(&mut self, field: &BackTestField) {
        let known = self.kinds.iter().position(|kind| kind.step == field.step && kind.path == field.path);
        if let Some(known) = known {
            self.kinds[known].requests += 1;
        } else if self.kinds.len() < KINDS {
            self.kinds.push(Changes {
                step: field.step.clone(),
                path: field.path.clone(),
                requests: 1,
                before: field.before.clone(),
                after: field.after.clone(),
            });
        }
    }

    /// What is told of it, in so many cells.
    #[must_use]
    pub fn lines(&self, cells: u16) -> Vec<(String, Role)> {
        let window = WINDOWS[self.window % WINDOWS.len()].1;
        if let Some(trouble) = &self.trouble {
            return vec![(format!("back-test {window}: {trouble}"), Role::Warn)];
        }
        let requests = match self.looked {
            1 => "1 request".to_owned(),
            many => format!("{} requests", count(many)),
        };
        let so_far = if self.running { " so far" } else { "" };
        let mut lines = vec![(format!("back-test {window}: {requests}{so_far}, no effects"), Role::Text)];
        if self.looked > 0 {
            let same = count(self.looked.saturating_sub(self.changed + self.left_out));
            let role = if self.changed > 0 { Role::Warn } else { Role::Good };
            lines.push((format!("  {same} the same, {} change", count(self.changed)), role));
        }
        let mut kinds: Vec<&Changes> = self.kinds.iter().collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.requests));
        lines.extend(kinds.iter().take(SHOWN).map(|kind| (kind.line(cells), Role::Text)));
        if kinds.len() > SHOWN {
            let more = match kinds.len() - SHOWN {
                1 => "1 other field".to_owned(),
                more => format!("{} other fields", count(more as u64)),
            };
            lines.push((format!("  ▸ and {more}; b on the integration lists all"), Role::Muted));
        }
        if self.looked > 0 {
            let role = if self.rejected + self.failing > 0 { Role::Bad } else { Role::Muted };
            let text =
                format!("  {} newly rejected, {} newly failing", count(self.rejected), count(self.failing));
            lines.push((text, role));
        }
        if self.alike > 0 {
            lines.push((format!("  {} fail as before", count(self.alike)), Role::Muted));
        }
        if self.left_out > 0 {
            lines.push((format!("  {} could not be judged", count(self.left_out)), Role::Warn));
        }
        lines
    }
}

impl Changes {
    /// `  ▸ 4 × push url "/custmers/…" → "/customers/…"`
    fn line(&self, cells: u16) -> String {
        let step = self.step.as_deref().unwrap_or("trigger");
        let head = format!(
            "  ▸ {} × {} {} ",
            count(self.requests),
            crate::text::clean(step),
            crate::text::clean(&self.path)
        );
        let room = usize::from(cells).saturating_sub(width(&head) + 3);
        let text = |value: &Value| match value {
            Value::Null => "–".to_owned(),
            value => crate::text::clean(&value_text(value).1).into_owned(),
        };
        let (before, after) = (text(&self.before), text(&self.after));
        let (before, after) = apart(&before, &after, (room / 2, room / 2));
        // What the one leaves the other has.
        let left = width(&before).min((room / 2).max(room.saturating_sub(width(&after))));
        let (before, after) = (cut_end(&before, left), cut_end(&after, room - left.min(room)));
        format!("{head}{before} → {after}")
    }
}

/// Whether a field begins with one of these words by the draft alone.
fn turns(field: &BackTestField, words: &[&str]) -> bool {
    let begins = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        words.iter().any(|word| text.split(':').next() == Some(word))
    };
    begins(&field.after) && !begins(&field.before)
}

impl Dialog {
    /// A draft that is saved, in place of a live version, is back-tested.
    pub(super) fn weighs(&self) -> bool {
        let saved = |subject: &Subject| match subject {
            Subject::Version(version) => version.live.is_some() && version.text.is_none(),
            _ => false,
        };
        self.kind == Kind::Deploy && saved(&self.subject)
    }

    /// The first part of the back-test that its window wants, where it was not asked for yet.
    pub fn wants_weighed(&mut self) -> Option<BackTest> {
        let Subject::Version(version) = &self.subject else { return None };
        if !self.weighs() || !matches!(self.facts, super::Facts::Known(_)) {
            return None;
        }
        let flow = version.integration.clone();
        let window = self.chosen(Purpose::Window);
        if self.weighed.as_ref().is_none_or(|open| open.window != window) {
            self.weighed = Some(Weighed::over(window));
        }
        let open = self.weighed.as_mut().filter(|open| !open.asked)?;
        open.asked = true;
        let since = WINDOWS[window % WINDOWS.len()].0;
        Some(BackTest { flow, since, ..BackTest::default() })
    }

    /// A part came; the question for the next one.
    pub fn weigh(&mut self, part: BackTestView) -> Option<BackTest> {
        let Subject::Version(version) = &self.subject else { return None };
        let open = self.weighed.as_mut().filter(|open| open.running)?;
        if (Some(part.live), part.draft) != (version.live, version.number) {
            open.running = false;
            open.trouble = Some("somebody saved or deployed meanwhile: open this anew".to_owned());
            return None;
        }
        let next = BackTest {
            flow: version.integration.clone(),
            from: Some(part.from.clone()),
            before: part.next.clone(),
            ..BackTest::default()
        };
        open.running = part.next.is_some();
        open.take(part);
        next.before.is_some().then_some(next)
    }

    /// It could not be made.
    pub fn unweighed(&mut self, why: String) {
        if let Some(open) = &mut self.weighed {
            (open.running, open.trouble) = (false, Some(why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Version;
    use super::*;
    use crate::model::ask::Plan;
    use crate::model::request::Verdict;
    use crate::model::study::BackTestChange;
    use serde_json::json;

    fn dialog() -> Dialog {
        let version = Version { integration: "acme".to_owned(), number: 15, live: Some(14), text: None };
        let mut dialog = Dialog::deploying(version, None);
        assert_eq!(dialog.wants_weighed(), None, "its own facts come first");
        dialog.install(Ok(Box::new(Plan { count: 1, ..Plan::default() })));
        dialog
    }

    fn field(step: Option<&str>, path: &str, before: Value, after: Value) -> BackTestField {
        BackTestField { element: None, step: step.map(str::to_owned), path: path.to_owned(), before, after }
    }

    fn part(looked: u64, changes: Vec<Vec<BackTestField>>, next: Option<&str>) -> BackTestView {
        let change = |fields| BackTestChange {
            request: "r".to_owned(),
            time: String::new(),
            flow: "Sync".to_owned(),
            verdict: Verdict::Accepted,
            fields,
            more: 0,
            unknown: Vec::new(),
        };
        BackTestView {
            integration: "acme".to_owned(),
            live: 14,
            draft: 15,
            from: "2026-11-17T13:00:00.000Z".to_owned(),
            looked,
            left_out: Vec::new(),
            failing_alike: 0,
            changes: changes.into_iter().map(change).collect(),
            next: next.map(str::to_owned),
            at: None,
        }
    }

    fn told(dialog: &Dialog) -> Vec<String> {
        dialog.weighed.iter().flat_map(|open| open.lines(70)).map(|(line, _)| line).collect()
    }

    #[test]
    fn what_a_draft_changes_is_summed_up_part_by_part() {
        let mut dialog = dialog();
        let first = dialog.wants_weighed().unwrap();
        assert_eq!((first.flow.as_str(), first.since), ("acme", DAY));
        assert_eq!(dialog.wants_weighed(), None, "it is asked once");
        assert_eq!(told(&dialog), ["back-test 24h: 0 requests so far, no effects"]);
        let url = || field(Some("push"), "url", json!("/custmers/a"), json!("/customers/a"));
        let next = dialog.weigh(part(100, vec![vec![url(), url()], vec![url()]], Some("r100"))).unwrap();
        assert_eq!(next.before.as_deref(), Some("r100"));
        assert_eq!(next.from.as_deref(), Some("2026-11-17T13:00:00.000Z"));
        let refused = field(None, "verdict", json!("accepted"), json!("rejected: body.ref is required"));
        let still = field(None, "verdict", json!("rejected: a"), json!("rejected: b"));
        let stops = field(None, "end", json!("succeeded"), json!("errored: push could not be built"));
        let last = part(12, vec![vec![refused], vec![still], vec![url(), stops]], None);
        assert_eq!(dialog.weigh(last), None);
        assert_eq!(
            told(&dialog),
            [
                "back-test 24h: 112 requests, no effects",
                "  107 the same, 5 change",
                "  ▸ 3 × push url \"/custmers/a\" → \"/customers/a\"",
                "  ▸ 2 × trigger verdict \"accepted\" → \"rejected: body.ref is required\"",
                "  1 newly rejected, 1 newly failing",
            ]
        );
    }

    #[test]
    fn long_values_stay_in_their_line() {
        let mut dialog = dialog();
        dialog.wants_weighed().unwrap();
        let long = |letter: &str| json!(letter.repeat(300));
        dialog.weigh(part(1, vec![vec![field(Some("push"), "url", long("a"), long("b"))]], None));
        let lines = told(&dialog);
        assert!(lines.iter().all(|line| width(line) <= 70), "{lines:?}");
        assert!(lines[2].contains("aa… → \"bb"), "{lines:?}");
    }

    #[test]
    fn another_window_begins_anew_and_the_plan_stays_as_it_is() {
        let mut dialog = dialog();
        dialog.flushed();
        dialog.wants_weighed().unwrap();
        assert_eq!(dialog.weigh(part(3, Vec::new(), None)), None);
        dialog.focus = dialog.fields.iter().position(|field| field.purpose == Purpose::Window).unwrap();
        assert_eq!(dialog.sideways(1), super::super::Outcome::Stays);
        assert!(dialog.armed, "what was shown of the deploy is what it is");
        assert_eq!(dialog.wants_weighed().unwrap().since, 7 * DAY);
        assert_eq!(told(&dialog), ["back-test 7d: 0 requests so far, no effects"]);
    }

    #[test]
    fn a_back_test_of_other_versions_is_not_taken_for_this_one() {
        let mut dialog = dialog();
        dialog.wants_weighed().unwrap();
        let other = BackTestView { draft: 16, ..part(3, Vec::new(), Some("more")) };
        assert_eq!(dialog.weigh(other), None);
        assert!(told(&dialog)[0].contains("meanwhile"), "{:?}", told(&dialog));
    }
}
