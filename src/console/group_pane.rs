//! What a group of errored runs has in common: what its newest run sent and got, since when, and
//! which runs are in it.

use super::app::{App, Dirt, Overlay, Screen};
use super::asks::Want;
use super::format::{clock, count};
use super::lines::{Line, Lines};
use super::theme::Role;
use super::whole::Whole;
use crate::model::ask::{Ask, DiffView, Page};
use crate::model::id::short;
use crate::model::query::quoted;
use crate::model::time::{Ms, parse_rfc3339};
use crate::model::view::{AuditView, GroupFigures, RunView};

/// Runs that are named.
const NAMED: u32 = 3;
/// Deploys that are looked at: some of them made nothing live.
const ACTS: u32 = 10;

/// The pane under the groups.
#[derive(Debug, Default)]
pub struct GroupPane {
    /// The group that was asked about.
    pub id: Option<String>,
    /// Its newest runs.
    pub runs: Vec<RunView>,
    /// The newest of them, with its attempts.
    pub run: Option<Box<RunView>>,
    /// The last deploy before its first run.
    deploy: Option<Deployed>,
    /// What its runs sent, and how long the answers took…
    figures: Option<GroupFigures>,
    /// …as they were when the group had so many runs and its last one came then.
    figured: Option<(u64, String)>,
    /// What is shown.
    pub lines: Lines,
}

/// A version that went live.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Deployed {
    version: u32,
    who: String,
    at: Ms,
    reason: Option<String>,
}

impl Deployed {
    /// The newest deploy of a list of acts, newest first: what says `acme v14 is live`.
    fn newest(integration: &str, acts: &[AuditView]) -> Option<Self> {
        acts.iter().find_map(|act| {
            let says = act.detail.strip_prefix(integration)?.strip_prefix(" v")?;
            let (version, says) = says.split_once(' ')?;
            // A rollback also says whose text it is; one that changed nothing made nothing live.
            let live = says == "is live" || says.starts_with("is live; its text");
            let version = version.parse().ok().filter(|_| live)?;
            let (who, reason) = (act.who.clone(), act.reason.clone());
            Some(Self { version, who, at: parse_rfc3339(&act.at)?, reason })
        })
    }
}

impl App {
    /// Asks about the group that the cursor is on, where it is another one.
    pub fn ask_for_group(&mut self) {
        let id = match self.screen {
            Screen::Runs if self.runs.groups => self.focused_group().map(|group| group.id.clone()),
            _ => return,
        };
        if id == self.runs.group.id {
            return self.ask_for_figures();
        }
        self.runs.group = GroupPane { id: id.clone(), ..GroupPane::default() };
        self.asks.drop_wants(|want| {
            matches!(
                want,
                Want::GroupRuns(_)
                    | Want::GroupRun(_)
                    | Want::GroupDeploy(_)
                    | Want::GroupDiff(_)
                    | Want::GroupFigures(_)
            )
        });
        if let Some(id) = id {
            if let Some(group) = self.needs.groups.iter().find(|group| group.id == id) {
                let name = quoted(&group.integration);
                let filter = format!("target={name} detail:\"is live\" until:{}", group.first);
                let page = Page { filter, limit: ACTS, ..Page::default() };
                self.asks.ask(Want::GroupDeploy(id.clone()), Ask::Audit(page));
            }
            let page = Page { filter: format!("group:{id}"), limit: NAMED, ..Page::default() };
            self.asks.ask(Want::GroupRuns(id), Ask::Runs(page));
            self.ask_for_figures();
        }
    }

    /// Asks for the figures of the group of the pane, where they are of another moment than its count.
    fn ask_for_figures(&mut self) {
        let shown = self.runs.group.id.as_ref();
        let Some(group) = self.needs.groups.iter().find(|group| Some(&group.id) == shown) else { return };
        let stand = Some((group.count, group.last.clone()));
        if self.runs.group.figured == stand || self.asks.awaits(|want| matches!(want, Want::GroupFigures(_)))
        {
            return;
        }
        let id = group.id.clone();
        self.runs.group.figured = stand;
        self.asks.ask(Want::GroupFigures(id.clone()), Ask::Group { id });
    }

    /// They came.
    pub(super) fn group_figures(&mut self, id: &str, figures: GroupFigures) {
        if self.runs.group.id.as_deref() == Some(id) {
            self.runs.group.figures = Some(figures);
            self.group_lines();
        }
    }

