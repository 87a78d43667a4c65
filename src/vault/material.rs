//! Keys as people have them (PEM, JWK, `whpk_…`), read and proven before they are kept.

use super::der::{self, Wiped};
use crate::model::credential::Algorithm;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair, ParsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::Deserialize;
use zeroize::Zeroizing;

/// Bits that an RSA key has at least (RFC 7518, section 3.3).
const MIN_RSA: usize = 2_048;
/// Bits that the crypto library takes at most.
const MAX_RSA: usize = 8_192;

/// What is said of a private key in the place of a public one.
const PRIVATE: &str = "that is a private key, and nothing of it was kept: give its public half here, itself with \
                       --private-key";

/// A JSON Web Key (RFC 7517), as far as it is looked at.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    key_ops: Option<Vec<String>>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<Number>,
    #[serde(default)]
    e: Option<Number>,
    #[serde(default)]
    d: Option<Number>,
    #[serde(default)]
    p: Option<Number>,
    #[serde(default)]
    q: Option<Number>,
    #[serde(default)]
    dp: Option<Number>,
    #[serde(default)]
    dq: Option<Number>,
    #[serde(default)]
    qi: Option<Number>,
    #[serde(default)]
    x: Option<Number>,
    #[serde(default)]
    y: Option<Number>,
}

/// A number of a JWK; wiped when it is let go.
struct Number(Wiped);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes());
        bytes.map(|bytes| Self(Zeroizing::new(bytes))).map_err(|_| serde::de::Error::custom("no base64url"))
    }
}

fn number<'n>(number: Option<&'n Number>, name: &str) -> Result<&'n Wiped, String> {
    number.map(|number| &number.0).ok_or_else(|| format!("the JWK has no {name}"))
}

/// What a key must be for an algorithm.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Family {
    fn of(algorithm: Algorithm) -> Option<Self> {
        Some(match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => return None,
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => Self::Rsa,
            Algorithm::ES256 => Self::P256,
            Algorithm::ES384 => Self::P384,
            Algorithm::EdDSA => Self::Ed25519,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Rsa => "an RSA key",
            Self::P256 => "an EC key on P-256",
            Self::P384 => "an EC key on P-384",
            Self::Ed25519 => "an Ed25519 key",
        }
    }
}

fn jwk(text: &str, algorithm: Algorithm, family: Family, verb: &str) -> Result<Jwk, String> {
    let jwk: Jwk = serde_json::from_str(text).map_err(|error| {
        // The text of a private key is not repeated.
        format!("it is no JWK: line {}, column {}", error.line(), error.column())
    })?;
    let fits = matches!(
        (family, jwk.kty.as_str(), jwk.crv.as_deref()),
        (Family::Rsa, "RSA", _)
            | (Family::P256, "EC", Some("P-256"))
            | (Family::P384, "EC", Some("P-384"))
            | (Family::Ed25519, "OKP", Some("Ed25519"))
    );
    if !fits {
        return Err(format!("{} wants {}", algorithm.word(), family.word()));
    }
    if let Some(said) = jwk.alg.as_deref().filter(|said| *said != algorithm.word() && *said != "Ed25519") {
        return Err(format!("the JWK is for {said}, not for {}", algorithm.word()));
    }
    if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig")
        || jwk.key_ops.as_ref().is_some_and(|all| !all.iter().any(|one| one == verb))
    {
        return Err(format!("the JWK says that it is not for use to {verb}"));
    }
    Ok(jwk)
}

fn point(jwk: &Jwk, family: Family) -> Result<Vec<u8>, String> {
    let size = if family == Family::P256 { 32 } else { 48 };
    let (x, y) = (number(jwk.x.as_ref(), "x")?, number(jwk.y.as_ref(), "y")?);
    if x.len() != size || y.len() != size {
        return Err(format!("x and y of the JWK must have {size} bytes each"));
    }
    Ok([&[4][..], x, y].concat())
}

