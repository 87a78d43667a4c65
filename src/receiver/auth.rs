//! Whether a sender is let in: the keys of the vault asked by the rules, at the wall clock's time.
//! Engine time is not for this: it goes on at its own pace while the machine's clock is wrong.

use super::Deps;
use super::answer::Problem;
use super::proofs::Proofs;
use crate::model::Ms;
use crate::model::auth::Auth;
use crate::model::headers::Headers;
use crate::rules::verify::{self, Denied, Passed};
use std::time::{SystemTime, UNIX_EPOCH};
use warp::http::HeaderValue;

/// Milliseconds since 1970 by the wall clock.
fn now() -> Ms {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ms::try_from(since.as_millis()).unwrap_or(Ms::MAX)
}

/// Judges what headers alone decide; who it is, where that is known.
///
/// # Errors
/// 401.
pub(super) fn head(
    deps: &Deps,
    auth: &Auth,
    headers: &Headers,
    proofs: &Proofs,
) -> Result<Option<String>, Problem> {
    let (ring, now) = (deps.vault.ring(), now());
    let judged = verify::head(auth, headers, &ring.named(auth.keys()), now, &proofs.of(&ring));
    settle(deps, auth, judged, now)
}

/// Judges a signature over the body as it came; who it is, where that is known.
///
/// # Errors
/// 401.
pub(super) fn body(
    deps: &Deps,
    auth: &Auth,
    headers: &Headers,
    body: &[u8],
) -> Result<Option<String>, Problem> {
    let (ring, now) = (deps.vault.ring(), now());
    let judged = verify::body(auth, headers, body, &ring.named(auth.keys()), now);
    settle(deps, auth, judged, now)
}

fn settle(
    deps: &Deps,
    auth: &Auth,
    judged: Result<Option<Passed>, Denied>,
    now: Ms,
) -> Result<Option<String>, Problem> {
    match judged {
        Ok(None) => Ok(None),
        Ok(Some(Passed { key, actor })) => {
            used(deps, &key, now);
            Ok(actor)
        }
        Err(Denied { cause, detail }) => Err(Problem::unauthorized(cause, detail, challenge(auth))),
    }
}

/// Writes down that a key was used, once a minute at most, without anybody waiting for it.
fn used(deps: &Deps, name: &str, now: Ms) {
    let ring = deps.vault.ring();
    if let Some(key) = ring.get(name)
        && key.touch(now)
    {
        let (store, id) = (deps.store.clone(), key.id);
        tokio::spawn(async move {
            let _ = store.touch_credential(id, now).await;
        });
    }
}

/// What the sender is told: the scheme (RFC 9110, section 11.6.1).
fn challenge(auth: &Auth) -> HeaderValue {
    HeaderValue::from_static(match auth {
        Auth::Basic { .. } => "Basic realm=\"pointsman\", charset=\"UTF-8\"",
        Auth::ApiKey { .. } => "ApiKey realm=\"pointsman\"",
        Auth::Signature { .. } => "Signature realm=\"pointsman\"",
        Auth::Jwt { .. } | Auth::None => "Bearer realm=\"pointsman\"",
    })
}
