//! What a step would send: built as the runner builds it, shown with secrets and token masked.

use super::look::Look;
use crate::model::run::Sent;
use crate::model::target::host;
use crate::model::view::SentView;
use crate::rules::advance::idempotency_key;
use crate::rules::mask::Traces;
use crate::rules::plan::Plan;
use crate::rules::template::{Context, RenderError};
use crate::runner::call::{self, Call, callback_url};
use crate::store::Store;
use crate::vault::Vault;
use crate::vault::mask::MASK;

/// What would be sent, and where.
pub struct Preview {
    /// As it would be shown among the attempts.
    pub sent: SentView,
    /// The target's host and port.
    pub host: String,
    /// How many requests leave, at most: one an item under `for_each`, of which this is the first.
    pub requests: u64,
}

/// Builds what a step would send; `None` where it sends nothing.
pub fn preview(
    vault: &Vault,
    plan: &Plan,
    step: usize,
    context: &Context,
    attempt: Attempt<'_>,
) -> Option<Result<Preview, RenderError>> {
    let sends = plan.flow.steps.get(step).filter(|step| step.kind.exchange().is_some())?;
    let attempt = call::Attempt {
        run: attempt.run,
        key: idempotency_key(attempt.run, &sends.name, attempt.item, attempt.fresh_key),
        number: attempt.number,
        hops: attempt.hops,
        callback: Some(callback_url(attempt.public_url, MASK)),
    };
    Some(Call::build(plan, step, context, &attempt).map(|call| {
        let sent = call.view(vault);
        Preview { host: host(&sent.url), sent, requests: 1 }
    }))
}

/// What the engine's own headers are made of.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The run's id as text; a run that is still to be made has none.
    pub run: &'a str,
    /// Index of the item, under `for_each`.
    pub item: Option<u32>,
    /// Its number.
    pub number: u32,
    /// The arriving request's hops plus one.
    pub hops: u32,
    /// From `--fresh-key`.
    pub fresh_key: Option<u32>,
    /// What a callback's URL begins with.
    pub public_url: &'a str,
}

impl<'a> Attempt<'a> {
    /// The next attempt of a run that was looked at.
    pub fn of(
        look: &'a Look,
        item: Option<u32>,
        number: u32,
        fresh_key: Option<u32>,
        public_url: &'a str,
    ) -> Self {
        let hops = look.standing.request.as_ref().map_or(0, |request| request.seed.hops) + 1;
        Self { run: &look.text, item, number, hops, fresh_key, public_url }
    }
}

/// The masked values of a request, as they are hidden in what a person is shown of it.
pub fn traces(store: &Store, plan: &Plan, context: &Context) -> Traces {
    match &context.request {
        Some(request) => Traces::of(&store.masked(plan.flow_id, plan.version), request),
        None => Traces::default(),
    }
}

/// What would be sent, without masked values.
pub fn hidden(traces: &Traces, mut sent: SentView) -> SentView {
    if !traces.is_empty() {
        traces.hide_in(&mut sent.url);
        sent.headers.iter_mut().for_each(|(_, value)| traces.hide_in(value));
        sent.body.iter_mut().for_each(|body| traces.hide_in_body(body));
    }
    sent
}

/// Whether a request differs from one that was sent before: in method, URL or body.
pub fn differs(sent: &SentView, before: &Sent, same_body: Option<&str>) -> bool {
    let body = if before.same_body { same_body } else { before.body.as_deref() };
    sent.method != before.method || sent.url != before.url || (!before.cut && sent.body.as_deref() != body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_differs_in_method_url_or_body() {
        let sent = |url: &str, body: Option<&str>| SentView {
            method: "POST".into(),
            url: url.into(),
            headers: vec![("X".into(), "1".into())],
            body: body.map(str::to_owned),
        };
        let before =
            Sent { method: "POST".into(), url: "http://a".into(), body: Some("b".into()), ..Sent::default() };
        assert!(!differs(&sent("http://a", Some("b")), &before, None));
        assert!(differs(&sent("http://b", Some("b")), &before, None));
        assert!(differs(&sent("http://a", Some("c")), &before, None));
        let same = Sent { same_body: true, body: None, ..before };
        assert!(!differs(&sent("http://a", Some("{}")), &same, Some("{}")));
        assert!(differs(&sent("http://a", Some("{ }")), &same, Some("{}")));
    }
}