    /// Its newest runs came: the newest is read whole.
    pub fn group_runs(&mut self, id: &str, runs: Vec<RunView>) {
        if self.runs.group.id.as_deref() != Some(id) {
            return;
        }
        if let Some(newest) = runs.first() {
            self.asks.ask(Want::GroupRun(id.to_owned()), Ask::Run { id: newest.id.clone() });
        }
        self.runs.group.runs = runs;
        self.group_lines();
    }

    /// The newest run came.
    pub fn group_run(&mut self, id: &str, run: Box<RunView>) {
        if self.runs.group.id.as_deref() == Some(id) {
            self.runs.group.run = Some(run);
            self.group_lines();
        }
    }

    /// What was deployed before its first run came.
    pub fn group_deploy(&mut self, id: &str, acts: &[AuditView]) {
        let group = self.needs.groups.iter().find(|group| group.id == id);
        let Some(group) = group.filter(|_| self.runs.group.id.as_deref() == Some(id)) else { return };
        self.runs.group.deploy = Deployed::newest(&group.integration, acts);
        self.group_lines();
    }

    /// The versions before and after the deploy that the selected group came after.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn group_change(&self) -> Result<(String, u32, u32), String> {
        let group = self.focused_group().filter(|group| Some(&group.id) == self.runs.group.id.as_ref());
        let group = group.ok_or_else(|| "diff is not possible: no group is selected".to_owned())?;
        match &self.runs.group.deploy {
            Some(deploy) if deploy.version > 1 => {
                Ok((group.integration.clone(), deploy.version - 1, deploy.version))
            }
            Some(_) => Err("diff is not possible: v1 has nothing before it".to_owned()),
            None => Err("diff is not possible: no deploy before its first run is known".to_owned()),
        }
    }

    /// Shows what that deploy changed.
    pub(super) fn open_group_change(&mut self) {
        match self.group_change() {
            Err(why) => self.toast(super::app::Tone::Info, why),
            Ok((name, from, to)) => {
                self.asks.drop_wants(|want| matches!(want, Want::GroupDiff(_)));
                self.asks
                    .ask(Want::GroupDiff(name.clone()), Ask::Diff { name, from: Some(from), to: Some(to) });
            }
        }
    }

    /// What it changed came.
    pub(super) fn group_changed(&mut self, diff: &DiffView) {
        let title = format!("{} · v{} → v{}", diff.integration, diff.from, diff.to);
        let text = if diff.diff.is_empty() { "Nothing differs." } else { diff.diff.as_str() };
        let whole = Whole::new(title, text.into(), self.value_cells());
        self.overlay = Some(Overlay::Value(Box::new(whole)));
        self.touch(Dirt::Input);
    }

    /// What is shown of it, made again.
    pub fn group_lines(&mut self) {
        let Some(group) = self.needs.groups.iter().find(|one| Some(&one.id) == self.runs.group.id.as_ref())
        else {
            return;
        };
        let shown = |time: &str| {
            let at = parse_rfc3339(time);
            at.map_or_else(|| time.to_owned(), |at| clock(at, self.now, &self.options.zone))
        };
        let mut lines = Vec::new();
        let step =
            self.runs.group.run.as_ref().and_then(|run| run.steps.iter().find(|s| s.name == group.step));
        let attempt = step.and_then(|step| step.attempts.last());
        let figures = self.runs.group.figures.as_ref();
        if let Some(sent) = attempt.and_then(|attempt| attempt.request.as_ref()) {
            // What all of them have in common, where that is one URL but for its numbers and ids.
            let common = figures.filter(|figures| figures.patterns == 1 && figures.sent > 1);
            let url = common.and_then(|figures| figures.urls.first()).map_or(&sent.url, |url| &url.pattern);
            let note = figures.map(one_pattern).unwrap_or_default();
            lines.push(Line { note, ..Line::label("sent", format!("{} {url}", sent.method), Role::Text) });
        }
        let note = figures.map(median).unwrap_or_default();
        match attempt.and_then(|attempt| Some((attempt, attempt.response.as_ref()?))) {
            Some((attempt, got)) => {
                let took = attempt
                    .elapsed_ms
                    .map_or_else(String::new, |ms| format!(" in {}", super::format::took(ms)));
                let took = if note.is_empty() { took.as_str() } else { "" };
                let back = Line::label("back", format!("{}{took}   {}", got.status, got.body), Role::Text);
                lines.push(Line { note, ..back });
            }
            None if attempt.is_some() => {
                lines.push(Line { note, ..Line::label("back", group.cause.clone(), Role::Text) });
            }
            None => {}
        }
        let mut since = format!("first {}, last {}", shown(&group.first), shown(&group.last));
        if let Some(deploy) = &self.runs.group.deploy {
            let at = clock(deploy.at, self.now, &self.options.zone);
            let why = deploy.reason.as_ref().map_or_else(String::new, |why| format!(" (\"{why}\")"));
            since = format!("{since}; after v{} was deployed by {}, {at}{why}", deploy.version, deploy.who);
        }
        let change =
            self.group_change().map(|(_, from, to)| format!("{} shows v{from} → v{to}", self.say("{d}")));
        let note = change.unwrap_or_default();
        lines.push(Line { note, ..Line::label("started", since, Role::Text) });
        let runs: Vec<String> = self
            .runs
            .group
            .runs
            .iter()
            .map(|run| {
                format!("{} {}", short(&run.id), run.started.as_deref().map_or_else(String::new, &shown))
            })
            .collect();
        if !runs.is_empty() {
            let more = if group.count > runs.len() as u64 {
                " · … enter lists them"
            } else {
                " · enter lists them"
            };
            lines.push(Line::label("runs", format!("{}{more}", runs.join(" · ")), Role::Text));
        }
        self.runs.group.lines.set(lines);
    }
}

