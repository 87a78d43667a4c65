//! Badges of shape drift.

use super::super::Desk;
use crate::model::FlowId;
use crate::model::ask::{Refusal, Who};
use crate::model::study::DriftView;

impl Desk {
    /// Open badges: all, those of an integration, or those of a flow.
    pub(in crate::desk) async fn drifts(&self, flow: Option<&str>) -> Result<Vec<DriftView>, Refusal> {
        let flows = match flow {
            None => None,
            Some(text) if text.contains('/') => Some(vec![self.named(text)?.flow]),
            Some(name) => {
                let owner = self.holding(name)?.id;
                let state = self.deps.store.configured();
                let of = state.flows.values().filter(|row| row.integration == owner);
                Some(of.map(|row| row.id).collect::<Vec<FlowId>>())
            }
        };
        Ok(self.deps.store.drifts(flows).await?)
    }

    /// Takes badges away, and writes down who did.
    pub(super) async fn drift_ok(
        &self,
        who: &Who,
        ids: &[i64],
        flow: Option<&str>,
        reason: Option<&str>,
    ) -> Result<String, Refusal> {
        if ids.is_empty() == flow.is_none() {
            return Err(Refusal::usage("name badges by their numbers, or a flow: drift ls lists them"));
        }
        let open = self.drifts(flow).await?;
        let chosen: Vec<&DriftView> =
            open.iter().filter(|one| flow.is_some() || ids.contains(&one.id)).collect();
        if let Some(missing) = ids.iter().find(|id| !chosen.iter().any(|one| one.id == **id)) {
            return Err(Refusal::not_found(format!("there is no open badge {missing}: drift ls lists them")));
        }
        if chosen.is_empty() {
            return Err(Refusal::not_found("there is no open badge"));
        }
        let numbers: Vec<i64> = chosen.iter().map(|one| one.id).collect();
        let said = match chosen.as_slice() {
            [one] => format!("Took the badge of {} / {} away: {}.", one.integration, one.flow, one.words()),
            many => format!("Took {} badges away.", many.len()),
        };
        let target = match chosen.as_slice() {
            [one] => format!("{}/{}", one.integration, one.flow),
            many => format!("{} badges", many.len()),
        };
        self.deps.store.clear_drifts(numbers).await?;
        self.audit(who, "drift ok", &target, reason, &said).await?;
        Ok(said)
    }
}
