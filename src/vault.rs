//! Keys, sealing, masking: the only code that sees a secret in plain.
//!
//! Everything secret hangs on one key: a file in the data folder, or what the environment gives
//! ([`KEY_VARIABLE`]). From it each use derives its own
//! key, so no use can stand in for another. Nothing in here prints, and nothing that holds a
//! secret can be printed.

mod der;
mod guard;
pub mod keys;
pub mod mask;
mod material;
pub mod memory;
pub mod seal;
pub mod tokens;
mod values;

use crate::model::{CallbackId, RequestId};
use aws_lc_rs::aead::LessSafeKey;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use guard::Guarded;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keys::Ring;
use memory::Memory;
use sha2::{Digest as _, Sha256};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::{Arc, RwLock};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The key file's name in the data folder.
pub const KEY_FILE: &str = "key";
const KEY_BYTES: usize = 32;
/// Bytes of a token: the callback's id, masked, and the secret.
const TOKEN_BYTES: usize = 8 + 32;
/// Characters of a token.
pub const TOKEN_CHARS: usize = (TOKEN_BYTES * 4).div_ceil(3);

/// Bytes of a status URL's key.
const STATUS_BYTES: usize = 16;

/// The environment's variable that gives the key in place of the file: 64 hex digits, or base64 of
/// 32 bytes.
pub const KEY_VARIABLE: &str = "POINTSMAN_KEY";

/// The data folder's keys, and those of senders: cheap to clone, and without `Debug`.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<Keys>,
    ring: Arc<RwLock<Arc<Ring>>>,
    /// Credentials of senders as they were stored a moment ago.
    guarded: Arc<Memory<Guarded>>,
}

/// Keyed and ready, so that a use costs no key schedule.
struct Keys {
    callback: Hmac<Sha256>,
    token: Hmac<Sha256>,
    fingerprint: Hmac<Sha256>,
    status: Hmac<Sha256>,
    password: Hmac<Sha256>,
    /// Tells one key from another; says nothing about it.
    id: [u8; seal::KEY_ID],
    seal: LessSafeKey,
    /// Given by the environment, not kept in a file.
    given: bool,
}

impl Vault {
    /// Opens a data folder's key file, or makes it: 32 random bytes, mode 0600, whole or not at
    /// all. The folder is made with mode 0700 where it is missing.
    ///
    /// # Errors
    /// The folder or file cannot be made or read; the file is no key, or others may read it. The
    /// message says what to do.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| told(folder, &error))?;
        let path = folder.join(KEY_FILE);
        let key = match read_key(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_key(folder, &path)?;
                // Whoever was first: two processes must not go on with two keys.
                read_key(&path)?
            }
            found => found?,
        };
        Self::from_key(&key, false)
    }

    /// Whether the key was given by the environment, and is in no file.
    #[must_use]
    pub fn given(&self) -> bool {
        self.keys.given
    }

    fn from_key(key: &[u8; KEY_BYTES], given: bool) -> io::Result<Self> {
        let keys = Keys {
            callback: derived(key, b"pointsman callback 1"),
            token: derived(key, b"pointsman token 1"),
            fingerprint: derived(key, b"pointsman fingerprint 1"),
            status: derived(key, b"pointsman status 1"),
            password: derived(key, b"pointsman password 1"),
            id: first(&sum(&derived(key, b"pointsman key id 1"), b"")),
            seal: seal::key(&Zeroizing::new(sum(&derived(key, b"pointsman seal 1"), b"")))?,
            given,
        };
        Ok(Self { keys: Arc::new(keys), ring: Arc::default(), guarded: Arc::default() })
    }

    /// With a key that the environment gave ([`KEY_VARIABLE`]); no file is read or made.
    ///
    /// # Errors
    /// The text is neither 64 hex digits nor base64 of 32 bytes.
    pub fn with_key(text: &str) -> io::Result<Self> {
        let text = text.trim();
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let hex = text.len() == 2 * KEY_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let read = if hex {
            (0..KEY_BYTES).all(|at| match u8::from_str_radix(&text[2 * at..2 * at + 2], 16) {
                Ok(byte) => {
                    key[at] = byte;
                    true
                }
                Err(_) => false,
            })
        } else {
            let decoded = STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).map(Zeroizing::new);
            decoded.is_ok_and(|bytes| {
                bytes.len() == KEY_BYTES && {
                    key.copy_from_slice(&bytes);
                    true
                }
            })
        };
        let wrong =
            "it is no key: 64 hex digits are one, or base64 of 32 bytes; `openssl rand -hex 32` makes one";
        if read {
            Self::from_key(&key, true)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, wrong))
        }
    }

    /// The secret part of a callback's token: an HMAC-SHA-256 of its id.
    #[must_use]
    pub fn callback_secret(&self, id: CallbackId) -> [u8; 32] {
        sum(&self.keys.callback, &id.0.to_be_bytes())
    }

    /// SHA-256 of the secret part: what the store keeps, so that nothing in it can be used as a token.
    #[must_use]
    pub fn callback_hash(&self, id: CallbackId) -> [u8; 32] {
        Sha256::digest(self.callback_secret(id)).into()
    }

    /// The last part of a callback's URL: base64url of 8 masked bytes that find the callback and
    /// 32 secret ones; [`TOKEN_CHARS`] characters. The id's integer cannot be read from it.
    #[must_use]
    pub fn callback_token(&self, id: CallbackId) -> String {
        let secret = self.callback_secret(id);
        let mut token = [0; TOKEN_BYTES];
        let (head, tail) = token.split_at_mut(8);
        head.copy_from_slice(&(id.0 ^ self.token_mask(&secret)).to_be_bytes());
        tail.copy_from_slice(&secret);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The callback that a token names, and the SHA-256 of its secret part, to be compared with
    /// the stored one. `None` where this vault did not make the token: no read is needed then.
    #[must_use]
    pub fn read_token(&self, token: &str) -> Option<(CallbackId, [u8; 32])> {
        let mut bytes = [0; TOKEN_BYTES];
        if token.len() != TOKEN_CHARS || URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()? != TOKEN_BYTES
        {
            return None;
        }
        let (head, secret) = bytes.split_first_chunk::<8>()?;
        let id = CallbackId(i64::from_be_bytes(*head) ^ self.token_mask(secret));
        same(&self.callback_secret(id), secret).then(|| (id, Sha256::digest(secret).into()))
    }

    /// A synthetic mask: it hangs on the secret, which is another for each callback.
    fn token_mask(&self, secret: &[u8]) -> i64 {
        let sum = sum(&self.keys.token, secret);
        sum.first_chunk::<8>().map_or(0, |bytes| i64::from_be_bytes(*bytes))
    }

    /// The key in a request's status URL: base64url of 128 bits of an HMAC-SHA-256 of its id. Nothing
    /// in the store can be used as one.
    #[must_use]
    pub fn status_key(&self, request: RequestId) -> String {
        let sum = sum(&self.keys.status, &request.0.to_be_bytes());
        URL_SAFE_NO_PAD.encode(&sum[..STATUS_BYTES])
    }

    /// Whether a text is the key of a request's status URL, compared in constant time.
    #[must_use]
    pub fn is_status_key(&self, request: RequestId, key: &str) -> bool {
        same(self.status_key(request).as_bytes(), key.as_bytes())
    }

    /// Six hex digits that tell one credential from another on a screen. Keyed, so nobody can
    /// guess at the credential with them.
    #[must_use]
    pub fn fingerprint(&self, secret: &[u8]) -> String {
        let sum = sum(&self.keys.fingerprint, secret);
        format!("{:02x}{:02x}{:02x}", sum[0], sum[1], sum[2])
    }
}

