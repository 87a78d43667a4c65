//! Lists: pages of requests, runs, callbacks and the audit trail, bounded, and runs by id.

use super::Desk;
use crate::model::ask::{Answer, Page, Refusal, Rows};
use crate::model::query::{Query, QueryError, Subject};
use crate::model::view::{CallbackView, RequestView, RunView};
use crate::model::{Ms, RunId};

impl Desk {
    /// A page of requests.
    pub(super) async fn request_rows(&self, page: &Page) -> Result<Rows<RequestView>, Refusal> {
        let rows = self.deps.store.page_requests(&self.query(page, Subject::Requests)?, page).await?;
        if page.pins.is_empty() { Ok(rows) } else { self.deps.store.with_pins(rows, &page.pins).await }
    }

    /// A page of runs.
    pub(super) async fn run_rows(&self, page: &Page) -> Result<Rows<RunView>, Refusal> {
        self.deps.store.page_runs(&self.query(page, Subject::Runs)?, page).await
    }

    pub(super) async fn requests(&self, page: &Page) -> Result<Answer, Refusal> {
        self.request_rows(page).await.map(Answer::Requests)
    }

    pub(super) async fn runs(&self, page: &Page) -> Result<Answer, Refusal> {
        self.run_rows(page).await.map(Answer::Runs)
    }

    pub(super) async fn callback_rows(&self, page: &Page) -> Result<Rows<CallbackView>, Refusal> {
        self.deps.store.page_callbacks(&self.query(page, Subject::Callbacks)?, page).await
    }

    pub(super) async fn callbacks(&self, page: &Page) -> Result<Answer, Refusal> {
        self.callback_rows(page).await.map(Answer::Callbacks)
    }

    /// Callbacks, the most urgent first.
    pub(super) async fn urgent(&self, filter: &str, limit: u32) -> Result<Answer, Refusal> {
        let query = read(filter, self.deps.store.now(), Subject::Callbacks)?;
        self.deps.store.urgent_callbacks(&query, limit).await.map(Answer::Callbacks)
    }

    pub(super) async fn trail(&self, page: &Page) -> Result<Answer, Refusal> {
        self.deps.store.page_audit(&self.query(page, Subject::Audit)?, page).await.map(Answer::Audit)
    }

    /// Runs by id, as they are now; those that are gone or do not match are left out.
    pub(super) async fn runs_among(&self, ids: &[String], filter: &str) -> Result<Answer, Refusal> {
        let query = read(filter, self.deps.store.now(), Subject::Runs)?;
        let known = self.deps.store.ids();
        let ids: Vec<RunId> = ids.iter().filter_map(|id| known.parse(id)).collect();
        self.deps.store.runs_by_id(&ids, &query).await.map(Answer::Runs)
    }

    /// The filter of a page, read.
    fn query(&self, page: &Page, of: Subject) -> Result<Query, Refusal> {
        read(&page.filter, self.deps.store.now(), of)
    }
}

/// Reads a filter; an error points at its token.
pub(super) fn read(filter: &str, now: Ms, of: Subject) -> Result<Query, Refusal> {
    Query::parse_for(filter, now, of).map_err(|QueryError { message, at }| {
        Refusal::usage(format!("{message}\n  {filter}\n  {}^", " ".repeat(at))).coded("filter")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_filter_points_at_its_token() {
        assert!(matches!(read("", 0, Subject::Runs).unwrap(), Query::All));
        let refusal = read("state:errored and (", 0, Subject::Runs).unwrap_err();
        let lines: Vec<&str> = refusal.message.lines().collect();
        assert_eq!(lines[1], "  state:errored and (");
        assert!(lines[2].ends_with('^') && lines[2].len() > 4, "{refusal}");
        assert_eq!((refusal.code.as_str(), refusal.exit), ("filter", 2));
    }
}
