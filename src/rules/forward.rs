//! What leaves where a stored request is sent elsewhere: to which URL, and with which of the headers
//! that it came with.

use crate::model::auth::{Auth, Provider};
use crate::model::headers::Headers;
use url::Url;

/// Headers that belong to the connection on which a request came.
const CONNECTION: [&str; 12] = [
    "host",
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "pointsman-hops",
];

/// Where a request is sent: the URL that was given, then the path after its endpoint, and its query
/// where the URL has none of its own.
///
/// # Errors
/// It is no absolute http(s) URL, or has what must not be in one.
pub fn url(to: &str, path: &str, query: &str) -> Result<String, String> {
    let mut url = Url::parse(to.trim()).map_err(|error| format!("{to:?} is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("{to:?} is no http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL has a name or password in it: it would be shown; take it out".to_owned());
    }
    url.set_fragment(None);
    if !path.is_empty() {
        let joined = format!("{}/{}", url.path().trim_end_matches('/'), path.trim_start_matches('/'));
        url.set_path(&joined);
    }
    if url.query().is_none() && !query.is_empty() {
        url.set_query(Some(query));
    }
    Ok(url.into())
}

/// A URL as lists and the audit trail show it: without its query, which may hold a secret.
#[must_use]
pub fn shown(to: &str) -> String {
    let Ok(mut url) = Url::parse(to.trim()) else { return "?".to_owned() };
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only where there is no host, and then there is no name to take out.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// The headers that are sent: of those that came, all but what belongs to the connection. Without
/// `signed` neither what the sender proved himself with is among them, nor his signature. `expanded`
/// tells that the body is not encoded as it came.
#[must_use]
pub fn headers(came: &Headers, auth: &Auth, signed: bool, expanded: bool) -> Vec<(String, String)> {
    let own = signatures(auth);
    came.texts()
        .filter(|(name, _)| {
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            let proves =
                came.hides(name) || auth.secret_header().is_some_and(is) || own.iter().any(|other| is(other));
            let told = expanded && is("content-encoding");
            let stays = CONNECTION.into_iter().any(is) || told || (proves && !signed);
            !stays
        })
        .collect()
}

/// The headers in which an endpoint's senders sign.
fn signatures(auth: &Auth) -> Vec<&str> {
    let Auth::Signature { provider, .. } = auth else { return Vec::new() };
    match provider {
        Provider::Standard => vec![
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "svix-id",
            "svix-timestamp",
            "svix-signature",
        ],
        Provider::Github => vec!["x-hub-signature-256", "x-hub-signature"],
        Provider::Stripe => vec!["stripe-signature"],
        Provider::Slack => vec!["x-slack-signature", "x-slack-request-timestamp"],
        Provider::Shopify => vec!["x-shopify-hmac-sha256"],
        Provider::Hmac(scheme) => vec![scheme.header.as_str()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came() -> Headers {
        Headers::from_pairs([
            ("Host", "hooks.example"),
            ("Content-Type", "application/json"),
            ("Content-Encoding", "gzip"),
            ("Content-Length", "12"),
            ("Authorization", "Bearer abc"),
            ("X-Hub-Signature-256", "sha256=00"),
            ("X-GitHub-Event", "push"),
            ("Pointsman-Hops", "1"),
        ])
    }

    fn names(auth: &Auth, signed: bool, expanded: bool) -> Vec<String> {
        headers(&came(), auth, signed, expanded).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn neither_credentials_nor_the_signature_leave_unless_it_is_sent_as_it_came() {
        let github = Auth::Signature { keys: Vec::new(), provider: Provider::Github };
        assert_eq!(names(&github, false, true), ["Content-Type", "X-GitHub-Event"]);
        assert_eq!(
            names(&github, true, false),
            ["Content-Type", "Content-Encoding", "Authorization", "X-Hub-Signature-256", "X-GitHub-Event"]
        );
        assert!(names(&Auth::None, false, false).contains(&"X-Hub-Signature-256".to_owned()));
        let key = Auth::ApiKey { keys: Vec::new(), header: "x-github-event".to_owned() };
        assert!(!names(&key, false, false).contains(&"X-GitHub-Event".to_owned()));
    }

    #[test]
    fn the_path_and_the_query_that_came_follow_the_url_that_was_given() {
        let of = |to, path, query| url(to, path, query).unwrap();
        assert_eq!(of("http://127.0.0.1:3000", "", ""), "http://127.0.0.1:3000/");
        assert_eq!(
            of("http://127.0.0.1:3000/hook/", "orders/5", "a=1"),
            "http://127.0.0.1:3000/hook/orders/5?a=1"
        );
        assert_eq!(of("https://a.example/x?own=1#part", "", "a=1"), "https://a.example/x?own=1");
        for wrong in ["", "localhost:3000", "ftp://a.example/", "http://u:p@a.example/", "/hook"] {
            assert!(url(wrong, "", "").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        assert_eq!(shown("https://u:p@a.example/x?token=s3cret#y"), "https://a.example/x");
        assert_eq!(shown("nonsense"), "?");
    }
}
