//! From step to step: what each saves, and what the next one asks for.

use super::auth::{Scheme, Shown};
use super::came::Guided;
use super::step::StepForm;
use super::typed::Typed;
use super::{Finished, First, Guide, Stage, text};
use crate::console::app::{App, Dirt, Screen, Tone};
use crate::console::asks::Want;
use crate::console::capture::Table;
use crate::console::dialog::{Dialog, Version};
use crate::console::edit::Edit;
use crate::model::ask::keys::Made;
use crate::model::ask::{Ask, Deed, Editing, Revision, SavedView};
use crate::model::guide;
use crate::rules::explain::written;

impl App {
    /// Shows a step, and asks for what it needs.
    pub(super) fn go_stage(&mut self, stage: Stage) {
        let now = self.now;
        let Some(guide) = &mut self.guide else { return };
        (guide.stage, guide.trouble, guide.busy) = (stage, None, None);
        (guide.first, guide.on_window) = (First::Nothing, false);
        guide.armed = false;
        match stage {
            Stage::Name => {
                // A name that is saved is typed no more.
                guide.naming.on_flow |= !guide.name.is_empty();
                self.asks.ask(Want::Guide(Guided::Names), Ask::Integrations);
            }
            Stage::Auth => {
                guide.auth.focus = 0;
                self.asks.ask(Want::Guide(Guided::Keys), Ask::Keys);
            }
            Stage::Capture | Stage::Dedup => {
                let table = guide.table();
                table.dedup = stage == Stage::Dedup;
                table.dedup_alone = table.dedup;
                if stage == Stage::Capture {
                    guide.since = now;
                    guide.refused = None;
                    self.renew_capture();
                }
                self.ask_captured();
            }
            Stage::Step => {
                if let Some(first) = text::step(&guide.text).filter(|_| !guide.touched(Stage::Step)) {
                    guide.step =
                        StepForm { told: std::mem::take(&mut guide.step.told), ..StepForm::of(&first) };
                    guide.settled(Stage::Step);
                }
                if guide.table().found.fields.is_empty() {
                    self.ask_captured();
                }
            }
            Stage::Test => self.ask_guided_trial(),
        }
        self.touch(Dirt::Input);
    }

    /// Opens the capture, or keeps it open.
    pub(super) fn renew_capture(&mut self) {
        if self.barred_deed(Deed::Capture).is_none()
            && let Some(table) = self.table_mut()
        {
            let ask = table.opens();
            self.asks.ask(Want::Captured, ask);
        }
    }

    /// One step back; from the first one out of it.
    pub(super) fn guide_back(&mut self) {
        let Some(guide) = &mut self.guide else { return };
        if guide.busy.is_some() {
            // What was ordered comes first: it is shown by the step that it is of.
            return self.toast(Tone::Info, "back is not possible: the store is being waited for");
        }
        if guide.finished.is_some() || guide.stage == Stage::Name {
            return self.close_guide();
        }
        if std::mem::replace(&mut guide.first, First::Nothing) != First::Nothing {
            guide.trouble = None;
            return;
        }
        if let Some(before) = Stage::of(guide.stage.number() - 1) {
            self.go_stage(before);
        }
    }

    /// `enter`: what is filled in is saved, and the next step is shown.
    pub(super) fn guide_next(&mut self) {
        let why = self.barred_as(Deed::Save, "next");
        let Some(guide) = &mut self.guide else { return };
        if guide.busy.is_some() || !guide.armed {
            return;
        }
        if guide.finished.is_some() {
            self.close_guide();
            return self.show(Screen::Live, 0);
        }
        if let Some(why) = why {
            return self.toast(Tone::Info, why);
        }
        guide.trouble = None;
        let made = match guide.stage {
            Stage::Name => guide.named(),
            Stage::Auth => return self.guide_auth(),
            Stage::Capture => guide.captured(),
            Stage::Dedup => guide.deduped(),
            Stage::Step => guide.stepped(),
            Stage::Test => return self.guide_deploy(),
        };
        match made {
            Ok(made) => {
                let after = Stage::of(guide.stage.number() + 1).unwrap_or(Stage::Test);
                self.save_guided(&made, after);
            }
            Err(why) => guide.trouble = Some(why),
        }
    }

