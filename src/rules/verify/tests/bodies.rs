//! The usual slips of senders, told where they are proven.

use super::*;

#[test]
fn the_usual_slips_are_told_where_they_are_proven() {
    let secret = b"whsec_c2VjcmV0IG9mIGEgd2ViaG9vaw==";
    let key = Toy::new(KeyKind::Secret, secret);
    let stripe = |sent: &[u8], came: &[u8]| {
        let headers = signed(&Provider::Stripe, &key, sent, NOW);
        judged(&Provider::Stripe, &key, &headers, came, NOW).unwrap_err().cause
    };
    for (sent, came, told) in [
        (&b"{}"[..], &b"{}\n"[..], "the body matches after removing the final newline"),
        (b"{}", b"{}\r\n", "the body matches after removing the final newline"),
        (b"{}\n", b"{}", "the body matches after adding a final newline"),
        (b"{}\r\n", b"{}", "the body matches after adding a final CR LF"),
        (b"{\n}", b"{\r\n}", "the body matches with LF for each CR LF"),
        (b"{\r\n}", b"{\n}", "the body matches with CR LF for each LF"),
        (
            b"{\"a\":[1,2.50]}",
            b"{ \"a\": [1, 2.50] }",
            "the body matches without white space between its values",
        ),
        (
            b"{\"a\": [1, {\"b\": null}]}",
            b"{\"a\":[1,{\"b\":null}]}",
            "the body matches with a space after each comma and colon",
        ),
        (b"{\n  \"a\": 1\n}", b"{\"a\":1}", "the body matches when indented by two spaces"),
    ] {
        assert_eq!(stripe(sent, came), format!("signature differs; {told}"));
    }
    assert_eq!(stripe(b"{\"a\":1}", b"{\"a\":2}"), "signature differs");
    // The secret was meant otherwise.
    for (provider, right, told) in [
        (Provider::Stripe, &b"secret of a webhook"[..], "the secret matches once it is decoded from base64"),
        (Provider::Standard, &secret[..], "the secret matches as it stands, without decoding it"),
        (
            Provider::Github,
            b"whsec_c2VjcmV0IG9mIGEgd2ViaG9vaw==\n",
            "the secret matches with a newline at its end",
        ),
    ] {
        // Signs with these very bytes.
        let other = Toy::new(KeyKind::Secret, right);
        let headers =
            signature::sign(&provider, "m", NOW, BODY, &|_, _, parts| Some(hmac(&other.secret, parts)));
        let cause = judged(&provider, &key, &headers.unwrap(), BODY, NOW).unwrap_err().cause;
        assert_eq!(cause, format!("signature differs; {told}"));
    }
    // The digest is spelt otherwise.
    let digest = hmac(secret, &[BODY]);
    let hex = spell::write(&digest, Encoding::Hex).to_uppercase();
    let github = |value: &str| {
        let headers = [("x-hub-signature-256".to_owned(), value.to_owned())];
        judged(&Provider::Github, &key, &headers, BODY, NOW).map_err(|denied| denied.cause)
    };
    assert_eq!(github(&format!("sha256={hex}")), Ok(()), "the case of digits is nobody's business");
    let told = "X-Hub-Signature-256 does not begin with sha256=; it matches read as hex with no prefix";
    assert_eq!(github(&hex), Err(told.to_owned()));
    let told = "X-Hub-Signature-256 is not hex; it matches read as base64 with the prefix sha256=";
    assert_eq!(github(&format!("sha256={}", STANDARD.encode(&digest))), Err(told.to_owned()));
    assert_eq!(github("sha256=zz"), Err("X-Hub-Signature-256 is not hex".to_owned()));
}

#[test]
fn the_slips_of_a_body_are_told_of_key_pairs_too() {
    let pair = Toy::new(KeyKind::Ed25519, SECRET);
    let cause = |sent: &[u8], came: &[u8], signatures: usize| {
        let time = NOW.to_string();
        let message = [&standard::before(b"msg_1", time.as_bytes()), sent].concat();
        let digest = hmac(&pair.secret, &[&message]);
        let other = format!("v1a,{} ", STANDARD.encode([7; 64])).repeat(signatures - 1);
        let headers = [
            ("webhook-id".to_owned(), "msg_1".to_owned()),
            ("webhook-timestamp".to_owned(), time),
            ("webhook-signature".to_owned(), format!("{other}v1a,{}", STANDARD.encode(digest))),
        ];
        judged(&Provider::Standard, &pair, &headers, came, NOW).map_err(|denied| denied.cause)
    };
    assert!(cause(b"{}", b"{}", 1).is_ok());
    let told = |what: &str| Err(format!("signature differs; the body matches after {what}"));
    assert_eq!(cause(b"{}", b"{}\n", 1).map(drop), told("removing the final newline"));
    assert_eq!(cause(b"{}\n", b"{}", 2).map(drop), told("adding a final newline"));
    let differs = Err("signature differs".to_owned());
    assert_eq!(cause(b"{}", b"{}\n", 3).map(drop), differs, "so many are not looked through");
    assert_eq!(cause(b"{}", b"[]", 1).map(drop), differs);
}

#[test]
fn slips_are_looked_for_in_what_is_kept_of_a_body() {
    let key = Toy::new(KeyKind::Secret, SECRET);
    let cause = |len: usize| {
        let body = vec![b' '; len - 1];
        let headers = signed(&Provider::Github, &key, &body, NOW);
        judged(&Provider::Github, &key, &headers, &[&body[..], b"\n"].concat(), NOW).unwrap_err().cause
    };
    assert!(cause(slips::MAX_BODY).ends_with("final newline"));
    assert_eq!(cause(slips::MAX_BODY + 1), "signature differs");
}
