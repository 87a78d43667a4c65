//! Badges of drift by flow: one odd request can raise many, and is one thing to look at.

use crate::model::id::short;
use crate::model::study::{DriftKind, DriftView, MOST_BADGES};
use crate::text::count;

/// The open badges of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badges<'d> {
    /// Newest first, one or more.
    pub all: Vec<&'d DriftView>,
}

/// Groups badges by their flow: the flow with the newest badge first, of each the newest badge first.
#[must_use]
pub fn by_flow(drifts: &[DriftView]) -> Vec<Badges<'_>> {
    let mut groups: Vec<Badges<'_>> = Vec::new();
    for one in drifts {
        let same = |group: &&mut Badges<'_>| {
            group.newest().is_some_and(|of| (&of.integration, &of.flow) == (&one.integration, &one.flow))
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.all.push(one),
            None => groups.push(Badges { all: vec![one] }),
        }
    }
    groups
}

impl<'d> Badges<'d> {
    /// The one that was raised last.
    #[must_use]
    pub fn newest(&self) -> Option<&'d DriftView> {
        self.all.first().copied()
    }

    /// The one that was raised first.
    #[must_use]
    pub fn first(&self) -> Option<&'d DriftView> {
        self.all.last().copied()
    }

    /// Its only one.
    #[must_use]
    pub fn only(&self) -> Option<&'d DriftView> {
        self.newest().filter(|_| self.all.len() == 1)
    }

    /// Their numbers: what is taken away is what was seen.
    #[must_use]
    pub fn ids(&self) -> Vec<i64> {
        self.all.iter().map(|one| one.id).collect()
    }

    /// What happened to how many paths: `48 new paths, 2 types changed`; at the bound of a flow others
    /// may have drifted that have no badge.
    #[must_use]
    pub fn words(&self) -> String {
        let kinds = [
            (DriftKind::New, "new path", "new paths"),
            (DriftKind::Type, "type changed", "types changed"),
            (DriftKind::Lost, "lost path", "lost paths"),
        ];
        let parts: Vec<String> = kinds
            .iter()
            .filter_map(|(kind, one, many)| {
                let n = self.all.iter().filter(|of| of.kind == *kind).count() as u64;
                (n > 0).then(|| format!("{} {}", count(n), if n == 1 { one } else { many }))
            })
            .collect();
        match (parts.as_slice(), self.all.len() >= MOST_BADGES) {
            ([one], true) => one.replacen(' ', "+ ", 1),
            (many, true) => format!("{} and more", many.join(", ")),
            (all, false) => all.join(", "),
        }
    }

    /// The first and the newest by their paths, with the requests that had them: `first body.a (90d7fe),
    /// newest body.b (4be2c1)`.
    #[must_use]
    pub fn ends(&self) -> String {
        let told = |one: &DriftView| format!("{} ({})", one.path, short(&one.request));
        match (self.first(), self.newest()) {
            (Some(first), Some(newest)) => format!("first {}, newest {}", told(first), told(newest)),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(id: i64, flow: &str, kind: DriftKind) -> DriftView {
        DriftView {
            id,
            integration: "shop".to_owned(),
            flow: flow.to_owned(),
            kind,
            path: format!("body.k{id}"),
            was: "number".to_owned(),
            now: "string".to_owned(),
            request: format!("0197a2b4-0000-7000-8000-000000{id:06}"),
            at: "2026-11-18T14:05:00Z".to_owned(),
        }
    }

    #[test]
    fn the_badges_of_a_flow_are_one_group() {
        let mut drifts = vec![drift(9, "Refunds", DriftKind::Lost)];
        drifts.extend((1..=3).rev().map(|id| drift(id, "Orders", DriftKind::New)));
        drifts.push(drift(0, "Orders", DriftKind::Type));
        let groups = by_flow(&drifts);
        let told: Vec<(String, Vec<i64>)> = groups.iter().map(|group| (group.words(), group.ids())).collect();
        assert_eq!(
            told,
            [
                ("1 lost path".to_owned(), vec![9]),
                ("3 new paths, 1 type changed".to_owned(), vec![3, 2, 1, 0])
            ]
        );
        assert_eq!(groups[1].ends(), "first body.k0 (000000), newest body.k3 (000003)");
        assert!(groups[0].only().is_some() && groups[1].only().is_none());
    }

    #[test]
    fn at_the_bound_of_a_flow_there_may_be_more() {
        let drifts: Vec<DriftView> = (0..50).rev().map(|id| drift(id, "Orders", DriftKind::New)).collect();
        assert_eq!(by_flow(&drifts)[0].words(), "50+ new paths");
        assert!(by_flow(&[]).is_empty());
    }
}
