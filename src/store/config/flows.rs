//! Which flow of a new text is which flow of the store: what endpoints, dedup keys and history
//! stay with.

use crate::model::FlowId;
use crate::model::document::Flow;
use std::collections::BTreeSet;

/// A flow that the store has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its number in the store.
    pub flow: FlowId,
    /// Its document id.
    pub key: String,
    /// The names it has in the newest version and in the deployed one, in this order.
    pub names: Vec<String>,
    /// Whether it was dropped: it is found by its id, but not by its name, where another has that.
    pub removed: bool,
}

/// What becomes of a flow of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// The flow of the store; `None` for a new one.
    pub flow: Option<FlowId>,
    /// Its document id: the one it has, or the one it gets.
    pub key: String,
}

/// Whether a flow of a document is a flow of the store.
type Fits<'a> = dyn Fn(&Flow, &Known) -> bool + 'a;

/// Finds the flows of a document in the store, each at most once, surest first:
///
/// 1. by the id that the document wrote;
/// 2. by the id that the name in `was` makes, where that flow has the old name or the new one: so two
///    flows may swap their names;
/// 3. by `was` (a name or an id), as long as no flow has the new name already: the key may stay in
///    the text after the rename is done;
/// 4. by its name;
/// 5. by the id that its name makes.
///
/// A new flow whose id is taken by a flow that went by another way (renamed with `was`) gets the id
/// with `-2`, `-3`, …
#[must_use]
pub fn match_flows(document: &[Flow], known: &[Known]) -> Vec<Matched> {
    let mut found: Vec<Option<usize>> = vec![None; document.len()];
    let mut used = BTreeSet::new();
    let named = |name: &String| known.iter().any(|known| !known.removed && known.names.first() == Some(name));
    let rounds: [&Fits<'_>; 6] = [
        &|flow, known| flow.id_written && known.key == flow.id,
        &|flow, known| {
            let renamed = |was: &String| known.names.contains(was) || known.names.contains(&flow.name);
            !flow.id_written && known.key == flow.id && flow.was.as_ref().is_some_and(renamed)
        },
        &|flow, known| {
            flow.was.as_ref().is_some_and(|was| known.names.contains(was) || known.key == *was)
                && !named(&flow.name)
        },
        &|flow, known| !flow.id_written && known.names.first() == Some(&flow.name),
        &|flow, known| !flow.id_written && known.names.contains(&flow.name),
        &|flow, known| !flow.id_written && known.key == flow.id,
    ];
    for fits in rounds {
        // What is live goes before what was dropped.
        for removed in [false, true] {
            for (at, flow) in document.iter().enumerate() {
                if found[at].is_some() {
                    continue;
                }
                let hit = known.iter().position(|known| {
                    known.removed == removed && !used.contains(&known.flow) && fits(flow, known)
                });
                if let Some(hit) = hit {
                    used.insert(known[hit].flow);
                    found[at] = Some(hit);
                }
            }
        }
    }
    let mut keys: BTreeSet<String> = known.iter().map(|known| known.key.clone()).collect();
    document
        .iter()
        .zip(found)
        .map(|(flow, hit)| match hit.map(|hit| &known[hit]) {
            // An id that is written now takes the place of the one that was made from the name.
            Some(known) if flow.id_written && known.key != flow.id && keys.insert(flow.id.clone()) => {
                Matched { flow: Some(known.flow), key: flow.id.clone() }
            }
            Some(known) => Matched { flow: Some(known.flow), key: known.key.clone() },
            None => {
                let mut key = flow.id.clone();
                let mut number = 2;
                while !keys.insert(key.clone()) {
                    key = format!("{}-{number}", flow.id);
                    number += 1;
                }
                Matched { flow: None, key }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::document::Trigger;

    fn flow(id: Option<&str>, name: &str, was: Option<&str>) -> Flow {
        Flow {
            id: id.map_or_else(|| name.to_lowercase().replace(' ', "-"), str::to_owned),
            id_written: id.is_some(),
            name: name.to_owned(),
            was: was.map(str::to_owned),
            description: String::new(),
            trigger: Trigger::Manual,
            steps: Vec::new(),
        }
    }

    fn known(flow: i64, key: &str, name: &str) -> Known {
        Known { flow: FlowId(flow), key: key.to_owned(), names: vec![name.to_owned()], removed: false }
    }

    fn matched(document: &[Flow], store: &[Known]) -> Vec<(Option<i64>, String)> {
        match_flows(document, store).into_iter().map(|hit| (hit.flow.map(|flow| flow.0), hit.key)).collect()
    }

    #[test]
    fn an_id_holds_through_any_rename_and_order() {
        let store = [known(1, "a", "Alpha"), known(2, "b", "Beta")];
        assert_eq!(
            matched(&[flow(Some("b"), "Alpha", None), flow(Some("a"), "Gamma", None)], &store),
            [(Some(2), "b".into()), (Some(1), "a".into())]
        );
    }

    #[test]
    fn was_renames_and_a_new_flow_of_the_old_name_is_new() {
        let store = [known(1, "flow-1", "Flow 1")];
        assert_eq!(
            matched(&[flow(None, "Flow 1", None), flow(None, "Orders", Some("Flow 1"))], &store),
            [(None, "flow-1-2".into()), (Some(1), "flow-1".into())]
        );
        // Saved so, `was` is done: it may stay in the text, and takes nothing from the new flow.
        let mut store = [known(1, "flow-1", "Orders"), known(2, "flow-1-2", "Flow 1")];
        for was in [None, Some("Flow 1")] {
            assert_eq!(
                matched(&[flow(None, "Flow 1", None), flow(None, "Orders", was)], &store),
                [(Some(2), "flow-1-2".into()), (Some(1), "flow-1".into())]
            );
            // The same while the deployed version still has the old name.
            store[0].names.push("Flow 1".into());
        }
    }

    #[test]
    fn two_flows_swap_their_names() {
        // The id of a flow without one is made from its first name, which `was` tells.
        let was = |id: &str, name: &str, was: &str| Flow { id: id.into(), ..flow(None, name, Some(was)) };
        let store = [known(1, "a", "A"), known(2, "b", "B")];
        let swapped = [was("a", "B", "A"), was("b", "A", "B")];
        assert_eq!(matched(&swapped, &store), [(Some(1), "a".to_owned()), (Some(2), "b".to_owned())]);
        // Saved so, the text finds the same flows again.
        let store = [known(1, "a", "B"), known(2, "b", "A")];
        assert_eq!(matched(&swapped, &store), [(Some(1), "a".to_owned()), (Some(2), "b".to_owned())]);
    }

    #[test]
    fn a_rename_without_was_or_id_is_another_flow() {
        assert_eq!(matched(&[flow(None, "New", None)], &[known(1, "old", "Old")]), [(None, "new".into())]);
    }

    #[test]
    fn an_id_written_later_takes_the_made_one_over() {
        let store = [known(1, "flow-1", "Flow 1")];
        assert_eq!(
            matched(&[flow(Some("orders"), "Orders", Some("Flow 1"))], &store),
            [(Some(1), "orders".into())]
        );
    }

    #[test]
    fn a_dropped_flow_comes_back_by_id_or_name_but_a_live_one_goes_first() {
        let mut gone = known(1, "flow", "Flow");
        gone.removed = true;
        assert_eq!(matched(&[flow(None, "Flow", None)], &[gone.clone()]), [(Some(1), "flow".into())]);
        let live = known(2, "flow-2", "Flow");
        assert_eq!(matched(&[flow(None, "Flow", None)], &[gone, live]), [(Some(2), "flow-2".into())]);
    }
}
