//! Values of secret variables while a run needs them: templates get them for what is sent, and
//! everything that is kept or shown has `•••` in their place.

use super::mask::{MASK, Traces};
use crate::model::Map;
use crate::model::credential::Secret;
use bytes::Bytes;

/// Characters that a secret has at least: anything shorter could not be told from other text where it
/// is to be hidden.
pub const SHORTEST: usize = 4;

/// The secrets of an integration by variable. No `Debug` shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    plain: Map,
    shown: Map,
    traces: Traces,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.plain.len())
    }
}

impl Secrets {
    /// Takes opened values.
    #[must_use]
    pub fn new(values: &[(String, Secret)]) -> Self {
        let text = |secret: &Secret| secret.reveal().to_owned();
        Self {
            traces: Traces::of_texts(values.iter().map(|(_, secret)| text(secret)).collect()),
            shown: values.iter().map(|(name, _)| (name.clone(), MASK.into())).collect(),
            plain: values.iter().map(|(name, secret)| (name.clone(), text(secret).into())).collect(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// Whether a variable is one.
    #[must_use]
    pub fn has(&self, variable: &str) -> bool {
        self.plain.contains_key(variable)
    }

    /// What templates see: the values, or `•••` for what is only kept or shown.
    #[must_use]
    pub fn values(&self, masked: bool) -> &Map {
        if masked { &self.shown } else { &self.plain }
    }

    /// A text without them.
    pub fn hide(&self, text: &mut String) {
        if !self.is_empty() {
            self.traces.hide_in(text);
        }
    }

    /// Each text without them.
    pub fn hide_all<'t>(&self, texts: impl IntoIterator<Item = &'t mut String>) {
        if !self.is_empty() {
            texts.into_iter().for_each(|text| self.traces.hide_in(text));
        }
    }

    /// A text body without them: one that is JSON stays JSON.
    pub fn hide_body(&self, body: &mut String) {
        if !self.is_empty() {
            self.traces.hide_in_body(body);
        }
    }

    /// Outputs without them.
    pub fn hide_map(&self, map: &mut Map) {
        if !self.is_empty() {
            map.values_mut().for_each(|value| self.traces.hide_value(value));
        }
    }

    /// Values without them.
    pub fn hide_values(&self, values: &mut [serde_json::Value]) {
        if !self.is_empty() {
            for value in values {
                self.traces.hide_value(value);
            }
        }
    }

    /// The bytes of a body without them. What is no text stays as it is: no value is ever taken from
    /// it, and what is kept of it is looked through as the text that is shown.
    #[must_use]
    pub fn hide_bytes(&self, body: Bytes) -> Bytes {
        if self.is_empty() {
            return body;
        }
        let Ok(text) = std::str::from_utf8(&body) else { return body };
        if matches!(self.traces.hide(text), std::borrow::Cow::Borrowed(_)) {
            return body;
        }
        let mut text = text.to_owned();
        self.traces.hide_in_body(&mut text);
        text.into()
    }
}

/// `•••` as URLs and forms write it, as it is shown.
#[must_use]
pub fn plain_mask(text: &str) -> String {
    text.replace("%E2%80%A2%E2%80%A2%E2%80%A2", MASK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secrets() -> Secrets {
        let secret = |text: &str| Secret::new(text.to_owned());
        Secrets::new(&[("a".into(), secret("s3cret/+~*\"x")), ("b".into(), secret("long-one"))])
    }

    #[test]
    fn they_are_in_no_debug_output_and_in_no_masked_value() {
        let secrets = secrets();
        assert_eq!(format!("{secrets:?}"), "Secrets(2)");
        assert_eq!(secrets.values(true), json!({"a": "•••", "b": "•••"}).as_object().unwrap());
        assert_eq!(secrets.values(false)["b"], "long-one");
        assert!(secrets.has("a") && !secrets.has("c") && !secrets.is_empty());
    }

    #[test]
    fn they_are_found_as_urls_forms_and_json_write_them() {
        let secrets = secrets();
        for (text, shown) in [
            ("x=s3cret%2F%2B~%2A%22x&y", "x=•••&y"),
            ("x=s3cret%2F%2B%7E*%22x&y", "x=•••&y"),
            ("x=s3cret%2f%2b~%2a%22x&y", "x=•••&y"),
            (r#"{"k":"s3cret/+~*\"x"}"#, r#"{"k":"•••"}"#),
            (r#"{"k":"s3cret\/+~*\"x"}"#, r#"{"k":"•••"}"#),
            ("a long-one b", "a ••• b"),
            ("nothing", "nothing"),
        ] {
            let mut body = text.to_owned();
            secrets.hide_body(&mut body);
            assert_eq!(body, shown, "{text}");
        }
        let bytes = secrets.hide_bytes(Bytes::from_static(b"long-one"));
        assert_eq!(bytes, "•••");
        let binary = Bytes::from_static(b"\xff long-one");
        assert_eq!(secrets.hide_bytes(binary.clone()), binary);
        let none = Secrets::default();
        assert_eq!(none.hide_bytes(Bytes::from_static(b"long-one")), "long-one");
    }

    #[test]
    fn what_is_masked_in_a_url_is_shown_as_people_read_it() {
        assert_eq!(plain_mask("http://h/?k=%E2%80%A2%E2%80%A2%E2%80%A2"), "http://h/?k=•••");
    }
}
