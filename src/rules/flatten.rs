//! Flattening: each leaf and each empty container under a path that is a valid template expression
//! (contract section 5).

use super::json::{BodyError, parse};
use crate::model::path::{Segment, push_segment};
use serde_json::Value;

/// Calls `leaf` with path text and value, depth first, in document order. `prefix` is put before
/// each path (`body`); empty for none.
///
/// No two leaves share a path: a key that is no identifier is quoted, so `["a.b"]` is one key and
/// `a.b` are two. A value that is itself a leaf or empty stands under the prefix alone. The value
/// is nested at most as deep as a body may be.
pub fn flatten(prefix: &str, value: &Value, leaf: &mut dyn FnMut(&str, &Value)) {
    walk(&mut prefix.to_owned(), value, leaf);
}

fn walk(path: &mut String, value: &Value, leaf: &mut dyn FnMut(&str, &Value)) {
    let len = path.len();
    match value {
        Value::Array(values) if !values.is_empty() => {
            for (index, value) in values.iter().enumerate() {
                push_segment(path, &Segment::Index(index));
                walk(path, value, leaf);
                path.truncate(len);
            }
        }
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                push_segment(path, &Segment::Key(key.clone()));
                walk(path, value, leaf);
                path.truncate(len);
            }
        }
        _ => leaf(path, value),
    }
}

/// A JSON document (any value) as a flat JSON object on one line: paths without `body.`, values as
/// they were written. What `pointsman flatten` makes of each of its lines.
///
/// The paths of a top-level array begin with `[0]`; a document that is itself a leaf or an empty
/// container stands under the empty path: `7` is `{"":7}`, `[]` is `{"":[]}`.
///
/// # Errors
/// See [`BodyError`].
pub fn flatten_line(document: &str) -> Result<String, BodyError> {
    let value = parse(document.as_bytes())?;
    let mut line = String::with_capacity(document.len() * 2);
    line.push('{');
    flatten("", &value, &mut |path, value| {
        if line.len() > 1 {
            line.push(',');
        }
        line.push_str(&Value::from(path).to_string());
        line.push(':');
        line.push_str(&value.to_string());
    });
    line.push('}');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::path::{self, Path};
    use crate::rules::json::tests::any_value;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn leaves_come_in_document_order_under_paths_that_templates_read() {
        let body = parse(
            br#"{"type":"email","products":[{"name":"Earwax","options":[]},{"a.b":{}}],"total":59.90,
                "a":{"b":1},"1st":null,"":true,"q\"]":"x","\u00e9":2}"#,
        )
        .unwrap();
        let mut found = Vec::new();
        flatten("body", &body, &mut |path, value| found.push(format!("{path} {value}")));
        assert_eq!(
            found,
            [
                r#"body.type "email""#,
                r#"body.products[0].name "Earwax""#,
                "body.products[0].options []",
                r#"body.products[1]["a.b"] {}"#,
                "body.total 59.90",
                "body.a.b 1",
                r#"body["1st"] null"#,
                r#"body[""] true"#,
                r#"body["q\"]"] "x""#,
                r#"body["é"] 2"#,
            ]
        );
    }

    #[test]
    fn a_line_becomes_a_flat_object() {
        for (document, line) in [
            (r#"{"a":{"b":[1,{"c":null}]},"d":[]}"#, r#"{"a.b[0]":1,"a.b[1].c":null,"d":[]}"#),
            (r#"[{"a":1},[2]]"#, r#"{"[0].a":1,"[1][0]":2}"#),
            (r#"{"a.b":1,"a":{"b":2}}"#, r#"{"[\"a.b\"]":1,"a.b":2}"#),
            (r#"{"":{"":0}}"#, r#"{"[\"\"][\"\"]":0}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            ("1.10e400", r#"{"":1.10e400}"#),
            ("[]", r#"{"":[]}"#),
            (r#""x""#, r#"{"":"x"}"#),
        ] {
            assert_eq!(flatten_line(document).unwrap(), line, "{document}");
        }
        assert_eq!(
            flatten_line("{\"a\":}").unwrap_err().to_string(),
            "not JSON: line 1, column 6: a value is expected"
        );
    }

    #[test]
    fn the_deepest_document_is_flattened() {
        let deep = format!("{}1{}", "{\"a\":".repeat(128), "}".repeat(128));
        assert_eq!(flatten_line(&deep).unwrap(), format!("{{\"{}\":1}}", ["a"; 128].join(".")));
        assert_eq!(flatten_line(&format!("[{deep}]")), Err(BodyError::TooDeep));
    }

    proptest! {
        #[test]
        fn no_two_leaves_share_a_path_and_each_path_leads_back(value in any_value()) {
            let mut seen = HashSet::new();
            let mut leaves = Vec::new();
            flatten("body", &value, &mut |path, leaf| leaves.push((path.to_owned(), leaf.clone())));
            for (text, leaf) in leaves {
                let path: Path = text.parse().unwrap();
                prop_assert_eq!(path.to_string(), text.clone());
                prop_assert_eq!(path::walk(&value, path.rest()), Some(&leaf));
                prop_assert!(seen.insert(text));
            }
        }

        #[test]
        fn a_flat_line_is_json_with_as_many_members_as_leaves(value in any_value()) {
            let mut leaves = 0;
            flatten("", &value, &mut |_, _| leaves += 1);
            let line = flatten_line(&value.to_string()).unwrap();
            prop_assert!(!line.contains('\n'));
            let flat = parse(line.as_bytes()).unwrap();
            prop_assert_eq!(flat.as_object().unwrap().len(), leaves);
        }
    }
}
