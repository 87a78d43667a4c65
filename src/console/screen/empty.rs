//! The first minutes: there is no integration yet, and this is what to do.

use crate::console::action::Action;
use crate::console::app::App;
use crate::console::first::Offer;
use crate::console::list::{Item, List};
use crate::console::paint::{Paint, width};
use crate::console::theme::Role;
use crate::model::guide::{WORDS, word};
use crate::rules::overview::rowless;
use ratatui::layout::Rect;

/// Draws the screen of an empty store.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let Some(counters) = &app.counters else { return };
    let x = area.x + 2;
    let room = area.width.saturating_sub(3);
    let mut y = area.y + 1;
    let listen = &counters.listen;
    let (first, role) = match &counters.probe {
        Some(Some(why)) => (format!("NOT LISTENING on {listen}: {why}."), Role::Bad),
        Some(None) => (format!("Receiving on http://{listen}."), Role::Text),
        None => {
            (format!("Listening on http://{listen}; it was not asked yet whether it answers."), Role::Muted)
        }
    };
    let none =
        if counters.unfinished.is_empty() { "No integration yet" } else { "No integration is live yet" };
    for line in super::wrapped(&format!("{first} {none}, so every URL is 404."), room) {
        paint.foreign(x, y, room, &line, role);
        y += 1;
    }
    if let Some(trouble) = &counters.store_trouble {
        for line in super::wrapped(&trouble.sentence(), room) {
            paint.foreign(x, y, room, &line, Role::Bad);
            y += 1;
        }
    }
    y += 1;
    let offers = app.offers();
    let at = app.offer.min(offers.len().saturating_sub(1));
    for (n, offer) in offers.iter().enumerate() {
        if y >= area.bottom() {
            return;
        }
        let selected = n == at;
        paint.row(x, y, area.right(), selected);
        if selected {
            paint.put(x, y, 1, "▌", Role::BorderFocus);
        }
        let (key, what, more) = row(offer, selected, &offers);
        paint.put(x + 2, y, 2, key, Role::Key);
        let next = paint.foreign(
            x + 6,
            y,
            room.saturating_sub(6),
            &what,
            if selected { Role::Title } else { Role::Text },
        );
        let column = next.max(x + 36) + 2;
        let space = area.right().saturating_sub(column + 1);
        // A note is whole or not there.
        if width(more) <= space {
            paint.put(column, y, space, more, Role::Muted);
        }
        y += 1;
    }
    y += 1;
    let hint = "To see it alive with sample traffic, in a folder of its own: pointsman demo";
    for line in super::wrapped(hint, room) {
        if y < area.bottom() {
            paint.put(x, y, room, &line, Role::Text);
        }
        y += 1;
    }
}

/// What an empty list says: nothing is known yet, there is nothing, or nothing matches.
pub fn list<T: Item>(app: &App, list: &List<T>, nothing: &str, what: &str) -> String {
    match (list.loaded, list.filter_in_force()) {
        (false, _) => super::waiting(app).to_owned(),
        (true, "") => nothing.to_owned(),
        (true, filter) => {
            if let Some(percent) = list.hunt_stopped() {
                let keymap = &app.options.keymap;
                let (on, all) = (keymap.named(Action::Up), keymap.named(Action::FilterToggle));
                return format!(
                    "No {what} matches {filter} in the {percent} % that were searched. {on} goes on · {all} shows all."
                );
            }
            let more = if list.older.is_some() { " so far; older ones are being searched" } else { "" };
            unmatched(app, what, &format!("{filter}{more}"))
        }
    }
}

/// What an empty list says where the store takes nothing: nothing will come, whatever is sent.
pub fn untaken<T: Item>(app: &App, list: &List<T>) -> Option<String> {
    let trouble = app.counters.as_ref()?.store_trouble.as_ref()?;
    (list.rows.is_empty() && list.filter_in_force().is_empty()).then(|| trouble.sentence())
}

/// ` · 8 counted, not stored`: behind the number of the rows, where some that are looked for in the list
/// have none.
pub fn without_rows<T: Item>(app: &App, list: &List<T>) -> String {
    let looked_for = matches!(list.filter_in_force(), "" | "verdict:rejected");
    let counters = app.counters.as_ref().filter(|_| looked_for);
    let told = counters.and_then(|counters| rowless(counters.only_counted));
    told.map_or_else(String::new, |told| format!(" · {told}"))
}

/// What a list says that a filter leaves nothing of.
#[must_use]
pub fn unmatched(app: &App, what: &str, filter: &str) -> String {
    let keymap = &app.options.keymap;
    let (all, other) = (keymap.named(Action::FilterToggle), keymap.named(Action::Filter));
    format!("No {what} matches {filter}. {all} shows all · {other} changes the filter.")
}
/// Its key, what it does, and a few words more. `i` goes on with the one that is selected.
fn row(offer: &Offer, selected: bool, offers: &[Offer]) -> (&'static str, String, &'static str) {
    match offer {
        Offer::Resume(one) => (
            if selected { "i" } else { "" },
            format!("go on with {}: step {} of {}, {}", one.name, one.step, WORDS.len(), word(one.step)),
            "",
        ),
        Offer::New => {
            let first = offers.first() == Some(offer);
            let what = if first { "make the first integration" } else { "make another integration" };
            (if first || selected { "i" } else { "" }, what.to_owned(), "name, URL, capture, step: 2 minutes")
        }
        Offer::Samples => ("", "load the samples".to_owned(), "6 integrations, ready to send to"),
        Offer::File => (":", "apply a file".to_owned(), "pointsman apply acme.toml does it too"),
    }
}
