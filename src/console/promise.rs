//! Row 1, the promise line: is it well? Items are shortened and dropped in a fixed order; the
//! listener, what needs a person, and anything that is bad are never dropped.

use super::app::App;
use super::format::{age, clock, count, size};
use super::layout::Class;
use super::paint::{Paint, width};
use super::theme::Role;
use crate::model::change::{Counters, JobFigures};
use crate::model::time::{MINUTE, Ms, SECOND};
use crate::session::Link;
use ratatui::layout::Rect;

/// An item in its lengths, the longest first.
#[derive(Debug, Clone)]
struct Item {
    number: u8,
    forms: Vec<String>,
    form: usize,
    role: Role,
    bad: bool,
}

impl Item {
    fn new(number: u8, forms: &[String], role: Role) -> Self {
        Self { number, forms: forms.to_vec(), form: 0, role, bad: role == Role::Bad }
    }

    fn text(&self) -> &str {
        self.forms.get(self.form).map_or("", String::as_str)
    }
}

/// The order in which items stand.
const ORDER: [u8; 18] = [1, 18, 2, 3, 7, 6, 8, 4, 5, 13, 12, 10, 11, 17, 14, 16, 15, 9];

/// What gives way, one step after the other: an item becomes shorter, or is dropped.
const STEPS: [(u8, Give); 32] = [
    (15, Give::Drop),
    (14, Give::Drop),
    (11, Give::Drop),
    (10, Give::Drop),
    (16, Give::Shorten),
    (12, Give::Shorten),
    (6, Give::Shorten),
    (17, Give::Shorten),
    // What a newcomer understands without its words goes first.
    (1, Give::ShortenWell),
    (9, Give::Shorten),
    (8, Give::Shorten),
    (18, Give::Shorten),
    (13, Give::Shorten),
    (5, Give::Shorten),
    (4, Give::Shorten),
    (1, Give::Shorten),
    (2, Give::Shorten),
    (2, Give::Shorten),
    (6, Give::Shorten),
    (17, Give::Shorten),
    (17, Give::Drop),
    (7, Give::Drop),
    (16, Give::Drop),
    (12, Give::Drop),
    (9, Give::Drop),
    (8, Give::Drop),
    (6, Give::Drop),
    (1, Give::Shorten),
    (13, Give::Drop),
    (18, Give::Shorten),
    (18, Give::Drop),
    (4, Give::Drop),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Give {
    Shorten,
    /// Only where it is not bad.
    ShortenWell,
    Drop,
}

/// Draws the line.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let mut items = items(app);
    if app.frame().class <= Class::Narrow {
        items.retain(|item| matches!(item.number, 1 | 2 | 4 | 5 | 13 | 18) || item.bad);
        for item in &mut items {
            if matches!(item.number, 1 | 4 | 5 | 13 | 18) {
                item.form = item.forms.len() - 1;
            }
        }
    }
    if app.frame().class == Class::Compact {
        items.retain(|item| !matches!(item.number, 10 | 11) || item.bad);
    }
    let gap = if area.width < 120 { 2 } else { 3 };
    fit(&mut items, area.width.saturating_sub(1), gap);
    let mut x = area.x + 1;
    for item in &items {
        // The store stands at the right edge.
        if item.number == 9 {
            let end = area.right().saturating_sub(1 + width(item.text()));
            x = end.max((x + 1).saturating_sub(gap));
        }
        x = paint.foreign(x, area.y, area.right().saturating_sub(x), item.text(), item.role) + gap;
    }
}

fn taken(items: &[Item], gap: u16) -> u16 {
    let text: u16 = items.iter().map(|item| width(item.text())).sum();
    let gaps = u16::try_from(items.len().saturating_sub(1)).unwrap_or(0) * gap;
    // The store stands at the right edge: one cell parts it from the rest.
    let store = if items.iter().any(|item| item.number == 9) { gap - 1 } else { 0 };
    text.saturating_add(gaps).saturating_sub(store)
}

fn fit(items: &mut Vec<Item>, room: u16, gap: u16) {
    for (number, give) in STEPS {
        if taken(items, gap) <= room {
            return;
        }
        let Some(at) = items.iter().position(|item| item.number == number) else { continue };
        match give {
            Give::ShortenWell if items[at].bad => {}
            Give::Shorten | Give::ShortenWell => {
                items[at].form = (items[at].form + 1).min(items[at].forms.len() - 1);
            }
            Give::Drop if items[at].bad || number <= 5 && items[at].role != Role::Muted => {}
            Give::Drop => {
                items.remove(at);
            }
        }
    }
}