/// `all 1,212 to one URL pattern`; of the newest where there are more, and nothing of a single one.
fn one_pattern(figures: &GroupFigures) -> String {
    let of = match (figures.whole, figures.sent == figures.runs) {
        _ if figures.sent < 2 => return String::new(),
        (false, _) => format!("the newest {}", count(figures.sent)),
        (true, true) => format!("all {}", count(figures.sent)),
        (true, false) => format!("{} of {}", count(figures.sent), count(figures.runs)),
    };
    match figures.patterns {
        1 => format!("{of} to one URL pattern"),
        many => format!("{of} to {} URL patterns", count(many)),
    }
}

/// `41ms median`; nothing of a single one.
fn median(figures: &GroupFigures) -> String {
    let Some(ms) = figures.median_ms.filter(|_| figures.sent > 1) else { return String::new() };
    let of = if figures.whole { String::new() } else { format!(" of the newest {}", count(figures.sent)) };
    format!("{} median{of}", super::format::took(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_say_of_how_many_they_are() {
        let of = |runs, whole, sent, patterns| {
            let figures =
                GroupFigures { runs, whole, sent, patterns, median_ms: Some(41), ..GroupFigures::default() };
            (one_pattern(&figures), median(&figures))
        };
        let told = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(of(1_212, true, 1_212, 1), told("all 1,212 to one URL pattern", "41ms median"));
        assert_eq!(of(90, true, 88, 3), told("88 of 90 to 3 URL patterns", "41ms median"));
        assert_eq!(
            of(500, false, 500, 1),
            told("the newest 500 to one URL pattern", "41ms median of the newest 500")
        );
        assert_eq!(of(1, true, 1, 1), told("", ""));
        assert_eq!(of(3, true, 0, 0), told("", ""));
    }

    #[test]
    fn the_newest_deploy_is_told_from_what_was_kept_or_changed_nothing() {
        let act = |detail: &str, reason: Option<&str>| AuditView {
            id: String::new(),
            at: "2026-11-18T13:00:00.000Z".to_owned(),
            who: "ben".to_owned(),
            door: "console".to_owned(),
            verb: "deploy".to_owned(),
            target: "acme".to_owned(),
            reason: reason.map(str::to_owned),
            detail: detail.to_owned(),
        };
        let acts = [
            act("acme v16 is live already; nothing changed", None),
            act("acme v15 is kept as a draft", None),
            act("acme-two v9 is live", None),
            act("acme v14 is live", Some("move to v2")),
            act("acme v13 is live", None),
        ];
        let found = Deployed::newest("acme", &acts).unwrap();
        assert_eq!(
            (found.version, found.who.as_str(), found.reason.as_deref()),
            (14, "ben", Some("move to v2"))
        );
        let back = Deployed::newest("acme", &[act("acme v17 is live; its text is that of v13", None)]);
        assert_eq!(back.map(|back| back.version), Some(17));
        assert_eq!(Deployed::newest("acme", &acts[..3]), None);
    }
}
