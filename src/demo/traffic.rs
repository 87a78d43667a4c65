//! The senders of the demo: they post the samples, made fresh each time, with duplicates and
//! mistakes among them as real senders make them.

use crate::model::Map;
use serde_json::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A flow that traffic is sent to.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its URL.
    pub url: String,
    /// The method to send with.
    pub method: String,
    /// Headers and body of its samples.
    pub samples: Vec<(Vec<(String, String)>, Value)>,
}

/// One request to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    /// Position of the endpoint.
    pub endpoint: usize,
    /// Of the request.
    pub headers: Vec<(String, String)>,
    /// Of the request.
    pub body: String,
}

/// Keys whose values tell one document from another: what a fresh document has new values of.
const TELLING: &[&str] = &[
    "id",
    "number",
    "order_number",
    "email",
    "customer_email",
    "sku",
    "after",
    "reference",
    "document_id",
    "submission_id",
    "delivery",
];

/// A value with fresh telling leaves, `n` in their place.
fn freshen(key: &str, value: &Value, n: u64) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter().map(|(key, value)| (key.clone(), freshen(key, value, n))).collect::<Map>(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(|item| freshen(key, item, n)).collect()),
        Value::String(text) if TELLING.contains(&key) => Value::String(fresh_text(text, n)),
        Value::Number(_) if TELLING.contains(&key) => Value::from(10_000 + n),
        other => other.clone(),
    }
}

/// A text with its last digits replaced by a running number; an address keeps its host.
fn fresh_text(text: &str, n: u64) -> String {
    if let Some((name, host)) = text.split_once('@') {
        return format!("{}{n}@{host}", name.trim_end_matches(|letter: char| letter.is_ascii_digit()));
    }
    let kept = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    format!("{kept}{}", 10_000 + n)
}

/// The `n`th request: first every sample once, then at random, about one in eight a duplicate of
/// the request before and one in fifteen a mistake. Pure: dice are given.
#[must_use]
pub fn shot(
    endpoints: &[Endpoint],
    n: u64,
    last: Option<&Shot>,
    dice: &mut dyn FnMut() -> f64,
) -> Option<Shot> {
    let all: Vec<(usize, usize)> = endpoints
        .iter()
        .enumerate()
        .flat_map(|(at, endpoint)| (0..endpoint.samples.len()).map(move |sample| (at, sample)))
        .collect();
    let count = all.len();
    if count == 0 {
        return None;
    }
    let opening = usize::try_from(n).unwrap_or(usize::MAX);
    let (duplicate, mistake) = match opening.checked_sub(count) {
        None => (opening % 4 == 3, false),
        Some(0) => (true, false),
        Some(1 | 2) => (false, true),
        Some(_) => (dice() < 0.12, dice() < 0.07),
    };
    if duplicate && let Some(last) = last {
        return Some(last.clone());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "dice are in 0..1")]
    let at = if opening < count { opening } else { (dice() * count as f64) as usize };
    let (endpoint, sample) = all[at.min(count - 1)];
    let (headers, body) = &endpoints[endpoint].samples[sample];
    let mut headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| {
            let tells = ["delivery", "request-id", "event-id"]
                .iter()
                .any(|part| name.to_ascii_lowercase().contains(part));
            (name.clone(), if tells { fresh_text(value, n) } else { value.clone() })
        })
        .collect();
    let mut body = freshen("", body, n).to_string();
    if mistake {
        if n.is_multiple_of(2) {
            body.truncate(body.len() / 2);
            while !body.is_ascii() {
                body.pop();
            }
        } else {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            headers.push(("Content-Type".to_owned(), "text/plain".to_owned()));
        }
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    Some(Shot { endpoint, headers, body })
}

/// Sends until it is stopped: the opening at five a second, then two or so.
///
/// # Errors
/// No client can be made.
pub async fn run(endpoints: Vec<Endpoint>, stop: CancellationToken) -> Result<(), reqwest::Error> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()?;
    let mut last: Option<Shot> = None;
    for n in 0_u64.. {
        let Some(shot) = shot(&endpoints, n, last.as_ref(), &mut fastrand::f64) else { return Ok(()) };
        let endpoint = &endpoints[shot.endpoint];
        let method = reqwest::Method::from_bytes(endpoint.method.as_bytes()).unwrap_or(reqwest::Method::POST);
        let mut request = client.request(method, &endpoint.url).body(shot.body.clone());
        for (name, value) in &shot.headers {
            request = request.header(name, value);
        }
        // Whatever is answered stands in the store; a receiver that is stopping needs no comment.
        let _ = request.send().await;
        last = Some(shot);
        let pause = if n < 20 { 200 } else { 250 + fastrand::u64(0..600) };
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(Duration::from_millis(pause)) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn endpoints() -> Vec<Endpoint> {
        let sample = json!({"order_number": "10438", "total": 59.90, "customer_email": "a@example.com"});
        let headers = vec![("X-Request-ID".to_owned(), "b1a7".to_owned())];
        vec![Endpoint { url: "http://x".into(), method: "POST".into(), samples: vec![(headers, sample)] }]
    }

    #[test]
    fn documents_are_fresh_and_duplicates_are_not() {
        let mut dice = || 0.99;
        let first = shot(&endpoints(), 0, None, &mut dice).unwrap();
        let second = shot(&endpoints(), 1, Some(&first), &mut dice).unwrap();
        assert_eq!(first, second, "after every sample came once, the last is sent again");
        let later = shot(&endpoints(), 9, Some(&first), &mut dice).unwrap();
        assert_ne!(later.body, first.body);
        assert!(later.body.contains("\"10009\"") && later.body.contains("a9@example.com"), "{}", later.body);
    }

    #[test]
    fn mistakes_come_early_and_in_two_kinds() {
        let mut dice = || 0.99;
        let broken = shot(&endpoints(), 2, None, &mut dice).unwrap();
        assert!(serde_json::from_str::<Value>(&broken.body).is_err());
        let plain = shot(&endpoints(), 3, None, &mut dice).unwrap();
        assert!(plain.headers.iter().any(|(_, value)| value == "text/plain"));
        assert_eq!(shot(&[], 0, None, &mut dice), None);
    }
}
