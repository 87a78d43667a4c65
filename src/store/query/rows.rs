//! Rows as the filter language sees them. What is costly (bodies, journals) is read when a filter
//! asks for it, once a row.

use super::head::{self, RequestHead};
use super::look::Look;
use super::pluck::find_in;
use super::{content, views};
use crate::model::headers::Headers;
use crate::model::path::{Path, Segment};
use crate::model::query::Row;
use crate::model::run::{Callback, Run, RunState};
use crate::model::time::rfc3339;
use crate::model::view::RunView;
use crate::model::{AuditId, FlowId, Ms};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

/// Where a row that cannot fail keeps the failure of a read, for the walk to find.
pub(super) type Failed = RefCell<Option<rusqlite::Error>>;

fn keep<T: Default>(failed: &Failed, result: rusqlite::Result<T>) -> T {
    result.unwrap_or_else(|error| {
        failed.borrow_mut().get_or_insert(error);
        T::default()
    })
}

fn one(text: impl Into<String>) -> Vec<Cow<'static, str>> {
    vec![Cow::Owned(text.into())]
}

fn maybe(text: Option<String>) -> Vec<Cow<'static, str>> {
    text.map(Cow::Owned).into_iter().collect()
}

/// A request.
pub(super) struct RequestRow<'r> {
    look: &'r Look<'r>,
    failed: &'r Failed,
    head: &'r RequestHead,
    content: OnceCell<(Headers, Cow<'r, [u8]>)>,
}

impl<'r> RequestRow<'r> {
    pub fn new(
        look: &'r Look<'r>,
        failed: &'r Failed,
        head: &'r RequestHead,
        content: Option<(&[u8], &'r [u8])>,
    ) -> Self {
        let row = Self { look, failed, head, content: OnceCell::new() };
        if let Some((headers, body)) = content {
            let _ = row.content.set((Headers::from_blob(headers.to_vec().into()), Cow::Borrowed(body)));
        }
        row
    }

    fn content(&self) -> &(Headers, Cow<'r, [u8]>) {
        self.content.get_or_init(|| {
            let (headers, body) =
                keep(self.failed, head::content(self.look.conn, self.head.id)).unwrap_or_default();
            (Headers::from_blob(headers.into()), Cow::Owned(body))
        })
    }
}

/// The JSON names of a request that a bare word looks at.
const REQUEST_WORDS: [&str; 11] = [
    "id",
    "integration",
    "flow",
    "method",
    "path",
    "verdict",
    "status",
    "cause",
    "duplicate_of",
    "actor",
    "from",
];

impl Row for RequestRow<'_> {
    fn time(&self) -> Ms {
        self.head.id.time()
    }

    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        let head = self.head;
        match name {
            "id" => one(self.look.request_id(head.id)),
            "time" => one(rfc3339(head.id.time())),
            "integration" => one(self.look.names(head.flow).0),
            "flow" => one(self.look.names(head.flow).1),
            "endpoint" => one(self.look.endpoint(head.flow)),
            "version" => one(head.version.to_string()),
            "method" => vec![Cow::Borrowed(head.method.as_str())],
            "path" => vec![Cow::Borrowed(head.path.as_str())],
            "verdict" => vec![Cow::Borrowed(head.verdict.word())],
            "status" => maybe(head.status.map(|status| status.to_string())),
            "cause" => head.cause.as_deref().map(Cow::Borrowed).into_iter().collect(),
            "dedup_key" => maybe(head.dedup.as_deref().map(views::hex)),
            "duplicate_of" => maybe(head.duplicate_of.map(|first| self.look.request_id(first))),
            "runs" => {
                let runs = keep(self.failed, head::runs_of(self.look.conn, head.id));
                runs.into_iter().map(|run| Cow::Owned(self.look.run_id(run))).collect()
            }
            "size" => one(head.size.to_string()),
            "actor" => head.actor.as_deref().map(Cow::Borrowed).into_iter().collect(),
            "from" => head.peer.as_deref().map(Cow::Borrowed).into_iter().collect(),
            "test" => one(views::is_test(head.marks).to_string()),
            "marks" => head.marks.words().into_iter().map(Cow::Owned).collect(),
            "what" => one(keep(self.failed, views::what_of(self.look, head))),
            _ => Vec::new(),
        }
    }

    fn at(&self, path: &Path) -> Vec<Cow<'_, Value>> {
        let (headers, body) = self.content();
        content::at(path, headers, &self.head.query, body).into_iter().map(Cow::Owned).collect()
    }

    fn mentions(&self, word: &str) -> bool {
        if REQUEST_WORDS.iter().any(|name| self.named(name).iter().any(|text| content::has_word(text, word)))
        {
            return true;
        }
        let (headers, body) = self.content();
        content::mentions(word, headers, &self.head.query, body)
    }
}

/// A run; paths and words also look into its request.
pub(super) struct RunRow<'r> {
    look: &'r Look<'r>,
    failed: &'r Failed,
    run: &'r Run,
    view: OnceCell<RunView>,
    request: OnceCell<Option<RequestHead>>,
}

impl<'r> RunRow<'r> {
    pub fn new(look: &'r Look<'r>, failed: &'r Failed, run: &'r Run) -> Self {
        Self { look, failed, run, view: OnceCell::new(), request: OnceCell::new() }
    }

    fn view(&self) -> &RunView {
        self.view.get_or_init(|| {
            let journal = keep(self.failed, head::journal(self.look.conn, self.run.id, false));
            views::run(self.look, self.run, &journal, false)
        })
    }

    /// The view, where a filter has had it made.
    pub fn into_view(self) -> Option<RunView> {
        self.view.into_inner()
    }

