use super::*;
use crate::model::path::Segment;
use crate::model::path::walk;
use proptest::prelude::*;
use serde_json::json;

const NOW: Ms = 1_795_008_715_120; // 2026-11-18T13:31:55.120Z

/// A row of names and a body.
struct Plain {
    time: Ms,
    names: Vec<(&'static str, &'static str)>,
    body: Value,
}

impl Row for Plain {
    fn time(&self) -> Ms {
        self.time
    }
    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        self.names
            .iter()
            .filter(|(other, _)| *other == name)
            .map(|(_, value)| Cow::Borrowed(*value))
            .collect()
    }
    fn at(&self, path: &Path) -> Vec<Cow<'_, Value>> {
        match path.rest() {
            [head @ .., Segment::Any] => match walk(&self.body, head) {
                Some(Value::Array(values)) => values.iter().map(Cow::Borrowed).collect(),
                _ => Vec::new(),
            },
            rest => walk(&self.body, rest).map(Cow::Borrowed).into_iter().collect(),
        }
    }
    fn mentions(&self, word: &str) -> bool {
        self.names.iter().any(|(_, value)| contains(value, word)) || contains(&self.body.to_string(), word)
    }
}

fn row() -> Plain {
    Plain {
        time: NOW - 60_000,
        names: vec![
            ("id", "019a96f8-0000-7000-8000-0000004be2c1"),
            ("verdict", "duplicate"),
            ("state", "succeeded_with_skips"),
            ("flow", "Sync customers"),
            ("status", "204"),
            ("size", "1126"),
            ("started", "2026-11-18T13:30:55.120Z"),
            ("step.state", "succeeded"),
            ("step.state", "errored"),
            ("marks", "repeated_keys"),
        ],
        body: serde_json::from_str(
            r#"{"total":59.90,"text":"Grüße an ALLE","n":"100","big":9007199254740993,"products":["wax","soap"],"none":null,"ok":true,"date":"2026-11-18","a b":{"c":1},"paren":"f(x)"}"#,
        )
        .unwrap(),
    }
}

fn passes(filter: &str) -> bool {
    let query = Query::parse(filter, NOW).unwrap_or_else(|error| panic!("{filter}: {error} at {}", error.at));
    query.matches(&row())
}

#[test]
fn filters_that_pass() {
    for filter in [
        "",
        "  ",
        "wax",
        "grüße",
        "GRÜSSE or alle",
        "\"an alle\"",
        "-missing",
        "not missing",
        "not not wax",
        "wax soap",
        "wax and soap",
        "WAX AND soap",
        "nothing or wax",
        "(wax or nothing) -nothing",
        "-(a and nothing)",
        "verdict:duplicate",
        "verdict=duplicate",
        "verdict!=accepted",
        "-verdict:accepted",
        "state:with_skips",
        "state:succeeded_with_skips",
        "state~skips",
        "-state:succeeded",
        "flow:\"Sync customers\"",
        "flow:customers",
        "flow:SYNC",
        "flow=\"Sync customers\"",
        "-flow=Sync",
        "flow~^Sync.c",
        "status:20",
        "status>=204",
        "status<205",
        "status=204",
        "size>1000",
        "size=1.126e3",
        "id:4be2c1",
        "id:4BE2C1",
        "id=004be2c1",
        "id:019a96f8-0000-7000-8000-0000004be2c1",
        "id:00-004be2c1",
        "-id:4be2c2",
        "step.state:errored",
        "step.state:succeeded",
        "-step.state:waiting",
        "marks:repeated",
        "since:15m",
        "since:60s",
        "since:2026-11-18",
        "until:1m",
        "until:2026-11-18",
        "since:2026-11-18T13:00:00Z",
        "until:2026-11-18T14:31:55+01:00",
        "since:\"2026-11-18T13:30\"",
        "-since:59s",
        "started>15m",
        "started<30s",
        "started>2026-11-17",
        "started:2026-11-18T13",
        "body.total>59",
        "body.total<59.91",
        "body.total=59.9",
        "body.total=59.90",
        "body.total=5990e-2",
        "body.total!=60",
        "body.n>99",
        "body.n<1e3",
        "body.n=100",
        "body.n!=100.0",
        "body.big>9007199254740992",
        "-body.big=9007199254740992",
        "body.text:grüße and body.text:GRÜßE",
        "body.products[0]=wax",
        "body.products[]:soap",
        "body[\"a b\"].c=1",
        "body['a b'].c=1",
        "body.none=null",
        "body.ok:true",
        "body.missing!=1",
        "-body.missing:1",
        "body.date>2026-11-17",
        "body.date<=2026-11-18",
        "body.products:soap",
        "body.paren:f(x)",
        "(body.paren:f(x))",
        "body.text~(?i)alle$",
        "body.text~\"an .*LLE\"",
        "body.total>-5",
        "59.9",
        "c.meyer@example.com or wax",
    ] {
        assert!(passes(filter), "{filter}");
    }
}

