//! The versions of the selected integration, and what differs between two of them.

use crate::console::app::{App, Dirt, Place, Screen};
use crate::console::asks::Want;
use crate::console::dialog::{Dialog, Kind, Version};
use crate::console::format::{clock, count};
use crate::console::lines::{Line, Lines};
use crate::console::theme::Role;
use crate::model::ask::{Ask, DiffView, VersionView};
use crate::model::time::parse_rfc3339;
use std::collections::BTreeSet;

/// Versions that are listed; older ones are on the command line.
const LISTED: u32 = 100;

/// The versions of one integration.
#[derive(Debug, Default)]
pub struct Versions {
    /// Whose they are.
    pub of: Option<String>,
    /// Newest first.
    pub versions: Vec<VersionView>,
    /// The list.
    pub list: Lines,
    /// Marked ones, at most two: they are compared.
    pub marks: BTreeSet<u32>,
    /// What differs.
    pub diff: Option<DiffView>,
    /// The same in lines.
    pub lines: Lines,
    /// They are asked for again.
    pub stale: bool,
    asked: Option<(String, u32, u32)>,
}

impl Versions {
    /// The selected one.
    #[must_use]
    pub fn current(&self) -> Option<&VersionView> {
        self.versions.get(self.list.at)
    }

    /// The one that is live.
    #[must_use]
    pub fn live(&self) -> Option<u32> {
        self.versions.iter().find(|one| one.deployed).map(|one| one.number)
    }

    /// The two that are compared: the marked ones; else the selected one and what is live; of the live
    /// one what it took the place of.
    #[must_use]
    pub fn pair(&self) -> Option<(u32, u32)> {
        let marks: Vec<u32> = self.marks.iter().copied().collect();
        if let [from, to] = marks[..] {
            return Some((from, to));
        }
        let at = self.current()?.number;
        let with = match self.live() {
            Some(live) if live != at => live,
            _ => at.checked_sub(1).filter(|before| *before > 0)?,
        };
        Some((at.min(with), at.max(with)))
    }

    /// Marks the selected one, or takes its mark away.
    ///
    /// # Errors
    /// What the key says.
    pub fn toggle_mark(&mut self) -> Result<(), String> {
        let Some(number) = self.current().map(|one| one.number) else {
            return Err("mark is not possible: there is no version".to_owned());
        };
        if self.marks.remove(&number) {
            return Ok(());
        }
        if self.marks.len() >= 2 {
            return Err("mark is not possible: two are compared, and two are marked".to_owned());
        }
        self.marks.insert(number);
        Ok(())
    }

    fn install(&mut self, name: &str, versions: Vec<VersionView>) {
        let first = self.versions.is_empty();
        self.of = Some(name.to_owned());
        self.versions = versions;
        if first {
            self.list.rewind();
        }
    }
}

fn line(one: &VersionView, marked: bool, shown: impl Fn(&str) -> String) -> Line {
    let (glyph, role) = if one.deployed { ("●", Role::Good) } else { ("▪", Role::Muted) };
    let state = match (one.deployed, one.draft) {
        (true, _) => " live",
        (false, true) => " draft",
        (false, false) => "",
    };
    let reason = one.reason.as_deref().map_or_else(String::new, |reason| format!(" \"{reason}\""));
    Line {
        glyph: Some((glyph, role)),
        key: format!("v{}{state}", one.number),
        key_role: if one.deployed { Role::Title } else { Role::Text },
        value: format!("{} {}{reason}", one.author, shown(&one.time)),
        role: Role::Text,
        note: if marked { "▪ marked".to_owned() } else { String::new() },
        path: one.number.to_string(),
        ..Line::default()
    }
}

