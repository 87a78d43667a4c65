//! Courses of runs that nobody sent anything for.

use super::*;
use crate::model::request::RequestData;
use crate::model::{FlowId, IntegrationId};
use crate::rules::check::{Known as Names, check};
use crate::rules::template::{Outgoing, build};
use serde_json::json;
use std::sync::Arc;

fn plan(steps: &str) -> Plan {
    let text = format!(
        "name = \"shop\"\n[[flow]]\nid = \"o\"\nname = \"O\"\n[flow.trigger]\ntype = \"webhook\"\n\
         auth = {{ type = \"none\" }}\nreply = \"wait\"\n{steps}"
    );
    let checked = check(&text, &Names::default());
    let integration = checked.integration.unwrap_or_else(|| panic!("{:?}", checked.problems));
    Plan::compile(IntegrationId(1), FlowId(1), 1, &integration, 0).unwrap()
}

fn request(name: &str, more: &str) -> String {
    format!(
        "[[flow.step]]\nname = \"{name}\"\ntype = \"request\"\nurl = \"http://h.example/{name}\"\n{more}\n"
    )
}

fn context(body: Value) -> Context {
    let data = RequestData {
        body,
        headers: Vec::new(),
        query: Map::new(),
        method: "POST".into(),
        path: String::new(),
        url: String::new(),
        content_type: "application/json".into(),
        id: "r".into(),
        time: 0,
        from: String::new(),
    };
    Context { request: Some(Arc::new(data)), run: "run".into(), ..Context::default() }
}

fn answer(outputs: &Value, body: Option<Value>, whole: bool) -> Known {
    let outputs = outputs.as_object().cloned();
    let data = StepData { status: Some(200), body, ..done(outputs) };
    Known { data, whole, from: "given" }
}

fn of(plan: &Plan, body: Value, known: &[(&str, Known)]) -> Course<Outgoing> {
    let known = known.iter().map(|(name, known)| ((*name).to_owned(), known.clone())).collect();
    course(plan, &context(body), &known, 1_000, |at, context| build(plan, at, context))
}

