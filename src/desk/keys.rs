//! Senders' keys: added, listed, removed. The vault seals what comes, and has the keys again as
//! soon as the store has them.

use super::Desk;
use crate::model::ask::keys::{AddKey, Made};
use crate::model::ask::{Answer, Done, Refusal, Who};
use crate::model::credential::{
    Algorithm, Credential, KeyCheck as _, KeyKind, KeyView, MAX_SECRET, is_key_name,
};
use crate::model::document::Trigger;
use crate::model::time::rfc3339;
use crate::vault::keys::{NewKey, generate};

/// Bytes under which a secret is said to be short.
const SHORT: usize = 16;

impl Desk {
    /// Every key, by name.
    pub(super) async fn keys(&self) -> Result<Answer, Refusal> {
        let rows = self.deps.store.credentials().await?;
        Ok(Answer::Keys { keys: rows.iter().map(|row| self.key_view(row)).collect() })
    }

    /// Reads the keys of the store into the vault.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn load_keys(&self) -> Result<(), Refusal> {
        let _one = self.loading.lock().await;
        self.deps.vault.load(&self.deps.store.credentials().await?);
        Ok(())
    }

    fn key_view(&self, row: &Credential) -> KeyView {
        let ring = self.deps.vault.ring();
        let key = ring.get(&row.name).filter(|key| key.id == row.id);
        KeyView {
            name: row.name.clone(),
            kind: row.kind.word().to_owned(),
            algorithm: row.kind.algorithm().map(str::to_owned),
            user: row.user.clone(),
            added: rfc3339(row.added),
            used: key.and_then(crate::vault::keys::Key::used).or(row.used).map(rfc3339),
            signs: key.is_some_and(crate::vault::keys::Key::signs),
            flows: self.flows_of(&row.name),
        }
    }

    /// Flows that name a key, in their live or their newest version.
    fn flows_of(&self, name: &str) -> Vec<String> {
        let state = self.deps.store.configured();
        let mut flows = Vec::new();
        for holding in state.integrations.values().filter(|holding| !holding.removed) {
            for doc in [&holding.live, &holding.newest].into_iter().flatten() {
                for flow in &doc.integration.flows {
                    let Trigger::Webhook(hook) = &flow.trigger else { continue };
                    let told = format!("{}/{}", holding.name, flow.name);
                    if hook.auth.keys().iter().any(|other| other == name) && !flows.contains(&told) {
                        flows.push(told);
                    }
                }
            }
        }
        flows
    }

    /// Adds a key.
    pub(super) async fn add_key(&self, who: &Who, add: AddKey) -> Result<Answer, Refusal> {
        let name = add.name.clone();
        let wrong = |why: String| Refusal::usage(format!("key {name} cannot be added: {why}"));
        let kind = kind(&add).map_err(wrong)?;
        let secret = match (add.generate, add.secret) {
            (true, Some(_)) => return Err(wrong("--generate makes the secret, and one is given".to_owned())),
            (true, None) => Some(generate(kind).map_err(wrong)?),
            (false, secret) => secret,
        };
        let short = secret.as_ref().is_some_and(|secret| secret.reveal().len() < SHORT);
        let new = NewKey {
            name: name.clone(),
            kind,
            user: add.user,
            secret,
            public: add.public,
            private: add.private,
        };
        let row = self
            .deps
            .vault
            .prepare(&new, self.deps.store.fresh_id(), self.deps.store.now())
            .map_err(wrong)?;
        let algorithm = kind.algorithm().map(|algorithm| format!(", {algorithm}")).unwrap_or_default();
        let what = format!("{}{algorithm}", kind.word());
        let mut lines = Vec::new();
        if short {
            lines.push(format!(
                "the secret has under {SHORT} bytes: it can be guessed at; --generate makes a long one"
            ));
        }
        if add.dry_run {
            if self.deps.vault.ring().get(&name).is_some() {
                return Err(Refusal::refused("taken", format!("there is a key {name:?}: names are unique")));
            }
            lines.insert(0, format!("would add the key {name} ({what})"));
            return Ok(Answer::Key(Made { key: self.key_view(&row), secret: None, lines }));
        }
        let said = format!("added the key {name} ({what})");
        self.deps.store.add_credential(row.clone()).await?;
        self.load_keys().await?;
        self.audit(who, "key add", &name, add.reason.as_deref(), &said).await?;
        lines.insert(0, said);
        if add.generate {
            lines.push("its secret is shown this once: give it to the sender now".to_owned());
        }
        let secret = new.secret.filter(|_| add.generate);
        Ok(Answer::Key(Made { key: self.key_view(&row), secret, lines }))
    }

    /// Removes a key.
    pub(super) async fn remove_key(
        &self,
        who: &Who,
        name: &str,
        reason: Option<&str>,
        dry_run: bool,
    ) -> Result<Answer, Refusal> {
        let none = || Refusal::not_found(format!("there is no key {name:?}; `pointsman key ls` lists them"));
        let rows = self.deps.store.credentials().await?;
        if !rows.iter().any(|row| row.name == name) {
            return Err(none());
        }
        let flows = self.flows_of(name);
        let mut lines: Vec<String> =
            flows.iter().map(|flow| format!("{flow} names it: requests with it are answered 401")).collect();
        if dry_run {
            lines.insert(0, format!("would remove the key {name}; its secret would be wiped"));
            return Ok(Answer::Done(Done { lines, refused: false }));
        }
        if !self.deps.store.remove_credential(name).await? {
            return Err(none());
        }
        self.load_keys().await?;
        let said = format!("removed the key {name}; its secret is wiped");
        self.audit(who, "key rm", name, reason, &said).await?;
        lines.insert(0, said);
        Ok(Answer::Done(Done { lines, refused: false }))
    }

    /// A key that can be used.
    pub(super) fn usable_key(&self, name: &str) -> Result<(), Refusal> {
        let ring = self.deps.vault.ring();
        match ring.get(name).map(|key| key.closed().map(str::to_owned)) {
            None => Err(Refusal::not_found(format!(
                "there is no key {name:?}; `pointsman key ls` lists them, `pointsman key add {name}` makes one"
            ))),
            Some(Some(why)) => Err(Refusal::refused("closed", format!("key {name} cannot be used: {why}"))),
            Some(None) => Ok(()),
        }
    }
}

