//! Counts with thousands, sizes in binary units.

/// A count with `,` between thousands: `48,211`.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in binary units, three digits at most: `412 B`, `1.1 KiB`, `14 KiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    let (figure, unit) = scaled(bytes);
    match UNITS.get(unit) {
        Some(letter) => format!("{figure} {letter}iB"),
        None => format!("{figure} B"),
    }
}

/// The size of what may have been cut, as `of` writes sizes: `>64 KiB` where more came than was kept,
/// `cut` where nothing was.
#[must_use]
pub fn size_kept(kept: u64, cut: bool, of: fn(u64) -> String) -> String {
    match (cut, kept) {
        (false, _) => of(kept),
        (true, 0) => "cut".to_owned(),
        (true, _) => format!(">{}", of(kept)),
    }
}

/// A size for narrow columns: `412B`, `1.1K`, `14K`.
#[must_use]
pub fn size_short(bytes: u64) -> String {
    let (figure, unit) = scaled(bytes);
    match UNITS.get(unit) {
        Some(letter) => format!("{figure}{letter}"),
        None => format!("{figure}B"),
    }
}

const UNITS: [char; 6] = ['K', 'M', 'G', 'T', 'P', 'E'];

/// The figure and its unit's place in [`UNITS`]; no place for bytes.
fn scaled(bytes: u64) -> (String, usize) {
    if bytes < 1_000 {
        return (bytes.to_string(), usize::MAX);
    }
    let mut unit = 0;
    let mut scale = 1024.0;
    loop {
        let value = bytes as f64 / scale;
        if value < 9.95 {
            return (format!("{value:.1}"), unit);
        }
        if value < 999.5 || unit + 1 == UNITS.len() {
            return (format!("{value:.0}"), unit);
        }
        unit += 1;
        scale *= 1024.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_have_thousands() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (48_211, "48,211"),
            (1_048_576, "1,048,576"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(count(n), text);
        }
    }

    #[test]
    fn what_was_cut_has_more_than_its_size() {
        assert_eq!(size_kept(65_536, false, size), "64 KiB");
        assert_eq!(size_kept(65_536, true, size), ">64 KiB");
        assert_eq!(size_kept(65_536, true, size_short), ">64K");
        assert_eq!((size_kept(0, true, size), size_kept(0, false, size)), ("cut".into(), "0 B".into()));
    }

    #[test]
    fn sizes_have_three_digits_at_most() {
        for (bytes, long, short) in [
            (0, "0 B", "0B"),
            (412, "412 B", "412B"),
            (999, "999 B", "999B"),
            (1_000, "1.0 KiB", "1.0K"),
            (1_126, "1.1 KiB", "1.1K"),
            (10_188, "9.9 KiB", "9.9K"),
            (10_189, "10 KiB", "10K"),
            (14_336, "14 KiB", "14K"),
            (1_023_487, "999 KiB", "999K"),
            (1_023_488, "1.0 MiB", "1.0M"),
            (6 << 20, "6.0 MiB", "6.0M"),
            (u64::MAX, "16 EiB", "16E"),
        ] {
            assert_eq!((size(bytes).as_str(), size_short(bytes).as_str()), (long, short), "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn no_size_is_longer_than_seven_cells(bytes in any::<u64>(), shift in 0_u32..64) {
            let bytes = bytes >> shift;
            prop_assert!(size(bytes).len() <= 7);
            prop_assert!(size_short(bytes).len() <= 4);
            prop_assert!(size(bytes).chars().filter(char::is_ascii_digit).count() <= 3);
        }
    }
}
