//! Verbs: on what they act, why they cannot, and the dialog that comes first.

use super::action::Action;
use super::app::{App, ListId, Overlay, PaneId, Place, Screen, Tone};
use super::asks::Want;
use super::dialog::{Dialog, Facts, Kind};
use super::format::clock;
use super::keymap::Keymap;
use super::rows::RunRow;
use super::worklist::Need;
use crate::model::ask::{Ask, Deed};
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::model::study::Study;
use crate::model::time::{parse_rfc3339, rfc3339};
use crate::model::view::{GroupView, RequestView, RunView};
use crate::rules::autopsy::Kept;

/// The verb of an action.
#[must_use]
pub fn kind_of(action: Action) -> Option<Kind> {
    Some(match action {
        Action::Retry => Kind::Retry,
        Action::Skip => Kind::Skip,
        Action::Abort => Kind::Abort,
        Action::Replay => Kind::Replay,
        Action::Forget => Kind::Forget,
        Action::Readmit => Kind::Readmit,
        Action::Complete => Kind::Complete,
        Action::Extend => Kind::Extend,
        _ => return None,
    })
}

/// Whether a verb fits a run's state, by the contract's table; else why not.
///
/// # Errors
/// The sentence that the key says instead.
pub fn fits(kind: Kind, state: RunState, keys: &Keymap) -> Result<(), String> {
    use RunState::{
        Aborted, Errored, Failed, Queued, Retrying, Running, Succeeded, SucceededWithSkips, Waiting,
    };
    let reason = match (kind, state) {
        (Kind::Replay, _)
        | (Kind::Retry, Waiting | Retrying | Errored | Failed)
        | (Kind::Skip, Waiting | Retrying | Errored)
        | (Kind::Abort, Queued | Running | Waiting | Retrying | Errored) => return Ok(()),
        (Kind::Retry, Queued) => "the run is queued",
        (Kind::Retry, Running) => "the run is running",
        (Kind::Retry, Aborted) => "the run was aborted; {R} replays it",
        (Kind::Retry, Succeeded | SucceededWithSkips) => "the run has succeeded; {R} replays its request",
        (Kind::Forget | Kind::Readmit, _) => "this is a run; its request is on {2} Requests",
        (Kind::Pause | Kind::Resume, _) => "a run is not paused; its flow is",
        (Kind::Complete | Kind::Extend | Kind::Cancel, _) => "no callback is pending or overdue",
        (Kind::Call | Kind::TestRun, _) => "it is a flow that is tried out, not a run; {t} tries it",
        (Kind::Set | Kind::Remove, _) => "a run is not set or removed; its integration is",
        (Kind::Apply | Kind::Load, _) => "a run is not applied; a document is",
        (Kind::Deploy | Kind::Rollback, _) => "a run is not deployed; its integration is",
        (Kind::Skip, _) => "no step is errored, waiting or retrying",
        (Kind::Abort, Failed) => "the run has failed already",
        (Kind::Abort, Aborted) => "the run was aborted already",
        (Kind::Abort, Succeeded | SucceededWithSkips) => "the run has succeeded already",
    };
    Err(format!("{} is not possible: {}", kind.word(), keys.say(reason)))
}

/// Whether a verb on requests fits one, by the contract's table; else why not.
///
/// # Errors
/// The sentence that the key says instead.
pub fn request_fits(kind: Kind, request: &RequestView) -> Result<(), String> {
    let reason = match kind {
        Kind::Forget if request.dedup_key.is_none() => "the request has no dedup key".to_owned(),
        Kind::Readmit if request.verdict != Verdict::Rejected => match request.verdict {
            Verdict::Accepted => "it was accepted".to_owned(),
            verdict => format!("it was {}, not rejected", verdict.word()),
        },
        Kind::Readmit if request.is_cut() => Kept { len: request.size, declared: None }.words(),
        _ => return Ok(()),
    };
    Err(format!("{} is not possible: {reason}", kind.word()))
}