/// Reads the public half of a pair: PEM, JWK, or `whpk_…` of Standard Webhooks.
///
/// # Errors
/// It is no public key of the algorithm, or one that is too small.
pub(super) fn public(algorithm: Algorithm, text: &str) -> Result<DecodingKey, String> {
    let Some(family) = Family::of(algorithm) else {
        return Err(format!("{} takes a secret, no public key", algorithm.word()));
    };
    let text = text.trim();
    if let (Family::Ed25519, Some(rest)) = (family, text.strip_prefix("whpk_")) {
        let bytes = STANDARD.decode(rest).map_err(|_| "what follows whpk_ is not base64".to_owned())?;
        return ed25519(&bytes);
    }
    if text.contains("PRIVATE KEY") {
        return Err(PRIVATE.to_owned());
    }
    let bytes = if text.starts_with('{') {
        if is_private_jwk(text) {
            return Err(PRIVATE.to_owned());
        }
        let jwk = jwk(text, algorithm, family, "verify")?;
        match family {
            Family::Rsa => {
                der::rsa_public(number(jwk.n.as_ref(), "n")?, number(jwk.e.as_ref(), "e")?).to_vec()
            }
            Family::P256 | Family::P384 => point(&jwk, family)?,
            Family::Ed25519 => number(jwk.x.as_ref(), "x")?.to_vec(),
        }
    } else {
        if text.contains("BEGIN CERTIFICATE") {
            return Err(
                "that is a certificate: take its key out with `openssl x509 -pubkey -noout`".to_owned()
            );
        }
        let read = match family {
            Family::Rsa => DecodingKey::from_rsa_pem(text.as_bytes()),
            Family::P256 | Family::P384 => DecodingKey::from_ec_pem(text.as_bytes()),
            Family::Ed25519 => DecodingKey::from_ed_pem(text.as_bytes()),
        };
        let read = read.ok().and_then(|key| key.try_get_as_bytes().ok().map(<[u8]>::to_vec));
        read.ok_or_else(|| format!("it is neither PEM nor JWK of {}", family.word()))?
    };
    let parsed = match family {
        Family::Rsa => {
            let bits = der::rsa_bits(&bytes).unwrap_or(0);
            if !(MIN_RSA..=MAX_RSA).contains(&bits) {
                return Err(format!("the RSA key has {bits} bits: {MIN_RSA} to {MAX_RSA} are possible"));
            }
            return Ok(DecodingKey::from_rsa_der(&bytes));
        }
        Family::P256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &bytes).map(drop),
        Family::P384 => ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &bytes).map(drop),
        Family::Ed25519 => return ed25519(&bytes),
    };
    parsed.map_err(|_| format!("{} wants {}", algorithm.word(), family.word()))?;
    Ok(DecodingKey::from_ec_der(&bytes))
}

