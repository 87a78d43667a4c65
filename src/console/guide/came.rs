//! What the steps ask for, and what came.

use super::step::StepForm;
use super::typed::LetIn;
use super::{Guide, Stage, text};
use crate::console::app::{App, Dirt, Tone};
use crate::console::asks::Want;
use crate::console::edit::Edit;
use crate::console::editor::MEANWHILE;
use crate::console::format::clock;
use crate::console::trial::{head, step_lines};
use crate::model::ask::{Answer, Ask, Page, Refusal};
use crate::model::guide;
use crate::model::study::{Sampled, Studied, Study, Trial};
use crate::model::time::parse_rfc3339;

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guided {
    /// The names that there are.
    Names,
    /// Senders' keys.
    Keys,
    /// The draft that it goes on with.
    Text,
    /// The draft was saved, and which step comes then.
    Save(Stage),
    /// The key was made.
    Key,
    /// One of this name that is not taken in the end went.
    Drop(String),
    /// The newest request that was refused.
    Refused,
    /// What a run would send.
    Trial,
}

impl App {
    /// Asks for the draft that it goes on with.
    pub(super) fn ask_guided_text(&mut self) {
        let Some(guide) = &mut self.guide else { return };
        guide.busy = Some("asking the store…");
        let ask = Ask::Export { name: guide.name.clone(), version: None };
        self.asks.drop_wants(|want| *want == Want::Guide(Guided::Text));
        self.asks.ask(Want::Guide(Guided::Text), ask);
    }

    /// Asks for what a run would send.
    pub(super) fn ask_guided_trial(&mut self) {
        let Some(guide) = &mut self.guide else { return };
        guide.tested.asking = true;
        let trial = Trial {
            flow: guide.path(),
            sample: guide.sample(),
            draft: true,
            text: Some(guide::without(&guide.text).to_owned()),
            ..Trial::default()
        };
        self.asks.drop_wants(|want| *want == Want::Guide(Guided::Trial));
        self.asks.ask(Want::Guide(Guided::Trial), Ask::Study(Study::Simulate(trial)));
    }

    /// Requests arrived: one may have been refused.
    pub(in crate::console) fn ask_guided_refused(&mut self) {
        let Some(guide) = self.guide.as_ref().filter(|guide| guide.stage == Stage::Capture) else { return };
        let filter = format!("integration={} verdict:rejected", guide.name);
        self.asks.drop_wants(|want| *want == Want::Guide(Guided::Refused));
        let page = Page { filter, limit: 1, ..Page::default() };
        self.asks.ask(Want::Guide(Guided::Refused), Ask::Requests(page));
    }

    /// An answer for a step.
    pub(in crate::console) fn guide_answered(&mut self, what: Guided, answer: Result<Answer, Refusal>) {
        self.touch(Dirt::Data);
        let (now, zone, keys) = (self.now, self.options.zone.clone(), self.options.keymap.clone());
        if let Guided::Drop(key) = what {
            return self.guide_dropped(&key, answer);
        }
        let Some(guide) = &mut self.guide else {
            if let (Guided::Key, Ok(Answer::Key(made))) = (what, answer) {
                let said = format!(
                    "The key {} was made, and its secret was not shown; {} takes it away",
                    made.key.name,
                    self.options.keymap.pressed("X")
                );
                self.toast(Tone::Bad, said);
            }
            return;
        };
        match (what, answer) {
            (Guided::Names, Ok(Answer::Integrations { integrations })) => {
                guide.taken = integrations.into_iter().map(|one| one.name).collect();
            }
            (Guided::Keys, Ok(Answer::Keys { keys })) => {
                let typed = guide.touched(Stage::Auth).then(|| LetIn::of(&guide.auth));
                guide.auth.known = keys;
                if let Some(hook) = text::webhook(&guide.text) {
                    guide.auth.fill(&hook.auth);
                }
                if guide.auth.user.is_empty() {
                    guide.auth.user = Edit::with(&guide.name);
                }
                guide.settled(Stage::Auth);
                if let Some(typed) = guide.recalled.take().or(typed) {
                    typed.fill(&mut guide.auth);
                }
            }
            (Guided::Text, Ok(Answer::Source { version, text })) => self.guide_opened(version, text),
            (Guided::Save(after), Ok(Answer::Saved(saved))) => self.guide_saved(&saved, after),
            (Guided::Key, Ok(Answer::Key(made))) => self.guide_keyed(made),
            (Guided::Refused, Ok(Answer::Requests(rows))) => {
                let since = guide.since;
                guide.refused = rows.rows.into_iter().next().and_then(|one| {
                    let at = parse_rfc3339(&one.time).filter(|at| *at >= since)?;
                    let status = one.status.map_or_else(String::new, |status| format!("{status} "));
                    let cause = one.cause.unwrap_or_else(|| "rejected".to_owned());
                    Some((clock(at, now, &zone), format!("{status}{cause}")))
                });
            }
            (Guided::Trial, Ok(Answer::Studied(studied))) => {
                if let Studied::Simulated(view) = *studied {
                    let mut lines = Vec::new();
                    view.steps.iter().for_each(|step| step_lines(step, &keys, &mut lines));
                    // Values are given where a flow is tried out: here nothing is asked for.
                    lines.retain(|line| !line.path.starts_with("asks "));
                    guide.tested.head = head(&view);
                    guide.tested.lines.set(lines);
                    (guide.tested.asking, guide.tested.trouble) = (false, None);
                }
            }
            (Guided::Trial, Err(refusal)) => {
                guide.tested.asking = false;
                guide.tested.head.clear();
                guide.tested.lines.set(Vec::new());
                guide.tested.trouble = Some(if refusal.code == Refusal::NO_REQUEST {
                    keys.say("No request came that it could be tried with: {v} takes one, or esc goes back to step 3.")
                } else {
                    refusal.message
                });
            }
            (Guided::Text, Err(refusal)) => {
                self.guide = None;
                self.toast(Tone::Bad, refusal.message);
            }
            (Guided::Save(_), Err(refusal)) => self.guide_refused(&refusal),
            (Guided::Key, Err(refusal)) => {
                guide.busy = None;
                guide.trouble = Some(refusal.message);
            }
            (Guided::Names | Guided::Keys, Err(refusal)) => guide.trouble = Some(refusal.message),
            _ => {}
        }
    }