impl App {
    /// The numbers of the badges that are selected in what needs a person: all of their flow.
    ///
    /// # Errors
    /// The sentence that the key says where there are none.
    fn badges(&self) -> Result<Vec<i64>, String> {
        if let Some(reason) = self.barred(Kind::Forget) {
            return Err(reason);
        }
        match self.focused_need() {
            Some(Need::Drift(badges)) => Ok(badges.ids()),
            _ => {
                Err(self.say("{X} takes badges of drift away; this leaves by itself when its reason is gone"))
            }
        }
    }

    /// Takes the selected badges away.
    fn take_badges_away(&mut self) {
        if let Ok(ids) = self.badges() {
            let study = Study::DriftOk { ids, flow: None, reason: None };
            self.asks.ask(Want::DriftOk, Ask::Study(study));
        }
    }

    /// Why no verb is possible at all, if so.
    pub(super) fn barred(&self, kind: Kind) -> Option<String> {
        self.barred_deed(kind.deed())
    }

    /// The run that the focus is on.
    pub(super) fn focused_run(&self) -> Option<&RunView> {
        match self.place() {
            Place::Runs(ListId::LiveRuns) => self.live.runs.current().map(|row| &row.view),
            Place::Runs(_) => self.runs.list.current().map(|row| &row.view),
            Place::Timeline(PaneId::RequestRun) | Place::Attempt(PaneId::RequestRun) => {
                self.requests.run.current_run()
            }
            Place::Timeline(_) | Place::Attempt(_) => self.runs.run.current_run(),
            _ => None,
        }
    }

    /// The group that the focus is on.
    #[must_use]
    pub fn focused_group(&self) -> Option<&GroupView> {
        match self.place() {
            Place::Groups => self.groups_by_last().get(self.runs.at).copied(),
            Place::Needs => match self.needs.current()? {
                Need::Errored(group) => Some(group),
                Need::Expired(expired) => expired.group(),
                _ => None,
            },
            _ => None,
        }
    }

    /// The groups, the one that grew last first.
    #[must_use]
    pub fn groups_by_last(&self) -> Vec<&GroupView> {
        let mut groups: Vec<&GroupView> = self.needs.groups.iter().collect();
        groups.sort_by(|a, b| b.last.cmp(&a.last));
        groups
    }

