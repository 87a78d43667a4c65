//! `alerts ls`: what was told, and is open or in its quiet period.

use super::args::{Few, Output};
use super::door::Door;
use super::lists::clock;
use super::output::Rows;
use super::verbs::unexpected;
use crate::model::ask::{Answer, Ask, Refusal};

/// `alerts ls`.
pub async fn ls(door: &Door, few: Few, output: Output) -> Result<u8, Refusal> {
    let Answer::Alerts { alerts } = door.ask(Ask::Alerts).await? else { return Err(unexpected()) };
    let columns = [
        ("STATE", 9),
        ("ALERT", 8),
        ("FLOW", 30),
        ("SINCE (UTC)", 19),
        ("LAST TOLD", 19),
        ("QUIET UNTIL", 19),
        ("CAUSE", 0),
    ];
    let mut out = Rows::new(output, &columns).at_most(few.limit);
    for one in &alerts {
        out.row(one, || {
            vec![
                if one.open { "open" } else { "recovered" }.to_owned(),
                one.alert.word().to_owned(),
                one.place(),
                clock(&one.since),
                clock(&one.last_told),
                one.quiet_until.as_deref().map_or_else(String::new, clock),
                format!("{}, to {}", one.cause, one.to),
            ]
        })?;
    }
    out.end("No alert is open or in its quiet period.")?;
    Ok(0)
}
