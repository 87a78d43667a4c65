//! The integration document (one TOML file): variables and connections shared by flows, each flow
//! one trigger and an ordered list of steps.
//!
//! These types hold what a document *says*, defaults filled in. `rules::check` makes them from
//! text; `rules::plan` compiles a flow into what receiver and runner use. Templates are kept as
//! the text that was written.

use super::Ms;
use super::alert::Alert;
pub use super::auth::Auth;
use super::gate::Gates;
use super::path::Path;
use super::schedule::Schedule;
use serde_json::Value;

/// Bytes of a body where the document names no `max_body`.
pub const MAX_BODY: u64 = 6 << 20;

/// A checked document.
#[derive(Debug, Clone, PartialEq)]
pub struct Integration {
    /// Unique, `[a-z0-9-]`.
    pub name: String,
    /// What people call it; the name where none is given.
    pub title: String,
    /// One or two cells wide.
    pub icon: Option<String>,
    /// What it is for.
    pub description: String,
    /// Shared by all flows.
    pub variables: Vec<Variable>,
    /// Reusable outgoing settings.
    pub connections: Vec<Connection>,
    /// In the order of the document.
    pub flows: Vec<Flow>,
    /// What is told of trouble, and whom.
    pub alerts: Vec<Alert>,
}

/// A variable that every flow of the integration sees as `config.<name>`.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// `[A-Za-z_][A-Za-z0-9_]*`.
    pub name: String,
    /// What values it takes.
    pub kind: VariableKind,
    /// The heading it is grouped under.
    pub heading: String,
    /// Shown beside the field.
    pub help: String,
    /// Used until a value is set; never of a secret.
    pub default: Option<Value>,
    /// Deploying without a value is refused.
    pub required: bool,
}

/// What values a variable takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableKind {
    /// Any text.
    Text,
    /// A JSON number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An absolute http(s) URL.
    Url,
    /// One of these.
    Choice(Vec<String>),
    /// Text that is kept sealed, can be set and is never shown.
    Secret,
}

/// Outgoing settings that steps name.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// What steps call it.
    pub name: String,
    /// Put before a step's URL.
    pub base_url: Option<String>,
    /// Credentials.
    pub auth: Option<ConnectionAuth>,
    /// Sent with each request, templates as values.
    pub headers: Vec<(String, String)>,
    /// An explicit HTTP proxy.
    pub proxy: Option<String>,
    /// Whether the target's certificate is verified.
    pub verify_tls: bool,
    /// A PEM file with an own certificate authority.
    pub ca_file: Option<String>,
}

/// How a connection authenticates; values are templates.
#[derive(Debug, Clone, PartialEq)]
pub enum ConnectionAuth {
    /// `Authorization: Bearer <token>`.
    Bearer {
        /// The token.
        token: String,
    },
    /// HTTP basic authentication (RFC 7617).
    Basic {
        /// User name.
        user: String,
        /// Password.
        password: String,
    },
    /// A header of the target's choice.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// One trigger and an ordered list of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// What endpoint, dedup keys and history hang on; stable over renames.
    pub id: String,
    /// Whether the document wrote the id (`export` always does).
    pub id_written: bool,
    /// Any printable text.
    pub name: String,
    /// Renames a flow that was saved without an id.
    pub was: Option<String>,
    /// What it is for.
    pub description: String,
    /// What starts it.
    pub trigger: Trigger,
    /// May be empty: such a flow records requests.
    pub steps: Vec<Step>,
}

impl Flow {
    /// The trigger, where it is a webhook.
    #[must_use]
    pub fn webhook(&self) -> Option<&Webhook> {
        match &self.trigger {
            Trigger::Webhook(webhook) => Some(webhook),
            _ => None,
        }
    }

    /// When and with what its senders are answered; nobody waits for a flow without a webhook.
    #[must_use]
    pub fn reply(&self) -> Reply {
        self.webhook().map_or(Reply::Accept, |webhook| webhook.reply)
    }

    /// The array of the body that is split into runs.
    #[must_use]
    pub fn split(&self) -> Option<&Path> {
        self.webhook()?.split.as_ref()
    }
}

/// What starts a flow.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one a flow, and nearly all are webhooks")]
pub enum Trigger {
    /// A request at its endpoint.
    Webhook(Webhook),
    /// The clock.
    Schedule(Schedule),
    /// A version of its integration that goes live.
    Deploy {
        /// Only the first one that has the flow.
        first: bool,
    },
    /// The removal of its integration.
    Remove,
    /// A person, or a command.
    Manual,
}

impl Trigger {
    /// The word that documents write.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Schedule(_) => "schedule",
            Self::Deploy { .. } => "deploy",
            Self::Remove => "remove",
            Self::Manual => "manual",
        }
    }
}

/// The trigger `webhook`.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// An alias of the endpoint, unique over all integrations.
    pub path: Option<String>,
    /// Accepted methods.
    pub methods: Vec<String>,
    /// Who may send.
    pub auth: Auth,
    /// What makes two requests one.
    pub dedup: Option<Dedup>,
    /// Paths that must be there.
    pub required: Vec<Path>,
    /// A boolean template: false filters the request.
    pub when: Option<String>,
    /// An array of the body: one run an element, `record` in templates.
    pub split: Option<Path>,
    /// When and with what the sender is answered.
    pub reply: Reply,
    /// Bytes of a body, also after gunzip.
    pub max_body: u64,
    /// Who may send and how often, what is never shown, how many runs go on at once.
    pub gates: Box<Gates>,
}

/// When and with what a sender is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reply {
    /// At once, when the request is kept.
    #[default]
    Accept,
    /// When the run finished, or answered.
    Wait(Patience),
    /// When the run finished or answered in time; else it can be asked for.
    Poll(Patience),
}

