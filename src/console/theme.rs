//! Roles and their styles: what a theme file gives, fitted to what the terminal can show.

use crate::model::query::nearest;
use ratatui::style::{Color, Modifier, Style};
use std::collections::BTreeMap;
use std::fmt;

/// What a piece of the screen means; a theme says how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// Everything else; the terminal's default.
    #[default]
    Text,
    /// Zeros, finished, disabled keys, units, ids.
    Muted,
    /// The current tab, the title of the focused pane.
    Title,
    /// Rules and lines.
    Border,
    /// Rules and lines of the focused pane.
    BorderFocus,
    /// The selected row of the focused pane.
    Selection,
    /// Marked rows.
    Mark,
    /// Key letters.
    Key,
    /// It is well.
    Good,
    /// It wants a look.
    Warn,
    /// It needs a person.
    Bad,
    /// It is at work.
    Busy,
    /// It waits, or tells.
    Info,
    /// New since the person looked.
    New,
    /// Older than it should be.
    Stale,
    /// Keys in payloads.
    JsonKey,
    /// Strings in payloads.
    JsonString,
    /// Numbers in payloads.
    JsonNumber,
    /// `true`, `false`, `null` in payloads.
    JsonLiteral,
    /// `{{ … }}`.
    Template,
    /// Found text, carets under errors.
    Match,
    /// There is more of it now.
    Added,
    /// There is less of it now.
    Removed,
}

impl Role {
    /// Every role and the name that theme files give it.
    pub const ALL: [(Self, &'static str); 23] = [
        (Self::Text, "text"),
        (Self::Muted, "muted"),
        (Self::Title, "title"),
        (Self::Border, "border"),
        (Self::BorderFocus, "border_focus"),
        (Self::Selection, "selection"),
        (Self::Mark, "mark"),
        (Self::Key, "key"),
        (Self::Good, "good"),
        (Self::Warn, "warn"),
        (Self::Bad, "bad"),
        (Self::Busy, "busy"),
        (Self::Info, "info"),
        (Self::New, "new"),
        (Self::Stale, "stale"),
        (Self::JsonKey, "json_key"),
        (Self::JsonString, "json_string"),
        (Self::JsonNumber, "json_number"),
        (Self::JsonLiteral, "json_literal"),
        (Self::Template, "template"),
        (Self::Match, "match"),
        (Self::Added, "added"),
        (Self::Removed, "removed"),
    ];

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(role, _)| *role)
    }
}

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// None: `NO_COLOR`, `--color never`, `TERM=dumb`.
    Mono,
    /// The sixteen of the terminal's own palette.
    #[default]
    Sixteen,
    /// The 256 of xterm.
    Many,
    /// 24 bits.
    True,
}

/// What is wrong with a theme: file, line and sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThemeError {
    /// Its name.
    pub file: String,
    /// From 1; 0 where it is of no line.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl std::error::Error for ThemeError {}

impl ThemeError {
    /// As it is told where the file has a shorter name.
    #[must_use]
    pub fn under(&self, file: &str) -> String {
        Self { file: file.to_owned(), ..self.clone() }.to_string()
    }
}

impl fmt::Display for ThemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

