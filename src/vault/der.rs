//! As much of DER (X.690) as keys need: private keys of a JWK are written as the forms that the
//! crypto library reads.

use zeroize::Zeroizing;

/// Bytes that are wiped when they are let go.
pub(super) type Wiped = Zeroizing<Vec<u8>>;

const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// Tag, length, value.
fn tagged(tag: u8, parts: &[&[u8]]) -> Wiped {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(len + 6));
    out.push(tag);
    let bytes = len.to_be_bytes();
    let short = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1)..];
    match short {
        [one] if *one < 0x80 => out.push(*one),
        _ => {
            out.push(0x80 | u8::try_from(short.len()).unwrap_or(8));
            out.extend_from_slice(short);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

fn sequence(parts: &[&[u8]]) -> Wiped {
    tagged(0x30, parts)
}

/// A number that is not negative.
fn integer(bytes: &[u8]) -> Wiped {
    let at = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let bytes = &bytes[at..];
    match bytes.first() {
        None => tagged(0x02, &[&[0]]),
        Some(first) if *first >= 0x80 => tagged(0x02, &[&[0], bytes]),
        Some(_) => tagged(0x02, &[bytes]),
    }
}

/// `RSAPublicKey` (RFC 8017, A.1.1).
pub(super) fn rsa_public(n: &[u8], e: &[u8]) -> Wiped {
    sequence(&[&integer(n), &integer(e)])
}

/// `RSAPrivateKey` (RFC 8017, A.1.2): `n e d p q dp dq qi`.
pub(super) fn rsa_private(numbers: &[Wiped]) -> Wiped {
    let numbers: Vec<Wiped> =
        std::iter::once(integer(&[])).chain(numbers.iter().map(|number| integer(number))).collect();
    let parts: Vec<&[u8]> = numbers.iter().map(|number| number.as_slice()).collect();
    sequence(&parts)
}

/// PKCS #8 around an EC key (RFC 5915): the number and the public point.
pub(super) fn ec_private(p256: bool, d: &[u8], point: &[u8]) -> Wiped {
    let curve = if p256 { P256 } else { P384 };
    let bits = tagged(0x03, &[&[0], point]);
    let key = sequence(&[&integer(&[1]), &tagged(0x04, &[d]), &tagged(0xa1, &[&bits])]);
    sequence(&[&integer(&[]), &sequence(&[EC_PUBLIC_KEY, curve]), &tagged(0x04, &[&key])])
}

/// PKCS #8 around an Ed25519 seed (RFC 8410).
pub(super) fn ed25519_private(seed: &[u8]) -> Wiped {
    let inner = tagged(0x04, &[seed]);
    sequence(&[&integer(&[]), &sequence(&[ED25519]), &tagged(0x04, &[&inner])])
}

/// Bits of the modulus of an `RSAPublicKey`.
pub(super) fn rsa_bits(der: &[u8]) -> Option<usize> {
    let (0x30, body) = value(der)? else { return None };
    let (0x02, n) = value(body)? else { return None };
    let at = n.iter().position(|byte| *byte != 0)?;
    let n = &n[at..];
    Some(n.len() * 8 - usize::try_from(n.first()?.leading_zeros()).ok()?)
}

/// Tag and value of what stands first.
fn value(der: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (bytes, rest) = rest.split_at_checked(count)?;
        (bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), rest)
    };
    Some((*tag, rest.get(..len)?))
}
