//! What `tab` offers in a filter, and where it is written.

use super::*;
use crate::console::edit::Edit;
use crate::model::query::Query;
use crate::model::study::FoundField;
use serde_json::json;

fn known() -> Completes {
    let found = |path: &str, present| FoundField {
        path: path.to_owned(),
        sample: json!("x"),
        present,
        ..FoundField::default()
    };
    Completes {
        names: Some(vec![
            ("shop-orders".to_owned(), vec!["Orders".to_owned()]),
            ("acme".to_owned(), vec!["Sync customers".to_owned(), "Push".to_owned()]),
        ]),
        paths: Some((
            String::new(),
            FieldsView {
                requests: 100,
                fields: vec![
                    found("body.note", 3),
                    found("body.total", 98),
                    found("headers[\"x-id\"]", 100),
                    found("method", 100),
                ],
                ..FieldsView::default()
            },
        )),
        asked: true,
    }
}

fn texts(text: &str, list: ListId) -> Vec<String> {
    let choices = complete(text, text.chars().count(), list, &known());
    choices.map_or_else(Vec::new, |choices| choices.all.into_iter().map(|one| one.text).collect())
}

fn taken(text: &str, list: ListId) -> String {
    let choices = complete(text, text.chars().count(), list, &known()).unwrap();
    let mut edit = Edit::with(text);
    edit.replace(choices.from, &choices.all[0].text);
    edit.text()
}

#[test]
fn names_and_paths_of_the_list_are_offered_the_commonest_path_first() {
    let list = ListId::Requests;
    assert_eq!(texts("ver", list), ["verdict:"]);
    assert_eq!(texts("body.", list), ["body.total", "body.note"]);
    assert_eq!(texts("tot", list), ["body.total"], "a word inside of a path");
    assert_eq!(texts("x-", list), ["headers[\"x-id\"]"]);
    let choices = complete("body.t", 6, list, &known()).unwrap();
    assert_eq!((choices.all[0].count, choices.all[0].note.as_str()), (Some((98, 100)), "\"x\""));
    assert!(
        texts("sta", list).contains(&"status".to_owned())
            && !texts("sta", list).contains(&"state:".to_owned())
    );
    assert!(texts("sta", ListId::Runs).contains(&"state:".to_owned()));
    assert!(texts("body.", ListId::Callbacks).is_empty());
    assert!(texts("who", list).is_empty() && texts("zzz", list).is_empty());
}

#[test]
fn words_flows_and_states_stand_after_their_names() {
    assert_eq!(texts("verdict:d", ListId::Requests), ["duplicate "]);
    assert_eq!(texts("state:e", ListId::Runs), ["errored "]);
    assert!(texts("state:e", ListId::Callbacks).contains(&"expired ".to_owned()));
    assert_eq!(texts("flow:s", ListId::Runs), ["\"Sync customers\" "]);
    assert_eq!(texts("flow:\"sync c", ListId::Runs), ["\"Sync customers\" "]);
    assert_eq!(texts("integration!=sh", ListId::Runs), ["shop-orders "]);
    assert!(texts("body.total=", ListId::Requests).is_empty());
}

#[test]
fn what_is_written_takes_the_place_of_the_word_alone() {
    let list = ListId::Requests;
    assert_eq!(taken("since:15m and (-verd", list), "since:15m and (-verdict:");
    assert_eq!(taken("body.a=\"x y\" flow:\"Sync", list), "body.a=\"x y\" flow:\"Sync customers\" ");
    assert_eq!(taken("headers[\"x", list), "headers[\"x-id\"]");
    for text in ["since:15m -verdict:d", "flow:s", "body.t"] {
        let text = taken(text, list);
        assert!(Query::parse(&format!("{text}:1"), 0).is_ok() || Query::parse(&text, 0).is_ok(), "{text}");
    }
}

#[test]
fn the_cursor_may_be_anywhere_and_the_text_anything() {
    for text in ["", "\"", "a[", "\\", "verdict:\"", "é(\u{202e}", "-", "--", "a:=b"] {
        for cursor in 0..=text.chars().count() + 2 {
            for list in [ListId::Requests, ListId::Runs, ListId::Callbacks] {
                let choices = complete(text, cursor, list, &known());
                assert!(choices.is_none_or(|choices| choices.from <= text.chars().count()));
            }
        }
    }
    let choices = complete("ver since:1h", 3, ListId::Requests, &known()).unwrap();
    let mut edit = Edit::with("ver since:1h");
    edit.go_end(false);
    edit.go(3);
    edit.replace(choices.from, &choices.all[0].text);
    assert_eq!(edit.text(), "verdict: since:1h");
}
