//! What a verb does to many runs: how many, to which hosts, five of them, and what is left out and why.

use super::{Foreseen, cancelled, retry, skip};
use crate::desk::Desk;
use crate::desk::verbs::how_many::Later;
use crate::desk::verbs::many::SIDE_BY_SIDE;
use crate::desk::verbs::select::{Chosen, Planned};
use crate::desk::verbs::sends::{Preview, traces};
use crate::desk::verbs::{callbacks, list, runs};
use crate::model::ask::{Plan, Verb, Who};
use crate::model::run::RunState;
use futures_util::StreamExt as _;
use std::collections::BTreeMap;

/// Objects whose id and `seq` a plan lists.
const SEEN: usize = 1_000;
/// Ways in which runs miss a skipped step's values that a plan of many tells apart.
const MISSES: usize = 4;
/// Objects that a plan of many shows.
pub const SAMPLE: usize = 5;

impl Desk {
    /// What a verb would do to all that was chosen.
    pub(super) async fn plan_many(&self, who: &Who, verb: &Verb, chosen: &Chosen) -> (Plan, Planned) {
        let mut plan = Plan { verb: verb.word().to_owned(), ..Plan::default() };
        let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
        let mut hosts: BTreeMap<String, u64> = BTreeMap::new();
        let mut own: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        let mut misses: BTreeMap<String, u64> = BTreeMap::new();
        let (mut void, mut unbuilt, mut later) = (0, 0, Later::default());
        let mut found = Planned::default();
        let aims: Vec<_> =
            chosen.targets.iter().filter_map(|target| Some((*target, target.aim()?))).collect();
        let mut judged = futures_util::stream::iter(aims)
            .map(|(target, aim)| async move { (target, self.foresee(who, verb, aim).await) })
            .buffered(SIDE_BY_SIDE);
        while let Some((target, foreseen)) = judged.next().await {
            let foreseen = match foreseen {
                Ok(foreseen) => foreseen,
                Err(refusal) => {
                    found.leave_out(target, refusal.message.clone());
                    *left_out.entry(refusal.message).or_default() += 1;
                    continue;
                }
            };
            plan.count += 1;
            let seq = foreseen.look.run().seq;
            found.objects.push((target, goes_by_seq(verb).then_some(seq)));
            if plan.seen.len() < SEEN {
                plan.seen.push((foreseen.look.text.clone(), seq));
            }
            void += cancelled(&foreseen.transition);
            let versions = (foreseen.look.run().version, foreseen.look.plan().version);
            *own.entry(versions).or_default() += 1;
            let said = match verb {
                Verb::Skip { stand_in } => {
                    skip::misses(&foreseen.look, stand_in.as_ref(), self.deps.store.now())
                }
                Verb::Retry { .. } => retry::left_out(&foreseen.look, &foreseen.transition),
                _ => None,
            };
            if let Some(line) = said {
                *misses.entry(line).or_default() += 1;
            }
            if goes_by_seq(verb) && foreseen.transition.run.state == RunState::Queued {
                later.add(foreseen.look.plan(), foreseen.transition.run.step as usize);
            }
            let sends = self.sends(verb, &foreseen);
            if plan.sample.len() < SAMPLE {
                let sends = sends.as_ref().and_then(|sends| sends.as_ref().ok());
                plan.sample.push((self.printed(target), self.told(&foreseen, sends)));
            }
            match sends {
                Some(Ok(sends)) => *hosts.entry(sends.host).or_default() += sends.requests,
                Some(Err(_)) => unbuilt += 1,
                None => {}
            }
        }
        drop(judged);
        plan.left_out = left_out.into_iter().collect();
        plan.left_out.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        plan.hosts = hosts.into_iter().collect();
        plan.hosts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        plan.lines = many_lines(verb, &plan, &own, void, unbuilt);
        plan.lines.extend(later.line());
        plan.lines.extend(miss_lines(misses));
        (plan, found)
    }

