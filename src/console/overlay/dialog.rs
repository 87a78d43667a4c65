//! Draws dialogs: what will happen first, then what to fill in, the keys in the last line.

use crate::console::app::App;
use crate::console::dialog::{Dialog, Facts, Field, Purpose};
use crate::console::format::{count, size};
use crate::console::hit::Hit;
use crate::console::layout::centred;
use crate::console::paint::{Paint, width};
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use crate::model::ask::{Fate, FieldPlan, Plan};
use ratatui::layout::Rect;
use ratatui::style::Modifier;

const WIDTH: u16 = 76;
/// Cells of a label, with the gap after it.
const LABEL: u16 = 11;

/// A verb before it acts.
pub fn verb(app: &App, paint: &mut Paint<'_>, dialog: &Dialog) {
    let screen = Rect::new(0, 0, app.size.0, app.size.1);
    let inner = centred(screen, WIDTH, u16::MAX).width.saturating_sub(4);
    let facts = facts(dialog, inner);
    let with_it = dialog.with_it();
    let lasts = dialog.pace();
    let fields: u16 = dialog.fields.iter().map(|field| 1 + u16::from(!field.hint.is_empty())).sum();
    let fields = fields + u16::from(with_it.is_some());
    let fields = if matches!(dialog.facts, Facts::Refused(_)) { 0 } else { fields };
    let told_at = u16::try_from(errors(dialog, inner).len()).unwrap_or(1);
    let extra = told_at + if dialog.keeps() && fields > 0 { 2 } else { 0 };
    let wanted = u16::try_from(facts.len()).unwrap_or(u16::MAX).saturating_add(fields + extra + 3);
    let area = centred(screen, WIDTH, wanted);
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let bottom = area.bottom().saturating_sub(1);
    let mut y = area.y + 1;
    // What will happen is seen whatever the size: half of the box is its own.
    let inside = bottom.saturating_sub(y);
    let least = inside.div_ceil(2).min(u16::try_from(facts.len()).unwrap_or(u16::MAX));
    let tight = fields > 0 && least + 1 + fields + extra > inside;
    let extra = if tight { extra.min(1) } else { extra };
    // The fields keep their place; the facts scroll where they do not fit.
    let room = if tight { least } else { inside.saturating_sub(fields + extra + u16::from(fields > 0)) };
    let few = inside.saturating_sub(least + extra);
    let from = if tight { first_of(dialog, few) } else { 0 };
    let title = match dialog.fields.len() {
        all if tight => format!("{} · field {} of {all}", dialog.title(), dialog.focus + 1),
        _ => dialog.title(),
    };
    paint.boxed(area, &title, &dialog.keys());
    y += told(paint, &facts, dialog.scroll, Rect { x, y, width: right.saturating_sub(x), height: room });
    if fields == 0 {
        return;
    }
    y += u16::from(!tight);
    let bottom = if tight { bottom.saturating_sub(extra) } else { bottom };
    let meant = dialog.fault.filter(|_| !tight);
    for (at, shown) in dialog.fields.iter().enumerate().skip(from) {
        if y >= bottom {
            break;
        }
        if let Some(lasts) = lasts.as_ref().filter(|_| shown.purpose == Purpose::Rate) {
            paint.right(x, right, y, lasts, Role::Muted);
        }
        if shown.purpose == Purpose::StopAfter {
            // Beside the number, which has four digits at most; none at all is told by a word.
            paint.put(x + 20, y, right.saturating_sub(x + 20), "failures in a row", Role::Muted);
        }
        let focused = at == dialog.focus;
        paint.takes(Rect::new(x, y, right.saturating_sub(x), 1), Hit::Field(at));
        y = field(paint, (at, shown), (focused, !tight || focused), x, y, right, bottom);
        if meant == Some(shown.purpose) {
            for line in errors(dialog, inner) {
                if y < bottom {
                    paint.foreign(x + LABEL, y, right.saturating_sub(x + LABEL), &line, Role::Bad);
                    y += 1;
                }
            }
        }
        if let Some(with_it) = with_it.as_ref().filter(|_| shown.purpose == Purpose::StandIn && y < bottom) {
            let role = if with_it.ends_with("all values there") { Role::Good } else { Role::Warn };
            paint.put(x + 11, y, right.saturating_sub(x + 11), with_it, role);
            y += 1;
        }
    }
    let bottom = if tight { bottom + extra } else { bottom };
    if let Some(error) = dialog.error.as_ref().filter(|_| meant.is_none())
        && (tight || y < bottom)
    {
        y = if tight { bottom.saturating_sub(1) } else { y };
        paint.foreign(x, y, right.saturating_sub(x), error, Role::Bad);
        y += 1;
    }
    if dialog.keeps() && (tight && dialog.error.is_none() || y + 1 < bottom) {
        let word = dialog.kind.word();
        let verb = format!("{}{}", word[..1].to_uppercase(), &word[1..]);
        let y = if tight { bottom.saturating_sub(1) } else { y + 1 };
        buttons(paint, x + 12, y, "Keep", &verb, dialog.sure);
    }
}

