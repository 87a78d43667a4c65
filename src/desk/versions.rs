//! The versions of an integration: listed, compared, and gone back to.

use super::Desk;
use super::deploying::also_runs;
use super::documents::{instead, unset, unset_line};
use crate::model::FlowId;
use crate::model::ask::{Answer, DiffView, Done, Refusal, Rollback, VersionView, Who};
use crate::model::time::rfc3339;
use crate::store::config::Version;
use crate::store::registry::{Doc, Holding};
use similar::{ChangeTag, TextDiff};
use std::fmt::Write as _;
use std::time::Duration;

/// Two texts of a mebibyte that have nothing in common would be compared for minutes: after this the
/// rest is told as replaced.
const PATIENCE: Duration = Duration::from_millis(500);

impl Desk {
    /// The versions of an integration, newest first.
    pub(super) async fn history(&self, name: &str, limit: u32) -> Result<Answer, Refusal> {
        let holding = self.holding(name)?;
        let versions = self.deps.store.history(name, limit).await?;
        let view = |version: Version| VersionView {
            number: version.number,
            author: version.author,
            time: rfc3339(version.at),
            reason: version.reason,
            deployed: holding.deployed == Some(version.number),
            draft: holding.latest == version.number && holding.deployed != Some(version.number),
        };
        Ok(Answer::History { versions: versions.into_iter().map(view).collect() })
    }

    /// What differs between two versions: what is live and the newest, unless they are named.
    pub(super) async fn diff(
        &self,
        name: &str,
        from: Option<u32>,
        to: Option<u32>,
    ) -> Result<Answer, Refusal> {
        let holding = self.holding(name)?;
        let to = match (from, to) {
            // One version alone: against what is live.
            (Some(_), None) => holding.deployed.unwrap_or(holding.latest),
            (_, to) => to.unwrap_or(holding.latest),
        };
        let Some(from) = from.or(holding.deployed) else {
            return Err(Refusal::refused(
                "not_deployed",
                format!("{name} was never deployed: name two of its versions, 1 to {}", holding.latest),
            ));
        };
        let (old, new) = (self.text_of(&holding, from).await?, self.text_of(&holding, to).await?);
        let heads = (format!("{name} v{from}"), format!("{name} v{to}"));
        let (diff, added, removed) =
            tokio::task::spawn_blocking(move || unified(&old.source, &new.source, &heads))
                .await
                .map_err(|error| Refusal::failed(error.to_string()))?;
        Ok(Answer::Diff(DiffView { integration: name.to_owned(), from, to, added, removed, diff }))
    }

    /// `3 lines differ from v14, which is live`: what a text changes of it. A plan is made without it
    /// where it cannot be told.
    pub(super) async fn differs(&self, holding: &Holding, new: String) -> Option<String> {
        let live = holding.deployed?;
        let old = self.text_of(holding, live).await.ok()?.source;
        let heads = (String::new(), String::new());
        let told = tokio::task::spawn_blocking(move || unified(&old, &new, &heads));
        let (_, added, removed) = told.await.ok()?;
        Some(match added.max(removed) {
            0 => format!("its text is that of v{live}, which is live"),
            1 => format!("1 line differs from v{live}, which is live"),
            lines => format!("{} lines differ from v{live}, which is live", crate::text::count(lines)),
        })
    }

    async fn text_of(&self, holding: &Holding, number: u32) -> Result<Version, Refusal> {
        let found = self.deps.store.version(&holding.name, number).await?;
        found.ok_or_else(|| no_version(holding, number))
    }

