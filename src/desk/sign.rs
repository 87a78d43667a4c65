//! Tokens for senders, and requests signed as their endpoint asks.

use super::Desk;
use crate::model::ask::keys::{NewToken, Sign, Signed, Token};
use crate::model::ask::{Answer, Refusal, Who};
use crate::model::auth::{Auth, Provider};
use crate::model::credential::{Algorithm, Credential, KeyCheck as _, KeyKind, Secret};
use crate::model::document::Trigger;
use crate::model::time::{DAY, rfc3339};
use crate::model::view::Pair;
use crate::model::{Map, Ms};
use crate::rules::verify::{jwt, signature, standard};
use crate::store::registry::Route;
use crate::vault::keys::{Key, NewKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// How long a token may live.
const LONGEST: Ms = 10 * 366 * DAY;
/// How long the token of `send` lives.
const SENT: Ms = 300_000;

/// Milliseconds since 1970 by the wall clock, which tokens are judged by.
fn now() -> Ms {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ms::try_from(since.as_millis()).unwrap_or(Ms::MAX)
}

impl Desk {
    /// Makes a token.
    pub(super) async fn token(&self, who: &Who, new: NewToken) -> Result<Answer, Refusal> {
        self.usable_key(&new.key)?;
        if !(1_000..=LONGEST).contains(&new.ttl) {
            return Err(Refusal::usage("--ttl must be from 1s to 10 years"));
        }
        let ring = self.deps.vault.ring();
        let key = ring.get(&new.key).ok_or_else(|| Refusal::failed("the key is gone"))?;
        let KeyKind::Jwt(algorithm) = key.kind() else {
            let why = format!("key {} is for {}: tokens are signed by a jwt key", new.key, key.kind().word());
            return Err(Refusal::refused("kind", why));
        };
        let at = now();
        let claims = [("sub", &new.sub), ("iss", &new.iss), ("aud", &new.aud)];
        let claims = claims.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
        let exp = (at + new.ttl) / 1_000;
        let token = issue(key, algorithm, &new.key, at, exp, claims).ok_or_else(|| {
            let name = &new.key;
            let why = format!(
                "key {name} has no private half here: its owner signs, or add it with --private-key F"
            );
            Refusal::refused("only_checks", why)
        })?;
        let expires = rfc3339(exp * 1_000);
        let said = format!("made a token that is good until {expires}");
        self.audit(who, "token", &new.key, new.reason.as_deref(), &said).await?;
        Ok(Answer::Token(Token {
            token: Secret::new(token),
            key: new.key,
            algorithm: algorithm.word().to_owned(),
            expires,
        }))
    }

    /// Signs a request as its endpoint asks.
    pub(super) async fn sign(&self, who: &Who, sign: Sign) -> Result<Answer, Refusal> {
        let body = STANDARD.decode(&sign.body).map_err(|_| Refusal::usage("the body is not base64"))?;
        let routes = self.deps.store.routes();
        let store = &self.deps.store;
        let plan = match routes.by_name.get(&sign.endpoint) {
            Some(Route::Live(plan)) => Some(Arc::clone(plan)),
            // It is listened to while a capture is open on it.
            Some(Route::Draft(flow)) if store.capture_until(*flow).is_some() => store.draft_plan(*flow),
            _ => None,
        };
        let Some(plan) = plan else { return Err(Refusal::not_found("there is no such endpoint")) };
        let Trigger::Webhook(hook) = &plan.flow.trigger else {
            return Err(Refusal::not_found("no request triggers this flow"));
        };
        if hook.auth == Auth::None {
            return Ok(Answer::Signed(Signed { headers: Vec::new(), key: None }));
        }
        let (headers, name) = self
            .signed_by_any(&hook.auth, sign.secret.as_ref(), &body)
            .await?
            .map_err(|why| Refusal::refused("unsigned", format!("send is not possible: {why}")))?;
        let target = format!("{}/{}", plan.integration_name, plan.flow.name);
        self.audit(who, "send", &target, None, &format!("signed with key {name}")).await?;
        Ok(Answer::Signed(Signed { headers, key: Some(name) }))
    }

    /// The headers of a sender who has one of an endpoint's keys, and that key's name; else why none
    /// of them will do.
    pub(super) async fn signed_by_any(
        &self,
        auth: &Auth,
        secret: Option<&Secret>,
        body: &[u8],
    ) -> Result<Result<(Vec<Pair>, String), String>, Refusal> {
        let rows = self.deps.store.credentials().await?;
        let mut why = Vec::new();
        for name in auth.keys() {
            let row = rows.iter().find(|row| row.name == *name);
            match self.signed(auth, name, row, secret, body) {
                Ok(headers) => return Ok(Ok((headers, name.clone()))),
                Err(refused) => why.push(refused),
            }
        }
        Ok(Err(why.join("; ")))
    }

    /// The headers of a sender who has this key.
    fn signed(
        &self,
        auth: &Auth,
        name: &str,
        row: Option<&Credential>,
        secret: Option<&Secret>,
        body: &[u8],
    ) -> Result<Vec<Pair>, String> {
        let kind = match (row, auth) {
            (Some(row), _) if auth.takes(row.kind) => row.kind,
            (Some(row), _) => return Err(format!("key {name} is for {}", row.kind.word())),
            (None, _) if secret.is_none() => {
                return Err(format!("there is no key {name}: add it, or give --secret-file F"));
            }
            (None, Auth::Jwt { .. }) => KeyKind::Jwt(Algorithm::HS256),
            (None, Auth::ApiKey { .. }) => KeyKind::ApiKey,
            (None, Auth::Signature { .. }) => KeyKind::Secret,
            (None, _) => return Err(format!("there is no key {name}, and so no user")),
        };
        if let (KeyKind::ApiKey | KeyKind::Basic, None) = (kind, secret) {
            return Err(format!("of key {name} only a hash is kept: give --secret-file F"));
        }
        match (auth, secret) {
            (Auth::ApiKey { header, .. }, Some(secret)) => {
                return Ok(vec![(header.clone(), secret.reveal().to_owned())]);
            }
            (Auth::Basic { .. }, Some(secret)) => {
                let user = row.and_then(|row| row.user.as_deref()).unwrap_or_default();
                let pair = STANDARD.encode(format!("{user}:{}", secret.reveal()));
                return Ok(vec![("Authorization".to_owned(), format!("Basic {pair}"))]);
            }
            _ => {}
        }
        let loose = secret.map(|secret| self.loose(name, kind, row, secret)).transpose()?;
        let ring = self.deps.vault.ring();
        let key =
            loose.as_ref().or_else(|| ring.get(name)).ok_or_else(|| format!("there is no key {name}"))?;
        if let Some(closed) = key.closed() {
            return Err(format!("key {name} cannot be used: {closed}"));
        }
        let half = || {
            format!("of key {name} only the public half is kept: give --secret-file F with the private one")
        };
        match auth {
            Auth::Jwt { iss, aud, .. } => {
                let KeyKind::Jwt(algorithm) = kind else { return Err(half()) };
                let at = now();
                let claims = [("iss", iss), ("aud", aud)];
                let claims = claims.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
                let token = issue(key, algorithm, name, at, (at + SENT) / 1_000, claims).ok_or_else(half)?;
                Ok(vec![("Authorization".to_owned(), format!("Bearer {token}"))])
            }
            Auth::Signature { provider, .. } => {
                let (id, at) = (message_id()?, now() / 1_000);
                if kind == KeyKind::Ed25519 {
                    return pair_signed(key, provider, &id, at, body).ok_or_else(half);
                }
                let mac = |reading, algorithm, parts: &[&[u8]]| key.mac(reading, algorithm, parts);
                signature::sign(provider, &id, at, body, &mac)
                    .ok_or_else(|| format!("the secret of key {name} is not base64 after whsec_"))
            }
            Auth::None | Auth::ApiKey { .. } | Auth::Basic { .. } => Ok(Vec::new()),
        }
    }

    /// A key made of the secret that is at hand.
    fn loose(
        &self,
        name: &str,
        kind: KeyKind,
        row: Option<&Credential>,
        secret: &Secret,
    ) -> Result<Key, String> {
        let mut new = NewKey {
            name: name.to_owned(),
            kind,
            user: None,
            secret: Some(secret.clone()),
            public: None,
            private: None,
        };
        let pair = match kind {
            KeyKind::Ed25519 => Some(Algorithm::EdDSA),
            KeyKind::Jwt(algorithm) if !algorithm.shared() => Some(algorithm),
            _ => None,
        };
        if let Some(algorithm) = pair {
            let public = row.and_then(|row| row.public.clone()).unwrap_or_default();
            new.kind = KeyKind::Jwt(algorithm);
            new.private = new.secret.take();
            new.public = Some(String::from_utf8_lossy(&public).into_owned());
        }
        self.deps.vault.loose(&new)
    }
}

/// A signed token; `None` for a key that only checks.
fn issue(
    key: &Key,
    algorithm: Algorithm,
    name: &str,
    at: Ms,
    exp: i64,
    more: impl Iterator<Item = (&'static str, String)>,
) -> Option<String> {
    let mut claims: Map = [("iat", json!(at / 1_000)), ("exp", json!(exp))]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    claims.extend(more.map(|(name, value)| (name.to_owned(), Value::from(value))));
    let parts = jwt::draft(algorithm, name, &claims);
    let signature = key.sign(parts.as_bytes())?;
    Some(format!("{parts}.{signature}"))
}

/// The headers of a sender who has the private half (Standard Webhooks, `v1a`).
fn pair_signed(key: &Key, provider: &Provider, id: &str, at: i64, body: &[u8]) -> Option<Vec<Pair>> {
    if *provider != Provider::Standard {
        return None;
    }
    let time = at.to_string();
    let message = [&standard::before(id.as_bytes(), time.as_bytes())[..], body].concat();
    let digest = URL_SAFE_NO_PAD.decode(key.sign(&message)?).ok()?;
    Some(vec![
        ("webhook-id".to_owned(), id.to_owned()),
        ("webhook-timestamp".to_owned(), time),
        ("webhook-signature".to_owned(), format!("v1a,{}", STANDARD.encode(digest))),
    ])
}

/// A new id of a message.
fn message_id() -> Result<String, String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| format!("the system gives no random bits: {error}"))?;
    Ok(format!("msg_{}", URL_SAFE_NO_PAD.encode(random)))
}
