use super::*;
use crate::rules::check::{Known, check};

#[test]
fn a_command_is_read_as_a_shell_reads_it() {
    let told = curl(
        "curl -sS -XPUT 'https://api.example/c/1?x=1' \\\n  -H 'X-Key: a b' -H \"Accept: text/html\" \\\n \
         --data-raw '{\"a\": \"it'\\''s\"}' | jq .",
    )
    .unwrap();
    assert_eq!((told.method.as_str(), told.url.as_str()), ("PUT", "https://api.example/c/1?x=1"));
    assert_eq!(told.headers, [("X-Key".into(), "a b".into()), ("Accept".into(), "text/html".into())]);
    assert_eq!(told.body.as_deref(), Some("{\"a\": \"it's\"}"));
    assert!(told.left_out.is_empty());
    let told =
        curl("$ curl api.example -d a=1 -d b=2 -G -u me:secret -o file $'--url=http://x/\\x41'").unwrap();
    assert_eq!((told.method.as_str(), told.url.as_str()), ("GET", "http://x/A?a=1&b=2"));
    assert_eq!(told.left_out.len(), 1, "where its answer goes is nothing of a step");
    assert!(told.left_out.iter().all(|left| !left.contains("me:secret")));
    for (text, why) in
        [("curl", "no URL"), ("curl 'x", "not closed"), ("wget x", "no curl"), ("curl -X", "no value")]
    {
        assert!(curl(text).unwrap_err().contains(why), "{text}");
    }
    assert!(is_curl(" curl x") && !is_curl("curly x") && !is_curl("name = \"curl \""));
}

#[test]
fn its_step_passes_the_check_and_says_the_same() {
    let text = "curl --json '{\"n\":1.50,\"l\":[],\"o\":{},\"x\":null,\"t\":\"{{ a }}\",\"k k\":[true,\"é\"]}' \
                -H 'Host: x' -H 'X-A: 1' https://api.example/x?y={z}";
    let step = curl(text).unwrap().step("call");
    let document = format!("name = \"a\"\n[[flow]]\nname = \"F\"\n[flow.trigger]\ntype = \"manual\"\n{step}");
    let checked = check(&document, &Known::default());
    let read = checked.integration.unwrap_or_else(|| panic!("{step}\n{:?}", checked.problems));
    assert_eq!(read.flows[0].steps[0].name, "call");
    assert!(step.contains("\"k k\" = [true, \"é\"]") && !step.contains("Host"), "{step}");
    let text =
        curl("curl https://api.example -d 'a=1&b=2' -H 'Content-Type: application/x-www-form-urlencoded'");
    assert!(text.unwrap().step("s").contains("text = \"a=1&b=2\""));
}

#[test]
fn credentials_and_braces_of_a_command_are_told() {
    let tells = |text: &str| curl(text).unwrap().tells().join("; ");
    assert_eq!(tells("curl http://h/ -H 'Accept: */*'"), "");
    assert!(tells("curl http://h/ -H 'authorization: Bearer x'").contains("its authorization stands in"));
    assert!(tells("curl 'http://h/{{ request.id }}'").contains("sent as text"));
    assert!(tells("curl http://h/ -d '{\"a\":\"{{ x }}\"}'").contains("sent as text"));
}

#[test]
fn what_a_command_reads_from_elsewhere_is_what_came() {
    let step = |text: &str| {
        let read = curl(text).unwrap();
        (read.method.clone(), read.step("s"), read.left_out.join("; "), read.tells().join("; "))
    };
    for (text, flag) in [
        ("curl http://h/a -d @-", "-d @-"),
        (
            "curl http://h/a --data-binary @b.json -H 'Content-Type: application/json'",
            "--data-binary @b.json",
        ),
        ("curl --json @b.json http://h/a", "--json @b.json"),
    ] {
        let (method, step, left, tells) = step(text);
        assert_eq!((method.as_str(), left.as_str()), ("POST", ""), "{text}");
        assert!(step.contains("json = \"{{ request.body }}\"") && !step.contains("headers"), "{step}");
        assert_eq!(tells, format!("in place of {flag} it sends all that came"));
    }
    assert_eq!(step("curl -T x.json http://h/a").0, "PUT");
    assert_eq!(step("curl -d @- -X PUT http://h/a").0, "PUT");
    let (method, _, left, _) = step("curl -F a=@x http://h/a");
    assert_eq!((method.as_str(), left.as_str()), ("POST", "-F a=@x"));
    let (_, made, left, tells) = step("curl http://h/a -d @x -d b=1");
    assert!(made.contains("text = \"b=1\""), "{made}");
    assert_eq!((left.as_str(), tells.as_str()), ("-d @x", ""));
    assert_eq!(step("curl -G -d @x http://h/a").2, "-d @x");
}

#[test]
fn values_are_encoded_where_curl_encodes_them_and_its_own_output_is_nothing_of_a_step() {
    let read = curl(
        "curl -G --data-urlencode 'q=a b&c' --data-urlencode '=x/y' --data-urlencode n@f -d z=1 \
                     -o out -w '%{http_code}' --max-time 5 http://h/a",
    );
    let read = read.unwrap();
    assert_eq!((read.method.as_str(), read.url.as_str()), ("GET", "http://h/a?q=a+b%26c&x%2Fy&z=1"));
    assert_eq!(read.left_out, ["--data-urlencode n@f"]);
    assert!(read.step("s").contains("timeout = \"5s\""), "{}", read.step("s"));
    assert_eq!(curl("curl -m 0.5 http://h/a").unwrap().left_out, ["-m 0.5"]);
}
