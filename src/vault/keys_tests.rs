use super::super::tests::of;
use super::*;

fn new(kind: KeyKind, secret: &str) -> NewKey {
    NewKey {
        name: "acme".into(),
        kind,
        user: None,
        secret: Some(Secret::new(secret.to_owned())),
        public: None,
        private: None,
    }
}

const LONG: &str = "a secret of at least thirty-two bytes";

#[test]
fn secrets_are_sealed_or_hashed_and_come_back_as_keys_that_check() {
    let vault = of(1);
    let jwt = vault.prepare(&new(KeyKind::Jwt(Algorithm::HS256), LONG), 7, 1).unwrap();
    let api = vault.prepare(&NewKey { name: "api".into(), ..new(KeyKind::ApiKey, LONG) }, 8, 1).unwrap();
    let basic = NewKey { name: "pw".into(), user: Some("shop".into()), ..new(KeyKind::Basic, LONG) };
    let basic = vault.prepare(&basic, 9, 1).unwrap();
    for row in [&jwt, &api, &basic] {
        let all = [row.cipher.clone().unwrap_or_default(), row.hash.clone().unwrap_or_default()].concat();
        assert!(!all.windows(8).any(|part| LONG.as_bytes().windows(8).any(|other| other == part)));
        assert!(!format!("{row:?}").contains("secret"));
    }
    vault.load(&[jwt.clone(), api.clone(), basic]);
    let ring = vault.ring();
    let key = ring.get("acme").unwrap();
    let signature = key.sign(b"a.b").unwrap();
    assert!(key.signed(b"a.b", &signature) && !key.signed(b"a.c", &signature));
    assert!(!format!("{key:?}{ring:?}").contains("secret of"));
    assert!(ring.get("api").unwrap().is(None, LONG.as_bytes()));
    assert!(!ring.get("api").unwrap().is(None, &LONG.as_bytes()[1..]));
    assert!(!ring.get("api").unwrap().is(Some(b"u"), LONG.as_bytes()));
    let pw = ring.get("pw").unwrap();
    assert!(
        pw.is(Some(b"shop"), LONG.as_bytes())
            && !pw.is(Some(b"sho"), LONG.as_bytes())
            && !pw.is(None, LONG.as_bytes())
    );
    // Hashes are salted.
    let again = vault.prepare(&NewKey { name: "api".into(), ..new(KeyKind::ApiKey, LONG) }, 8, 1).unwrap();
    assert_ne!(again.hash, api.hash);
    // Another key file, and another row.
    for (vault, row) in [(of(2), jwt.clone()), (of(1), Credential { id: 8, ..jwt.clone() })] {
        vault.load(&[row]);
        let ring = vault.ring();
        let key = ring.get("acme").unwrap();
        assert!(key.closed().is_some() && !key.signed(b"a.b", &signature) && key.sign(b"a").is_none());
    }
    let other = of(2);
    other.load(&[api]);
    assert!(!other.ring().get("api").unwrap().is(None, LONG.as_bytes()), "the key file is in the hash");
}

#[test]
fn an_hs_secret_has_32_bytes_at_least() {
    let vault = of(1);
    let add = |len: usize| vault.prepare(&new(KeyKind::Jwt(Algorithm::HS512), &"x".repeat(len)), 1, 1);
    assert!(add(MIN_HS_SECRET).is_ok());
    let why = add(MIN_HS_SECRET - 1).unwrap_err();
    assert_eq!(why, "the secret has 31 bytes: HS512 wants at least 32");
    assert!(vault.prepare(&new(KeyKind::ApiKey, ""), 1, 1).unwrap_err().contains("empty"));
    assert!(vault.prepare(&new(KeyKind::Basic, "x"), 1, 1).unwrap_err().contains("--user"));
}

#[test]
fn generated_secrets_fit_and_differ() {
    let vault = of(1);
    for kind in [
        KeyKind::Jwt(Algorithm::HS256),
        KeyKind::Jwt(Algorithm::HS384),
        KeyKind::Jwt(Algorithm::HS512),
        KeyKind::ApiKey,
        KeyKind::Secret,
    ] {
        let (one, other) = (generate(kind).unwrap(), generate(kind).unwrap());
        assert_ne!(one.reveal(), other.reveal());
        assert!(one.reveal().len() >= 43 && !format!("{one:?}").contains(one.reveal()));
        vault.prepare(&new(kind, one.reveal()), 1, 1).unwrap();
    }
    for kind in [KeyKind::Jwt(Algorithm::ES256), KeyKind::Ed25519] {
        assert!(generate(kind).unwrap_err().contains("--public-key"));
    }
}

