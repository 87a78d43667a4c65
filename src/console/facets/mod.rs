//! What is made of single values: columns of pinned paths, the values of a path and how often each is
//! there, files and pagers, and views that are opened by a key.

pub mod pins;
pub mod values;
pub mod views;
pub mod write;

use super::action::Action;
use super::app::{App, Dirt, Overlay, Place, Tone};
use super::asks::Effect;
use super::picks::Change;
use crate::model::ask::{Answer, Refusal};
use crate::model::study::Studied;

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Facet {
    /// The next part of the open list of values.
    Values,
    /// Pinned values of rows that were there before the pin.
    Pinned,
    /// Integrations and their flows, for completion.
    Names,
    /// Paths of the newest requests under this filter, for completion.
    Paths(String),
}

impl App {
    /// Whether one of these keys can act here; `None` for other keys.
    pub(super) fn facet_possible(&self, action: Action) -> Option<Result<(), String>> {
        Some(match action {
            Action::Views => Ok(()),
            Action::Pin => self.pinned_here().map(|_| ()),
            Action::Values => self.counted_here().map(|_| ()),
            Action::Without => Err(
                "filter away is not possible: no list of values is open; # on a value of a payload opens one"
                    .to_owned(),
            ),
            Action::Save => self.bars_write().map_or(Ok(()), Err),
            Action::Outside => self.bars_pager().map_or(Ok(()), Err),
            _ => return None,
        })
    }

    /// Does what one of these keys says.
    pub(super) fn facet(&mut self, action: Action) {
        match action {
            Action::Views => self.open_views(),
            Action::Pin => self.toggle_pin(),
            Action::Values => self.open_counted(),
            Action::Save => self.open_write(),
            Action::Outside => self.page_outside(),
            _ => {}
        }
    }

    /// Keeps a change, here and for the next session.
    pub(super) fn pick(&mut self, change: Change) {
        self.picks.apply(&change);
        self.asks.effect(Effect::Pick(change));
    }

    /// An answer, or why there is none.
    pub(super) fn facet_answered(&mut self, facet: Facet, result: Result<Answer, Refusal>) {
        match (facet, result) {
            (Facet::Values, Ok(Answer::Studied(studied))) => {
                if let Studied::Values(part) = *studied {
                    self.values_found(part);
                }
            }
            (Facet::Values, Err(refusal)) => self.values_refused(refusal.message),
            (Facet::Pinned, Ok(Answer::Studied(studied))) => {
                if let Studied::Pinned { rows } = *studied {
                    self.pins_found(rows);
                }
            }
            (Facet::Pinned, Err(refusal)) => {
                self.pins_refused();
                self.toast(Tone::Bad, refusal.message);
            }
            (Facet::Names, Ok(Answer::Integrations { integrations })) => {
                let named = |one: &crate::model::view::IntegrationView| {
                    let flows = one.flows.iter().map(|flow| flow.name.clone()).collect();
                    (one.name.clone(), flows)
                };
                self.completes.names = Some(integrations.iter().map(named).collect());
                self.complete_again();
            }
            (Facet::Paths(filter), Ok(Answer::Studied(studied))) => {
                if let Studied::Fields(found) = *studied {
                    self.completes.paths = Some((filter, found));
                    self.complete_again();
                }
            }
            // What is known without them is still offered.
            (Facet::Names | Facet::Paths(_), _) => {}
            (Facet::Values, Ok(_)) => self.values_refused("the answer does not fit the question".to_owned()),
            (Facet::Pinned, Ok(_)) => self.pins_refused(),
        }
        self.touch(Dirt::Data);
    }

    /// Nobody answers any more: the link is down.
    pub(super) fn facets_unanswered(&mut self) {
        if let Some(Overlay::Values(open)) = &mut self.overlay
            && open.running
        {
            (open.running, open.stopped) = (false, Some("the link went down".to_owned()));
        }
        if let Some(filter) = &mut self.filter {
            filter.awaits = false;
        }
        self.completes.asked = false;
    }

    /// The text line of the open box, where it has one.
    pub(super) fn facet_edit(&mut self) -> Option<&mut super::edit::Edit> {
        match &mut self.overlay {
            Some(Overlay::Write(open)) => Some(open.typing()),
            Some(Overlay::SaveView(open)) => Some(&mut open.name),
            _ => None,
        }
    }

    /// Whether a payload has the focus.
    pub(super) fn in_payload(&self) -> bool {
        matches!(self.place(), Place::Payload(_))
    }
}
