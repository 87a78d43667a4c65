//! A document that is edited: its lines with their numbers, what is wrong under them, the list at the
//! cursor, and what the step at the cursor would send.

use crate::console::app::App;
use crate::console::editor::complete::Completion;
use crate::console::editor::source::{byte_of, found};
use crate::console::editor::syntax::{Kind, Scanner, Token};
use crate::console::editor::{Editor, GUTTER, Row};
use crate::console::layout::Class;
use crate::console::overlay::dialog::reversed;
use crate::console::paint::{Paint, clean, width};
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Rows of a list at the cursor.
const LIST: u16 = 8;

/// Its rule, its lines, and the two rows of what would be sent; without them where there is no room.
#[must_use]
pub fn parts(area: Rect) -> (Rect, Rect, Rect) {
    let under = if area.height >= 10 { 2 } else { 0 };
    let rule = Rect { height: area.height.min(1), ..area };
    let lines = area.height.saturating_sub(1 + under);
    let body = Rect { y: area.y + rule.height, height: lines, ..area };
    (rule, body, Rect { y: body.bottom(), height: under, ..area })
}

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, editor: &Editor) {
    let (rule, body, under) = parts(area);
    let (title, right) = editor.title();
    paint.rule(rule, &title, &right, true);
    if editor.loading {
        return super::says(paint, body, "asking the store…");
    }
    if editor.form.is_some() {
        super::form::draw(paint, body, editor, &app.options.keymap);
    } else {
        lines(paint, body, editor);
    }
    if under.height == 2 {
        let (title, told, well) = editor.told(&app.options.keymap);
        paint.rule(Rect { height: 1, ..under }, &title, "", false);
        let told = told.replace('\n', " ");
        paint.foreign(
            under.x + 1,
            under.y + 1,
            under.width.saturating_sub(2),
            &told,
            if well { Role::Text } else { Role::Warn },
        );
    }
    if let Some(edit) = &editor.search.edit {
        let y = app.frame().footer.y.saturating_sub(1);
        paint.blank(Rect { x: area.x, y, width: area.width, height: 1 });
        let next = paint.put(area.x, y, 3, " / ", Role::Key);
        let room = area.width.saturating_sub(6);
        let (text, at) = edit.window(room);
        paint.foreign(next, y, room, &text, Role::Text);
        reversed(paint, next + at, y);
    }
}

/// The lines with what is wrong under them, and the list at the cursor.
fn lines(paint: &mut Paint<'_>, body: Rect, editor: &Editor) {
    let tokens = tokens(editor);
    let mut cursor = None;
    for (y, row) in (body.y..body.bottom()).zip(editor.rows(body.width)) {
        match row {
            Row::Line(at) => {
                let of = at.checked_sub(editor.top).and_then(|at| tokens.get(at));
                let x = line(paint, body, y, editor, at, of.map_or(&[], Vec::as_slice));
                cursor = x.map(|x| (x, y)).or(cursor);
            }
            Row::Told(from, text, stops) => {
                let x = body.x + from;
                let room = body.right().saturating_sub(x);
                let role = if stops { Role::Bad } else { Role::Warn };
                paint.put(x, y, room, &text, role);
                if text.starts_with('^') {
                    paint.put(x, y, room.min(1), "^", Role::Match);
                }
            }
        }
    }
    if let (Some((x, y)), Some(list)) = (cursor, editor.completion.as_ref().filter(|_| editor.typing)) {
        let typed = u16::try_from(list.typed).unwrap_or(0);
        completion(paint, body, (x.saturating_sub(typed), y), list);
    }
}

/// The parts of the lines that may be drawn.
fn tokens(editor: &Editor) -> Vec<Vec<Token>> {
    let mut scanner = if editor.body.is_some() { Scanner::json() } else { Scanner::default() };
    let lines = editor.source.lines();
    let end = (editor.top + editor.height).min(lines.len());
    let mut all = Vec::new();
    for (at, line) in lines[..end].iter().enumerate() {
        let tokens = scanner.line(line);
        if at >= editor.top {
            all.push(tokens);
        }
    }
    all
}

/// Draws a line; the column of the cursor, where it is in it.
fn line(
    paint: &mut Paint<'_>,
    body: Rect,
    y: u16,
    editor: &Editor,
    at: usize,
    tokens: &[Token],
) -> Option<u16> {
    let text = editor.source.lines().get(at)?;
    let (line, letter) = editor.source.cursor();
    let here = line == at;
    let number = format!("{:>4}", at + 1);
    paint.put(body.x + 1, y, GUTTER.saturating_sub(2), &number, if here { Role::Title } else { Role::Muted });
    paint.row(body.x, y, body.right(), here);
    if here {
        paint.put(body.x, y, 1, "▌", Role::BorderFocus);
    }
    let x = body.x + GUTTER;
    let room = body.right().saturating_sub(x);
    let from = if here { skipped(text, letter, room) } else { 0 };
    let mut next = x;
    let mut put = |range: std::ops::Range<usize>, role: Role| {
        let range = range.start.max(from)..range.end;
        if range.start < range.end && next < body.right() {
            next = paint.foreign(next, y, body.right().saturating_sub(next), &text[range], role);
        }
    };
    let mut done = 0;
    for (range, kind) in tokens {
        put(done..range.start, Role::Text);
        put(range.clone(), kind.role());
        done = range.end;
    }
    put(done..text.len(), Kind::Other.role());
    let cells = |letters: usize| width(&clean(text.get(from..byte_of(text, letters)).unwrap_or_default()));
    let wanted = editor.search.wanted.to_lowercase();
    let style = paint.style(Role::Match);
    for place in found(text, &wanted) {
        let (left, right) =
            (x.saturating_add(cells(place)), x.saturating_add(cells(place + wanted.chars().count())));
        let right = right.min(body.right());
        paint.over(Rect { x: left, y, width: right.saturating_sub(left), height: 1 }, style);
    }
    if !here {
        return None;
    }
    let at = x.saturating_add(cells(letter)).min(body.right().saturating_sub(1));
    reversed(paint, at, y);
    Some(at)
}

