//! What of a credential may be shown: a scheme and a fingerprint, never the secret.

use super::{TOKEN_CHARS, Vault};
use crate::model::headers::is_credential;
use std::borrow::Cow;

/// What stands for a secret wherever one would be shown.
pub const MASK: &str = "•••";

impl Vault {
    /// A header's value as it may be shown: of a credential its scheme and a fingerprint
    /// (`Bearer ••• 5f2a91`), of any other header the value with callbacks' tokens masked.
    #[must_use]
    pub fn shown_header<'v>(&self, name: &str, value: &'v str) -> Cow<'v, str> {
        if !is_credential(name) {
            return mask_callbacks(value);
        }
        Cow::Owned(self.shown_credential(name, value.as_bytes()))
    }

    /// A credential as it may be shown, whatever its header: scheme and fingerprint.
    #[must_use]
    pub fn shown_credential(&self, name: &str, value: &[u8]) -> String {
        let fingerprint = self.fingerprint(value);
        match scheme(name, &String::from_utf8_lossy(value)) {
            Some(scheme) => format!("{scheme} {MASK} {fingerprint}"),
            None => format!("{MASK} {fingerprint}"),
        }
    }
}

/// The scheme of an `Authorization` header: a short word that is followed by something else.
fn scheme<'v>(name: &str, value: &'v str) -> Option<&'v str> {
    if !name.to_ascii_lowercase().ends_with("authorization") {
        return None;
    }
    let (scheme, rest) = value.trim().split_once(' ')?;
    let word = (1..=20).contains(&scheme.len())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (word && !rest.trim().is_empty()).then_some(scheme)
}

/// A text (a URL, a header, a body) with the token of every callback URL in it masked:
/// `https://host/callback/•••`. Slashes that JSON or a query escaped are seen too.
#[must_use]
pub fn mask_callbacks(text: &str) -> Cow<'_, str> {
    const WORD: &str = "callback";
    let mut masked = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(found) = text[from..].find(WORD) {
        from += found + WORD.len();
        let rest = &text[from..];
        let Some(slash) = ["/", "\\/", "%2F", "%2f", "\\u002F", "\\u002f"]
            .into_iter()
            .find(|slash| rest.starts_with(slash))
        else {
            continue;
        };
        let start = from + slash.len();
        let token = text[start..]
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            .count();
        if token >= TOKEN_CHARS {
            masked.push_str(&text[copied..start]);
            masked.push_str(MASK);
            copied = start + token;
            from = copied;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[copied..]);
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CallbackId;

    fn vault() -> Vault {
        Vault::from_key(&[1; 32], false).unwrap()
    }

    #[test]
    fn credentials_show_scheme_and_fingerprint_alone() {
        let vault = vault();
        let shown = vault.shown_header("Authorization", "Bearer s3cret-token");
        assert!(shown.starts_with("Bearer ••• ") && shown.len() == "Bearer ••• ".len() + 6, "{shown}");
        assert_eq!(shown, vault.shown_header("authorization", "Bearer s3cret-token"));
        assert_ne!(shown, vault.shown_header("authorization", "Bearer other"));
        for (name, value) in [
            ("Cookie", "session=s3cret; theme=dark"),
            ("X-Api-Key", "s3cret"),
            ("Authorization", "s3cret"),
            ("Authorization", "s3cret-that-is-longer-than-a-scheme x"),
            ("Proxy-Authorization", "Basic czNjcmV0"),
        ] {
            let shown = vault.shown_header(name, value);
            assert!(!shown.contains("s3cret") && !shown.contains("czNjcmV0"), "{name}: {shown}");
        }
        assert_eq!(vault.shown_header("X-Request-ID", "abc"), "abc");
    }

    #[test]
    fn a_callback_url_loses_its_token_wherever_it_stands() {
        let token = vault().callback_token(CallbackId(3));
        for (before, after) in [
            ("https://hooks.example/callback/", ""),
            ("{\"url\":\"https:\\/\\/hooks.example\\/callback\\/", "\"}"),
            ("next=https%3A%2F%2Fhooks.example%2Fcallback%2F", "&a=1"),
            ("callback then /callback/", " and again"),
        ] {
            let text = format!("{before}{token}{after}");
            assert_eq!(mask_callbacks(&text), format!("{before}•••{after}"));
            let twice = format!("{text} {text}");
            assert!(!mask_callbacks(&twice).contains(&token));
        }
        let shown =
            vault().shown_header("X-Response-URL", &format!("http://h/callback/{token}")).into_owned();
        assert_eq!(shown, "http://h/callback/•••");
    }

    #[test]
    fn what_is_no_token_stays() {
        for text in ["", "callback", "/callback/", "/callback/short", "callbackcallback/é", "é/callback/é"]
        {
            assert!(matches!(mask_callbacks(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
