//! Which values stand at a path of the requests that a filter matches, and how often: counted in parts
//! that each end by their rows or their time.

use super::head;
use super::look::Look;
use super::probe::Probe;
use super::reach::{self, Range};
use super::rows::{Failed, RequestRow};
use super::sources::request_sources;
use super::views;
use super::walk::{Budget, Search, Way, walk};
use crate::model::ask::Refusal;
use crate::model::decimal::Decimal;
use crate::model::id::Kind;
use crate::model::path::Path;
use crate::model::query::{Query, Row, text_of};
use crate::model::study::{ValueCount, ValueKind, ValuesView};
use crate::model::{FlowId, RequestId};
use crate::store::Store;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, HashSet};

/// Requests of a part that are counted at most.
const PART: usize = 2_000;
/// Values of one request that are counted: `[]` stands for many.
const EACH: usize = 64;
/// Characters of a value that is kept whole, and of one that is not.
const WHOLE: usize = 512;
const CUT: usize = 200;

/// What tells one value from another, as a filter does.
type Key = (ValueKind, String);

impl Store {
    /// The next part of the values at a path: of the newest requests, or of those before an id.
    ///
    /// # Errors
    /// An id that is none of a request; the store.
    pub async fn values_at(
        &self,
        query: &Query,
        path: &Path,
        before: Option<&str>,
    ) -> Result<ValuesView, Refusal> {
        let high = match before {
            None => i64::MAX,
            Some(text) => match self.ids().parse::<RequestId>(text) {
                Some(id) => id.0.saturating_sub(1),
                None => return Err(Refusal::usage(format!("{text:?} is no id of a request"))),
            },
        };
        let way = Way { range: Range { low: 0, high }, forward: false, limit: PART };
        let (query, path) = (query.clone(), path.clone());
        Ok(self.look(move |look| part(look, &query, &path, way, &Budget::default())).await?)
    }
}

pub(super) fn part(
    look: &Look<'_>,
    query: &Query,
    path: &Path,
    way: Way,
    budget: &Budget,
) -> rusqlite::Result<ValuesView> {
    let way = Way { range: way.range.and(reach::range(query, look.ids(), Kind::Request)), ..way };
    let flows = reach::flows(query, &look.state);
    // Where the filter reads no body, only those that it matches are read whole.
    let with_body = query.needs_body();
    let columns = format!("{}{}", head::REQUEST, if with_body { ", headers, body" } else { "" });
    let failed = Failed::default();
    let mut found: HashMap<Key, ValueCount> = HashMap::new();
    let mut absent = 0;
    let (sources, probe) = (request_sources(look, query)?, Probe::of(query, Kind::Request));
    let search = Search { columns: &columns, sources: &sources, probe: &probe };
    let walked = walk(look.conn, &search, way, budget, &mut |row| {
        if let Some(flows) = &flows
            && !flows.contains(&FlowId(row.get(1)?))
        {
            return Ok(None);
        }
        let head = head::request(row)?;
        let content =
            if with_body { Some((row.get_ref(15)?.as_bytes()?, row.get_ref(16)?.as_bytes()?)) } else { None };
        let judged = RequestRow::new(look, &failed, &head, content);
        let matches = query.matches(&judged);
        if matches {
            let values = judged.at(path);
            absent += u64::from(values.is_empty());
            count(values.iter().take(EACH).map(AsRef::as_ref), &mut found);
        }
        failed.take().map_or(Ok(()), Err)?;
        Ok(matches.then_some(()))
    })?;
    Ok(ValuesView {
        values: found.into_values().collect(),
        counted: walked.rows.len() as u64,
        absent,
        looked: walked.scanned,
        next: walked.next.map(|raw| look.ids().print_raw(Kind::Request, raw)),
    })
}

/// Counts the values of one request, each once.
fn count<'v>(values: impl Iterator<Item = &'v Value>, found: &mut HashMap<Key, ValueCount>) {
    let mut seen = HashSet::new();
    for value in values {
        let text = text_of(value);
        let kind = match value {
            Value::String(_) => ValueKind::String,
            Value::Number(_) => ValueKind::Number,
            Value::Bool(_) | Value::Null => ValueKind::Literal,
            Value::Array(_) | Value::Object(_) => ValueKind::Json,
        };
        let long = text.chars().nth(WHOLE).is_some();
        let digest = long.then(|| {
            let sum = Sha256::digest(text.as_bytes());
            views::hex(&sum[..16])
        });
        let told = match (&digest, kind) {
            (Some(digest), _) => digest.clone(),
            (None, ValueKind::Number) => {
                Decimal::parse(&text).map_or_else(|| text.to_string(), |number| number.canonical())
            }
            (None, _) => text.to_string(),
        };
        if !seen.insert((kind, told.clone())) {
            continue;
        }
        let entry = found.entry((kind, told)).or_insert_with(|| {
            let text = if long { text.chars().take(CUT).chain(['…']).collect() } else { text.to_string() };
            ValueCount { text, kind, digest, count: 0 }
        });
        entry.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn counted(values: &[Value]) -> Vec<(String, ValueKind, u64)> {
        let mut found = HashMap::new();
        for value in values {
            count([value].into_iter(), &mut found);
        }
        let mut all: Vec<_> =
            found.into_values().map(|value| (value.text, value.kind, value.count)).collect();
        all.sort();
        all
    }

    #[test]
    fn a_number_is_one_value_however_it_is_spelt_and_no_text() {
        let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let found = counted(&[number("5"), number("5.0"), number("50e-1"), json!("5"), json!(null)]);
        assert_eq!(
            found,
            [
                ("5".to_owned(), ValueKind::String, 1),
                ("5".to_owned(), ValueKind::Number, 3),
                ("null".to_owned(), ValueKind::Literal, 1)
            ]
        );
    }

    #[test]
    fn long_values_are_cut_and_still_told_apart() {
        let (one, other) = ("x".repeat(WHOLE + 1), format!("{}y", "x".repeat(WHOLE)));
        let found = counted(&[json!(one), json!(other), json!(one), json!("x".repeat(WHOLE))]);
        let counts: Vec<(usize, u64)> = found.iter().map(|one| (one.0.chars().count(), one.2)).collect();
        assert_eq!(counts.len(), 3);
        assert!(counts.contains(&(CUT + 1, 2)) && counts.contains(&(CUT + 1, 1)), "{counts:?}");
        assert!(counts.contains(&(WHOLE, 1)));
    }

    #[test]
    fn a_request_counts_once_for_a_value() {
        let mut found = HashMap::new();
        count([json!("a"), json!("a"), json!("b")].iter(), &mut found);
        assert!(found.values().all(|value| value.count == 1) && found.len() == 2);
    }
}
