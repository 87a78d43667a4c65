//! A back-test: what the draft changes of stored requests, found part by part while it is open.

use super::app::{App, Dirt, Overlay, Tone};
use super::asks::Want;
use super::key::Key;
use super::sides::{Side, Sides};
use crate::console::action::Action;
use crate::model::Ms;
use crate::model::ask::{Ask, Refusal};
use crate::model::study::{BackTest, BackTestChange, BackTestField, BackTestView, Sampled, Study, Trial};
use crate::model::time::{DAY, HOUR};

/// How far back it looks, in turn.
const WINDOWS: [(Ms, &str); 3] = [(24 * HOUR, "24 hours"), (7 * DAY, "7 days"), (30 * DAY, "30 days")];
/// Changes that are kept to be looked at.
pub const KEPT: usize = 1_000;

/// A back-test, as far as it came.
#[derive(Debug)]
pub struct BackTested {
    /// `NAME/FLOW`, or `NAME`.
    pub flow: String,
    window: usize,
    /// The live version and the draft, once they are known.
    pub versions: Option<(u32, u32)>,
    /// Requests that were looked at.
    pub looked: u64,
    /// Requests of which something changes.
    pub changed: u64,
    /// Requests that could not be judged.
    pub left_out: u64,
    /// Requests that fail before and after in the same way.
    pub alike: u64,
    /// The first of those that change, newest first.
    pub changes: Vec<BackTestChange>,
    /// It goes on.
    pub running: bool,
    /// Why it does not.
    pub trouble: Option<String>,
    /// The selected row.
    pub at: usize,
    /// The request of it with both versions, while that is looked at.
    pub open: Option<Sides>,
}

impl BackTested {
    fn new(flow: String, window: usize) -> Self {
        Self {
            flow,
            window,
            versions: None,
            looked: 0,
            changed: 0,
            left_out: 0,
            alike: 0,
            changes: Vec::new(),
            running: true,
            trouble: None,
            at: 0,
            open: None,
        }
    }

    /// `24 hours`.
    #[must_use]
    pub fn window(&self) -> &'static str {
        WINDOWS[self.window % WINDOWS.len()].1
    }

    /// A row for each field: the change, the field, and whether it is the change's first.
    pub fn rows(&self) -> impl Iterator<Item = (&BackTestChange, &BackTestField, bool)> {
        self.changes.iter().flat_map(|change| {
            change.fields.iter().enumerate().map(move |(at, field)| (change, field, at == 0))
        })
    }
}

impl App {
    /// What is back-tested: the flow of what is selected, or a whole integration.
    #[must_use]
    pub fn tested(&self) -> Option<String> {
        let flow = self.tried_flow().map(|(flow, _)| flow);
        flow.or_else(|| Some(self.tree.current().filter(|_| self.in_tree())?.integration.clone()))
    }

    /// Back-tests it.
    pub fn open_back_test(&mut self) {
        let Some(flow) = self.tested() else { return };
        self.begin_back_test(flow, 0);
    }

    pub(super) fn begin_back_test(&mut self, flow: String, window: usize) {
        let since = WINDOWS[window % WINDOWS.len()].0;
        let asked = BackTest { flow: flow.clone(), since, ..BackTest::default() };
        self.overlay = Some(Overlay::BackTest(Box::new(BackTested::new(flow, window))));
        self.asks.drop_wants(|want| *want == Want::BackTest);
        self.asks.ask(Want::BackTest, Ask::Study(Study::BackTest(asked)));
    }

    /// A part came: the next one is asked for as long as it is open.
    pub fn back_test_found(&mut self, part: BackTestView) {
        let Some(Overlay::BackTest(open)) = &mut self.overlay else { return };
        open.versions = Some((part.live, part.draft));
        open.looked += part.looked;
        open.alike += part.failing_alike;
        open.changed += part.changes.len() as u64;
        open.left_out += part.left_out.iter().map(|(_, many)| many).sum::<u64>();
        let room = KEPT.saturating_sub(open.changes.len());
        open.changes.extend(part.changes.into_iter().take(room));
        open.running = part.next.is_some();
        let asked = BackTest {
            flow: open.flow.clone(),
            from: Some(part.from),
            before: part.next,
            ..BackTest::default()
        };
        if asked.before.is_some() {
            self.asks.ask(Want::BackTest, Ask::Study(Study::BackTest(asked)));
        }
    }

    /// Asks what the open dialog of a deploy wants to know of stored requests.
    pub(super) fn weigh(&mut self) {
        let Some(Overlay::Verb(dialog)) = &mut self.overlay else { return };
        if let Some(first) = dialog.wants_weighed() {
            self.asks.drop_wants(|want| *want == Want::Weighed);
            self.asks.ask(Want::Weighed, Ask::Study(Study::BackTest(first)));
        }
    }

