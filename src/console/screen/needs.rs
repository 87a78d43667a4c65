//! What needs a person, worst first: a store in trouble, groups of errored runs, overdue callbacks, jobs
//! that halted, targets that refuse, silent endpoints, shapes that drifted.

use crate::console::action::Action;
use crate::console::app::{App, Place};
use crate::console::dialog::Kind;
use crate::console::format::{age, clock, count};
use crate::console::layout::{Class, Pane};
use crate::console::paint::{Paint, clean, width};
use crate::console::theme::Role;
use crate::console::worklist::{Expired, Need};
use crate::model::id::short;
use crate::model::job::failures;
use crate::model::time::parse_rfc3339;
use crate::model::trouble::StoreTrouble;
use crate::rules::badges::Badges;
use crate::text::{cut_inside, cut_middle};
use ratatui::layout::Rect;

/// Cells of the word that says of what kind an item is, and of a blank behind it.
const KIND: u16 = 9;

/// Draws the pane.
pub fn draw(app: &App, paint: &mut Paint<'_>, pane: Pane) {
    let focused = app.place() == Place::Needs;
    let list = app.needs.list();
    paint.rule(pane.rule, &format!("Needs you · {}", list.len()), "worst first", focused);
    let area = pane.body;
    if list.is_empty() {
        let text = if app.needs.known { "Nothing needs you." } else { super::waiting(app) };
        return super::says(paint, area, text);
    }
    let rows = app.needs_rows();
    let fits = usize::from(area.height / rows).max(1);
    let first = (app.needs.at + 1).saturating_sub(fits);
    for ((at, need), row) in list.iter().enumerate().skip(first).take(fits).zip(0u16..) {
        let y = area.y + row * rows;
        let selected = at == app.needs.at;
        if selected {
            paint.put(area.x, y, 1, "▌", if focused { Role::BorderFocus } else { Role::Border });
        }
        let (glyph, role) = glyph(need);
        let x = paint.put(area.x + 2, y, 2, glyph, role) + 1;
        let right = area.right().saturating_sub(1);
        let room = right.saturating_sub(x + KIND);
        if rows == 1 {
            let (kind, text) = in_one(app, need, room);
            paint.put(x, y, KIND - 1, &kind, role);
            paint.foreign(x + KIND, y, room, &text, Role::Text);
        } else {
            paint.put(x, y, KIND - 1, kind(need), role);
            for (line, text) in (y..area.bottom()).zip(in_three(app, need, room)) {
                let hint = line == y + 2 && !matches!(need, Need::Store(_));
                let (text, role) =
                    if hint { (keys(&text, room), Role::Muted) } else { (text.as_str(), Role::Text) };
                paint.foreign(x + KIND, line, room, text, role);
            }
        }
        if selected && focused {
            let style = paint.style(Role::Selection);
            let height = rows.min(area.bottom().saturating_sub(y));
            paint.over(Rect { x: area.x, y, width: area.width, height }, style);
        }
    }
}

impl App {
    /// Rows that an item takes here.
    #[must_use]
    pub fn needs_rows(&self) -> u16 {
        if self.frame().class >= Class::Normal || self.full { 3 } else { 1 }
    }
}

fn glyph(need: &Need<'_>) -> (&'static str, Role) {
    match need {
        Need::Store(_) | Need::Errored(_) | Need::Expired(_) => ("!", Role::Bad),
        Need::Halted(_) => ("■", Role::Warn),
        Need::Breaker(_) => ("↻", Role::Warn),
        Need::Silent(_) => ("○", Role::Warn),
        Need::Drift(_) => ("•", Role::New),
    }
}

