//! Verbs that name their objects in another way: groups of errored runs, and requests whose dedup
//! keys are dropped.

use super::args::{Groups, Output, Targets};
use super::door::Door;
use super::{output, verbs};
use crate::model::ask::{Answer, Ask, Page, Refusal, Verb};
use crate::model::id::short;

/// Requests of one `forget`.
const MOST: usize = 20_000;

/// `groups retry` and `groups skip`: the runs that are errored for these causes now.
pub async fn groups(door: &Door, verb: Verb, groups: Groups, output: Output) -> Result<u8, Refusal> {
    let Groups { ids, filter, rate, verb: consent } = groups;
    if ids.is_empty() && filter.is_none() {
        return Err(Refusal::usage(
            "give ids of groups or --filter (never empty): nothing is done to everything",
        ));
    }
    if filter.as_deref().is_some_and(|filter| filter.trim().is_empty()) {
        return Err(Refusal::usage("--filter is never empty: nothing is done to everything"));
    }
    let Answer::Groups { groups } = door.ask(Ask::Groups).await? else { return Err(verbs::unexpected()) };
    if let Some(id) = ids.iter().find(|id| !groups.iter().any(|group| group.id == **id)) {
        return Err(Refusal::not_found(format!(
            "there is no group {id} with errored runs: see pointsman groups ls"
        )));
    }
    let filter = Some(filter_of(&ids, filter.as_deref()));
    verbs::act(door, verb, Targets { ids: Vec::new(), filter, rate, verb: consent }, output).await
}

/// The runs that are meant.
fn filter_of(ids: &[String], filter: Option<&str>) -> String {
    let mut text = "state:errored".to_owned();
    if !ids.is_empty() {
        let groups: Vec<String> = ids.iter().map(|id| format!("group={id}")).collect();
        text = format!("{text} ({})", groups.join(" or "));
    }
    match filter {
        Some(filter) => format!("{text} ({filter})"),
        None => text,
    }
}

/// `requests forget`: the next request with one of these keys is accepted.
pub async fn forget(door: &Door, targets: Targets, output: Output) -> Result<u8, Refusal> {
    let Targets { ids, filter, rate, verb: consent } = targets;
    if rate.is_some() {
        return Err(super::later("--rate"));
    }
    let ids = match (ids, filter) {
        (ids, None) if !ids.is_empty() => ids,
        (ids, Some(filter)) if ids.is_empty() && !filter.trim().is_empty() => matching(door, &filter).await?,
        (ids, Some(_)) if !ids.is_empty() => return Err(Refusal::usage("give ids or --filter, not both")),
        _ => return Err(Refusal::usage("give ids or --filter (never empty): nothing is done to everything")),
    };
    if consent.dry_run {
        for id in ids {
            let Answer::Explain(explain) = door.ask(Ask::Explain { id }).await? else {
                return Err(verbs::unexpected());
            };
            super::tell(&match explain.key {
                Some(key) => format!("would forget the key {key} of {}", explain.request),
                None => format!("{} has no dedup key", explain.request),
            });
        }
        return Ok(0);
    }
    let many = ids.len() as u64;
    if many > 1 && !consent.yes {
        let question = format!("forget the dedup keys of {} requests?", crate::text::count(many));
        if !verbs::confirmed(&question)? {
            super::tell("Nothing was done.");
            return Ok(4);
        }
    }
    if many == 0 {
        super::tell("There is nothing to forget.");
        return Ok(0);
    }
    let (mut done, mut refused) = (0_u64, Vec::new());
    for id in ids {
        match door.ask(Ask::Forget { id: id.clone(), reason: consent.reason.clone() }).await {
            Ok(Answer::Done(said)) => {
                done += 1;
                if output == Output::Text {
                    said.lines.iter().for_each(|line| super::tell(line));
                }
            }
            Ok(_) => return Err(verbs::unexpected()),
            Err(refusal) if many == 1 => return Err(refusal),
            Err(refusal) => refused.push((id, refusal.message)),
        }
    }
    if output == Output::Text {
        for (id, why) in &refused {
            super::tell(&format!("{}: {why}", short(id)));
        }
    } else {
        output::object(&serde_json::json!({"done": done, "refused": refused}), output)?;
    }
    Ok(match (done, refused.len()) {
        (_, 0) => 0,
        (0, _) => 4,
        _ => 5,
    })
}

/// The requests that a filter matches now.
async fn matching(door: &Door, filter: &str) -> Result<Vec<String>, Refusal> {
    let mut ids = Vec::new();
    let mut before = None;
    loop {
        let page = Page { filter: filter.to_owned(), before: before.take(), after: None, limit: 1_000 };
        let Answer::Requests(rows) = door.ask(Ask::Requests(page)).await? else {
            return Err(verbs::unexpected());
        };
        ids.extend(rows.rows.into_iter().map(|row| row.id));
        if ids.len() > MOST {
            return Err(Refusal::refused(
                "too_many",
                format!(
                    "this version acts on at most {} at once: narrow the filter",
                    crate::text::count(MOST as u64)
                ),
            ));
        }
        match rows.next {
            Some(next) => before = Some(next),
            None => return Ok(ids),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_of_groups_are_the_errored_ones() {
        let ids = ["a1".to_owned(), "b2".to_owned()];
        assert_eq!(filter_of(&ids, None), "state:errored (group=a1 or group=b2)");
        assert_eq!(filter_of(&ids[..1], Some("since:1h or x")), "state:errored (group=a1) (since:1h or x)");
        assert_eq!(filter_of(&[], Some("flow:a")), "state:errored (flow:a)");
    }
}
