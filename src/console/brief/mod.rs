//! Frames made shorter before they are written: what a line pays, not what it shows.
//!
//! The backend writes a sequence for each attribute, spells every colour out (`ESC[38;5;8;49m`), names
//! row and column at each move and writes blanks one by one. Here looks are joined, a move within a
//! row names the column alone, and blanks before a move are erased. All of it holds whatever a
//! terminal thinks of the width of a letter. A frame begins and ends with every attribute reset.

mod looks;

use looks::{Looks, sequences};

/// Writes a frame again, shorter.
pub fn shorten(frame: &[u8], out: &mut Vec<u8>) {
    let mut looks = Looks::default();
    let mut row: Option<&[u8]> = None;
    let mut rest = frame;
    while let [first, after @ ..] = rest {
        if let Some(run) = sequences(rest) {
            looks.join(&rest[..run], out);
            rest = &rest[run..];
        } else if let Some(to) = Place::read(rest) {
            to.write(row, out);
            row = Some(to.row);
            rest = &rest[to.length..];
        } else if *first == b' ' {
            let many = rest.iter().take_while(|byte| **byte == b' ').count();
            rest = &rest[many..];
            blanks(many, looks.plain(), moves_on(rest), out);
        } else {
            if *first == 0x1b {
                // It may move the cursor.
                row = None;
            }
            out.push(*first);
            rest = after;
        }
    }
}

/// A move to a row and a column: `ESC[12;3H`.
struct Place<'a> {
    row: &'a [u8],
    column: &'a [u8],
    length: usize,
}

impl<'a> Place<'a> {
    /// The move that a text begins with.
    fn read(text: &'a [u8]) -> Option<Self> {
        let inner = text.strip_prefix(b"\x1b[")?;
        let end = inner.iter().position(|byte| !byte.is_ascii_digit() && *byte != b';')?;
        if inner[end] != b'H' {
            return None;
        }
        let middle = inner[..end].iter().position(|byte| *byte == b';')?;
        Some(Self { row: &inner[..middle], column: &inner[middle + 1..end], length: end + 3 })
    }

    /// As short as it can be said where the cursor is in a row: by column in the same, and the first
    /// column goes without saying in another.
    fn write(&self, row: Option<&[u8]>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\x1b[");
        if row == Some(self.row) {
            out.extend_from_slice(self.column);
            return out.push(b'G');
        }
        out.extend_from_slice(self.row);
        if self.column != b"1" {
            out.push(b';');
            out.extend_from_slice(self.column);
        }
        out.push(b'H');
    }
}

/// Whether nothing is written before the next move: then it does not matter where the cursor stays.
fn moves_on(mut rest: &[u8]) -> bool {
    loop {
        if let Some(run) = sequences(rest) {
            rest = &rest[run..];
        } else {
            return Place::read(rest).is_some();
        }
    }
}

/// Blanks; erased where that shows the same and is shorter.
fn blanks(many: usize, plain: bool, moves_on: bool, out: &mut Vec<u8>) {
    let erased = format!("\x1b[{many}X");
    if plain && moves_on && erased.len() < many {
        out.extend_from_slice(erased.as_bytes());
    } else {
        out.resize(out.len() + many, b' ');
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

    #[test]
    fn a_move_within_a_row_names_the_column_alone() {
        assert_eq!(short("\x1b[12;3Hx\x1b[12;9Hy\x1b[13;1Hz"), "\x1b[12;3Hx\x1b[9Gy\x1b[13Hz");
        assert_eq!(short("\x1b[1;2Hx\x1b[12;2Hy\x1b[2;"), "\x1b[1;2Hx\x1b[12;2Hy\x1b[2;");
    }

    #[test]
    fn blanks_before_a_move_are_erased_where_that_shows_the_same() {
        assert_eq!(short("a     \x1b[2;1Hb"), "a\x1b[5X\x1b[2Hb");
        assert_eq!(short("a    \x1b[2;1Hb"), "a    \x1b[2Hb");
        assert_eq!(short("a      b"), "a      b");
        assert_eq!(short("a      "), "a      ");
        assert_eq!(short("      \x1b[1m\x1b[2;1Hb"), "\x1b[6X\x1b[1m\x1b[2Hb");
        for looks in ["7", "4", "9", "48;5;1", "48;5;200"] {
            let frame = format!("\x1b[{looks}m      \x1b[2;5Hb\x1b[0m      \x1b[3;5H");
            assert!(short(&frame).contains("      \x1b[2;5Hb\x1b[0m\x1b[6X"), "{looks}");
        }
    }

    /// Columns: no text comes to the end of a row, as none does that the library writes.
    const COLUMNS: u16 = 600;

    /// Each cell with its looks; one that was never written is a blank.
    fn shown(frame: &str) -> Vec<String> {
        let size = |cells| std::num::NonZeroU16::new(cells).unwrap();
        let mut parser = vt100::Parser::new(size(10), size(COLUMNS), 0);
        parser.process(frame.as_bytes());
        let cell = |at: u16| {
            let cell = parser.screen().cell(at / COLUMNS, at % COLUMNS).unwrap();
            let text = if cell.has_contents() { cell.contents() } else { " " };
            // What a blank does not show is not told of it.
            let front = (text != " ").then(|| (cell.fgcolor(), cell.bold(), cell.dim()));
            format!("{text}{front:?}{:?}{}{}", cell.bgcolor(), cell.inverse(), cell.underline())
        };
        (0..4 * COLUMNS).map(cell).collect()
    }

    proptest! {
        /// A terminal shows the same.
        #[test]
        fn the_screen_is_the_same(parts in proptest::collection::vec(prop_oneof![
            (0u8..20).prop_map(|n| format!("\x1b[38;5;{n};49m")),
            (0u8..20).prop_map(|n| format!("\x1b[39;48;5;{n}m")),
            Just("\x1b[0m".to_owned()), Just("\x1b[39m\x1b[49m\x1b[59m\x1b[0m".to_owned()),
            Just("\x1b[7m".to_owned()), Just("\x1b[27m".to_owned()), Just("\x1b[1m".to_owned()),
            Just("\x1b[22m".to_owned()), Just("\x1b[4m".to_owned()), "[a-z é✓]{1,4}", " {1,12}",
            (1u8..4, 1u8..30).prop_map(|(row, column)| format!("\x1b[{row};{column}H")),
        ], 0..40)) {
            let frame: String = parts.concat();
            let shorter = short(&frame);
            prop_assert!(shorter.len() <= frame.len());
            prop_assert_eq!(shown(&shorter), shown(&frame), "{}", shorter.escape_debug());
        }
    }
}