fn items(app: &App) -> Vec<Item> {
    let Some(counters) = &app.counters else {
        return vec![Item::new(1, &["? asking the store…".to_owned()], Role::Muted)];
    };
    let mut items: Vec<Item> = Vec::new();
    let address = counters.listen.as_str();
    let port = address.rsplit_once(':').map_or(address.to_owned(), |(_, port)| format!(":{port}"));
    let down = matches!(app.link.0, Link::Down(_));
    items.push(match (&counters.probe, counters.stopping) {
        (_, true) => Item::new(1, &["stopping".to_owned()], Role::Warn),
        (Some(Some(why)), _) => Item::new(
            1,
            &[
                format!("✗ NOT LISTENING {address}: {why}"),
                format!("✗ NOT LISTENING {port}"),
                format!("✗ {port}"),
            ],
            Role::Bad,
        ),
        (None, _) => Item::new(1, &[format!("? {address}"), format!("? {port}")], Role::Muted),
        // What is paused is paused on purpose: a word, and nothing of the line gives way to more.
        (Some(None), _) if counters.all_paused() && !down => {
            Item::new(1, &[format!("● {address} paused"), format!("● {port} paused")], Role::Warn)
        }
        (Some(None), _) if down => Item::new(1, &[format!("● {port}?")], Role::Stale),
        (Some(None), _) => Item::new(1, &[format!("● {address}"), format!("● {port}")], Role::Good),
    });
    items.extend(paused(counters));
    match (&app.link, &app.options.attached) {
        ((Link::Down(_), since), _) => {
            let zone = &app.options.zone;
            let down = format!("LINK DOWN {}", age(app.now - since));
            let figures = format!("figures of {}", clock(counters.at, app.now, zone));
            let forms = match app.line.next {
                Some((at, _)) if at <= app.now => vec![format!("{down}, trying now"), down],
                Some((at, _)) => {
                    let next = format!("{down}, next try {}", clock(at, app.now, zone));
                    vec![format!("{next}  {figures}"), next, down]
                }
                None => vec![format!("{down}, {figures}"), down],
            };
            items.push(Item::new(2, &forms, Role::Bad));
            if let Some(attached) = &app.options.attached {
                items.push(Item::new(14, std::slice::from_ref(attached), Role::Muted));
            }
        }
        ((Link::Connecting, _), Some(attached)) => {
            items.push(Item::new(
                2,
                &[format!("connecting to {attached}"), "connecting".to_owned()],
                Role::Warn,
            ));
        }
        ((Link::Live, _), Some(attached)) => {
            items.push(Item::new(2, &[format!("attached {attached}"), attached.clone()], Role::Info));
        }
        _ => {}
    }
    if app.is_read_only() {
        items.push(Item::new(3, &["READ-ONLY".to_owned()], Role::Warn));
    }
    let errored = counters.runs[5];
    let role = if errored > 0 { Role::Bad } else { Role::Muted };
    items.push(Item::new(4, &[format!("errored {}", count(errored)), format!("!{}", count(errored))], role));
    let overdue = counters.callbacks_overdue;
    items.push(if overdue > 0 {
        let overdue = count(overdue);
        Item::new(5, &[format!("callbacks {overdue} overdue"), format!("◐{overdue} late")], Role::Bad)
    } else {
        Item::new(5, &["callbacks 0".to_owned(), "◐0".to_owned()], Role::Muted)
    });
    items.extend(breakers(app));
    let (promised, stored) = (counters.promised, counters.stored);
    let (accepted, kept) = (count(promised), count(stored));
    items.push(if promised <= stored {
        let long = format!("accepted {kept} = stored {kept}");
        Item::new(6, &[long, format!("{kept} = stored"), "=".to_owned()], Role::Good)
    } else {
        let missing = count(promised - stored);
        Item::new(
            6,
            &[
                format!("accepted {accepted} ≠ stored {kept}: {missing} MISSING"),
                format!("≠ {missing} MISSING"),
            ],
            Role::Bad,
        )
    });
    items.push(Item::new(7, &[rate(app)], Role::Text));
    items.extend(jobs(&counters.jobs));
    items.push(queue(app));
    items.push(store(app));
    items.push(Item::new(
        10,
        &[format!("duplicates {}", count(counters.duplicates.saturating_sub(counters.begun[0])))],
        Role::Muted,
    ));
    items.push(rejected(counters, app.now));
    items.extend(app.wrote.told(app.now).map(|told| Item::new(15, &[told], Role::Muted)));
    if app.recording.is_some() {
        items.push(Item::new(16, &["recording".to_owned(), "rec".to_owned()], Role::Info));
    }
    items.sort_by_key(|item| ORDER.iter().position(|number| *number == item.number));
    if down {
        // What is true only for a moment is nothing to be told of one that is past.
        items.retain(|item| matches!(item.number, 1..=6 | 14..=16 | 18) || item.bad);
        for item in items.iter_mut().filter(|item| !item.bad) {
            item.role = Role::Stale;
        }
    }
    items
}

