//! Sequences of looks (`ESC[…m`): those that stand together become one, the sixteen colours have their
//! short numbers, and what is so already is left out.

/// Foreground, background and underline colour, as parameters; empty is the default.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Colours([Vec<u8>; 3]);

/// How the next letter looks.
#[derive(Debug, Default)]
pub struct Looks {
    colours: Colours,
    /// Underlined, in reverse, crossed out: a blank shows these too.
    lines: [bool; 3],
}

impl Looks {
    /// Whether an erased cell looks as a written blank does.
    pub fn plain(&self) -> bool {
        self.colours.0[1].is_empty() && self.lines == [false; 3]
    }

    /// Takes sequences in that stand together, and writes them as one.
    pub fn join(&mut self, run: &[u8], out: &mut Vec<u8>) {
        let mut wanted = self.colours.clone();
        let mut reset = false;
        let mut others: Vec<u8> = Vec::new();
        for parameters in run.split(|byte| *byte == b'm').filter(|part| part.len() > 1) {
            take(&parameters[2..], &mut wanted, &mut reset, &mut others);
        }
        if reset {
            self.lines = [false; 3];
        }
        for other in others.split(|byte| *byte == b';') {
            match other {
                b"4" => self.lines[0] = true,
                b"24" => self.lines[0] = false,
                b"7" => self.lines[1] = true,
                b"27" => self.lines[1] = false,
                b"9" => self.lines[2] = true,
                b"29" => self.lines[2] = false,
                _ => {}
            }
        }
        write(&self.colours, &wanted, reset, &others, out);
        self.colours = wanted;
    }
}

/// The bytes of the `ESC[…m` that stand together at the beginning.
pub fn sequences(text: &[u8]) -> Option<usize> {
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
