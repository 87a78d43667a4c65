//! The capture table: paths of what a flow is sent, which of them are marked required or dedup, and
//! the lines of TOML that come of it.

use super::action::Action;
use super::app::{App, Overlay, Tone};
use super::asks::Want;
use super::key::Key;
use crate::model::Ms;
use crate::model::ask::{Ask, Refusal};
use crate::model::study::{CaptureView, FieldsView, FoundField, Sampled, Source, Studied, Study};
use crate::model::time::{SECOND, parse_rfc3339};
use crossterm::event::KeyCode;
use std::collections::BTreeSet;

/// How long a capture is open.
pub const TIME: Ms = 90 * SECOND;
/// Bytes of a body that can be pasted.
const PASTED: usize = 1 << 20;
/// Fields of a dedup rule.
const MOST: usize = 5;

/// Where the table's paths come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// What comes while it is open.
    Capture,
    /// The request that was selected.
    Request,
    /// The newest requests of the flow.
    Newest,
    /// A JSON body that was pasted.
    Pasted,
}

/// The table.
#[derive(Debug)]
pub struct Table {
    /// `NAME/FLOW`.
    pub flow: String,
    /// The request that was selected.
    pub request: String,
    /// The capture, once it is open.
    pub open: Option<CaptureView>,
    /// Where its paths come from.
    pub from: From,
    /// What was pasted last.
    pasted: Option<String>,
    /// The paths.
    pub found: FieldsView,
    /// Why there are none.
    pub trouble: Option<String>,
    /// The selected row, and the first drawn one.
    pub at: usize,
    /// The column that `space` ticks: dedup, not required.
    pub dedup: bool,
    /// Ticked as required.
    pub required_paths: BTreeSet<String>,
    /// Ticked as dedup, in the order of ticking.
    pub dedup_paths: Vec<String>,
    /// Only dedup is ticked in it.
    pub dedup_alone: bool,
    /// The flow was never deployed: all that ever came to it counts.
    of_draft: bool,
}

impl Table {
    fn new(flow: String, request: String) -> Self {
        Self {
            flow,
            request,
            open: None,
            from: From::Capture,
            pasted: None,
            found: FieldsView::default(),
            trouble: None,
            at: 0,
            dedup: false,
            required_paths: BTreeSet::new(),
            dedup_paths: Vec::new(),
            dedup_alone: false,
            of_draft: false,
        }
    }

    /// The table of a flow that was never deployed.
    #[must_use]
    pub fn of_draft(flow: String) -> Self {
        Self { of_draft: true, ..Self::new(flow, String::new()) }
    }

    /// The order that opens the capture, or keeps it open.
    #[must_use]
    pub fn opens(&self) -> Ask {
        Ask::Study(Study::Capture { flow: self.flow.clone(), time: TIME })
    }

    /// What was pasted last.
    #[must_use]
    pub fn pasted(&self) -> &str {
        self.pasted.as_deref().unwrap_or_default()
    }

    /// Something else stands for what comes.
    pub fn take(&mut self, sample: Sampled) {
        (self.trouble, self.found) = (None, FieldsView::default());
        match sample {
            Sampled::Request(id) if id == "last" => self.from = From::Capture,
            Sampled::Request(id) => (self.from, self.request) = (From::Request, id),
            Sampled::Text(text) | Sampled::Saved(text) => {
                (self.from, self.pasted) = (From::Pasted, Some(text));
            }
        }
    }

    /// What an action does in it: moves, ticks.
    ///
    /// # Errors
    /// Why it does not.
    pub fn acts(&mut self, action: Action) -> Result<(), String> {
        let last = self.found.fields.len().saturating_sub(1);
        match action {
            Action::Down => self.at = (self.at + 1).min(last),
            Action::Up => self.at = self.at.saturating_sub(1),
            Action::PageDown => self.at = (self.at + 10).min(last),
            Action::PageUp => self.at = self.at.saturating_sub(10),
            Action::Top => self.at = 0,
            Action::Bottom => self.at = last,
            Action::Mark => return self.tick(),
            _ => {}
        }
        Ok(())
    }

    /// The first paths that would do for dedup: nearly unique in what came.
    #[must_use]
    pub fn good(&self, most: usize) -> Vec<&str> {
        let good = self.found.fields.iter().filter(|field| field.good);
        good.map(|field| field.path.as_str()).take(most).collect()
    }

    /// The selected path.
    #[must_use]
    pub fn current(&self) -> Option<&FoundField> {
        self.found.fields.get(self.at)
    }

