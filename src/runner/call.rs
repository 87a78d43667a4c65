//! One call of a step: built, sent, and what of it may be kept and shown.
//!
//! Runs come through here, and so does whoever asks what a step would send, or makes one call by
//! hand: what is shown is what leaves.

use super::http::{Answer, Came, Http};
use crate::model::credential::Secret;
use crate::model::document::RequestStep;
use crate::model::headers::is_credential;
use crate::model::run::{Got, Sent, keep};
use crate::model::view::SentView;
use crate::model::{Map, Ms};
use crate::rules::advance::ExchangeResult;
use crate::rules::json;
use crate::rules::plan::Plan;
use crate::rules::secrets::Secrets;
use crate::rules::template::{self, Context, Outgoing, RenderError};
use crate::vault::Vault;
use crate::vault::mask::mask_callbacks;
use reqwest::header::HeaderName;
use serde_json::Value;
use std::borrow::Cow;
use std::time::Instant;

/// What the engine's own headers are made of.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    /// The run's id as text.
    pub run: &'a str,
    /// `Idempotency-Key`.
    pub key: String,
    /// Its number within the step, from 1.
    pub number: u32,
    /// The arriving request's hops plus one.
    pub hops: u32,
    /// Where the target may answer later; sent by steps with a callback alone.
    pub callback: Option<String>,
}

/// A request that can leave.
#[derive(Debug)]
pub struct Call<'a> {
    plan: &'a Plan,
    at: usize,
    context: &'a Context,
    step: &'a RequestStep,
    outgoing: Outgoing,
    engine: Vec<(HeaderName, String)>,
}

/// What came of a call.
#[derive(Debug)]
pub struct Made {
    /// When it started, by engine time.
    pub started: Ms,
    /// How long it took.
    pub elapsed_ms: i64,
    /// What was sent, masked and capped.
    pub sent: Sent,
    /// Fields left out for want of a value.
    pub left_out: Vec<String>,
    /// What came.
    pub result: ExchangeResult,
}

impl<'a> Call<'a> {
    /// Builds the request of the step at `at`.
    ///
    /// # Errors
    /// As [`template::build`]; a step that sends nothing.
    pub fn build(
        plan: &'a Plan,
        at: usize,
        context: &'a Context,
        attempt: &Attempt<'_>,
    ) -> Result<Self, RenderError> {
        let outgoing = template::build(plan, at, context)?;
        let step = plan.flow.steps.get(at).and_then(|step| step.kind.exchange());
        let step = step.ok_or_else(|| RenderError {
            place: "step".to_owned(),
            message: "it is no step that sends".to_owned(),
        })?;
        let engine = engine_headers(attempt, step);
        Ok(Self { plan, at, context, step, outgoing, engine })
    }

    /// As it leaves, the engine's headers not among its own.
    #[must_use]
    pub fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    /// The same without the values of secret variables.
    #[must_use]
    pub fn masked(&self) -> Cow<'_, Outgoing> {
        template::shown(self.plan, self.at, self.context, &self.outgoing)
    }

    /// As a person is shown it: credentials, secrets and the callback's token masked, the body capped.
    #[must_use]
    pub fn view(&self, vault: &Vault) -> SentView {
        let masked = self.masked();
        let sent = sent(vault, &self.outgoing, &masked, &self.engine);
        let body = masked.body.as_ref().map(|body| keep(body).0);
        SentView { method: sent.method, url: sent.url, headers: sent.headers, body }
    }

    /// The whole of it as it may be compared with another and shown: secrets masked, credentials as
    /// their fingerprints, without the engine's headers.
    #[must_use]
    pub fn comparable(&self, vault: &Vault) -> Outgoing {
        let masked = self.masked();
        let Sent { url, headers, .. } = sent(vault, &self.outgoing, &masked, &[]);
        Outgoing { url, headers, ..masked.into_owned() }
    }

    /// Sends it, and waits for what comes.
    pub async fn make(self, http: &Http, vault: &Vault, started: Ms) -> Made {
        let Self { plan, at, context, step, outgoing, engine } = self;
        let clock = Instant::now();
        let came = http.exchange(&outgoing, &engine, step.timeout, started).await;
        let elapsed_ms = i64::try_from(clock.elapsed().as_millis()).unwrap_or(i64::MAX);
        let shown = template::shown(plan, at, context, &outgoing);
        let result = match came {
            Came::Answer(mut answer) => {
                hide(&context.secrets, &outgoing, &shown, &mut answer);
                answered(plan, at, step, answer)
            }
            Came::Nothing { failure, mut cause } => {
                context.secrets.hide(&mut cause);
                ExchangeResult::Failed { failure, cause }
            }
            Came::Blocked(mut cause) => {
                context.secrets.hide(&mut cause);
                ExchangeResult::Blocked { cause }
            }
        };
        let sent = sent(vault, &outgoing, &shown, &engine);
        Made { started, elapsed_ms, sent, left_out: outgoing.left_out, result }
    }
}

