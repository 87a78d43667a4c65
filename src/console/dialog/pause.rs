//! Pausing and resuming in a dialog: which of both it is, of what, how and for how long.

use super::{Dialog, Facts, Field, Kind, Purpose, Subject};
use crate::console::format::exact;
use crate::model::gate::{PauseAct, PauseOrder, PauseView};
use crate::model::time::{Ms, parse_duration, parse_rfc3339};
use crate::model::view::IntegrationView;

/// What is paused or resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// The integration's name.
    pub integration: String,
    /// The flow's name; empty where the integration is meant as a whole.
    pub flow: String,
    /// The pause of the flow, and that of the whole integration, where they are in force.
    pub now: (Option<PauseView>, Option<PauseView>),
}

impl Paused {
    /// Whether the nth scope is the whole integration.
    fn is_whole(&self, scope: usize) -> bool {
        // What is paused as a whole and not by itself is resumed as a whole: there is no choice.
        scope == 1 || self.flow.is_empty() || matches!(self.now, (None, Some(_)))
    }

    /// What it is about, as orders name it.
    fn target(&self, scope: usize) -> String {
        if self.is_whole(scope) {
            self.integration.clone()
        } else {
            format!("{}/{}", self.integration, self.flow)
        }
    }

    /// The same for people.
    #[must_use]
    pub fn named(&self, scope: usize) -> String {
        if self.is_whole(scope) {
            format!("{}, all of it", self.integration)
        } else {
            format!("{} / {}", self.integration, self.flow)
        }
    }

    /// What to fill in.
    pub(super) fn fields(&self, kind: Kind) -> Vec<Field> {
        let scopes = || {
            let choices = vec![format!("{} alone", self.flow), format!("all of {}", self.integration)];
            Field::choice(Purpose::Scope, "what", choices)
        };
        match kind {
            Kind::Pause => {
                let how = vec!["answer 503".to_owned(), "take requests, hold their runs".to_owned()];
                let mut lasts = Field::line(Purpose::Lasts, "for");
                "30m, 2h, 1d: then it goes on by itself".clone_into(&mut lasts.hint);
                let mut fields = vec![Field::choice(Purpose::How, "how", how), lasts];
                if !self.flow.is_empty() {
                    fields.insert(0, scopes());
                }
                fields
            }
            Kind::Resume if matches!(self.now, (Some(_), Some(_))) => {
                vec![scopes()]
            }
            _ => Vec::new(),
        }
    }
}

impl Dialog {
    /// A dialog for the flow of what is selected; [`Dialog::stands`] says which verb it is.
    #[must_use]
    pub fn pausing(integration: String, flow: String) -> Self {
        let paused = Paused { integration, flow, now: (None, None) };
        Self { subject: Subject::Flow(paused), ..Self::new(Kind::Pause, Vec::new()) }
    }

    /// Takes in what is paused: it is resumed, else paused.
    pub fn stands(&mut self, integration: &IntegrationView) {
        let Subject::Flow(paused) = &mut self.subject else { return };
        let flow = integration.flows.iter().find(|flow| flow.name == paused.flow);
        paused.now = (flow.and_then(|flow| flow.paused.clone()), integration.paused.clone());
        let (own, whole) = &paused.now;
        self.kind = if own.is_some() || whole.is_some() { Kind::Resume } else { Kind::Pause };
        let said = [(&paused.flow, own), (&paused.integration, whole)];
        let time =
            |text: &str| parse_rfc3339(text).map_or_else(|| text.to_owned(), |at| exact(at, &self.zone));
        let said: Vec<String> = said
            .iter()
            .filter_map(|(name, pause)| {
                let pause = pause.as_ref()?;
                let does = if pause.hold { "takes requests and holds their runs" } else { "answers 503" };
                let until = pause.until.as_deref().map(|until| format!(" until {}", time(until)));
                let until = until.unwrap_or_default();
                Some(format!("Now {name} {does}{until}, since {}.", time(&pause.since)))
            })
            .collect();
        self.object = Some(said.join(" ")).filter(|said| !said.is_empty());
        self.facts = Facts::Asking;
    }