    /// How long it stays open, in tens of seconds rounded up; none where it is closed.
    #[must_use]
    pub fn left(&self, now: Ms) -> Option<Ms> {
        let until = self.open.as_ref()?.until.as_deref().and_then(parse_rfc3339)?;
        let tens = (until - now + 10 * SECOND - 1) / (10 * SECOND);
        (tens > 0).then_some(tens * 10 * SECOND)
    }

    /// When [`Table::left`] changes next.
    #[must_use]
    pub fn next_age(&self, now: Ms) -> Option<Ms> {
        let left = self.left(now)?;
        let until = self.open.as_ref()?.until.as_deref().and_then(parse_rfc3339)?;
        Some((until - left + 10 * SECOND).max(now + 1))
    }

    /// The lines to paste under `[flow.trigger]`.
    #[must_use]
    pub fn toml(&self) -> Vec<String> {
        let quoted =
            |path: &String| if path.contains('"') { format!("'{path}'") } else { format!("\"{path}\"") };
        let mut lines = Vec::new();
        if !self.required_paths.is_empty() {
            let all: Vec<String> = self.required_paths.iter().map(quoted).collect();
            lines.push(format!("required = [{}]", all.join(", ")));
        }
        if !self.dedup_paths.is_empty() {
            let all: Vec<String> = self.dedup_paths.iter().map(quoted).collect();
            lines.push(format!("dedup = {{ fields = [{}] }}", all.join(", ")));
        }
        lines
    }

    /// The selected path as a template expression.
    #[must_use]
    pub fn template(&self) -> Option<String> {
        self.current().map(|field| format!("{{{{ request.{} }}}}", field.path))
    }

    /// Ticks the selected path, or takes the tick away.
    ///
    /// # Errors
    /// There are as many dedup fields as a rule has.
    fn tick(&mut self) -> Result<(), String> {
        let Some(path) = self.current().map(|field| field.path.clone()) else { return Ok(()) };
        if !self.dedup {
            if !self.required_paths.remove(&path) {
                self.required_paths.insert(path);
            }
            return Ok(());
        }
        if let Some(at) = self.dedup_paths.iter().position(|other| *other == path) {
            self.dedup_paths.remove(at);
        } else if self.dedup_paths.len() >= MOST {
            return Err(format!("dedup takes at most {MOST} fields"));
        } else {
            self.dedup_paths.push(path);
        }
        Ok(())
    }

    /// Other paths: the selected one stays selected.
    fn install(&mut self, found: FieldsView) {
        let path = self.current().map(|field| field.path.clone());
        self.found = found;
        let at = path.and_then(|path| self.found.fields.iter().position(|field| field.path == path));
        self.at = at.unwrap_or(self.at).min(self.found.fields.len().saturating_sub(1));
        self.trouble = None;
    }
}