/// What a key is for, from what was written.
fn kind(add: &AddKey) -> Result<KeyKind, String> {
    if !is_key_name(&add.name) {
        return Err("its name must be 1 to 64 of A-Z, a-z, 0-9 and . _ ~ -".to_owned());
    }
    let long = |text: &str| text.len() > MAX_SECRET;
    if add.secret.iter().chain(&add.private).any(|secret| long(secret.reveal()))
        || add.public.as_deref().is_some_and(long)
    {
        return Err("a secret or key has at most 64 KiB".to_owned());
    }
    let kind = match (add.kind.as_deref(), add.algorithm.as_deref()) {
        (None | Some("jwt"), Some(word)) => {
            let found =
                Algorithm::ALL.into_iter().find(|algorithm| algorithm.word().eq_ignore_ascii_case(word));
            let all: Vec<&str> = Algorithm::ALL.into_iter().map(Algorithm::word).collect();
            KeyKind::Jwt(
                found.ok_or_else(|| format!("{word:?} is no algorithm of tokens: {} are", all.join(", ")))?,
            )
        }
        (None | Some("jwt"), None) if add.public.is_some() => {
            return Err("say what the public key is for: --algorithm RS256, ES256, EdDSA, …".to_owned());
        }
        (None | Some("jwt"), None) => KeyKind::Jwt(Algorithm::HS256),
        (Some("api-key"), None) => KeyKind::ApiKey,
        (Some("basic"), None) => KeyKind::Basic,
        (Some("signature"), None) if add.public.is_some() => KeyKind::Ed25519,
        (Some("signature"), None) => KeyKind::Secret,
        (Some(kind @ ("api-key" | "basic" | "signature")), Some(_)) => {
            return Err(format!("--algorithm belongs to tokens, not to --type {kind}"));
        }
        (Some(other), _) => {
            return Err(format!("{other:?} is no type of key: jwt, api-key, basic and signature are"));
        }
    };
    let pair =
        matches!(kind, KeyKind::Ed25519) || matches!(kind, KeyKind::Jwt(algorithm) if !algorithm.shared());
    if pair && add.secret.is_some() {
        return Err("it wants the sender's public key (--public-key F), no secret".to_owned());
    }
    if !pair && (add.public.is_some() || add.private.is_some()) {
        return Err("it wants a secret (--secret-file F), no pair of keys".to_owned());
    }
    if kind == KeyKind::Ed25519 && add.private.is_some() {
        return Err("it only checks signatures: leave --private-key out".to_owned());
    }
    if kind != KeyKind::Basic && add.user.is_some() {
        return Err("--user belongs to --type basic".to_owned());
    }
    Ok(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::credential::Secret;

    fn add(kind: Option<&str>, algorithm: Option<&str>) -> AddKey {
        AddKey {
            name: "acme".into(),
            kind: kind.map(str::to_owned),
            algorithm: algorithm.map(str::to_owned),
            ..AddKey::default()
        }
    }

    #[test]
    fn a_key_is_for_what_was_written() {
        let public = |add: AddKey| AddKey { public: Some("p".into()), ..add };
        for (add, wanted) in [
            (add(None, None), KeyKind::Jwt(Algorithm::HS256)),
            (add(Some("jwt"), None), KeyKind::Jwt(Algorithm::HS256)),
            (add(None, Some("hs384")), KeyKind::Jwt(Algorithm::HS384)),
            (public(add(None, Some("EdDSA"))), KeyKind::Jwt(Algorithm::EdDSA)),
            (add(Some("api-key"), None), KeyKind::ApiKey),
            (add(Some("signature"), None), KeyKind::Secret),
            (public(add(Some("signature"), None)), KeyKind::Ed25519),
            (AddKey { user: Some("u".into()), ..add(Some("basic"), None) }, KeyKind::Basic),
        ] {
            assert_eq!(kind(&add), Ok(wanted), "{add:?}");
        }
        for (add, told) in [
            (public(add(None, None)), "--algorithm RS256"),
            (public(add(None, Some("HS256"))), "no pair of keys"),
            (public(add(Some("api-key"), None)), "no pair of keys"),
            (add(Some("basic"), Some("HS256")), "--algorithm belongs to tokens"),
            (AddKey { user: Some("u".into()), ..add(None, None) }, "--user belongs to --type basic"),
            (AddKey { secret: Some(Secret::new("x".into())), ..add(None, Some("ES256")) }, "no secret"),
            (AddKey { name: String::new(), ..add(None, None) }, "its name must be"),
        ] {
            assert!(kind(&add).unwrap_err().contains(told), "{add:?}");
        }
    }

    #[test]
    fn a_secret_has_64_kib_at_most() {
        let with = |len: usize| AddKey { secret: Some(Secret::new("x".repeat(len))), ..add(None, None) };
        assert!(kind(&with(MAX_SECRET)).is_ok());
        assert!(kind(&with(MAX_SECRET + 1)).unwrap_err().contains("64 KiB"));
        assert!(!format!("{:?}", with(3)).contains("xxx"), "a secret is in no debug output");
    }
}
