//! Samples: files that stand for a request. A JSON body, or
//! `{"$request": {method, path, query, headers, body}}`.

use super::json;
use super::mask::MASK;
use crate::model::headers::{Headers, is_credential};
use crate::model::request::{Marks, Seed};
use crate::model::view::RequestDetail;
use crate::model::{FlowId, Map};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A sample that says more than a body.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sample {
    /// HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The rest of the path after the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Decoded, in order; an array is a name that comes several times.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub query: Map,
    /// By name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The JSON body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

impl Sample {
    /// Names and values of its query, in order.
    ///
    /// # Errors
    /// One is no value, and no array of values.
    pub fn pairs(&self) -> Result<Vec<(&str, Cow<'_, str>)>, String> {
        let mut pairs = Vec::new();
        for (name, value) in &self.query {
            let all = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
            for value in all {
                let text = match value {
                    Value::String(text) => Some(Cow::Borrowed(text.as_str())),
                    Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
                    _ => None,
                };
                let text = text.ok_or_else(|| {
                    format!("$request.query.{name} of the sample is a value or an array of values")
                })?;
                pairs.push((name.as_str(), text));
            }
        }
        Ok(pairs)
    }
}

/// Reads a sample: body bytes as written, or what `$request` says.
///
/// # Errors
/// What is wrong in `$request`.
pub fn read(text: &str) -> Result<(Sample, Vec<u8>), String> {
    if let Ok(Value::Object(mut object)) = json::parse(text.as_bytes())
        && object.len() == 1
        && let Some(mut inner) = object.remove("$request")
    {
        // What is sent is sent to the letter: serde spells numbers anew.
        let body = inner.as_object_mut().and_then(|inner| inner.remove("body"));
        let sample: Sample =
            serde_json::from_value(inner).map_err(|error| format!("$request of the sample: {error}"))?;
        let sample = Sample { body, ..sample };
        let body = sample.body.as_ref().map_or_else(Vec::new, |body| body.to_string().into_bytes());
        return Ok((sample, body));
    }
    Ok((Sample::default(), text.as_bytes().to_vec()))
}

/// What a run begins with that is started with a sample: a request that came without HTTP. A body
/// without a type is JSON; a sample without a method has the flow's first.
///
/// # Errors
/// As [`Sample::pairs`].
pub fn seed(
    sample: &Sample,
    body: Vec<u8>,
    flow: FlowId,
    version: u32,
    method: &str,
) -> Result<Seed, String> {
    let typed = sample.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
    let json = (!typed && !body.is_empty()).then_some(("content-type", "application/json"));
    let own = sample.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(sample.pairs()?).finish();
    Ok(Seed {
        flow,
        version,
        marks: Marks::MANUAL,
        method: sample.method.clone().unwrap_or_else(|| method.to_owned()),
        path: sample.path.as_deref().unwrap_or_default().trim_start_matches('/').to_owned(),
        query,
        headers: Headers::from_pairs(json.into_iter().chain(own)),
        body: body.into(),
        peer: None,
        actor: None,
        hops: 0,
    })
}

/// A stored request as a sample: without its sender's credentials and signatures, which a new one is
/// given when it is sent, and without headers that tell how it came over the wire. What is masked
/// stays masked.
///
/// # Errors
/// Its body was cut, or is no JSON.
pub fn of(detail: &RequestDetail) -> Result<String, String> {
    if detail.request.is_cut() {
        return Err("only the beginning of its body was kept".to_owned());
    }
    if detail.body.is_null() && detail.request.size > 0 && detail.request.size != 4 {
        return Err("its body is not JSON".to_owned());
    }
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in detail.headers.iter().filter(|(name, value)| is_told(name, value)) {
        let name = name.to_ascii_lowercase();
        match headers.get_mut(&name) {
            Some(joined) => {
                joined.push_str(", ");
                joined.push_str(value);
            }
            None => drop(headers.insert(name, value.clone())),
        }
    }
    let query = detail.query.iter().map(|(name, value)| (name.clone(), value.clone()));
    let masked = |value: &Value| value.to_string().contains(MASK);
    let sample = Sample {
        method: Some(detail.request.method.clone()).filter(|method| !method.is_empty()),
        path: Some(detail.request.path.clone()).filter(|path| !path.is_empty()),
        query: query.filter(|(_, value)| !masked(value)).collect(),
        headers,
        body: (detail.request.size > 0).then(|| detail.body.clone()),
    };
    let whole = BTreeMap::from([("$request", sample)]);
    serde_json::to_string_pretty(&whole).map(|text| text + "\n").map_err(|error| error.to_string())
}

/// Whether a header is part of a sample.
fn is_told(name: &str, value: &str) -> bool {
    const WIRE: [&str; 12] = [
        "host",
        "connection",
        "keep-alive",
        "content-length",
        "content-encoding",
        "transfer-encoding",
        "accept-encoding",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "pointsman-hops",
    ];
    const SIGNED: [&str; 12] = [
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "svix-id",
        "svix-timestamp",
        "svix-signature",
        "x-hub-signature",
        "x-hub-signature-256",
        "stripe-signature",
        "x-slack-signature",
        "x-slack-request-timestamp",
        "x-shopify-hmac-sha256",
    ];
    let is = |names: &[&str]| names.iter().any(|other| name.eq_ignore_ascii_case(other));
    !is(&WIRE) && !is(&SIGNED) && !is_credential(name) && !value.contains(MASK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::Verdict;
    use crate::model::view::RequestView;
    use serde_json::json;

    #[test]
    fn a_sample_is_a_body_or_a_whole_request() {
        let (_, body) = read(r#"{"a":1.0}"#).unwrap();
        assert_eq!(body, br#"{"a":1.0}"#);
        let (sample, body) =
            read(r#"{"$request":{"method":"PUT","headers":{"X-A":"1"},"body":{"b":2.50,"c":1e5}}}"#).unwrap();
        assert_eq!((sample.method.as_deref(), sample.headers.len()), (Some("PUT"), 1));
        assert_eq!(body, br#"{"b":2.50,"c":1e5}"#);
        assert!(read(r#"{"$request":{"metod":"PUT"}}"#).is_err());
        assert_eq!(read("not json").unwrap().1, b"not json");
    }

    #[test]
    fn a_stored_request_becomes_a_sample_without_what_was_its_senders_own() {
        let request = RequestView {
            id: String::new(),
            time: String::new(),
            integration: String::new(),
            flow: String::new(),
            endpoint: String::new(),
            method: "PUT".into(),
            path: "eu/1".into(),
            verdict: Verdict::Accepted,
            status: None,
            cause: None,
            dedup_key: None,
            duplicate_of: None,
            runs: Vec::new(),
            size: 10,
            actor: None,
            from: None,
            test: false,
            marks: Vec::new(),
            what: String::new(),
            delivery: None,
            pinned: crate::model::study::Pinned::new(),
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut detail = RequestDetail {
            request,
            headers: vec![
                pair("Host", "h"),
                pair("Authorization", "Bearer ••• 1a2b3c"),
                pair("X-Shop-Key", "••• 1a2b3c"),
                pair("X-Hub-Signature-256", "sha256=00"),
                pair("X-A", "1"),
                pair("x-a", "2"),
                pair("Content-Type", "application/json"),
            ],
            query: json!({"page": "2", "token": "•••", "x": ["1", "2"]}).as_object().unwrap().clone(),
            body: serde_json::from_str(r#"{"total":19.90}"#).unwrap(),
            flat: Map::new(),
            target: None,
            raw: String::new(),
            answer: None,
            version: None,
            parent: None,
            began: Vec::new(),
        };
        let (sample, body) = read(&of(&detail).unwrap()).unwrap();
        assert_eq!(body, br#"{"total":19.90}"#);
        let headers: Vec<(&str, &str)> =
            sample.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(headers, [("content-type", "application/json"), ("x-a", "1, 2")]);
        assert_eq!(sample.query, *json!({"page": "2", "x": ["1", "2"]}).as_object().unwrap());
        assert_eq!((sample.method.as_deref(), sample.path.as_deref()), (Some("PUT"), Some("eu/1")));
        detail.request.marks.push("body_cut".into());
        assert!(of(&detail).is_err());
    }

    #[test]
    fn a_name_of_a_query_may_come_several_times() {
        let text = r#"{"$request":{"query":{"x":["1&y","2"],"a":"b","n":1.50,"none":[]}}}"#;
        let (sample, _) = read(text).unwrap();
        let pairs = sample.pairs().unwrap();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, &**value)).collect();
        assert_eq!(pairs, [("x", "1&y"), ("x", "2"), ("a", "b"), ("n", "1.50")]);
        for wrong in [r#"{"x":null}"#, r#"{"x":[["1"]]}"#, r#"{"x":{"y":1}}"#] {
            let query: Map = serde_json::from_str(wrong).unwrap();
            assert!(Sample { query, ..Sample::default() }.pairs().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_run_of_a_sample_begins_with_json_unless_it_says_otherwise() {
        let (sample, body) = read(r#"{"$request":{"path":"/a","query":{"q":"ä b"},"body":1}}"#).unwrap();
        let made = seed(&sample, body, FlowId(3), 2, "PUT").unwrap();
        assert_eq!(
            (made.method.as_str(), made.path.as_str(), made.query.as_str()),
            ("PUT", "a", "q=%C3%A4+b")
        );
        assert_eq!(made.headers.get("Content-Type").as_deref(), Some("application/json"));
        let empty = seed(&Sample::default(), Vec::new(), FlowId(3), 2, "POST").unwrap();
        assert_eq!(empty.headers.get("content-type"), None);
    }
}