    /// The ids that a verb would act on here.
    ///
    /// # Errors
    /// The sentence that the key says where it cannot act.
    pub fn targets(&self, kind: Kind) -> Result<Vec<String>, String> {
        let word = kind.word();
        if let Some(reason) = self.barred(kind) {
            return Err(reason);
        }
        if kind.object() == "callback" || matches!(self.place(), Place::Board | Place::BoardPane) {
            return self.callback_targets(kind);
        }
        match self.place() {
            Place::Requests(id) => {
                let list = if id == ListId::Requests { &self.requests.list } else { &self.live.requests };
                if kind.object() == "run" {
                    return Err(format!("{word} is not possible: this is a request; its run is on 3 Runs"));
                }
                if !list.marks.is_empty() {
                    return Ok(list.marks.iter().cloned().collect());
                }
                let row = list
                    .current()
                    .ok_or_else(|| format!("{word} is not possible: no request is selected"))?;
                request_fits(kind, &row.view)?;
                if kind == Kind::Replay && row.view.is_cut() {
                    let kept = Kept { len: row.view.size, declared: None }.words();
                    return Err(format!("replay is not possible: {kept}"));
                }
                Ok(vec![row.view.id.clone()])
            }
            Place::Payload(pane) => {
                let payload =
                    if pane == PaneId::Payload { &self.requests.payload } else { &self.live.payload };
                if let Some(detail) = payload.detail.as_ref().filter(|_| payload.is_current()) {
                    request_fits(kind, &detail.request)?;
                }
                match (&payload.id, kind) {
                    (Some(id), Kind::Replay | Kind::Forget | Kind::Readmit) => Ok(vec![id.clone()]),
                    (Some(_), _) => {
                        Err(format!("{word} is not possible: this is a request; its run is on 3 Runs"))
                    }
                    (None, _) => Err(format!("{word} is not possible: no request is selected")),
                }
            }
            Place::Groups | Place::Needs => match (self.focused_group(), kind) {
                (Some(_), _) if kind.object() != "run" => {
                    Err(format!("{word} is not possible: this is a group; enter lists its runs"))
                }
                // All of it, by its filter: [`App::open_verb`].
                (Some(_), _) => Ok(Vec::new()),
                (None, _) => match self.focused_callback() {
                    Some(callback) if kind.object() == "run" => Ok(vec![callback.run.clone()]),
                    Some(_) => {
                        Err(format!("{word} is not possible: this is a callback; enter opens its run"))
                    }
                    None => Err(match self.focused_need() {
                        Some(Need::Store(_)) => {
                            format!("{word} is not possible: the store takes nothing; enter says what to do")
                        }
                        Some(Need::Expired(_)) => {
                            format!("{word} is not possible: these are of several causes; enter lists them")
                        }
                        Some(Need::Halted(_)) => {
                            format!("{word} is not possible: this is a job; enter opens it")
                        }
                        Some(Need::Breaker(_)) => {
                            format!("{word} is not possible: runs that wait for a target go on by themselves")
                        }
                        Some(Need::Silent(_)) => {
                            format!("{word} is not possible: this leaves with the next request")
                        }
                        Some(Need::Drift(_)) => {
                            format!("{word} is not possible: these are badges of drift; enter shows them")
                        }
                        Some(Need::Errored(_)) | None => {
                            format!("{word} is not possible: there is no errored run")
                        }
                    }),
                },
            },
            Place::Empty => Err(format!("{word} is not possible: there is no run yet")),
            Place::Editor | Place::Guide => {
                Err(format!("{word} is not possible: a document is being edited"))
            }
            Place::Runs(id) => {
                let list = if id == ListId::Runs { &self.runs.list } else { &self.live.runs };
                if list.marks.is_empty() {
                    return self.one_run(kind);
                }
                if kind == Kind::Replay {
                    let marked = |row: &&RunRow| list.marks.contains(&row.view.id);
                    let requests: Vec<String> =
                        list.rows.iter().filter(marked).filter_map(|row| row.view.request.clone()).collect();
                    return if requests.len() == list.marks.len() {
                        Ok(requests)
                    } else {
                        Err(self.say(
                            "replay is not possible: some marked runs are not on the screen or have no \
                             request; mark their requests on {2} Requests",
                        ))
                    };
                }
                Ok(list.marks.iter().cloned().collect())
            }
            Place::Timeline(_) | Place::Attempt(_) => self.one_run(kind),
            Place::Board | Place::BoardPane => self.callback_targets(kind),
            Place::Overview => {
                Err(format!("{word} is not possible: these are figures; enter lists what they count"))
            }
            Place::Tree | Place::Facts | Place::Versions | Place::Diff => Err(format!(
                "{word} is not possible: this is an integration; {} goes to its runs and requests",
                self.say("{o}")
            )),
        }
    }

    fn one_run(&self, kind: Kind) -> Result<Vec<String>, String> {
        let word = kind.word();
        let Some(run) = self.focused_run() else {
            return Err(format!("{word} is not possible: no run is selected"));
        };
        fits(kind, run.state, &self.options.keymap)?;
        if kind == Kind::Replay {
            return match &run.request {
                Some(request) => Ok(vec![request.clone()]),
                None => Err("replay is not possible: no request began this run".to_owned()),
            };
        }
        Ok(vec![run.id.clone()])
    }