/// The themes that ship with the program, in the order in which `T` shows them.
pub const SHIPPED: [(&str, &str); 6] = [
    ("terminal", include_str!("../../themes/terminal.toml")),
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("contrast", include_str!("../../themes/contrast.toml")),
    ("contrast-light", include_str!("../../themes/contrast-light.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// The theme from which one inherits that does not say.
const BASE: &str = "terminal";

/// A style for each role.
#[derive(Clone, PartialEq)]
pub struct Theme {
    /// What it is called.
    pub name: String,
    /// The background of the terminals that it is for, where it is for some; it is never drawn.
    pub background: Option<Color>,
    styles: [Style; Role::ALL.len()],
}

impl fmt::Debug for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Theme({})", self.name)
    }
}

impl Default for Theme {
    /// The theme `terminal`; no style at all should its file not read (a test reads it).
    fn default() -> Self {
        Self::shipped(BASE, Depth::Sixteen).unwrap_or_else(|_| Self::plain(BASE))
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    inherits: Option<toml::Spanned<String>>,
    background: Option<toml::Spanned<String>>,
    #[serde(default)]
    palette: BTreeMap<String, toml::Spanned<String>>,
    #[serde(default)]
    roles: BTreeMap<String, toml::Spanned<toml::Table>>,
}

impl Theme {
    /// Without any style.
    fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), background: None, styles: [Style::new(); Role::ALL.len()] }
    }

    /// The style of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// A theme that ships with the program, fitted to a depth; `mono` where there is no colour.
    ///
    /// # Errors
    /// Where no theme has that name, with the names that there are.
    pub fn shipped(name: &str, depth: Depth) -> Result<Self, ThemeError> {
        let name = if depth == Depth::Mono { "mono" } else { name };
        let Some((name, text)) = SHIPPED.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = SHIPPED.iter().map(|(known, _)| *known).collect();
            return Err(ThemeError {
                file: name.to_owned(),
                line: 0,
                message: format!("there is no theme {name:?}: {}", names.join(", ")),
            });
        };
        Self::read(name, name, text, depth)
    }

    /// Reads a theme file.
    ///
    /// # Errors
    /// An unknown role, colour, key or theme to inherit from, with its line.
    pub fn read(name: &str, file: &str, text: &str, depth: Depth) -> Result<Self, ThemeError> {
        let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        let error =
            |at: usize, message: String| ThemeError { file: file.to_owned(), line: line(at), message };
        let parsed: File = toml::from_str(text)
            .map_err(|e| error(e.span().map_or(0, |span| span.start), e.message().to_owned()))?;
        let of = |parent: &str, at: usize| {
            let depth = if depth == Depth::Mono { Depth::True } else { depth };
            Self::shipped(parent, depth).map_err(|e| error(at, e.message))
        };
        let mut theme = match &parsed.inherits {
            None if name == BASE => Self::plain(name),
            None => of(BASE, 0)?,
            Some(parent) if parent.get_ref() == name => {
                return Err(error(parent.span().start, format!("{name} cannot inherit from itself")));
            }
            Some(parent) => of(parent.get_ref(), parent.span().start)?,
        };
        name.clone_into(&mut theme.name);
        let mut palette = BTreeMap::new();
        for (colour, value) in &parsed.palette {
            let read = colour_of(value.get_ref(), &BTreeMap::new())
                .ok_or_else(|| error(value.span().start, unknown_colour(value.get_ref())))?;
            palette.insert(colour.as_str(), read);
        }
        theme.background = match &parsed.background {
            None => None,
            Some(text) => Some(
                colour_of(text.get_ref(), &palette)
                    .ok_or_else(|| error(text.span().start, unknown_colour(text.get_ref())))?,
            ),
        };
        for (role, table) in &parsed.roles {
            let at = table.span().start;
            let role = Role::from_name(role).ok_or_else(|| error(at, unknown_role(role)))?;
            theme.styles[role as usize] = style_of(table.get_ref(), &palette).map_err(|e| error(at, e))?;
        }
        for style in &mut theme.styles {
            *style = fitted(*style, depth);
        }
        Ok(theme)
    }
}

fn unknown_role(text: &str) -> String {
    let names = || Role::ALL.iter().map(|(_, name)| *name);
    match nearest(text, names()) {
        Some(name) => format!("there is no role {text:?}; did you mean {name}?"),
        None => format!("there is no role {text:?}: {}", names().collect::<Vec<_>>().join(" ")),
    }
}

fn unknown_colour(text: &str) -> String {
    format!(
        "{text:?} is no colour: a name of the palette, \"#rrggbb\", 0 to 255 in quotes, or one of \
         red green yellow blue magenta cyan"
    )
}

