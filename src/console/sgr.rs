//! Frames made shorter before they are written: what a line pays for looks, not what it shows.
//!
//! The backend writes a sequence for each attribute and spells every colour out
//! (`ESC[38;5;8;49m`). Here sequences that stand together become one, the sixteen colours have their
//! short numbers, and what is so already is left out. A frame begins and ends with every attribute
//! reset.

/// Foreground, background and underline colour, as parameters; empty is the default.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Colours([Vec<u8>; 3]);

/// Writes a frame again, shorter.
pub fn shorten(frame: &[u8], out: &mut Vec<u8>) {
    let mut now = Colours::default();
    let mut at = 0;
    while at < frame.len() {
        let Some(run) = sequences(&frame[at..]) else {
            out.push(frame[at]);
            at += 1;
            continue;
        };
        let mut wanted = now.clone();
        let mut reset = false;
        let mut others: Vec<u8> = Vec::new();
        for parameters in frame[at..at + run].split(|byte| *byte == b'm').filter(|part| part.len() > 1) {
            take(&parameters[2..], &mut wanted, &mut reset, &mut others);
        }
        write(&now, &wanted, reset, &others, out);
        now = wanted;
        at += run;
    }
}

/// The bytes of the `ESC[…m` that stand together at the beginning.
fn sequences(text: &[u8]) -> Option<usize> {
    let mut end = 0;
    while text[end..].starts_with(b"\x1b[") {
        let rest = &text[end + 2..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        if rest.get(length) != Some(&b'm') {
            break;
        }
        end += 2 + length + 1;
    }
    (end > 0).then_some(end)
}

/// Takes the parameters of one sequence in.
fn take(parameters: &[u8], colours: &mut Colours, reset: &mut bool, others: &mut Vec<u8>) {
    let mut parts = parameters.split(|byte| *byte == b';');
    while let Some(part) = parts.next() {
        match part {
            b"" | b"0" => {
                *colours = Colours::default();
                *reset = true;
                others.clear();
            }
            b"39" => colours.0[0].clear(),
            b"49" => colours.0[1].clear(),
            b"59" => colours.0[2].clear(),
            b"38" | b"48" | b"58" => {
                let kind = parts.next().unwrap_or_default();
                let count = if kind == b"5" { 1 } else { 3 };
                let values: Vec<&[u8]> = parts.by_ref().take(count).collect();
                let slot = usize::from(part[0] - b'3').min(2);
                colours.0[slot] = colour(part, kind, &values);
            }
            other => {
                others.push(b';');
                others.extend_from_slice(other);
            }
        }
    }
}

/// A colour's parameters: `31`, `97`, `38;5;120`, `38;2;1;2;3`.
fn colour(place: &[u8], kind: &[u8], values: &[&[u8]]) -> Vec<u8> {
    let number = values.first().and_then(|value| std::str::from_utf8(value).ok()?.parse::<u16>().ok());
    let base = match place {
        b"38" => Some((30, 90)),
        b"48" => Some((40, 100)),
        _ => None,
    };
    match (kind, number, base) {
        (b"5", Some(number @ 0..8), Some((dark, _))) => (dark + number).to_string().into_bytes(),
        (b"5", Some(number @ 8..16), Some((_, bright))) => (bright + number - 8).to_string().into_bytes(),
        _ => {
            let mut all = vec![place, kind];
            all.extend(values);
            all.join(&b';')
        }
    }
}

fn write(now: &Colours, wanted: &Colours, reset: bool, others: &[u8], out: &mut Vec<u8>) {
    let mut parameters: Vec<u8> = Vec::new();
    if reset {
        parameters.extend_from_slice(b";0");
    }
    parameters.extend_from_slice(others);
    let before = if reset { &Colours::default() } else { now };
    for (slot, default) in [b"39", b"49", b"59"].iter().enumerate() {
        if before.0[slot] != wanted.0[slot] {
            parameters.push(b';');
            let colour = &wanted.0[slot];
            parameters.extend_from_slice(if colour.is_empty() { default.as_slice() } else { colour });
        }
    }
    if let Some(parameters) = parameters.get(1..) {
        out.extend_from_slice(b"\x1b[");
        out.extend_from_slice(parameters);
        out.push(b'm');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn short(frame: &str) -> String {
        let mut out = Vec::new();
        shorten(frame.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn sequences_join_and_what_is_so_already_is_left_out() {
        assert_eq!(short("\x1b[38;5;8;49ma\x1b[38;5;2;49mb"), "\x1b[90ma\x1b[32mb");
        assert_eq!(short("\x1b[7m\x1b[39;49ma"), "\x1b[7ma");
        assert_eq!(short("\x1b[31ma\x1b[39m\x1b[49m\x1b[59m\x1b[0m"), "\x1b[31ma\x1b[0m");
        assert_eq!(short("\x1b[1m\x1b[0m\x1b[2mx"), "\x1b[0;2mx");
        assert_eq!(short("\x1b[38;2;1;2;3;48;5;200mx"), "\x1b[38;2;1;2;3;48;5;200mx");
        assert_eq!(short("\x1b[12;3Hx\x1b[?25l"), "\x1b[12;3Hx\x1b[?25l");
        assert_eq!(short("\x1b[22m\x1b[22m"), "\x1b[22;22m");
        assert_eq!(short("\x1b[58;5;1mx\x1b["), "\x1b[58;5;1mx\x1b[");
    }

    proptest! {
        /// A terminal shows the same.
        #[test]
        fn the_screen_is_the_same(parts in proptest::collection::vec(prop_oneof![
            (0u8..20).prop_map(|n| format!("\x1b[38;5;{n};49m")),
            (0u8..20).prop_map(|n| format!("\x1b[39;48;5;{n}m")),
            Just("\x1b[0m".to_owned()), Just("\x1b[39m\x1b[49m\x1b[59m\x1b[0m".to_owned()),
            Just("\x1b[7m".to_owned()), Just("\x1b[27m".to_owned()), Just("\x1b[1m".to_owned()),
            Just("\x1b[22m".to_owned()), "[a-z é✓]{1,4}", Just("\x1b[2;3H".to_owned()),
        ], 0..40)) {
            let frame: String = parts.concat();
            let shown = |text: &str| {
                let mut parser = vt100::Parser::new(
                    std::num::NonZeroU16::new(10).unwrap(), std::num::NonZeroU16::new(40).unwrap(), 0);
                parser.process(text.as_bytes());
                parser.screen().contents_formatted()
            };
            let shorter = short(&frame);
            prop_assert!(shorter.len() <= frame.len());
            prop_assert_eq!(shown(&shorter), shown(&frame));
        }
    }
}