#[test]
fn filters_that_do_not_pass() {
    for filter in [
        "nothing",
        "wax nothing",
        "-wax",
        "not (wax or nothing)",
        "\"wax soap\"",
        "verdict:accepted",
        "verdict!=duplicate",
        "state:succeeded",
        "step.state!=errored",
        "step.state:waiting",
        "flow=customers",
        "flow=\"sync customers\"",
        "flow~^customers",
        "status>204",
        "status<204",
        "size=1127",
        "id:4be2c2",
        "id:be2c14",
        "since:30s",
        "until:61s",
        "until:2026-11-17",
        "since:2026-11-19",
        "body.total>59.9",
        "body.total<59.9",
        "body.total:6",
        "body.n=100.0",
        "body.text>5",
        "body.total>abc",
        "body.products[]=ax",
        "body.products[5]:wax",
        "body.none=\"\"",
        "body.missing>0",
        "body.missing:\"\"",
        "body.big=9007199254740992",
        "started>30s",
        "parent:4be2c1",
    ] {
        assert!(!passes(filter), "{filter}");
    }
}

#[test]
fn an_error_stands_at_its_token_and_says_what_was_meant() {
    for (filter, at, message) in [
        (
            "verdict:duplicate and body.total>>100",
            33,
            "a number or a word is expected after >; did you mean body.total>100 ?",
        ),
        ("verdict:", 8, "a number or a word is expected after :"),
        ("flow: x", 5, "a number or a word is expected after :"),
        ("state:errord", 6, "there is no state errord; did you mean errored?"),
        ("state:duplicate", 6, "there is no state duplicate; there are queued"),
        ("a verdcit:rejected", 2, "there is no field verdcit; did you mean verdict?"),
        ("total>5", 0, "there is no field total; did you mean body.total?"),
        ("x-request-id:5", 0, "did you mean headers[\"x-request-id\"]?"),
        ("http://a.example", 0, "there is no field http"),
        ("body.a[x]:1", 0, "body.a[x] is no path: a number or a quoted key is expected at 7"),
        ("a (b", 2, "this ( is not closed"),
        ("a) b", 1, "this ) closes nothing"),
        ("()", 1, "something is expected before )"),
        ("a and", 2, "something is expected after and"),
        ("a or or b", 5, "something is expected before or"),
        ("and a", 0, "something is expected before and"),
        ("not", 0, "something is expected after not"),
        ("a -", 2, "something is expected right after -"),
        ("é \"b", 2, "this quote is not closed"),
        ("\"b\"c", 3, "a space is expected after the quote"),
        ("\"\"", 0, "a word is expected between the quotes"),
        ("since:soon", 6, "soon is no time: write 15m"),
        ("since>5m", 0, "did you mean since:5m?"),
        ("id:abc", 3, "six digits or more"),
        ("id:notanid", 3, "six digits or more"),
        ("verdict>accepted", 8, "verdict has no order"),
        ("started>never", 8, "never is no time"),
        ("cause~(a", 6, "(a is no regular expression: unclosed group"),
        ("cause~(\\w{100}){100}", 6, "is too large"),
    ] {
        let error = Query::parse(filter, NOW).expect_err(filter);
        assert!(error.message.contains(message), "{filter}: {error}");
        assert_eq!(error.at, at, "{filter}: {error}");
    }
}

#[test]
fn length_and_nesting_are_bounded() {
    assert!(Query::parse(&"a".repeat(4_096), NOW).is_ok());
    assert_eq!(Query::parse(&"a".repeat(4_097), NOW).unwrap_err().at, 4_096);
    let nested = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
    assert!(Query::parse(&nested(64), NOW).is_ok());
    assert_eq!(Query::parse(&nested(65), NOW).unwrap_err().at, 64);
    assert!(Query::parse(&"-".repeat(2_000), NOW).is_err());
    assert!(Query::parse(&format!("{}a", "not ".repeat(65)), NOW).is_err());
}

#[test]
fn the_planner_sees_conjuncts_bounds_and_what_must_be_read() {
    let query = Query::parse("state:errored since:15m since:5m until:1m (a or b)", NOW).unwrap();
    assert_eq!(query.conjuncts().len(), 5);
    assert_eq!(query.bounds(), (Some(NOW - 300_000), Some(NOW - 60_000)));
    assert_eq!(query.wanted("state"), Some("errored"));
    assert_eq!(query.wanted("flow"), None);
    assert!(query.needs_body() && query.needs_steps());
    let read = |filter: &str| {
        let query = Query::parse(filter, NOW).unwrap();
        (query.needs_body(), query.needs_steps())
    };
    assert_eq!(read("state:errored -flow:x"), (false, false));
    assert_eq!(read("flow:x or not headers[\"a\"]:1"), (true, false));
    assert_eq!(read("step.state:errored"), (false, true));
    assert_eq!(read("step.outputs.id=7"), (false, true));
    assert_eq!(Query::parse("since:5m or since:1m", NOW).unwrap().bounds(), (None, None));
    assert!(Query::All.conjuncts().is_empty());
}