/// Whether a JWK has its private half in it.
fn is_private_jwk(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Secret {
        #[serde(default)]
        d: Option<serde::de::IgnoredAny>,
        #[serde(default)]
        k: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Secret>(text).is_ok_and(|jwk| jwk.d.is_some() || jwk.k.is_some())
}

fn ed25519(bytes: &[u8]) -> Result<DecodingKey, String> {
    let fits = bytes.len() == 32 && ParsedPublicKey::new(&ED25519, bytes).is_ok();
    if fits { Ok(DecodingKey::from_ed_der(bytes)) } else { Err("it is no Ed25519 key".to_owned()) }
}

/// Reads a secret that both sides have: its bytes as they stand, or those of a JWK (`kty` `oct`).
///
/// # Errors
/// A JWK that is for something else.
pub(super) fn shared(algorithm: Algorithm, text: &str) -> Result<Wiped, String> {
    #[derive(Deserialize)]
    struct Oct {
        kty: String,
        k: Number,
        #[serde(default)]
        alg: Option<String>,
        #[serde(default, rename = "use")]
        purpose: Option<String>,
    }
    // Any other text that begins so is a secret like all the others.
    match serde_json::from_str::<Oct>(text)
        .ok()
        .filter(|oct| text.trim_start().starts_with('{') && oct.kty == "oct")
    {
        None => Ok(Zeroizing::new(text.as_bytes().to_vec())),
        Some(Oct { alg: Some(alg), .. }) if alg != algorithm.word() => {
            Err(format!("the JWK is for {alg}, not for {}", algorithm.word()))
        }
        Some(Oct { purpose: Some(purpose), .. }) if purpose != "sig" => {
            Err("the JWK says that it is not for signatures".to_owned())
        }
        Some(oct) => Ok(oct.k.0),
    }
}

/// Reads the private half of a pair, as the crypto library wants it.
///
/// # Errors
/// It is no private key of the algorithm.
pub(super) fn private(algorithm: Algorithm, text: &str) -> Result<Wiped, String> {
    let Some(family) = Family::of(algorithm) else {
        return Err(format!("{} takes a secret, no private key", algorithm.word()));
    };
    let text = text.trim();
    if text.starts_with('{') {
        let jwk = jwk(text, algorithm, family, "sign")?;
        let d = number(jwk.d.as_ref(), "d: it is the public half")?;
        return Ok(match family {
            Family::Rsa => {
                let all = [&jwk.n, &jwk.e, &jwk.d, &jwk.p, &jwk.q, &jwk.dp, &jwk.dq, &jwk.qi];
                let names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
                let numbers: Result<Vec<Wiped>, String> = all
                    .into_iter()
                    .zip(names)
                    .map(|(one, name)| number(one.as_ref(), name).cloned())
                    .collect();
                der::rsa_private(&numbers?)
            }
            Family::P256 | Family::P384 => der::ec_private(family == Family::P256, d, &point(&jwk, family)?),
            Family::Ed25519 => der::ed25519_private(d),
        });
    }
    if text.contains("ENCRYPTED") {
        return Err("it is encrypted: `openssl pkcs8` without -v2 takes the passphrase away".to_owned());
    }
    if let Some(der) = sec1(text) {
        return ec(family, &der).ok_or_else(|| format!("{} wants {}", algorithm.word(), family.word()));
    }
    let read = match family {
        Family::Rsa => EncodingKey::from_rsa_pem(text.as_bytes()),
        Family::P256 | Family::P384 => EncodingKey::from_ec_pem(text.as_bytes()),
        Family::Ed25519 => EncodingKey::from_ed_pem(text.as_bytes()),
    };
    let read =
        read.map_err(|_| format!("it is neither PEM nor JWK of {} with its private half", family.word()))?;
    Ok(Zeroizing::new(read.as_bytes().to_vec()))
}

/// The DER of a private key as `openssl ecparam -genkey` writes it (SEC 1, RFC 5915), behind the
/// parameters of its curve, if they are there.
fn sec1(text: &str) -> Option<Wiped> {
    let (_, rest) = text.split_once("-----BEGIN EC PRIVATE KEY-----")?;
    let (inner, _) = rest.split_once("-----END EC PRIVATE KEY-----")?;
    let inner: Zeroizing<String> = Zeroizing::new(inner.split_ascii_whitespace().collect());
    STANDARD.decode(inner.as_bytes()).ok().map(Zeroizing::new)
}

/// Such a key as PKCS #8; `None` where it is on another curve.
fn ec(family: Family, der: &[u8]) -> Option<Wiped> {
    let curve = match family {
        Family::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Family::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Family::Rsa | Family::Ed25519 => return None,
    };
    let pair = EcdsaKeyPair::from_private_key_der(curve, der).ok()?;
    Some(Zeroizing::new(pair.to_pkcs8v1().ok()?.as_ref().to_vec()))
}

/// A private key for signing.
pub(super) fn signer(algorithm: Algorithm, der: &[u8]) -> EncodingKey {
    match Family::of(algorithm) {
        None => EncodingKey::from_secret(der),
        Some(Family::Rsa) => EncodingKey::from_rsa_der(der),
        Some(Family::P256 | Family::P384) => EncodingKey::from_ec_der(der),
        Some(Family::Ed25519) => EncodingKey::from_ed_der(der),
    }
}

/// The same in the crypto library's words.
pub(super) fn translated(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    use jsonwebtoken::Algorithm as Their;
    match algorithm {
        Algorithm::HS256 => Their::HS256,
        Algorithm::HS384 => Their::HS384,
        Algorithm::HS512 => Their::HS512,
        Algorithm::RS256 => Their::RS256,
        Algorithm::RS384 => Their::RS384,
        Algorithm::RS512 => Their::RS512,
        Algorithm::PS256 => Their::PS256,
        Algorithm::PS384 => Their::PS384,
        Algorithm::PS512 => Their::PS512,
        Algorithm::ES256 => Their::ES256,
        Algorithm::ES384 => Their::ES384,
        Algorithm::EdDSA => Their::EdDSA,
    }
}
