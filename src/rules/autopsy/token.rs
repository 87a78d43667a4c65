//! A token that was not let in: which of its checks failed, its header and claims, never itself.

use super::sender::Kept;
use super::{Case, Looked, check, pair};
use crate::model::Ms;
use crate::model::auth::Auth;
use crate::model::time::{SECOND, rfc3339};
use crate::rules::explain::sentence;
use crate::rules::verify::jwt::LEEWAY;
use crate::text::age;

/// The checks of a token, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Header,
    Form,
    Algorithm,
    Signature,
    Claims,
    Exp,
    Nbf,
    Iss,
    Aud,
}

impl Stage {
    const ALL: [Self; 9] = [
        Self::Header,
        Self::Form,
        Self::Algorithm,
        Self::Signature,
        Self::Claims,
        Self::Exp,
        Self::Nbf,
        Self::Iss,
        Self::Aud,
    ];

    /// The one that failed, by the cause.
    fn of(cause: &str) -> Self {
        let begins = |word: &str| cause.starts_with(word);
        if begins("exp ") {
            Self::Exp
        } else if begins("nbf ") {
            Self::Nbf
        } else if begins("iss ") {
            Self::Iss
        } else if begins("aud ") {
            Self::Aud
        } else if begins("the claims are ") {
            Self::Claims
        } else if begins("no key matches") {
            Self::Signature
        } else if begins("key `") {
            Self::Algorithm
        } else if begins("the token") {
            Self::Form
        } else {
            Self::Header
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Header => "Authorization: Bearer",
            Self::Form => "a signed token",
            Self::Algorithm => "algorithm",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Exp => "exp",
            Self::Nbf => "nbf",
            Self::Iss => "iss",
            Self::Aud => "aud",
        }
    }
}

/// What a look at a token finds.
pub(super) fn looked(case: &Case<'_>, kept: &Kept) -> Looked {
    let failed = Stage::of(case.cause());
    let (wants_iss, wants_aud) = match case.hook().map(|hook| &hook.auth) {
        Some(Auth::Jwt { iss, aud, .. }) => (iss.is_some(), aud.is_some()),
        _ => (false, false),
    };
    let mut looked = Looked { checks: vec![check(true, "key known")], ..Looked::default() };
    for stage in Stage::ALL.into_iter().filter(|stage| *stage <= failed) {
        let judged = match stage {
            Stage::Nbf => kept.text("nbf").is_some(),
            Stage::Iss => wants_iss,
            Stage::Aud => wants_aud,
            _ => true,
        };
        if judged || stage == failed {
            looked.checks.push(check(stage != failed, stage.word()));
        }
    }
    looked.likely = likely(case, kept, failed);
    looked.evidence.extend(evidence(case, kept, failed));
    looked
}

fn evidence(case: &Case<'_>, kept: &Kept, failed: Stage) -> Vec<(String, String)> {
    let mut evidence = Vec::new();
    let said = |names: &[&str]| -> Vec<String> {
        let told = |name: &&str| {
            let value = kept.text(name)?;
            Some(match seconds(value).filter(|_| matches!(*name, "exp" | "nbf" | "iat")) {
                Some(at) => format!("{name} {} ({})", time(at), beside(at, case.arrived)),
                None => format!("{name} {value}"),
            })
        };
        names.iter().filter_map(told).collect()
    };
    let header = said(&["alg", "kid"]);
    if !header.is_empty() {
        evidence.push(pair("token", format!("{}; itself it is not shown", header.join(" · "))));
    }
    let claims = said(&["exp", "nbf", "iat", "iss", "aud", "sub"]);
    if !claims.is_empty() {
        let proven = if failed <= Stage::Signature { "; nobody vouches for them" } else { "" };
        evidence.push(pair("claims", format!("{}{proven}", claims.join(" · "))));
    }
    let wanted = match case.hook().map(|hook| &hook.auth) {
        Some(Auth::Jwt { iss, aud, .. }) if failed == Stage::Iss => {
            iss.as_ref().map(|iss| format!("iss {iss:?}"))
        }
        Some(Auth::Jwt { aud, .. }) if failed == Stage::Aud => aud.as_ref().map(|aud| format!("aud {aud:?}")),
        _ => None,
    };
    evidence.extend(wanted.map(|wanted| pair("expected", wanted)));
    evidence
}

/// What the claims prove of the sender.
fn likely(case: &Case<'_>, kept: &Kept, failed: Stage) -> String {
    let claim = |name: &str| kept.text(name).and_then(seconds);
    match failed {
        Stage::Nbf => {
            let Some(nbf) = claim("nbf") else { return String::new() };
            // Three digits more than seconds have.
            if (nbf / 1_000 - case.arrived).abs() < 366 * 86_400 * SECOND {
                return "nbf is in milliseconds: tokens count seconds.".to_owned();
            }
            ahead(case, claim("iat"))
        }
        Stage::Exp => ahead(case, claim("iat")),
        Stage::Iss | Stage::Aud => {
            let name = failed.word();
            let wanted = match case.hook().map(|hook| &hook.auth) {
                Some(Auth::Jwt { iss, .. }) if failed == Stage::Iss => iss.as_deref(),
                Some(Auth::Jwt { aud, .. }) => aud.as_deref(),
                _ => None,
            };
            let sent = kept.text(name).and_then(|text| serde_json::from_str::<String>(text).ok());
            match (sent, wanted) {
                (Some(sent), Some(wanted)) if sent.trim_end_matches('/') == wanted.trim_end_matches('/') => {
                    sentence(&format!("{name} differs by the slash at its end alone"))
                }
                (Some(sent), Some(wanted)) if sent.eq_ignore_ascii_case(wanted) => {
                    sentence(&format!("{name} differs by large and small letters alone"))
                }
                _ => String::new(),
            }
        }
        _ => String::new(),
    }
}

/// A token that was made after it came.
fn ahead(case: &Case<'_>, made: Option<Ms>) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "half a minute")]
    let leeway = LEEWAY as Ms * SECOND;
    match made.map(|made| made - case.arrived).filter(|ahead| *ahead > leeway) {
        Some(by) => {
            format!(
                "The sender's clock is {} ahead of ours: it says that it made the token after it came.",
                age(by)
            )
        }
        None => String::new(),
    }
}

/// A time of claims in milliseconds.
fn seconds(text: &str) -> Option<Ms> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && seconds.abs() < 1e14)?;
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let ms = (seconds * 1_000.0) as Ms;
    Some(ms)
}

/// A time in words, to the second.
pub(super) fn time(at: Ms) -> String {
    let text = rfc3339(at);
    match text.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => text,
    }
}

/// `14s before it came`.
fn beside(at: Ms, arrived: Ms) -> String {
    let way = if at <= arrived { "before" } else { "after" };
    format!("{} {way} it came", age((arrived - at).abs()))
}