/// What is wrong with what was filled in: at its field in as many lines as it takes, else in one.
fn errors(dialog: &Dialog, cells: u16) -> Vec<String> {
    match (&dialog.error, dialog.fault) {
        (None, _) => Vec::new(),
        (Some(error), None) => vec![error.clone()],
        (Some(error), Some(_)) => wrapped(&crate::text::clean(error), cells.saturating_sub(LABEL)),
    }
}

/// The facts from where they are scrolled to, and how many more there are; how many rows they take.
fn told(paint: &mut Paint<'_>, facts: &[(String, Role)], scroll: u16, area: Rect) -> u16 {
    let room = usize::from(area.height);
    let hidden = facts.len().saturating_sub(room);
    let scroll = usize::from(scroll).min(hidden);
    let mut y = area.y;
    for (text, role) in facts.iter().skip(scroll).take(room) {
        let last = y + 1 == area.bottom() && hidden > scroll;
        let more = if last { format!("{} more · pgdn", hidden - scroll) } else { String::new() };
        let cells = area.width.saturating_sub(if last { width(&more) + 1 } else { 0 });
        paint.foreign(area.x, y, cells, text, *role);
        paint.right(area.x, area.right(), y, &more, Role::New);
        y += 1;
    }
    y - area.y
}

/// The first field that is drawn in so many rows, so that the one in focus is, with its hint.
fn first_of(dialog: &Dialog, rows: u16) -> usize {
    let hint = dialog.fields.get(dialog.focus).is_some_and(|field| !field.hint.is_empty());
    dialog.focus.saturating_sub(usize::from(rows.saturating_sub(1 + u16::from(hint))))
}

fn buttons(paint: &mut Paint<'_>, x: u16, y: u16, keep: &str, act: &str, sure: bool) {
    let (keep, act) = if sure {
        (format!("  {keep}  "), format!("[ {act} ]"))
    } else {
        (format!("[ {keep} ]"), format!("  {act}  "))
    };
    let next = paint.put(x, y, 20, &keep, if sure { Role::Text } else { Role::Title });
    paint.takes(Rect::new(x, y, next.saturating_sub(x), 1), Hit::Button(false));
    let end = paint.put(next + 4, y, 20, &act, if sure { Role::Bad } else { Role::Text });
    paint.takes(Rect::new(next + 4, y, end.saturating_sub(next + 4), 1), Hit::Button(true));
}

fn field(
    paint: &mut Paint<'_>,
    (place, field): (usize, &Field),
    (focused, hints): (bool, bool),
    x: u16,
    y: u16,
    right: u16,
    bottom: u16,
) -> u16 {
    if focused {
        paint.put(x.saturating_sub(1), y, 1, "▌", Role::BorderFocus);
    }
    paint.put(x, y, 10, field.label, if focused { Role::Title } else { Role::Muted });
    let start = x + 11;
    let room = right.saturating_sub(start);
    if field.takes_text() {
        let (text, cursor) = field.edit.window(room);
        if text.is_empty() && (!focused || field.purpose != Purpose::StandIn) {
            let empty = match field.purpose {
                Purpose::Count => "",
                Purpose::To => "‹the flow itself›",
                Purpose::Rate => "‹as fast as it goes›",
                Purpose::StopAfter => "‹never›",
                _ => "‹optional›",
            };
            paint.put(start, y, room, empty, Role::Muted);
        } else {
            paint.foreign(start, y, room, &text, Role::Text);
        }
        if focused {
            reversed(paint, start + cursor.min(room.saturating_sub(1)), y);
        }
    } else if field.choices.iter().map(|choice| width(choice) + 6).sum::<u16>() > room {
        // Too many for a line: the chosen one, and its place.
        let choice = field.choices.get(field.chosen).map_or("", String::as_str);
        let place = format!("{} of {}", field.chosen + 1, field.choices.len());
        let next = paint.put(start, y, 2, "‹ ", Role::Muted);
        let next = paint.foreign(next, y, room.saturating_sub(14), choice, Role::Text);
        paint.put(next, y, right.saturating_sub(next), &format!(" ›  {place}"), Role::Muted);
    } else {
        let mut at = start;
        for (n, choice) in field.choices.iter().enumerate() {
            let choice = if choice.is_empty() { "not set" } else { choice.as_str() };
            let chosen = n == field.chosen;
            let text = format!("{} {choice}", if chosen { "(•)" } else { "( )" });
            let role = if chosen { Role::Text } else { Role::Muted };
            let end = paint.put(at, y, right.saturating_sub(at), &text, role);
            paint.takes(Rect::new(at, y, end.saturating_sub(at), 1), Hit::Choice(place, n));
            at = end + 2;
        }
    }
    if field.hint.is_empty() || !hints {
        return y + 1;
    }
    if y + 1 < bottom {
        paint.put(start, y + 1, room, &field.hint, Role::Muted);
    }
    y + 2
}

/// The cell where the next letter goes.
pub fn reversed(paint: &mut Paint<'_>, x: u16, y: u16) {
    if let Some(cell) = paint.buf.cell_mut((x, y)) {
        cell.modifier.insert(Modifier::REVERSED);
    }
}

