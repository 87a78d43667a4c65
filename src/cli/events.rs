//! A line per event on stderr, for `serve` and for `run` without a terminal.

use super::door::who;
use crate::desk::Desk;
use crate::feed::Mailbox;
use crate::model::ask::{Answer, Ask, Page};
use crate::model::run::RunState;
use crate::model::time::rfc3339;
use crate::store::Store;
use std::io::Write as _;
use std::time::Duration;

/// Most lines that are written in one go; what is over is counted.
const LINES: u32 = 50;
/// Between two looks.
const PACE: Duration = Duration::from_millis(100);

/// Tells what happens, without ever holding up what it tells about.
pub(super) struct Events {
    pub(super) mailbox: Mailbox,
    pub(super) desk: Desk,
    pub(super) store: Store,
    /// The newest request that was told, or that was there before.
    pub(super) last: Option<String>,
    /// The number of the newest opening or closing of a breaker that was told.
    pub(super) breaker: u64,
}

impl Events {
    /// Writes a line per request, and per run that needs somebody, until it is dropped.
    pub(super) async fn tell(mut self) {
        // What came before the mailbox was there is in no count, but is told as well.
        let mut untold = self.requests(0).await;
        loop {
            self.mailbox.changed().await;
            tokio::time::sleep(PACE).await;
            let merged = self.mailbox.take();
            if merged.newest.is_some() {
                untold = self.requests(untold + i64::try_from(merged.arrived()).unwrap_or(0)).await;
            }
            let stopped =
                merged.runs.iter().filter(|(_, of)| matches!(of.1, RunState::Errored | RunState::Failed));
            let ids = stopped.take(LINES as usize).map(|(id, _)| self.store.ids().print(*id));
            self.runs(ids.collect()).await;
            if merged.breakers > 0 {
                self.breakers();
            }
        }
    }

    /// Tells which targets are no longer sent to, and which are again.
    fn breakers(&mut self) {
        for event in self.desk.breaker_events(self.breaker) {
            self.breaker = event.seq;
            let (at, of) = (rfc3339(event.at), &event.breaker);
            let (since, failures) = (rfc3339(of.since), of.failures);
            line(&if event.opened {
                format!("{at} breaker opened {} port {}: refused {failures} times in a row", of.host, of.port)
            } else {
                format!(
                    "{at} breaker closed {} port {}: answers again, open since {since}, refused {failures} times",
                    of.host, of.port
                )
            });
        }
    }

    /// Tells the requests after the last one that was told; how many more there are. Less than
    /// nothing where a row was read before it was counted: it is never told twice.
    async fn requests(&mut self, mut untold: i64) -> i64 {
        let page = Page { after: self.last.clone(), limit: LINES, ..Page::default() };
        let who = who("command line", true);
        let Ok(Answer::Requests(rows)) = self.desk.answer(&who, Ask::Requests(page)).await else {
            return untold;
        };
        let mut rows = rows.rows;
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        for row in &rows {
            let status = row.status.map_or_else(String::new, |status| format!(" {status}"));
            line(&format!(
                "{} {}{status} {} / {} {} {}",
                row.time,
                row.verdict.word(),
                row.integration,
                row.flow,
                row.id,
                row.what
            ));
        }
        untold -= i64::try_from(rows.len()).unwrap_or(0);
        let full = rows.len() == LINES as usize;
        self.last = rows.pop().map(|row| row.id).max(self.last.take());
        if full && untold > 0 {
            line(&format!("and {untold} more {}", if untold == 1 { "request" } else { "requests" }));
            self.last = self.newest().await.max(self.last.take());
            return 0;
        }
        untold
    }

    async fn newest(&self) -> Option<String> {
        let page = Page { limit: 1, ..Page::default() };
        match self.desk.answer(&who("command line", true), Ask::Requests(page)).await {
            Ok(Answer::Requests(rows)) => rows.rows.into_iter().next().map(|row| row.id),
            _ => None,
        }
    }

    async fn runs(&self, ids: Vec<String>) {
        if ids.is_empty() {
            return;
        }
        let answer = self.desk.answer(&who("command line", true), Ask::RunsById { ids }).await;
        let Ok(Answer::Runs(rows)) = answer else { return };
        for run in rows.rows {
            let cause = run.cause.as_deref().unwrap_or_default();
            let at = rfc3339(self.store.now());
            line(&format!(
                "{at} run {} {} / {} {}: {cause}",
                run.state.word(),
                run.integration,
                run.flow,
                run.id
            ));
        }
    }
}

/// Writes a line for what somebody else is told of trouble, and for what does not reach them, until it
/// is dropped.
pub(super) async fn tell_alerts(store: Store) {
    let mut last = 0;
    loop {
        for told in store.alert_lines(last) {
            last = told.seq;
            line(&format!("{} alert {}", rfc3339(told.at), told.text));
        }
        store.alert_told().await;
    }
}

fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", crate::text::clean(text));
}
