//! A new integration, step by step: the row of steps, what is filled in at the one that is shown, and
//! what is wrong with it.

use crate::console::app::App;
use crate::console::capture::From;
use crate::console::format::{count, took};
use crate::console::guide::auth::{AuthField, Scheme};
use crate::console::guide::{Finished, First, Guide, Stage};
use crate::console::overlay::capture::list;
use crate::console::paint::Paint;
use crate::console::screen::fields::{LABEL, Put};
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use crate::console::whole::folded;
use ratatui::layout::Rect;

/// Rows over a step's own: its rule, the row of steps, a blank one.
const ABOVE: u16 = 3;
/// Rows of what a trial tells over its steps.
const HEAD: u16 = 4;

/// The rows in which the lines of a trial are drawn.
#[must_use]
pub fn tested(area: Rect) -> Rect {
    let above = (ABOVE + HEAD).min(area.height);
    Rect { y: area.y + above, height: area.height.saturating_sub(above + 1), ..area }
}

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, guide: &Guide) {
    if area.height < 4 {
        return;
    }
    let number = guide.stage.number();
    let title = match &guide.finished {
        Some(_) => format!("New integration · {} is live", guide.name),
        None => format!("New integration · {number} of {} · {}", Stage::ALL.len(), guide.stage.word()),
    };
    let back = match guide.stage {
        _ if guide.finished.is_some() => "enter watches Live",
        Stage::Name => "esc leaves it",
        _ => "esc back a step",
    };
    paint.rule(Rect { height: 1, ..area }, &title, back, true);
    steps(paint, area, guide);
    let mut put = Put {
        x: area.x,
        y: area.y + ABOVE,
        right: area.right() - 1,
        bottom: area.bottom() - 1,
        fields: 0,
        paint,
        keys: &app.options.keymap,
    };
    if let Some(finished) = &guide.finished {
        done(&mut put, guide, finished);
    } else if guide.base == 0 && guide.busy.is_some() && !guide.name.is_empty() {
        put.says("asking the store…", Role::Muted);
    } else {
        match guide.stage {
            Stage::Name => name(&mut put, guide),
            Stage::Auth if guide.first == First::Shown => shown(&mut put, guide, app.recording.is_some()),
            Stage::Auth => auth(&mut put, guide),
            Stage::Capture => capture(app, &mut put, guide, area),
            Stage::Dedup => dedup(&mut put, guide, area),
            Stage::Step => step(&mut put, guide, area),
            Stage::Test => test(&mut put, guide, area),
        }
    }
    below(paint, area, guide);
}

/// The steps: done, here, to come.
fn steps(paint: &mut Paint<'_>, area: Rect, guide: &Guide) {
    let (mut x, y) = (area.x + 1, area.y + 1);
    for stage in Stage::ALL {
        let (glyph, mark, word) = match stage {
            _ if stage < guide.stage || guide.finished.is_some() => ("✓", Role::Good, Role::Text),
            _ if stage == guide.stage => ("►", Role::BorderFocus, Role::Title),
            _ => ("·", Role::Muted, Role::Muted),
        };
        let room = area.right().saturating_sub(x);
        let next = paint.put(x, y, room, glyph, mark);
        x = paint.put(next + 1, y, room.saturating_sub(2), stage.word(), word) + 1;
    }
}

/// What is wrong, or waited for, in the last row or rows.
fn below(paint: &mut Paint<'_>, area: Rect, guide: &Guide) {
    let room = area.width.saturating_sub(2 * LABEL);
    let (text, role) = match (&guide.trouble, guide.busy) {
        (_, Some(busy)) => (busy.to_owned(), Role::Muted),
        (Some(trouble), None) => (trouble.clone(), Role::Bad),
        (None, None) => match guide.misnamed().filter(|_| guide.stage == Stage::Name) {
            Some(why) => (why, Role::Bad),
            None => return,
        },
    };
    let lines = wrapped(&crate::text::clean(&text), room);
    let count = u16::try_from(lines.len()).unwrap_or(1).min(area.height.saturating_sub(ABOVE));
    let top = area.bottom() - count;
    for (y, line) in (top..area.bottom()).zip(lines) {
        paint.blank(Rect { x: area.x, y, width: area.width, height: 1 });
        paint.put(area.x + LABEL, y, room, &line, role);
    }
}

