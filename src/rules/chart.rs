//! Figures as glyphs: sparklines and bars, in Unicode and in ASCII.

use crate::text::Glyphs;

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const PARTS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
/// Four levels are left: the dot is the zero.
const PLAIN: [char; 8] = ['_', '_', '-', '-', '=', '=', '#', '#'];

/// Points as so many cells, or fewer: as many as each can stand for the same number of points. A
/// cell is the sum of its points; one without any is a gap.
#[must_use]
pub fn folded(points: &[Option<u64>], cells: usize) -> Vec<Option<u64>> {
    let Some(cells) = (1..=cells.min(points.len())).rev().find(|cells| points.len().is_multiple_of(*cells))
    else {
        return Vec::new();
    };
    let each = points.len() / cells;
    points
        .chunks(each)
        .map(|chunk| {
            let known = chunk.iter().flatten();
            known.fold(None, |all: Option<u64>, n| Some(all.unwrap_or(0).saturating_add(*n)))
        })
        .collect()
}

/// A sparkline: a glyph a cell, the highest full, zero a dot, a gap a blank.
#[must_use]
pub fn spark(cells: &[Option<u64>], glyphs: Glyphs) -> String {
    let most = u128::from(cells.iter().flatten().copied().max().unwrap_or(0));
    let levels = if glyphs == Glyphs::Ascii { &PLAIN } else { &LEVELS };
    let glyph = |cell: &Option<u64>| match cell {
        None => ' ',
        Some(0) if glyphs == Glyphs::Ascii => '.',
        Some(0) => '·',
        Some(n) => {
            let level = (u128::from(*n) * 8).div_ceil(most.max(1)).clamp(1, 8);
            levels[usize::try_from(level).unwrap_or(8) - 1]
        }
    };
    cells.iter().map(glyph).collect()
}

/// A bar of so many thousandths of so many cells, in eighths: what is over nothing shows, what is
/// over all of it fills it.
#[must_use]
pub fn bar(thousandths: u64, cells: usize, glyphs: Glyphs) -> String {
    let most = cells as u64 * 8;
    let eighths = thousandths.saturating_mul(most).div_ceil(1_000).min(most);
    let (full, rest) = (usize::try_from(eighths / 8).unwrap_or(0), usize::try_from(eighths % 8).unwrap_or(0));
    if glyphs == Glyphs::Ascii {
        return "#".repeat(full + usize::from(rest > 3 || full == 0 && rest > 0));
    }
    let mut bar = "█".repeat(full);
    bar.extend(rest.checked_sub(1).map(|part| PARTS[part]));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn zero_is_a_dot_a_gap_a_blank_and_the_most_is_full() {
        let cells = [None, Some(0), Some(1), Some(50), Some(100), None];
        assert_eq!(spark(&cells, Glyphs::Unicode), " ·▁▄█ ");
        assert_eq!(spark(&cells, Glyphs::Ascii), " ._-# ");
        assert_eq!(spark(&[Some(0), Some(0)], Glyphs::Unicode), "··");
        assert_eq!(spark(&[Some(u64::MAX), Some(1)], Glyphs::Unicode), "█▁");
        assert_eq!(spark(&[], Glyphs::Unicode), "");
    }

    #[test]
    fn a_bar_has_eighths() {
        assert_eq!(bar(0, 10, Glyphs::Unicode), "");
        assert_eq!(bar(1, 10, Glyphs::Unicode), "▏");
        assert_eq!(bar(500, 10, Glyphs::Unicode), "█████");
        assert_eq!(bar(450, 10, Glyphs::Unicode), "████▌");
        assert_eq!(bar(9_999, 10, Glyphs::Unicode), "██████████");
        assert_eq!((bar(1, 10, Glyphs::Ascii), bar(460, 10, Glyphs::Ascii)), ("#".into(), "#####".into()));
        assert_eq!(bar(u64::MAX, 3, Glyphs::Unicode), "███");
    }

    #[test]
    fn points_are_folded_evenly() {
        let hour: Vec<_> = (0..60).map(Some).collect();
        assert_eq!(folded(&hour, 100).len(), 60);
        assert_eq!(folded(&hour, 59).len(), 30);
        assert_eq!(folded(&hour, 20)[0], Some(3));
        assert_eq!(folded(&hour, 0), Vec::new());
        assert_eq!(folded(&[], 10), Vec::new());
        // A cell is a gap only where nothing of it is known.
        assert_eq!(folded(&[None, Some(2), None, None], 2), [Some(2), None]);
    }

    proptest! {
        #[test]
        fn folding_keeps_the_sum_and_a_glyph_stands_for_each_cell(
            points in prop::collection::vec(prop::option::of(0u64..1 << 40), 0..700),
            cells in 0usize..200,
        ) {
            let folded = folded(&points, cells);
            prop_assert!(folded.len() <= cells);
            if cells > 0 {
                let sum = |points: &[Option<u64>]| points.iter().flatten().sum::<u64>();
                prop_assert_eq!(sum(&folded), sum(&points));
            }
            for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
                let line = spark(&folded, glyphs);
                prop_assert_eq!(line.chars().count(), folded.len());
                for (glyph, cell) in line.chars().zip(&folded) {
                    prop_assert_eq!(glyph == ' ', cell.is_none());
                    prop_assert_eq!(glyph == '·' || glyph == '.', *cell == Some(0));
                }
                prop_assert!(glyphs == Glyphs::Unicode || line.is_ascii());
            }
        }

        #[test]
        fn a_longer_part_is_never_a_shorter_bar(one in 0u64..3_000, other in 0u64..3_000, cells in 1usize..60) {
            let length = |part: u64| bar(part, cells, Glyphs::Unicode).chars().map(|glyph| {
                PARTS.iter().position(|part| *part == glyph).unwrap() + 1
            }).sum::<usize>();
            let (low, high) = (one.min(other), one.max(other));
            prop_assert!(length(low) <= length(high) && length(high) <= cells * 8);
            prop_assert_eq!(length(low) == 0, low == 0);
        }
    }
}
