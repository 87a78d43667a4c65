//! A value in a few cells: what a column and a list of values show of it.

use serde_json::Value;

/// A value in at most so many characters: a text as it is, in quotes where it would read as something
/// else (`"5"`, `"null"`, `""`); what is cut ends in `…`.
#[must_use]
pub fn brief(value: &Value, most: usize) -> String {
    match value {
        Value::String(text) => text_brief(text, most),
        other => cut(other.to_string(), most),
    }
}

/// The same of a text.
#[must_use]
pub fn text_brief(text: &str, most: usize) -> String {
    // What is cut is read no further: the beginning tells whether it could be anything else.
    let begin: String = text.chars().take(most + 1).collect();
    let blank = begin.trim() != begin;
    let reads = begin.len() == text.len() && serde_json::from_str::<Value>(text).is_ok();
    if begin.is_empty() || blank || reads {
        return cut(format!("\"{begin}\""), most);
    }
    cut(begin, most)
}

fn cut(text: String, most: usize) -> String {
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_is_told_from_what_it_spells() {
        for (value, shown) in [
            (json!("refs/heads/main"), "refs/heads/main"),
            (json!("5"), "\"5\""),
            (json!("null"), "\"null\""),
            (json!(""), "\"\""),
            (json!(" a"), "\" a\""),
            (json!(null), "null"),
            (json!([]), "[]"),
            (json!({"a": 1}), "{\"a\":1}"),
            (json!("nu"), "nu"),
        ] {
            assert_eq!(brief(&value, 20), shown);
        }
        let number: Value = serde_json::from_str("59.90").unwrap();
        assert_eq!(brief(&number, 20), "59.90");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(brief(&json!("abcdef"), 4), "abc…");
        assert_eq!(brief(&json!("abcd"), 4), "abcd");
        assert_eq!(brief(&json!("é".repeat(100_000)), 3), "éé…");
        assert_eq!(brief(&json!([1, 2, 3]), 4), "[1,…");
    }
}
