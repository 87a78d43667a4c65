//! Who made a request that no sender sent.

use super::RequestView;

impl RequestView {
    /// Who made it, where no sender did: `by anna`, `by its schedule`. Nobody was answered then.
    #[must_use]
    pub fn made_by(&self) -> Option<String> {
        let mut marks = self.marks.iter().map(String::as_str);
        let by = marks.find_map(|mark| match mark {
            "manual" => Some(format!("by {}", self.actor.as_deref().unwrap_or("a person"))),
            "schedule" => Some("by its schedule".to_owned()),
            "deploy" => Some("by a deploy".to_owned()),
            "remove" => Some("by a removal".to_owned()),
            "alert" => Some("by an alert".to_owned()),
            _ => None,
        })?;
        Some(if self.test { format!("{by}, as a test") } else { by })
    }
}
