//! What is kept of a refused sender beside the cause, in lines for the operator.

use serde_json::Value;

/// The evidence in lines; empty where none was kept, or where it cannot be read.
#[must_use]
pub fn lines(detail: &str) -> Vec<String> {
    let Ok(Value::Object(detail)) = serde_json::from_str(detail) else { return Vec::new() };
    let text = |name: &str| detail.get(name).and_then(Value::as_str);
    let number = |name: &str| detail.get(name).and_then(Value::as_i64);
    let mut lines = Vec::new();
    if text("scheme") == Some("jwt") {
        let said: Vec<String> = detail
            .iter()
            .filter(|(name, _)| *name != "scheme")
            .map(|(name, value)| format!("{name} {}", value.as_str().unwrap_or_default()))
            .collect();
        lines.push(format!("The token says: {}.", said.join(", ")));
        return lines;
    }
    if let Some(header) = text("header") {
        let keys: Vec<String> = detail
            .get("keys")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|key| key.as_str().map(|key| format!("`{key}`")))
            .collect();
        let only = if keys.len() == 1 { " (the only key)" } else { "" };
        lines.push(format!("{header} does not match the body with {}{only}.", keys.join(", ")));
    }
    if let Some(received) = text("received") {
        lines.push(format!("Received: {received}"));
    }
    if let (Some(expected), Some(digit)) = (text("expected"), number("digit")) {
        lines.push(format!(
            "Expected: {expected} – digit {digit} is the first that differs; the rest is not shown."
        ));
    }
    if let (Some(signed), Some(bytes)) = (text("signed"), number("bytes")) {
        let before = if signed.is_empty() { "the body".to_owned() } else { format!("{signed} and the body") };
        lines.push(format!("Signed: {before}, {bytes} bytes in all."));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn evidence_is_told_in_lines() {
        let told = lines(
            r#"{"scheme":"stripe","header":"Stripe-Signature","keys":["live"],"signed":"1795008702.","bytes":813,"received":"v1=52c7","expected":"525","digit":3}"#,
        );
        assert_eq!(
            told,
            [
                "Stripe-Signature does not match the body with `live` (the only key).",
                "Received: v1=52c7",
                "Expected: 525 – digit 3 is the first that differs; the rest is not shown.",
                "Signed: 1795008702. and the body, 813 bytes in all.",
            ]
        );
        let told = lines(r#"{"scheme":"jwt","alg":"HS256","exp":"1795008702"}"#);
        assert_eq!(told, ["The token says: alg HS256, exp 1795008702."]);
        assert!(lines("no json").is_empty() && lines("[]").is_empty());
    }
}
