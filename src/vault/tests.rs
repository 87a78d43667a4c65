use super::*;
use std::collections::HashSet;

pub(super) fn of(byte: u8) -> Vault {
    Vault::from_key(&[byte; KEY_BYTES], false).unwrap()
}

#[test]
fn the_key_file_is_made_once_and_for_the_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("a/data");
    let first = Vault::open(&data).unwrap();
    let again = Vault::open(&data).unwrap();
    assert_eq!(first.callback_token(CallbackId(5)), again.callback_token(CallbackId(5)));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join(KEY_FILE))), (0o700, 0o600));
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "nothing is left beside the key");
}

#[test]
fn processes_that_start_at_once_get_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let tokens: HashSet<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| Vault::open(folder.path()).unwrap().callback_token(CallbackId(1))))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(tokens.len(), 1);
}

#[test]
fn a_key_file_that_is_none_or_open_to_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(KEY_FILE);
    Vault::open(folder.path()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = Vault::open(folder.path()).err().unwrap();
    assert!(error.to_string().contains("chmod 600"), "{error}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    for wrong in [&b"short"[..], &[7; 33], b""] {
        fs::write(&path, wrong).unwrap();
        let error = Vault::open(folder.path()).err().unwrap();
        assert!(error.to_string().contains("no key file"), "{error}");
    }
}

#[test]
fn a_token_reads_back_and_shows_no_integer() {
    let vault = of(1);
    let mut heads = HashSet::new();
    for raw in [0, 1, 2, i64::MAX, 0x0123_4567_89ab_cdef] {
        let id = CallbackId(raw);
        let token = vault.callback_token(id);
        assert_eq!(token.len(), TOKEN_CHARS);
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert_eq!(vault.read_token(&token), Some((id, vault.callback_hash(id))));
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        assert_ne!(bytes[..8], raw.to_be_bytes());
        assert_eq!(bytes[8..], vault.callback_secret(id));
        heads.insert(bytes[..6].to_vec());
    }
    assert_eq!(heads.len(), 5, "neighbours look nothing alike");
}

#[test]
fn a_token_of_another_key_or_with_another_bit_is_unknown() {
    let vault = of(1);
    let token = vault.callback_token(CallbackId(77));
    assert!(of(2).read_token(&token).is_none());
    let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut forged = bytes.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert!(vault.read_token(&URL_SAFE_NO_PAD.encode(forged)).is_none(), "bit {bit}");
    }
    for wrong in ["", "x", "é", &token[1..], &format!("{token}A"), &format!("{token}=")] {
        assert!(vault.read_token(wrong).is_none(), "{wrong}");
    }
    // 40 bytes end in two bits that mean nothing: another spelling of them is no token.
    let last = token.chars().last().unwrap();
    for other in ('A'..='Z').filter(|other| *other != last) {
        let respelt = format!("{}{other}", &token[..TOKEN_CHARS - 1]);
        assert!(vault.read_token(&respelt).is_none(), "{respelt}");
    }
}

#[test]
fn the_hash_is_of_the_secret_and_not_of_the_id() {
    let vault = of(3);
    let secret = vault.callback_secret(CallbackId(9));
    assert_eq!(vault.callback_hash(CallbackId(9)), <[u8; 32]>::from(Sha256::digest(secret)));
    assert_ne!(secret, of(4).callback_secret(CallbackId(9)));
}

#[test]
fn hmac_is_the_one_of_rfc_4231() {
    // Test case 2 uses a key of 4 bytes: padded with zeros to 32 it is the same HMAC key.
    let mut key = [0; KEY_BYTES];
    key[..4].copy_from_slice(b"Jefe");
    let sum = sum(&keyed(&key), b"what do ya want for nothing?");
    assert_eq!(sum[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    assert_eq!(sum[28..], [0x64, 0xec, 0x38, 0x43]);
}

#[test]
fn comparison_sees_length_and_content() {
    assert!(same(b"abc", b"abc") && same(b"", b""));
    assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab"));
}

#[test]
fn a_status_key_is_of_its_request_and_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    let other = tempfile::tempdir().unwrap();
    let stranger = Vault::open(other.path()).unwrap();
    let (one, two) = (RequestId(1), RequestId(2));
    let key = vault.status_key(one);
    assert_eq!(key.len(), 22, "128 bits in base64url");
    assert!(vault.is_status_key(one, &key) && Vault::open(folder.path()).unwrap().is_status_key(one, &key));
    for wrong in [
        vault.status_key(two),
        stranger.status_key(one),
        String::new(),
        key[..21].to_owned(),
        format!("{key}A"),
    ] {
        assert!(!vault.is_status_key(one, &wrong), "{wrong}");
    }
    // It says nothing of a callback's token that has the same integer.
    assert!(!vault.callback_token(CallbackId(1)).contains(&key));
}
