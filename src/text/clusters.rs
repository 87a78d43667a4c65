//! Letters that terminals put together, and do not agree how wide: what of a text is spelt out so
//! that every cell holds what every terminal draws in it.
//!
//! A terminal that counts code points (tmux, screen, most of them) and one that counts grapheme
//! clusters agree only where a cluster is as wide as its code points together, and at most two
//! cells. So flags, skin tones and joined emoji are spelt out, and a conjunct has its joining sign
//! shown.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthChar as _;

/// Characters that terminals do not agree on wherever they stand.
pub(super) fn is_disputed(c: char) -> bool {
    matches!(c,
        // Flags: two cells as a pair, one or two each alone.
        '\u{1f1e6}'..='\u{1f1ff}'
        // Skin tones: nothing after an emoji, two cells alone.
        | '\u{1f3fb}'..='\u{1f3ff}'
        // Long dashes: two or three cells by some tables, one by others.
        | '\u{2e3a}'..='\u{2e3b}'
        // Letters that join what follows them, by the property Prepend.
        | '\u{d4e}' | '\u{111c2}'..='\u{111c3}' | '\u{113d1}' | '\u{1193f}' | '\u{11941}'
        | '\u{11a3a}' | '\u{11a84}'..='\u{11a89}' | '\u{11d46}' | '\u{11f02}'
        // Spacing marks that half of the tables gives a cell and the other half none.
        | '\u{9be}' | '\u{9d7}' | '\u{b3e}' | '\u{b57}' | '\u{bbe}' | '\u{bd7}' | '\u{cc0}' | '\u{cc2}' | '\u{cc7}'..='\u{cc8}' | '\u{cca}'..='\u{ccb}' | '\u{cd5}'..='\u{cd6}' | '\u{d3e}' | '\u{d57}' | '\u{dcf}' | '\u{ddf}' | '\u{1715}' | '\u{1734}' | '\u{1b35}' | '\u{1b3b}' | '\u{1b3d}' | '\u{1b43}'..='\u{1b44}' | '\u{1baa}' | '\u{1bf2}'..='\u{1bf3}' | '\u{302e}'..='\u{302f}' | '\u{a953}' | '\u{a9c0}' | '\u{111c0}' | '\u{11235}' | '\u{1133e}' | '\u{1134d}' | '\u{11357}' | '\u{113b8}' | '\u{113c2}' | '\u{113c5}' | '\u{113c7}'..='\u{113c9}' | '\u{113cf}' | '\u{114b0}' | '\u{114bd}' | '\u{115af}' | '\u{116b6}' | '\u{11930}' | '\u{1193d}' | '\u{11f41}' | '\u{16ff0}'..='\u{16ff1}' | '\u{1d165}'..='\u{1d166}' | '\u{1d16d}'..='\u{1d172}')
}

/// Whether a text begins with the sign that joins two consonants, and one follows: what is drawn is
/// then one or two letters, as the font likes.
pub(super) fn links(text: &str) -> bool {
    let mut letters = text.chars();
    let sign = letters.next().is_some_and(|c| {
        matches!(
            c,
            '\u{94d}'
                | '\u{9cd}'
                | '\u{a4d}'
                | '\u{acd}'
                | '\u{b4d}'
                | '\u{c4d}'
                | '\u{ccd}'
                | '\u{d4d}'
                | '\u{1039}'
                | '\u{17d2}'
                | '\u{1a60}'
                | '\u{1b44}'
                | '\u{1bab}'
                | '\u{a9c0}'
                | '\u{aaf6}'
                | '\u{10a3f}'
                | '\u{11133}'
                | '\u{113d0}'
                | '\u{1193e}'
                | '\u{11a47}'
                | '\u{11a99}'
                | '\u{11f42}'
        )
    });
    sign && letters.find(|c| c.width() != Some(0)).is_some_and(char::is_alphanumeric)
}

/// Whether the character at a place belongs to the cluster of what is before it, whatever that is
/// or as it stands.
pub(super) fn joins(text: &str, at: usize, c: char) -> bool {
    // Nothing below U+0300 ever does.
    if c < '\u{300}' {
        return false;
    }
    let mut after = String::from("a");
    after.push(c);
    if after.graphemes(true).count() == 1 {
        return true;
    }
    // The cluster reaches back to the last character with a width.
    let before = text[..at].char_indices().rev().find(|(_, c)| c.width() != Some(0));
    let from = before.map_or(0, |(at, _)| at);
    let end = at + c.len_utf8();
    at > 0 && text[from..end].graphemes(true).count() == 1
}

