//! One object, whole: a request and why it was judged so, a run with its timeline, a callback.

use super::Desk;
use crate::model::CallbackId;
use crate::model::ask::{Answer, Refusal, Who};

impl Desk {
    pub(super) async fn request(&self, id: &str) -> Result<Answer, Refusal> {
        let id = self.deps.store.resolve(id).await?;
        Ok(Answer::Request(Box::new(self.deps.store.request_detail(id).await?)))
    }

    pub(super) async fn explain(&self, id: &str) -> Result<Answer, Refusal> {
        let id = self.deps.store.resolve(id).await?;
        Ok(Answer::Explain(Box::new(self.deps.store.explain(id).await?)))
    }

    pub(super) async fn run(&self, id: &str) -> Result<Answer, Refusal> {
        let id = self.deps.store.resolve(id).await?;
        let (mut run, events) = self.deps.store.run_detail(id).await?;
        self.explain_line(&mut run);
        Ok(Answer::Run { run: Box::new(run), events })
    }

    /// A callback; its URL is given only where it is asked for, and that is written down.
    pub(super) async fn callback(&self, who: &Who, id: &str, reveal: bool) -> Result<Answer, Refusal> {
        let id: CallbackId = self.deps.store.resolve(id).await?;
        let mut view = self.deps.store.callback_view(id).await?;
        if reveal {
            // Written down first: a URL that was shown without it could not be taken back.
            self.audit(who, "reveal", &view.id, None, "Showed the URL.").await?;
            let base = self.deps.settings.public_url.trim_end_matches('/');
            view.url = Some(format!("{base}/callback/{}", self.deps.vault.callback_token(id)));
        }
        Ok(Answer::Callback(Box::new(view)))
    }

    /// One integration.
    pub(super) async fn integration(&self, name: &str) -> Result<Answer, Refusal> {
        let holding = self.holding(name)?;
        let store = &self.deps.store;
        let mut integrations =
            store.with_ticks(store.integration(&holding.name).into_iter().collect()).await?;
        integrations = store.with_traffic(store.with_alerts(integrations).await?).await?;
        for one in &mut integrations {
            one.drift = self.drifts(Some(&holding.name)).await?;
        }
        Ok(Answer::Integrations { integrations })
    }
}