    fn request(&self) -> Option<RequestRow<'_>> {
        let head = self.request.get_or_init(|| {
            let id = self.run.request?;
            keep(self.failed, head::request_by_id(self.look.conn, id))
        });
        head.as_ref().map(|head| RequestRow::new(self.look, self.failed, head, None))
    }

    /// Whether the cause can be told without the journal: there is none.
    fn without_cause(&self) -> bool {
        matches!(self.run.state, RunState::Queued | RunState::Running | RunState::Succeeded)
    }
}

impl Row for RunRow<'_> {
    fn time(&self) -> Ms {
        self.run.id.time()
    }

    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        let run = self.run;
        match name {
            "id" => one(self.look.run_id(run.id)),
            "time" => one(rfc3339(run.id.time())),
            "request" => maybe(run.request.map(|id| self.look.request_id(id))),
            "parent" => maybe(run.parent.map(|id| self.look.run_id(id))),
            "integration" => one(self.look.names(run.flow).0),
            "flow" => one(self.look.names(run.flow).1),
            "endpoint" => one(self.look.endpoint(run.flow)),
            "version" => one(run.version.to_string()),
            "state" => vec![Cow::Borrowed(run.state.word())],
            "cause" if self.without_cause() => Vec::new(),
            "cause" => maybe(self.view().cause.clone()),
            "started" => maybe(run.started.map(rfc3339)),
            "ended" => maybe(run.ended.map(rfc3339)),
            "due" => maybe(self.view().due.clone()),
            "test" => one(run.test.to_string()),
            "group" => match run.state {
                RunState::Errored => one(views::group_name(run.cause.unwrap_or(0))),
                _ => Vec::new(),
            },
            "step" | "steps" => {
                self.view().steps.iter().map(|step| Cow::Borrowed(step.name.as_str())).collect()
            }
            _ => match name.strip_prefix("step.") {
                Some(field) => {
                    self.view().steps.iter().flat_map(|step| views::step_field(step, field)).collect()
                }
                None => Vec::new(),
            },
        }
    }

    fn at(&self, path: &Path) -> Vec<Cow<'_, Value>> {
        if path.root() == "step" {
            let [Segment::Key(field), rest @ ..] = path.rest() else { return Vec::new() };
            let outputs = self
                .view()
                .steps
                .iter()
                .filter(|_| field == "outputs")
                .filter_map(|step| step.outputs.as_ref());
            return outputs.flat_map(|map| find_in(map, rest)).map(Cow::Borrowed).collect();
        }
        let Some(request) = self.request() else { return Vec::new() };
        request.at(path).into_iter().map(|value| Cow::Owned(value.into_owned())).collect()
    }

    fn mentions(&self, word: &str) -> bool {
        let names = ["id", "request", "integration", "flow", "state", "cause", "step.name", "step.cause"];
        names.iter().any(|name| self.named(name).iter().any(|text| content::has_word(text, word)))
            || self.request().is_some_and(|request| request.mentions(word))
    }
}

/// A callback and its run.
pub(super) struct CallbackRow<'r> {
    pub look: &'r Look<'r>,
    pub callback: &'r Callback,
    pub run: Option<&'r Run>,
}

impl CallbackRow<'_> {
    fn flow(&self) -> FlowId {
        self.run.map_or(FlowId(0), |run| run.flow)
    }
}

impl Row for CallbackRow<'_> {
    fn time(&self) -> Ms {
        self.callback.id.time()
    }

    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        let callback = self.callback;
        match name {
            "id" => one(self.look.ids().print(callback.id)),
            "time" | "created" => one(rfc3339(callback.created)),
            "run" => one(self.look.run_id(callback.run)),
            "step" | "step.name" => one(views::callback_step(self.look, callback, self.run)),
            "state" => vec![Cow::Borrowed(callback.state.word())],
            "deadline" => one(rfc3339(callback.deadline)),
            "received" => maybe(callback.received.map(rfc3339)),
            "status" => maybe(callback.status.map(|status| status.to_string())),
            "overdue" => one(views::overdue(callback, self.run).to_string()),
            "integration" => one(self.look.names(self.flow()).0),
            "flow" => one(self.look.names(self.flow()).1),
            _ => Vec::new(),
        }
    }

    fn at(&self, _path: &Path) -> Vec<Cow<'_, Value>> {
        Vec::new()
    }

    fn mentions(&self, word: &str) -> bool {
        let names = ["id", "run", "step", "state", "status", "integration", "flow"];
        names.iter().any(|name| self.named(name).iter().any(|text| content::has_word(text, word)))
    }
}

/// An entry of the audit trail.
#[derive(Debug, Clone)]
pub(super) struct AuditRow {
    pub id: AuditId,
    pub shown: crate::model::view::AuditView,
}

impl Row for AuditRow {
    fn time(&self) -> Ms {
        self.id.time()
    }

    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        let shown = &self.shown;
        let text = match name {
            "id" => &shown.id,
            "at" | "time" => &shown.at,
            "who" | "actor" => &shown.who,
            "door" => &shown.door,
            "verb" => &shown.verb,
            "target" => &shown.target,
            "detail" => &shown.detail,
            "reason" => return shown.reason.as_deref().map(Cow::Borrowed).into_iter().collect(),
            _ => return Vec::new(),
        };
        vec![Cow::Borrowed(text.as_str())]
    }

    fn at(&self, _path: &Path) -> Vec<Cow<'_, Value>> {
        Vec::new()
    }

    fn mentions(&self, word: &str) -> bool {
        let names = ["id", "who", "door", "verb", "target", "detail", "reason"];
        names.iter().any(|name| self.named(name).iter().any(|text| content::has_word(text, word)))
    }
}
