//! `runs diff`: two runs beside each other, only what differs.

use super::args::Output;
use super::door::Door;
use super::output::Rows;
use super::verbs::unexpected;
use crate::model::ask::{Answer, Ask, Refusal};
use crate::model::id::short;
use crate::model::view::RunView;
use crate::rules::beside;
use serde_json::Value;

/// `runs diff A [B]`: B is the run that A replays where it is left out. Exit code 0 whatever differs.
pub async fn runs(door: &Door, one: String, other: Option<String>, output: Output) -> Result<u8, Refusal> {
    let one = run(door, one).await?;
    let other = match (other, &one.parent) {
        (Some(other), _) => run(door, other).await?,
        (None, Some(parent)) => run(door, parent.clone()).await?,
        (None, None) => {
            let why = format!("run {} replays no other: name the run to compare it with", short(&one.id));
            return Err(Refusal::usage(why));
        }
    };
    let mut out = Rows::new(output, &[("PATH", 40), ("FIRST", 32), ("OTHER", 0)]);
    if output == Output::Text {
        super::tell(&format!("{} beside {}", one.id, other.id));
    }
    for difference in beside::runs(&one, &other) {
        out.row(&difference, || {
            vec![difference.path.clone(), shown(&difference.one), shown(&difference.other)]
        })?;
    }
    out.end("Nothing differs.")?;
    Ok(0)
}

async fn run(door: &Door, id: String) -> Result<RunView, Refusal> {
    match door.ask(Ask::Run { id }).await? {
        Answer::Run { run, .. } => Ok(*run),
        _ => Err(unexpected()),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
