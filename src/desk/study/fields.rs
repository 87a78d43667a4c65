//! Which paths requests have: of the newest of a flow, of one that is stored, of a body at hand.

use super::super::Desk;
use super::Named;
use crate::model::RequestId;
use crate::model::ask::Refusal;
use crate::model::headers::Headers;
use crate::model::request::{Marks, RequestData, Seed, StoredRequest, Verdict};
use crate::model::study::{FieldsView, Source};
use crate::rules::data::request_data;
use crate::rules::facts;
use crate::rules::survey::{MOST_REQUESTS, Survey};
use crate::store::Store;
use std::collections::HashSet;

/// Rows that are looked at for the newest requests of a flow.
const LOOKED: u64 = 1_000_000;

impl Desk {
    pub(super) async fn fields(&self, source: &Source) -> Result<FieldsView, Refusal> {
        let store = &self.deps.store;
        let mut survey = Survey::default();
        match source {
            Source::Newest { flow, most } => {
                let named = self.named(flow)?;
                let most = (*most as usize).clamp(1, MOST_REQUESTS);
                return self
                    .survey(&named, 0, most, |request| {
                        // Of a flow that was never deployed there is only what a capture took.
                        let taken = !named.live && request.seed.marks.has(Marks::CAPTURED);
                        (taken || matches!(request.verdict, Verdict::Accepted | Verdict::Duplicate))
                            && !request.seed.marks.has(Marks::TEST)
                            && request.seed.marks.arrived()
                    })
                    .await;
            }
            Source::Recent { filter, most } => return self.recent_fields(filter, *most).await,
            Source::Request { id } => {
                let id: RequestId = store.resolve(id).await?;
                let Some(request) = store.request(id).await? else {
                    return Err(Refusal::not_found(format!("there is no request {}", store.ids().print(id))));
                };
                survey.add(id.0, None, &data(store, &request));
            }
            Source::Body { text } => {
                facts::scan(text.as_bytes(), &[], &[])
                    .map_err(|error| Refusal::usage(format!("the body is {error}")))?;
                let seed = Seed {
                    flow: crate::model::FlowId(0),
                    version: 0,
                    marks: Marks::default(),
                    method: "POST".to_owned(),
                    path: String::new(),
                    query: String::new(),
                    headers: Headers::default(),
                    body: text.clone().into(),
                    peer: None,
                    actor: None,
                    hops: 0,
                };
                survey.add(1, None, &request_data(&seed, "", store.now(), ""));
            }
        }
        Ok(survey.finish())
    }

    /// Surveys the newest requests of a flow past an id that pass a test. The first request of a
    /// duplicate is taken in even where it is older.
    pub(super) async fn survey(
        &self,
        named: &Named,
        past: i64,
        most: usize,
        passes: impl Fn(&StoredRequest) -> bool,
    ) -> Result<FieldsView, Refusal> {
        let store = &self.deps.store;
        let mut kept: Vec<(RequestId, Option<RequestId>, RequestData)> = Vec::new();
        let (mut to, mut looked) = (store.fresh_id(), 0);
        'back: loop {
            let chunk = store.stored_of(named.flow, past + 1, to, true).await?;
            looked += u64::from(chunk.looked);
            for request in chunk.requests.iter().filter(|request| passes(request)) {
                kept.push((request.id, request.duplicate_of, data(store, request)));
                if kept.len() >= most {
                    break 'back;
                }
            }
            match chunk.next {
                Some(next) if looked < LOOKED => to = next - 1,
                _ => break,
            }
        }
        kept.reverse();
        let there: HashSet<RequestId> = kept.iter().map(|(id, _, _)| *id).collect();
        let mut survey = Survey::default();
        let firsts: HashSet<RequestId> =
            kept.iter().filter_map(|(_, first, _)| *first).filter(|first| !there.contains(first)).collect();
        for first in firsts.into_iter().take(MOST_REQUESTS - kept.len()) {
            if let Some(request) = store.request(first).await? {
                survey.add(first.0, None, &data(store, &request));
            }
        }
        for (id, first, data) in &kept {
            survey.add(id.0, first.map(|first| first.0), data);
        }
        Ok(survey.finish())
    }
}

pub(super) fn data(store: &Store, request: &StoredRequest) -> RequestData {
    request_data(&store.shown(&request.seed), "", request.id.time(), "")
}
