//! Which values stand at a path, and how often; values of pinned paths.

use super::super::Desk;
use super::super::lists::read;
use crate::model::ask::{Page, Refusal};
use crate::model::path::Path;
use crate::model::query::{ROOTS, Subject};
use crate::model::request::StoredRequest;
use crate::model::study::{FieldsView, Pinned, Values, ValuesView};
use crate::rules::survey::Survey;

/// Rows whose pinned values are told at once.
const ROWS: usize = 256;
/// Requests of whatever flow whose paths are told.
const RECENT: u32 = 100;
/// Bytes of their bodies that are read; the newest count.
const BYTES: usize = 32 << 20;

impl Desk {
    /// The next part of the values at a path.
    pub(super) async fn values(&self, asked: &Values) -> Result<ValuesView, Refusal> {
        let path: Path = asked
            .path
            .parse()
            .map_err(|error| Refusal::usage(format!("{} is no path: {error}", asked.path)))?;
        if !ROOTS.contains(&path.root()) {
            let roots = ROOTS.join(", ");
            return Err(Refusal::usage(format!("{path} does not begin with one of {roots}")));
        }
        let query = read(&asked.filter, self.deps.store.now(), Subject::Requests)?;
        self.deps.store.values_at(&query, &path, asked.before.as_deref()).await
    }

    /// The values of pinned paths, for rows that a list already has.
    pub(super) async fn pinned(
        &self,
        ids: &[String],
        pins: &[String],
    ) -> Result<Vec<(String, Pinned)>, Refusal> {
        if ids.len() > ROWS {
            return Err(Refusal::usage(format!("{} rows at once, {ROWS} are the most", ids.len())));
        }
        let found = self.deps.store.pinned(ids.to_vec(), pins).await?;
        Ok(ids.iter().cloned().zip(found).collect())
    }

    /// The paths of the newest requests that a filter matches, of whatever flow.
    pub(super) async fn recent_fields(&self, filter: &str, most: u32) -> Result<FieldsView, Refusal> {
        let store = &self.deps.store;
        let page = Page { filter: filter.to_owned(), limit: most.clamp(1, RECENT), ..Page::default() };
        let mut survey = Survey::default();
        let mut bytes = 0;
        for row in self.request_rows(&page).await?.rows {
            let Some(id) = store.ids().parse(&row.id) else { continue };
            // One at a time: none of them is held longer than it is looked at.
            let Some(request) = store.request(id).await? else { continue };
            bytes += request.seed.body.len();
            if bytes > BYTES {
                break;
            }
            let request: &StoredRequest = &request;
            survey.add(request.id.0, None, &super::fields::data(store, request));
        }
        Ok(survey.finish())
    }
}