/// How long a sender waits, and what then becomes of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The longest that a sender waits; it may choose less.
    pub timeout: Ms,
    /// The run ends `aborted` where it is not finished in time.
    pub abort: bool,
}

impl Reply {
    /// How long senders wait, where they do.
    #[must_use]
    pub fn patience(self) -> Option<Patience> {
        match self {
            Self::Accept => None,
            Self::Wait(patience) | Self::Poll(patience) => Some(patience),
        }
    }
}

/// What makes two requests one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dedup {
    /// One to five paths of body, headers and query.
    pub fields: Vec<Path>,
    /// How long a key lives.
    pub window: Ms,
    /// Counted from the last request with the key (`last`) or from the accepted one (`first`).
    pub from_first: bool,
}

/// One action of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// `[A-Za-z_][A-Za-z0-9_]*`, unique in its flow.
    pub name: String,
    /// What it does.
    pub kind: StepKind,
    /// A boolean template: false skips the step, and the run still succeeds.
    pub when: Option<String>,
    /// What becomes of values that are not there.
    pub missing: Missing,
    /// What becomes of the run when the step fails.
    pub on_error: OnError,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// One HTTP exchange.
    Request(Box<RequestStep>),
    /// The whole document to a URL, answered at once or by a callback.
    Send(Box<RequestStep>),
    /// Values for later steps: names and templates.
    Set(Vec<(String, String)>),
    /// Ends the run `failed`.
    Fail {
        /// A template.
        message: String,
        /// What a waiting sender is answered.
        status: u16,
    },
    /// A durable pause.
    Delay(Delay),
    /// The answer to a sender that waits.
    Respond(Box<Respond>),
}

impl StepKind {
    /// The word that documents write.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Request(_) => "request",
            Self::Send(_) => "send",
            Self::Set(_) => "set",
            Self::Fail { .. } => "fail",
            Self::Delay(_) => "delay",
            Self::Respond(_) => "respond",
        }
    }

    /// The HTTP exchange of a `request` or `send` step.
    #[must_use]
    pub fn exchange(&self) -> Option<&RequestStep> {
        match self {
            Self::Request(step) | Self::Send(step) => Some(step),
            _ => None,
        }
    }

    /// The template of the list, of a step that sends once an item.
    #[must_use]
    pub fn for_each(&self) -> Option<&str> {
        self.exchange()?.for_each.as_deref()
    }
}

/// The answer that a `respond` step gives; the first one reached counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Respond {
    /// HTTP status, 200 to 599.
    pub status: u16,
    /// Names and templates.
    pub headers: Vec<(String, String)>,
    /// Nothing, JSON or text.
    pub body: Body,
}

/// How long a `delay` step waits.
#[derive(Debug, Clone, PartialEq)]
pub enum Delay {
    /// A duration, at most 365 days.
    For(Ms),
    /// A template: RFC 3339 or epoch milliseconds.
    Until(String),
}

/// The HTTP exchange of a `request` or `send` step.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestStep {
    /// The connection's name.
    pub connection: Option<String>,
    /// GET POST PUT DELETE HEAD PATCH.
    pub method: String,
    /// A template, appended to the connection's `base_url`.
    pub url: String,
    /// Names and templates.
    pub query: Vec<(String, String)>,
    /// Names and templates.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Body,
    /// The whole exchange.
    pub timeout: Ms,
    /// Which answers are successes.
    pub success: Vec<StatusMatch>,
    /// Messages by code or class.
    pub errors: Vec<(StatusMatch, String)>,
    /// The message of every other failure.
    pub default_error: Option<String>,
    /// Names and paths into the answer: `body.…`, `headers["…"]`, `status`.
    pub outputs: Vec<(String, Path)>,
    /// Automatic retries.
    pub retry: Retry,
    /// Whether a repeat does no harm.
    pub idempotent: bool,
    /// Sends `X-Response-URL`, and a 202 waits.
    pub callback: bool,
    /// How long it waits.
    pub callback_deadline: Ms,
    /// A template that gives a list: one exchange an item of it.
    pub for_each: Option<String>,
}

/// What a step sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// A tree whose string leaves are templates.
    Json(Value),
    /// `application/x-www-form-urlencoded`: names and templates.
    Form(Vec<(String, String)>),
    /// A template.
    Text(String),
    /// The request's body as it came (a `send` step).
    Document,
}

/// A status code, or a class of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusMatch {
    /// 404
    Code(u16),
    /// 4xx
    Class(u16),
}

impl StatusMatch {
    /// Whether a code is meant.
    #[must_use]
    pub fn matches(self, status: u16) -> bool {
        match self {
            Self::Code(code) => code == status,
            Self::Class(class) => class == status / 100,
        }
    }
}

/// Automatic retries of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, the first included; automatic retries are one fewer.
    pub attempts: u32,
    /// Before the second attempt.
    pub delay: Ms,
    /// Whether the delay doubles from attempt to attempt.
    pub exponential: bool,
    /// The most that a delay or a `Retry-After` may be.
    pub max_delay: Ms,
    /// Whether the document wrote `attempts`: without it a step that is not idempotent is repeated
    /// only where no connection could be made.
    pub written: bool,
}

/// What becomes of values that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The field is left out.
    Omit,
    /// An empty string.
    Empty,
    /// The step fails.
    Fail,
}

/// What becomes of the run when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// The run is `errored`; an operator decides.
    Stop,
    /// The step is `failed`; the run goes on without its values.
    Continue,
    /// The run ends `failed`.
    Abort,
}

/// A mistake in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong and what to write.
    pub message: String,
    /// A warning does not stop a deploy.
    pub warning: bool,
}
