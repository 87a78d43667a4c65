//! Versions of an integration in a dialog: its draft goes live, or an earlier text comes back.

use super::{Dialog, Kind, Subject};
use crate::console::keymap::Keymap;
use crate::model::ask::{Ask, DiffView, Editing, Revision, Rollback};

/// Which version goes live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The integration's name.
    pub integration: String,
    /// Its number: that of the draft, or that whose text comes back.
    pub number: u32,
    /// The one that is live now.
    pub live: Option<u32>,
    /// Its text, where it is not saved yet, and the version that it was made from.
    pub text: Option<(u32, String)>,
}

impl Dialog {
    /// A dialog for the draft of an integration.
    #[must_use]
    pub fn deploying(version: Version, differs: Option<&DiffView>) -> Self {
        Self::of_version(Kind::Deploy, version, differs)
    }

    /// A dialog for an earlier version.
    #[must_use]
    pub fn rolling_back(version: Version, differs: Option<&DiffView>) -> Self {
        Self::of_version(Kind::Rollback, version, differs)
    }

    fn of_version(kind: Kind, version: Version, differs: Option<&DiffView>) -> Self {
        let live = version
            .live
            .map_or_else(|| "Nothing is live now.".to_owned(), |live| format!("Live now: v{live}."));
        let pair = (version.live, version.number);
        let differs = differs.filter(|diff| {
            diff.integration == version.integration
                && [(Some(diff.from), diff.to), (Some(diff.to), diff.from)].contains(&pair)
        });
        let told = if differs.is_some() { " {d} on its versions shows what differs." } else { "" };
        let object = Some(format!("{live}{told}"));
        Self { subject: Subject::Version(version), object, ..Self::new(kind, Vec::new()) }
    }

    /// With the keys in force in what it says of its version.
    #[must_use]
    pub fn with_keys(mut self, keys: &Keymap) -> Self {
        self.object = self.object.map(|object| keys.say(&object));
        self
    }

    /// The title, where it is about a version.
    pub(super) fn version_title(&self) -> Option<String> {
        let Subject::Version(Version { integration, number, .. }) = &self.subject else { return None };
        Some(match self.kind {
            Kind::Rollback => format!("Roll {integration} back to v{number}"),
            _ => format!("Deploy {integration} v{number}"),
        })
    }

    /// The order, where it is about a version.
    pub(super) fn version_order(&self, dry_run: bool) -> Option<Ask> {
        let Subject::Version(Version { integration, number, text, .. }) = &self.subject else { return None };
        let (name, number, reason) = (integration.clone(), *number, self.reason());
        if let Some((base, text)) = text {
            let (base, text) = (*base, text.clone());
            let revision = Revision { name, base, text, deploy: true, reason, dry_run };
            return Some(Ask::Edit(Box::new(Editing::Save(revision))));
        }
        Some(match self.kind {
            Kind::Rollback => Ask::Rollback(Rollback { name, version: number, reason, dry_run }),
            _ => Ask::Deploy { name, seen: Some(number), reason, dry_run },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::dialog::Outcome;
    use crate::model::ask::Plan;

    fn version(number: u32) -> Version {
        Version { integration: "acme".to_owned(), number, live: Some(14), text: None }
    }

    fn differs(from: u32, to: u32) -> DiffView {
        DiffView { integration: "acme".to_owned(), from, to, added: 3, removed: 2, diff: String::new() }
    }

    #[test]
    fn a_draft_is_deployed_as_it_was_shown() {
        let mut dialog = Dialog::deploying(version(15), Some(&differs(14, 15))).with_keys(&Keymap::default());
        assert_eq!(dialog.title(), "Deploy acme v15");
        assert_eq!(dialog.object.as_deref(), Some("Live now: v14. d on its versions shows what differs."));
        dialog.install(Ok(Box::new(Plan { count: 1, ..Plan::default() })));
        dialog.flushed();
        dialog.edit().unwrap().insert("fix");
        assert_eq!(dialog.enter(), Outcome::Act);
        let Ask::Deploy { name, seen, reason, dry_run } = dialog.order(false) else { panic!() };
        assert_eq!((name.as_str(), seen, reason.as_deref(), dry_run), ("acme", Some(15), Some("fix"), false));
    }

    #[test]
    fn an_earlier_version_comes_back_by_its_number() {
        let dialog = Dialog::rolling_back(version(13), Some(&differs(13, 15)));
        assert_eq!(dialog.title(), "Roll acme back to v13");
        assert_eq!(dialog.object.as_deref(), Some("Live now: v14."), "another difference is not told");
        let Ask::Rollback(order) = dialog.order(true) else { panic!() };
        assert_eq!((order.version, order.dry_run), (13, true));
    }
}
