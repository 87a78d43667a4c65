//! What a dialog orders, as it is filled in.

use super::{Dialog, Facts, Kind, Purpose, Subject, answer};
use crate::model::ask::{Act, Apply, Ask, Replay, Signing, Verb, With};
use crate::model::rate::RateLimit;
use crate::rules::json;
use crate::rules::streak::MOST;
use serde_json::Value;

impl Dialog {
    /// The order as it is filled in, or the question what it would do.
    #[must_use]
    pub fn order(&self, dry_run: bool) -> Ask {
        match &self.subject {
            Subject::Flow(_) => Ask::Pause(self.pause_order(dry_run)),
            Subject::Trial(trial) => self.trial_order(trial, dry_run),
            Subject::Value(setting) => self.set_order(setting, dry_run),
            Subject::Whole(name) => Ask::Remove { name: name.clone(), reason: self.reason(), dry_run },
            Subject::Files(files) => {
                Ask::Apply(Apply { files: files.clone(), reason: self.reason(), dry_run, ..Apply::default() })
            }
            Subject::Samples => Ask::LoadSamples { dry_run },
            Subject::Objects | Subject::Version(_) => {
                self.version_order(dry_run).unwrap_or_else(|| Ask::Act(Box::new(self.act(dry_run))))
            }
        }
    }

    /// The act on requests, runs or callbacks as it is filled in.
    #[must_use]
    pub fn act(&self, dry_run: bool) -> Act {
        let chosen = |purpose| self.chosen(purpose);
        let verb = match self.kind {
            Kind::Retry => {
                let version = if chosen(Purpose::With) == 1 { With::Original } else { With::Deployed };
                Verb::Retry { version, fresh_key: chosen(Purpose::KeyOf) == 1 }
            }
            Kind::Skip => Verb::Skip { stand_in: self.stand_in().ok().flatten() },
            Kind::Forget => Verb::Forget,
            Kind::Readmit => Verb::Readmit,
            Kind::Replay => Verb::Replay(self.replay()),
            // What does not read was never shown, and is never sent: the default only asks.
            kind => match self.hand().unwrap_or_else(|_| answer::default(kind)) {
                Some(hand) => hand,
                // Pauses and versions are ordered by [`Dialog::order`].
                None => Verb::Abort,
            },
        };
        let act = Act { reason: self.reason(), dry_run, ..Act::of(verb) };
        match &self.facts {
            // What was shown is done, and nothing that has come since.
            Facts::Known(plan) if !dry_run && plan.token.is_some() => {
                Act { plan: plan.token.clone(), ..self.paced(act) }
            }
            Facts::Known(plan) if !dry_run => {
                Act { ids: self.ids.clone(), filter: self.filter.clone(), seen: plan.seen.clone(), ..act }
            }
            _ => Act { ids: self.ids.clone(), filter: self.filter.clone(), ..act },
        }
    }

    /// The stand-in as it is typed.
    pub(super) fn stand_in(&self) -> Result<Option<crate::model::Map>, String> {
        let Some(text) = self.field(Purpose::StandIn).map(|field| field.edit.text()) else { return Ok(None) };
        if text.trim().is_empty() {
            return Ok(None);
        }
        match json::parse(text.as_bytes()) {
            Ok(Value::Object(map)) => Ok(Some(map)),
            Ok(_) => Err("a stand-in is a JSON object: {\"id\": \"…\"}".to_owned()),
            Err(error) => Err(format!("the stand-in is not JSON: {error}")),
        }
    }

    /// The rate as it is typed: `20` is `20/s`.
    pub(super) fn rate(&self) -> Result<Option<RateLimit>, String> {
        let Some(text) = self.field(Purpose::Rate).map(|field| field.edit.text()) else { return Ok(None) };
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let whole = if text.contains('/') { text.to_owned() } else { format!("{text}/s") };
        match whole.parse::<RateLimit>() {
            Ok(rate) if rate.count > 0 => Ok(Some(rate)),
            _ => Err(format!("{text:?} is no rate: 20/s, 600/m, 1000/h; empty: as fast as it goes")),
        }
    }

    /// After how many failures in a row it halts, as it is typed.
    pub(super) fn stop_after(&self) -> Result<Option<u32>, String> {
        let Some(text) = self.field(Purpose::StopAfter).map(|field| field.edit.text()) else {
            return Ok(None);
        };
        let text = text.trim().replace(',', "");
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse() {
            Ok(many) if (1..=MOST).contains(&many) => Ok(Some(many)),
            _ => Err(format!("stop after 1 to {MOST} failures in a row; empty: never")),
        }
    }

    /// With how fast it goes, and when it halts.
    fn paced(&self, act: Act) -> Act {
        Act { rate: self.rate().ok().flatten(), stop_after: self.stop_after().ok().flatten(), ..act }
    }

    /// What the rate comes to: `about 60s, as a job`.
    #[must_use]
    pub fn pace(&self) -> Option<String> {
        let (Facts::Known(plan), Ok(Some(rate))) = (&self.facts, self.rate()) else { return None };
        let count = i64::try_from(plan.count).unwrap_or(i64::MAX);
        let lasts = count.saturating_mul(rate.per) / i64::from(rate.count);
        Some(format!("about {}, as a job", crate::console::format::took(lasts)))
    }

    /// How a request is replayed: inside, or to another URL, where it is no run of any version.
    fn replay(&self) -> Replay {
        let chosen = |purpose| self.field(purpose).map_or(0, |field| field.chosen);
        let to = self.field(Purpose::To).map(|field| field.edit.text().trim().to_owned());
        if let Some(to) = to.filter(|to| !to.is_empty()) {
            let sign = match chosen(Purpose::Sign) {
                1 => Some(Signing::Fresh),
                2 => Some(Signing::Exact),
                _ => None,
            };
            return Replay { to: Some(to), sign, set: self.set.clone(), ..Replay::default() };
        }
        let version = match chosen(Purpose::With) {
            1 => Some("original".to_owned()),
            2 => Some("draft".to_owned()),
            _ => None,
        };
        Replay { version, set: self.set.clone(), ..Replay::default() }
    }
}
