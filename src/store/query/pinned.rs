//! Values of pinned paths: a few a row of a list, read with it and bounded as it is.

use super::content;
use super::look::Look;
use crate::model::FlowId;
use crate::model::RequestId;
use crate::model::ask::{Refusal, Rows};
use crate::model::headers::Headers;
use crate::model::path::{Path, walk};
use crate::model::study::Pinned;
use crate::model::view::RequestView;
use crate::rules::brief::brief;
use crate::rules::json::beginning;
use crate::rules::mask;
use crate::store::{Store, StoreError};
use rusqlite::OptionalExtension as _;
use std::collections::BTreeMap;

/// Paths of a page.
pub const MOST: usize = 8;
/// Characters of a value.
const TEXT: usize = 64;
/// Bytes of a body that are read for a row; of a longer one the beginning is looked at.
const BODY: u32 = 256 << 10;
/// Bytes of bodies that are read for a page; past them [`LITTLE`] of each.
const PAGE: usize = 64 << 20;
const LITTLE: u32 = 4 << 10;
/// Stands for a value past the part that was read.
const UNREAD: &str = "…";

impl Store {
    /// A page with the values of these paths in its rows. What is no path has none.
    ///
    /// # Errors
    /// The store.
    pub async fn with_pins(
        &self,
        mut page: Rows<RequestView>,
        pins: &[String],
    ) -> Result<Rows<RequestView>, Refusal> {
        let ids = page.rows.iter().map(|row| row.id.clone()).collect();
        for (row, pinned) in page.rows.iter_mut().zip(self.pinned(ids, pins).await?) {
            row.pinned = pinned;
        }
        Ok(page)
    }

    /// The values of these paths, request by request; a request that is gone has none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn pinned(&self, ids: Vec<String>, pins: &[String]) -> Result<Vec<Pinned>, StoreError> {
        let paths: Vec<(String, Option<Path>)> =
            pins.iter().take(MOST).map(|pin| (pin.clone(), pin.parse().ok())).collect();
        self.look(move |look| {
            let mut bytes = 0;
            let found = ids.iter().map(|id| {
                let most = if bytes < PAGE { BODY } else { LITTLE };
                match look.ids().parse::<RequestId>(id) {
                    Some(id) => of_request(look, id, &paths, most, &mut bytes),
                    None => Ok(None),
                }
            });
            let none = || paths.iter().map(|(pin, _)| (pin.clone(), None)).collect();
            found.map(|found| Ok(found?.unwrap_or_else(none))).collect()
        })
        .await
    }
}

fn of_request(
    look: &Look<'_>,
    id: RequestId,
    paths: &[(String, Option<Path>)],
    most: u32,
    bytes: &mut usize,
) -> rusqlite::Result<Option<Pinned>> {
    let row = look
        .conn
        .prepare_cached(
            "SELECT flow, version, query, headers, substr(body, 1, ?2), length(body) FROM request WHERE id = ?1",
        )?
        .query_row(rusqlite::params![id.0, most], |row| {
            let (flow, version): (i64, u32) = (row.get(0)?, row.get(1)?);
            let (query, headers): (String, Vec<u8>) = (row.get(2)?, row.get(3)?);
            // A part of an empty blob is null.
            let body = row.get::<_, Option<Vec<u8>>>(4)?.unwrap_or_default();
            Ok((FlowId(flow), version, query, headers, body, row.get::<_, Option<i64>>(5)?.unwrap_or(0).cast_unsigned()))
        })
        .optional()?;
    let Some((flow, version, query, headers, body, size)) = row else { return Ok(None) };
    *bytes += body.len();
    let masked = look.mask(flow, version);
    let headers = mask::headers(&masked, &Headers::from_blob(headers.into()));
    let query = mask::query(&masked, &query);
    let whole = body.len() as u64 == size;
    let body = mask::body(&masked, &body);
    // Read once, however many paths lead into it.
    let begun = if whole { None } else { beginning(&body) };
    let value = |path: &Path| {
        if !whole && path.root() == "body" {
            let found = begun.as_ref().and_then(|body| walk(body, path.rest()));
            return Some(found.map_or_else(|| UNREAD.to_owned(), |value| brief(value, TEXT)));
        }
        content::at(path, &headers, &query, &body).first().map(|value| brief(value, TEXT))
    };
    let found: BTreeMap<_, _> =
        paths.iter().map(|(pin, path)| (pin.clone(), path.as_ref().and_then(value))).collect();
    Ok(Some(found))
}
