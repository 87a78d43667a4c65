//! A sender that was not let in: which of the checks of its scheme failed, and what was signed.

use super::{Case, Looked, check, clauses, pair, token};
use crate::model::auth::{Auth, Provider};
use crate::model::view::Pair;
use crate::rules::explain::{sentence, written};
use crate::rules::near::closest;
use crate::rules::verify::signature::{self, Claim, TOLERANCE};
use crate::text::{clean, count};
use serde_json::{Map, Value};

/// Characters of what was signed that are shown of its beginning, and of its end.
const SIGNED: (usize, usize) = (64, 8);

/// Headers that providers sign with, and the word of the provider.
const SIGNERS: [(&str, &str); 6] = [
    ("Stripe-Signature", "stripe"),
    ("X-Hub-Signature-256", "github"),
    ("X-Slack-Signature", "slack"),
    ("X-Shopify-Hmac-Sha256", "shopify"),
    ("webhook-signature", "standard"),
    ("svix-signature", "standard"),
];

/// What was kept of a sender beside the cause.
pub(super) struct Kept(Map<String, Value>);

impl Kept {
    fn of(case: &Case<'_>) -> Self {
        let kept = case.kept.and_then(|text| serde_json::from_str(text).ok());
        Self(if let Some(Value::Object(kept)) = kept { kept } else { Map::new() })
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.get("keys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// Not let in.
pub(super) fn unauthorized(case: &Case<'_>) -> Looked {
    let why = case.cause();
    let kept = Kept::of(case);
    let unusable = why.starts_with("there is no key `")
        || kept.0.is_empty() && why.starts_with("key `") && !why.contains(", the token says ");
    if unusable {
        return Looked { checks: vec![check(false, "a usable key")], ..Looked::default() };
    }
    match (case.hook().map(|hook| &hook.auth), kept.text("scheme")) {
        (_, Some("jwt")) | (Some(Auth::Jwt { .. }), None) => token::looked(case, &kept),
        (Some(Auth::ApiKey { header, .. }), None) => shared(case, header, "key"),
        (Some(Auth::Basic { .. }), None) => shared(case, "Authorization", "user and password"),
        (Some(Auth::Signature { provider, keys }), _) => signed(case, Some(provider), keys.len(), &kept),
        (_, Some(_)) => signed(case, None, kept.keys().len(), &kept),
        (Some(Auth::None) | None, None) => Looked::default(),
    }
}

/// `✓ key known`, `✓ 2 keys known`.
fn known(keys: usize) -> String {
    check(true, &if keys > 1 { format!("{keys} keys known") } else { "key known".to_owned() })
}

/// A shared text in a header: an API key, a user and a password.
fn shared(case: &Case<'_>, header: &str, what: &str) -> Looked {
    let keys = case.hook().map_or(1, |hook| hook.auth.keys().len());
    let mut looked = Looked { checks: vec![known(keys)], ..Looked::default() };
    let matched = case.cause() == "no key matches";
    // What stands in place of it: a scheme and a fingerprint.
    let received = case.seed.headers.get(header);
    if matched {
        looked.checks.push(check(true, &format!("{header} present")));
        looked.checks.push(check(false, &format!("{what} of a key")));
    } else {
        looked.checks.push(check(false, case.cause()));
    }
    match received {
        Some(value) if case.seed.headers.hides(header) => {
            looked.evidence.push(pair("received", format!("{header}: {value}")));
        }
        Some(_) => {}
        None => looked.evidence.extend(nearly(case, header)),
    }
    looked
}

/// A header that is called nearly as the one that is missing.
fn nearly(case: &Case<'_>, header: &str) -> Option<Pair> {
    let names: Vec<String> = case.seed.headers.texts().map(|(name, _)| name).collect();
    let near = closest(header, names.iter().map(String::as_str))?;
    (!near.eq_ignore_ascii_case(header))
        .then(|| pair("received", format!("{near} is there, {header} is not")))
}

/// A signature over the body.
fn signed(case: &Case<'_>, provider: Option<&Provider>, keys: usize, kept: &Kept) -> Looked {
    let why = case.cause();
    let mut looked = Looked { checks: vec![known(keys)], ..Looked::default() };
    let claim = provider.and_then(|provider| signature::read(provider, &case.seed.headers).ok());
    if let Some(time) = why.strip_prefix("time is ") {
        looked.checks.push(check(true, "header present"));
        looked.checks.push(check(false, &format!("time {time}")));
        if let Some(at) = claim.as_ref().and_then(|claim| claim.at) {
            looked
                .evidence
                .push(pair("received", format!("signed at {}", token::time(at.saturating_mul(1_000)))));
            let near =
                format!("{} at most off from {}", written(TOLERANCE * 1_000), token::time(case.arrived));
            looked.evidence.push(pair("expected", near));
        }
        return looked;
    }
    let Some(header) = kept.text("header") else {
        looked.checks.push(check(false, clauses(why).0));
        if let Some(provider) = provider {
            other_signer(case, provider, &mut looked);
        }
        return looked;
    };
    looked.checks.push(check(true, "header present"));
    if let Some(age) = kept.number("age") {
        let (span, way) =
            (written(age.unsigned_abs().cast_signed() * 1_000), if age < 0 { "ahead" } else { "old" });
        looked.checks.push(check(true, &format!("time {span} {way} (limit {})", written(TOLERANCE * 1_000))));
    }
    let spelt = !why.starts_with("signature differs");
    looked.checks.push(check(false, if spelt { "spelling" } else { "digest" }));
    let likely = kept.text("likely");
    if let Some(tried) = kept.number("tried").and_then(|tried| u64::try_from(tried).ok()) {
        let fits = if likely.is_some() { "1 fits" } else { "none fits" };
        let plural = if tried == 1 { "slip" } else { "slips" };
        looked.checks.push(format!("· {} usual {plural} tried, {fits}", count(tried)));
    }
    if !spelt {
        let names: Vec<String> = kept.keys().iter().map(|key| format!("`{key}`")).collect();
        let only = if names.len() == 1 { " (the only key)" } else { "" };
        let word = if names.len() == 1 { "key" } else { "any of the keys" };
        looked.what =
            Some(format!("{header} does not match the body with {word} {}{only}.", names.join(", ")));
    } else if let (first, Some(_)) = clauses(why) {
        looked.what = Some(sentence(first));
    }
    if let Some(likely) = likely {
        slipped(likely, provider, &mut looked);
    }
    looked.evidence = evidence(case, claim.as_ref(), kept);
    looked
}

/// The headers are another provider's.
fn other_signer(case: &Case<'_>, provider: &Provider, looked: &mut Looked) {
    let there =
        |(header, word): &&(&str, &str)| *word != provider.word() && case.seed.headers.get(header).is_some();
    if let Some((header, word)) = SIGNERS.iter().find(there) {
        looked.likely = format!(
            "It brings {header}, as `{word}` signs; the trigger's `auth` names the provider `{}`.",
            provider.word()
        );
        looked.advice = Some(
            "Name the provider that signs in the trigger's `auth`, or point the sender at its own flow; then readmit it.",
        );
        looked.evidence.push(pair("received", format!("{header} is there")));
        return;
    }
    let wanted = match provider {
        Provider::Hmac(scheme) => Some(scheme.header.as_str()),
        _ => SIGNERS.iter().find(|(_, word)| *word == provider.word()).map(|(header, _)| *header),
    };
    looked.evidence.extend(
        wanted
            .filter(|wanted| case.seed.headers.get(wanted).is_none())
            .and_then(|wanted| nearly(case, wanted)),
    );
}

/// A slip that was undone, and the signature fitted.
fn slipped(likely: &str, provider: Option<&Provider>, looked: &mut Looked) {
    let (told, advice) = if likely.starts_with("the body") {
        (
            format!("{likely}: something between the sender and here changes the body"),
            "Let it pass the bytes on untouched, or let the sender sign what it sends; then it may send it again.",
        )
    } else if likely.starts_with("the secret") {
        (
            format!("{likely}: the key was added in another form than the sender uses"),
            "Add the secret as the sender uses it with `pointsman key add`, name that key in the trigger's `auth`; then readmit it.",
        )
    } else if matches!(provider, Some(Provider::Hmac(_))) {
        (
            format!("{likely}: the sender spells it otherwise than the trigger's `auth` says"),
            "Write `encoding` and `prefix` so in the trigger's `auth`; then readmit it.",
        )
    } else {
        (
            format!("{likely}: the sender spells it otherwise than its provider does"),
            "Let the sender spell it as its provider does, or take it with the provider `hmac`; then readmit it.",
        )
    };
    looked.likely = sentence(&told);
    let mut letters = looked.likely.chars();
    if let Some(first) = letters.next() {
        looked.likely = first.to_uppercase().chain(letters).collect();
    }
    looked.advice = Some(advice);
}

/// What came, what was expected in its place up to the first digit that differs, what was signed.
fn evidence(case: &Case<'_>, claim: Option<&Claim>, kept: &Kept) -> Vec<Pair> {
    let mut evidence = Vec::new();
    if let Some(received) = kept.text("received") {
        evidence.push(pair("received", received));
    }
    if let (Some(expected), Some(digit)) = (kept.text("expected"), kept.number("digit")) {
        let prefix = claim.map_or("", |claim| claim.prefix.as_str());
        evidence.push(pair(
            "expected",
            format!("{prefix}{expected}   digit {digit} is the first that differs; the rest is not shown"),
        ));
    }
    if let Some(bytes) = kept.number("bytes") {
        let body = String::from_utf8_lossy(&case.seed.body);
        let all = format!("{}{body}", kept.text("signed").unwrap_or_default());
        let bytes = count(bytes.unsigned_abs());
        evidence.push(pair("signed", format!("{}   {bytes} bytes", excerpt(&all))));
    }
    evidence
}

/// Beginning and end of a text; the end tells what a final newline did.
fn excerpt(text: &str) -> String {
    let letters = text.chars().count();
    if letters <= SIGNED.0 + SIGNED.1 {
        return clean(text).into_owned();
    }
    let begin: String = text.chars().take(SIGNED.0).collect();
    let end: String = text.chars().skip(letters - SIGNED.1).collect();
    format!("{}…{}", clean(&begin), clean(&end))
}
