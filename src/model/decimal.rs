//! The exact decimal value of a JSON number, whatever its spelling and size.

use std::cmp::Ordering;

/// A JSON number by its value: `1`, `1.0`, `1e0` and `10e-1` are equal, and nothing is rounded.
///
/// `±0.d₁d₂…dₙ × 10^exponent` with d₁ and dₙ not zero; zero has no digits. Digits are not expanded,
/// so `1e999999999` costs no more than its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// Without zeros at either end.
    digits: String,
    exponent: Exponent,
}

/// A decimal integer of any size: sign and digits without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Exponent {
    negative: bool,
    digits: String,
}

impl Decimal {
    /// Reads a JSON number; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (rest, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let numeral = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let exponent = match exponent {
            Some(text) => {
                let (negative, digits) = match text.strip_prefix('-') {
                    Some(digits) => (true, digits),
                    None => (false, text.strip_prefix('+').unwrap_or(text)),
                };
                (numeral(digits)).then_some((negative, digits.trim_start_matches('0')))?
            }
            None => (false, ""),
        };
        let valid =
            numeral(whole) && (whole.len() == 1 || !whole.starts_with('0')) && fraction.is_none_or(numeral);
        if !valid {
            return None;
        }
        let fraction = fraction.unwrap_or_default();
        let mut digits = String::with_capacity(whole.len() + fraction.len());
        digits.push_str(whole);
        digits.push_str(fraction);
        let leading = digits.bytes().take_while(|byte| *byte == b'0').count();
        let digits = digits.trim_start_matches('0').trim_end_matches('0').to_owned();
        if digits.is_empty() {
            let exponent = Exponent { negative: false, digits: String::new() };
            return Some(Self { negative: false, digits, exponent });
        }
        let shift = i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()?;
        Some(Self { negative, digits, exponent: Exponent::shifted(exponent.0, exponent.1, shift) })
    }

    /// Its canonical text: the same for the same value alone.
    #[must_use]
    pub fn canonical(&self) -> String {
        if self.digits.is_empty() {
            return "0".to_owned();
        }
        let sign = if self.negative { "-" } else { "" };
        let minus = if self.exponent.negative { "-" } else { "" };
        format!("{sign}0.{}e{minus}{}", self.digits, self.exponent.digits)
    }
}

impl Exponent {
    /// `±digits + shift`, the digits without leading zeros.
    fn shifted(negative: bool, digits: &str, shift: i64) -> Self {
        // 18 digits fit an i128 with room; longer ones are counted on paper.
        if digits.len() <= 18 {
            let magnitude: i128 = digits.parse().unwrap_or(0);
            let sum = if negative { -magnitude } else { magnitude } + i128::from(shift);
            let digits = if sum == 0 { String::new() } else { sum.unsigned_abs().to_string() };
            return Self { negative: sum < 0, digits };
        }
        let away = negative == (shift < 0);
        let mut column: Vec<u8> = digits.bytes().map(|digit| digit - b'0').collect();
        let mut carry = shift.unsigned_abs();
        for digit in column.iter_mut().rev() {
            if carry == 0 {
                break;
            }
            let step = u8::try_from(carry % 10).unwrap_or(0);
            carry /= 10;
            if away {
                *digit += step;
                if *digit > 9 {
                    *digit -= 10;
                    carry += 1;
                }
            } else if *digit >= step {
                *digit -= step;
            } else {
                *digit += 10 - step;
                carry += 1;
            }
        }
        let mut digits: String = if carry > 0 { carry.to_string() } else { String::new() };
        digits.extend(column.into_iter().map(|digit| char::from(b'0' + digit)));
        Self { negative, digits: digits.trim_start_matches('0').to_owned() }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = |one: &str, two: &str| one.len().cmp(&two.len()).then_with(|| one.cmp(two));
        match (self.negative, other.negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => magnitude(&self.digits, &other.digits),
            (true, true) => magnitude(&other.digits, &self.digits),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude = |one: &Self, two: &Self| {
            one.exponent.cmp(&two.exponent).then_with(|| one.digits.cmp(&two.digits))
        };
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            0 => Ordering::Equal,
            1 => magnitude(self, other),
            _ => magnitude(other, self),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> String {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text}")).canonical()
    }

    #[test]
    fn spellings_of_one_value_are_one() {
        for spellings in [
            &["1", "1.0", "1e0", "1E+0", "10e-1", "0.1e1", "1.000000000000000000000000", "100e-02"][..],
            &["0", "-0", "0.0", "-0.0e5", "0e99999999999999999999999999"],
            &["1e400", "10e399", "0.1e401"],
            &["1e1000000000000000000000", "10e999999999999999999999", "0.01e1000000000000000000002"],
            &["1e-1000000000000000000000", "10e-1000000000000000000001", "0.1e-999999999999999999999"],
            &["1e999999999999999999", "0.1e1000000000000000000"],
            &["1e-999999999999999999", "10e-1000000000000000000"],
            &["-59.90", "-59.9", "-5990e-2"],
        ] {
            for other in spellings {
                assert_eq!(canonical(other), canonical(spellings[0]), "{other}");
            }
        }
    }

    #[test]
    fn values_that_a_double_cannot_tell_apart_differ() {
        for (one, other) in [
            ("9007199254740992", "9007199254740993"),
            ("0.1", "0.1000000000000000055511151231257827"),
            ("1e400", "1e401"),
            ("1", "-1"),
            ("1e999999999999999999999", "1e999999999999999999998"),
        ] {
            assert_ne!(canonical(one), canonical(other));
        }
    }

    #[test]
    fn only_json_numbers_are_read() {
        for text in
            ["", "-", "+1", "01", ".5", "1.", "1e", "1e+", "0x1", "1_000", "NaN", " 1", "1 ", "--1", "1e1.5"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn order_is_the_order_of_the_values() {
        let sorted = [
            "-1e99999999999999999999",
            "-100",
            "-99.5",
            "-1",
            "-0.5",
            "-1e-99999999999999999999",
            "0",
            "1e-99999999999999999999",
            "0.05",
            "0.5",
            "1",
            "1.5",
            "2",
            "10",
            "99.5",
            "100",
            "1e400",
            "1e99999999999999999999",
        ];
        for (at, one) in sorted.iter().enumerate() {
            for (other_at, other) in sorted.iter().enumerate() {
                let found = Decimal::parse(one).cmp(&Decimal::parse(other));
                assert_eq!(found, at.cmp(&other_at), "{one} {other}");
            }
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_integers(one in any::<i64>(), other in any::<i64>(), zeros in 0_usize..4) {
            let zeros = "0".repeat(zeros);
            let read = |n: i64| Decimal::parse(&format!("{n}.0{zeros}")).unwrap();
            prop_assert_eq!(read(one).cmp(&read(other)), one.cmp(&other));
            let spelt = Decimal::parse(&format!("{one}{zeros}e-{}", zeros.len())).unwrap();
            prop_assert_eq!(read(one), spelt);
        }

        #[test]
        fn long_exponents_are_added_like_short_ones(base in 0_i128..1_000_000, shift in -2_000_000_i64..2_000_000) {
            // The column arithmetic, on numbers that an i128 can check.
            let start = 10_i128.pow(20) + base;
            let found = Exponent::shifted(false, &start.to_string(), shift);
            prop_assert_eq!(found.digits, (start + i128::from(shift)).to_string());
            let found = Exponent::shifted(true, &start.to_string(), shift);
            prop_assert_eq!(found.digits, (start - i128::from(shift)).to_string());
        }
    }
}
