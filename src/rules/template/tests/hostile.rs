//! What a hostile template or value can do: nothing.

use super::*;
use proptest::prelude::*;

#[test]
fn hostile_syntax_is_refused_before_the_engine_compiles_it() {
    for template in [
        "{{ 'x' * 90000000 }}".to_owned(),
        "{{ ('x' * 1000) * 1000 }}".to_owned(),
        "{{ [1] * 90000000 }}".to_owned(),
        "{{ ('x' ~ 'y') * 90000000 }}".to_owned(),
        format!("{{{{ 1{} }}}}", " + 1".repeat(3_000)),
        format!("{{{{ {}1{} }}}}", "(".repeat(3_000), ")".repeat(3_000)),
        format!("{{{{ {} 1 }}}}", "not ".repeat(3_000)),
        format!("{{{{ a{} }}}}", ".b".repeat(3_000)),
        format!("{{{{ a{} }}}}", "|upper".repeat(2_000)),
        format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(1_000)),
        "{% if 1 %}".repeat(1_000),
        format!("{{{{ 1 }}}}{}", "x".repeat(16 << 10)),
        "{% include 'x' %}".to_owned(),
        "{% extends 'x' %}".to_owned(),
        "{% import 'x' as y %}".to_owned(),
        "{% block a %}{% endblock %}".to_owned(),
        "{{ nofunction() }}".to_owned(),
        "{{ 1 | nofilter }}".to_owned(),
        "{{ 1 is notest }}".to_owned(),
        "{{ 'a'.upper() }}".to_owned(),
        "{{ 1 +".to_owned(),
    ] {
        assert!(Template::new(&template).is_err(), "{}", &template[..60.min(template.len())]);
    }
    assert!(Template::new("{{ '-' * 20 }}").is_ok());
    // What is just within the bounds fits into a small stack.
    for template in [
        format!("{{{{ 1{} }}}}", " + 1".repeat(199)),
        format!("{{{{ {}1{} }}}}", "(".repeat(140), ")".repeat(140)),
        format!("{{{{ run{} }}}}", "|upper".repeat(199)),
        format!("{{{{ run{} }}}}", ".b".repeat(199)),
        format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(198)),
        format!("{}{}", "{% if 1 %}".repeat(100), "{% endif %}".repeat(100)),
        format!("{}{}", "{% for a in [1] %}".repeat(50), "{% endfor %}".repeat(50)),
    ] {
        if let Ok(template) = Template::new(&template) {
            let _ = template.render(&context(json!({})));
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| json!(n)),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?".prop_map(|text| number(&text)),
        any::<String>().prop_map(Value::String),
        "[{}%\"\\\\\r\n|'a-z ]{0,20}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_value_breaks_out_of_json(v in value(), text in any::<String>()) {
        thread_local! {
            static PLAN: Plan = plan(&step("url = \"{{ config.base }}\"\njson = { a = \"{{ request.body.v }}\", b = \"x {{ request.body.t }}\", c = \"{{ request.body.v | default(1) }}\", end = 1 }"));
        }
        let outgoing = PLAN.with(|plan| build(plan, 2, &context(json!({"v": v, "t": text})))).unwrap();
        let sent: Value = serde_json::from_slice(&outgoing.body.unwrap()).unwrap();
        let wanted = json!({"a": v, "b": format!("x {text}"), "c": v, "end": 1});
        prop_assert_eq!(sent.to_string(), wanted.to_string());
    }

    #[test]
    fn no_value_leaves_its_url_segment(text in any::<String>(), hard in "[./\\\\@:?#%&=a-z ]{1,8}") {
        thread_local! {
            static PLAN: Plan = plan(&step("connection = \"api\"\nurl = \"/a/{{ request.body.v }}/b\"\nquery = { q = \"{{ request.body.v }}\" }"));
        }
        for value in [text, hard] {
            let Ok(outgoing) = PLAN.with(|plan| build(plan, 2, &context(json!({"v": value})))) else {
                prop_assert!(value == "." || value == "..");
                continue;
            };
            let url = ::url::Url::parse(&outgoing.url).unwrap();
            prop_assert_eq!(url.origin().ascii_serialization(), "http://api.example");
            prop_assert_eq!(url.path_segments().unwrap().count(), 4);
            prop_assert_eq!(url.query_pairs().collect::<Vec<_>>(), [("q".into(), value.as_str().into())]);
        }
    }

    #[test]
    fn no_template_panics(source in "([{]{2}|[}]{2}|\\{%|%\\}|[a-z ]{1,6}|request\\.body|\\.|\\||'|\"|[()\\[\\]+*~,-]|if|for|in|set|end|macro|\\d|\n|é){0,24}") {
        if let Ok(template) = Template::new(&source) {
            let _ = template.render(&context(json!({"a": 1})));
        }
    }
}
