//! A frame as an SVG picture: what the documents show is what the program drew.

use super::theme::Theme;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;

const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
const BACK: &str = "#16181d";
const FORE: &str = "#d7dae0";

/// Draws a frame as SVG, on a dark ground. Colours of the sixteen are given fixed values; the theme
/// names the picture.
#[must_use]
pub fn svg(buf: &Buffer, theme: &Theme) -> String {
    let (columns, rows) = (buf.area.width, buf.area.height);
    let (width, height) = (f64::from(columns) * WIDTH + 20.0, f64::from(rows) * HEIGHT + 20.0);
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\
         <title>Pointsman, theme {}</title>\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACK}\"/>\
         <g font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" \
         font-size=\"14\" fill=\"{FORE}\" xml:space=\"preserve\">",
        escaped(&theme.name)
    );
    for y in 0..rows {
        let mut x = 0;
        while x < columns {
            let first = &buf[(x, y)];
            let mut text = String::new();
            let start = x;
            while x < columns && same_look(first, &buf[(x, y)]) {
                text.push_str(buf[(x, y)].symbol());
                x += 1;
            }
            run(&mut out, start, x, y, &text, first);
        }
    }
    out.push_str("</g></svg>\n");
    out
}

fn same_look(a: &Cell, b: &Cell) -> bool {
    a.fg == b.fg && a.bg == b.bg && a.modifier == b.modifier
}

fn run(out: &mut String, from: u16, to: u16, y: u16, text: &str, look: &Cell) {
    let reversed = look.modifier.contains(Modifier::REVERSED);
    if text.trim().is_empty() && !reversed {
        return;
    }
    let fore = hex(look.fg).unwrap_or_else(|| FORE.to_owned());
    let back = hex(look.bg).unwrap_or_else(|| BACK.to_owned());
    let (fore, ground) = if reversed { (back, Some(fore)) } else { (fore, hex(look.bg)) };
    let left = f64::from(from) * WIDTH + 10.0;
    let top = f64::from(y) * HEIGHT + 10.0;
    let width = f64::from(to - from) * WIDTH;
    if let Some(ground) = ground {
        let _ = write!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\" fill=\"{ground}\"/>"
        );
    }
    let weight = if look.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let dim = if look.modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    let slant = if look.modifier.contains(Modifier::ITALIC) { " font-style=\"italic\"" } else { "" };
    let _ = write!(
        out,
        "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" fill=\"{fore}\"{weight}{dim}{slant}>{}</text>",
        top + HEIGHT * 0.75,
        escaped(text)
    );
}

fn hex(colour: Color) -> Option<String> {
    Some(
        match colour {
            Color::Red => "#e06c75",
            Color::Green => "#98c379",
            Color::Yellow => "#e5c07b",
            Color::Blue => "#61afef",
            Color::Magenta => "#c678dd",
            Color::Cyan => "#56b6c2",
            Color::DarkGray => "#7f848e",
            Color::Rgb(red, green, blue) => return Some(format!("#{red:02x}{green:02x}{blue:02x}")),
            _ => return None,
        }
        .to_owned(),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn text_is_escaped_and_reverse_becomes_a_ground() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 1));
        buf.set_string(0, 0, "<b>&", Style::new().fg(Color::Green));
        buf.set_string(6, 0, "sel", Style::new().add_modifier(Modifier::REVERSED));
        let svg = svg(&buf, &Theme::default());
        assert!(svg.contains("&lt;b&gt;&amp;") && svg.contains("#98c379"));
        assert!(svg.matches("<rect").count() == 2);
        assert!(svg.ends_with("</svg>\n"));
    }
}
