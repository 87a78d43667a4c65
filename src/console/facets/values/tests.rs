//! Values that are counted part by part, and the filters that come of them.

use super::*;
use serde_json::{Value, json};

/// A request with one body, as a filter sees it.
struct Body(Value);

impl crate::model::query::Row for Body {
    fn time(&self) -> Ms {
        0
    }
    fn named(&self, _: &str) -> Vec<std::borrow::Cow<'_, str>> {
        Vec::new()
    }
    fn at(&self, path: &crate::model::path::Path) -> Vec<std::borrow::Cow<'_, Value>> {
        crate::model::path::walk(&self.0, path.rest()).map(std::borrow::Cow::Borrowed).into_iter().collect()
    }
    fn mentions(&self, _: &str) -> bool {
        false
    }
}

fn value(text: &str, kind: ValueKind, count: u64) -> ValueCount {
    ValueCount { text: text.to_owned(), kind, digest: None, count }
}

fn texts(open: &Counted) -> Vec<(String, u64)> {
    open.rows.iter().map(|row| (shown(row, 40), row.count)).collect()
}

#[test]
fn parts_add_up_and_the_selected_value_stays_selected() {
    let mut open = Counted::new("body.ref".to_owned(), ListId::Requests, String::new());
    let part = |values: Vec<ValueCount>, next: Option<&str>| ValuesView {
        counted: 10,
        looked: 20,
        absent: 1,
        values,
        next: next.map(str::to_owned),
    };
    let next = open
        .install(part(vec![value("a", ValueKind::String, 6), value("b", ValueKind::String, 3)], Some("x")));
    assert_eq!((next.as_deref(), open.running), (Some("x"), true));
    open.at = 1;
    let next =
        open.install(part(vec![value("b", ValueKind::String, 8), value("c", ValueKind::String, 1)], None));
    assert_eq!((next, open.running, open.counted, open.looked), (None, false, 20, 40));
    let expected = [("b", 11), ("a", 6), ("c", 1), ("not there", 2)];
    assert_eq!(texts(&open), expected.map(|(text, count)| (text.to_owned(), count)));
    assert_eq!(open.at, 0, "b is still selected");
}

#[test]
fn what_a_filter_cannot_tell_apart_is_one_row() {
    let mut open = Counted::new("body.n".to_owned(), ListId::Requests, String::new());
    open.install(ValuesView {
        counted: 9,
        values: vec![
            value("5", ValueKind::String, 1),
            value("5", ValueKind::Number, 4),
            value("true", ValueKind::String, 3),
            value("7", ValueKind::String, 1),
        ],
        ..ValuesView::default()
    });
    open.install(ValuesView { values: vec![value("5.0", ValueKind::Number, 2)], ..ValuesView::default() });
    let expected = [("5", 7), ("\"true\"", 3), ("\"7\"", 1)];
    assert_eq!(texts(&open), expected.map(|(text, count)| (text.to_owned(), count)));
}

#[test]
fn counting_ends_at_its_bounds_and_says_so() {
    let mut open = Counted::new("body.id".to_owned(), ListId::Requests, String::new());
    let mut number = 0;
    let mut next = Some("x".to_owned());
    while next.is_some() {
        let values =
            (0..2_000).map(|at| value(&format!("{:06}x", number + at), ValueKind::String, 1)).collect();
        next = open.install(ValuesView {
            counted: 2_000,
            values,
            next: Some("x".to_owned()),
            ..ValuesView::default()
        });
        number += 2_000;
    }
    assert_eq!((open.counted, open.found.len(), open.rows.len()), (MOST, HELD, LISTED));
    assert_eq!(open.beyond, MOST - HELD as u64);
    assert_eq!(open.others, ((HELD - LISTED) as u64, MOST - LISTED as u64));
    assert!(open.stopped.as_deref().is_some_and(|why| why.contains("100,000")));
}

