//! Lists: pages of requests, runs, callbacks and the audit trail, bounded, and runs by id.

use super::Desk;
use crate::model::RunId;
use crate::model::ask::{Answer, Page, Refusal, Rows};
use crate::model::id::Kind;
use crate::model::view::{RequestView, RunView};

/// Rows of a page.
const MOST: u32 = 1_000;
/// Rows of a page that names no limit.
const USUAL: u32 = 100;
/// Runs that are asked for by id at once.
const BY_ID: usize = 256;

impl Desk {
    /// A page of requests.
    pub(super) async fn request_rows(&self, page: &Page) -> Result<Rows<RequestView>, Refusal> {
        Ok(self.deps.store.page_requests(&bounded(page)).await?)
    }

    /// A page of runs.
    pub(super) async fn run_rows(&self, page: &Page) -> Result<Rows<RunView>, Refusal> {
        Ok(self.deps.store.page_runs(&bounded(page)).await?)
    }

    pub(super) async fn requests(&self, page: &Page) -> Result<Answer, Refusal> {
        self.request_rows(page).await.map(Answer::Requests)
    }

    pub(super) async fn runs(&self, page: &Page) -> Result<Answer, Refusal> {
        self.run_rows(page).await.map(Answer::Runs)
    }

    pub(super) async fn callbacks(&self, page: &Page) -> Result<Answer, Refusal> {
        Ok(Answer::Callbacks(self.deps.store.page_callbacks(&bounded(page)).await?))
    }

    pub(super) async fn trail(&self, page: &Page) -> Result<Answer, Refusal> {
        Ok(Answer::Audit(self.deps.store.page_audit(&bounded(page)).await?))
    }

    /// Rows that a list already shows, as they are now; those that are gone are left out.
    pub(super) async fn runs_by_id(&self, ids: &[String]) -> Result<Answer, Refusal> {
        if ids.len() > BY_ID {
            return Err(Refusal::usage(format!("{} ids are asked for at once, {BY_ID} may be", ids.len())));
        }
        let known = self.deps.store.ids();
        let ids: Vec<RunId> = ids.iter().filter_map(|id| known.parse(id)).collect();
        let scanned = ids.len() as u64;
        let rows = self.deps.store.runs_by_id(&ids).await?;
        Ok(Answer::Runs(Rows { rows, next: None, scanned, partial: false }))
    }

    /// What an id, or the ending of one, names among these kinds.
    pub(super) async fn find(&self, text: &str, kinds: &[Kind]) -> Result<(Kind, i64), Refusal> {
        self.deps.store.resolve_id(text, kinds).await
    }
}

fn bounded(page: &Page) -> Page {
    let limit = if page.limit == 0 { USUAL } else { page.limit.min(MOST) };
    Page { limit, ..page.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_bounded() {
        let limit = |limit| bounded(&Page { limit, ..Page::default() }).limit;
        assert_eq!([limit(0), limit(1), limit(MOST), limit(MOST + 1)], [USUAL, 1, MOST, MOST]);
    }
}
