//! A replay to another URL: the stored request is sent there, in place of a run of its flow. What is
//! planned is built by the code that sends it.

use super::super::Desk;
use super::list;
use super::many::{Did, SIDE_BY_SIDE};
use super::plan::SAMPLE;
use super::replay::{gone, seed, whole};
use super::select::{Chosen, Planned, Target};
use super::sends::{hidden, traces};
use crate::model::ask::{Plan, Refusal, Replay, Signing};
use crate::model::auth::Auth;
use crate::model::headers::is_credential;
use crate::model::id::short;
use crate::model::request::{Marks, Seed, StoredRequest};
use crate::model::run::keep;
use crate::model::target::host;
use crate::model::time::SECOND;
use crate::model::view::SentView;
use crate::model::{Ms, RunId};
use crate::rules::forward;
use crate::rules::plan::Plan as Compiled;
use crate::rules::template::Outgoing;
use crate::runner::guard::Guard;
use crate::runner::http::{Came, Http};
use crate::store::Piece;
use futures_util::StreamExt as _;
use reqwest::header::HeaderName;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

pub use crate::rules::forward::shown;

/// How long the target may take for all of it.
const TIMEOUT: Ms = 10 * SECOND;
/// Codes of refusals after which something may have left: they are written down.
pub const LEFT: [&str; 2] = ["answered", "no_answer"];

/// A request that may be sent.
struct Ready {
    request: Arc<StoredRequest>,
    /// With the body that is sent.
    seed: Seed,
    outgoing: Outgoing,
    /// Which key signed it.
    key: Option<String>,
    /// The header of the endpoint's key, whose value is shown to nobody.
    secret: Option<String>,
    /// The flow that masks its values.
    plan: Option<Arc<Compiled>>,
}

/// Refuses options that contradict each other.
///
/// # Errors
/// Which, and what to write.
pub fn sound(how: &Replay) -> Result<(), Refusal> {
    if let Some(to) = &how.to {
        forward::url(to, "", "").map_err(|why| Refusal::usage(format!("--to: {why}")))?;
        if how.version.is_some() {
            return Err(Refusal::usage("--to sends the request and makes no run: it takes no --version"));
        }
    }
    match how.sign {
        Some(Signing::Exact) if !how.set.is_empty() => Err(Refusal::usage(
            "--sign exact sends the bytes as they came: it takes no --set; --sign fresh signs what is edited",
        )),
        Some(Signing::Fresh) if how.to.is_none() => Err(Refusal::usage(
            "--sign fresh goes with --to URL: a replay inside is not asked for a signature",
        )),
        _ => Ok(()),
    }
}

impl Desk {
    /// What sending what was chosen elsewhere would do.
    pub(super) async fn plan_forward(
        &self,
        chosen: &Chosen,
        how: &Replay,
    ) -> Result<(Plan, Planned), Refusal> {
        let mut plan = Plan { verb: "replay".to_owned(), ..Plan::default() };
        if let Some(target) = chosen.one() {
            let ready = self.outgoing(target, how).await?;
            plan.count = 1;
            plan.hosts = vec![(host(&ready.outgoing.url), 1)];
            plan.lines = one_lines(&ready, how);
            plan.sends = Some(self.shown_of(&ready));
            return Ok((plan, Planned::default()));
        }
        let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
        let mut hosts: BTreeMap<String, u64> = BTreeMap::new();
        let mut found = Planned::default();
        let mut judged = futures_util::stream::iter(chosen.targets.iter().copied())
            .map(|target| async move { (target, self.outgoing(target, how).await) })
            .buffered(SIDE_BY_SIDE);
        while let Some((target, ready)) = judged.next().await {
            match ready {
                Ok(ready) => {
                    plan.count += 1;
                    found.objects.push((target, None));
                    *hosts.entry(host(&ready.outgoing.url)).or_default() += 1;
                    if plan.sample.len() < SAMPLE {
                        let sent = self.shown_of(&ready);
                        plan.sample.push((self.printed(target), format!("{} {}", sent.method, sent.url)));
                    }
                }
                Err(refusal) => {
                    found.leave_out(target, refusal.message.clone());
                    *left_out.entry(refusal.message).or_default() += 1;
                }
            }
        }
        drop(judged);
        plan.left_out = left_out.into_iter().collect();
        plan.hosts = hosts.into_iter().collect();
        let to = how.to.as_deref().map(shown).unwrap_or_default();
        let requests = super::count(plan.count, crate::model::ask::Object::Request);
        plan.lines = vec![format!("Sends {requests} to {to}, and makes no run.")];
        plan.lines.extend(edits(how));
        plan.lines.push(signed_line(how.sign, None));
        Ok((plan, found))
    }

