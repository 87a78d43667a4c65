//! Who may send: the scheme that is chosen, what it wants filled in, and the key that is made.

use super::super::edit::Edit;
use crate::console::editor::pasted::quoted;
use crate::model::ask::keys::{AddKey, Made};
use crate::model::auth::{API_KEY, Provider};
use crate::model::credential::{KeyView, Secret};

/// A scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// A text in a header.
    ApiKey,
    /// A user and a password.
    Basic,
    /// The body is signed.
    Signature,
    /// A token.
    Jwt,
    /// Anyone.
    None,
}

impl Scheme {
    /// In the order of the list.
    pub const ALL: [Self; 5] = [Self::ApiKey, Self::Basic, Self::Signature, Self::Jwt, Self::None];

    /// What it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ApiKey => "api key",
            Self::Basic => "basic",
            Self::Signature => "signature",
            Self::Jwt => "jwt",
            Self::None => "none",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::ApiKey => "the sender sets one header to a key",
            Self::Basic => "the sender sends a user and a password",
            Self::Signature => "the body is signed: GitHub, Stripe, Slack, Shopify, others",
            Self::Jwt => "the sender sends a token that it signs (HS256)",
            Self::None => "anyone who has the URL may send",
        }
    }

    /// The type of its keys.
    fn kind(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::Basic => "basic",
            Self::Signature => "signature",
            Self::Jwt => "jwt",
            Self::None => "",
        }
    }
}

/// Something to fill in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthField {
    /// Which key: a new one, or one that is there.
    Key,
    /// The header of a key or a signature.
    Header,
    /// The user.
    User,
    /// Whose way of signing.
    Provider,
    /// The secret that the sender gave.
    Secret,
}

impl AuthField {
    /// Its label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Header => "header",
            Self::User => "user",
            Self::Provider => "signed as",
            Self::Secret => "secret",
        }
    }
}

/// What is filled in.
#[derive(Debug)]
pub struct AuthForm {
    /// The scheme, by its place.
    pub at: usize,
    /// 0: the list; the fields follow.
    pub focus: usize,
    /// 0: a new key; those that fit follow.
    pub key: usize,
    /// The header of an API key.
    pub header: Edit,
    /// The header of a signature.
    pub signed: Edit,
    /// The user.
    pub user: Edit,
    /// Whose way of signing, by its place.
    pub provider: usize,
    /// The secret that the sender gave.
    pub secret: Edit,
    /// Keys that there are.
    pub known: Vec<KeyView>,
}

impl Default for AuthForm {
    fn default() -> Self {
        Self {
            at: 0,
            focus: 0,
            key: 0,
            header: Edit::with(API_KEY),
            signed: Edit::with("X-Signature"),
            user: Edit::default(),
            provider: 0,
            secret: Edit::hidden(),
            known: Vec::new(),
        }
    }
}