    /// The second step: a key is made first, where one is wanted.
    fn guide_auth(&mut self) {
        let keys = self.options.keymap.clone();
        let Some(guide) = &mut self.guide else { return };
        if guide.first == First::Shown {
            return self.go_stage(Stage::Capture);
        }
        if guide.auth.scheme() == Scheme::None && guide.first != First::Again {
            (guide.first, guide.armed) = (First::Again, false);
            return;
        }
        // The document is judged before anything is made.
        let key = guide.auth.chosen().map_or_else(|| guide.auth.fresh(&guide.name), str::to_owned);
        let made = text::with_auth(&guide.text, &guide.auth.written(&key)).map_err(|why| keys.say(&why));
        if let Err(why) = made.as_ref().map_err(Clone::clone).and_then(|made| text::sound(made)) {
            guide.trouble = Some(why);
            return;
        }
        if let Some(order) = guide.auth.order(&guide.name) {
            guide.busy = Some("making the key…");
            return self.asks.ask(Want::Guide(Guided::Key), Ask::AddKey(Box::new(order)));
        }
        if let Ok(made) = made {
            self.save_guided(&made, Stage::Capture);
        }
    }

    /// The key was made: it is shown once the document names it.
    pub(super) fn guide_keyed(&mut self, made: Made) {
        let keys = self.options.keymap.clone();
        let Some(guide) = &mut self.guide else { return };
        let key = made.key.name.clone();
        let text = text::with_auth(&guide.text, &guide.auth.written(&key)).map_err(|why| keys.say(&why));
        guide.auth.known.push(made.key.clone());
        guide.made.insert(key.clone());
        guide.held = Shown::of(made, &guide.auth);
        // Another try takes this key, and makes no second one.
        guide.auth.pick(Some(&key));
        guide.auth.secret = Edit::hidden();
        match text {
            Ok(text) => self.save_guided(&text, Stage::Capture),
            Err(why) => (guide.trouble, guide.busy) = (Some(why), None),
        }
    }

    /// Saves the document, at the step that comes then; one that is saved so already is not again.
    fn save_guided(&mut self, made: &str, after: Stage) {
        let Some(guide) = &mut self.guide else { return };
        if let Err(why) = text::sound(made) {
            guide.trouble = Some(why);
            guide.busy = None;
            return;
        }
        // Who went back and changed something goes on where they were.
        let reached = guide::step(&guide.text).unwrap_or(0).max(after.number());
        let made = guide::at(made, reached);
        if made == guide.saved {
            guide.text = made;
            guide.settled(guide.stage);
            return self.guide_came_to(after);
        }
        guide.busy = Some("saving the draft…");
        guide.sent.clone_from(&made);
        let revision = Revision {
            name: guide.slug(),
            base: guide.base,
            text: made,
            reason: Some(format!("made step by step: {}", guide.stage.word())),
            ..Revision::default()
        };
        let ask = Ask::Edit(Box::new(Editing::Save(revision)));
        self.asks.ask(Want::Guide(Guided::Save(after)), ask);
    }

    /// It is saved.
    pub(super) fn guide_saved(&mut self, saved: &SavedView, after: Stage) {
        let Some(guide) = &mut self.guide else { return };
        let new = guide.name.is_empty();
        guide.name = guide.slug();
        guide.base = saved.version;
        guide.text = std::mem::take(&mut guide.sent);
        guide.saved.clone_from(&guide.text);
        guide.settled(guide.stage);
        self.tree.stale = true;
        if new {
            // What was typed has a name now; what another of that name left is nothing of it.
            guide.kept = Typed::default();
            let name = guide.name.clone();
            self.forget_typed("");
            self.forget_typed(&name);
        }
        self.drop_keys();
        self.guide_came_to(after);
    }

    /// Keys that were made on the way and that the document does not let in are taken away.
    fn drop_keys(&mut self) {
        let Some(guide) = self.guide.as_ref().filter(|guide| guide.stage == Stage::Auth) else { return };
        let Some(hook) = text::webhook(&guide.text) else { return };
        let own = format!("{}/", guide.name);
        let unused = |key: &&String| {
            let known = guide.auth.known.iter().find(|known| known.name == **key);
            known.is_none_or(|known| known.flows.iter().all(|flow| flow.starts_with(&own)))
        };
        let left = guide.made.iter().filter(|key| !hook.auth.keys().contains(key)).filter(unused);
        for key in left.cloned().collect::<Vec<_>>() {
            let reason = Some("made step by step, and another was taken".to_owned());
            let ask = Ask::RemoveKey { name: key.clone(), reason, dry_run: false };
            self.asks.ask(Want::Guide(Guided::Drop(key)), ask);
        }
    }

    fn guide_came_to(&mut self, stage: Stage) {
        let Some(guide) = &mut self.guide else { return };
        // A key that was just made is shown first, this once.
        let shows = guide.stage == Stage::Auth && guide.held.as_ref().is_some_and(|held| !held.seen);
        if shows {
            (guide.first, guide.busy, guide.armed) = (First::Shown, None, false);
            if let Some(held) = &mut guide.held {
                held.seen = true;
            }
            return self.touch(Dirt::Input);
        }
        self.go_stage(stage);
    }

