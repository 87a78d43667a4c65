//! Captures that are open: in memory alone, since one ends with the process at the latest.

use super::Store;
use crate::model::{FlowId, Ms};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Captures that are open at once.
pub const MOST: usize = 64;

/// Flows with an open capture, and until when.
#[derive(Debug, Default)]
pub(in crate::store) struct Captures(RwLock<HashMap<FlowId, Ms>>);

impl Captures {
    fn open(&self, flow: FlowId, until: Ms, now: Ms) -> bool {
        let mut open = self.0.write().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, until| *until > now);
        if open.len() >= MOST && !open.contains_key(&flow) {
            return false;
        }
        open.insert(flow, until);
        true
    }

    fn until(&self, flow: FlowId, now: Ms) -> Option<Ms> {
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        open.get(&flow).copied().filter(|until| *until > now)
    }
}

impl Store {
    /// Opens a capture on a flow, or sets the end of an open one; `false` where 64 are open.
    #[must_use]
    pub fn open_capture(&self, flow: FlowId, until: Ms) -> bool {
        self.inner.registry.captures.open(flow, until, self.now())
    }

    /// Until when a capture is open on a flow; `None` where none is. Cheap: it is asked for requests.
    #[must_use]
    pub fn capture_until(&self, flow: FlowId) -> Option<Ms> {
        self.inner.registry.captures.until(flow, self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_end_by_themselves_and_are_bounded() {
        let captures = Captures::default();
        for flow in 0..i64::try_from(MOST).unwrap() {
            assert!(captures.open(FlowId(flow), 100, 0));
        }
        assert!(!captures.open(FlowId(999), 100, 0));
        assert!(captures.open(FlowId(3), 200, 0), "one that is open can be renewed");
        assert_eq!(captures.until(FlowId(3), 199), Some(200));
        assert_eq!(captures.until(FlowId(3), 200), None);
        assert!(captures.open(FlowId(999), 300, 100), "those that ended make room");
    }
}