#[test]
fn a_signing_secret_is_read_as_it_is_meant() {
    let key = |secret: &str| of(1).loose(&new(KeyKind::Secret, secret)).unwrap();
    let plain = |secret: &str, reading| key(secret).mac(reading, MacAlgorithm::Sha256, &[b"a", b"b"]);
    let wanted = plain("secret", Reading::AsIs).unwrap();
    assert_eq!(wanted.len(), 32);
    for (secret, reading) in [
        ("whsec_c2VjcmV0", Reading::Standard),
        ("secret", Reading::Standard),
        ("whsec_c2VjcmV0", Reading::Base64),
        ("c2VjcmV0", Reading::Base64),
        ("736563726574", Reading::Hex),
        (" secret\n", Reading::Trimmed),
    ] {
        assert_eq!(plain(secret, reading).as_deref(), Some(&wanted[..]), "{secret} {reading:?}");
    }
    assert_eq!(plain("secret", Reading::WithNewline), plain("secret\n", Reading::AsIs));
    // Nobody signs under an empty secret.
    assert_eq!(plain("whsec_", Reading::Standard), None);
    assert_eq!(plain("whsec_?", Reading::Standard), None);
    let lengths = [(MacAlgorithm::Sha1, 20), (MacAlgorithm::Sha384, 48), (MacAlgorithm::Sha512, 64)];
    for (algorithm, len) in lengths {
        assert_eq!(key("secret").mac(Reading::AsIs, algorithm, &[b"x"]).unwrap().len(), len);
    }
}

#[test]
fn a_use_is_worth_a_write_once_a_minute() {
    let key = of(1).loose(&new(KeyKind::ApiKey, "x")).unwrap();
    assert_eq!(key.used(), None);
    assert!(key.touch(1_000_000) && !key.touch(1_000_000) && !key.touch(1_059_999) && key.touch(1_060_000));
    assert_eq!(key.used(), Some(1_060_000));
}

/// Pairs made by the library, in the forms that people have.
fn pairs() -> Vec<(Algorithm, String, String)> {
    use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair as _,
    };
    let pem = |label: &str, der: &[u8]| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    };
    let random = SystemRandom::new();
    let (mut all, mut old) = (Vec::new(), Vec::new());
    for (algorithm, signing) in [
        (Algorithm::ES256, &ECDSA_P256_SHA256_FIXED_SIGNING),
        (Algorithm::ES384, &ECDSA_P384_SHA384_FIXED_SIGNING),
    ] {
        let private = EcdsaKeyPair::generate_pkcs8(signing, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(signing, private.as_ref()).unwrap();
        let public = pair.public_key().as_der().unwrap();
        all.push((algorithm, pem("PUBLIC KEY", public.as_ref()), pem("PRIVATE KEY", private.as_ref())));
        // The same as a JWK.
        let point = pair.public_key().as_ref();
        let size = (point.len() - 1) / 2;
        let d = pair.private_key().as_be_bytes_of(size);
        let jwk = |d: Option<&[u8]>| {
            let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            let crv = if size == 32 { "P-256" } else { "P-384" };
            let mut jwk = serde_json::json!({"kty": "EC", "crv": crv, "x": part(&point[1..=size]), "y": part(&point[1 + size..])});
            if let Some(d) = d {
                jwk["d"] = part(d).into();
            }
            jwk.to_string()
        };
        all.push((algorithm, jwk(None), jwk(Some(&d))));
        // As openssl writes it, the parameters of the curve first; they are not looked at.
        let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
        let sec1 = pem("EC PARAMETERS", &[6, 0]) + &pem("EC PRIVATE KEY", sec1.as_ref());
        old.push((algorithm, pem("PUBLIC KEY", public.as_ref()), sec1));
    }
    let private = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).unwrap();
    let public = pair.public_key().as_der().unwrap();
    all.push((Algorithm::EdDSA, pem("PUBLIC KEY", public.as_ref()), pem("PRIVATE KEY", private.as_ref())));
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let d = URL_SAFE_NO_PAD.encode(pair.seed().unwrap().as_be_bytes_of(32));
    all.push((
        Algorithm::EdDSA,
        serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": x}).to_string(),
        serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": x, "d": d}).to_string(),
    ));
    all.append(&mut old);
    all
}

trait Bytes {
    fn as_be_bytes_of(&self, size: usize) -> Vec<u8>;
}

impl Bytes for aws_lc_rs::signature::EcdsaPrivateKey<'_> {
    fn as_be_bytes_of(&self, size: usize) -> Vec<u8> {
        use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
        let bytes: EcPrivateKeyBin<'_> = self.as_be_bytes().unwrap();
        let bytes = bytes.as_ref();
        [&vec![0; size - bytes.len()][..], bytes].concat()
    }
}

