use super::*;
use crate::model::FlowId;
use crate::vault::Vault;
use warp::http::HeaderName;

fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    });
    let mut map = HeaderMap::new();
    pairs.for_each(|(name, value)| {
        map.append(name, value);
    });
    map
}

fn judged(pairs: &[(&'static str, &str)]) -> Result<Content, String> {
    let headers = map(pairs);
    content(&headers, framing(&headers))
        .map_err(|problem| format!("{} {}", problem.status.as_u16(), problem.detail))
}

#[test]
fn an_endpoint_is_the_first_segment_and_the_rest_stays_as_sent() {
    let seen = |path| endpoint(path).map(|(name, rest)| (name.into_owned(), rest.to_owned()));
    let is = |name: &str, rest: &str| Some((name.to_owned(), rest.to_owned()));
    assert_eq!(seen("/in/orders"), is("orders", ""));
    assert_eq!(seen("/in/orders/"), is("orders", ""));
    assert_eq!(seen("/in/orders/a%2Fb//c"), is("orders", "a%2Fb//c"));
    assert_eq!(seen("/in/a%7eb%2"), is("a~b%2", ""));
    assert_eq!(seen("/in/%ff/x"), is("\u{fffd}", "x"));
    assert_eq!(seen("/in/"), None);
    assert_eq!(seen("/in//x"), None);
    assert_eq!(seen("/inn/x"), None);
}

#[test]
fn json_types_are_told_from_others() {
    for kind in
        ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json", "a/b+JSON ;x"]
    {
        assert_eq!(judged(&[("content-type", kind), ("content-length", "2")]), Ok(Content::Json), "{kind}");
    }
    for kind in ["text/plain", "application/jsonp", "+json", "json", "", "text/json"] {
        assert_eq!(
            judged(&[("content-type", kind), ("content-length", "2")]),
            Err(format!("415 Content-Type is {kind}"))
        );
    }
    let twice = [("content-type", "application/json"), ("content-type", "text/plain")];
    assert_eq!(judged(&twice), Err("415 there is more than one Content-Type".into()));
}

#[test]
fn only_a_request_without_type_length_and_chunks_is_an_empty_object() {
    assert_eq!(judged(&[]), Ok(Content::Nothing));
    assert_eq!(judged(&[("content-length", "0")]), Ok(Content::Nothing));
    assert_eq!(judged(&[("content-length", "1")]), Err("415 Content-Type is missing".into()));
    assert_eq!(judged(&[("transfer-encoding", "chunked")]), Ok(Content::Untyped));
    assert_eq!(judged(&[("content-type", "application/json")]), Ok(Content::Json));
}

#[test]
fn an_encoding_is_refused_by_name() {
    let all = |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("content-encoding", value.parse().unwrap());
        }
        encoding(&headers).map_err(|problem| format!("{} {}", problem.status.as_u16(), problem.detail))
    };
    let with = |encoding| all(&[encoding]);
    for none in ["identity", "", " Identity ", ","] {
        assert_eq!(with(none), Ok(false), "{none:?}");
    }
    assert_eq!(all(&[]), Ok(false));
    for gzip in ["gzip", "GZip", " x-gzip ", "X-GZIP", "gzip, identity"] {
        assert_eq!(with(gzip), Ok(true), "{gzip:?}");
    }
    assert_eq!(with("br"), Err("415 Content-Encoding is br".into()));
    assert_eq!(with("gzip, br"), Err("415 Content-Encoding is br".into()));
    assert_eq!(with("gzip, x-gzip"), Err("415 Content-Encoding is x-gzip twice".into()));
    assert_eq!(all(&["gzip", "gzip"]), Err("415 Content-Encoding is gzip twice".into()));
    let long = "x".repeat(5_000);
    assert!(with(&long).unwrap_err().len() < 150);
}

#[test]
fn a_transfer_coding_beside_chunks_is_refused() {
    let with = |codings: &[&'static str]| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        for coding in codings {
            headers.append("transfer-encoding", HeaderValue::from_static(coding));
        }
        content(&headers, framing(&headers)).map_err(|problem| problem.status.as_u16())
    };
    assert_eq!(with(&["Chunked"]), Ok(Content::Json));
    for codings in [&["gzip, chunked"][..], &["gzip", "chunked"], &["deflate,chunked"]] {
        assert_eq!(with(codings), Err(415), "{codings:?}");
    }
}

#[test]
fn a_declared_length_passes_at_its_bound() {
    let at = |len| declared_length(Framing { declared: Some(len), chunked: false }, 10).is_ok();
    assert!(at(10) && !at(11));
    assert!(declared_length(Framing { declared: None, chunked: true }, 0).is_ok());
}

#[test]
fn hops_are_read_with_doubt() {
    let seen = |values: &[&str]| {
        let pairs: Vec<_> = values.iter().map(|value| ("pointsman-hops", *value)).collect();
        hops(&map(&pairs))
    };
    assert_eq!(seen(&[]), 0);
    assert_eq!(seen(&["8"]), 8);
    assert_eq!(seen(&["two", "-3", "+9", ""]), 0);
    assert_eq!(seen(&["1", "2, 9"]), 9);
    assert_eq!(seen(&["99999999999999999999"]), u32::MAX);
}

#[test]
fn credentials_are_not_stored_but_can_be_judged() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    let with_secrets = map(&[
        ("host", "a"),
        ("authorization", "Bearer abc.def"),
        ("cookie", "session=1 2"),
        ("x-a", "1"),
        ("x-a", "2"),
    ]);
    let judged = headers(&with_secrets);
    let stored = vault.guarded(FlowId(1), &judged, None);
    assert_eq!(judged.get("authorization").as_deref(), Some("Bearer abc.def"));
    assert!(stored.get("authorization").unwrap().starts_with("Bearer ••• "));
    let text = String::from_utf8_lossy(stored.blob()).into_owned();
    assert!(!text.contains("abc") && !text.contains("session"), "{text}");
    assert_eq!(stored.get("x-a").as_deref(), Some("1, 2"));
    let judged = headers(&map(&[("host", "a"), ("x-a", "")]));
    let stored = vault.guarded(FlowId(1), &judged, None);
    assert_eq!(judged, stored);
    assert_eq!(&stored.blob()[..], b"host: a\nx-a: \n");
}

mod properties {
    use super::super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_path_breaks_the_split(path in "\\PC{0,40}") {
            if let Some((_, rest)) = endpoint(&path) {
                prop_assert!(path.ends_with(rest));
            }
        }

        #[test]
        fn no_header_breaks_hops_or_type(value in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let mut headers = HeaderMap::new();
                headers.insert("pointsman-hops", value.clone());
                headers.insert(CONTENT_TYPE, value);
                hops(&headers);
                let _ = content(&headers, framing(&headers));
            }
        }
    }
}