    /// Makes the text of an earlier version a new one, and that the live one.
    pub(super) async fn rollback(&self, who: &Who, rollback: Rollback) -> Result<Answer, Refusal> {
        let Rollback { name, version, reason, dry_run } = rollback;
        let holding = self.holding(&name)?;
        if version == 0 || version > holding.latest {
            return Err(no_version(&holding, version));
        }
        let Some(doc) = self.deps.store.doc(holding.id, version) else {
            return Err(Refusal::refused(
                "gone",
                format!("v{version} of {name} is not a document that this version of the program takes"),
            ));
        };
        self.reachable(&doc.integration)?;
        if dry_run {
            let mut lines = self.would_roll_back(&holding, &doc);
            let nothing = holding.deployed == Some(version) && holding.latest == version;
            if !nothing {
                lines.extend(self.keep_version(&holding, holding.latest + 1).await?);
                let text = self.text_of(&holding, version).await?.source;
                lines.extend(self.differs(&holding, text).await);
                // The newest version is the draft: it no longer is the newest.
                if holding.latest != version && holding.deployed.is_some_and(|live| live < holding.latest) {
                    lines.push(format!("v{} is the draft no more; it stays in the history", holding.latest));
                }
            }
            return Ok(Answer::Done(Done { lines, refused: false }));
        }
        let saved = self.deps.store.rollback(&name, version, &who.name, reason.as_deref()).await?;
        let mut lines = self.said(&saved, true);
        if saved.version != version {
            let _ = write!(lines[0], "; its text is that of v{version}");
        }
        self.audit(who, "rollback", &name, reason.as_deref(), &lines[0]).await?;
        lines.extend(self.remedies(std::slice::from_ref(&saved)));
        Ok(Answer::Done(Done { lines, refused: !saved.deployed }))
    }

    /// What going back would do.
    fn would_roll_back(&self, holding: &Holding, doc: &Doc) -> Vec<String> {
        let (name, number) = (&holding.name, doc.number);
        if holding.deployed == Some(number) && holding.latest == number {
            return vec![format!("{name} v{number} is live already; nothing would change")];
        }
        let unset = unset(&doc.integration, Some(holding));
        let next = holding.latest + 1;
        let mut lines = vec![if unset.is_empty() {
            format!("{name} v{next}, with the text of v{number}, would go live{}", instead(holding))
        } else {
            format!("{name} v{next}, with the text of v{number}, would be kept as a draft")
        }];
        lines.extend(unset_line(&doc.integration, &unset));
        if unset.is_empty() {
            lines.extend(also_runs(&doc.integration, Some(holding)));
        }
        let state = self.deps.store.configured();
        let live = || holding.live.iter().flat_map(|live| live.flows.iter().zip(&live.integration.flows));
        for (flow, written) in live().filter(|(flow, _)| doc.position(FlowId(flow.flow)).is_none()) {
            if written.webhook().is_some() {
                lines.push(format!("  {}: its endpoint would answer 410", flow.name));
            }
        }
        for (flow, written) in doc.flows.iter().zip(&doc.integration.flows) {
            let open = live().any(|(other, _)| other.flow == flow.flow);
            if let Some(row) = state.flows.get(&FlowId(flow.flow))
                && written.webhook().is_some()
            {
                let url = self.deps.store.endpoint_url(&row.endpoint);
                let again = if open { "" } else { " would be open again" };
                lines.push(format!("  {}  {url}{again}", flow.name));
            }
        }
        lines
    }
}

fn no_version(holding: &Holding, number: u32) -> Refusal {
    let Holding { name, latest, .. } = holding;
    Refusal::not_found(format!("{name} has no v{number}; its versions are 1 to {latest}"))
}

/// Two texts as a unified diff, and how many lines came and went.
fn unified(old: &str, new: &str, heads: &(String, String)) -> (String, u64, u64) {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count() as u64;
    let text = diff.unified_diff().context_radius(3).header(&heads.0, &heads.1).to_string();
    let text = if old == new { String::new() } else { text };
    (text, count(ChangeTag::Insert), count(ChangeTag::Delete))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_texts_differ_by_lines() {
        let heads = ("a v1".to_owned(), "a v2".to_owned());
        let (text, added, removed) = unified("one\ntwo\nthree\n", "one\n2\nthree\nfour", &heads);
        assert_eq!((added, removed), (2, 1));
        assert_eq!(
            text,
            "--- a v1\n+++ a v2\n@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four\n\\ No newline at end of file\n"
        );
        assert_eq!(unified("one\n", "one\n", &heads), (String::new(), 0, 0));
    }

    #[test]
    fn texts_without_a_common_line_are_compared_in_bounded_time() {
        let lines = |salt: u32| (0..40_000).map(|n: u32| (n * 2 + salt).to_string()).collect::<Vec<_>>();
        let text = |salt: u32| lines(salt).join("\n") + "\n";
        let began = std::time::Instant::now();
        let (_, added, removed) = unified(&text(0), &text(1), &("a".to_owned(), "b".to_owned()));
        assert_eq!((added, removed), (40_000, 40_000));
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    }
}
