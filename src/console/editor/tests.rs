//! A document that is edited, without a desk.

use super::*;
use crate::model::ask::Typed;
use serde_json::json;

const TEXT: &str = r#"name = "acme"

[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
auth = { type = "none" }

[[flow.step]]
name = "push"
type = "request"
url = "http://127.0.0.1:9000/{{ request.body.id }}"
timeout = "10"
"#;

fn view(text: &str) -> EditView {
    EditView {
        name: "acme".to_owned(),
        base: 14,
        source: text.to_owned(),
        latest: 14,
        live: Some(14),
        ..EditView::default()
    }
}

fn editor(text: &str) -> Editor {
    let mut editor =
        Editor::new("acme".to_owned(), Aim::Step("Orders".to_owned(), Ok("push".to_owned())), None);
    editor.install(view(text), 0);
    editor
}

#[test]
fn it_opens_at_the_step_and_every_mistake_stands_under_its_line() {
    let mut editor = editor(TEXT);
    assert_eq!(editor.source.cursor(), (8, 0));
    assert_eq!((editor.errors(), editor.changes), (1, 0));
    editor.fit(20, 74);
    let rows = editor.rows(74);
    let at = rows.iter().position(|row| *row == Row::Line(12)).unwrap();
    let Row::Told(from, text, true) = &rows[at + 1] else { panic!("{rows:?}") };
    assert_eq!(*from, GUTTER + 10);
    assert!(text.starts_with("^ ") && text.contains("unit"), "{text}");
    // Where there is no room its words are wrapped, and never cut away.
    let narrow: Vec<Row> = editor.rows(30);
    let told = narrow.iter().filter(|row| matches!(row, Row::Told(..))).count();
    assert!(told > 1, "{narrow:?}");
}

#[test]
fn from_a_run_it_opens_at_the_end_of_the_url_of_its_step() {
    let open = |step: &str| {
        let mut editor = Editor::new("acme".to_owned(), Aim::Url("Orders".to_owned(), step.to_owned()), None);
        editor.install(view(TEXT), 0);
        editor
    };
    let mut editor = open("push");
    let (line, letter) = editor.source.cursor();
    let text = editor.source.lines()[line].clone();
    assert!(text.starts_with("url = \"") && letter + 1 == text.chars().count(), "{text} {letter}");
    editor.source.take(0, "x");
    assert!(editor.source.lines()[line].ends_with("x\""), "{}", editor.source.lines()[line]);
    // A step that the document has no more: its flow.
    let editor = open("gone");
    assert!(editor.source.lines()[editor.source.cursor().0].contains("[[flow]]"));
}

#[test]
fn the_cursor_is_drawn_whatever_stands_between_the_lines() {
    let mut editor = editor(&format!("{TEXT}{}", "timeot = 1\n".repeat(40)));
    for height in 1..12 {
        for line in [0, 12, 14, 30, 52, 3] {
            editor.source.go(line, 0);
            editor.fit(height, 40);
            let line = editor.source.cursor().0;
            assert!(editor.rows(40).contains(&Row::Line(line)), "line {line} in {height} rows");
        }
    }
}

#[test]
fn another_name_is_a_mistake_since_it_would_be_another_integration() {
    let editor = editor(&TEXT.replace("\"acme\"", "\"other\""));
    assert!(editor.problems[0].message.contains("name stays \"acme\""), "{:?}", editor.problems);
    assert_eq!(editor.problems[0].line, 1);
}

#[test]
fn what_was_typed_comes_back_with_what_undoes_it() {
    let mut first = editor(TEXT);
    first.source.edit(|area| {
        area.insert_str("# mine\n");
    });
    let typed = |unsaved, base| Typed {
        name: "acme".to_owned(),
        base,
        text: first.source.text().to_owned(),
        history: first.source.history.written(),
        unsaved,
        seen: 3,
    };
    let mut again = Editor::new("acme".to_owned(), Aim::Top, None);
    again.install(EditView { typed: Some(typed(true, 14)), latest: 15, ..view(TEXT) }, 0);
    assert_eq!((again.source.text(), again.changes, again.base), (first.source.text(), 1, 14));
    assert!(again.source.undo(false));
    assert_eq!(again.source.text(), TEXT);
    // What was saved gives way to what was saved since, and comes back by undoing.
    let mut later = Editor::new("acme".to_owned(), Aim::Top, None);
    let newer = TEXT.replace("\"10\"", "\"10s\"");
    later.install(EditView { typed: Some(typed(false, 14)), base: 15, latest: 15, ..view(&newer) }, 0);
    assert_eq!((later.source.text(), later.changes, later.keep.seen), (newer.as_str(), 0, 3));
    later.take_back(false);
    assert_eq!(
        (later.source.text(), later.base),
        (first.source.text(), 14),
        "its save finds that v15 is newer"
    );
    later.take_back(true);
    assert_eq!((later.source.text(), later.base), (newer.as_str(), 15));
    later.take_back(false);
    later.take_back(false);
    assert_eq!((later.source.text(), later.base), (TEXT, 14));
}

#[test]
fn the_preview_says_what_the_step_would_send_or_why_not() {
    let mut editor = editor(TEXT);
    assert!(
        editor.told(&crate::console::keymap::Keymap::default()).1.contains("the first is in line 13"),
        "{:?}",
        editor.told(&crate::console::keymap::Keymap::default())
    );
    editor.source.replace(TEXT.replace("\"10\"", "\"10s\""));
    editor.judged(0);
    let view = json!({
        "integration": "acme", "flow": "Orders", "version": 15, "draft": true, "request": "0197a2b4-77c1-7d30-9f11-c2a990d1f03c",
        "verdict": "accepted", "end": "succeeded", "unknown": [], "not_touched": [], "sent": false,
        "steps": [{"name": "push", "type": "request", "runs": true, "asks": [], "left_out": [], "items": [],
                   "request": {"method": "POST", "url": "http://127.0.0.1:9000/7", "headers": [], "body": "{}"}}],
    });
    editor.preview.of = Some("Orders".to_owned());
    editor.preview.view = Some(serde_json::from_value(view).unwrap());
    let (title, told, well) = editor.told(&crate::console::keymap::Keymap::default());
    assert_eq!(
        (title.as_str(), told.as_str(), well),
        ("preview · d1f03c", "POST http://127.0.0.1:9000/7   {}", true)
    );
}
