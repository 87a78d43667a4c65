//! Bodies of split requests, parsed once for all their runs.
//!
//! A thousand runs of one request would else parse, and hold, its body a thousand times.

use crate::model::RequestId;
use crate::model::request::RequestData;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Requests whose runs may share their data at once.
const SHARED: usize = 32;
/// The data of the newest one is kept for so long after its last use, so that runs that come one
/// after the other share it too.
const KEPT: Duration = Duration::from_secs(5);

/// What is shared.
#[derive(Debug, Default)]
pub(super) struct Records(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    shared: VecDeque<(RequestId, Weak<RequestData>)>,
    last: Option<(Arc<RequestData>, Instant)>,
}

impl Records {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The data of a stored request: what another run of it holds, else what `make` makes.
    pub(super) fn share(&self, id: RequestId, make: impl FnOnce() -> Arc<RequestData>) -> Arc<RequestData> {
        let mut inner = self.lock();
        let found = inner.shared.iter().find(|(other, _)| *other == id).and_then(|(_, data)| data.upgrade());
        if let Some(data) = found {
            inner.last = Some((Arc::clone(&data), Instant::now()));
            return data;
        }
        // Made under the lock: who else wants it waits for it and does not make it again.
        let data = make();
        inner.shared.retain(|(other, data)| *other != id && data.strong_count() > 0);
        if inner.shared.len() >= SHARED {
            inner.shared.pop_front();
        }
        inner.shared.push_back((id, Arc::downgrade(&data)));
        inner.last = Some((Arc::clone(&data), Instant::now()));
        data
    }

    /// Lets go what nobody used lately; asked once a second.
    pub(super) fn sweep(&self) {
        let mut inner = self.lock();
        if inner.last.as_ref().is_some_and(|(_, used)| used.elapsed() > KEPT) {
            inner.last = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::headers::Headers;
    use crate::model::request::{Marks, Seed};
    use crate::rules::data::request_data;

    fn data() -> Arc<RequestData> {
        let seed = Seed {
            flow: crate::model::FlowId(1),
            version: 1,
            marks: Marks::default(),
            method: "POST".into(),
            path: String::new(),
            query: String::new(),
            headers: Headers::default(),
            body: "{}".into(),
            peer: None,
            actor: None,
            hops: 0,
        };
        Arc::new(request_data(&seed, "r", 0, ""))
    }

    #[test]
    fn runs_of_one_request_share_its_data() {
        let records = Records::default();
        let first = records.share(RequestId(1), data);
        let again = records.share(RequestId(1), || panic!("made twice"));
        assert!(Arc::ptr_eq(&first, &again));
        assert!(!Arc::ptr_eq(&first, &records.share(RequestId(2), data)));
        // What a run holds is shared although another request came since.
        assert!(Arc::ptr_eq(&first, &records.share(RequestId(1), || panic!("made twice"))));
    }

    #[test]
    fn what_nobody_holds_is_let_go_and_the_list_is_bounded() {
        let records = Records::default();
        for id in 0..1_000 {
            records.share(RequestId(id), data);
        }
        assert!(records.lock().shared.len() <= 2, "only the newest is alive");
        let held: Vec<_> = (0..1_000).map(|id| records.share(RequestId(id), data)).collect();
        assert_eq!(records.lock().shared.len(), SHARED);
        drop(held);
        if let Some((_, used)) = &mut records.lock().last {
            *used = used.checked_sub(KEPT * 2).unwrap();
        }
        records.sweep();
        assert!(records.lock().last.is_none());
    }
}
