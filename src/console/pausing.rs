//! `P`: the flow of what is selected, or its whole integration, takes nothing more for a while, or
//! goes on.

use super::app::{App, Overlay};
use super::asks::Want;
use super::dialog::{Dialog, Kind};
use super::worklist::Need;
use crate::model::ask::{Ask, Refusal};
use crate::model::view::IntegrationView;

impl App {
    /// Integration and flow of what has the focus.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn paused_flow(&self) -> Result<(String, String), String> {
        if let Some(reason) = self.barred(Kind::Pause) {
            return Err(reason);
        }
        let both = |integration: &String, flow: &String| (integration.clone(), flow.clone());
        let found = self.focused_request().map(|one| both(&one.integration, &one.flow));
        let found = found.or_else(|| self.focused_run().map(|one| both(&one.integration, &one.flow)));
        let found = found.or_else(|| self.focused_group().map(|one| both(&one.integration, &one.flow)));
        let found = found.or_else(|| self.focused_callback().map(|one| both(&one.integration, &one.flow)));
        let in_tree = self.tree.current().filter(|_| self.in_tree());
        let found = found.or_else(|| {
            let node = in_tree?;
            Some((node.integration.clone(), node.part.flow().unwrap_or_default().to_owned()))
        });
        let found = found.or_else(|| match self.focused_need()? {
            Need::Expired(expired) => expired.callbacks.first().map(|of| both(&of.integration, &of.flow)),
            Need::Drift(badges) => badges.newest().map(|of| both(&of.integration, &of.flow)),
            Need::Silent(one) => Some(both(&one.integration, &one.flow)),
            _ => None,
        });
        found.ok_or_else(|| "pause is not possible: nothing of a flow is selected".to_owned())
    }

    /// Opens the dialog, and asks whether the flow is paused: then it is resumed.
    pub fn open_pause(&mut self) {
        let Ok((integration, flow)) = self.paused_flow() else { return };
        let name = integration.clone();
        let dialog = Dialog::pausing(integration, flow).in_zone(self.options.zone.clone());
        self.overlay = Some(Overlay::Verb(Box::new(dialog)));
        self.asks.drop_wants(|want| matches!(want, Want::Standing | Want::Plan));
        self.asks.ask(Want::Standing, Ask::Integration { name });
    }

    /// Whether it is paused came: what the dialog would do is asked for.
    pub(super) fn standing(&mut self, integration: Option<IntegrationView>) {
        let Some(Overlay::Verb(dialog)) = &mut self.overlay else { return };
        let Some(integration) = integration else {
            return dialog.install(Err(Refusal::failed("the integration is not there any more")));
        };
        dialog.stands(&integration);
        let (kind, order) = (dialog.kind, dialog.order(true));
        self.ask_order(kind, order, true);
    }
}
