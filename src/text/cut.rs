//! Text fitted into cells, as terminals count them. Text from outside is cleaned first.

use std::borrow::Cow;
use unicode_width::UnicodeWidthChar as _;

/// What stands for what was cut. `--ascii` consoles draw it as `$`.
const CUT: char = '…';

/// Cells that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    // The common case needs no tables.
    // Else letter by letter: what was cleaned has no sequence that is narrower than its letters.
    if text.is_ascii() { text.len() } else { text.chars().map(|c| c.width().unwrap_or(0)).sum() }
}

/// A text in at most `cells`, its end replaced by `…` where it is longer.
#[must_use]
pub fn cut_end(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let Some(room) = cells.checked_sub(1) else { return Cow::Borrowed("") };
    let mut cut = without_half_a_number(text, head(text, room)).to_owned();
    cut.push(CUT);
    Cow::Owned(cut)
}

/// Letters that stay before the first that differs.
const BEFORE: usize = 4;

/// Two texts that are shown beside each other in so many cells each: where one is longer, what both
/// begin with gives way to `…`, so that what tells them apart is seen.
#[must_use]
pub fn apart<'t>(one: &'t str, other: &'t str, cells: (usize, usize)) -> (Cow<'t, str>, Cow<'t, str>) {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let fits = width(one) <= cells.0 && width(other) <= cells.1;
    if fits || same <= BEFORE + 1 {
        return (Cow::Borrowed(one), Cow::Borrowed(other));
    }
    let rest = |text: &str| {
        let rest: String = text.chars().skip(same - BEFORE).collect();
        Cow::Owned(format!("{CUT}{rest}"))
    };
    (rest(one), rest(other))
}

/// A number or a clock time that does not fit whole goes: half of one is another one. A text that
/// is nothing but a number is cut all the same, and says so.
fn without_half_a_number<'t>(text: &str, head: &'t str) -> &'t str {
    /// Longer runs of digits are no figures.
    const FIGURE: usize = 15;
    let figure = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | ',');
    let next = text[head.len()..].chars().next();
    let goes_on = match next {
        Some(c) if c.is_ascii_digit() => head.ends_with(figure),
        Some(':' | '.' | ',') => {
            head.ends_with(|c: char| c.is_ascii_digit())
                && text[head.len() + 1..].starts_with(|c: char| c.is_ascii_digit())
        }
        _ => false,
    };
    let kept = head.trim_end_matches(figure);
    let cut = head.len() - kept.len();
    let after = text[head.len()..].find(|c| !figure(c)).unwrap_or(text.len() - head.len());
    // An address is read from its front.
    if text[kept.len()..head.len() + after].matches('.').count() > 2 {
        return head;
    }
    if goes_on && cut + after <= FIGURE && !kept.trim().is_empty() { kept.trim_end() } else { head }
}

/// A URL or path in at most `cells`, `…` in its middle where it is longer: scheme, host and last
/// segment stay as long as there is room, then the host loses its scheme, then both are cut.
#[must_use]
pub fn cut_middle(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let Some(room) = cells.checked_sub(1) else { return Cow::Borrowed("") };
    let after_scheme = text.find("://").map_or(0, |at| at + 3);
    let host_end = text[after_scheme..].find('/').map_or(text.len(), |at| after_scheme + at + 1);
    // `?` and `#` belong to the last segment, but a slash in them begins none.
    let path_end = text.find(['?', '#']).unwrap_or(text.len());
    let last = text[..path_end].rfind('/').filter(|at| *at >= host_end);
    let Some(mut last) = last else { return Cow::Owned(halves(text, room)) };
    for host in [&text[..host_end], &text[after_scheme..host_end]] {
        let Some(left) = room.checked_sub(width(host)) else { continue };
        if width(&text[last..]) > left {
            continue;
        }
        // As many whole segments from the right as there is room for.
        while let Some(at) = text[host_end..last].rfind('/').map(|at| host_end + at) {
            if width(&text[at..]) > left {
                break;
            }
            last = at;
        }
        return Cow::Owned(format!("{host}{CUT}{}", &text[last..]));
    }
    Cow::Owned(halves(text, room))
}

/// A text in at most `cells`: where it is longer, its beginning and its end around `…`, since words at
/// either end decide.
#[must_use]
pub fn cut_inside(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    cells.checked_sub(1).map_or(Cow::Borrowed(""), |room| Cow::Owned(halves(text, room)))
}

/// Beginning and end of a text around `…`, together `room` cells and one.
fn halves(text: &str, room: usize) -> String {
    let tail = tail(text, room / 2);
    let head = head(text, room - width(tail));
    format!("{head}{CUT}{tail}")
}

/// The longest beginning that fits, marks of its last character included.
fn head(text: &str, cells: usize) -> &str {
    let mut left = cells;
    for (at, c) in text.char_indices() {
        // A text is never wider than its characters one by one.
        match left.checked_sub(c.width().unwrap_or(0)) {
            Some(rest) => left = rest,
            None => return &text[..at],
        }
    }
    text
}

