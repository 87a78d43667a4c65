//! The first minutes: what the screen of an empty store offers, and what came of it.

use super::app::{App, Overlay, Tone};
use super::asks::Want;
use super::dialog::{Dialog, Kind};
use super::menu::{Does, Entry, Menu};
use super::whole::Whole;
use crate::model::ask::{Answer, Deed, Done};
use crate::model::guide::Unfinished;

/// A row of the screen of an empty store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// Go on with one that is being made.
    Resume(Unfinished),
    /// Make one step by step.
    New,
    /// Load the samples.
    Samples,
    /// Apply a file.
    File,
}

impl App {
    /// The rows of the screen of an empty store.
    #[must_use]
    pub fn offers(&self) -> Vec<Offer> {
        let unfinished = self.counters.iter().flat_map(|counters| counters.unfinished.iter().cloned());
        unfinished.map(Offer::Resume).chain([Offer::New, Offer::Samples, Offer::File]).collect()
    }

    /// The selected one.
    #[must_use]
    pub fn offered(&self) -> Offer {
        let offers = self.offers();
        offers.into_iter().nth(self.offer).unwrap_or(Offer::New)
    }

    /// To another row.
    pub(super) fn step_offer(&mut self, rows: isize) {
        let last = self.offers().len().saturating_sub(1);
        self.offer = self.offer.min(last).saturating_add_signed(rows).min(last);
    }

    /// Does what the selected row says.
    pub(super) fn take_offer(&mut self) {
        match self.offered() {
            Offer::Resume(one) => self.begin_guide(one.name),
            Offer::New => self.open_guide(),
            Offer::Samples => self.load_samples(),
            Offer::File => self.open_apply(),
        }
    }

    /// Loads the samples, after the plan.
    pub(super) fn load_samples(&mut self) {
        if let Some(reason) = self.barred_deed(Deed::LoadSamples) {
            return self.toast(Tone::Info, reason);
        }
        self.open_dialog(Dialog::loading().in_zone(self.options.zone.clone()));
    }

    /// Applies documents, after the plan.
    pub(super) fn apply_files(&mut self, files: Vec<(String, String)>) {
        if let Some(reason) = self.barred_deed(Deed::Apply) {
            return self.toast(Tone::Info, reason);
        }
        self.open_dialog(Dialog::applying(files).in_zone(self.options.zone.clone()));
    }

    /// Documents were applied, or the samples loaded: what was made is shown, and how to send to it.
    pub(super) fn applied(&mut self, kind: Kind, answer: Answer) {
        self.overlay = None;
        self.tree.stale = true;
        self.behind = true;
        self.ask_counters();
        match answer {
            Answer::Done(done) => self.tell_applied(kind, &done),
            Answer::Loaded(loaded) => {
                let tone = if loaded.done.refused { Tone::Bad } else { Tone::Good };
                let said = loaded.done.lines.last().cloned().unwrap_or_default();
                if loaded.sends.is_empty() {
                    return self.tell_applied(kind, &loaded.done);
                }
                let entry = |(key, (flow, command)): (char, (String, String))| {
                    let url = command.rsplit(' ').next().unwrap_or_default();
                    let text = format!("{flow}   {}", url.split("://").nth(1).unwrap_or(url));
                    Entry { key, word: "copy curl", text, does: Ok(Does::Copy(command, "curl".to_owned())) }
                };
                let entries = ('1'..='9').chain('a'..='i').zip(loaded.sends).map(entry).collect();
                let title = format!("{said} · send one a request");
                self.overlay = Some(Overlay::Menu(Box::new(Menu { title, copies: true, entries, at: 0 })));
                self.toast(tone, said);
            }
            _ => {}
        }
    }

    fn tell_applied(&mut self, kind: Kind, done: &Done) {
        let first = done.lines.iter().find(|line| !line.contains(": warning: ")).cloned().unwrap_or_default();
        self.toast(if done.refused { Tone::Bad } else { Tone::Good }, first);
        if done.lines.len() > 1 {
            let text = done.lines.join("\n");
            let whole = Whole::new(format!("{} · done", kind.word()), text.into(), self.value_cells());
            self.overlay = Some(Overlay::Value(Box::new(whole)));
        }
    }

    /// Whether a first request could be sent somewhere, and is not known where.
    pub(super) fn lacks_sample_url(&self) -> bool {
        let none_yet = self
            .counters
            .as_ref()
            .is_some_and(|c| c.integrations > 0 && c.accepted + c.duplicates + c.filtered + c.rejected == 0);
        none_yet && self.sample_url.is_none() && !self.asks.awaits(|want| *want == Want::Endpoints)
    }
}
