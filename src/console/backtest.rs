//! A back-test: what the draft changes of stored requests, found part by part while it is open.

use super::app::{App, Overlay, Tone};
use super::asks::Want;
use super::key::Key;
use crate::console::action::Action;
use crate::model::Ms;
use crate::model::ask::{Ask, Refusal};
use crate::model::study::{BackTest, BackTestChange, BackTestField, BackTestView, Study};
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

    /// There is no draft, or the store takes no questions.
    pub fn back_test_refused(&mut self, refusal: Refusal) {
        if let Some(Overlay::BackTest(open)) = &mut self.overlay {
            (open.running, open.trouble) = (false, Some(refusal.message));
        }
        self.touch(super::app::Dirt::Input);
    }

    /// A key while it is open.
    pub fn back_test_key(&mut self, key: Key) {
        let Some(Overlay::BackTest(open)) = &mut self.overlay else { return };
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
            Some(Action::Open) => {
                let request = open.rows().nth(open.at).map(|(change, _, _)| change.request.clone());
                match request {
                    Some(id) => {
                        self.close_back_test();
                        self.open_request(id);
                    }
                    None => self.toast(Tone::Info, "nothing would change"),
                }
            }
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