impl AuthForm {
    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        Scheme::ALL[self.at % Scheme::ALL.len()]
    }

    /// Whose way of signing.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        Provider::WORDS[self.provider % Provider::WORDS.len()]
    }

    /// The names of keys that fit the scheme.
    #[must_use]
    pub fn fitting(&self) -> Vec<&str> {
        let kind = self.scheme().kind();
        self.known.iter().filter(|key| key.kind == kind).map(|key| key.name.as_str()).collect()
    }

    /// The key that is there and chosen.
    #[must_use]
    pub fn chosen(&self) -> Option<&str> {
        self.fitting().get(self.key.checked_sub(1)?).copied()
    }

    /// What is filled in for the scheme.
    #[must_use]
    pub fn fields(&self) -> Vec<AuthField> {
        use AuthField::{Header, Key, Provider, Secret, User};
        let new = self.chosen().is_none();
        let all: &[AuthField] = match self.scheme() {
            Scheme::ApiKey => &[Key, Header, Secret],
            Scheme::Basic => &[Key, User, Secret],
            Scheme::Signature if self.provider() == "hmac" => &[Key, Provider, Header, Secret],
            Scheme::Signature => &[Key, Provider, Secret],
            Scheme::Jwt => &[Key, Secret],
            Scheme::None => &[],
        };
        all.iter().copied().filter(|field| new || !matches!(field, User | Secret)).collect()
    }

    /// The field that has the focus.
    #[must_use]
    pub fn focused(&self) -> Option<AuthField> {
        self.fields().get(self.focus.checked_sub(1)?).copied()
    }

    /// Whether letters are text.
    #[must_use]
    pub fn types(&self) -> bool {
        matches!(self.focused(), Some(AuthField::Header | AuthField::User | AuthField::Secret))
    }

    /// What is typed into.
    pub fn edit(&mut self) -> Option<&mut Edit> {
        match self.focused()? {
            AuthField::Header if self.scheme() == Scheme::Signature => Some(&mut self.signed),
            AuthField::Header => Some(&mut self.header),
            AuthField::User => Some(&mut self.user),
            AuthField::Secret => Some(&mut self.secret),
            AuthField::Key | AuthField::Provider => None,
        }
    }

    /// To another field.
    pub fn next(&mut self, by: isize) {
        let count = self.fields().len() + 1;
        let by = if by < 0 { count - 1 } else { 1 };
        self.focus = (self.focus + by) % count;
    }

    /// Another scheme.
    pub fn choose(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(Scheme::ALL.len() - 1);
        (self.key, self.focus) = (0, 0);
    }

    /// The scheme that a document says.
    pub fn fill(&mut self, auth: &crate::model::auth::Auth) {
        use crate::model::auth::Auth;
        let scheme = match auth {
            Auth::ApiKey { header, .. } => {
                self.header = Edit::with(header);
                Scheme::ApiKey
            }
            Auth::Basic { .. } => Scheme::Basic,
            Auth::Signature { provider, .. } => {
                let at = Provider::WORDS.iter().position(|word| *word == provider.word());
                self.provider = at.unwrap_or(0);
                if let Provider::Hmac(hmac) = provider {
                    self.signed = Edit::with(&hmac.header);
                }
                Scheme::Signature
            }
            Auth::Jwt { .. } => Scheme::Jwt,
            Auth::None => Scheme::None,
        };
        self.at = Scheme::ALL.iter().position(|one| *one == scheme).unwrap_or(0);
        self.pick(auth.keys().first().map(String::as_str));
    }

    /// A key that is there no more.
    pub fn forget(&mut self, key: &str) {
        let chosen = self.chosen().map(str::to_owned);
        self.known.retain(|known| known.name != key);
        self.pick(chosen.as_deref());
    }

    /// Takes a key that is there, or a new one where it is not.
    pub fn pick(&mut self, key: Option<&str>) {
        self.key = self.fitting().iter().position(|name| Some(*name) == key).map_or(0, |at| at + 1);
    }

    /// Left or right on a list; whether there is one.
    pub fn sideways(&mut self, by: isize) -> bool {
        let goes = |at: usize, count: usize| at.saturating_add_signed(by).min(count.saturating_sub(1));
        match self.focused() {
            Some(AuthField::Key) => self.key = goes(self.key, self.fitting().len() + 1),
            Some(AuthField::Provider) => self.provider = goes(self.provider, Provider::WORDS.len()),
            _ => return false,
        }
        true
    }

    /// The name that a new key gets: that of the integration, with a number where it is taken.
    #[must_use]
    pub fn fresh(&self, name: &str) -> String {
        let taken = |name: &str| self.known.iter().any(|key| key.name == name);
        if !taken(name) {
            return name.to_owned();
        }
        // Of one more than there are one is free.
        (2..=self.known.len() + 2)
            .map(|n| format!("{name}-{n}"))
            .find(|name| !taken(name))
            .unwrap_or_default()
    }

    /// The order that makes the key; none where one that is there is chosen, or none is wanted.
    #[must_use]
    pub fn order(&self, name: &str) -> Option<AddKey> {
        let scheme = self.scheme();
        if scheme == Scheme::None || self.chosen().is_some() {
            return None;
        }
        let secret = self.secret.text();
        let name = self.fresh(name);
        let user = self.user.text();
        let user = if user.trim().is_empty() { name.clone() } else { user.trim().to_owned() };
        Some(AddKey {
            kind: Some(scheme.kind().to_owned()),
            user: (scheme == Scheme::Basic).then_some(user),
            generate: secret.is_empty(),
            secret: Some(secret).filter(|secret| !secret.is_empty()).map(Secret::new),
            reason: Some("made step by step".to_owned()),
            name,
            ..AddKey::default()
        })
    }

    /// What the document says, with a key of this name.
    #[must_use]
    pub fn written(&self, key: &str) -> String {
        let key = quoted(key);
        match self.scheme() {
            Scheme::None => "{ type = \"none\" }".to_owned(),
            Scheme::ApiKey => {
                let header = self.header.text();
                let header = match header.trim() {
                    "" | API_KEY => String::new(),
                    other => format!(", header = {}", quoted(other)),
                };
                format!("{{ type = \"api_key\", keys = [{key}]{header} }}")
            }
            Scheme::Basic => format!("{{ type = \"basic\", keys = [{key}] }}"),
            Scheme::Jwt => format!("{{ type = \"jwt\", keys = [{key}] }}"),
            Scheme::Signature => {
                let provider = self.provider();
                let header = match provider {
                    "hmac" => format!(", header = {}", quoted(self.signed.text().trim())),
                    _ => String::new(),
                };
                format!("{{ type = \"signature\", provider = {}, keys = [{key}]{header} }}", quoted(provider))
            }
        }
    }
}