/// How many flows are paused, where others are not: those that are have it as their mark.
fn paused(counters: &Counters) -> Option<Item> {
    let paused = counters.paused;
    if paused == 0 || counters.all_paused() {
        return None;
    }
    let flows = if paused == 1 { "flow" } else { "flows" };
    let n = count(paused);
    Some(Item::new(18, &[format!("{n} {flows} paused"), format!("{n} paused")], Role::Warn))
}

/// Refusals since the start, and how many of them have no row: as long as these come, the figure is worth
/// its place.
fn rejected(counters: &Counters, now: Ms) -> Item {
    let since = |all: u64, begun: u64| all.saturating_sub(begun);
    let rejected = format!("rejected {}", count(since(counters.rejected, counters.begun[1])));
    let rowless = since(counters.only_counted, counters.begun[2]);
    let lately = counters.last_rejected.is_some_and(|at| now - at < 5 * MINUTE);
    let role = if lately { Role::Warn } else { Role::Muted };
    if rowless == 0 {
        return Item::new(11, &[rejected], role);
    }
    let short = format!("✗{}", count(since(counters.rejected, counters.begun[1])));
    let long = format!("{rejected}, {} not stored", count(rowless));
    if lately { Item::new(17, &[long, rejected, short], role) } else { Item::new(11, &[long], role) }
}

/// Targets that are not sent to, where there are any.
fn breakers(app: &App) -> Option<Item> {
    let breakers = &app.counters.as_ref()?.breakers;
    let first = breakers.open.first()?;
    let opened = breakers.opened();
    let long =
        if opened == 1 { format!("breaker {}", first.target) } else { format!("breakers {}", count(opened)) };
    Some(Item::new(13, &[long, format!("↻{}", count(opened))], Role::Warn))
}

/// The jobs that are under way, in one: `job 702 of 1,209`.
fn jobs(figures: &JobFigures) -> Option<Item> {
    let what = match figures.running {
        0 => return None,
        1 => "job".to_owned(),
        many => format!("{many} jobs"),
    };
    let long = format!("{what} {} of {}", count(figures.past), count(figures.total));
    let short = format!("{what} {}%", figures.past * 100 / figures.total.max(1));
    Some(Item::new(12, &[long, short], Role::Info))
}

fn rate(app: &App) -> String {
    let recent = app.counters.as_ref().map_or(0, |counters| counters.recent);
    let silent = app.silent_since().map(|since| app.now - since).filter(|silent| *silent >= MINUTE);
    match (recent, silent) {
        (0, Some(silent)) => format!("0/s for {}", age(silent)),
        (0, None) => "0/s".to_owned(),
        (1..100, _) => format!("{}.{}/s", recent / 10, recent % 10),
        _ => format!("{}/s", count(recent / 10)),
    }
}

fn queue(app: &App) -> Item {
    let Some(counters) = &app.counters else { return Item::new(8, &[], Role::Muted) };
    let waited = counters.oldest.map_or(0, |since| (counters.at - since).max(0));
    let queued = count(counters.queue);
    if counters.queue == 0 {
        return Item::new(8, &["queue 0".to_owned(), "q 0".to_owned()], Role::Muted);
    }
    let full = counters.queue_limit > 0 && counters.queue * 5 >= counters.queue_limit * 4;
    let role = if full || waited > MINUTE {
        Role::Bad
    } else if waited > 5 * SECOND {
        Role::Warn
    } else {
        Role::Text
    };
    if counters.oldest.is_none() {
        // All of it waits for its targets or is about to be taken: nothing is late here.
        return Item::new(8, &[format!("queue {queued}"), format!("q {queued}")], role);
    }
    let waited = age(waited);
    Item::new(8, &[format!("queue {queued}, oldest {waited}"), format!("q {queued} {waited}")], role)
}

fn store(app: &App) -> Item {
    let Some(counters) = &app.counters else { return Item::new(9, &[], Role::Muted) };
    let ms = counters.commit_p99_us.div_ceil(1_000);
    if let Some(trouble) = &counters.store_trouble {
        return Item::new(9, &[format!("store {}", trouble.kind.word())], Role::Bad);
    }
    if counters.wal_bytes > 512 << 20 {
        return Item::new(9, &[format!("store WAL {}", size(counters.wal_bytes))], Role::Warn);
    }
    if ms >= 100 {
        return Item::new(9, &[format!("store slow {ms}ms")], Role::Warn);
    }
    Item::new(9, &[format!("store ok {ms}ms"), "store ok".to_owned()], Role::Good)
}

#[cfg(test)]
mod tests;