fn name(put: &mut Put<'_, '_>, guide: &Guide) {
    let naming = &guide.naming;
    if guide.name.is_empty() {
        put.typed("name", &naming.title, !naming.on_flow, "Acme ERP");
        let slug = guide.slug();
        let told = if slug.is_empty() { "what commands call it".to_owned() } else { slug };
        put.hint(&told);
    } else {
        put.told("name", &guide.name, "");
        put.hint("it stays: its URL and its history hang on it");
    }
    put.y += 1;
    put.typed("first flow", &naming.flow, naming.on_flow, "Events");
    put.hint("one URL, and what becomes of what comes to it: Orders, Push, Payments");
    put.y += 1;
    put.says(
        "Next: who may send to it. Each step is saved as a draft; nothing is live before step 6.",
        Role::Muted,
    );
}

fn auth(put: &mut Put<'_, '_>, guide: &Guide) {
    let form = &guide.auth;
    put.says("Who may send to it?", Role::Text);
    put.y += 1;
    for (at, scheme) in Scheme::ALL.into_iter().enumerate() {
        let here = at == form.at;
        if put.y < put.bottom {
            put.paint.row(put.x, put.y, put.right, here);
        }
        let from = put.label("", here && form.focus == 0);
        let (x, room) = (put.x + LABEL, put.room(put.x + LABEL));
        put.paint.put(x, put.y, room.min(2), if here { "►" } else { " " }, Role::BorderFocus);
        put.paint.put(
            x + 2,
            put.y,
            room.saturating_sub(2),
            scheme.word(),
            if here { Role::Title } else { Role::Text },
        );
        let room = put.room(from + 2);
        put.paint.put(from + 2, put.y, room, scheme.help(), Role::Muted);
        put.y += 1;
    }
    put.y += 1;
    if form.scheme() == Scheme::None {
        if guide.first == First::Again {
            let text =
                "Anyone who learns the URL can start runs. enter again takes it; {j} {k} choose another.";
            put.keyed(text, Role::Warn);
        } else {
            put.says("No key is made: the URL alone lets in.", Role::Muted);
        }
        return;
    }
    for field in form.fields() {
        let focused = form.focused() == Some(field);
        let label = field.label();
        match field {
            AuthField::Key => {
                let text = form.chosen().map_or_else(
                    || format!("a new one: {}", form.fresh(&guide.name)),
                    |name| format!("{name}, which is there"),
                );
                put.chosen(label, &text, focused);
            }
            AuthField::Provider => put.chosen(label, form.provider(), focused),
            AuthField::Header if form.scheme() == Scheme::Signature => {
                put.typed(label, &form.signed, focused, "");
            }
            AuthField::Header => {
                put.typed(label, &form.header, focused, "Api-Key");
            }
            AuthField::User => {
                put.typed(label, &form.user, focused, "");
            }
            AuthField::Secret => {
                put.typed(
                    label,
                    &form.secret,
                    focused,
                    "empty: one is made; or paste what the sender gave you",
                );
            }
        }
    }
    put.y += 1;
    let new = form.chosen().is_none();
    let next = match (new, form.secret.is_empty()) {
        (true, true) => "enter makes the key and shows it once. Next: what comes to its URL.",
        (true, false) => "enter keeps the key, sealed. Next: what comes to its URL.",
        (false, _) => "enter lets this key in. Next: what comes to its URL.",
    };
    put.says(next, Role::Muted);
}

fn shown(put: &mut Put<'_, '_>, guide: &Guide, recorded: bool) {
    let Some(held) = &guide.held else { return };
    put.says(&format!("✓ The key {} is made, and the draft names it.", held.key), Role::Good);
    put.keyed("It is shown this once: give it to the sender now. {y} copies it.", Role::Text);
    put.y += 1;
    let user = held.user.as_deref().unwrap_or_default();
    let (label, how) = match held.scheme {
        Scheme::ApiKey => (held.header.as_str(), "the sender sets this header to it".to_owned()),
        Scheme::Basic => ("password", format!("of the user {user}")),
        Scheme::Jwt => {
            ("secret", format!("it signs tokens (HS256); pointsman token --key {} makes one", held.key))
        }
        Scheme::Signature | Scheme::None => {
            ("secret", "it signs the bodies: it is pasted where the sender asks for it".to_owned())
        }
    };
    let x = put.x + LABEL;
    let room = put.room(x);
    put.paint.put(x, put.y, room, label, Role::Muted);
    put.y += 1;
    // A recording has what was drawn, and no secrets.
    let hidden = put.keys.say("••• not drawn while this session is recorded; {y} copies it");
    let text = if recorded { &hidden } else { held.secret.reveal() };
    for line in folded(text, put.right.saturating_sub(x + 2)) {
        let room = put.room(x + 2);
        put.paint.put(x + 2, put.y, room, &line, Role::Title);
        put.y += 1;
    }
    put.says(&how, Role::Muted);
    put.y += 1;
    put.says("enter goes on: from then on nobody is shown it again.", Role::Muted);
}

