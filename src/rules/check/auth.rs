//! `auth` of a webhook: who may send.

use super::Known;
use super::fields::{Fields, list, meant};
use super::units::{is_header_name, reserved_header};
use crate::model::auth::{API_KEY, Auth, Encoding, Hmac, Provider};
use crate::model::credential::{KeyKind, MAX_KEYS, MacAlgorithm, is_key_name};

const SCHEMES: &[&str] = &["none", "jwt", "api_key", "basic", "signature"];
const ANYONE: &str = "write auth = { type = \"none\" } to let anyone send";
/// Characters of `iss`, `aud` and `prefix`.
const MOST: usize = 500;

/// Reads `auth`; [`Auth::None`] stands in where it could not be read, and is told.
pub(super) fn read(fields: &Fields<'_>, known: &Known) -> Auth {
    let report = fields.report;
    if !fields.has("auth") {
        report.missing(fields.span.start, format!("{} has no auth: {ANYONE}", fields.what));
    }
    let Some(auth) = fields.table("auth", "auth") else { return Auth::None };
    let Some((scheme, span)) = auth.required_text("type", "type = \"none\"") else { return Auth::None };
    let (read, more): (Auth, &[&str]) = match scheme.as_str() {
        "none" => (Auth::None, &[]),
        "jwt" => {
            let read = Auth::Jwt { keys: keys(&auth), iss: short(&auth, "iss"), aud: short(&auth, "aud") };
            (read, &["keys", "iss", "aud"])
        }
        "api_key" => {
            let header = header(&auth).unwrap_or_else(|| API_KEY.to_owned());
            (Auth::ApiKey { keys: keys(&auth), header }, &["keys", "header"])
        }
        "basic" => (Auth::Basic { keys: keys(&auth) }, &["keys"]),
        "signature" => {
            let (provider, more) = provider(&auth);
            (Auth::Signature { keys: keys(&auth), provider }, more)
        }
        other => {
            let meant = meant(other, SCHEMES);
            let message = format!("auth {other:?} is not possible: {}; {ANYONE}{meant}", list(SCHEMES));
            report.error(span.start, message);
            return Auth::None;
        }
    };
    auth.finish(&[&["type"], more].concat());
    judge_names(&auth, &read, known);
    read
}

fn keys(auth: &Fields<'_>) -> Vec<String> {
    let report = auth.report;
    if !auth.has("keys") {
        report.missing(
            auth.span.start,
            "auth has no keys: write keys = [\"acme\"] and `pointsman key add acme`",
        );
    }
    let Some(written) = auth.texts("keys") else { return Vec::new() };
    if written.is_empty() {
        report.error(auth.key_at("keys"), "keys is empty: nobody could send; write keys = [\"acme\"]");
    }
    if let Some((_, span)) = written.get(MAX_KEYS) {
        let message = format!("auth has {} keys: at most {MAX_KEYS} are possible", written.len());
        report.error(span.start, message);
    }
    let mut all: Vec<String> = Vec::new();
    for (name, span) in written {
        if !is_key_name(&name) {
            let message = format!("key {name:?} is not possible: write 1 to 64 of A-Z, a-z, 0-9 and . _ ~ -");
            report.error(span.start, message);
        } else if all.contains(&name) {
            report.error(span.start, format!("key {name:?} is written twice"));
        }
        all.push(name);
    }
    all
}

/// Warns of names that there is no key of, and of keys that are for something else.
fn judge_names(auth: &Fields<'_>, read: &Auth, known: &Known) {
    let Some(there) = &known.keys else { return };
    for (name, span) in auth.texts("keys").unwrap_or_default() {
        match there.iter().find(|(other, _)| *other == name) {
            _ if !is_key_name(&name) => {}
            None => auth.report.warning(
                span.start,
                format!("there is no key {name:?}: requests are refused until `pointsman key add {name}`"),
            ),
            Some((_, kind)) if !read.takes(*kind) => auth.report.warning(
                span.start,
                format!("key {name:?} is {}: {} takes none of that kind", a(*kind), read.word()),
            ),
            Some(_) => {}
        }
    }
}

/// `a basic key`, `an api-key`.
fn a(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Jwt(_) => "a jwt key",
        KeyKind::ApiKey => "an api-key",
        KeyKind::Basic => "a basic key",
        KeyKind::Secret => "a signature key",
        KeyKind::Ed25519 => "an Ed25519 key",
    }
}

