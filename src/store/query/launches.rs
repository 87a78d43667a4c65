//! What triggers other than requests did and will do: the ticks of schedules, and the newest run of
//! each such flow.

use super::look::Look;
use super::{head, pages};
use crate::model::request::Marks;
use crate::model::schedule::{BegunView, ScheduleView};
use crate::model::time::rfc3339;
use crate::model::view::IntegrationView;
use crate::model::{FlowId, Ms};
use crate::store::occasion::begun;
use crate::store::schedules::{self, Standing, rule};
use crate::store::{Store, StoreError};

/// Ticks to come that are shown.
const SHOWN: usize = 5;

impl Store {
    /// Adds to flows the ticks of their schedules, and the newest run that their own trigger began.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn with_ticks(
        &self,
        mut views: Vec<IntegrationView>,
    ) -> Result<Vec<IntegrationView>, StoreError> {
        if !views.iter().flat_map(|view| &view.flows).any(|flow| mark(&flow.trigger).is_some()) {
            return Ok(views);
        }
        self.look(move |look| {
            for view in &mut views {
                let Some(holding) = look.state.by_name(&view.name) else { continue };
                for flow in &mut view.flows {
                    let row = look.state.flows.values();
                    let row = row.into_iter().find(|row| row.integration == holding.id && row.key == flow.id);
                    let (Some(row), Some(mark)) = (row, mark(&flow.trigger)) else { continue };
                    flow.last_run = last_run(look, row.id, mark)?;
                    if let Some(schedule) = &mut flow.schedule
                        && let Some(standing) = schedules::standing(look.conn, row.id)?
                    {
                        tell(schedule, &standing, look.now);
                    }
                }
            }
            Ok(views)
        })
        .await
    }
}

fn mark(trigger: &str) -> Option<Marks> {
    match trigger {
        "schedule" => Some(Marks::SCHEDULE),
        "deploy" => Some(Marks::DEPLOY),
        "remove" => Some(Marks::REMOVE),
        _ => None,
    }
}

fn last_run(look: &Look<'_>, flow: FlowId, mark: Marks) -> rusqlite::Result<Option<BegunView>> {
    let Some(id) = begun(look.conn, flow, mark)? else { return Ok(None) };
    // Retention may have taken it.
    let Some(run) = head::run_by_id(look.conn, id)? else { return Ok(None) };
    let view = pages::run_view(look, &run)?;
    Ok(Some(BegunView { run: view.id, time: rfc3339(id.time()), state: view.state, cause: view.cause }))
}

fn tell(view: &mut ScheduleView, standing: &Standing, now: Ms) {
    view.last = standing.last.map(rfc3339);
    view.made_up = standing.made_up;
    let Some(rule) = rule(&standing.rule) else { return };
    // What waits for the end of a hold comes at that end, whenever it is.
    let next = rule.due(standing.next, now).map_or(standing.next, |due| due.next);
    view.next = rule.ticks(next, SHOWN).into_iter().map(rfc3339).collect();
}