fn kind(need: &Need<'_>) -> &'static str {
    match need {
        Need::Store(_) => "store",
        Need::Errored(_) => "errored",
        Need::Expired(_) => "expired",
        Need::Halted(_) => "job",
        Need::Breaker(_) => "breaker",
        Need::Silent(_) => "silent",
        Need::Drift(_) => "drift",
    }
}

/// A text in so many cells of which the middle part gives way: what stands around it decides.
fn around(before: &str, middle: &str, after: &str, room: u16) -> String {
    let (before, middle, after) = (clean(before), clean(middle), clean(after));
    let left = room.saturating_sub(width(&before) + width(&after));
    let whole = |middle: &str| format!("{before}{middle}{after}");
    if left < 6 && width(&middle) > left {
        return cut_inside(&whole(&middle), usize::from(room)).into_owned();
    }
    whole(&cut_inside(&middle, usize::from(left)))
}

/// As many keys as fit; none is half told.
fn keys(text: &str, room: u16) -> &str {
    let mut text = text;
    while width(text) > room {
        let Some((first, _)) = text.rsplit_once(" · ") else { break };
        text = first;
    }
    text
}

fn when(app: &App, text: &str) -> String {
    parse_rfc3339(text).map_or_else(|| text.to_owned(), |at| clock(at, app.now, &app.options.zone))
}

/// `1 run`, `1,212 runs`.
fn counted(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", count(n)) }
}

fn late(app: &App, expired: &Expired<'_>) -> String {
    let deadline = expired.callbacks.first().and_then(|of| parse_rfc3339(&of.deadline));
    deadline.map_or_else(String::new, |at| age(app.now - at))
}

/// What to do, in so many cells: that it goes on by itself gives way, and then the middle of the folder.
fn remedy(trouble: &StoreTrouble, room: u16) -> String {
    let whole = trouble.remedy(&trouble.folder);
    if width(&whole) <= room {
        return whole;
    }
    let first = |text: &str| text.split("; ").next().unwrap_or_default().to_owned();
    let over = width(&first(&whole)).saturating_sub(room);
    let folder = usize::from(width(&trouble.folder).saturating_sub(over).max(6));
    first(&trouble.remedy(&cut_middle(&trouble.folder, folder)))
}

/// Three lines: what, why and since when, and the keys.
fn in_three(app: &App, need: &Need<'_>, room: u16) -> [String; 3] {
    let keymap = &app.options.keymap;
    let look = format!("{} look", keymap.named(Action::Open));
    let retry = |all: &str| match app.barred(Kind::Retry) {
        None => format!("{} retry{all} · {look}", keymap.named(Action::Retry)),
        Some(_) => look.clone(),
    };
    match need {
        Need::Store(trouble) => {
            let since = clock(trouble.since, app.now, &app.options.zone);
            let what = trouble.what();
            let mut letters = what.chars();
            let what: String =
                letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect();
            [
                around("", &what, &format!(" since {since}"), room),
                "new requests are answered 503".to_owned(),
                remedy(trouble, room),
            ]
        }
        Need::Errored(group) => [
            around(
                &format!("{} · ", counted(group.count, "run")),
                &format!("{} / {}", group.integration, group.flow),
                "",
                room,
            ),
            {
                let (step, since) = (format!("{}: ", group.step), when(app, &group.first));
                // The cause is told before since when.
                let ends = [format!(", since {since}"), format!(", {since}"), String::new()];
                let most = width(&clean(&group.cause)).min(16);
                let fits = |end: &&String| width(&step) + most + width(end) <= room;
                let end = ends.iter().find(fits).unwrap_or(&ends[2]);
                around(&step, &group.cause, end, room)
            },
            retry(" all"),
        ],
        Need::Expired(expired) => {
            let Some(of) = expired.callbacks.first() else { return Default::default() };
            let late = late(app, expired);
            let one = expired.only().is_some();
            let late = if one { format!("{late} overdue") } else { format!("up to {late} overdue") };
            let by = format!("no answer by {}, ", when(app, &of.deadline));
            let ways = if one { [by.as_str(), "no answer, ", ""] } else { ["no answer, ", "", ""] };
            let why = ways.map(|way| format!("{}: {way}{late}", clean(&of.step)));
            let why = why.iter().find(|why| width(why) <= room).unwrap_or(&why[2]);
            [
                around(
                    &format!("{} · ", counted(expired.count(), "callback")),
                    &format!("{} / {}", of.integration, of.flow),
                    "",
                    room,
                ),
                around("", why, "", room),
                if one && app.barred(Kind::Complete).is_none() {
                    format!("{} complete · {}", keymap.named(Action::Complete), retry(""))
                } else if expired.group().is_some() {
                    retry(" all")
                } else {
                    look
                },
            ]
        }
        Need::Halted(one) => {
            let at = clock(one.at, app.now, &app.options.zone);
            let why = format!("halted after {}, {at}", failures(one.failures));
            let (resume, stop) = (keymap.named(Action::Pause), keymap.named(Action::Abort));
            [
                around("", &one.what, &format!(" · {}", one.who), room),
                around("", &why, &format!("; {} left", count(one.left)), room),
                format!("{look} · {resume} go on · there {stop} stops it"),
            ]
        }
        Need::Breaker(one) => {
            let tries = one.tries(|at| clock(at, app.now, &app.options.zone));
            [
                around("", &one.refused(), "", room),
                around("", &one.waits(), &format!(", {tries}"), room),
                look,
            ]
        }
        Need::Silent(one) => [
            around("", &format!("{} / {}", one.integration, one.flow), "", room),
            around("", &one.cause, "", room),
            look,
        ],
        Need::Drift(badges) => drift(app, badges, room, look),
    }
}

/// A badge, `shop-orders / Orders: since 14:05 (90d7fe)`, or the badges of a flow, `48 new paths ·
/// shop-orders / Orders` with the first and the newest.
fn drift(app: &App, badges: &Badges<'_>, room: u16, look: String) -> [String; 3] {
    let Some(newest) = badges.newest() else { return Default::default() };
    let flow = format!("{} / {}", newest.integration, newest.flow);
    let fine = match app.barred(Kind::Forget) {
        None => format!("{look} · {} it is fine", app.options.keymap.named(Action::Forget)),
        Some(_) => look,
    };
    if let (None, Some(first)) = (badges.only(), badges.first()) {
        let half = room.saturating_sub(width("first , newest ")) / 2;
        let path = |path: &str| cut_inside(&clean(path), usize::from(half)).into_owned();
        let ends = format!("first {}, newest {}", path(&first.path), path(&newest.path));
        [around(&format!("{} · ", badges.words()), &flow, "", room), ends, fine]
    } else {
        let since = format!(": since {} ({})", when(app, &newest.at), short(&newest.request));
        [around("", &flow, &since, room), around("", &newest.words(), "", room), fine]
    }
}

/// The word and the text of a line.
fn in_one(app: &App, need: &Need<'_>, room: u16) -> (String, String) {
    let own = kind(need).to_owned();
    match need {
        Need::Store(trouble) => {
            let since = clock(trouble.since, app.now, &app.options.zone);
            (own, around(trouble.kind.word(), &format!(" since {since}"), ": 503", room))
        }
        Need::Errored(group) => {
            let runs = counted(group.count, "run");
            let mut before = format!("{} {} ", group.integration, group.step);
            // What does not fit beside the kind is said in its text.
            let kind = if width(&runs) < KIND {
                runs
            } else {
                before = format!("{runs} {before}");
                own
            };
            (kind, around(&before, &group.cause, "", room))
        }
        Need::Expired(expired) => {
            let Some(of) = expired.callbacks.first() else { return (own, String::new()) };
            let n = if expired.only().is_some() {
                String::new()
            } else {
                format!("{} · ", count(expired.count()))
            };
            let late = format!(" {} overdue", late(app, expired));
            (own, around(&n, &format!("{} {}", of.integration, of.step), &late, room))
        }
        Need::Halted(one) => {
            (own, around("", &one.what, &format!(" halted, {} left", count(one.left)), room))
        }
        Need::Breaker(one) => (own, around("", &one.target, "", room)),
        Need::Silent(one) => (own, around("", &format!("{} / {}", one.integration, one.flow), "", room)),
        Need::Drift(badges) => {
            let Some(newest) = badges.newest() else { return (own, String::new()) };
            let text = match badges.only() {
                Some(one) => around(&format!("{} ", newest.integration), &one.words(), "", room),
                None => around(&format!("{} · ", badges.words()), &newest.integration, "", room),
            };
            (own, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_is_never_cut() {
        let text = around("push: ", "404 Progix does not know this URL", ", since 14:12:03", 40);
        assert_eq!(text, "push: 404 Progi…this URL, since 14:12:03");
        assert_eq!(width(&text), 40);
        assert_eq!(around("a: ", "b", ", c", 40), "a: b, c");
        for room in 0..60 {
            let text = around("a long step name: ", "a cause of some length", ", since 14:12:03", room);
            assert!(width(&text) <= room, "{room}: {text}");
        }
    }
}
