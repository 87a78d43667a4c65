//! An integration removed: what stops with it.

use super::Desk;
use crate::model::ask::{Answer, Done, Refusal, Who};
use crate::model::document::Trigger;
use crate::store::registry::Holding;

/// Flows that a removal names.
const STOPS: usize = 12;

impl Desk {
    /// Closes the endpoints of an integration.
    pub(super) async fn remove(
        &self,
        who: &Who,
        name: &str,
        reason: Option<&str>,
        dry_run: bool,
    ) -> Result<Answer, Refusal> {
        let holding = self.holding(name)?;
        let endpoints = self.deps.store.webhook_urls(holding.id).len();
        let mut lines = Vec::new();
        if dry_run {
            lines.push(format!("{name} would be removed: {}", closes(endpoints)));
            lines.extend(stops(&holding));
            lines.extend(begins_with(&holding, &Trigger::Remove).map(|flow| format!("  {flow} would run")));
            lines.push(self.go_on(&holding).await?);
            return Ok(Answer::Done(Done { lines, refused: false }));
        }
        let begun = self.deps.store.remove(name, &who.name, reason).await?;
        lines.push(format!("{name} is removed: {}", closes(endpoints)));
        self.audit(who, "remove", name, reason, &lines[0]).await?;
        lines.extend(self.begun_lines(&begun));
        lines.push("its open runs go on to their end".to_owned());
        Ok(Answer::Done(Done { lines, refused: false }))
    }
}

/// Names of the live flows that begin with something other than a request.
fn begins_with<'h>(holding: &'h Holding, trigger: &'h Trigger) -> impl Iterator<Item = &'h str> {
    let flows = holding.live.iter().flat_map(|doc| &doc.integration.flows);
    flows.filter(move |flow| flow.trigger == *trigger).map(|flow| flow.name.as_str())
}

fn closes(endpoints: usize) -> String {
    match endpoints {
        0 => "it has no endpoint".to_owned(),
        1 => "its endpoint answers 410 and is never given out again".to_owned(),
        many => format!("its {many} endpoints answer 410 and are never given out again"),
    }
}

/// The flows that nothing starts any more, of each what did.
fn stops(holding: &Holding) -> Vec<String> {
    let Some(live) = &holding.live else { return Vec::new() };
    let stopped = live.integration.flows.iter().filter_map(|flow| match &flow.trigger {
        Trigger::Webhook(hook) => Some(match &hook.path {
            Some(path) => {
                let path = path.trim_start_matches('/').trim_start_matches("in/");
                format!("  {} takes no more requests (/in/{path})", flow.name)
            }
            None => format!("  {} takes no more requests", flow.name),
        }),
        Trigger::Schedule(_) => Some(format!("  {} ticks no more", flow.name)),
        _ => None,
    });
    let mut lines: Vec<String> = stopped.collect();
    let more = lines.len().saturating_sub(STOPS);
    if more > 0 {
        lines.truncate(STOPS);
        lines.push(format!("  and {more} more flows"));
    }
    lines
}
