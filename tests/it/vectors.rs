//! Test data that others wrote: JSON texts that parsers trip over, strings that displays trip
//! over. It is beside the project, not in it.

use crate::common::vectors;
use pointsman::model::FlowId;
use pointsman::model::document::Dedup;
use pointsman::model::headers::Headers;
use pointsman::model::path::{Path, walk};
use pointsman::rules::dedup;
use pointsman::rules::facts::scan;
use pointsman::rules::flatten::{flatten, flatten_line};
use pointsman::rules::json::parse;
use pointsman::text::{Glyphs, clean, clean_as};
use serde_json::json;
use std::collections::HashSet;
use std::fs;

#[test]
fn json_texts_are_accepted_and_refused_as_the_suite_says() {
    let Some(folder) = vectors("json/test_parsing") else { return };
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let body = fs::read(&path).unwrap();
        let facts = scan(&body, &[], &[]);
        match name.as_bytes() {
            [b'y', ..] => assert!(facts.is_ok(), "{name}: {facts:?}"),
            [b'n', ..] => assert!(facts.is_err(), "{name}"),
            _ => {}
        }
        // One grammar for every reader.
        let tree = parse(&body);
        assert_eq!(tree.as_ref().err(), facts.as_ref().err(), "{name}");
        if let Ok(tree) = tree {
            let line = flatten_line(std::str::from_utf8(&body).unwrap()).unwrap();
            assert!(parse(line.as_bytes()).unwrap().is_object(), "{name}");
            assert_eq!(parse(tree.to_string().as_bytes()).as_ref(), Ok(&tree), "{name}");
        }
        seen += 1;
    }
    assert!(seen > 300, "only {seen} files");
}

#[test]
fn naughty_strings_keep_their_value_and_are_shown_safely() {
    let Some(file) = vectors("blns.json") else { return };
    let strings: Vec<String> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert!(strings.len() > 500);
    let hidden = regex::Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]").unwrap();
    let rule = Dedup { fields: vec!["body.v".parse().unwrap()], window: 1, from_first: false };
    let mut keys = HashSet::new();
    let mut distinct = HashSet::new();
    for text in &strings {
        let body = json!({ "v": text, text: { text: [text] } });
        assert_eq!(parse(body.to_string().as_bytes()).as_ref(), Ok(&body));
        let mut paths = HashSet::new();
        flatten("body", &body, &mut |path, leaf| {
            let read: Path = path.parse().unwrap();
            assert_eq!(read.to_string(), path);
            assert_eq!(walk(&body, read.rest()), Some(leaf));
            assert!(paths.insert(path.to_owned()));
        });
        let facts = scan(body.to_string().as_bytes(), &dedup::body_fields(&rule), &[]).unwrap();
        keys.insert(dedup::key(FlowId(1), &rule, &facts, &Headers::default(), "").unwrap().key);
        distinct.insert(text);
        for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
            let shown = clean_as(text, glyphs);
            assert!(!hidden.is_match(&shown), "{shown:?}");
            assert_eq!(clean_as(&shown, glyphs), shown);
        }
        assert_eq!(clean(text).is_empty(), text.is_empty());
    }
    assert_eq!(keys.len(), distinct.len());
}