    /// A part came: the next one is asked for as long as the dialog is open.
    pub(super) fn weighed(&mut self, part: BackTestView) {
        let Some(Overlay::Verb(dialog)) = &mut self.overlay else { return };
        if let Some(next) = dialog.weigh(part) {
            self.asks.ask(Want::Weighed, Ask::Study(Study::BackTest(next)));
        }
        self.touch(Dirt::Input);
    }

    /// The store takes no questions.
    pub(super) fn unweighed(&mut self, why: String) {
        if let Some(Overlay::Verb(dialog)) = &mut self.overlay {
            dialog.unweighed(why);
        }
        self.touch(Dirt::Input);
    }

    /// There is no draft, or the store takes no questions.
    pub fn back_test_refused(&mut self, refusal: Refusal) {
        if let Some(Overlay::BackTest(open)) = &mut self.overlay {
            (open.running, open.trouble) = (false, Some(refusal.message));
        }
        self.touch(Dirt::Input);
    }

    /// Shows what both versions would send for the selected row.
    fn look_at_change(&mut self) {
        let Some(Overlay::BackTest(open)) = &mut self.overlay else { return };
        let Some((change, field, _)) = open.rows().nth(open.at) else {
            return self.toast(Tone::Info, "nothing would change");
        };
        let integration = open.flow.split('/').next().unwrap_or_default();
        let trial = Trial {
            flow: format!("{integration}/{}", change.flow),
            sample: Sampled::Request(change.request.clone()),
            element: field.element,
            ..Trial::default()
        };
        let sides = Sides::new(change.request.clone(), change.fields.clone());
        open.open = Some(sides);
        self.asks.drop_wants(|want| matches!(want, Want::Side(_)));
        for draft in [false, true] {
            let study = Study::Simulate(Trial { draft, ..trial.clone() });
            self.asks.ask(Want::Side(draft), Ask::Study(study));
        }
    }

    /// What one of both versions would send came, or why that is not known.
    pub(super) fn side_came(&mut self, draft: bool, side: Side) {
        if let Some(Overlay::BackTest(open)) = &mut self.overlay
            && let Some(sides) = &mut open.open
        {
            sides.came(draft, side);
        }
        self.touch(Dirt::Data);
    }

    /// A key while a row is looked at; `esc` comes back to it.
    fn sides_key(&mut self, key: Key) {
        let height = super::overlay::backtest::page(self.size);
        let Some(Overlay::BackTest(open)) = &mut self.overlay else { return };
        let Some(sides) = &mut open.open else { return };
        let lines = &mut sides.lines;
        lines.resize(height);
        let page = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(10);
        match self.options.keymap.action_of(key) {
            Some(Action::Down) => lines.step(1),
            Some(Action::Up) => lines.step(-1),
            Some(Action::PageDown) => lines.step(page),
            Some(Action::PageUp) => lines.step(-page),
            Some(Action::Top) => lines.rewind(),
            Some(Action::Bottom) => lines.step(isize::MAX),
            Some(Action::Back | Action::Quit | Action::Open) => {
                open.open = None;
                self.asks.drop_wants(|want| matches!(want, Want::Side(_)));
            }
            Some(Action::Interrupt | Action::Suspend | Action::Redraw) => self.global(key),
            _ => self.refuse_key(key),
        }
    }

    /// A key while it is open.
    pub fn back_test_key(&mut self, key: Key) {
        let Some(Overlay::BackTest(open)) = &mut self.overlay else { return };
        if open.open.is_some() {
            return self.sides_key(key);
        }
        let last = open.rows().count().saturating_sub(1);
        match self.options.keymap.action_of(key) {
            Some(Action::Down) => open.at = (open.at + 1).min(last),
            Some(Action::Up) => open.at = open.at.saturating_sub(1),
            Some(Action::PageDown) => open.at = (open.at + 10).min(last),
            Some(Action::PageUp) => open.at = open.at.saturating_sub(10),
            Some(Action::Top) => open.at = 0,
            Some(Action::Bottom) => open.at = last,
            Some(Action::BackTest) => {
                let (flow, window) = (open.flow.clone(), open.window + 1);
                self.begin_back_test(flow, window);
            }
            Some(Action::Open) => self.look_at_change(),
            Some(Action::Back | Action::Quit) => {
                let stopped = open.running.then_some((open.looked, open.changed));
                self.close_back_test();
                if let Some((looked, changed)) = stopped {
                    let looked = crate::text::count(looked);
                    self.toast(Tone::Info, format!("stopped after {looked} requests: {changed} change"));
                }
            }
            Some(Action::Interrupt | Action::Suspend | Action::Redraw) => self.global(key),
            _ => self.refuse_key(key),
        }
    }

    fn close_back_test(&mut self) {
        self.asks.drop_wants(|want| *want == Want::BackTest);
        self.overlay = None;
    }
}