/// The longest end that fits and does not begin with a mark.
fn tail(text: &str, cells: usize) -> &str {
    let mut left = cells;
    let mut from = text.len();
    for (at, c) in text.char_indices().rev() {
        let cells = c.width().unwrap_or(0);
        match left.checked_sub(cells) {
            Some(rest) => left = rest,
            None => break,
        }
        if cells > 0 {
            from = at;
        }
    }
    &text[from..]
}

/// A text in exactly `cells`: cut at its end, or spaces after it.
#[must_use]
pub fn pad(text: &str, cells: usize) -> String {
    let mut padded = cut_end(text, cells).into_owned();
    padded.extend(std::iter::repeat_n(' ', cells.saturating_sub(width(&padded))));
    padded
}

/// A text in exactly `cells`: cut at its end, or spaces before it. For figures.
#[must_use]
pub fn pad_left(text: &str, cells: usize) -> String {
    let cut = cut_end(text, cells);
    let mut padded = " ".repeat(cells.saturating_sub(width(&cut)));
    padded.push_str(&cut);
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_two_texts_apart_is_seen() {
        let (one, other) = ("http://127.0.0.1:9000/custmers/7", "http://127.0.0.1:9000/customers/7");
        assert_eq!(apart(one, other, (16, 16)), ("…custmers/7".into(), "…customers/7".into()));
        assert_eq!(apart(one, other, (40, 40)), (one.into(), other.into()), "there is room for both");
        assert_eq!(apart("abc", "abd", (2, 2)), ("abc".into(), "abd".into()), "nothing is won");
        assert_eq!(apart("abcdefgh", "abcdefgh", (4, 4)), ("…efgh".into(), "…efgh".into()));
    }
    use crate::text::clean;
    use proptest::prelude::*;

    #[test]
    fn no_number_or_time_is_cut_in_its_middle() {
        assert_eq!(cut_end("push: answered 503", 17), "push: answered…");
        assert_eq!(cut_end("started 11:06:52, took 4s", 12), "started…");
        assert_eq!(cut_end("1,212 runs", 7), "1,212 …");
        assert_eq!(cut_end("12345678", 5), "1234…");
        assert_eq!(cut_end("in 12345678901234567890", 10), "in 123456…");
        assert_eq!(cut_end("v1.x", 3), "v1…");
        assert_eq!(cut_end("push: 127.0.0.1:44107 answered", 16), "push: 127.0.0.1…");
    }

    #[test]
    fn ends_are_cut_at_characters() {
        assert_eq!(cut_end("order_number", 12), "order_number");
        assert_eq!(cut_end("order_number", 11), "order_numb…");
        assert_eq!(cut_end("日本語", 6), "日本語");
        assert_eq!(cut_end("日本語", 5), "日本…");
        assert_eq!(cut_end("日本語", 4), "日…");
        assert_eq!(cut_end("e\u{301}abc", 3), "e\u{301}a…");
        assert_eq!((cut_end("abc", 1), cut_end("abc", 0)), ("…".into(), "".into()));
    }

    #[test]
    fn urls_keep_host_and_last_segment() {
        let url = "https://progix.example/api/v2/customers/c.meyer";
        for (cells, cut) in [
            (47, url),
            (46, "https://progix.example/…/v2/customers/c.meyer"),
            (44, "https://progix.example/…/customers/c.meyer"),
            (41, "https://progix.example/…/c.meyer"),
            (32, "https://progix.example/…/c.meyer"),
            (31, "progix.example/…/c.meyer"),
            (24, "progix.example/…/c.meyer"),
            (23, "https://pro…ers/c.meyer"),
            (5, "ht…er"),
            (2, "h…"),
            (1, "…"),
            (0, ""),
        ] {
            assert_eq!(cut_middle(url, cells), cut, "{cells}");
        }
        assert_eq!(cut_middle("https://a.example/xxx/y?next=/a/b", 32), "https://a.example/…/y?next=/a/b");
        assert_eq!(cut_middle("/a/bb/ccc/dddd", 12), "/…/ccc/dddd");
        assert_eq!(cut_middle("no-slash-in-here", 9), "no-s…here");
    }

    #[test]
    fn padding_fills_exactly() {
        assert_eq!(pad("ab", 4), "ab  ");
        assert_eq!(pad_left("ab", 4), "  ab");
        assert_eq!(pad("日本", 3), "日…");
        assert_eq!(pad("日本語", 4), "日… ");
    }

    proptest! {
        #[test]
        fn nothing_gets_wider_than_asked(text in any::<String>(), cells in 0_usize..30) {
            let text = clean(&text);
            prop_assert!(width(&cut_end(&text, cells)) <= cells);
            prop_assert!(width(&cut_middle(&text, cells)) <= cells);
            prop_assert_eq!(width(&pad(&text, cells)), cells);
            prop_assert_eq!(width(&pad_left(&text, cells)), cells);
        }

        #[test]
        fn cut_urls_fit(path in "[a-z/?#é日:]{0,40}", cells in 0_usize..40) {
            let url = format!("https://h.example/{path}");
            prop_assert!(width(&cut_middle(&url, cells)) <= cells);
            prop_assert!(width(&cut_middle(&path, cells)) <= cells);
        }
    }
}
