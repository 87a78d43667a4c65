//! The request of a step, built whole before anything is sent.

use super::leaf::{Leaf, Rendered, as_text};
use super::parts::{AuthParts, BodyParts, Exchange, Parts};
use super::tree::Renderer;
use super::value::Scope;
use super::{Context, MAX_MADE, Outgoing, RenderError, fail, place_key, url};
use crate::model::document::Body;
use crate::rules::plan::Plan;
use bytes::Bytes;
use serde_json::Value;

/// Builds the request of a `request` or `send` step.
///
/// # Errors
/// A value that a URL needs is missing, `missing = "fail"`, `error("…")`, a bound, a bad header.
pub fn build(plan: &Plan, step: usize, context: &Context) -> Result<Outgoing, RenderError> {
    let (written, Some(Parts::Exchange(parts))) =
        (&plan.flow.steps[step], plan.steps.get(step).map(|s| &s.parts))
    else {
        return Err(fail("step", "it is no step that sends".to_owned()));
    };
    let Some(exchange) = written.kind.exchange() else {
        return Err(fail("step", "it is no step that sends".to_owned()));
    };
    let mut renderer = Renderer {
        scope: Scope::new(context),
        missing: written.missing,
        left_out: Vec::new(),
        left: MAX_MADE,
    };
    let mut url = parts.url.render(&renderer.scope).map_err(|message| fail("url", message))?;
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
    let mut headers = Vec::new();
    for (place, leaves) in [("connection.headers", &parts.connection_headers), ("headers", &parts.headers)] {
        if place == "headers"
            && let Some((name, value)) = credentials(&mut renderer, parts)?
        {
            set_header(&mut headers, &name, value, "connection.auth")?;
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
    let connection = exchange
        .connection
        .as_ref()
        .and_then(|name| plan.connections.iter().find(|connection| connection.name == *name));
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
    })
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