#[cfg(test)]
mod tests {
    use crate::text::{clean, width};
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation as _;
    use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

    /// Every cluster of a cleaned text is one or two cells, by each way to count.
    fn agreed(text: &str) {
        let cleaned = clean(text);
        let mut all = 0;
        for cluster in cleaned.graphemes(true) {
            let sum: usize = cluster.chars().map(|c| c.width().unwrap_or(9)).sum();
            assert!((1..=2).contains(&sum), "{} is {sum} cells", cluster.escape_unicode());
            assert_eq!(cluster.width(), sum, "{}", cluster.escape_unicode());
            all += sum;
        }
        assert_eq!(width(&cleaned), all);
    }

    /// The kinds of text that are known for upsetting terminals.
    const NAUGHTY: [&str; 24] = [
        "\u{1f1fa}\u{1f1f8}\u{1f1f7}\u{1f1fa}\u{1f1f8}",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}",
        "\u{1f44d}\u{1f3fd} \u{2764}\u{fe0f} 1\u{fe0f}\u{20e3}",
        "\u{c1c}\u{c4d}\u{c1e}\u{200c}\u{c3e}",
        "\u{915}\u{94d}\u{937}\u{93e} \u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947}",
        "\u{ba4}\u{bae}\u{bbf}\u{bb4}\u{bcd}\u{ba8}\u{bbe}\u{b9f}\u{bc1}",
        "\u{e01}\u{e33} \u{e19}\u{e49}\u{e33}",
        "\u{1100}\u{1161}\u{11a8}\u{ac00}",
        "\u{644}\u{627} \u{fdfd}",
        "\u{1780}\u{17d2}\u{1780}\u{17bb}",
        "\u{2e3a}\u{2e3b}",
        "Z\u{351}\u{36b}\u{343}\u{36a}\u{302}\u{36b}\u{33d}\u{34f}\u{334}\u{319}A\u{324}",
        "\u{d4e}\u{d15} \u{111c2}a",
        "\u{995}\u{9cb}\u{9d7} \u{9be}\u{9be}",
        "\u{65e5}\u{672c}\u{8a9e}\u{ff21}\u{ff71}\u{ff9e}",
        "\u{202e}evil\u{202c}\u{200b}\u{feff}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}",
        "\u{aa0}\u{abe}\u{ac0}",
        "\u{1b05}\u{1b44}\u{1b13}\u{1b35}",
        "\u{1d165}\u{1d16e} \u{302e}\u{ac00}\u{302f}",
        "\u{104b}\u{1000}\u{1039}\u{1000}\u{102b}\u{102c}",
        "\u{d15}\u{d4d}\u{d37}\u{d4b}\u{d3e}",
        "e\u{301} \u{301}",
        "\u{a9af}\u{a9c0}\u{a9b1}\u{a9ba}",
    ];

    #[test]
    fn every_cell_holds_what_every_terminal_draws_in_it() {
        for text in NAUGHTY {
            agreed(text);
            agreed(&format!("a{text}b"));
        }
        assert_eq!(clean("\u{1f1fa}\u{1f1f8}"), "‹U+1F1FA›‹U+1F1F8›");
        assert_eq!(clean("\u{915}\u{94d}\u{937}"), "\u{915}‹U+094D›\u{937}");
        // What is agreed on stays: an accent, a vowel beside its letter, a final virama.
        for text in ["e\u{301}", "\u{915}\u{93e}", "\u{915}\u{94d}", "\u{1f600}", "\u{65e5}"] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn every_character_alone_and_after_a_letter_is_agreed_on() {
        // All but ideographs and syllables, of which a few stand for the rest.
        let all = (0..=0x3500).chain(0x9ff0..=0xac10).chain(0xd7a0..=0x1_7010).chain(0x1_8cf0..=0x1_ffff);
        for c in all.chain(0xe_0000..=0xe_0fff).filter_map(char::from_u32) {
            agreed(&format!("{c}"));
            agreed(&format!("x{c}y"));
            agreed(&format!("\u{915}{c}\u{937}"));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_agreed_on(
            text in proptest::collection::vec(
                prop_oneof![
                    any::<char>(),
                    proptest::char::range('\u{900}', '\u{e7f}'),
                    proptest::char::range('\u{1000}', '\u{11ff}'),
                    proptest::char::range('\u{1780}', '\u{1bff}'),
                    proptest::char::range('\u{1f1e0}', '\u{1f1ff}'),
                    proptest::char::range('\u{1f3f0}', '\u{1f450}'),
                ],
                0..30,
            )
        ) {
            agreed(&text.into_iter().collect::<String>());
        }
    }
}