fn style_of(table: &toml::Table, palette: &BTreeMap<&str, Color>) -> Result<Style, String> {
    let mut style = Style::new();
    for (key, value) in table {
        let modifier = match key.as_str() {
            "fg" | "bg" => {
                let text = value.as_str().ok_or_else(|| format!("{key} is a colour in quotes"))?;
                let colour = colour_of(text, palette).ok_or_else(|| unknown_colour(text))?;
                style = if key == "fg" { style.fg(colour) } else { style.bg(colour) };
                continue;
            }
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underline" => Modifier::UNDERLINED,
            "reverse" => Modifier::REVERSED,
            _ => return Err(format!("{key:?} is none of fg, bg, bold, dim, italic, underline, reverse")),
        };
        match value.as_bool() {
            Some(true) => style = style.add_modifier(modifier),
            Some(false) => {}
            None => return Err(format!("{key} is true or false")),
        }
    }
    Ok(style)
}

fn colour_of(text: &str, palette: &BTreeMap<&str, Color>) -> Option<Color> {
    if let Some(colour) = palette.get(text) {
        return Some(*colour);
    }
    if let Some(hex) = text.strip_prefix('#').filter(|hex| hex.len() == 6) {
        let number = u32::from_str_radix(hex, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        return Some(Color::Rgb(red, green, blue));
    }
    if let Ok(index) = text.parse::<u8>() {
        return Some(Color::Indexed(index));
    }
    Some(match text {
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        _ => return None,
    })
}

fn fitted(mut style: Style, depth: Depth) -> Style {
    style.fg = style.fg.and_then(|colour| colour_fitted(colour, depth));
    style.bg = style.bg.and_then(|colour| colour_fitted(colour, depth));
    style
}

fn colour_fitted(colour: Color, depth: Depth) -> Option<Color> {
    match (colour, depth) {
        (_, Depth::Mono) => None,
        (Color::Rgb(red, green, blue), Depth::Many) => Some(Color::Indexed(cube(red, green, blue))),
        (Color::Rgb(red, green, blue), Depth::Sixteen) => Some(nearest_basic(red, green, blue)),
        (Color::Indexed(index), Depth::Sixteen) => {
            let (red, green, blue) = of_index(index);
            Some(nearest_basic(red, green, blue))
        }
        (colour, _) => Some(colour),
    }
}

/// The nearest of xterm's 6×6×6 cube or its greys.
fn cube(red: u8, green: u8, blue: u8) -> u8 {
    let level = |value: u8| match value {
        0..48 => 0u8,
        48..115 => 1,
        _ => (value - 35) / 40,
    };
    let spread = red.max(green).max(blue) - red.min(green).min(blue);
    if spread < 12 {
        return match red {
            0..8 => 16,
            239.. => 231,
            _ => 232 + (red - 8) / 10,
        };
    }
    16 + 36 * level(red) + 6 * level(green) + level(blue)
}

fn of_index(index: u8) -> (u8, u8, u8) {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        0..16 => {
            let high = if index > 8 { 255 } else { 170 };
            let bit = |mask: u8| if index & mask == 0 { 0 } else { high };
            (bit(1), bit(2), bit(4))
        }
        16..232 => {
            let at = |n: u8| LEVELS[usize::from(n % 6)];
            let cell = index - 16;
            (at(cell / 36), at(cell / 6), at(cell))
        }
        _ => {
            let grey = (index - 232) * 10 + 8;
            (grey, grey, grey)
        }
    }
}

/// The nearest of the six colours and the default; black and white are never chosen, since one of
/// them is the background.
fn nearest_basic(red: u8, green: u8, blue: u8) -> Color {
    let high = red.max(green).max(blue);
    let low = red.min(green).min(blue);
    if high - low < 48 {
        return Color::DarkGray;
    }
    let middle = low + (high - low) / 2;
    match (red > middle, green > middle, blue > middle) {
        (true, false, false) => Color::Red,
        (false, true, false) => Color::Green,
        (true, true, false) => Color::Yellow,
        (false, false, true) => Color::Blue,
        (true, false, true) => Color::Magenta,
        (false, true, true) => Color::Cyan,
        _ => Color::DarkGray,
    }
}

#[cfg(test)]
mod tests;