/// A key that was made, to be shown once.
#[derive(Debug)]
pub struct Shown {
    /// Its name.
    pub key: String,
    /// For which scheme.
    pub scheme: Scheme,
    /// The header that takes it.
    pub header: String,
    /// Its user.
    pub user: Option<String>,
    /// It.
    pub secret: Secret,
    /// It was shown.
    pub(super) seen: bool,
}

impl Shown {
    /// Of an answer; none where the secret is the sender's own.
    #[must_use]
    pub fn of(made: Made, form: &AuthForm) -> Option<Self> {
        let header = form.header.text();
        Some(Self {
            key: made.key.name,
            scheme: form.scheme(),
            header: if header.trim().is_empty() { API_KEY.to_owned() } else { header.trim().to_owned() },
            user: made.key.user,
            secret: made.secret?,
            seen: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::{new, sound, with_auth};
    use super::*;
    use serde_json::json;

    fn key(name: &str, kind: &str) -> KeyView {
        serde_json::from_value(json!({
            "name": name, "type": kind, "algorithm": null, "user": null, "added": "", "used": null, "signs": false,
            "flows": [],
        }))
        .unwrap()
    }

    #[test]
    fn what_each_scheme_writes_passes_the_check() {
        let mut form = AuthForm::default();
        for _ in Scheme::ALL {
            for provider in 0..Provider::WORDS.len() {
                form.provider = provider;
                let text = with_auth(&new("Shop", "Orders"), &form.written("shop")).unwrap();
                assert_eq!(sound(&text), Ok(()), "{text}");
            }
            form.choose(1);
        }
        assert_eq!(form.scheme(), Scheme::None);
        assert!(form.fields().is_empty() && form.order("shop").is_none());
    }

    #[test]
    fn a_new_key_has_a_free_name_and_one_that_is_there_needs_no_secret() {
        let mut form =
            AuthForm { known: vec![key("shop", "api-key"), key("shop-2", "basic")], ..AuthForm::default() };
        let order = form.order("shop").unwrap();
        assert_eq!(
            (order.name.as_str(), order.kind.as_deref(), order.generate),
            ("shop-3", Some("api-key"), true)
        );
        form.next(1);
        assert_eq!(form.focused(), Some(AuthField::Key));
        form.sideways(1);
        form.sideways(1);
        assert_eq!((form.chosen(), form.order("shop")), (Some("shop"), None), "one fits, and is the last");
        assert_eq!(form.fields(), [AuthField::Key, AuthField::Header]);
        form.choose(1);
        form.secret.insert("given");
        let order = form.order("acme").unwrap();
        assert_eq!((order.user.as_deref(), order.generate), (Some("acme"), false));
        assert_eq!(order.secret.unwrap().reveal(), "given");
        assert!(!format!("{form:?}").contains("given"));
    }
}
