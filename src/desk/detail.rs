//! One object, whole: a request and why it was judged so, a run with its timeline, a callback.

use super::Desk;
use crate::model::ask::{Answer, Done, Refusal, Who};
use crate::model::id::{Kind, short};
use crate::model::{CallbackId, RequestId, RunId};

impl Desk {
    pub(super) async fn request(&self, id: &str) -> Result<Answer, Refusal> {
        let found = self.request_id(id).await?;
        match self.deps.store.request_detail(found).await? {
            Some(detail) => Ok(Answer::Request(Box::new(detail))),
            None => Err(missing("request", id)),
        }
    }

    pub(super) async fn explain(&self, id: &str) -> Result<Answer, Refusal> {
        let found = self.request_id(id).await?;
        match self.deps.store.explain(found).await? {
            Some(view) => Ok(Answer::Explain(Box::new(view))),
            None => Err(missing("request", id)),
        }
    }

    pub(super) async fn run(&self, id: &str) -> Result<Answer, Refusal> {
        let (_, raw) = self.find(id, &[Kind::Run]).await?;
        match self.deps.store.run_detail(RunId(raw)).await? {
            Some((run, events)) => Ok(Answer::Run { run: Box::new(run), events }),
            None => Err(missing("run", id)),
        }
    }

    /// A callback; its URL is given only where it is asked for, and that is written down.
    pub(super) async fn callback(&self, who: &Who, id: &str, reveal: bool) -> Result<Answer, Refusal> {
        let (_, raw) = self.find(id, &[Kind::Callback]).await?;
        let found = CallbackId(raw);
        let Some(mut view) = self.deps.store.callback_view(found).await? else {
            return Err(missing("callback", id));
        };
        if reveal {
            let token = self.deps.vault.callback_token(found);
            let target = format!("callback {}", view.id);
            self.audit(who, "reveal", &target, None, "showed the URL").await?;
            view.url = Some(format!("{}/callback/{token}", self.deps.settings.public_url.trim_end_matches('/')));
        }
        Ok(Answer::Callback(Box::new(view)))
    }

    /// Drops the dedup key of a request: the next one with it is accepted.
    pub(super) async fn forget(&self, who: &Who, id: &str, reason: Option<&str>) -> Result<Answer, Refusal> {
        let found = self.request_id(id).await?;
        let Some(request) = self.deps.store.request(found).await? else {
            return Err(missing("request", id));
        };
        let text = self.deps.store.ids().print(found);
        let Some(key) = request.dedup else {
            return Err(Refusal::refused("no_key", "forget is not possible: the request has no dedup key"));
        };
        if !self.deps.store.forget_key(key).await? {
            return Err(Refusal::refused(
                "no_key",
                "forget is not possible: its dedup key has lapsed, or was forgotten before",
            ));
        }
        let said = format!("Forgot the dedup key of {}: the next request with it is accepted.", short(&text));
        self.audit(who, "forget", &format!("request {text}"), reason, &said).await?;
        Ok(Answer::Done(Done { lines: vec![said], refused: false }))
    }

    async fn request_id(&self, id: &str) -> Result<RequestId, Refusal> {
        let (_, raw) = self.find(id, &[Kind::Request]).await?;
        Ok(RequestId(raw))
    }
}

fn missing(what: &str, id: &str) -> Refusal {
    Refusal::not_found(format!("there is no {what} {id}"))
}