    /// Sends one request elsewhere. As a piece of a job it is marked before anything leaves: one whose
    /// answer nobody lived to see is never sent again by itself.
    pub(super) async fn forward_one(
        &self,
        target: Target,
        how: &Replay,
        piece: Option<Piece>,
    ) -> Result<Did, Refusal> {
        let ready = self.outgoing(target, how).await?;
        let http = self.http()?;
        if let Some(piece) = piece
            && !self.deps.store.sending_piece(piece).await?
        {
            return Err(Refusal::refused("stopped", "the job was stopped, or this was done already"));
        }
        let sent = self.send(http, &ready).await;
        if let Some(piece) = piece {
            let came = sent.as_ref().map(|did| did.said.clone()).map_err(|refusal| refusal.message.clone());
            self.deps.store.sent_piece(piece, came).await?;
        }
        sent
    }

    async fn send(&self, http: &Http, ready: &Ready) -> Result<Did, Refusal> {
        let hops = (ready.seed.hops + 1).to_string();
        let engine = [(HeaderName::from_static("pointsman-hops"), hops)];
        let begun = Instant::now();
        let came = http.exchange(&ready.outgoing, &engine, TIMEOUT, self.deps.store.now()).await;
        let took = crate::text::took(i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX));
        let request = self.deps.store.ids().print(ready.request.id);
        let (id, to) = (short(&request), shown(&ready.outgoing.url));
        let failed = |code: &str, message: String| Refusal::failed(message).coded(code);
        match came {
            Came::Answer(answer) if (200..300).contains(&answer.status) => Ok(Did {
                said: format!("Sent {id} to {to}: {} in {took}.", answer.status),
                target: request,
                runs: Vec::new(),
            }),
            Came::Answer(answer) => {
                let said = format!("{id} was sent to {to}, which answered {} in {took}", answer.status);
                Err(failed("answered", said))
            }
            Came::Nothing { cause, .. } => {
                Err(failed("no_answer", format!("{id} was sent to {to}, and no answer came: {cause}")))
            }
            Came::Blocked(why) => Err(Refusal::refused("blocked", format!("replay is not possible: {why}"))),
        }
    }

    /// Builds what would be sent, or says why it cannot be.
    async fn outgoing(&self, target: Target, how: &Replay) -> Result<Ready, Refusal> {
        let store = &self.deps.store;
        let (request, _) = self.origin(target).await?;
        whole(&request)?;
        let (seed, edited) = seed(&request, request.seed.version, &how.set)?;
        let flow = request.seed.flow;
        let plan = store.deployed_plan(flow).or_else(|| store.plan(flow, request.seed.version));
        let auth =
            plan.as_ref().and_then(|plan| plan.flow.webhook()).map_or(Auth::None, |hook| hook.auth.clone());
        let expanded = edited || request.seed.marks.has(Marks::GZIP);
        let exact = how.sign == Some(Signing::Exact);
        if exact && expanded {
            return Err(gone(
                "it came gzipped, and only what it expands to was kept; --sign fresh signs that",
            ));
        }
        let mut headers = if exact {
            let came = self.deps.vault.revealed(flow, &seed.headers).map_err(|why| gone(&why))?;
            if came.iter().any(|(_, value)| std::str::from_utf8(value).is_err()) {
                return Err(gone("a header of it is no text, and would not arrive as it came"));
            }
            forward::headers(&came, &auth, true, false)
        } else {
            forward::headers(&seed.headers, &auth, false, expanded)
        };
        let mut key = None;
        if how.sign == Some(Signing::Fresh) {
            if auth == Auth::None {
                return Err(gone("its endpoint takes anyone, and has no key to sign with"));
            }
            let (more, name) =
                self.signed_by_any(&auth, None, &seed.body).await?.map_err(|why| gone(&why))?;
            headers.extend(more);
            key = Some(name);
        }
        let to = how.to.as_deref().unwrap_or_default();
        let url = forward::url(to, &seed.path, &seed.query).map_err(Refusal::usage)?;
        let parsed = url::Url::parse(&url).map_err(|error| Refusal::usage(error.to_string()))?;
        Guard::new(&self.deps.settings)
            .check_literal(&parsed)
            .map_err(|why| Refusal::refused("blocked", format!("replay is not possible: {why}")))?;
        let method = if seed.method.is_empty() { "POST" } else { &seed.method }.to_owned();
        let outgoing = Outgoing {
            method,
            url,
            headers,
            body: (!seed.body.is_empty()).then(|| seed.body.clone()),
            same_body: !edited,
            left_out: Vec::new(),
            proxy: None,
            verify_tls: true,
            ca_file: None,
            credential: None,
        };
        let secret = auth.secret_header().map(str::to_owned);
        Ok(Ready { request, seed, outgoing, key, secret, plan })
    }

    /// As a person is shown it: without credentials, and without what its flow masks.
    fn shown_of(&self, ready: &Ready) -> SentView {
        let Ready { outgoing, secret, .. } = ready;
        let hides = |name: &str| {
            is_credential(name) || secret.as_deref().is_some_and(|secret| secret.eq_ignore_ascii_case(name))
        };
        let headers = outgoing
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), if hides(name) { "•••".to_owned() } else { value.clone() }));
        let sent = SentView {
            method: outgoing.method.clone(),
            url: outgoing.url.clone(),
            headers: headers.collect(),
            body: outgoing.body.as_ref().map(|body| keep(body).0),
        };
        let Some(plan) = &ready.plan else { return SentView { body: None, ..sent } };
        let data = Some((ready.request.id, &ready.seed));
        let context = self.deps.store.context(plan, RunId(0), None, data);
        hidden(&traces(&self.deps.store, plan, &context), sent)
    }
}

fn one_lines(ready: &Ready, how: &Replay) -> Vec<String> {
    let Outgoing { method, url, .. } = &ready.outgoing;
    let bytes = crate::text::size(ready.seed.body.len() as u64);
    let mut lines = vec![
        format!("Sends the stored request to {}, and makes no run.", shown(url)),
        format!("{method} with {bytes}{}.", if how.set.is_empty() { " as received" } else { "" }),
    ];
    lines.extend(edits(how));
    lines.push(signed_line(how.sign, ready.key.as_deref()));
    lines
}

fn edits(how: &Replay) -> Option<String> {
    let changed = list(how.set.iter().map(|(path, _)| path.as_str()));
    (!how.set.is_empty())
        .then(|| format!("With another payload: {changed} changed. The stored request stays as it is."))
}

fn signed_line(sign: Option<Signing>, key: Option<&str>) -> String {
    match (sign, key) {
        (None, _) => "Without its sender's credentials and signature.".to_owned(),
        (Some(Signing::Exact), _) => "With its sender's credentials and signature, as it came.".to_owned(),
        (Some(Signing::Fresh), Some(key)) => format!("Signed anew with key {key}."),
        (Some(Signing::Fresh), None) => "Signed anew with its endpoint's key.".to_owned(),
    }
}