/// The URL at which a callback is answered.
#[must_use]
pub fn callback_url(public_url: &str, token: &str) -> String {
    format!("{}/callback/{token}", public_url.trim_end_matches('/'))
}

/// The headers that every attempt carries.
fn engine_headers(attempt: &Attempt<'_>, step: &RequestStep) -> Vec<(HeaderName, String)> {
    let mut headers = Vec::with_capacity(5);
    headers.push((HeaderName::from_static("idempotency-key"), attempt.key.clone()));
    headers.push((HeaderName::from_static("pointsman-run-id"), attempt.run.to_owned()));
    headers.push((HeaderName::from_static("pointsman-attempt"), attempt.number.to_string()));
    headers.push((HeaderName::from_static("pointsman-hops"), attempt.hops.to_string()));
    if let Some(url) = attempt.callback.as_ref().filter(|_| step.callback) {
        headers.push((HeaderName::from_static("x-response-url"), url.clone()));
    }
    headers
}

/// An answer may repeat what was sent: secrets go out of it before anything is taken from it, so that
/// later steps see the same in this process and, from what is kept, in the next.
fn hide(secrets: &Secrets, outgoing: &Outgoing, shown: &Outgoing, answer: &mut Answer) {
    let hide = |secrets: &Secrets, answer: &mut Answer| {
        if !secrets.is_empty() {
            secrets.hide_all(answer.headers.iter_mut().map(|(_, value)| value));
            answer.body = secrets.hide_bytes(std::mem::take(&mut answer.body));
        }
    };
    hide(secrets, answer);
    // What templates made of them, and the credential as it was sent: a password is another text in it.
    let texts = template::derived(outgoing, shown);
    if !texts.is_empty() {
        let texts: Vec<_> = texts.into_iter().map(|text| (String::new(), Secret::new(text))).collect();
        hide(&Secrets::new(&texts), answer);
    }
}

/// What is kept of an answer, and what its step makes of the whole of it.
fn answered(plan: &Plan, at: usize, step: &RequestStep, answer: Answer) -> ExchangeResult {
    let Answer { status, headers, body, whole, retry_after } = answer;
    let success = step.success.iter().any(|matches| matches.matches(status));
    let outputs = if success && !step.outputs.is_empty() {
        // Of an answer over the bound no part of the body is known to be its value.
        let value = if whole && !body.is_empty() {
            json::parse_answer(&body)
                .ok()
                .or_else(|| std::str::from_utf8(&body).ok().map(|text| Value::String(text.to_owned())))
        } else {
            None
        };
        template::answer_outputs(plan, at, status, &headers, value.as_ref())
    } else {
        Map::new()
    };
    let got = Got::of(status, headers, &body, whole);
    ExchangeResult::Answered { got, outputs, retry_after }
}

/// What is kept of a request: credentials, secrets and callbacks' tokens masked, the body capped.
/// `built` left, `outgoing` is the same without secrets.
fn sent(vault: &Vault, built: &Outgoing, outgoing: &Outgoing, engine: &[(HeaderName, String)]) -> Sent {
    let is_own = |name: &str| built.credential.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name));
    let replaced = |name: &str| engine.iter().any(|(own, _)| own.as_str().eq_ignore_ascii_case(name));
    let mut headers = Vec::with_capacity(outgoing.headers.len() + engine.len());
    for (name, value) in outgoing.headers.iter().filter(|(name, _)| !replaced(name)) {
        // The fingerprint is that of what was sent.
        let real = built.headers.iter().find(|(other, _)| other == name).map_or(value, |(_, value)| value);
        let shown = if is_own(name) || is_credential(name) {
            vault.shown_credential(name, real.as_bytes())
        } else {
            mask_callbacks(value).into_owned()
        };
        headers.push((name.clone(), shown));
    }
    for (name, value) in engine {
        headers.push((name.as_str().to_owned(), mask_callbacks(value).into_owned()));
    }
    let (body, cut) = match &outgoing.body {
        Some(body) if !outgoing.same_body => {
            let (text, cut) = keep(body);
            (Some(text), cut)
        }
        _ => (None, false),
    };
    Sent {
        method: outgoing.method.clone(),
        url: masked_url(&outgoing.url),
        headers,
        body,
        same_body: outgoing.same_body,
        cut,
    }
}

/// A URL as it is kept: without a password, and without a callback's token.
fn masked_url(url: &str) -> String {
    let masked = mask_callbacks(url).into_owned();
    let Some((scheme, rest)) = masked.split_once("://") else { return masked };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some(at) = rest[..end].rfind('@') else { return masked };
    match rest[..at].split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:•••{}", &rest[at..]),
        None => masked,
    }
}

#[cfg(test)]
mod tests {
    use super::masked_url;

    #[test]
    fn a_password_in_a_url_is_not_kept() {
        assert_eq!(masked_url("http://u:p@host/a@b:c"), "http://u:•••@host/a@b:c");
        assert_eq!(masked_url("http://u@host/"), "http://u@host/");
        assert_eq!(masked_url("http://host/x:y@z"), "http://host/x:y@z");
        assert_eq!(masked_url("nothing"), "nothing");
    }
}
