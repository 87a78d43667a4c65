//! What must be recoverable is kept sealed: AES-256-GCM-SIV (RFC 8452) with a random nonce, which
//! does no harm should it ever come twice; the id of the sealing key is in the blob, and the place
//! that it is kept in is bound to it, so that it opens nowhere else.

use super::Vault;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use std::io;
use zeroize::{Zeroize as _, Zeroizing};

/// The first byte of a blob: how the rest is read.
const FORM: u8 = 1;
const NONCE: usize = NONCE_LEN;
/// Bytes of the sealing key's id.
pub(super) const KEY_ID: usize = 4;

/// The place of a sealed value: its table, its row and its column.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// The table.
    pub table: &'p str,
    /// What tells the row from others.
    pub row: &'p [u8],
    /// The column.
    pub column: &'p str,
}

impl Place<'_> {
    /// Its parts, each with its length before it: no two places are one.
    fn bytes(self) -> Vec<u8> {
        let mut all = Vec::with_capacity(24 + self.table.len() + self.row.len() + self.column.len());
        for part in [self.table.as_bytes(), self.row, self.column.as_bytes()] {
            all.extend_from_slice(&(part.len() as u64).to_be_bytes());
            all.extend_from_slice(part);
        }
        all
    }
}

/// The key that seals, made once.
pub(super) fn key(secret: &[u8; 32]) -> io::Result<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM_SIV, secret);
    key.map(LessSafeKey::new).map_err(|_| io::Error::other("the crypto library takes no key"))
}

impl Vault {
    /// Seals a value for its place.
    ///
    /// # Errors
    /// The system gives no random bits.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, String> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| format!("the system gives no random bits: {error}"))?;
        let mut blob = Vec::with_capacity(1 + KEY_ID + NONCE + plain.len() + MAX_TAG_LEN);
        blob.push(FORM);
        blob.extend_from_slice(&self.keys.id);
        blob.extend_from_slice(&nonce);
        blob.extend_from_slice(plain);
        let tag = self.keys.seal.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.bytes()),
            &mut blob[1 + KEY_ID + NONCE..],
        );
        let Ok(tag) = tag else {
            blob.zeroize();
            return Err("it is too long to be sealed".to_owned());
        };
        blob.extend_from_slice(tag.as_ref());
        Ok(blob)
    }

    /// Opens a value at its place.
    ///
    /// # Errors
    /// It was sealed under another key, or was changed, or belongs elsewhere.
    pub fn unseal(&self, place: Place<'_>, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let cut = || "it is cut short".to_owned();
        let (head, sealed) = blob.split_at_checked(1 + KEY_ID + NONCE).ok_or_else(cut)?;
        let (form, rest) = head.split_first().ok_or_else(cut)?;
        let (id, nonce) = rest.split_at(KEY_ID);
        if *form != FORM {
            return Err("it is sealed in a way that this version does not know".to_owned());
        }
        if id != self.keys.id {
            let hex = |id: &[u8]| u32::from_be_bytes(id.try_into().unwrap_or_default());
            return Err(format!(
                "it is sealed under the key {:08x}, and the key here is {:08x}",
                hex(id),
                hex(&self.keys.id)
            ));
        }
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| cut())?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.keys.seal.open_in_place(nonce, Aad::from(place.bytes()), &mut plain);
        let len = opened.map_err(|_| "it was changed, or belongs to another row".to_owned())?.len();
        plain.truncate(len);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::of;
    use super::*;

    const PLACE: Place<'static> = Place { table: "credential", row: b"7", column: "cipher" };

    #[test]
    fn a_value_opens_at_its_place_and_under_its_key_alone() {
        let vault = of(1);
        let blob = vault.seal(PLACE, b"s3cret").unwrap();
        assert_eq!(&**vault.unseal(PLACE, &blob).unwrap(), b"s3cret");
        assert!(!blob.windows(6).any(|part| part == b"s3cret"));
        assert_ne!(blob, vault.seal(PLACE, b"s3cret").unwrap(), "another nonce each time");
        for place in [
            Place { table: "value", ..PLACE },
            Place { row: b"8", ..PLACE },
            Place { column: "hash", ..PLACE },
            Place { table: "credential7", row: b"", ..PLACE },
        ] {
            assert!(vault.unseal(place, &blob).unwrap_err().contains("another row"), "{place:?}");
        }
        assert!(of(2).unseal(PLACE, &blob).unwrap_err().contains("sealed under the key"));
        for at in 0..blob.len() {
            let mut forged = blob.clone();
            forged[at] ^= 1;
            assert!(vault.unseal(PLACE, &forged).is_err(), "byte {at}");
            assert!(vault.unseal(PLACE, &blob[..at]).is_err(), "cut at {at}");
        }
    }
}
