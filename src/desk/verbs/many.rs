//! A verb done: to one object, to a few at once, to a piece of a job.

use super::super::Desk;
use super::select::{Chosen, LISTED, Target};
use super::{count, list};
use crate::model::ask::{Act, Acted, Refusal, Verb, Who, With};
use crate::model::id::short;
use crate::store::Piece;
use futures_util::StreamExt as _;

/// Objects that are judged or acted on at once: enough that they share commits.
pub const SIDE_BY_SIDE: usize = 32;

/// What is done to each object.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Who ordered it.
    pub who: &'a Who,
    /// What.
    pub verb: &'a Verb,
    /// Why.
    pub reason: Option<&'a str>,
}

/// What came of one object.
#[derive(Debug)]
pub struct Did {
    /// Its id, as the audit trail names it.
    pub target: String,
    /// In a sentence.
    pub said: String,
    /// The runs that it made.
    pub runs: Vec<String>,
}

impl Desk {
    /// Does one object. As a piece of a job it is marked in the same transaction; where that is not
    /// possible (something was sent) the mark comes before and after.
    pub(in crate::desk) async fn one(
        &self,
        order: Order<'_>,
        target: Target,
        seq: Option<i64>,
        piece: Option<Piece>,
    ) -> Result<Did, Refusal> {
        match (order.verb, target) {
            (Verb::Replay(how), _) if how.to.is_some() => self.forward_one(target, how, piece).await,
            (Verb::Replay(how), _) => self.replay_one(order.who, target, how, piece).await,
            (Verb::Forget, Target::Request(id)) => {
                let said = self.forget_key(id, piece).await?;
                Ok(Did { target: self.printed(target), said, runs: Vec::new() })
            }
            (Verb::Readmit, Target::Request(id)) => self.readmit_one(id, piece).await,
            _ => match target.aim() {
                Some(aim) => self.steer_one(order, seq, aim, piece).await,
                None => Err(Refusal::usage(format!("{} acts on a run", order.verb.word()))),
            },
        }
    }

    /// Does what was chosen, and answers when it is done.
    pub(super) async fn at_once(&self, who: &Who, act: &Act, chosen: &Chosen) -> Result<Acted, Refusal> {
        let order = Order { who, verb: &act.verb, reason: act.reason.as_deref() };
        let word = act.verb.word();
        if let Some(target) = chosen.one() {
            let did = match self.one(order, target, chosen.seq(target), None).await {
                Err(refusal) if super::forward::LEFT.contains(&refusal.code.as_str()) => {
                    self.audit(who, word, &self.printed(target), order.reason, &refusal.message).await?;
                    return Err(refusal);
                }
                did => did?,
            };
            self.audit(who, word, &did.target, order.reason, &did.said).await?;
            return Ok(Acted { done: 1, runs: did.runs, lines: vec![did.said], ..Acted::default() });
        }
        let mut acted = Acted::default();
        let mut refused = chosen.left_out;
        acted.refused.extend(chosen.refused.iter().map(|(target, why)| (self.printed(*target), why.clone())));
        let mut each = futures_util::stream::iter(chosen.targets.iter().copied())
            .map(|target| async move { (target, self.one(order, target, chosen.seq(target), None).await) })
            .buffer_unordered(SIDE_BY_SIDE);
        while let Some((target, result)) = each.next().await {
            match result {
                Ok(did) => {
                    acted.done += 1;
                    acted.runs.extend(did.runs);
                }
                Err(refusal) => {
                    refused += 1;
                    if acted.refused.len() < LISTED {
                        acted.refused.push((self.printed(target), refusal.message));
                    }
                }
            }
        }
        drop(each);
        acted.runs.sort();
        acted.refused.sort();
        acted.lines.push(said(&act.verb, acted.done, refused));
        self.audit_many(order, chosen, &acted, refused).await?;
        Ok(acted)
    }

    /// One entry for an act on many: how they were chosen and how many, and what was refused.
    async fn audit_many(
        &self,
        order: Order<'_>,
        chosen: &Chosen,
        acted: &Acted,
        refused: u64,
    ) -> Result<(), Refusal> {
        let mut detail = acted.lines.first().cloned().unwrap_or_default();
        if let Some(options) = options(order.verb) {
            detail = format!("{detail} With {options}.");
        }
        if refused > 0 {
            let some: Vec<String> =
                acted.refused.iter().take(20).map(|(id, why)| format!("{}: {why}", short(id))).collect();
            detail = format!("{detail} {}", some.join("; "));
            if refused > 20 {
                detail = format!("{detail}; and {} more", crate::text::count(refused - 20));
            }
        }
        self.audit(order.who, order.verb.word(), &chosen.described(), order.reason, &detail).await
    }

    /// The id of an object as text.
    pub(super) fn printed(&self, target: Target) -> String {
        match target {
            Target::Run(run) => self.deps.store.ids().print(run),
            Target::Request(request) => self.deps.store.ids().print(request),
            Target::Callback(callback, _) => self.deps.store.ids().print(callback),
        }
    }
}

/// What an order was given beside its objects, as far as it decides what is done: no value of a
/// payload, no secret of a URL.
pub(in crate::desk) fn options(verb: &Verb) -> Option<String> {
    let mut told = Vec::new();
    match verb {
        Verb::Retry { version, fresh_key } => {
            told.extend(match version {
                With::Deployed => None,
                With::Original => Some("each run's own version".to_owned()),
                With::Number(number) => Some(format!("v{number}")),
            });
            told.extend(fresh_key.then(|| "a fresh key".to_owned()));
        }
        Verb::Skip { stand_in: Some(_) } => told.push("a stand-in".to_owned()),
        Verb::Replay(how) => {
            told.extend(how.version.as_ref().map(|version| format!("version {version}")));
            if !how.set.is_empty() {
                told.push(format!("{} changed", list(how.set.iter().map(|(path, _)| path.as_str()))));
            }
            told.extend(how.to.as_deref().map(|to| format!("{} as the target", super::forward::shown(to))));
            told.extend(how.sign.map(|sign| sign.words().to_owned()));
        }
        Verb::Complete { status, .. } => told.push(format!("status {status}")),
        _ => {}
    }
    (!told.is_empty()).then(|| told.join(", "))
}

/// `Retried 1,209 runs; 3 were refused.`
fn said(verb: &Verb, done: u64, refused: u64) -> String {
    let did = match verb {
        Verb::Retry { .. } => "Retried",
        Verb::Skip { .. } => "Skipped the current step of",
        Verb::Abort => "Aborted",
        Verb::Replay(how) if how.to.is_some() => "Sent",
        Verb::Replay(_) => "Replayed",
        Verb::Forget => "Forgot",
        Verb::Readmit => "Readmitted",
        Verb::Complete { .. } => "Completed",
        Verb::Extend { .. } => "Extended",
        Verb::Cancel => "Cancelled",
    };
    let done = match verb {
        Verb::Forget => super::forget::keys_of(done),
        _ => count(done, verb.object()),
    };
    match refused {
        0 => format!("{did} {done}."),
        1 => format!("{did} {done}; 1 was refused."),
        many => format!("{did} {done}; {} were refused.", crate::text::count(many)),
    }
}
