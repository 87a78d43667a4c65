//! The request of a step, built whole before anything is sent.

use super::leaf::{Leaf, Rendered, as_text};
use super::parts::{AuthParts, BodyParts, Exchange, Parts};
use super::tree::Renderer;
use super::value::Scope;
use super::{Context, MAX_MADE, Outgoing, RenderError, fail, place_key, url};
use crate::model::document::{Body, Connection, RequestStep};
use crate::model::path::{Path, Segment};
use crate::rules::mask::MASK;
use crate::rules::plan::Plan;
use crate::rules::secrets::plain_mask;
use bytes::Bytes;
use serde_json::Value;
use std::borrow::Cow;

/// Builds the request of a `request` or `send` step.
///
/// # Errors
/// A value that a URL needs is missing, `missing = "fail"`, `error("…")`, a bound, a bad header.
pub fn build(plan: &Plan, step: usize, context: &Context) -> Result<Outgoing, RenderError> {
    build_in(plan, step, Scope::new(context)).map_err(|error| error.hidden(context))
}

/// A request that was built, as it may be kept and shown: without the values of secret variables.
///
/// It is built once more with `•••` in their place, so that nothing that templates make of them is
/// left, and looked through for their texts, since they may come another way.
#[must_use]
pub fn shown<'b>(plan: &Plan, step: usize, context: &Context, built: &'b Outgoing) -> Cow<'b, Outgoing> {
    let secrets = &context.secrets;
    if secrets.is_empty() {
        return Cow::Borrowed(built);
    }
    let asks = |path: &Path| match (path.root(), path.rest()) {
        ("config", [Segment::Key(name), ..]) => secrets.has(name),
        ("config", _) => true,
        _ => false,
    };
    let asks = super::uses(plan, step).iter().any(|(_, path)| asks(path));
    let mut shown = if asks {
        build_in(plan, step, Scope::masked(context)).unwrap_or_else(|_| blank(built.clone()))
    } else {
        built.clone()
    };
    shown.url = plain_mask(&shown.url);
    secrets.hide(&mut shown.url);
    secrets.hide_all(shown.headers.iter_mut().map(|(_, value)| value));
    if let Some(body) = &mut shown.body
        && let Ok(text) = std::str::from_utf8(body)
    {
        let mut text = if shown.same_body { text.to_owned() } else { plain_mask(text) };
        secrets.hide_body(&mut text);
        *body = text.into();
    }
    Cow::Owned(shown)
}

/// A request that cannot be built without its secrets (one is read as a number, say): nothing that
/// templates made is shown of it.
fn blank(mut built: Outgoing) -> Outgoing {
    if let Some(query) = built.url.find('?') {
        built.url.replace_range(query + 1.., MASK);
    }
    built.headers.iter_mut().for_each(|(_, value)| MASK.clone_into(value));
    if !built.same_body {
        built.body = built.body.map(|_| Bytes::from(MASK));
    }
    built
}

/// What templates made of secrets in a request (`upper`, a slice, a text around one) and of the
/// connection's credential: texts that an answer may repeat. `shown` is `built` without secrets.
#[must_use]
pub fn derived(built: &Outgoing, shown: &Outgoing) -> Vec<String> {
    if std::ptr::eq(built, shown) && built.credential.is_none() {
        return Vec::new();
    }
    let mut texts = Vec::new();
    let cuts = ['/', '?', '&', '='];
    if built.url.split(cuts).count() == shown.url.split(cuts).count() {
        built.url.split(cuts).zip(shown.url.split(cuts)).for_each(|(was, is)| between(was, is, &mut texts));
    }
    for ((name, was), (_, is)) in built.headers.iter().zip(&shown.headers) {
        if built.credential.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name)) {
            texts.push(was.rsplit_once(' ').map_or(was.as_str(), |(_, credential)| credential).to_owned());
        } else {
            between(was, is, &mut texts);
        }
    }
    if let (Some(was), Some(is)) = (&built.body, &shown.body)
        && was != is
    {
        match (super::super::json::parse(was), super::super::json::parse(is)) {
            (Ok(was), Ok(is)) => leaves_between(&was, &is, &mut texts),
            _ => {
                if let (Ok(was), Ok(is)) = (std::str::from_utf8(was), std::str::from_utf8(is)) {
                    was.split('&').zip(is.split('&')).for_each(|(was, is)| between(was, is, &mut texts));
                }
            }
        }
    }
    texts
}

