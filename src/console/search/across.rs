//! Matches that cross drawn lines: of a text that was wrapped, and of bytes.

use crate::console::lines::Line;

/// Adds the lines in which a match of a wrapped text begins. `wanted` is in lower case.
pub(super) fn texts(wanted: &str, lines: &[Line], hits: &mut Vec<usize>) {
    let mut from = 0;
    while let Some(begin) = lines[from..].iter().position(|line| line.joins).map(|at| from + at) {
        let parts = 1 + lines[begin..].iter().take_while(|line| line.joins).count();
        let end = lines.len().min(begin + parts);
        let mut text = String::new();
        let mut begins = Vec::with_capacity(end - begin);
        for line in &lines[begin..end] {
            begins.push(text.len());
            text.push_str(&line.value.to_lowercase());
        }
        starts(text.as_bytes(), wanted.as_bytes(), &begins, begin, hits);
        from = end;
    }
}

/// Adds the lines in which a match of bytes begins: of a text, whatever its case, or of digits (`7b 22`).
pub(super) fn bytes(text: &str, lines: &[Line], hits: &mut Vec<usize>) {
    let Some(first) = lines.iter().position(|line| line.bytes.is_some()) else { return };
    let mut all = Vec::new();
    let mut begins = Vec::new();
    for bytes in lines[first..].iter().map_while(|line| line.bytes.as_deref()) {
        begins.push(all.len());
        all.extend_from_slice(bytes);
    }
    if let Some(digits) = digits(text) {
        starts(&all, &digits, &begins, first, hits);
    }
    // Letters outside of ASCII are found as they are written, and in lower case.
    let lower = text.to_lowercase();
    all.make_ascii_lowercase();
    starts(&all, lower.as_bytes(), &begins, first, hits);
    starts(&all, text.to_ascii_lowercase().as_bytes(), &begins, first, hits);
}

/// What a text says as digits of bytes; `None` where it does not.
fn digits(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> =
        text.chars().filter(|c| *c != ' ').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    if digits.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

/// Adds the lines in which a part begins; `begins` says where each of them does.
fn starts(all: &[u8], wanted: &[u8], begins: &[usize], first: usize, hits: &mut Vec<usize>) {
    if wanted.is_empty() {
        return;
    }
    for at in memchr::memmem::find_iter(all, wanted) {
        hits.push(first + begins.partition_point(|begin| *begin <= at) - 1);
    }
}