fn capture(app: &App, put: &mut Put<'_, '_>, guide: &Guide, area: Rect) {
    put.y -= 1;
    let wide = area.width >= 120;
    put.told(
        "url",
        guide.url().unwrap_or("asking the store…"),
        &put.keys.say(if wide { "{y} copies it" } else { "{y}" }),
    );
    if let Some(command) = guide.command(false) {
        put.told("send", &command, &put.keys.say(if wide { "{Y} copies it" } else { "{Y}" }));
    }
    let text = "Send one real request to it; {v} takes a stored one, a file or pasted JSON.";
    put.keyed(text, Role::Text);
    let Some(table) = &guide.table else { return };
    let state = match (table.from, table.left(app.now)) {
        (From::Capture, Some(left)) => format!("open {} · {} came", took(left), count(table.found.requests)),
        (From::Capture, None) if table.open.is_none() => "asking the store…".to_owned(),
        (From::Capture, None) => {
            format!("closed: its URL answers 404 · {} came", count(table.found.requests))
        }
        (From::Request, _) => format!("of request {}", crate::model::id::short(&table.request)),
        (From::Pasted, _) => "of JSON that was given".to_owned(),
        (From::Newest, _) => format!("of the newest {}", count(table.found.requests)),
    };
    let right = if table.from == From::Capture { "{C} renews, 90s" } else { "{C} listens again, 90s" };
    let right = put.keys.say(right);
    put.paint.rule(Rect { x: area.x, y: put.y, width: area.width, height: 1 }, &state, &right, false);
    put.y += 1;
    let refused = guide.refused.as_ref().filter(|_| table.from == From::Capture);
    let mut under = Vec::new();
    if let Some((at, why)) = refused {
        under.push((format!("refused {at}: {why}"), Role::Bad));
    }
    let good = table.good(2);
    if !table.found.fields.is_empty() {
        let of = format!("need: {} · dedup: {} of 5", table.required_paths.len(), table.dedup_paths.len());
        let nearly = if good.is_empty() {
            String::new()
        } else {
            format!(" · nearly unique over {}: {}", count(table.found.requests), good.join(", "))
        };
        under.push((format!("{of}{nearly}"), Role::Muted));
    }
    rows(
        put,
        guide,
        area,
        &under,
        "Nothing came yet. The table fills by itself: every path, its type and a value.",
    );
}

/// The rows of the table, and what stands under them.
fn rows(put: &mut Put<'_, '_>, guide: &Guide, area: Rect, under: &[(String, Role)], empty: &str) {
    let Some(table) = &guide.table else { return };
    let below = u16::try_from(under.len()).unwrap_or(0) + 1;
    let end = area.bottom().saturating_sub(below);
    let height = end.saturating_sub(put.y + 1);
    if let Some(trouble) = &table.trouble {
        put.says(trouble, Role::Bad);
    } else if table.found.fields.is_empty() {
        put.says(empty, Role::Muted);
    } else {
        list(put.paint, table, put.x + 1, put.y, put.right, height);
    }
    for (y, (text, role)) in (end..area.bottom()).zip(under) {
        put.paint.foreign(put.x + LABEL, y, put.right.saturating_sub(put.x + LABEL), text, *role);
    }
}