fn short(auth: &Fields<'_>, key: &str) -> Option<String> {
    let (text, span) = auth.text(key)?;
    if text.is_empty() || text.chars().count() > MOST {
        auth.report.error(span.start, format!("{key} is not possible: write 1 to {MOST} characters"));
    }
    Some(text)
}

fn header(auth: &Fields<'_>) -> Option<String> {
    let (name, span) = auth.text("header")?;
    if !is_header_name(&name) {
        auth.report.error(span.start, format!("{name:?} is no name of a header"));
    } else if let Some(why) = reserved_header(&name) {
        auth.report.error(span.start, format!("the header {name:?} cannot carry it: {why}"));
    }
    Some(name)
}

fn provider(auth: &Fields<'_>) -> (Provider, &'static [&'static str]) {
    const PLAIN: &[&str] = &["keys", "provider"];
    let example = "provider = \"standard\"";
    let Some((word, span)) = auth.required_text("provider", example) else {
        // What else is written may be right for the provider that is missing.
        for key in ["header", "algorithm", "encoding", "prefix"] {
            auth.get(key);
        }
        return (Provider::Standard, PLAIN);
    };
    let found = match word.as_str() {
        "standard" => Provider::Standard,
        "github" => Provider::Github,
        "stripe" => Provider::Stripe,
        "slack" => Provider::Slack,
        "shopify" => Provider::Shopify,
        "hmac" => {
            if !auth.has("header") {
                let message = "provider \"hmac\" has no header: write header = \"X-Signature\"";
                auth.report.missing(auth.span.start, message);
            }
            let hmac = Hmac {
                header: header(auth).unwrap_or_default(),
                algorithm: auth.choice("algorithm", &MacAlgorithm::WORDS).unwrap_or(MacAlgorithm::Sha256),
                encoding: auth.choice("encoding", &Encoding::WORDS).unwrap_or(Encoding::Hex),
                prefix: auth
                    .text("prefix")
                    .map(|(prefix, span)| {
                        if prefix.chars().count() > 64 || prefix.chars().any(|c| !(' '..='~').contains(&c)) {
                            let message = "prefix is not possible: write up to 64 printable ASCII characters";
                            auth.report.error(span.start, message);
                        }
                        prefix
                    })
                    .unwrap_or_default(),
            };
            return (
                Provider::Hmac(hmac),
                &["keys", "provider", "header", "algorithm", "encoding", "prefix"],
            );
        }
        other => {
            let all = Provider::WORDS;
            let message = format!("provider {other:?} is not possible: {}{}", list(&all), meant(other, &all));
            auth.report.error(span.start, message);
            Provider::Standard
        }
    };
    (found, PLAIN)
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;
    use crate::model::credential::Algorithm;
    use crate::model::document::{Problem, Trigger};

    fn run(auth: &str) -> (Option<Auth>, Vec<Problem>) {
        let source = format!(
            "name = \"a\"\n[[flow]]\nname = \"F\"\n[flow.trigger]\ntype = \"webhook\"\nauth = {auth}\n"
        );
        let known = Known {
            keys: Some(vec![
                ("acme".into(), KeyKind::Jwt(Algorithm::HS256)),
                ("pw".into(), KeyKind::Basic),
                ("s".into(), KeyKind::Secret),
                ("ed".into(), KeyKind::Ed25519),
                ("api".into(), KeyKind::ApiKey),
            ]),
            ..Known::default()
        };
        let checked = check(&source, &known);
        let auth = checked.integration.map(|mut all| match all.flows.remove(0).trigger {
            Trigger::Webhook(webhook) => webhook.auth,
            _ => panic!("no webhook"),
        });
        (auth, checked.problems)
    }

    #[test]
    fn every_scheme_is_read_with_what_it_leaves_out() {
        let keys = |name: &str| vec![name.to_owned()];
        for (text, wanted) in [
            (r#"{ type = "none" }"#, Auth::None),
            (r#"{ type = "jwt", keys = ["acme"] }"#, Auth::Jwt { keys: keys("acme"), iss: None, aud: None }),
            (
                r#"{ type = "jwt", keys = ["acme"], iss = "i", aud = "a" }"#,
                Auth::Jwt { keys: keys("acme"), iss: Some("i".into()), aud: Some("a".into()) },
            ),
            (
                r#"{ type = "api_key", keys = ["api"] }"#,
                Auth::ApiKey { keys: keys("api"), header: "Api-Key".into() },
            ),
            (
                r#"{ type = "api_key", keys = ["api"], header = "X-Key" }"#,
                Auth::ApiKey { keys: keys("api"), header: "X-Key".into() },
            ),
            (r#"{ type = "basic", keys = ["pw"] }"#, Auth::Basic { keys: keys("pw") }),
            (
                r#"{ type = "signature", provider = "standard", keys = ["ed"] }"#,
                Auth::Signature { keys: keys("ed"), provider: Provider::Standard },
            ),
            (
                r#"{ type = "signature", provider = "hmac", keys = ["s"], header = "X-S" }"#,
                Auth::Signature {
                    keys: keys("s"),
                    provider: Provider::Hmac(Hmac {
                        header: "X-S".into(),
                        algorithm: MacAlgorithm::Sha256,
                        encoding: Encoding::Hex,
                        prefix: String::new(),
                    }),
                },
            ),
        ] {
            let (read, problems) = run(text);
            assert_eq!((read, &problems[..]), (Some(wanted), &[][..]), "{text}");
        }
    }

    #[test]
    fn mistakes_are_told_where_they_stand() {
        for (text, column, said) in [
            (r#"{ type = "jwt" }"#, 8, "auth has no keys"),
            (r#"{ type = "jwt", keys = [] }"#, 24, "keys is empty"),
            (r#"{ type = "jwt", keys = ["acme", "acme"] }"#, 40, "written twice"),
            (r#"{ type = "jwt", keys = ["a b"] }"#, 32, "key \"a b\" is not possible"),
            (r#"{ type = "jwt", keys = ["acme"], header = "X" }"#, 41, "auth has no key \"header\""),
            (r#"{ type = "jwt", keys = ["acme"], iss = "" }"#, 47, "iss is not possible"),
            (r#"{ type = "api_key", keys = ["api"], header = "Host" }"#, 53, "belongs to the connection"),
            (r#"{ type = "basic", key = ["pw"] }"#, 26, "did you mean \"keys\"?"),
            (r#"{ type = "signature", keys = ["s"] }"#, 8, "auth has no provider"),
            (r#"{ type = "signature", keys = ["s"], provider = "strip" }"#, 55, "did you mean \"stripe\"?"),
            (r#"{ type = "signature", keys = ["s"], provider = "hmac" }"#, 8, "has no header"),
            (
                r#"{ type = "signature", keys = ["s"], provider = "hmac", header = "X", algorithm = "md5" }"#,
                89,
                "algorithm \"md5\" is not possible",
            ),
            (
                r#"{ type = "signature", keys = ["s"], provider = "github", header = "X" }"#,
                65,
                "auth has no key \"header\"",
            ),
            (r#"{ type = "jtw", keys = ["acme"] }"#, 17, "did you mean \"jwt\"?"),
        ] {
            let (read, problems) = run(text);
            assert!(read.is_none(), "{text}");
            let found = problems.iter().find(|problem| problem.message.contains(said));
            let found = found.unwrap_or_else(|| panic!("{text}: {problems:?}"));
            assert_eq!((found.line, found.column, found.warning), (6, column, false), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_key_that_is_not_there_or_for_something_else_is_a_warning() {
        for (text, said) in [
            (r#"{ type = "jwt", keys = ["acme", "new"] }"#, "there is no key \"new\""),
            (r#"{ type = "jwt", keys = ["pw"] }"#, "key \"pw\" is a basic key: jwt takes none of that kind"),
            (r#"{ type = "signature", provider = "github", keys = ["ed"] }"#, "is an Ed25519 key"),
        ] {
            let (read, problems) = run(text);
            assert!(read.is_some(), "{problems:?}");
            assert!(problems.len() == 1 && problems[0].warning, "{problems:?}");
            assert!(problems[0].message.contains(said), "{problems:?}");
        }
    }

    #[test]
    fn ten_keys_are_possible_and_eleven_are_not() {
        let list = |n: usize| {
            let names: Vec<String> = (0..n).map(|n| format!("\"k{n}\"")).collect();
            format!("{{ type = \"jwt\", keys = [{}] }}", names.join(", "))
        };
        assert!(run(&list(MAX_KEYS)).0.is_some());
        let (read, problems) = run(&list(MAX_KEYS + 1));
        assert!(read.is_none() && problems.iter().any(|problem| problem.message.contains("at most 10")));
    }
}