#[test]
fn the_names_of_the_views_are_all_known() {
    for name in "id time integration flow endpoint method path verdict status cause dedup_key duplicate_of runs size \
                 actor from test marks request parent version state started ended steps run step deadline created received \
                 step.name step.type step.state step.cause step.started step.ended step.outputs step.attempts"
        .split_whitespace()
    {
        assert!(NAMES.iter().any(|known| known.name == name), "{name}");
    }
    let mut names: Vec<_> = NAMES.iter().map(|name| name.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), NAMES.len());
}

#[test]
fn what_the_rows_never_have_is_an_error_at_its_token() {
    let of = |text: &str, subject| {
        Query::parse_for(text, 0, subject).map(|_| ()).map_err(|error| (error.at, error.message))
    };
    let wrong = |at: usize, message: &str| Err((at, message.to_owned()));
    assert_eq!(
        of("size>1 state:errored", Subject::Requests),
        wrong(7, "requests have no state; runs and callbacks have")
    );
    assert_eq!(of("verdict:accepted", Subject::Runs), wrong(0, "runs have no verdict; requests have"));
    assert_eq!(
        of("step.name:push", Subject::Requests),
        wrong(0, "requests have no step.name; runs and callbacks have")
    );
    assert_eq!(of("step.outputs.id:1", Subject::Requests), wrong(0, "requests have no step; runs have"));
    assert_eq!(
        of("body.a:1", Subject::Callbacks),
        wrong(0, "callbacks have no body; requests and runs have")
    );
    for text in ["body.a:1 verdict:accepted", "run:abcdef since:1h"] {
        assert_eq!(of(text, Subject::Requests), Ok(()), "{text}");
    }
    assert_eq!(of("step.outputs.id:1 body.a:1 state:errored step.name:a", Subject::Runs), Ok(()));
    assert_eq!(of("state:pending overdue:true step:a", Subject::Callbacks), Ok(()));
    assert_eq!(of("who:anna verb:retry since:1d", Subject::Audit), Ok(()));
}

#[test]
fn text_of_a_value_is_what_filters_look_at() {
    assert_eq!(text_of(&json!("a")), "a");
    assert_eq!(text_of(&json!({"a": [null]})), r#"{"a":[null]}"#);
}

fn any_query() -> impl Strategy<Value = Query> {
    let value = prop_oneof![
        "[a-z]{1,4}",
        any::<String>().prop_filter("a value", |text| !text.is_empty()),
        "[-()\" \\\\>=:~]{1,4}"
    ];
    let field = prop_oneof![
        Just("flow".to_owned()),
        Just("size".to_owned()),
        Just("body.a[].b".to_owned()),
        any::<String>().prop_map(|key| format!("body[{}]", Value::from(key))),
    ];
    let op = prop_oneof![
        Just(Op::Has),
        Just(Op::Equals),
        Just(Op::Differs),
        Just(Op::Above),
        Just(Op::AtLeast),
        Just(Op::Below),
        Just(Op::AtMost)
    ];
    let test = (field, op, value.clone(), any::<u16>()).prop_map(|(field, op, value, number)| {
        // A number is compared with numbers alone.
        let value = if field == "size" { number.to_string() } else { value };
        Query::Test(Test::new(Field::read(&field, None).unwrap(), op, &value, NOW).unwrap())
    });
    let leaf = prop_oneof![
        value.prop_map(Query::Word),
        test,
        (0..NOW).prop_map(Query::Since),
        (0..NOW).prop_map(Query::Until),
        Just(Query::parse("started>15m", NOW).unwrap()),
        Just(Query::parse("verdict!=accepted", NOW).unwrap()),
        Just(Query::parse("cause~\"^a (b|c)\"", NOW).unwrap()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Query::all),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Query::any),
            inner.prop_map(|query| Query::Not(Box::new(query))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_shown_reads_back(query in any_query()) {
        let text = query.to_string();
        prop_assume!(text.chars().count() <= 4_096);
        prop_assert_eq!(Query::parse(&text, NOW + 5), Ok(query), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_within_it(text in any::<String>()) {
        if let Err(error) = Query::parse(&text, NOW) {
            prop_assert!(error.at <= text.chars().count());
        }
    }

    #[test]
    fn any_filter_like_text_is_read_or_refused_within_it(text in "[ab()\\-\":=!<>~\\[\\]. ]{0,24}") {
        match Query::parse(&text, NOW) {
            Err(error) => prop_assert!(error.at <= text.chars().count()),
            Ok(query) => { let _ = query.matches(&row()); }
        }
    }
}

#[test]
fn a_number_compared_with_a_word_and_a_broken_path_are_errors_at_their_token() {
    for (text, at) in [
        ("status>abc", 7),
        ("verdict:accepted size=big", 22),
        ("status:x", 7),
        ("body.products[:wax", 13),
        ("a body.products[", 15),
        ("headers[x y]:1", 7),
    ] {
        let error = Query::parse(text, 0).unwrap_err();
        assert_eq!(error.at, at, "{text}: {error}");
    }
    for text in ["status:20", "status~^5", "body.total>abc", "\"body.products[\"", "a[b", "[x"] {
        assert!(Query::parse(text, 0).is_ok(), "{text}");
    }
}