    /// The draft is there: it goes on at its step.
    fn guide_opened(&mut self, version: u32, text: String) {
        let Some(guide) = &mut self.guide else { return };
        let Some(stage) = guide::step(&text).and_then(Stage::of) else {
            let name = guide.name.clone();
            self.guide = None;
            self.forget_typed(&name);
            let (e, d) = (self.say("{e}"), self.say("{D}"));
            let said =
                format!("{name} is not made step by step; {e} edits its document, {d} deploys its draft");
            return self.toast(Tone::Info, said);
        };
        (guide.base, guide.text) = (version, text);
        guide.saved.clone_from(&guide.text);
        guide.naming.flow = Edit::with(&guide.flow());
        guide.naming.on_flow = true;
        if let Some(first) = text::step(&guide.text) {
            guide.step = StepForm::of(&first);
        }
        guide.table();
        for stage in Stage::ALL {
            guide.settled(stage);
        }
        let name = guide.name.clone();
        let typed = self.kept_typed(&name);
        let Some((guide, mut typed)) = self.guide.as_mut().zip(typed) else { return self.go_stage(stage) };
        guide.recall_beside(&mut typed);
        if typed.base == version {
            let at = typed.stage().unwrap_or(stage);
            guide.recall(typed);
            return self.go_stage(at);
        }
        let lost = typed.differs(guide);
        self.go_stage(stage);
        if lost {
            let said = format!("v{version} was saved since: what was typed for v{} is left out", typed.base);
            self.toast(Tone::Bad, said);
        }
    }

    /// A key that the document does not take in the end went, or did not.
    fn guide_dropped(&mut self, key: &str, answer: Result<Answer, Refusal>) {
        match answer {
            Ok(_) => {
                if let Some(guide) = &mut self.guide {
                    guide.made.remove(key);
                    guide.auth.forget(key);
                }
                self.toast(
                    Tone::Info,
                    format!("The key {key}, made before, is taken away: it is not let in."),
                );
            }
            Err(refusal) => {
                self.toast(
                    Tone::Bad,
                    format!("the key {key}, made before, is still there: {}", refusal.message),
                );
            }
        }
    }

    /// It was not saved.
    pub(in crate::console) fn guide_refused(&mut self, refusal: &Refusal) {
        let Some(guide) = &mut self.guide else { return };
        guide.busy = None;
        if refusal.code == MEANWHILE {
            let said =
                format!("{}: this is how it is now", refusal.message.replace("; nothing was saved", ""));
            self.toast(Tone::Bad, said);
            self.guide_anew();
        } else {
            let first = refusal.message.lines().next().unwrap_or_default();
            guide.trouble = Some(mistake(&guide.slug(), first));
        }
        self.touch(Dirt::Input);
    }

    /// Somebody else saved: the draft is read again.
    pub(in crate::console) fn guide_anew(&mut self) {
        self.keep_filled(true);
        let Some(guide) = &mut self.guide else { return };
        let held = guide.held.take();
        **guide = Guide { held, ..Guide::new(guide.name.clone(), guide.keys.clone()) };
        self.ask_guided_text();
    }

    /// The link is back: what was asked is asked again.
    pub(in crate::console) fn guide_resumes(&mut self) {
        let Some(guide) = &mut self.guide else { return };
        let waited = guide.busy.take();
        if guide.finished.is_some() {
            return;
        }
        if guide.text.is_empty() && !guide.name.is_empty() {
            return self.ask_guided_text();
        }
        if waited.is_some() && !guide.name.is_empty() {
            // Whether it was saved is not known: the store says it.
            return self.guide_anew();
        }
        match guide.stage {
            Stage::Capture => {
                self.renew_capture();
                self.ask_captured();
            }
            Stage::Dedup => self.ask_captured(),
            Stage::Test => self.ask_guided_trial(),
            Stage::Name => self.asks.ask(Want::Guide(Guided::Names), Ask::Integrations),
            Stage::Auth => self.asks.ask(Want::Guide(Guided::Keys), Ask::Keys),
            Stage::Step => {}
        }
    }

    /// Something else stands for the request: what came of it is shown.
    pub(in crate::console) fn guide_samples(&mut self, sample: Sampled) {
        let Some(guide) = &mut self.guide else { return };
        guide.table().take(sample);
        match guide.stage {
            Stage::Test => self.ask_guided_trial(),
            _ => self.ask_captured(),
        }
    }
}

/// A mistake as the desk tells it, without the place of a document that nobody sees here.
fn mistake(name: &str, line: &str) -> String {
    let rest = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
    let told = rest.and_then(|rest| rest.split_once(": ")).map(|(_, told)| told);
    told.unwrap_or(line).to_owned()
}