impl App {
    /// The flow that `C` listens to here, and the id of the selected request, where one is.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn capture_here(&self) -> Result<(String, String), String> {
        if let Some(found) = self.captured_flow() {
            return Ok(found);
        }
        let Some(one) = self.tree.integration().filter(|_| self.in_tree()) else {
            return Err("capture is not possible: no request and no flow is selected".to_owned());
        };
        let named = self.tree.flow();
        let mut hooks = one.flows.iter().filter(|flow| flow.trigger == "webhook");
        match (named, hooks.next(), hooks.next()) {
            (Some(flow), ..) if flow.trigger != "webhook" => {
                Err(format!("capture is not possible: {} is started by no request", flow.name))
            }
            (Some(flow), ..) | (None, Some(flow), None) => {
                Ok((format!("{}/{}", one.name, flow.name), String::new()))
            }
            (None, None, _) => {
                Err("capture is not possible: no flow of it is started by requests".to_owned())
            }
            (None, Some(_), Some(_)) => Err("capture is not possible: go to one of its flows".to_owned()),
        }
    }

    /// Opens the capture table for the flow of the selected request, or the selected flow.
    pub fn open_capture(&mut self) {
        let (flow, request) = match self.capture_here() {
            Ok(found) => found,
            Err(why) => return self.toast(Tone::Info, why),
        };
        self.overlay = Some(Overlay::Capture(Box::new(Table::new(flow.clone(), request))));
        self.asks.ask(Want::Captured, Ask::Study(Study::Capture { flow, time: TIME }));
    }

    /// The flow and the id of the selected request.
    #[must_use]
    pub fn captured_flow(&self) -> Option<(String, String)> {
        let view = self.focused_request()?;
        Some((format!("{}/{}", view.integration, view.flow), view.id.clone()))
    }

    /// A key while the table is open.
    pub fn capture_key(&mut self, key: Key) {
        let Some(Overlay::Capture(table)) = &mut self.overlay else { return };
        let last = table.found.fields.len().saturating_sub(1);
        match (key.code, key.ctrl) {
            (KeyCode::Esc | KeyCode::Char('q'), false) => self.overlay = None,
            (KeyCode::Char('j') | KeyCode::Down, false) => table.at = (table.at + 1).min(last),
            (KeyCode::Char('k') | KeyCode::Up, false) => table.at = table.at.saturating_sub(1),
            (KeyCode::PageDown, _) => table.at = (table.at + 10).min(last),
            (KeyCode::PageUp, _) => table.at = table.at.saturating_sub(10),
            (KeyCode::Char('g') | KeyCode::Home, false) => table.at = 0,
            (KeyCode::Char('G') | KeyCode::End, false) => table.at = last,
            (KeyCode::Tab | KeyCode::BackTab, _) => table.dedup = !table.dedup,
            (KeyCode::Char(' '), false) => {
                if let Err(why) = table.tick() {
                    self.toast(Tone::Info, why);
                }
            }
            (KeyCode::Char('C'), false) => {
                let flow = table.flow.clone();
                table.from = From::Capture;
                self.asks.ask(Want::Captured, Ask::Study(Study::Capture { flow, time: TIME }));
            }
            (KeyCode::Char('v'), false) => {
                table.from = match table.from {
                    From::Capture if table.request.is_empty() => From::Newest,
                    From::Capture => From::Request,
                    From::Request => From::Newest,
                    From::Newest if table.pasted.is_some() => From::Pasted,
                    From::Newest | From::Pasted => From::Capture,
                };
                self.ask_captured();
            }
            (KeyCode::Char('y'), false) => self.copy_captured(false),
            (KeyCode::Char('Y'), false) => self.copy_captured(true),
            (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
            _ => self.toast(Tone::Info, format!("{key} means nothing here; the keys are in the last line")),
        }
    }

    /// A JSON body was pasted: its paths are shown.
    pub fn paste_captured(&mut self, text: &str) {
        let Some(table) = self.table_mut() else { return };
        if text.len() > PASTED {
            return self.toast(
                Tone::Info,
                "paste is not possible: a body of over 1 MiB; pointsman capture --file reads it",
            );
        }
        table.from = From::Pasted;
        table.pasted = Some(text.to_owned());
        self.ask_captured();
    }

    /// Asks for the table's paths.
    pub fn ask_captured(&mut self) {
        let Some(table) = self.table() else { return };
        let flow = table.flow.clone();
        let study = match (table.from, &table.open) {
            (From::Capture, _) if table.of_draft => Study::Captured { flow, after: None },
            (From::Capture, None) => return,
            (From::Capture, Some(open)) => Study::Captured { flow, after: Some(open.after.clone()) },
            (From::Request, _) => Study::Fields(Source::Request { id: table.request.clone() }),
            (From::Pasted, _) => {
                let text = table.pasted.clone().unwrap_or_default();
                Study::Fields(Source::Body { text })
            }
            (From::Newest, _) => Study::Fields(Source::Newest { flow, most: 1_000 }),
        };
        self.asks.drop_wants(|want| *want == Want::Fields);
        self.asks.ask(Want::Fields, Ask::Study(study));
    }

    /// What a study answered: for the table, or for what needs a person.
    pub fn studied(&mut self, want: &Want, studied: Studied) {
        match (want, studied) {
            (Want::WhatIf, Studied::WhatIf(view)) => self.what_if_found(view),
            (Want::WhatIfFields, Studied::Fields(found)) => self.what_if_fields(&found),
            (Want::Trial, Studied::Simulated(view)) => self.trial_found(&view),
            (Want::Samples, Studied::Samples { names }) => self.samples_found(names),
            (Want::Plan | Want::Act(_), Studied::Tried(tried)) => self.tried(tried),
            (Want::BackTest, Studied::BackTested(part)) => self.back_test_found(part),
            (Want::Weighed, Studied::BackTested(part)) => self.weighed(part),
            (Want::Side(draft), Studied::Simulated(view)) => self.side_came(*draft, Ok(view)),
            (Want::Sample, Studied::Saved { path }) => self.sample_saved(&path),
            (Want::Drift, Studied::Drift { drifts }) => self.needs.change(|needs| needs.drifts = drifts),
            (Want::DriftOk, Studied::Done { lines }) => {
                self.needs.stale = true;
                self.behind = true;
                self.toast(Tone::Good, lines.first().cloned().unwrap_or_default());
            }
            (Want::Captured, Studied::Capture(view)) => {
                let Some(table) = self.table_mut() else { return };
                // Renewed: what came since the first opening stays in it.
                let after = table.open.as_ref().map(|open| open.after.clone());
                let renewed = after.is_some();
                table.open = Some(CaptureView { after: after.unwrap_or(view.after.clone()), ..view });
                if renewed {
                    self.ask_captured();
                }
            }
            (Want::Fields, Studied::Capture(view)) => {
                if let Some(table) = self.table_mut() {
                    if table.from == From::Capture {
                        table.install(view.found.clone());
                    }
                    table.open = Some(view);
                }
            }
            (Want::Fields, Studied::Fields(found)) => {
                if let Some(table) = self.table_mut().filter(|table| table.from != From::Capture) {
                    table.install(found);
                }
            }
            _ => {}
        }
        self.touch(super::app::Dirt::Data);
    }

    /// A study was refused.
    pub fn unstudied(&mut self, want: &Want, refusal: Refusal) {
        let of_table = matches!(want, Want::Captured | Want::Fields);
        match self.table_mut().filter(|_| of_table) {
            Some(table) => table.trouble = Some(refusal.message),
            None => self.toast(Tone::Bad, refusal.message),
        }
        self.touch(super::app::Dirt::Input);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(paths: &[&str]) -> Table {
        let field = |path: &&str| FoundField { path: (*path).to_owned(), ..FoundField::default() };
        let mut table = Table::new("shop/Orders".to_owned(), "r".to_owned());
        table.install(FieldsView { fields: paths.iter().map(field).collect(), ..FieldsView::default() });
        table
    }

    #[test]
    fn ticks_become_lines_of_toml_that_documents_read() {
        let mut table = table(&["body.a", "headers[\"x-id\"]"]);
        table.tick().unwrap();
        table.dedup = true;
        table.at = 1;
        table.tick().unwrap();
        assert_eq!(table.toml(), ["required = [\"body.a\"]", "dedup = { fields = ['headers[\"x-id\"]'] }"]);
        let document = format!(
            "name = \"shop\"\n[[flow]]\nid = \"o\"\nname = \"O\"\n[flow.trigger]\ntype = \"webhook\"\nauth = {{ type = \"none\" }}\n{}\n",
            table.toml().join("\n")
        );
        let checked = crate::rules::check::check(&document, &crate::rules::check::Known::default());
        assert!(checked.integration.is_some(), "{document}");
        assert_eq!(table.template().as_deref(), Some("{{ request.headers[\"x-id\"] }}"));
        table.tick().unwrap();
        assert_eq!(table.toml(), ["required = [\"body.a\"]"]);
    }

    #[test]
    fn a_rule_takes_five_fields_and_no_sixth() {
        let mut table = table(&["body.a", "body.b", "body.c", "body.d", "body.e", "body.f"]);
        table.dedup = true;
        for at in 0..MOST {
            table.at = at;
            table.tick().unwrap();
        }
        table.at = MOST;
        assert!(table.tick().unwrap_err().contains("at most 5"));
        table.at = 0;
        table.tick().unwrap();
        assert_eq!(table.dedup_paths.len(), MOST - 1);
    }

    #[test]
    fn the_selected_path_stays_selected_when_paths_come() {
        let mut table = table(&["body.a", "body.b"]);
        table.at = 1;
        table.install(FieldsView {
            fields: ["body.b", "body.c", "body.a"]
                .map(|path| FoundField { path: path.to_owned(), ..FoundField::default() })
                .into(),
            ..FieldsView::default()
        });
        assert_eq!(table.current().unwrap().path, "body.b");
    }

    #[test]
    fn the_countdown_goes_in_tens() {
        let mut table = table(&[]);
        assert_eq!(table.left(0), None);
        table.open = Some(CaptureView {
            integration: String::new(),
            flow: String::new(),
            url: String::new(),
            deployed: true,
            until: Some(crate::model::time::rfc3339(90_000)),
            after: String::new(),
            found: FieldsView::default(),
        });
        assert_eq!(
            (table.left(0), table.left(1), table.left(10_000)),
            (Some(90_000), Some(90_000), Some(80_000))
        );
        assert_eq!(table.next_age(1), Some(10_000));
        assert_eq!((table.left(89_999), table.left(90_000)), (Some(10_000), None));
    }
}