/// The part of a text that stands where `•••` is shown.
fn between(was: &str, is: &str, texts: &mut Vec<String>) {
    let (Some(first), Some(last)) = (is.find(MASK), is.rfind(MASK)) else { return };
    let (before, after) = (&is[..first], &is[last + MASK.len()..]);
    if let Some(middle) = was.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) {
        // As an answer may repeat it: as it is, and as it reads.
        if middle.contains('%')
            && let Some((read, _)) = ::url::form_urlencoded::parse(middle.as_bytes()).next()
        {
            texts.push(read.into_owned());
        }
        texts.push(middle.to_owned());
    }
}

fn leaves_between(was: &Value, is: &Value, texts: &mut Vec<String>) {
    match (was, is) {
        (Value::Array(was), Value::Array(is)) => {
            was.iter().zip(is).for_each(|(was, is)| leaves_between(was, is, texts));
        }
        (Value::Object(was), Value::Object(is)) => {
            for (key, is) in is {
                was.get(key).into_iter().for_each(|was| leaves_between(was, is, texts));
            }
        }
        (was, Value::String(is)) => between(&as_text(was), is, texts),
        _ => {}
    }
}

fn build_in(plan: &Plan, step: usize, scope: Scope<'_>) -> Result<Outgoing, RenderError> {
    let context = scope.context;
    let (written, Some(Parts::Exchange(parts))) =
        (&plan.flow.steps[step], plan.steps.get(step).map(|s| &s.parts))
    else {
        return Err(fail("step", "it is no step that sends".to_owned()));
    };
    let Some(exchange) = written.kind.exchange() else {
        return Err(fail("step", "it is no step that sends".to_owned()));
    };
    if let (Some(name), None) = (&exchange.connection, connection(plan, exchange)) {
        return Err(fail(
            "connection",
            format!("there is no connection {name:?}: the operator's configuration file has it no more"),
        ));
    }
    let mut renderer = Renderer { scope, missing: written.missing, left_out: Vec::new(), left: MAX_MADE };
    let url = match parts.url.render(&renderer.scope) {
        // A whole address that is secret: its text is looked for in what is shown.
        Err(_) if renderer.scope.masked => parts.url.render(&Scope::new(context)),
        url => url,
    };
    let mut url = url.map_err(|message| fail("url", message))?;
    if let Some(at) = url.find('#') {
        url.truncate(at);
    }
    for (name, value) in &parts.query {
        if let Some(value) = renderer.text(value, &place_key("query", name))? {
            if !url.ends_with(['?', '&']) {
                url.push(if url.contains('?') { '&' } else { '?' });
            }
            url::encode(&mut url, name);
            url.push('=');
            url::encode(&mut url, &value);
        }
    }
    let (mut headers, mut credential) = (Vec::new(), None);
    for (place, leaves) in [("connection.headers", &parts.connection_headers), ("headers", &parts.headers)] {
        if place == "headers"
            && let Some((name, value)) = credentials(&mut renderer, parts)?
        {
            set_header(&mut headers, &name, value, "connection.auth")?;
            credential = Some(name);
        }
        for (name, value) in leaves {
            let place = place_key(place, name);
            if let Some(value) = renderer.text(value, &place)? {
                set_header(&mut headers, name, value, &place)?;
            }
        }
    }
    let (body, content_type, same_body) = body(&mut renderer, parts, &exchange.body, context)?;
    if let Some(content_type) = content_type
        && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        headers.push(("Content-Type".to_owned(), content_type.to_owned()));
    }
    let connection = connection(plan, exchange);
    Ok(Outgoing {
        method: exchange.method.clone(),
        url,
        headers,
        body,
        same_body,
        left_out: renderer.left_out,
        proxy: connection.and_then(|connection| connection.proxy.clone()),
        verify_tls: connection.is_none_or(|connection| connection.verify_tls),
        ca_file: connection.and_then(|connection| connection.ca_file.clone()),
        credential,
    })
}