fn sent(course: &Course<Outgoing>, name: &str) -> String {
    let step = course.steps.iter().find(|step| step.name == name).unwrap();
    match &step.fate {
        Fate::Sends(outgoing) => {
            String::from_utf8(outgoing.body.clone().unwrap_or_default().to_vec()).unwrap()
        }
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_value_that_nobody_knows_stands_in_its_place_through_set_steps_too() {
    let plan = plan(&format!(
        "{}[[flow.step]]\nname = \"mid\"\ntype = \"set\"\noutputs = {{ text = \"c {{{{ steps.a.outputs.id }}}}\" }}\n{}",
        request("a", "outputs = { id = \"body.id\" }"),
        request(
            "b",
            "json = { t = \"{{ steps.mid.outputs.text }}\", s = \"{{ steps.a.body.deep[0].x }}\", st = \"{{ steps.a.status }}\" }"
        ),
    ));
    let course = of(&plan, json!({}), &[]);
    assert_eq!((course.end, &course.cause), (RunState::Succeeded, &None));
    // A status is a number: nothing can stand for it, so it is left out, and said to be unknown.
    assert_eq!(sent(&course, "b"), r#"{"t":"c <steps.a.outputs.id>","s":"<steps.a.body.deep[0].x>"}"#);
    let asks: Vec<(&str, &str)> =
        course.steps[2].asks.iter().map(|asked| (asked.field.as_str(), asked.path.as_str())).collect();
    assert_eq!(
        asks,
        [
            ("json.t", "steps.a.outputs.id"),
            ("json.s", "steps.a.body.deep[0].x"),
            ("json.st", "steps.a.status")
        ]
    );
    // Known in part: what is not in it is unknown. Known as a whole: it is missing.
    let part = of(&plan, json!({}), &[("a", answer(&json!({"id": 7}), None, false))]);
    assert_eq!(sent(&part, "b"), r#"{"t":"c 7","s":"<steps.a.body.deep[0].x>","st":200}"#);
    let whole = of(&plan, json!({}), &[("a", answer(&json!({}), Some(json!({"id": 8})), true))]);
    assert_eq!(sent(&whole, "b"), r#"{"t":"c 8","st":200}"#);
    let missing = whole.steps[2].asks.iter().find(|asked| asked.field == "json.s").unwrap();
    assert_eq!((&missing.value, missing.from), (&None, Some("given")));
}

#[test]
fn outputs_are_taken_anew_from_a_whole_answer_by_the_plan_that_is_tried() {
    let plan = plan(&format!(
        "{}{}",
        request("a", "outputs = { name = \"body.name\" }"),
        request("b", "json = { n = \"{{ steps.a.outputs.name }}\", i = \"{{ steps.a.outputs.id }}\" }"),
    ));
    // Another version took `id`.
    let known = answer(&json!({"id": 7}), Some(json!({"id": 7, "name": "Anna"})), true);
    assert_eq!(sent(&of(&plan, json!({}), &[("a", known)]), "b"), r#"{"n":"Anna"}"#);
}

#[test]
fn whether_a_step_runs_is_judged_unless_that_hangs_on_what_nobody_knows() {
    let plan = plan(&format!(
        "{}{}{}{}",
        request("a", ""),
        request("small", "when = \"{{ request.body.n < 5 }}\""),
        request("large", "when = \"{{ request.body.n >= 5 }}\""),
        request("hangs", "when = \"{{ steps.a.body.go }}\""),
    ));
    let course = of(&plan, json!({"n": 7}), &[]);
    assert_eq!(course.steps[1].fate, Fate::Passed);
    assert!(matches!(course.steps[2].fate, Fate::Sends(_)) && course.steps[2].judged());
    assert!(matches!(course.steps[3].fate, Fate::Sends(_)) && !course.steps[3].judged());
    let known = [("a", answer(&json!({}), Some(json!({"go": false})), true))];
    let course = of(&plan, json!({"n": 7}), &known);
    assert_eq!((&course.steps[3].fate, course.steps[3].judged()), (&Fate::Passed, true));
}

#[test]
fn a_run_stops_where_a_run_would() {
    let bad = "json = { a = \"{{ error('no stock') }}\" }";
    for (on_error, end, cause, next) in [
        ("stop", RunState::Errored, Some("could not be built: no stock"), false),
        ("abort", RunState::Failed, Some("could not be built: no stock"), false),
        ("continue", RunState::SucceededWithSkips, None, true),
    ] {
        let plan = plan(&format!(
            "{}{}",
            request("a", &format!("{bad}\non_error = \"{on_error}\"")),
            request("b", "")
        ));
        let course = of(&plan, json!({}), &[]);
        assert_eq!((course.end, course.cause.as_deref()), (end, cause), "{on_error}");
        assert!(matches!(course.steps[0].fate, Fate::Unbuilt(_)));
        assert_eq!(matches!(course.steps[1].fate, Fate::Sends(_)), next, "{on_error}");
    }
    let plan = plan(&format!(
        "[[flow.step]]\nname = \"r\"\ntype = \"respond\"\nstatus = 201\ntext = \"ok\"\n\
         [[flow.step]]\nname = \"w\"\ntype = \"delay\"\nfor = \"1s\"\n\
         [[flow.step]]\nname = \"f\"\ntype = \"fail\"\nmessage = \"no {{{{ request.body.x }}}}\"\nwhen = \"{{{{ request.body.x is defined }}}}\"\n{}",
        request("b", "")
    ));
    let failed = of(&plan, json!({"x": 1}), &[]);
    assert_eq!((failed.end, failed.cause.as_deref()), (RunState::Failed, Some("no 1")));
    assert_eq!(failed.steps[1].fate, Fate::Waits(2_000));
    assert_eq!(failed.steps[3].fate, Fate::NotReached);
    assert!(matches!(&failed.steps[0].fate, Fate::Answers(Some(given)) if given.status == 201));
    assert_eq!(of(&plan, json!({}), &[]).end, RunState::Succeeded);
}

#[test]
fn a_step_under_for_each_is_built_for_every_item() {
    let plan = plan(&format!(
        "{}{}",
        request(
            "each",
            "for_each = \"{{ request.body.lines }}\"\nwhen = \"{{ item.qty > 0 }}\"\njson = { sku = \"{{ item.sku }}\" }\n\
             outputs = { id = \"body.id\" }"
        ),
        request("sum", "json = { all = \"{{ steps.each[0].outputs.id }}\" }"),
    ));
    let body = json!({"lines": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": 0}]});
    let course = of(&plan, body.clone(), &[]);
    let Fate::Each(2, items) = &course.steps[0].fate else { panic!("{:?}", course.steps[0]) };
    let ItemFate::Sends(first) = &items[0] else { panic!("{items:?}") };
    assert_eq!(first.body.as_deref(), Some(&br#"{"sku":"a"}"#[..]));
    assert_eq!(items[1], ItemFate::Passed);
    assert_eq!(sent(&course, "sum"), r#"{"all":"<steps.each[0].outputs.id>"}"#);
    let mut known = answer(&json!({}), None, false);
    lay(&mut known.data, &"s[0].outputs.id".parse::<Path>().unwrap().0[1..], json!(7)).unwrap();
    let given = of(&plan, body.clone(), &[("each", known)]);
    assert_eq!(sent(&given, "sum"), r#"{"all":7}"#);
    // Another version sends the second item too.
    let all = fields(&of(&plan, json!({"lines": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": 2}]}), &[]));
    let mut differ = Differ::new(10);
    differ.compare(fields(&course), all);
    let paths: Vec<(&str, &str)> =
        differ.found.iter().map(|found| (found.step.as_str(), found.path.as_str())).collect();
    assert_eq!(
        paths,
        [
            ("each[1]", "method"),
            ("each[1]", "url"),
            ("each[1]", "headers[\"content-type\"]"),
            ("each[1]", "body.sku"),
            ("each[1]", "runs"),
        ]
    );
    let none = of(&plan, json!({}), &[]);
    assert_eq!(none.steps[0].fate, Fate::Each(0, Vec::new()));
    let bad = of(&plan, json!({"lines": 5}), &[]);
    assert_eq!(bad.end, RunState::Errored);
}

#[test]
fn two_courses_differ_in_what_leaves_field_by_field() {
    let one = plan(&format!(
        "{}{}",
        request("a", "json = { n = \"{{ request.body.n }}\", k = 1 }"),
        request("b", "")
    ));
    let other = plan(&format!(
        "{}{}",
        request(
            "a",
            "method = \"PUT\"\njson = { n = \"{{ request.body.n }}\", k = 1.0, more = [1] }\nheaders = { \"X-A\" = \"1\" }"
        ),
        request("b", "when = \"{{ request.body.n > 5 }}\""),
    ));
    let body = json!({"n": 3});
    let mut differ = Differ::new(10);
    differ.compare(fields(&of(&one, body.clone(), &[])), fields(&of(&other, body.clone(), &[])));
    let found: Vec<(&str, &str, &Value, &Value)> = differ
        .found
        .iter()
        .map(|found| (found.step.as_str(), found.path.as_str(), &found.before, &found.after))
        .collect();
    let (post, put, null) = (json!("POST"), json!("PUT"), Value::Null);
    let url = json!("http://h.example/b");
    assert_eq!(
        found,
        [
            ("a", "method", &post, &put),
            ("a", "headers[\"x-a\"]", &null, &json!("1")),
            ("a", "body.more[0]", &null, &json!(1)),
            ("b", "runs", &null, &json!(false)),
            ("b", "method", &post, &null),
            ("b", "url", &url, &null),
        ]
    );
    let mut bounded = Differ::new(2);
    bounded.compare(fields(&of(&one, body.clone(), &[])), fields(&of(&other, body.clone(), &[])));
    assert_eq!((bounded.found.len(), bounded.more), (2, 4));
    let mut same = Differ::new(10);
    same.compare(fields(&of(&one, body.clone(), &[])), fields(&of(&one, body, &[])));
    assert_eq!((same.found.len(), same.more), (0, 0));
}

#[test]
fn values_are_laid_where_they_can_stand() {
    let mut data = done(None);
    let mut put = |path: &str, value: Value| {
        let path: Path = format!("s.{path}").parse().unwrap();
        lay(&mut data, path.rest(), value)
    };
    put("outputs.id", json!(7)).unwrap();
    put("outputs.deep.x[1]", json!("y")).unwrap();
    put("body.items[0].id", json!(null)).unwrap();
    put("headers[\"X-Id\"]", json!(5)).unwrap();
    put("status", json!(201)).unwrap();
    for (path, value) in [
        ("status", json!("x")),
        ("status", json!(9_999)),
        ("state", json!("failed")),
        ("outputs", json!({})),
        ("body.a[100000]", json!(1)),
        ("body[]", json!(1)),
    ] {
        assert!(put(path, value).is_err(), "{path}");
    }
    assert_eq!(data.outputs, json!({"id": 7, "deep": {"x": [null, "y"]}}).as_object().cloned());
    assert_eq!(data.status, Some(201));
    assert_eq!(data.headers, [("x-id".to_owned(), "5".to_owned())]);
    assert_eq!(
        readable("http://h/%3Csteps.a.body%5B0%5D%3E?q=1", ["steps.a.body[0]"]),
        "http://h/<steps.a.body[0]>?q=1"
    );
}