#[test]
fn a_filter_takes_the_value_and_nothing_else_whatever_is_in_it() {
    let hostile = [
        json!("refs/heads/main"),
        json!("a b"),
        json!(""),
        json!("say \"hi\" \\ or not (a)"),
        json!("-x"),
        json!("and"),
        json!("line\nline"),
        json!("\u{1b}[31m\u{202e}evil"),
        json!("a.*b$"),
        json!("ümläut 日本"),
        json!("null"),
        json!("5"),
        json!(null),
        json!(true),
        json!(5),
        json!({"a": "x y"}),
        json!([]),
    ];
    for wanted in &hostile {
        let mut open = Counted::new("body.v".to_owned(), ListId::Requests, String::new());
        let kind = match wanted {
            Value::String(_) => ValueKind::String,
            Value::Number(_) => ValueKind::Number,
            Value::Bool(_) | Value::Null => ValueKind::Literal,
            _ => ValueKind::Json,
        };
        let text = crate::model::query::text_of(wanted).into_owned();
        open.install(ValuesView { counted: 1, values: vec![value(&text, kind, 1)], ..ValuesView::default() });
        let only = open.filtered(true, 0).unwrap();
        let without = open.filtered(false, 0).unwrap();
        assert_eq!(crate::console::edit::Edit::with(&only).text(), only, "it is typed again as it is");
        let (only, without) = (Query::parse(&only, 0).unwrap(), Query::parse(&without, 0).unwrap());
        for other in &hostile {
            let same = crate::model::query::text_of(other) == text;
            let row = Body(json!({ "v": other }));
            assert_eq!(only.matches(&row), same, "{only} on {other}");
            assert_eq!(without.matches(&row), !same, "{without} on {other}");
        }
        let nothing = Body(json!({}));
        assert!(!only.matches(&nothing) && without.matches(&nothing));
    }
}

#[test]
fn requests_without_the_path_are_taken_or_left_too() {
    let mut open = Counted::new("body.v".to_owned(), ListId::Requests, "a or b".to_owned());
    open.install(ValuesView { counted: 1, absent: 1, ..ValuesView::default() });
    assert_eq!(open.filtered(true, 0).unwrap(), "(a or b) and -body.v:\"\"");
    let without = Query::parse("body.v:\"\"", 0).unwrap();
    assert!(!without.matches(&Body(json!({}))));
    for there in [json!(""), json!(null), json!([])] {
        assert!(without.matches(&Body(json!({ "v": there }))));
    }
}

#[test]
fn what_cannot_be_a_filter_says_why() {
    let mut open = Counted::new("body.v".to_owned(), ListId::Requests, String::new());
    assert!(open.filtered(true, 0).unwrap_err().ends_with("there is no value here"));
    let long = ValueCount { digest: Some("d".to_owned()), ..value("x…", ValueKind::String, 3) };
    open.install(ValuesView {
        values: vec![long, value(MASK, ValueKind::String, 1)],
        ..ValuesView::default()
    });
    assert!(open.filtered(true, 0).unwrap_err().contains("over 512 characters"));
    open.at = 1;
    assert!(open.filtered(false, 0).unwrap_err().contains("masked"));
    open.filter = format!("body.x:{}", "y".repeat(3_995));
    open.install(ValuesView { values: vec![value("z", ValueKind::String, 9)], ..ValuesView::default() });
    open.at = 0;
    assert!(open.filtered(true, 0).unwrap_err().contains("over 4,000 characters"));
}

#[test]
fn the_filter_before_stays_in_force() {
    assert_eq!(and("", "a=1", 0), "a=1");
    assert_eq!(and(" since:15m ", "body.a=1", 0), "since:15m and body.a=1");
    assert_eq!(and("x or y", "body.a=1", 0), "(x or y) and body.a=1");
    assert_eq!(and("(x or y) z", "body.a=1", 0), "(x or y) z and body.a=1");
}