/// The byte from which a line is drawn so that a letter is.
fn skipped(text: &str, letter: usize, room: u16) -> usize {
    let end = byte_of(text, letter);
    let mut from = 0;
    while width(&clean(&text[from..end])) >= room.saturating_sub(2).max(1) {
        from += text[from..].chars().next().map_or(1, char::len_utf8);
    }
    from
}

/// The list at the cursor, under it or over it.
pub(super) fn completion(paint: &mut Paint<'_>, body: Rect, (x, y): (u16, u16), list: &Completion) {
    let count = u16::try_from(list.all.len()).unwrap_or(LIST).min(LIST);
    let shown = list.all.iter().map(|one| width(&one.shown)).max().unwrap_or(0).min(40);
    let note = list.all.iter().map(|one| width(&one.note)).max().unwrap_or(0).min(40);
    let shares = list.all.iter().any(|one| one.share.is_some());
    let wide = (shown + note + if shares { 14 } else { 7 }).clamp(24, body.width.max(24));
    let height = count + 2;
    let under = y + 1 + height <= body.bottom();
    let top = if under { y + 1 } else { y.saturating_sub(height).max(body.y) };
    let left = x.saturating_sub(2).min(body.right().saturating_sub(wide)).max(body.x);
    let area = Rect { x: left, y: top, width: wide.min(body.width), height };
    let seen = list.seen.map_or_else(String::new, |seen| format!("seen in {seen} requests"));
    paint.boxed(area, "", &seen);
    paint.put(area.x + 1, area.y, 4, "────", Role::BorderFocus);
    if seen.is_empty() {
        paint.put(
            area.right().saturating_sub(5),
            area.bottom().saturating_sub(1),
            3,
            "───",
            Role::BorderFocus,
        );
    }
    let first = list.at.saturating_sub(usize::from(count).saturating_sub(1));
    for (y, (at, one)) in (area.y + 1..).zip(list.all.iter().enumerate().skip(first).take(usize::from(count)))
    {
        let right = area.right().saturating_sub(2);
        if at == list.at {
            paint.put(area.x + 1, y, 1, "▌", Role::BorderFocus);
        }
        paint.foreign(area.x + 3, y, shown, &one.shown, if at == list.at { Role::Title } else { Role::Text });
        let from = area.x + 4 + shown;
        let share = one.share.map(|share| format!("{share} %")).unwrap_or_default();
        let end = if shares { right.saturating_sub(7) } else { right };
        paint.foreign(from, y, end.saturating_sub(from), &one.note, Role::Muted);
        paint.right(end, right, y, &share, Role::Info);
        if at == list.at {
            paint.selection(Rect { x: area.x + 2, y, width: area.width.saturating_sub(3), height: 1 });
        }
    }
}

/// The keys of the last row.
#[must_use]
pub fn keys(editor: &Editor, class: Class) -> Vec<(&'static str, &'static str)> {
    if editor.loading {
        return vec![("esc", "back")];
    }
    if editor.search.edit.is_some() {
        return vec![("enter", "finds"), ("esc", "leaves it")];
    }
    if editor.typing && editor.completion.is_some() {
        return vec![("tab", "take"), ("↑ ↓", "choose"), ("esc", "close list"), ("esc esc", "end typing")];
    }
    if editor.typing && editor.form.is_some() {
        return vec![("enter", "ends typing"), ("tab", "next field"), ("ctrl-u", "all away")];
    }
    if editor.typing {
        return vec![
            ("esc", "ends typing"),
            ("tab", "complete"),
            ("ctrl-w", "word away"),
            ("ctrl-k", "rest away"),
        ];
    }
    if editor.body.is_some() {
        return vec![
            ("enter", "type"),
            ("R", "replay"),
            ("d", "changes"),
            ("z", "undo"),
            ("/", "search"),
            ("esc", "leave"),
        ];
    }
    let next = match (editor.problems.is_empty(), editor.search.wanted.is_empty()) {
        (_, false) => ("n N", "next found"),
        (false, true) => ("n N", "error"),
        (true, true) => ("/", "search"),
    };
    let mut keys =
        vec![("enter", "type"), ("w", "save"), ("b", "back-test"), ("D", "deploy"), ("z", "undo"), next];
    keys.insert(5, ("v", if editor.form.is_some() { "source" } else { "form" }));
    if editor.form.is_some() {
        keys.insert(1, ("h l", "choose"));
    }
    if class > Class::Compact {
        keys.extend([("i", "add"), ("K J", "move step"), ("d", "changes")]);
    }
    keys.push(("esc", "leave"));
    keys
}