/// Whether two byte strings are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// A key for one use, from the folder's key (RFC 5869's expand step, one block).
fn derived(key: &[u8; KEY_BYTES], purpose: &[u8]) -> Hmac<Sha256> {
    let mut block = keyed(key);
    block.update(purpose);
    block.update(&[1]);
    keyed(&block.finalize().into_bytes().into())
}

fn keyed(key: &[u8; KEY_BYTES]) -> Hmac<Sha256> {
    // HMAC takes a key of its block's length as it is: 32 bytes and zeros are the same key.
    let mut block = [0; 64];
    block[..KEY_BYTES].copy_from_slice(key);
    Hmac::new(&block.into())
}

fn sum(key: &Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    let mut mac = key.clone();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn first(sum: &[u8; 32]) -> [u8; seal::KEY_ID] {
    let mut first = [0; seal::KEY_ID];
    first.copy_from_slice(&sum[..seal::KEY_ID]);
    first
}

fn read_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut file = File::open(path).map_err(|error| told(path, &error))?;
    let meta = file.metadata()?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("others may read the key file {0}: run `chmod 600 {0}`", path.display()),
        ));
    }
    let mut key = [0; KEY_BYTES];
    if meta.len() != KEY_BYTES as u64 || file.read_exact(&mut key).is_err() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "{} has {} bytes and is no key file (one has {KEY_BYTES}): put the right one back; \
                 callbacks that are under way can only be answered with it, and senders' keys only be opened",
                path.display(),
                meta.len()
            ),
        ));
    }
    Ok(key)
}

/// Writes a fresh key beside its place and links it there: it is whole or not there, and one that
/// another process made meanwhile stays.
fn make_key(folder: &Path, path: &Path) -> io::Result<()> {
    let mut random = [0; KEY_BYTES + 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let (key, suffix) = random.split_at(KEY_BYTES);
    let beside = folder.join(format!("{KEY_FILE}.{}", URL_SAFE_NO_PAD.encode(suffix)));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(key)?;
        file.sync_all()?;
        match fs::hard_link(&beside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            // A file system without hard links: a rename is as whole, but the last one wins.
            Err(_) if !path.exists() => fs::rename(&beside, path),
            done => done,
        }
    })();
    let _ = fs::remove_file(&beside);
    written.map_err(|error| told(path, &error))?;
    File::open(folder)?.sync_all()
}

/// An error with the path it is about.
fn told(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
