//! Which columns of a list are shown, and how wide: they collapse by importance.

/// A column: its rank (1 is the last to go), its width, and the least that it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column<N> {
    /// Which.
    pub name: N,
    /// 1 is the most important.
    pub rank: u8,
    /// Cells.
    pub width: u16,
    /// The least cells; equal to the width where it does not shrink.
    pub least: u16,
    /// Takes what is left, and wants at least its width.
    pub flexible: bool,
}

/// The columns that fit in so many cells, with their widths, one cell between them.
///
/// Columns of rank 6 and more make room so that the flexible one has what it wants; then the
/// flexible one and those that shrink give way; then the rest goes, the highest rank first.
#[must_use]
pub fn fit<N: Copy + PartialEq>(columns: &[Column<N>], cells: u16) -> Vec<(N, u16)> {
    let mut shown: Vec<Column<N>> = columns.to_vec();
    let need = |shown: &[Column<N>], least: bool| -> u16 {
        let text: u16 = shown.iter().map(|column| if least { column.least } else { column.width }).sum();
        text + u16::try_from(shown.len().saturating_sub(1)).unwrap_or(0)
    };
    let drop_last = |shown: &mut Vec<Column<N>>, from: u8| -> bool {
        let Some(rank) = shown.iter().filter(|c| !c.flexible && c.rank >= from).map(|c| c.rank).max() else {
            return false;
        };
        // Of several alike the last goes first.
        let at = shown.iter().rposition(|column| column.rank == rank && !column.flexible);
        at.map(|at| shown.remove(at)).is_some()
    };
    while need(&shown, false) > cells && drop_last(&mut shown, 6) {}
    while need(&shown, true) > cells && drop_last(&mut shown, 2) {}
    let mut widths: Vec<u16> = shown.iter().map(|column| column.width).collect();
    let total = |widths: &[u16]| {
        widths.iter().sum::<u16>() + u16::try_from(widths.len().saturating_sub(1)).unwrap_or(0)
    };
    // The flexible one gives first, down to two thirds; then those that shrink; then it again.
    let give = |at: usize, least: u16, widths: &mut Vec<u16>| {
        let over = total(widths).saturating_sub(cells);
        widths[at] -= over.min(widths[at].saturating_sub(least));
    };
    let flexible = shown.iter().position(|column| column.flexible);
    if let Some(at) = flexible {
        give(at, (shown[at].width * 2 / 3).max(shown[at].least), &mut widths);
    }
    let mut by_rank: Vec<usize> = (0..shown.len()).filter(|at| !shown[*at].flexible).collect();
    by_rank.sort_by_key(|at| std::cmp::Reverse(shown[*at].rank));
    for at in by_rank {
        give(at, shown[at].least, &mut widths);
    }
    if let Some(at) = flexible {
        give(at, shown[at].least.min(widths[at]), &mut widths);
        give(at, 0, &mut widths);
        widths[at] += cells.saturating_sub(total(&widths));
    }
    shown.iter().map(|column| column.name).zip(widths).filter(|(_, width)| *width > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<char>; 5] = [
        Column { name: 't', rank: 2, width: 8, least: 8, flexible: false },
        Column { name: 'v', rank: 1, width: 11, least: 1, flexible: false },
        Column { name: 'f', rank: 4, width: 27, least: 8, flexible: false },
        Column { name: 'w', rank: 3, width: 30, least: 12, flexible: true },
        Column { name: 'i', rank: 8, width: 6, least: 6, flexible: false },
    ];

    fn names(cells: u16) -> String {
        fit(&COLUMNS, cells).iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn the_least_important_goes_first_and_what_is_left_fills_the_width() {
        assert_eq!(names(120), "tvfwi");
        assert_eq!(names(80), "tvfw");
        assert_eq!(names(60), "tvfw");
        assert_eq!(names(24), "tvw");
        for cells in 1..200 {
            let widths = fit(&COLUMNS, cells);
            let total: u16 = widths.iter().map(|(_, width)| *width).sum();
            let gaps = u16::try_from(widths.len().saturating_sub(1)).unwrap();
            assert!(total + gaps <= cells.max(3), "{cells}: {widths:?}");
        }
    }
}