/// What the store said, in lines.
fn facts(dialog: &Dialog, cells: u16) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    let mut say = |text: &str, role: Role| {
        for line in wrapped(text, cells) {
            lines.push((line, role));
        }
    };
    match &dialog.facts {
        Facts::Asking => say("asking the store…", Role::Muted),
        // A document's mistakes come a line each.
        Facts::Refused(refusal) => refusal.message.lines().for_each(|line| say(line, Role::Warn)),
        Facts::Known(plan) => {
            if let Some(object) = &dialog.object {
                object.lines().for_each(|line| say(line, Role::Text));
            }
            known(plan, &dialog.without, &mut say, cells);
        }
    }
    if let (Facts::Known(_), Some(weighed)) = (&dialog.facts, &dialog.weighed) {
        for (line, role) in weighed.lines(cells) {
            if width(&line) <= cells {
                lines.push((line, role));
            } else {
                lines.extend(wrapped(&line, cells).into_iter().map(|line| (line, role)));
            }
        }
    }
    lines
}

fn known(plan: &Plan, without: &[FieldPlan], say: &mut impl FnMut(&str, Role), cells: u16) {
    for line in &plan.lines {
        say(line, Role::Text);
    }
    for (reason, left_out) in &plan.left_out {
        say(&format!("left out {}: {reason}", count(*left_out)), Role::Warn);
    }
    // Of one object the request itself is shown, which names its host.
    for (host, requests) in plan.hosts.iter().filter(|_| plan.sends.is_none() || plan.hosts.len() > 1) {
        say(&format!("sends {} to {host}", count(*requests)), Role::Text);
    }
    for (id, what) in &plan.sample {
        let what = crate::text::clean(what);
        let room = usize::from(cells).saturating_sub(15);
        say(
            &format!("  sample {} {}", crate::model::id::short(id), crate::text::cut_middle(&what, room)),
            Role::Muted,
        );
    }
    if let Some(sent) = &plan.sends {
        let room = usize::from(cells).saturating_sub(9 + sent.method.len());
        let url = crate::text::clean(&sent.url);
        say(&format!("  first: {} {}", sent.method, crate::text::cut_middle(&url, room)), Role::Info);
        if let Some(body) = sent.body.as_deref().filter(|body| !body.is_empty()) {
            let shown = crate::text::clean(body);
            let whole = width(&shown) + 2 <= cells;
            let long = if whole { String::new() } else { format!("  {}", size(body.len() as u64)) };
            let shown = crate::console::paint::cut(&shown, cells.saturating_sub(2 + width(&long)));
            say(&format!("  {shown}{long}"), Role::Muted);
        }
    }
    if !without.is_empty() {
        say("Without its outputs:", Role::Text);
    }
    for field in without {
        let (fate, role) = match field.fate {
            Fate::LeftOut => ("left out", Role::Warn),
            Fate::Empty => ("sent empty", Role::Warn),
            Fate::Fails => ("✗ cannot be built: FAILS", Role::Bad),
            Fate::Unaffected => ("needs nothing of it", Role::Muted),
            Fate::Passed => ("false: the step is passed over", Role::Warn),
        };
        let name = if field.field.is_empty() { String::new() } else { format!("{}   ", field.field) };
        say(&format!("  {:<10} {name}{fate}", field.step), role);
    }
    if plan.count == 0 {
        say("There is nothing that it could act on.", Role::Warn);
    }
}

/// Quitting stops the receiver.
pub fn quit(app: &App, paint: &mut Paint<'_>, sure: bool) {
    let address = app.options.quitting_stops.as_deref().unwrap_or("this address");
    let open: u64 = app.counters.as_ref().map_or(0, |c| [0, 1, 3, 4].iter().map(|at| c.runs[*at]).sum());
    let runs = match open {
        _ if app.options.loses.is_some() => app.options.loses.unwrap_or_default().to_owned(),
        0 => "No run is open.".to_owned(),
        1 => "1 run is open; it goes on at the next start.".to_owned(),
        open => format!("{} runs are open; they go on at the next start.", count(open)),
    };
    let text =
        format!("Quitting stops the receiver on {address}. {runs} To keep receiving: pointsman serve.");
    let screen = Rect::new(0, 0, app.size.0, app.size.1);
    let inner = centred(screen, WIDTH, u16::MAX).width.saturating_sub(4);
    let lines = wrapped(&text, inner);
    let height = u16::try_from(lines.len()).unwrap_or(4) + 4;
    let area = centred(screen, WIDTH, height);
    paint.boxed(area, "Quit", "enter does it   ← → choose   esc back");
    // The buttons are seen whatever the size.
    let last = area.bottom().saturating_sub(2);
    let mut y = area.y + 1;
    for line in lines.iter().take(usize::from(last.saturating_sub(y))) {
        paint.put(area.x + 2, y, inner, line, Role::Text);
        y += 1;
    }
    let y = last.min(y + 1);
    buttons(paint, area.x + 12, y, "Stay", "Quit", sure);
}
