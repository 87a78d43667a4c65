//! Runs that a person starts: of a flow with a manual trigger, with a payload of their own.

use super::Desk;
use crate::model::FlowId;
use crate::model::ask::{Acted, Answer, Refusal, Start, Who};
use crate::model::document::Trigger;
use crate::model::headers::Headers;
use crate::model::id::short;
use crate::model::request::{Marks, Seed};
use crate::rules::facts;
use crate::store::{Accept, Again, Judgement, Launch};
use bytes::Bytes;
use std::sync::Arc;

impl Desk {
    /// Stores the payload as a request that came without HTTP, and its run; past dedup.
    pub(super) async fn start(&self, who: &Who, start: Start) -> Result<Answer, Refusal> {
        let (flow, version, name) = self.by_hand(&start)?;
        let body = Bytes::from(start.body);
        facts::scan(&body, &[], &[]).map_err(|error| Refusal::usage(format!("the body is {error}")))?;
        let json = (b"content-type".as_slice(), b"application/json".as_slice());
        let seed = Seed {
            flow,
            version,
            marks: Marks::MANUAL,
            method: String::new(),
            path: String::new(),
            query: String::new(),
            headers: Headers::from_pairs([json]),
            body,
            peer: None,
            actor: Some(who.name.clone()),
            hops: 0,
        };
        let runs = vec![Again { parent: None, element: None }];
        let store = &self.deps.store;
        let launch =
            store.plan(flow, version).map_or(Launch::Fresh, |plan| Launch::of(&plan, store.lane(flow)));
        let judgement = Judgement::Replay { of: None, runs, launch };
        let accept = Accept { seed: Arc::new(seed), judgement };
        let full = || Refusal::failed("the store's queue is full: try again").coded("down");
        let answer = self.deps.store.accept(accept).ok_or_else(full)?;
        let admitted = answer.await.map_err(|_| Refusal::failed("the store is closed").coded("down"))??;
        let Some((run, _)) = admitted.run else {
            return Err(Refusal::failed("the store made no run"));
        };
        let ids = self.deps.store.ids();
        let (request, run) = (ids.print(admitted.request), ids.print(run));
        let said = format!("Started run {} of {name}.", short(&run));
        self.audit(who, "start", &request, start.reason.as_deref(), &said).await?;
        Ok(Answer::Acted(Acted { done: 1, runs: vec![run], lines: vec![said], ..Acted::default() }))
    }

    /// The live flow that is meant, its version, and its name for people.
    fn by_hand(&self, start: &Start) -> Result<(FlowId, u32, String), Refusal> {
        let holding = self.holding(&start.integration)?;
        let (Some(live), Some(version)) = (&holding.live, holding.deployed) else {
            return Err(Refusal::refused(
                "not_deployed",
                format!("{0} was never deployed: pointsman deploy {0}", holding.name),
            ));
        };
        let flows = live.flows.iter().zip(&live.integration.flows);
        let found = flows
            .filter(|(_, flow)| flow.name.eq_ignore_ascii_case(&start.flow) || flow.id == start.flow)
            .map(|(id, flow)| (FlowId(id.flow), flow))
            .next();
        let Some((id, flow)) = found else {
            return Err(Refusal::not_found(format!("{} has no flow {:?}", holding.name, start.flow)));
        };
        let name = format!("{} / {}", holding.name, flow.name);
        if !matches!(flow.trigger, Trigger::Manual) {
            return Err(Refusal::refused(
                "not_manual",
                format!("{name} is not started by hand: its trigger is {}", flow.trigger.word()),
            ));
        }
        Ok((id, version, name))
    }
}