    /// What tells a run from the others of a plan: what it sends next, else where it stands.
    fn told(&self, foreseen: &Foreseen, sends: Option<&Preview>) -> String {
        let look = &foreseen.look;
        let Some(preview) = sends else {
            let plan = look.plan();
            let (integration, flow) = (&plan.integration_name, &plan.flow.name);
            return format!("{integration} / {flow} · {} · {}", look.step_name(), look.run().state.word());
        };
        let traces = traces(&self.deps.store, look.plan(), &look.snapshot().context);
        let mut url = preview.sent.url.clone();
        traces.hide_in(&mut url);
        format!("{} {url}", preview.sent.method)
    }
}

/// Whether a verb is about the very step at which a run was shown. To abort a run, or to answer for a
/// callback, it does not matter how far it has come.
fn goes_by_seq(verb: &Verb) -> bool {
    matches!(verb, Verb::Retry { .. } | Verb::Skip { .. })
}

/// What is left out of runs, or missing in their later steps, the most frequent first.
fn miss_lines(misses: BTreeMap<String, u64>) -> Vec<String> {
    let mut misses: Vec<(String, u64)> = misses.into_iter().collect();
    misses.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rest: u64 = misses.iter().skip(MISSES).map(|(_, count)| count).sum();
    let mut lines: Vec<String> =
        misses.into_iter().take(MISSES).map(|(line, count)| format!("{}: {line}", runs(count))).collect();
    if rest > 0 {
        lines.push(format!("{}: something else is left out or missing.", runs(rest)));
    }
    lines
}

fn many_lines(
    verb: &Verb,
    plan: &Plan,
    own: &BTreeMap<(u32, u32), u64>,
    void: u64,
    unbuilt: u64,
) -> Vec<String> {
    let mut lines = Vec::new();
    let count = plan.count;
    lines.push(match verb {
        Verb::Retry { .. } => {
            let to = list(plan.hosts.iter().map(|(host, _)| host.as_str()));
            let to = if to.is_empty() { String::new() } else { format!(": requests to {to}") };
            format!("Retries {}{to}.", runs(count))
        }
        Verb::Skip { .. } => {
            format!("Skips the current step of {}; they go on with the next one.", runs(count))
        }
        Verb::Abort => format!("Aborts {}. They can be replayed, not retried.", runs(count)),
        Verb::Complete { .. } | Verb::Extend { .. } | Verb::Cancel => callbacks::lead(verb, count),
        Verb::Replay(_) | Verb::Forget | Verb::Readmit => String::new(),
    });
    if let Verb::Retry { fresh_key: true, .. } = verb {
        lines.push("With a fresh Idempotency-Key each: what was delivered before may act twice.".to_owned());
    }
    for ((from, to), count) in own.iter().filter(|((from, to), _)| from != to) {
        lines.push(format!("{} of v{from} go on with v{to}, the live version.", runs(*count)));
    }
    match void {
        _ if matches!(verb, Verb::Cancel) => {}
        0 => {}
        1 => lines.push("1 pending callback is void: a late POST gets 410.".to_owned()),
        many => lines
            .push(format!("{} pending callbacks are void: a late POST gets 410.", crate::text::count(many))),
    }
    if unbuilt > 0 {
        lines.push(format!("Of {} the next request cannot be built.", runs(unbuilt)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_miss_values_are_told_up_to_a_bound_and_the_rest_is_counted() {
        let of = |ways: u64| miss_lines((1..=ways).map(|n| (format!("way {n}"), n)).collect());
        assert_eq!(of(0), Vec::<String>::new());
        let all = of(MISSES as u64);
        assert_eq!((all.len(), all[0].as_str()), (MISSES, "4 runs: way 4"));
        let over = of(MISSES as u64 + 1);
        assert_eq!(over.len(), MISSES + 1);
        assert_eq!(over[MISSES], "1 run: something else is left out or missing.");
    }
}
