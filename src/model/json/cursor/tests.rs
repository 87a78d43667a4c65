use super::super::parse;

fn error(text: &str) -> String {
    parse(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn errors_say_where_and_what_is_expected() {
    for (text, message) in [
        ("", "line 1, column 1: a value is expected"),
        ("{\n  \"a\": 1\n  \"b\": 2}", "line 3, column 3: a comma or } is expected"),
        ("{\"é\" 1}", "line 1, column 6: a colon is expected after the key"),
        ("[1,]", "line 1, column 4: a value is expected after the comma"),
        ("{\"a\":1,}", "line 1, column 8: a quoted key is expected after the comma"),
        ("{a:1}", "line 1, column 2: a quoted key or } is expected"),
        ("[1 2]", "line 1, column 4: a comma or ] is expected"),
        ("[", "line 1, column 2: a value or ] is expected"),
        ("{} x", "line 1, column 4: nothing more is expected after the value"),
        ("01", "line 1, column 2: no digit is expected after a leading 0"),
        ("-", "line 1, column 2: a digit is expected"),
        ("1.", "line 1, column 3: a digit is expected"),
        ("1e+", "line 1, column 4: a digit is expected"),
        ("+1", "line 1, column 1: a value is expected"),
        ("tru", "line 1, column 1: true is expected"),
        ("\"a\nb\"", "line 1, column 3: an escape is expected for a control character"),
        ("\"a", "line 1, column 3: a closing quote is expected"),
        ("\"\\x\"", "line 1, column 3: one of \" \\ / b f n r t u is expected after \\"),
        ("\"\\u12g4\"", "line 1, column 6: four hex digits are expected"),
        ("\"\\ud800x\"", "line 1, column 8: the second half of a surrogate pair is expected"),
        ("\"\\ud800\\u0041\"", "line 1, column 8: the second half of a surrogate pair is expected"),
        ("\"\\udc00\"", "line 1, column 2: the first half of a surrogate pair is expected"),
        ("\u{feff}{}", "line 1, column 1: a value is expected, not a byte order mark"),
    ] {
        assert_eq!(error(text), format!("not JSON: {message}"), "{text}");
    }
    let error = parse(b"{\"a\":\n\"\xff\"}").unwrap_err().to_string();
    assert_eq!(error, "not JSON: line 2, column 2: UTF-8 is expected");
}

#[test]
fn escapes_say_what_they_mean() {
    let text = r#""\"\\\/\b\f\n\r\tA\u00e9\ud83d\ude00\u0000é""#;
    assert_eq!(parse(text.as_bytes()).unwrap(), "\"\\/\u{8}\u{c}\n\r\tAé😀\0é");
}
