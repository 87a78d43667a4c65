//! How digests are spelt.

use crate::model::auth::Encoding;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Reads a digest; hex in either case.
pub(super) fn read(text: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Hex => from_hex(text),
        Encoding::Base64 => STANDARD.decode(text).ok(),
        Encoding::Base64Url => {
            let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |at| at + 1);
            URL_SAFE_NO_PAD.decode(&text[..end]).ok()
        }
    }
    .filter(|digest| !digest.is_empty())
}

/// Spells a digest.
pub(super) fn write(digest: &[u8], encoding: Encoding) -> String {
    match encoding {
        Encoding::Hex => to_hex(digest),
        Encoding::Base64 => STANDARD.encode(digest),
        Encoding::Base64Url => URL_SAFE_NO_PAD.encode(digest),
    }
}

/// Two digits a byte, in either case.
pub(super) fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Two digits a byte.
fn to_hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::with_capacity(digest.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
