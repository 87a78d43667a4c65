//! Captures: what a flow is sent while somebody watches, as a table of paths.

use super::super::Desk;
use super::Named;
use crate::model::RequestId;
use crate::model::ask::Refusal;
use crate::model::request::Verdict;
use crate::model::study::CaptureView;
use crate::model::time::{HOUR, Ms, SECOND, rfc3339};

/// Requests of a capture that are looked at, the newest.
const MOST: usize = 100;
/// How long a capture may stay open.
const LONGEST: Ms = HOUR;

impl Desk {
    /// Opens or renews a capture.
    pub(super) async fn open_capture(&self, flow: &str, time: Ms) -> Result<CaptureView, Refusal> {
        let named = self.named(flow)?;
        if !(SECOND..=LONGEST).contains(&time) {
            return Err(Refusal::usage("a capture is open for 1s to 1h: write --for 90s"));
        }
        let store = &self.deps.store;
        if !store.open_capture(named.flow, store.now() + time) {
            return Err(Refusal::refused(
                "too_many",
                "capture is not possible: 64 are open already; they end by themselves",
            ));
        }
        let after = store.fresh_id();
        self.capture_view(&named, after, RequestId(after)).await
    }

    /// What came since.
    pub(super) async fn captured(&self, flow: &str, after: Option<&str>) -> Result<CaptureView, Refusal> {
        let named = self.named(flow)?;
        let after = match after {
            None => RequestId(0),
            Some(text) => self
                .deps
                .store
                .ids()
                .parse(text)
                .ok_or_else(|| Refusal::usage(format!("{text:?} is no id of a request")))?,
        };
        self.capture_view(&named, after.0, after).await
    }

    async fn capture_view(&self, named: &Named, past: i64, after: RequestId) -> Result<CaptureView, Refusal> {
        let store = &self.deps.store;
        let found = self
            .survey(named, past, MOST, |request| {
                request.verdict != Verdict::Rejected && request.seed.marks.arrived()
            })
            .await?;
        Ok(CaptureView {
            integration: named.integration.clone(),
            flow: named.name.clone(),
            url: named.url.clone(),
            deployed: named.live,
            until: store.capture_until(named.flow).map(rfc3339),
            after: store.ids().print(after),
            found,
        })
    }
}
