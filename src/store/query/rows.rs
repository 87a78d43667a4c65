//! Rows as the filter language sees them. What is costly (bodies, journals) is read when a filter
//! asks for it, once a row.

use super::head::{self, RequestHead};
use super::look::Look;
use super::{content, views};
use crate::model::Ms;
use crate::model::headers::Headers;
use crate::model::path::Path;
use crate::model::query::{Row, contains};
use crate::model::run::{Run, RunState};
use crate::model::time::rfc3339;
use crate::model::view::RunView;
use crate::rules::mask;
use crate::rules::rows::RunRow as Shown;
use crate::store::jobs::jobs_of;
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

/// Headers, query and body of a request as they may be shown: masked values are found by nothing.
struct Content<'r> {
    headers: Headers,
    query: String,
    body: Cow<'r, [u8]>,
}

/// A request.
pub(super) struct RequestRow<'r> {
    look: &'r Look<'r>,
    failed: &'r Failed,
    head: &'r RequestHead,
    content: OnceCell<Content<'r>>,
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
            let _ = row.content.set(row.shown(headers.to_vec(), Cow::Borrowed(body)));
        }
        row
    }

    /// Whether a word is in its body, headers or query.
    fn mentions_data(&self, word: &str) -> bool {
        let Content { headers, query, body } = self.content();
        content::mentions(word, headers, query, body)
    }

    fn content(&self) -> &Content<'r> {
        self.content.get_or_init(|| {
            let (headers, body) =
                keep(self.failed, head::content(self.look.conn, self.head.id)).unwrap_or_default();
            self.shown(headers, Cow::Owned(body))
        })
    }

    fn shown(&self, headers: Vec<u8>, body: Cow<'r, [u8]>) -> Content<'r> {
        let paths = self.look.mask(self.head.flow, self.head.version);
        let headers = mask::headers(&paths, &Headers::from_blob(headers.into()));
        let query = mask::query(&paths, &self.head.query).into_owned();
        let body = match mask::body(&paths, &body) {
            Cow::Owned(masked) => Cow::Owned(masked),
            Cow::Borrowed(_) => body,
        };
        Content { headers, query, body }
    }
}

/// The JSON names of a request that a bare word looks at.
const REQUEST_WORDS: [&str; 15] = [
    "id",
    "time",
    "integration",
    "flow",
    "endpoint",
    "method",
    "path",
    "verdict",
    "status",
    "cause",
    "duplicate_of",
    "runs",
    "actor",
    "from",
    "marks",
];

/// Those of them that are ids.
const REQUEST_IDS: [&str; 3] = ["id", "duplicate_of", "runs"];

impl Row for RequestRow<'_> {
    fn time(&self) -> Ms {
        self.head.id.time()
    }

    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        let head = self.head;
        match name {
            "id" | "request" => one(self.look.request_id(head.id)),
            "time" => one(rfc3339(head.id.time())),
            "integration" => one(self.look.names(head.flow).0),
            "flow" => one(self.look.names(head.flow).1),
            "endpoint" => one(self.look.endpoint(head.flow)),
            "method" => vec![Cow::Borrowed(head.method.as_str())],
            "path" => vec![Cow::Borrowed(head.path.as_str())],
            "verdict" => vec![Cow::Borrowed(head.verdict.word())],
            "status" => maybe(head.status.map(|status| status.to_string())),
            "cause" => head.cause.as_deref().map(Cow::Borrowed).into_iter().collect(),
            "dedup_key" => maybe(head.dedup.as_deref().map(views::hex)),
            "duplicate_of" => maybe(head.duplicate_of.map(|first| self.look.request_id(first))),
            "run" | "runs" => {
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
        let Content { headers, query, body } = self.content();
        content::at(path, headers, query, body).into_iter().map(Cow::Owned).collect()
    }

    fn mentions(&self, word: &str) -> bool {
        // Ids are printed, and runs asked for, only where the word can be a part of one.
        let digits = word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let names = REQUEST_WORDS.iter().filter(|name| digits || !REQUEST_IDS.contains(*name));
        names.copied().any(|name| self.named(name).iter().any(|text| contains(text, word)))
            || self.mentions_data(word)
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

    /// As lists show it; names and paths of steps are found there.
    fn shown(&self) -> Shown<'_> {
        Shown { view: self.view(), data: None }
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
}

/// Owned, so that a view made on the way can go.
fn owned(found: Vec<Cow<'_, str>>) -> Vec<Cow<'static, str>> {
    found.into_iter().map(|text| Cow::Owned(text.into_owned())).collect()
}

impl Row for RunRow<'_> {
    fn time(&self) -> Ms {
        self.run.id.time()
    }

    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        let run = self.run;
        match name {
            "id" | "run" => one(self.look.run_id(run.id)),
            "time" => one(rfc3339(run.id.time())),
            "request" => maybe(run.request.map(|id| self.look.request_id(id))),
            "parent" => maybe(run.parent.map(|id| self.look.run_id(id))),
            "integration" => one(self.look.names(run.flow).0),
            "flow" => one(self.look.names(run.flow).1),
            "endpoint" => one(self.look.endpoint(run.flow)),
            "version" => one(run.version.to_string()),
            "state" => vec![Cow::Borrowed(run.state.word())],
            "started" => maybe(run.started.map(rfc3339)),
            "ended" => maybe(run.ended.map(rfc3339)),
            "test" => one(run.test.to_string()),
            "job" => {
                let found = keep(self.failed, jobs_of(self.look.conn, run.id));
                found.into_iter().map(|job| Cow::Owned(self.look.ids().print(job))).collect()
            }
            "group" => match run.state {
                RunState::Errored => one(views::group_name(run.cause.unwrap_or(0))),
                _ => Vec::new(),
            },
            // A run that goes its way has no cause: its journal need not be read for that.
            "cause" if matches!(run.state, RunState::Queued | RunState::Running | RunState::Succeeded) => {
                Vec::new()
            }
            other => owned(self.shown().named(other)),
        }
    }

    fn at(&self, path: &Path) -> Vec<Cow<'_, Value>> {
        let own = |found: Vec<Cow<'_, Value>>| {
            found
                .into_iter()
                .map(|value| Cow::Owned(value.into_owned()))
                .collect::<Vec<Cow<'static, Value>>>()
        };
        if path.root() == "step" {
            return own(self.shown().at(path));
        }
        self.request().map(|request| own(request.at(path))).unwrap_or_default()
    }

    fn mentions(&self, word: &str) -> bool {
        if self.shown().mentions(word) || self.request().is_some_and(|request| request.mentions_data(word)) {
            return true;
        }
        // What attempts sent and got is not in lists, but it is searched.
        let journal = keep(self.failed, head::journal(self.look.conn, self.run.id, true));
        let whole = views::run(self.look, self.run, &journal, true);
        Shown { view: &whole, data: None }.mentions(word)
    }
}
