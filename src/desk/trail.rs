//! The audit trail: every act of a person is written down, with who, through what door and why.

use super::Desk;
use crate::model::ask::{Refusal, Who};

/// Bytes of what is written of a reason or result.
const MOST: usize = 4 << 10;

impl Desk {
    /// Writes an entry, after the act that it tells of. A target that is an id stands there alone.
    pub(super) async fn audit(
        &self,
        who: &Who,
        verb: &str,
        target: &str,
        reason: Option<&str>,
        detail: &str,
    ) -> Result<(), Refusal> {
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty()).map(cut);
        let written = self.deps.store.audit(who, verb, cut(target), reason, cut(detail)).await;
        written.map(drop).map_err(|error| {
            let why = format!("it was done, but not written into the audit trail: {error}");
            Refusal::failed(why).coded("down")
        })
    }
}

/// What is written of a text.
pub(super) fn cut(text: &str) -> &str {
    let mut end = text.len().min(MOST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("why"), "why");
        let text = format!("{}é", "a".repeat(MOST - 1));
        assert_eq!(cut(&text).len(), MOST - 1);
        assert_eq!(cut(&"a".repeat(MOST)).len(), MOST);
    }
}
