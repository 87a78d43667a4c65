//! Control, format and invisible characters become visible; nothing reaches the terminal that it
//! could take for an order or that would hide or reorder what stands beside it, and nothing whose
//! width terminals count differently (flags, joined emoji, conjuncts: [`super::clusters`]).

use super::clusters;
use std::borrow::Cow;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthChar as _;

/// Combining marks that one character keeps; more are replaced by their count.
pub const MAX_MARKS: usize = 6;

/// How what is not drawn is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// `⏎ ⇥ ␛ ‹U+202E›`
    #[default]
    Unicode,
    /// `\n \t \e <U+202E>`
    Ascii,
}

impl Glyphs {
    fn spell(self, c: char) -> Cow<'static, str> {
        match (self, c) {
            (Self::Unicode, '\n') => "⏎".into(),
            (Self::Unicode, '\t') => "⇥".into(),
            (Self::Unicode, '\u{1b}') => "␛".into(),
            (Self::Ascii, '\n') => "\\n".into(),
            (Self::Ascii, '\t') => "\\t".into(),
            (Self::Ascii, '\u{1b}') => "\\e".into(),
            (Self::Unicode, _) => format!("‹U+{:04X}›", u32::from(c)).into(),
            (Self::Ascii, _) => format!("<U+{:04X}>", u32::from(c)).into(),
        }
    }

    fn spell_cut(self, marks: usize) -> Cow<'static, str> {
        match self {
            Self::Unicode => format!("‹+{marks}›").into(),
            Self::Ascii => format!("<+{marks}>").into(),
        }
    }
}

/// A part of a cleaned text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    /// As it came.
    Plain(&'t str),
    /// Stands for something that is not drawn: coloured, so that a sender who writes a real `‹`
    /// cannot pass for it.
    Escape(Cow<'static, str>),
}

impl Piece<'_> {
    /// What is drawn.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Escape(text) => text,
        }
    }
}

/// Makes a text safe to draw in one line. Borrowed where nothing had to change; cleaning what is
/// clean changes nothing.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    clean_as(text, Glyphs::Unicode)
}

/// [`clean`] with a choice of glyphs.
#[must_use]
pub fn clean_as(text: &str, glyphs: Glyphs) -> Cow<'_, str> {
    if is_printable_ascii(text) {
        return Cow::Borrowed(text);
    }
    let mut pieces = pieces(text, glyphs);
    match pieces.next() {
        Some(Piece::Plain(first)) if first.len() == text.len() => Cow::Borrowed(text),
        first => {
            let mut cleaned = String::with_capacity(text.len() + 16);
            for piece in first.into_iter().chain(pieces) {
                cleaned.push_str(piece.text());
            }
            Cow::Owned(cleaned)
        }
    }
}

/// The parts of a text, cleaned: what was written, and what stands for something not drawn.
#[must_use]
pub fn pieces(text: &str, glyphs: Glyphs) -> Pieces<'_> {
    Pieces { text, from: 0, glyphs, base: false, marks: 0, cells: 0 }
}

/// Iterator of [`pieces`].
#[derive(Debug, Clone)]
pub struct Pieces<'t> {
    text: &'t str,
    /// What is before it was given already.
    from: usize,
    glyphs: Glyphs,
    /// Whether the character before can bear a mark.
    base: bool,
    /// Marks that it bears.
    marks: usize,
    /// Cells of the cluster so far.
    cells: usize,
}

impl<'t> Pieces<'t> {
    /// The next bytes, up to a place.
    fn split(&mut self, to: usize) -> &'t str {
        let head = &self.text[self.from..to];
        self.from = to;
        head
    }

    /// What becomes of a character, with what is before it in its cell.
    fn kind(&mut self, at: usize, c: char) -> Kind {
        match kind(c) {
            Kind::Mark if clusters::links(&self.text[at..]) => Kind::Hidden,
            // A mark that stays alone has no cell of its own.
            Kind::Mark if self.base && !clusters::joins(self.text, at, c) => Kind::Hidden,
            Kind::Drawn => {
                let cells = c.width().unwrap_or(1);
                let before = if at > 0 && clusters::joins(self.text, at, c) { self.cells } else { 0 };
                if before + cells > 2 {
                    return Kind::Hidden;
                }
                self.cells = before + cells;
                Kind::Drawn
            }
            kind => kind,
        }
    }

    fn escape(&mut self, bytes: usize, text: Cow<'static, str>) -> Piece<'t> {
        self.split(self.from + bytes);
        self.base = false;
        self.marks = 0;
        self.cells = 1;
        Piece::Escape(text)
    }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        let text = self.text;
        if self.from == text.len() {
            return None;
        }
        let start = self.from;
        for (at, c) in text[start..].char_indices().map(|(at, c)| (start + at, c)) {
            let mark = match self.kind(at, c) {
                Kind::Drawn => {
                    self.base = true;
                    self.marks = 0;
                    continue;
                }
                Kind::Mark if self.base && self.marks < MAX_MARKS => {
                    self.marks += 1;
                    continue;
                }
                kind => kind == Kind::Mark && self.base,
            };
            if at > start {
                return Some(Piece::Plain(self.split(at)));
            }
            if !mark {
                return Some(self.escape(c.len_utf8(), self.glyphs.spell(c)));
            }
            let run = text[at..].chars().take_while(|c| kind(*c) == Kind::Mark);
            let (marks, bytes) = run.fold((0, 0), |(n, bytes), c| (n + 1, bytes + c.len_utf8()));
            return Some(self.escape(bytes, self.glyphs.spell_cut(marks)));
        }
        Some(Piece::Plain(self.split(text.len())))
    }
}