    /// Whether an action can act here; else why not.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn possible(&self, action: Action) -> Result<(), String> {
        if self.guide.is_some() {
            return self.guide_possible(action);
        }
        if self.editor.is_some() {
            return self.editor_possible(action);
        }
        if action == Action::Forget && self.place() == Place::Needs {
            return self.badges().map(|_| ());
        }
        match self.kind_here(action) {
            Some(Kind::Remove) => return self.removed_here().map(|_| ()),
            Some(Kind::Set) => return self.set_here().map(|_| ()),
            Some(kind) => return self.targets(kind).map(|_| ()),
            None => {}
        }
        if let Some(possible) = self.facet_possible(action) {
            return possible;
        }
        if let Some(reason) = self.workflow_bars(action).or_else(|| self.overview_bars(action)) {
            return Err(reason);
        }
        let place = self.place();
        let in_list = matches!(place, Place::Requests(_) | Place::Runs(_) | Place::Board | Place::Versions);
        let in_groups = matches!(place, Place::Groups | Place::Needs);
        match action {
            Action::Follow if in_groups => {
                Err("follow is not possible: this list has the most urgent first, not the newest last".to_owned())
            }
            Action::Mark | Action::MarkAll if in_groups => {
                Err(self.say("mark is not possible: {r}, {s} and {x} act on the whole group; enter lists its runs to mark some"))
            }
            Action::FilterToggle | Action::Filter if place == Place::Needs => {
                Err("filter is not possible: this is all that needs you; tab goes to a list".to_owned())
            }
            Action::Follow if !in_list => {
                Err("follow is not possible: this pane is no list of arrivals; tab goes to one".to_owned())
            }
            Action::Filter if place == Place::Groups || self.searches() => Ok(()),
            Action::NextMatch | Action::PreviousMatch => self.bars_next_hit().map_or(Ok(()), Err),
            Action::Filter | Action::FilterToggle if !in_list => {
                Err("filter is not possible: this pane is no list; tab goes to one".to_owned())
            }
            Action::FilterToggle if self.focused_filter().is_empty() => {
                Err(self.say("filter off is not possible: there is no filter; {/} sets one"))
            }
            Action::Mark | Action::MarkAll if !in_list => {
                Err("mark is not possible: this pane is no list; tab goes to one".to_owned())
            }
            Action::MarkAll => self.bars_mark_all().map_or(Ok(()), Err),
            Action::PreviousSibling | Action::NextSibling if in_list && !self.is_opened() => {
                Err(self.say("next is not possible: {[} and {]} go through the attempts of a run or the opened requests of a list; enter opens one"))
            }
            Action::View if !matches!(place, Place::Payload(_)) && self.screen == Screen::Live => {
                Err("view is not possible: this pane has one view; tab goes to the payload".to_owned())
            }
            Action::Capture => self.capture_here().map(|_| ()),
            Action::Difference if place == Place::Groups => self.group_change().map(|_| ()),
            Action::Difference if self.in_tree() || self.run_with_parent().is_some() => Ok(()),
            Action::Difference => self.two_requests().map(|_| ()),
            Action::Deploy => self.deployed().map(|_| ()),
            Action::Test if self.tried_flow().is_none() && self.flows_here().is_empty() => {
                Err("test is not possible: no request, run or flow is selected".to_owned())
            }
            Action::BackTest if self.tested().is_none() => {
                Err("back-test is not possible: nothing of an integration is selected".to_owned())
            }
            Action::SaveSample if self.captured_flow().is_none() => {
                Err("sample is not possible: it takes a request, and none is selected".to_owned())
            }
            Action::Edit => self.edited().map(|_| ()),
            Action::EditBody => self.edited_body().map(|_| ()),
            Action::Add | Action::MoveUp | Action::MoveDown => self.changed_here(action),
            Action::Redo => Err(self.say("redo is not possible: nothing is being edited; {e} edits")),
            Action::Copy => self.selected_text().map(|_| ()),
            Action::CopyAs => self.copy_menu().map(|_| ()),
            Action::Links => self.links().map(|_| ()),
            Action::Pause if self.halted_job().is_some() => self.barred_deed(Deed::ResumeJob).map_or(Ok(()), Err),
            Action::Pause => self.paused_flow().map(|_| ()),
            Action::Full if place == Place::Empty => Err("full is not possible: there is one pane".to_owned()),
            _ => Ok(()),
        }
    }

    /// The filter of the list that has the focus.
    #[must_use]
    pub fn focused_filter(&self) -> String {
        self.filtered_list().map_or_else(String::new, |id| self.filter_of(id))
    }

    /// Why not all can be marked that the filter matches now: none is in force.
    pub fn bars_mark_all(&self) -> Option<String> {
        if self.filtered_list().is_some_and(|id| !self.filter_in_force(id).is_empty()) {
            return None;
        }
        let why = if self.focused_filter().is_empty() {
            "there is no filter; {/} sets one"
        } else {
            "the filter is off; {F} switches it on"
        };
        Some(self.say(&format!("mark all is not possible: {why}")))
    }

    /// Opens the dialog of a verb and asks for its plan.
    pub fn open_verb(&mut self, kind: Kind) {
        if kind == Kind::Forget && self.place() == Place::Needs {
            return self.take_badges_away();
        }
        match kind {
            Kind::Remove => return self.open_built(self.removed_here()),
            Kind::Set => return self.open_built(self.set_here()),
            _ => {}
        }
        match self.targets(kind) {
            Err(reason) => self.toast(Tone::Info, reason),
            Ok(ids) => {
                let zone = self.options.zone.clone();
                let dialog = match self.focused_group() {
                    Some(group) => {
                        // What joins the group from now on is not in it.
                        let filter = format!("group:{} until:{}", group.id, rfc3339(self.now));
                        let as_of = clock(self.now, self.now, &zone);
                        let at = |text: &str| {
                            parse_rfc3339(text)
                                .map_or_else(|| text.to_owned(), |at| clock(at, self.now, &zone))
                        };
                        let object = format!(
                            "group {} / {} · {} · {}\n{} to {}; as of {as_of}",
                            group.integration,
                            group.flow,
                            group.step,
                            group.cause,
                            at(&group.first),
                            at(&group.last)
                        );
                        Dialog::many(kind, filter, object)
                    }
                    None => Dialog::new(kind, ids),
                };
                self.open_dialog(dialog.in_zone(zone));
            }
        }
    }

    /// Opens a dialog, or says why not.
    pub(super) fn open_built(&mut self, dialog: Result<Dialog, String>) {
        match dialog {
            Ok(dialog) => self.open_dialog(dialog),
            Err(reason) => self.toast(Tone::Info, reason),
        }
    }

    /// Opens a dialog, and asks for its plan where it has none yet.
    pub(super) fn open_dialog(&mut self, dialog: Dialog) {
        let (kind, order, asks) = (dialog.kind, dialog.order(true), matches!(dialog.facts, Facts::Asking));
        self.overlay = Some(Overlay::Verb(Box::new(dialog)));
        if asks {
            self.ask_order(kind, order, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_fit_the_states_of_the_contract() {
        let fitting = |kind| -> Vec<&str> {
            RunState::ALL
                .into_iter()
                .filter(|state| fits(kind, *state, &Keymap::default()).is_ok())
                .map(RunState::word)
                .collect()
        };
        assert_eq!(fitting(Kind::Retry), ["waiting", "retrying", "errored", "failed"]);
        assert_eq!(fitting(Kind::Skip), ["waiting", "retrying", "errored"]);
        assert_eq!(fitting(Kind::Abort), ["queued", "running", "waiting", "retrying", "errored"]);
        assert_eq!(fitting(Kind::Replay).len(), RunState::ALL.len());
    }

    #[test]
    fn a_disabled_verb_says_why_in_one_form() {
        assert_eq!(
            fits(Kind::Retry, RunState::Running, &Keymap::default()).unwrap_err(),
            "retry is not possible: the run is running"
        );
        for state in RunState::ALL {
            for kind in [Kind::Retry, Kind::Skip, Kind::Abort] {
                if let Err(reason) = fits(kind, state, &Keymap::default()) {
                    assert!(reason.starts_with(&format!("{} is not possible: ", kind.word())));
                }
            }
        }
    }
}
