//! Documents while they are edited: what was typed is kept, and a save names the version that its text
//! was made from, so that nobody's save goes over somebody else's.

use super::Desk;
use super::documents::name_of;
use crate::model::ask::{Answer, Apply, EditView, Editing, Refusal, Revision, SavedView, Typed, Who};
use crate::model::time::rfc3339;
use crate::store::registry::Holding;
use crate::store::{Edit, StoreError};

impl Desk {
    pub(super) async fn edit(&self, who: &Who, editing: Editing) -> Result<Answer, Refusal> {
        match editing {
            Editing::Open { name } => Ok(Answer::Edit(Box::new(self.open_edit(who, &name).await?))),
            Editing::Keep(typed) => Ok(Answer::Kept { seen: self.keep_edit(who, typed).await? }),
            Editing::Save(revision) => self.save_edit(who, revision).await,
        }
    }

    async fn open_edit(&self, who: &Who, name: &str) -> Result<EditView, Refusal> {
        let holding = self.holding(name)?;
        let store = &self.deps.store;
        let latest = holding.latest;
        let newest = self.text(name, latest).await?;
        let mut typed = store.edit(&who.name, holding.id).await?;
        if let Some(edit) = typed.as_mut().filter(|edit| edit.text == newest) {
            // It was saved, and the process ended before that was written down.
            (edit.base, edit.unsaved) = (latest, false);
        }
        let (base, source) = match &typed {
            Some(edit) if edit.unsaved && edit.base != latest => {
                (edit.base, self.text(name, edit.base).await?)
            }
            _ => (latest, newest),
        };
        let urls = store.webhook_urls(holding.id);
        let urls = urls.iter().filter_map(|(flow, url)| Some((flow.clone(), url.as_str()?.to_owned())));
        let globals = &self.deps.settings.connections.0;
        Ok(EditView {
            name: holding.name.clone(),
            base,
            source,
            latest,
            live: holding.deployed,
            typed: typed.map(|edit| Typed {
                name: holding.name.clone(),
                base: edit.base,
                text: edit.text,
                history: edit.history,
                unsaved: edit.unsaved,
                seen: edit.seen,
            }),
            paths: store.paths_but(name),
            flows: self.saved_flows(Some(name)).unwrap_or_default(),
            connections: globals.iter().map(|one| one.name.clone()).collect(),
            urls: urls.collect(),
        })
    }

    async fn text(&self, name: &str, version: u32) -> Result<String, Refusal> {
        let found = self.deps.store.source(name, Some(version)).await?;
        found
            .map(|version| version.source)
            .ok_or_else(|| Refusal::not_found(format!("{name} has no v{version}")).coded("gone"))
    }

    async fn keep_edit(&self, who: &Who, typed: Typed) -> Result<u64, Refusal> {
        let holding = self.holding(&typed.name)?;
        let Typed { base, text, history, unsaved, seen, .. } = typed;
        let edit = Edit { base, unsaved, seen, at: 0, history, text };
        match self.deps.store.keep_edit(&who.name, holding.id, edit).await {
            Err(StoreError::Stale) => Err(Refusal::refused(
                "two_consoles",
                format!("{} is edited in another console of yours, too", holding.name),
            )),
            kept => Ok(kept?),
        }
    }

    async fn save_edit(&self, who: &Who, revision: Revision) -> Result<Answer, Refusal> {
        let Revision { name, base, text, deploy, reason, dry_run } = revision;
        if base == 0 {
            self.is_free(&name)?;
        } else {
            self.newest_is(&name, base).await?;
        }
        if let Some(called) = name_of(&text).filter(|called| *called != name) {
            return Err(Refusal::refused(
                "renamed",
                format!(
                    "the text is called {called:?}, and the integration is {name}: under another name it would \
                     be another one; pointsman apply --as NAME makes that"
                ),
            ));
        }
        let apply =
            Apply { files: vec![(name.clone(), text)], draft: !deploy, reason, dry_run, ..Apply::default() };
        if dry_run {
            let typed = apply.files.first().map(|(_, text)| text.clone()).unwrap_or_default();
            let mut answer = self.apply(who, apply).await?;
            if let Answer::Done(done) = &mut answer
                && deploy
                && !done.refused
            {
                let differs = self.differs(&*self.holding(&name)?, typed).await;
                let second = done.lines.len().min(1);
                done.lines.splice(second..second, differs);
            }
            return Ok(answer);
        }
        match self.apply_on(who, apply, Some(base)).await {
            Ok((done, version)) => {
                Ok(Answer::Saved(SavedView { version, live: deploy && !done.refused, lines: done.lines }))
            }
            Err(refusal) => {
                // Somebody may have saved between the look and the commit: that is told as such.
                if base == 0 {
                    self.is_free(&name)?;
                } else {
                    self.newest_is(&name, base).await?;
                }
                Err(refusal)
            }
        }
    }

    /// Whether a new integration can be called so.
    fn is_free(&self, name: &str) -> Result<(), Refusal> {
        if self.deps.store.configured().by_name(name).is_none() {
            return Ok(());
        }
        Err(Refusal::refused("taken", format!("{name} is taken: there is an integration of that name")))
    }

    /// Whether the version that a text was made from is still the newest.
    async fn newest_is(&self, name: &str, base: u32) -> Result<(), Refusal> {
        let holding = self.holding(name)?;
        if holding.latest == base {
            return Ok(());
        }
        Err(self.meanwhile(&holding, base).await?)
    }

    async fn meanwhile(&self, holding: &Holding, base: u32) -> Result<Refusal, Refusal> {
        let (name, latest) = (&holding.name, holding.latest);
        let newest = self.deps.store.version(name, latest).await?;
        let said = newest.map_or_else(
            || format!("{name} v{latest} was saved while you edited v{base}"),
            |one| {
                format!(
                    "{} saved {name} v{latest} at {} while you edited v{base}",
                    one.author,
                    rfc3339(one.at)
                )
            },
        );
        Ok(Refusal::refused("saved_meanwhile", format!("{said}; nothing was saved")))
    }
}