fn is_printable_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Takes a cell or two.
    Drawn,
    /// Is drawn over the character before it.
    Mark,
    /// Is spelt out.
    Hidden,
}

fn kind(c: char) -> Kind {
    if matches!(c, ' '..='~') {
        Kind::Drawn
    } else if is_hidden(c) || clusters::is_disputed(c) {
        Kind::Hidden
    } else {
        match c.width() {
            Some(0) => Kind::Mark,
            Some(1 | 2) => Kind::Drawn,
            Some(_) | None => Kind::Hidden,
        }
    }
}

/// JSON text in which nothing that [`clean`] would show otherwise stands as it is: control and format
/// characters of its strings become `\\u` escapes, which say the same. For JSON that may end up on a
/// terminal.
#[must_use]
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    // Only spaces between values are controls in JSON text itself.
    let hidden = |c: char| is_hidden(c) && c != '\n';
    if !json.contains(hidden) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Unicode 16: categories Cc, Cf, Zl and Zp, the property `Default_Ignorable_Code_Point` (variation
/// selectors, joiners, fillers, tags), and the noncharacters.
fn is_hidden(c: char) -> bool {
    if u32::from(c) & 0xfffe == 0xfffe {
        return true;
    }
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}'
        | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::Regex;

    /// What must never be drawn, by the tables of another crate.
    fn forbidden() -> Regex {
        Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Variation_Selector}\p{Join_Control}\p{Bidi_Control}]")
            .unwrap()
    }

    #[test]
    fn json_for_a_terminal_says_the_same_in_escapes() {
        let value = serde_json::json!({"k\u{9b}31m": "\u{7f} \u{202e} \u{e0001} é\n"});
        let json = serde_json::to_string_pretty(&value).unwrap();
        let escaped = escaped_json(&json);
        assert!(
            escaped.contains("\\u009b31m") && escaped.contains("\\u007f \\u202e \\udb40\\udc01 é"),
            "{escaped}"
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        assert!(matches!(escaped_json("{\n  \"a\": 1\n}"), Cow::Borrowed(_)));
    }

    #[test]
    fn every_character_that_unicode_calls_control_format_or_ignorable_is_spelt_out() {
        let forbidden = forbidden();
        for block in 0..=0x10_ff {
            // A letter between them, so that each mark has a base.
            let text: String = (0..=0xff)
                .filter_map(|low| char::from_u32(block << 8 | low))
                .flat_map(|c| ['a', c])
                .collect();
            for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
                let cleaned = clean_as(&text, glyphs);
                let found = forbidden.find(&cleaned).map(|found| found.as_str().escape_unicode().to_string());
                assert_eq!(found, None, "block {block:x}");
                assert!(cleaned.chars().all(|c| c.width().is_some()), "block {block:x}");
            }
        }
    }

    #[test]
    fn the_usual_ones_have_glyphs_of_their_own() {
        let text = "a\nb\tc\u{1b}[31md\u{202e}e\u{7f}\u{9b}\r";
        assert_eq!(clean(text), "a⏎b⇥c␛[31md‹U+202E›e‹U+007F›‹U+009B›‹U+000D›");
        assert_eq!(clean_as(text, Glyphs::Ascii), "a\\nb\\tc\\e[31md<U+202E>e<U+007F><U+009B><U+000D>");
        assert_eq!(clean("\u{e0041}\u{fe0f}"), "‹U+E0041›‹U+FE0F›");
    }

    #[test]
    fn what_is_clean_is_borrowed() {
        for text in ["", "plain ~", "Grüße, 日本 ‹U+202E›", "e\u{301}", "\u{5e9}\u{5c1}"] {
            assert!(matches!(clean(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn long_combining_runs_are_cut_and_a_mark_without_a_base_is_spelt_out() {
        let marks = |n: usize| "\u{301}".repeat(n);
        let most = format!("e{}f", marks(MAX_MARKS));
        assert_eq!(clean(&most), most);
        let over = format!("e{}f", marks(MAX_MARKS + 1));
        assert_eq!(clean(&over), format!("e{}‹+1›f", marks(MAX_MARKS)));
        let over = format!("e{}", marks(1_000));
        assert_eq!(clean(&over), format!("e{}‹+{}›", marks(MAX_MARKS), 1_000 - MAX_MARKS));
        assert_eq!(clean("\u{301}a"), "‹U+0301›a");
        assert_eq!(clean("a\n\u{301}"), "a⏎‹U+0301›");
    }

    #[test]
    fn pieces_tell_a_real_angle_quote_from_an_escape() {
        let parts: Vec<_> = pieces("‹U+202E›\u{202e}x", Glyphs::Unicode).collect();
        assert_eq!(parts, [Piece::Plain("‹U+202E›"), Piece::Escape("‹U+202E›".into()), Piece::Plain("x")]);
        assert_eq!(pieces("", Glyphs::Unicode).next(), None);
    }

    proptest! {
        #[test]
        fn any_text_comes_out_clean_and_stays_as_it_is(
            text in proptest::collection::vec(
                prop_oneof![
                    any::<char>(),
                    proptest::char::range('\0', '\u{ff}'),
                    proptest::char::range('\u{300}', '\u{320}'),
                    proptest::char::range('\u{2000}', '\u{2070}'),
                ],
                0..40,
            )
        ) {
            let text: String = text.into_iter().collect();
            for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
                let cleaned = clean_as(&text, glyphs);
                prop_assert!(!forbidden().is_match(&cleaned));
                prop_assert_eq!(clean_as(&cleaned, glyphs), cleaned.as_ref());
                let joined: String = pieces(&text, glyphs).map(|piece| piece.text().to_owned()).collect();
                prop_assert_eq!(joined, cleaned.as_ref());
            }
        }
    }
}