/// A unified difference in lines: the number of each line, `+` or `-`, and its text.
fn told(diff: &DiffView) -> Vec<Line> {
    if diff.diff.is_empty() {
        return vec![Line::text("Nothing differs.", Role::Muted)];
    }
    let (mut old, mut new) = (0_u64, 0_u64);
    let mut lines = Vec::new();
    for text in diff.diff.lines() {
        if text.starts_with("--- ") && lines.is_empty() || text.starts_with("+++ ") && lines.is_empty() {
            continue;
        }
        if let Some(head) = text.strip_prefix("@@ -") {
            let number = |part: Option<&str>| {
                part.and_then(|part| part.split([',', ' ']).next()?.parse().ok()).unwrap_or(0)
            };
            old = number(Some(head));
            new = number(head.split_once('+').map(|(_, rest)| rest));
            if !lines.is_empty() {
                lines.push(Line::text("…", Role::Muted));
            }
            continue;
        }
        let sign = text.get(..1).unwrap_or_default();
        let rest = text.get(1..).unwrap_or_default();
        let (number, role) = match sign {
            "+" => (&mut new, Role::Added),
            "-" => (&mut old, Role::Removed),
            "\\" => continue,
            _ => {
                old += 1;
                (&mut new, Role::Muted)
            }
        };
        let key = format!("{number:>5} {sign}");
        *number += 1;
        lines.push(Line {
            key,
            key_role: role,
            value: rest.to_owned(),
            role,
            opens: true,
            ..Line::default()
        });
    }
    lines
}

impl App {
    /// Makes the list again, and the difference where another one is wanted.
    pub(in crate::console) fn aim_versions(&mut self) {
        let name = self.tree.integration().map(|one| one.name.clone());
        let versions = &mut self.tree.versions;
        if versions.of != name {
            let sizes = (versions.list.height, versions.lines.height);
            *versions = Versions { of: name, stale: true, ..Versions::default() };
            (versions.list.height, versions.lines.height) = sizes;
        }
        let shown = |time: &str| {
            parse_rfc3339(time).map_or_else(|| time.to_owned(), |at| clock(at, self.now, &self.options.zone))
        };
        let lines = versions
            .versions
            .iter()
            .map(|one| line(one, versions.marks.contains(&one.number), shown))
            .collect();
        versions.list.set(lines);
        if !versions.versions.is_empty()
            && let Some(wanted) = self.tree.wanted_version.take()
            && let Some(at) = versions.versions.iter().position(|one| one.number == wanted)
        {
            versions.list.go(at);
        }
    }

    /// Asks for the versions of the selected integration, and for what differs.
    pub(in crate::console) fn ask_for_versions(&mut self) {
        let versions = &mut self.tree.versions;
        let Some(name) = versions.of.clone() else { return };
        if versions.stale {
            versions.stale = false;
            versions.asked = None;
            self.asks.drop_wants(|want| matches!(want, Want::Versions(_)));
            self.asks.ask(Want::Versions(name.clone()), Ask::History { name: name.clone(), limit: LISTED });
        }
        let wanted = self.tree.versions.pair().map(|(from, to)| (name.clone(), from, to));
        if wanted != self.tree.versions.asked {
            self.asks.drop_wants(|want| matches!(want, Want::Diff(_)));
            self.tree.versions.asked.clone_from(&wanted);
            if let Some((_, from, to)) = wanted {
                let ask = Ask::Diff { name: name.clone(), from: Some(from), to: Some(to) };
                self.asks.ask(Want::Diff(name), ask);
            }
        }
    }

    /// The versions came.
    pub(in crate::console) fn versions_came(&mut self, name: &str, versions: Vec<VersionView>) {
        if self.tree.versions.of.as_deref() == Some(name) {
            self.tree.versions.install(name, versions);
            self.touch(Dirt::Data);
        }
    }

    /// What differs came.
    pub(in crate::console) fn diff_came(&mut self, diff: DiffView) {
        let versions = &mut self.tree.versions;
        if versions.of.as_deref() == Some(diff.integration.as_str()) {
            versions.lines.rewind();
            versions.lines.set(told(&diff));
            versions.diff = Some(diff);
            self.touch(Dirt::Data);
        }
    }

    /// What differs cannot be told.
    pub(in crate::console) fn diff_refused(&mut self, name: &str, message: String) {
        let versions = &mut self.tree.versions;
        if versions.of.as_deref() == Some(name) {
            versions.diff = None;
            versions.lines.set(vec![Line::text(message, Role::Warn)]);
            self.touch(Dirt::Data);
        }
    }