fn dedup(put: &mut Put<'_, '_>, guide: &Guide, area: Rect) {
    put.y -= 1;
    put.says(
        "Which values make two requests one? A second one is answered 204 and starts nothing. None is fine, too.",
        Role::Text,
    );
    put.typed("how long", &guide.window, guide.on_window, "7d");
    put.hint("30m, 1d, 7d, at most 365d; counted from the last copy");
    let Some(table) = &guide.table else { return };
    let ticked = format!("{} of at most 5", table.dedup_paths.len());
    put.paint.rule(
        Rect { x: area.x, y: put.y, width: area.width, height: 1 },
        &ticked,
        if guide.on_window { "tab goes to the fields" } else { "space ticks" },
        false,
    );
    put.y += 1;
    let told = match table.dedup_paths.as_slice() {
        [] => ("no field is ticked: every request starts a run".to_owned(), Role::Muted),
        some => (format!("two requests with the same {} are one", some.join(" and ")), Role::Info),
    };
    let why =
        table.current().and_then(|field| field.not.as_ref().map(|why| format!("{}: {why}", field.path)));
    let mut under = vec![told];
    under.extend(why.map(|why| (why, Role::Warn)));
    rows(
        put,
        guide,
        area,
        &under,
        "Nothing came in step 3, so no path is known. enter goes on without; esc goes back to capture.",
    );
}

fn step(put: &mut Put<'_, '_>, guide: &Guide, area: Rect) {
    let form = &guide.step;
    put.says("What is sent on for each request? Paste a curl command here, or fill it in.", Role::Text);
    put.y += 1;
    put.chosen("method", crate::console::guide::step::METHODS[form.method % 6], form.focus == 0);
    let at_url = (put.typed("url", &form.url, form.focus == 1, "https://api.example/orders"), put.y - 1);
    let path =
        guide.table.as_ref().and_then(|table| table.found.fields.first()).map(|field| field.path.clone());
    let path = path.unwrap_or_else(|| "body.id".to_owned());
    put.hint(&format!("{{{{ lists what came, as in {{{{ request.{path} }}}}"));
    let mut cursor = at_url;
    if form.has_body() {
        let at = put.typed("body", &form.body, form.focus == 2, "empty: no body is sent");
        if form.focus == 2 {
            cursor = (at, put.y - 1);
        }
        put.hint(&format!("all that came; or JSON: {{\"id\": \"{{{{ request.{path} }}}}\"}}"));
    } else {
        put.says(
            &format!("{} sends no body.", crate::console::guide::step::METHODS[form.method % 6]),
            Role::Muted,
        );
    }
    if !form.more.is_empty() {
        put.told("also", &form.more.join(", "), "");
    }
    for told in &form.told {
        put.says(told, Role::Warn);
    }
    put.y += 1;
    put.says(
        "Next: what it would send for the request that came. Nothing is sent before the deploy.",
        Role::Muted,
    );
    if let Some(list) = &form.list {
        let typed = u16::try_from(list.typed).unwrap_or(0);
        let body = Rect { height: area.height.saturating_sub(1), ..area };
        super::editor::completion(put.paint, body, (cursor.0.saturating_sub(typed), cursor.1), list);
    }
}

fn test(put: &mut Put<'_, '_>, guide: &Guide, area: Rect) {
    let tested = &guide.tested;
    put.y -= 1;
    put.says(
        "What it would send for the request that came. Nothing was sent. enter shows the plan of the deploy.",
        Role::Text,
    );
    if tested.asking && tested.lines.lines.is_empty() {
        put.says("building every request…", Role::Muted);
    }
    if let Some(trouble) = &tested.trouble {
        return put.says(trouble, Role::Warn);
    }
    for (text, role) in tested.head.iter().take(2) {
        put.says(text, *role);
    }
    if tested.lines.lines.is_empty() && !tested.asking {
        return put.says("It has no step: it keeps what comes, and sends nothing.", Role::Muted);
    }
    tested.lines.draw(put.paint, self::tested(area), true);
}

fn done(put: &mut Put<'_, '_>, guide: &Guide, finished: &Finished) {
    put.says(&format!("✓ {}.", finished.said), Role::Good);
    put.y += 1;
    put.told("url", &finished.url, &put.keys.say("{y} copies it"));
    if let Some(command) = guide.command(false) {
        put.told("send", &command, &put.keys.say("{Y} copies it"));
    }
    put.y += 1;
    let text =
        "The next request to it starts a run. enter watches it on Live; {5} Integrations has its document.";
    put.keyed(text, Role::Text);
}