impl Bytes for aws_lc_rs::signature::Ed25519Seed<'_> {
    fn as_be_bytes_of(&self, _: usize) -> Vec<u8> {
        use aws_lc_rs::encoding::{AsBigEndian as _, Curve25519SeedBin};
        let bytes: Curve25519SeedBin<'_> = self.as_be_bytes().unwrap();
        bytes.as_ref().to_vec()
    }
}

fn pair(algorithm: Algorithm, public: &str, private: Option<&str>) -> Result<Key, String> {
    of(1).loose(&NewKey {
        secret: None,
        public: Some(public.to_owned()),
        private: private.map(|private| Secret::new(private.to_owned())),
        ..new(KeyKind::Jwt(algorithm), "")
    })
}

#[test]
fn pairs_are_read_as_pem_and_as_jwk() {
    let [pairs, other] = [(); 2].map(|()| pairs());
    for (algorithm, public, private) in &pairs {
        let key =
            pair(*algorithm, public, Some(private)).unwrap_or_else(|why| panic!("{algorithm:?}: {why}"));
        let signature = key.sign(b"a.b").unwrap();
        let checks = pair(*algorithm, public, None).unwrap();
        assert!(checks.signed(b"a.b", &signature) && !checks.signed(b"a.c", &signature));
        assert!(!checks.signs() && checks.sign(b"a").is_none());
        let why = pair(*algorithm, private, None).unwrap_err();
        assert!(why.contains("is a private key, and nothing of it was kept"), "{why}");
    }
    // What openssl writes is of one curve too.
    let [.., (_, public, sec1), _] = &pairs[..] else { panic!("there are several") };
    for (algorithm, public) in [(Algorithm::ES384, &pairs[2].1), (Algorithm::EdDSA, &pairs[4].1)] {
        let why = pair(algorithm, public, Some(sec1)).unwrap_err();
        assert!(why.starts_with(&format!("the private key: {} wants", algorithm.word())), "{why}");
    }
    assert!(pair(Algorithm::ES256, &other[0].1, Some(sec1)).unwrap_err().contains("not of one pair"));
    assert!(pair(Algorithm::ES256, public, Some(&sec1.replace("MHc", "MHd"))).is_err());
    // Of another pair, of another curve, of another family.
    assert!(pair(Algorithm::ES256, &pairs[0].1, Some(&other[0].2)).unwrap_err().contains("not of one pair"));
    for (algorithm, public) in [
        (Algorithm::ES384, &pairs[0].1),
        (Algorithm::ES384, &pairs[1].1),
        (Algorithm::ES256, &pairs[2].1),
        (Algorithm::RS256, &pairs[0].1),
        (Algorithm::EdDSA, &pairs[0].1),
        (Algorithm::ES256, &"nonsense".to_owned()),
        (Algorithm::ES256, &"{}".to_owned()),
    ] {
        assert!(pair(algorithm, public, None).is_err(), "{algorithm:?} {public}");
    }
    // A secret is no pair, and a point that is on no curve no key.
    assert!(pair(Algorithm::HS256, &pairs[0].1, None).is_err());
    let off = r#"{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}"#;
    assert!(pair(Algorithm::ES256, off, None).is_err());
}

#[test]
fn an_ed25519_key_checks_bodies() {
    let (_, public, private) = &pairs()[4];
    let signs = pair(Algorithm::EdDSA, public, Some(private)).unwrap();
    let signature = signs.sign(b"msg_1.1.{}").unwrap();
    let loose = |public: &str| {
        of(1).loose(&NewKey { secret: None, public: Some(public.to_owned()), ..new(KeyKind::Ed25519, "") })
    };
    assert!(loose(public).unwrap().signed(b"msg_1.1.{}", &signature));
    let (_, jwk, _) = &pairs()[5];
    let x: serde_json::Value = serde_json::from_str(jwk).unwrap();
    let raw = URL_SAFE_NO_PAD.decode(x["x"].as_str().unwrap()).unwrap();
    assert!(loose(&format!("whpk_{}", STANDARD.encode(&raw))).is_ok());
    assert!(loose("whpk_AAAA").is_err());
}

#[test]
fn a_key_of_the_environment_is_hex_or_base64() {
    let hex = "01".repeat(32);
    let plain = Vault::with_key(&hex).unwrap();
    let place = Place { table: "t", row: b"", column: "c" };
    let blob = plain.seal(place, b"x").unwrap();
    for same in [format!(" {hex}\n"), STANDARD.encode([1; 32]), URL_SAFE_NO_PAD.encode([1; 32])] {
        assert_eq!(&**Vault::with_key(&same).unwrap().unseal(place, &blob).unwrap(), b"x");
    }
    assert!(plain.given() && !of(1).given());
    for wrong in ["", "01", &"0g".repeat(32), &STANDARD.encode([1; 31])] {
        assert!(Vault::with_key(wrong).is_err(), "{wrong}");
    }
}
