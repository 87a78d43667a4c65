//! What a click hits: whoever draws says what stands where, so that a click never means another thing
//! than what is seen.

use super::app::App;
use super::draw;
use super::key::Key;
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// What is drawn at a place and takes a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// A row that up and down go through, and whether the cursor is on it.
    Row(bool),
    /// A field, by its place.
    Field(usize),
    /// A choice of a field, by their places.
    Choice(usize, usize),
    /// A button: the one that acts, or the one that keeps.
    Button(bool),
    /// The name of a key, with what it does.
    Key(Key),
}

/// What takes a click, where; what was drawn last lies on top.
pub type Hits = Vec<(Rect, Hit)>;

impl App {
    /// What takes a click in the frame as it is drawn now.
    #[must_use]
    pub fn hits(&self) -> Hits {
        let mut buf = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        draw::told(self, &mut buf)
    }
}

/// What is hit at a place.
#[must_use]
pub fn at(hits: &Hits, at: Position) -> Option<(Rect, Hit)> {
    hits.iter().rev().find(|(area, _)| area.contains(at)).copied()
}

/// How many rows down it is from the one with the cursor to one that was hit; none where there is no
/// cursor.
#[must_use]
pub fn rows_to(hits: &Hits, area: Rect) -> Option<isize> {
    let rows: Vec<(Rect, bool)> = hits
        .iter()
        .filter_map(|(area, hit)| match hit {
            Hit::Row(selected) => Some((*area, *selected)),
            _ => None,
        })
        .collect();
    let from = rows.iter().position(|(_, selected)| *selected)?;
    let to = rows.iter().position(|(row, _)| *row == area)?;
    Some(isize::try_from(to).unwrap_or(0) - isize::try_from(from).unwrap_or(0))
}

/// The keys that a line names, `enter do it   esc back`, from a column on: where each stands.
#[must_use]
pub fn named_keys(line: &str, x: u16, y: u16) -> Hits {
    let mut hits = Hits::new();
    let mut from = x;
    for part in line.split("   ") {
        let cells = super::paint::width(part);
        let mut words = part.split(' ').filter(|word| !word.is_empty());
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let arrow = |word: &str| match word {
            "←" => Some(KeyCode::Left),
            "→" => Some(KeyCode::Right),
            "↑" => Some(KeyCode::Up),
            "↓" => Some(KeyCode::Down),
            _ => None,
        };
        // Of two keys together none is meant more than the other; a single letter may be a word.
        let key = match arrow(first) {
            Some(code) if arrow(second).is_none() => Some(Key { code, ctrl: false }),
            Some(_) => None,
            None => {
                Key::parse(first).filter(|_| first.len() > 1 || second.len() > 1 && !second.ends_with(':'))
            }
        };
        if let Some(key) = key.filter(|_| !second.is_empty()) {
            hits.push((Rect::new(from, y, cells, 1), Hit::Key(key)));
        }
        from += cells + 3;
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_its_keys_and_where_they_stand() {
        let named = |line: &str| -> Vec<(u16, String)> {
            let hits = named_keys(line, 10, 0);
            let name = |hit: Hit| match hit {
                Hit::Key(key) => key.to_string(),
                other => panic!("{other:?}"),
            };
            hits.into_iter().map(|(area, hit)| (area.x, name(hit))).collect()
        };
        assert_eq!(named("enter do it   esc back"), [(10, "enter".to_owned()), (24, "esc".to_owned())]);
        assert_eq!(named("enter keeps   → abort   esc back")[1], (24, "right".to_owned()));
        assert_eq!(named("↑ ↓ move   / filter   j k move"), [(21, "/".to_owned())]);
        assert!(["asking the store…", "one key", "3 more: j"].iter().all(|line| named(line).is_empty()));
    }

    #[test]
    fn rows_are_counted_from_the_cursor() {
        let row = |y| Rect::new(0, y, 10, 1);
        let hits = vec![
            (row(3), Hit::Row(false)),
            (row(4), Hit::Row(true)),
            (row(5), Hit::Field(0)),
            (row(7), Hit::Row(false)),
        ];
        assert_eq!((rows_to(&hits, row(7)), rows_to(&hits, row(3))), (Some(1), Some(-1)));
        assert_eq!(rows_to(&hits[..1].to_vec(), row(3)), None);
        assert_eq!(at(&hits, Position::new(2, 5)).unwrap().1, Hit::Field(0));
    }
}