    /// How long the pause lasts; none is until it is resumed.
    ///
    /// # Errors
    /// What is typed is no time.
    pub(super) fn lasts(&self) -> Result<Option<Ms>, String> {
        let Some(text) = self.field(Purpose::Lasts).map(|field| field.edit.text()) else { return Ok(None) };
        match text.trim() {
            "" => Ok(None),
            text => parse_duration(text).map(Some),
        }
    }

    /// The order as it is filled in.
    pub(super) fn pause_order(&self, dry_run: bool) -> PauseOrder {
        let act = match self.kind {
            Kind::Resume => PauseAct::Resume,
            _ => PauseAct::Pause { hold: self.chosen(Purpose::How) == 1, lasts: self.lasts().ok().flatten() },
        };
        let target = match &self.subject {
            Subject::Flow(paused) => paused.target(self.chosen(Purpose::Scope)),
            _ => String::new(),
        };
        PauseOrder { target, act, reason: self.reason(), dry_run }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::dialog::Outcome;
    use crate::model::ask::{Ask, Plan};
    use crate::model::time::HOUR;
    use serde_json::json;

    fn integration(own: bool, whole: bool) -> IntegrationView {
        let pause = |paused: bool| paused.then(|| json!({"since": "s", "until": null, "hold": false}));
        serde_json::from_value(json!({
            "name": "shop", "title": "", "description": "", "deployed": 1, "draft": null, "saved": "", "author": "",
            "flows": [{"id": "o", "name": "Orders", "trigger": "webhook", "url": null, "auth": null, "steps": [],
                       "paused": pause(own)}],
            "variables": [], "paused": pause(whole),
        }))
        .unwrap()
    }

    fn order(dialog: &Dialog, dry_run: bool) -> PauseOrder {
        match dialog.order(dry_run) {
            Ask::Pause(order) => order,
            other => panic!("{other:?}"),
        }
    }

    fn plan() -> Box<Plan> {
        Box::new(Plan { count: 1, lines: vec!["said".to_owned()], ..Plan::default() })
    }

    #[test]
    fn what_is_not_paused_is_paused_as_it_is_filled_in() {
        let mut dialog = Dialog::pausing("shop".to_owned(), "Orders".to_owned());
        assert_eq!(dialog.enter(), Outcome::Stays, "nothing is known yet");
        dialog.stands(&integration(false, false));
        dialog.install(Ok(plan()));
        assert_eq!(dialog.title(), "Pause shop / Orders");
        assert_eq!(order(&dialog, true).act, PauseAct::Pause { hold: false, lasts: None });
        // Each choice is asked about before it can be confirmed.
        dialog.focus = 0;
        assert_eq!(dialog.sideways(1), Outcome::Replan);
        assert_eq!(
            (dialog.title(), order(&dialog, true).target),
            ("Pause shop, all of it".to_owned(), "shop".to_owned())
        );
        dialog.focus = 1;
        assert_eq!(dialog.sideways(1), Outcome::Replan);
        dialog.install(Ok(plan()));
        dialog.flushed();
        dialog.focus = 2;
        dialog.edit().unwrap().insert("1");
        dialog.changed(5);
        assert_eq!(dialog.enter(), Outcome::Stays);
        assert!(!dialog.replans(5) && dialog.error.as_ref().unwrap().contains("unit"), "{:?}", dialog.error);
        dialog.edit().unwrap().insert("h");
        dialog.changed(6);
        assert!(dialog.replans(6));
        dialog.install(Ok(plan()));
        dialog.flushed();
        assert_eq!(dialog.enter(), Outcome::Act);
        assert_eq!(order(&dialog, false).act, PauseAct::Pause { hold: true, lasts: Some(HOUR) });
    }

    #[test]
    fn what_is_paused_is_resumed_by_itself_or_as_a_whole() {
        for (own, whole, target, fields) in
            [(true, false, "shop/Orders", 1), (false, true, "shop", 1), (true, true, "shop/Orders", 2)]
        {
            let mut dialog = Dialog::pausing("shop".to_owned(), "Orders".to_owned());
            dialog.stands(&integration(own, whole));
            dialog.install(Ok(plan()));
            assert_eq!((dialog.kind, dialog.fields.len()), (Kind::Resume, fields));
            let order = order(&dialog, true);
            assert_eq!((order.act, order.target.as_str()), (PauseAct::Resume, target));
            assert!(dialog.object.as_ref().unwrap().contains("answers 503, since s."));
        }
    }
}
