//! "Did you mean …?": the known name that is closest to a misspelt one.

/// The closest of `known`, where it is close enough to be what was meant.
pub(crate) fn closest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_lowercase();
    if name.len() > 64 {
        return None;
    }
    known
        .map(|other| (distance(&name, &other.to_lowercase()), other))
        // A third of the letters may differ, of three or four one; an ending of two may be there or not.
        .filter(|(distance, other)| {
            let other = other.to_lowercase();
            let (short, long) = if name.len() < other.len() { (&name, &other) } else { (&other, &name) };
            let letters = short.chars().count();
            *distance <= letters / 3 || (letters > 1 && *distance <= 2 && long.starts_with(short.as_str()))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// Edits from one word to another; two neighbours that changed places are one edit.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_misspelt_name_finds_what_was_meant() {
        let known = ["dedup", "methods", "max_body", "url"];
        assert_eq!(closest("dedupe", known.into_iter()), Some("dedup"));
        assert_eq!(closest("mehtods", known.into_iter()), Some("methods"));
        assert_eq!(closest("URL", known.into_iter()), Some("url"));
        assert_eq!(closest("error", ["errored"].into_iter()), Some("errored"));
        assert_eq!(closest("ids", ["id"].into_iter()), Some("id"));
        assert_eq!(closest("i", ["id"].into_iter()), None);
        assert_eq!(closest("x", ["y"].into_iter()), None);
        assert_eq!(closest("colour", known.into_iter()), None);
        assert_eq!(closest(&"x".repeat(65), known.into_iter()), None);
    }
}