    /// What `D` does here: the draft goes live, or on an older version its text comes back.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn deployed(&self) -> Result<Dialog, String> {
        if let Some(reason) = self.barred(Kind::Deploy) {
            return Err(reason);
        }
        let one = self.tree.integration().filter(|_| self.screen == Screen::Integrations);
        let Some(one) = one else {
            return Err(
                "deploy is not possible: this is no integration; they are on 5 Integrations".to_owned()
            );
        };
        let versions = &self.tree.versions;
        let differs = versions.diff.as_ref();
        let of = |number| Version { integration: one.name.clone(), number, live: one.deployed, text: None };
        let chosen = versions.current().filter(|_| matches!(self.place(), Place::Versions | Place::Diff));
        let newest = versions.versions.first().map(|newest| newest.number);
        match (chosen, one.deployed, one.draft) {
            (Some(chosen), _, _) if chosen.deployed => {
                Err(format!("deploy is not possible: v{} is live", chosen.number))
            }
            (Some(chosen), ..) if Some(chosen.number) != newest => {
                Ok(Dialog::rolling_back(of(chosen.number), differs).with_keys(&self.options.keymap))
            }
            (_, _, Some(draft)) => Ok(Dialog::deploying(of(draft), differs).with_keys(&self.options.keymap)),
            (_, Some(live), None) => {
                Err(format!("deploy is not possible: v{live} is live and there is no draft"))
            }
            (_, None, None) => Err("deploy is not possible: there is no draft".to_owned()),
        }
    }

    /// Opens the dialog of `D`.
    pub(in crate::console) fn open_deploy(&mut self) {
        self.open_built(self.deployed());
    }

    /// The title over what differs.
    #[must_use]
    pub fn diff_title(&self) -> (String, String) {
        match &self.tree.versions.diff {
            Some(diff) => {
                let lines = diff.added.max(diff.removed);
                let word = if lines == 1 { "line differs" } else { "lines differ" };
                (format!("v{} → v{}", diff.from, diff.to), format!("{} {word}", count(lines)))
            }
            None => ("what differs".to_owned(), String::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(live: Option<u32>) -> Versions {
        let view = |number| VersionView {
            number,
            author: "anna".to_owned(),
            time: String::new(),
            reason: None,
            deployed: live == Some(number),
            draft: number == 4 && live != Some(4),
        };
        let mut versions = Versions::default();
        versions.install("acme", (1..=4).rev().map(view).collect());
        versions.list.set(versions.versions.iter().map(|one| line(one, false, str::to_owned)).collect());
        versions
    }

    #[test]
    fn the_selected_one_is_compared_with_what_is_live() {
        let mut shown = versions(Some(3));
        let pair = |shown: &mut Versions, rows: isize| {
            shown.list.step(rows);
            shown.pair()
        };
        assert_eq!(pair(&mut shown, 0), Some((3, 4)), "the draft");
        assert_eq!(pair(&mut shown, 1), Some((2, 3)), "the live one, and what it took the place of");
        assert_eq!(pair(&mut shown, 2), Some((1, 3)), "an old one");
        shown.toggle_mark().unwrap();
        shown.list.step(-3);
        shown.toggle_mark().unwrap();
        assert_eq!(pair(&mut shown, 1), Some((1, 4)), "the marked ones");
        assert!(shown.toggle_mark().unwrap_err().starts_with("mark is not possible: "));
        let mut shown = versions(None);
        assert_eq!(pair(&mut shown, 3), None, "there is nothing before the first");
    }

    #[test]
    fn a_difference_is_told_by_the_lines_of_both() {
        let diff = "--- a v1\n+++ a v2\n@@ -39,4 +41,4 @@\n name = \"push\"\n-url = \"/custmers\"\n+url = \"/customers\"\n -- x\n\\ No newline at end of file\n";
        let diff = DiffView {
            integration: "a".to_owned(),
            from: 1,
            to: 2,
            added: 1,
            removed: 1,
            diff: diff.to_owned(),
        };
        let lines: Vec<String> =
            told(&diff).iter().map(|line| format!("{}{}", line.key, line.value)).collect();
        assert_eq!(
            lines,
            [
                "   41  name = \"push\"",
                "   40 -url = \"/custmers\"",
                "   42 +url = \"/customers\"",
                "   43  -- x",
            ]
        );
        assert_eq!(told(&DiffView { diff: String::new(), ..diff }).len(), 1);
    }
}