/// The connection that an exchange names.
fn connection<'p>(plan: &'p Plan, exchange: &RequestStep) -> Option<&'p Connection> {
    let name = exchange.connection.as_ref()?;
    plan.connections.iter().find(|connection| connection.name == *name)
}

/// Sets a header in place of one of the same name, whatever its case.
pub(super) fn set_header(
    headers: &mut Vec<(String, String)>,
    name: &str,
    value: String,
    place: &str,
) -> Result<(), RenderError> {
    if let Some(bad) = value.chars().find(|c| c.is_control() && *c != '\t') {
        return Err(fail(
            place,
            format!("{place} holds a control character (U+{:04X}): it was not sent", u32::from(bad)),
        ));
    }
    match headers.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
        Some((_, old)) => *old = value,
        None => headers.push((name.to_owned(), value)),
    }
    Ok(())
}

/// The header that a connection authenticates with. Nothing is sent without a credential that the
/// document asks for, whatever `missing` says.
fn credentials(
    renderer: &mut Renderer<'_>,
    parts: &Exchange,
) -> Result<Option<(String, String)>, RenderError> {
    use base64::Engine as _;
    let place = "connection.auth";
    let text = |leaf: &Leaf| match leaf.render(&renderer.scope).map_err(|message| fail(place, message))? {
        Rendered::Value(Value::Null) => Err(fail(place, "the credential is null".to_owned())),
        Rendered::Value(value) => Ok(as_text(&value)),
        Rendered::Missing(why) => Err(fail(place, why)),
    };
    Ok(match &parts.auth {
        None => None,
        Some(AuthParts::Bearer(token)) => {
            Some(("Authorization".to_owned(), format!("Bearer {}", text(token)?)))
        }
        Some(AuthParts::Basic(user, password)) => {
            let (user, password) = (text(user)?, text(password)?);
            let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            Some(("Authorization".to_owned(), format!("Basic {encoded}")))
        }
        Some(AuthParts::Header(name, value)) => Some((name.clone(), text(value)?)),
    })
}

const JSON: &str = "application/json";

type Built = (Option<Bytes>, Option<&'static str>, bool);

fn body(
    renderer: &mut Renderer<'_>,
    parts: &Exchange,
    written: &Body,
    context: &Context,
) -> Result<Built, RenderError> {
    Ok(match &parts.body {
        BodyParts::Empty if matches!(written, Body::Document) => {
            match (&context.raw_body, &context.request) {
                // A request without a body counts as `{}`, and that is what is sent.
                (Some(bytes), _) if !bytes.is_empty() => (Some(bytes.clone()), Some(JSON), true),
                (_, Some(request)) => (Some(Bytes::from(request.body.to_string())), Some(JSON), true),
                (_, None) => {
                    return Err(fail(
                        "body",
                        "the run has no request whose document could be sent".to_owned(),
                    ));
                }
            }
        }
        other => {
            let (bytes, kind) = written_body(renderer, other)?;
            (bytes, kind, false)
        }
    })
}

/// A body as the document writes it, and its content type.
pub(super) fn written_body(
    renderer: &mut Renderer<'_>,
    parts: &BodyParts,
) -> Result<(Option<Bytes>, Option<&'static str>), RenderError> {
    Ok(match parts {
        BodyParts::Empty => (None, None),
        BodyParts::Json(tree) => {
            let bytes = renderer.tree(tree, "json")?.map(|value| Bytes::from(value.to_string()));
            let kind = bytes.as_ref().map(|_| JSON);
            (bytes, kind)
        }
        BodyParts::Form(fields) => {
            let mut form = String::new();
            for (name, value) in fields {
                if let Some(value) = renderer.text(value, &place_key("form", name))? {
                    if !form.is_empty() {
                        form.push('&');
                    }
                    form.extend(::url::form_urlencoded::byte_serialize(name.as_bytes()));
                    form.push('=');
                    form.extend(::url::form_urlencoded::byte_serialize(value.as_bytes()));
                }
            }
            (Some(Bytes::from(form)), Some("application/x-www-form-urlencoded"))
        }
        BodyParts::Text(leaf) => {
            let text = renderer.text(leaf, "text")?.map(Bytes::from);
            let kind = text.as_ref().map(|_| "text/plain; charset=utf-8");
            (text, kind)
        }
    })
}
