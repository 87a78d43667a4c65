//! The compiled templates of one step, by what the step does.

use super::RenderError;
use super::leaf::Leaf;
use super::respond::Respond;
use super::tree::Tree;
use super::{UrlTemplate, place_key};
use crate::model::Ms;
use crate::model::document::{Body, Connection, ConnectionAuth, Delay, RequestStep, Step, StepKind};

/// What a step needs compiled.
#[derive(Debug)]
pub(crate) enum Parts {
    /// `request` and `send`.
    Exchange(Box<Exchange>),
    /// `set`: names and templates.
    Set(Vec<(String, Leaf)>),
    /// `fail`: the message.
    Fail(Leaf),
    /// `delay` with `for`.
    For(Ms),
    /// `delay` with `until`.
    Until(Leaf),
    /// `respond`.
    Respond(Box<Respond>),
}

/// The templates of an exchange.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(super) url: UrlTemplate,
    pub(super) query: Vec<(String, Leaf)>,
    pub(super) connection_headers: Vec<(String, Leaf)>,
    pub(super) auth: Option<AuthParts>,
    pub(super) headers: Vec<(String, Leaf)>,
    pub(super) body: BodyParts,
}

/// A connection's credentials.
#[derive(Debug)]
pub(super) enum AuthParts {
    Bearer(Leaf),
    Basic(Leaf, Leaf),
    Header(String, Leaf),
}

/// What is sent.
#[derive(Debug)]
pub(super) enum BodyParts {
    /// Nothing, or the request's own document.
    Empty,
    Json(Tree),
    Form(Vec<(String, Leaf)>),
    Text(Leaf),
}

fn leaf(source: &str, place: &str) -> Result<Leaf, RenderError> {
    Leaf::new(source).map_err(|message| RenderError { place: place.to_owned(), message })
}

fn leaves(fields: &[(String, String)], place: &str) -> Result<Vec<(String, Leaf)>, RenderError> {
    fields.iter().map(|(name, source)| Ok((name.clone(), leaf(source, &place_key(place, name))?))).collect()
}

impl Parts {
    /// Compiles a step's templates.
    ///
    /// # Errors
    /// The first mistake in one of them, and its place.
    pub(crate) fn new(step: &Step, connections: &[Connection]) -> Result<Self, RenderError> {
        Ok(match &step.kind {
            StepKind::Request(exchange) | StepKind::Send(exchange) => {
                Self::Exchange(Box::new(Exchange::new(exchange, connections)?))
            }
            StepKind::Set(outputs) => Self::Set(leaves(outputs, "outputs")?),
            StepKind::Fail { message, .. } => Self::Fail(leaf(message, "message")?),
            StepKind::Delay(Delay::For(duration)) => Self::For(*duration),
            StepKind::Delay(Delay::Until(until)) => Self::Until(leaf(until, "until")?),
            StepKind::Respond(respond) => Self::Respond(Box::new(Respond {
                headers: leaves(&respond.headers, "headers")?,
                body: BodyParts::new(&respond.body)?,
            })),
        })
    }

    /// Calls `each` with the place and the template of every leaf.
    pub(super) fn leaves(&self, each: &mut dyn FnMut(&str, &Leaf)) {
        match self {
            Self::Exchange(exchange) => exchange.leaves(each),
            Self::Set(outputs) => {
                for (name, leaf) in outputs {
                    each(&place_key("outputs", name), leaf);
                }
            }
            Self::Fail(leaf) => each("message", leaf),
            Self::For(_) => {}
            Self::Until(leaf) => each("until", leaf),
            Self::Respond(respond) => {
                for (name, leaf) in &respond.headers {
                    each(&place_key("headers", name), leaf);
                }
                respond.body.leaves(each);
            }
        }
    }
}

impl BodyParts {
    fn new(body: &Body) -> Result<Self, RenderError> {
        Ok(match body {
            Body::Empty | Body::Document => Self::Empty,
            Body::Json(value) => Self::Json(Tree::new(value, "json")?),
            Body::Form(fields) => Self::Form(leaves(fields, "form")?),
            Body::Text(text) => Self::Text(leaf(text, "text")?),
        })
    }

    fn leaves(&self, each: &mut dyn FnMut(&str, &Leaf)) {
        match self {
            Self::Empty => {}
            Self::Json(tree) => tree.leaves("json", each),
            Self::Form(form) => {
                for (name, leaf) in form {
                    each(&place_key("form", name), leaf);
                }
            }
            Self::Text(leaf) => each("text", leaf),
        }
    }
}

impl Exchange {
    fn new(step: &RequestStep, connections: &[Connection]) -> Result<Self, RenderError> {
        let connection =
            step.connection.as_ref().and_then(|name| connections.iter().find(|other| other.name == *name));
        let base = connection.and_then(|connection| connection.base_url.as_deref());
        let auth = match connection.and_then(|connection| connection.auth.as_ref()) {
            None => None,
            Some(ConnectionAuth::Bearer { token }) => {
                Some(AuthParts::Bearer(leaf(token, "connection.auth.token")?))
            }
            Some(ConnectionAuth::Basic { user, password }) => Some(AuthParts::Basic(
                leaf(user, "connection.auth.user")?,
                leaf(password, "connection.auth.password")?,
            )),
            Some(ConnectionAuth::Header { name, value }) => {
                Some(AuthParts::Header(name.clone(), leaf(value, "connection.auth.value")?))
            }
        };
        Ok(Self {
            url: UrlTemplate {
                base: base.map(|base| leaf(base, "base_url")).transpose()?,
                own: leaf(&step.url, "url")?,
            },
            query: leaves(&step.query, "query")?,
            connection_headers: match connection {
                Some(connection) => leaves(&connection.headers, "connection.headers")?,
                None => Vec::new(),
            },
            auth,
            headers: leaves(&step.headers, "headers")?,
            body: BodyParts::new(&step.body)?,
        })
    }

    fn leaves(&self, each: &mut dyn FnMut(&str, &Leaf)) {
        if let Some(base) = &self.url.base {
            each("base_url", base);
        }
        each("url", &self.url.own);
        let mut fields = |place: &str, fields: &[(String, Leaf)]| {
            for (name, leaf) in fields {
                each(&place_key(place, name), leaf);
            }
        };
        fields("query", &self.query);
        fields("connection.headers", &self.connection_headers);
        fields("headers", &self.headers);
        self.body.leaves(each);
        match &self.auth {
            None => {}
            Some(AuthParts::Bearer(leaf) | AuthParts::Header(_, leaf)) => each("connection.auth", leaf),
            Some(AuthParts::Basic(user, password)) => {
                each("connection.auth", user);
                each("connection.auth", password);
            }
        }
    }
}
