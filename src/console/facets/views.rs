//! `'` and a key: lists with a filter that are opened at once, and those of one's own.

use crate::console::app::{App, ListId, Overlay, Screen, Tone};
use crate::console::edit::Edit;
use crate::console::input::edit_key;
use crate::console::key::Key;
use crate::console::list::List;
use crate::console::menu::{Does, Entry, Menu};
use crate::console::picks::{Change, LONGEST, Listed, NAME, View};
use crate::console::rows::birth;
use crate::model::time::rfc3339;
use crossterm::event::KeyCode;

/// The views that everybody has.
const SHIPPED: [(char, &str, Listed, &str); 4] = [
    ('e', "errored", Listed::Runs, "state:errored"),
    ('w', "waiting", Listed::Runs, "state:waiting"),
    ('d', "duplicates", Listed::Requests, "verdict:duplicate"),
    ('r', "rejected", Listed::Requests, "verdict:rejected"),
];
/// Cells that a name has in the list.
const SHOWN: usize = 24;

/// A view that is about to be saved.
#[derive(Debug)]
pub struct Saving {
    /// The key that will open it.
    pub digit: u8,
    /// Its name.
    pub name: Edit,
    /// The list.
    pub list: Listed,
    /// The filter.
    pub filter: String,
}

impl App {
    /// Lists the views by their keys.
    pub(super) fn open_views(&mut self) {
        let entry = |(key, word, list, filter): (char, &'static str, Listed, &str)| Entry {
            key,
            word,
            text: format!("{} · {filter}", list.word()),
            does: Ok(Does::Saved(list, filter.to_owned())),
        };
        let mut entries: Vec<Entry> = SHIPPED.into_iter().map(entry).collect();
        entries.push(match self.unseen() {
            Some(filter) => Entry {
                key: 'n',
                word: "new",
                text: format!("Requests · {filter}"),
                does: Ok(Does::Saved(Listed::Requests, filter)),
            },
            None => Entry {
                key: 'n',
                word: "new",
                text: "no request came while you looked away".to_owned(),
                does: Err("new is not possible: no request came while you looked away".to_owned()),
            },
        });
        for (digit, view) in &self.picks.views {
            let Some(key) = char::from_digit(u32::from(*digit), 10) else { continue };
            let name = crate::text::cut_end(&view.name, SHOWN);
            entries.push(Entry {
                key,
                word: "yours",
                text: format!("{name} · {} · {}", view.list.word(), view.filter),
                does: Ok(Does::Saved(view.list, view.filter.clone())),
            });
        }
        let title = "Views".to_owned();
        self.overlay = Some(Overlay::Menu(Box::new(Menu { title, copies: false, entries, at: 0 })));
    }

    /// The filter of what came since the person looked at requests, wherever that was.
    fn unseen(&self) -> Option<String> {
        let looked = |list: &List<_>| list.looked.clone();
        let (live, requests) = (looked(&self.live.requests), looked(&self.requests.list));
        let last = match self.screen {
            // Whoever looks at a list sees what comes; what has come before that is new to them.
            Screen::Live if self.looking => live,
            Screen::Requests if self.looking => requests,
            _ => live.max(requests),
        }?;
        Some(format!("since:{}", rfc3339(birth(&last)? + 1)))
    }

    /// Opens a list with a filter; `esc` gives the filter before back.
    pub(in crate::console) fn open_saved(&mut self, list: Listed, filter: &str) {
        match list {
            Listed::Requests => self.open_requests(filter),
            Listed::Runs => self.open_runs(filter),
            Listed::Callbacks => {
                self.crumb_with_filter(ListId::Callbacks);
                self.show(Screen::Callbacks, 0);
                self.set_filter(ListId::Callbacks, filter);
            }
        }
    }

    /// A view of one's own is none any more.
    pub(in crate::console) fn forget_view(&mut self, key: char) {
        let digit = key.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
        let Some((digit, name)) =
            digit.and_then(|digit| Some((digit, self.picks.views.get(&digit)?.name.clone())))
        else {
            return self.toast(Tone::Info, "forget is not possible: this view is not one of yours");
        };
        self.pick(Change::View(digit, None));
        self.toast(Tone::Info, format!("{name} is no view any more."));
        self.open_views();
    }

    /// Why the list in focus is no view to save, if so.
    pub(in crate::console) fn barred_view(&self) -> Option<String> {
        let said = |why: &str| Some(format!("save view is not possible: {why}"));
        let Some(list) = self.filtered_list() else { return said("this pane is no list; tab goes to one") };
        let filter = self.filter_of(list);
        if filter.is_empty() {
            return said(&self.say("there is no filter; {/} sets one"));
        }
        if filter.chars().count() > LONGEST {
            return said("the filter is over 1,000 characters");
        }
        None
    }

    /// Opens the box that asks for a digit and a name.
    pub(in crate::console) fn open_save_view(&mut self) {
        if let Some(why) = self.barred_view() {
            return self.toast(Tone::Info, why);
        }
        let Some(id) = self.filtered_list() else { return };
        let filter = self.filter_of(id);
        let free = (1..=9).find(|digit| !self.picks.views.contains_key(digit)).unwrap_or(1);
        let saving = Saving { digit: free, name: Edit::default(), list: Listed::of(id), filter };
        self.overlay = Some(Overlay::SaveView(Box::new(saving)));
    }

    /// A key while it is open.
    pub fn save_view_key(&mut self, key: Key) {
        let Some(Overlay::SaveView(open)) = &mut self.overlay else { return };
        match (key.code, key.ctrl) {
            (KeyCode::Esc, _) => self.overlay = None,
            (KeyCode::Tab | KeyCode::Down, _) => open.digit = open.digit % 9 + 1,
            (KeyCode::BackTab | KeyCode::Up, _) => open.digit = (open.digit + 7) % 9 + 1,
            (KeyCode::Enter, _) => {
                let typed = open.name.text();
                let name = if typed.trim().is_empty() { open.filter.as_str() } else { typed.trim() };
                let name: String = name.chars().take(NAME).collect();
                let (digit, list, filter) = (open.digit, open.list, open.filter.clone());
                self.overlay = None;
                self.pick(Change::View(digit, Some(View { name: name.clone(), list, filter })));
                self.toast(Tone::Good, format!("'{digit} opens {name}."));
            }
            (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
            _ => {
                edit_key(&mut open.name, key);
            }
        }
    }
}
