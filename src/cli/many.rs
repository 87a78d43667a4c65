//! Verbs that name their objects in another way: groups of errored runs.

use super::args::{Groups, Output, Targets};
use super::door::Door;
use super::verbs;
use crate::model::ask::{Answer, Ask, Refusal, Verb};

/// `groups retry` and `groups skip`: the runs that are errored for these causes now.
pub async fn groups(door: &Door, verb: Verb, groups: Groups, output: Output) -> Result<u8, Refusal> {
    let Groups { ids, filter, pace, verb: consent } = groups;
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
    verbs::act(door, verb, Targets { ids: Vec::new(), filter, pace, verb: consent }, output).await
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
