//! What a version that goes live means for what runs: runs under way keep theirs, and flows that begin
//! with a deploy begin.

use super::Desk;
use crate::model::ask::Refusal;
use crate::model::document::{Flow, Integration, Step, Trigger};
use crate::store::registry::Holding;
use crate::text::count;

/// Versions of runs under way that are told one by one.
const TOLD: usize = 4;

impl Desk {
    /// `runs under way (49) keep v14; a retry moves its run to v15`; nothing where no version is live.
    pub(super) async fn keep_version(&self, holding: &Holding, next: u32) -> Result<Option<String>, Refusal> {
        if holding.deployed.is_none() {
            return Ok(None);
        }
        let open = self.deps.store.under_way(holding.id).await?;
        Ok(Some(format!("{}; a retry moves its run to v{next}", keep(&open))))
    }

    /// `its runs under way (49) go on to their end`.
    pub(super) async fn go_on(&self, holding: &Holding) -> Result<String, Refusal> {
        let open: u64 = self.deps.store.under_way(holding.id).await?.iter().map(|(_, runs)| runs).sum();
        Ok(match open {
            0 => "no run of it is under way".to_owned(),
            open => format!("its runs under way ({}) go on to their end", count(open)),
        })
    }
}

/// Open runs by version keep theirs.
fn keep(open: &[(u32, u64)]) -> String {
    let all: u64 = open.iter().map(|(_, runs)| runs).sum();
    match open {
        [] => "no run is under way".to_owned(),
        [(version, _)] => format!("runs under way ({}) keep v{version}", count(all)),
        many => {
            let mut told: Vec<String> = many
                .iter()
                .take(TOLD)
                .map(|(version, runs)| format!("{} v{version}", count(*runs)))
                .collect();
            let older: u64 = many.iter().skip(TOLD).map(|(_, runs)| runs).sum();
            if older > 0 {
                told.push(format!("{} older ones", count(older)));
            }
            format!("runs under way ({}) keep their versions: {}", count(all), told.join(", "))
        }
    }
}

/// The flows that a deploy begins, and how much they send; `holding` is what there is already.
pub(super) fn also_runs(integration: &Integration, holding: Option<&Holding>) -> Vec<String> {
    let live = || holding.and_then(|holding| holding.live.as_ref()).into_iter();
    let is_live = |name: &str| live().flat_map(|doc| &doc.integration.flows).any(|flow| flow.name == name);
    let begins = |flow: &&Flow| match flow.trigger {
        Trigger::Deploy { first } => !(first && is_live(&flow.name)),
        _ => false,
    };
    let told = |flow: &Flow| format!("also runs {} (deploy): {}", flow.name, sends(&flow.steps));
    integration.flows.iter().filter(begins).map(told).collect()
}

/// `2 real requests`; where a list or a condition decides, which steps those are.
fn sends(steps: &[Step]) -> String {
    let sending: Vec<&Step> = steps.iter().filter(|step| step.kind.exchange().is_some()).collect();
    let by_list = |step: &Step| step.kind.for_each().is_some();
    let open: Vec<String> = sending
        .iter()
        .filter(|step| step.when.is_some() || by_list(step))
        .map(|step| match (by_list(step), step.when.is_some()) {
            (true, true) => format!("{} once an item if its when is true", step.name),
            (true, false) => format!("{} once an item", step.name),
            _ => format!("{} if its when is true", step.name),
        })
        .collect();
    let sure = sending.len() - open.len();
    let requests = format!("{sure} real request{}", if sure == 1 { "" } else { "s" });
    match (sure, open.is_empty()) {
        (0, true) => "it sends nothing".to_owned(),
        (_, true) => requests,
        (0, false) => format!("real requests of {}", open.join(", ")),
        (_, false) => format!("{requests}, and {}", open.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check::{Known, check};

    #[test]
    fn runs_under_way_are_counted_by_the_version_that_they_keep() {
        assert_eq!(keep(&[]), "no run is under way");
        assert_eq!(keep(&[(14, 49)]), "runs under way (49) keep v14");
        assert_eq!(
            keep(&[(14, 1_200), (13, 9)]),
            "runs under way (1,209) keep their versions: 1,200 v14, 9 v13"
        );
        assert_eq!(
            keep(&[(9, 5), (8, 4), (7, 3), (6, 2), (5, 1), (4, 1)]),
            "runs under way (16) keep their versions: 5 v9, 4 v8, 3 v7, 2 v6, 2 older ones"
        );
    }

    #[test]
    fn what_a_deploy_sends_is_told_as_far_as_it_is_written() {
        let of = |steps: &str| {
            let text = format!(
                "name = \"a\"\n[[flow]]\nname = \"Init\"\ntrigger = {{ type = \"deploy\" }}\n{steps}"
            );
            let checked = check(&text, &Known::default());
            let integration = checked.integration.unwrap_or_else(|| panic!("{:?}", checked.problems));
            also_runs(&integration, None)
        };
        let step = |name: &str, more: &str| {
            format!(
                "[[flow.step]]\nname = \"{name}\"\ntype = \"request\"\nurl = \"http://a.test/\"\n{more}\n"
            )
        };
        let list = "for_each = \"{{ request.body.previous }}\"";
        let when = "when = \"{{ request.body.version == 1 }}\"";
        assert_eq!(of(""), ["also runs Init (deploy): it sends nothing"]);
        assert_eq!(of(&step("one", "")), ["also runs Init (deploy): 1 real request"]);
        assert_eq!(of(&(step("one", "") + &step("two", ""))), ["also runs Init (deploy): 2 real requests"]);
        assert_eq!(
            of(&(step("one", "") + &step("two", when) + &step("each", list))),
            ["also runs Init (deploy): 1 real request, and two if its when is true, each once an item"]
        );
        assert_eq!(
            of(&step("two", when)),
            ["also runs Init (deploy): real requests of two if its when is true"]
        );
    }
}