    /// The dialog of the deploy: the document without what says that it is being made.
    fn guide_deploy(&mut self) {
        let Some(guide) = &self.guide else { return };
        let version = Version {
            integration: guide.name.clone(),
            number: guide.base + 1,
            live: None,
            text: Some((guide.base, guide::without(&guide.text).to_owned())),
        };
        let dialog = Dialog::deploying(version, None).in_zone(self.options.zone.clone());
        self.open_dialog(dialog);
    }

    /// It is live, or was kept as a draft.
    pub(in crate::console) fn guide_deployed(&mut self, saved: &SavedView) {
        let Some(guide) = &mut self.guide else { return };
        guide.base = saved.version;
        let made = guide::without(&guide.text).to_owned();
        guide.saved.clone_from(&made);
        guide.text = made;
        self.tree.stale = true;
        self.behind = true;
        if !saved.live {
            return;
        }
        let said = saved.lines.iter().find(|line| line.starts_with(&guide.name));
        let said = said.cloned().unwrap_or_else(|| format!("{} is live", guide.name));
        let of_lines = saved.lines.iter().find_map(|line| line.split_once("  http").map(|(_, rest)| rest));
        let url = guide.url().map(str::to_owned).or_else(|| of_lines.map(|rest| format!("http{rest}")));
        guide.armed = false;
        let name = guide.name.clone();
        guide.finished = Some(Finished { said, url: url.unwrap_or_default() });
        self.forget_typed(&name);
        self.touch(Dirt::Input);
    }
}

impl Guide {
    /// What came, with the ticks that the document says, from the third step on.
    pub(super) fn table(&mut self) -> &mut Table {
        let flow = self.path();
        if self.table.as_ref().is_none_or(|table| table.flow != flow) {
            let mut table = Table::of_draft(flow);
            if let Some(hook) = text::webhook(&self.text) {
                table.required_paths = hook.required.iter().map(ToString::to_string).collect();
                if let Some(dedup) = &hook.dedup {
                    table.dedup_paths = dedup.fields.iter().map(ToString::to_string).collect();
                    self.window = Edit::with(&written(dedup.window));
                }
            }
            self.table = Some(Box::new(table));
            self.settled(Stage::Capture);
            self.settled(Stage::Dedup);
        }
        self.table.get_or_insert_with(|| Box::new(Table::of_draft(String::new())))
    }

    /// Whether it is asked now what is left out; the second time it is known.
    fn asks_again(&mut self) -> bool {
        std::mem::replace(&mut self.first, First::Again) != First::Again
    }

    /// The document after the first step.
    fn named(&self) -> Result<String, String> {
        let (title, flow) = (self.naming.title.text(), self.naming.flow.text());
        let flow = if flow.trim().is_empty() { "Events" } else { flow.trim() };
        if !self.name.is_empty() {
            return if flow == self.flow() {
                Ok(self.text.clone())
            } else {
                text::with_flow(&self.text, flow).map_err(|why| self.keys.say(&why))
            };
        }
        if title.trim().is_empty() {
            return Err("type a name first: Acme ERP, shop orders".to_owned());
        }
        match self.misnamed() {
            Some(why) => Err(why),
            None => Ok(text::new(title.trim(), flow)),
        }
    }

    /// The document after the third: what must be there.
    fn captured(&mut self) -> Result<String, String> {
        let none = self.table.as_ref().is_none_or(|table| table.found.fields.is_empty());
        if none && self.asks_again() {
            return Err("nothing came yet; enter again goes on without: no path is known then".to_owned());
        }
        let ticked = self.table.iter().flat_map(|table| table.required_paths.iter().cloned());
        text::with_required(&self.text, &ticked.collect::<Vec<_>>()).map_err(|why| self.keys.say(&why))
    }

    /// The document after the fourth: what makes two requests one.
    fn deduped(&self) -> Result<String, String> {
        let paths = self.table.as_ref().map(|table| table.dedup_paths.clone()).unwrap_or_default();
        text::with_dedup(&self.text, &paths, &self.window.text()).map_err(|why| self.keys.say(&why))
    }

    /// The document after the fifth: what is sent on.
    fn stepped(&mut self) -> Result<String, String> {
        let first = self.step.first();
        if first.url.trim().is_empty() {
            if text::step(&self.text).is_none() && !self.asks_again() {
                // A flow without steps keeps what comes.
                return Ok(self.text.clone());
            }
            return Err(
                "no URL yet: type one, or paste a curl command; enter again goes on without a step, which only \
                 keeps what comes"
                    .to_owned(),
            );
        }
        text::with_step(&self.text, &first).map_err(|why| self.keys.say(&why))
    }
}
