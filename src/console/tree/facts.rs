//! What is known of what the cursor is on: a flow's URL and who may send, a step as it is written,
//! values with secrets masked, keys, the next ticks, how the last run of a trigger ended.

use super::{Part, Tree};
use crate::console::format::{clock, exact, size, took};
use crate::console::glyphs;
use crate::console::keymap::Keymap;
use crate::console::lines::Line;
use crate::console::payload::value_text;
use crate::console::theme::Role;
use crate::model::auth::Auth;
use crate::model::credential::KeyView;
use crate::model::document::{
    Body, ConnectionAuth, Delay, Flow, Integration, Missing, OnError, Reply, RequestStep, StatusMatch, Step,
    StepKind, Webhook,
};
use crate::model::id::short;
use crate::model::study::DriftView;
use crate::model::time::{HOUR, MINUTE, Ms, parse_rfc3339};
use crate::model::view::{FlowView, IntegrationView, VariableView};
use crate::rules::badges::{Badges, by_flow};
use crate::rules::explain::written;
use jiff::tz::TimeZone;
use serde_json::Value;

/// What names the line of a URL: there `y` copies it.
pub const URL: &str = "url";

/// The label of a line that goes on with the one above it.
const GOES_ON: &str = " ";

/// How times are written.
pub(super) struct Times<'t> {
    now: Ms,
    zone: &'t TimeZone,
    keys: &'t Keymap,
}

impl Times<'_> {
    pub(super) fn short(&self, text: &str) -> String {
        parse_rfc3339(text).map_or_else(|| text.to_owned(), |at| clock(at, self.now, self.zone))
    }

    fn whole(&self, text: &str) -> String {
        parse_rfc3339(text).map_or_else(|| text.to_owned(), |at| exact(at, self.zone))
    }
}

/// The lines.
#[must_use]
pub fn facts(tree: &Tree, drifts: &[DriftView], (now, zone): (Ms, &TimeZone), keymap: &Keymap) -> Vec<Line> {
    let (Some(node), Some(one)) = (tree.current(), tree.integration()) else { return Vec::new() };
    let times = Times { now, zone, keys: keymap };
    let document = tree.document(&one.name);
    let flow = tree.flow();
    let written = flow.and_then(|flow| document?.flows.iter().find(|known| known.name == flow.name));
    let mut lines = Vec::new();
    match (&node.part, flow) {
        (Part::Whole, _) => {
            whole(one, &times, &mut lines);
            values(one, document, &tree.keys, &times, &mut lines);
        }
        (Part::Values, _) => values(one, document, &tree.keys, &times, &mut lines),
        (Part::Step(_, at), _) => match written.and_then(|flow| flow.steps.get(*at)) {
            Some(found) => step(found, document, &mut lines),
            None => lines.push(Line::text("asking the store…", Role::Muted)),
        },
        (Part::Flow(_) | Part::Trigger(_), Some(flow)) => {
            of_flow(flow, written, &times, &mut lines);
            keys(keys_of(&one.name, Some(&flow.name), &tree.keys), &times, &mut lines);
            if let (Part::Flow(_), Some(written)) = (&node.part, written) {
                for (at, step) in written.steps.iter().enumerate() {
                    let label = if at == 0 { "steps" } else { GOES_ON };
                    let text = format!("{} {}   {}", at + 1, step.name, step_words(step));
                    lines.push(Line::label(label, text, Role::Text));
                }
            }
        }
        (Part::Flow(_) | Part::Trigger(_), None) => {}
    }
    let here = |group: &&Badges<'_>| {
        let of = group.newest();
        of.is_some_and(|of| of.integration == one.name && node.part.flow().is_none_or(|flow| flow == of.flow))
    };
    for group in by_flow(drifts).iter().filter(here) {
        drifted(group, &times, &mut lines);
    }
    lines
}

/// The badges of a flow: one is told whole, of more how many, the first and the newest.
fn drifted(group: &Badges<'_>, times: &Times<'_>, lines: &mut Vec<Line>) {
    let told = |one: &DriftView| {
        format!("{}, since {} ({})", one.words(), times.short(&one.at), short(&one.request))
    };
    let mut say = |label: &str, text: String| lines.push(Line::label(label, text, Role::New));
    match (group.only(), group.first(), group.newest()) {
        (Some(one), ..) => say("• drift", format!("{}: {}", one.flow, told(one))),
        (None, Some(first), Some(newest)) => {
            say("• drift", format!("{}: {}; Needs you lists them", newest.flow, group.words()));
            say(GOES_ON, format!("first {}", told(first)));
            say(GOES_ON, format!("newest {}", told(newest)));
        }
        _ => {}
    }
}

fn whole(one: &IntegrationView, times: &Times<'_>, lines: &mut Vec<Line>) {
    lines.push(Line::label("title", one.title.clone(), Role::Text));
    if !one.description.is_empty() {
        lines.push(Line { opens: true, ..Line::label("for", one.description.clone(), Role::Text) });
    }
    let live = one.deployed.map_or_else(|| "nothing is live".to_owned(), |live| format!("v{live}"));
    let draft = one.draft.map_or_else(String::new, |draft| format!(", draft v{draft}"));
    let saved = format!("saved {} by {}", times.short(&one.saved), one.author);
    let role = if one.deployed.is_some() { Role::Text } else { Role::Warn };
    lines.push(Line::label("live", format!("{live}{draft}; {saved}"), role));
    if let Some(paused) = &one.paused {
        lines.push(Line::label("paused", pause(paused, times), Role::Warn));
    }
    for flow in one.flows.iter().filter(|flow| flow.last_run.is_some()) {
        last_run(flow, times, lines);
    }
}

fn pause(paused: &crate::model::gate::PauseView, times: &Times<'_>) -> String {
    let does =
        if paused.hold { "requests are taken, their runs are held" } else { "requests are answered 503" };
    let until =
        paused.until.as_deref().map_or_else(String::new, |until| format!(" until {}", times.whole(until)));
    format!("{does}{until}, since {}; {} resumes", times.short(&paused.since), times.keys.pressed("P"))
}

fn last_run(flow: &FlowView, times: &Times<'_>, lines: &mut Vec<Line>) {
    let Some(run) = &flow.last_run else { return };
    let (glyph, role) = glyphs::run(run.state);
    let cause = run.cause.as_deref().map_or_else(String::new, |cause| format!(": {cause}"));
    let text = format!("{glyph} {} {} {}{cause}", short(&run.run), run.state.word(), times.short(&run.time));
    let role = if run.bad() { Role::Bad } else { role };
    lines.push(Line::label(&format!("last {}", flow.trigger), text, role));
}

fn of_flow(flow: &FlowView, written: Option<&Flow>, times: &Times<'_>, lines: &mut Vec<Line>) {
    if let Some(flow) = written.filter(|flow| !flow.description.is_empty()) {
        lines.push(Line { opens: true, ..Line::label("for", flow.description.clone(), Role::Text) });
    }
    if let Some(paused) = &flow.paused {
        lines.push(Line::label("paused", pause(paused, times), Role::Warn));
    }
    if let Some(url) = &flow.url {
        let line = Line::label("url", url.clone(), Role::Text);
        lines.push(Line { path: URL.to_owned(), whole: Some(url.as_str().into()), ..line });
    } else {
        lines.push(Line::label("starts", format!("by its trigger: {}", flow.trigger), Role::Text));
    }
    if let Some(hook) = written.and_then(Flow::webhook) {
        webhook(hook, flow, times, lines);
    } else if let Some(auth) = &flow.auth {
        lines.push(Line::label("auth", auth.clone(), Role::Text));
    }
    if let Some(schedule) = &flow.schedule {
        let zone = schedule.zone.as_deref().map_or_else(String::new, |zone| format!(", {zone}"));
        lines.push(Line::label("schedule", format!("{}{zone}", schedule.rule), Role::Text));
        for (at, tick) in schedule.next.iter().enumerate() {
            lines.push(Line::label(if at == 0 { "next" } else { GOES_ON }, times.whole(tick), Role::Text));
        }
        if schedule.next.is_empty() {
            lines.push(Line::label("next", "no tick: it is not live", Role::Warn));
        }
        if let Some(last) = &schedule.last {
            lines.push(Line::label("last", times.whole(last), Role::Muted));
        }
        if schedule.made_up > 0 {
            let text = format!("{} ticks were missed and folded into a later one", schedule.made_up);
            lines.push(Line::label("missed", text, Role::Muted));
        }
    }
    last_run(flow, times, lines);
}

fn webhook(hook: &Webhook, flow: &FlowView, times: &Times<'_>, lines: &mut Vec<Line>) {
    if let Some(path) = &hook.path {
        let base = flow.url.as_deref().and_then(|url| url.split("/in/").next()).unwrap_or_default();
        let path = path.trim_start_matches('/').trim_start_matches("in/");
        let alias = format!("{base}/in/{path}");
        let line = Line::label("alias", alias.clone(), Role::Text);
        lines.push(Line { path: "alias".to_owned(), whole: Some(alias.into()), ..line });
    }
    let (text, role) = auth(&hook.auth);
    let traffic = flow.traffic.as_ref();
    lines.push(Line::label("auth", text, role));
    if let Some(at) = traffic.and_then(|traffic| traffic.last_refused.as_deref()) {
        lines.push(Line::label("refused", format!("last at {}", times.short(at)), Role::Text));
    }
    lines.push(Line::label("methods", hook.methods.join(" "), Role::Text));
    if let Some(dedup) = &hook.dedup {
        let fields: Vec<String> = dedup.fields.iter().map(ToString::to_string).collect();
        let from = if dedup.from_first { "from the first" } else { "from the last copy" };
        let hits =
            traffic.and_then(super::traffic::hits).map_or_else(String::new, |hits| format!("   {hits}"));
        let text = format!("{}   {} {from}{hits}", fields.join(", "), written(dedup.window));
        lines.push(Line::label("dedup", text, Role::Text));
    }
    if !hook.required.is_empty() {
        let paths: Vec<String> = hook.required.iter().map(ToString::to_string).collect();
        lines.push(Line::label("required", paths.join(", "), Role::Text));
    }
    if let Some(when) = &hook.when {
        lines.push(Line { opens: true, ..Line::label("when", when.clone(), Role::Template) });
    }
    if let Some(split) = &hook.split {
        lines.push(Line::label("split", format!("{split}: one run an element"), Role::Text));
    }
    let reply = match hook.reply {
        Reply::Accept => "accept".to_owned(),
        Reply::Wait(patience) => format!("wait, at most {}", written(patience.timeout)),
        Reply::Poll(patience) => format!("poll, after {}", written(patience.timeout)),
    };
    let mut limits = vec![size(hook.max_body)];
    if let Some(rate) = hook.gates.rate_limit {
        let per = match rate.per {
            HOUR => "h",
            MINUTE => "m",
            _ => "s",
        };
        limits.push(format!("{}/{per}", rate.count));
    }
    match hook.gates.concurrency {
        0 => {}
        1 => limits.push("one run after the other".to_owned()),
        many => limits.push(format!("{many} runs at once")),
    }
    if !hook.gates.allow_from.is_empty() {
        let networks: Vec<String> = hook.gates.allow_from.iter().map(ToString::to_string).collect();
        limits.push(format!("from {}", networks.join(" ")));
    }
    lines.push(Line::label("reply", reply, Role::Text));
    lines.push(Line::label("limits", limits.join(" · "), Role::Text));
    lines.extend(traffic.map(|traffic| super::traffic::last(traffic, times)));
    if !hook.gates.mask.is_empty() {
        let paths: Vec<String> = hook.gates.mask.iter().map(ToString::to_string).collect();
        lines.push(Line::label("masked", paths.join(", "), Role::Text));
    }
}

fn auth(auth: &Auth) -> (String, Role) {
    let keys = auth.keys().join(", ");
    let word = auth.word();
    match auth {
        Auth::None => ("none (open): anybody who has the URL may send".to_owned(), Role::Warn),
        Auth::Signature { provider, .. } => {
            (format!("{word} of {}, keys {keys}", provider.word()), Role::Text)
        }
        Auth::ApiKey { header, .. } => (format!("{word} in {header}, keys {keys}"), Role::Text),
        Auth::Jwt { .. } | Auth::Basic { .. } => (format!("{word}, keys {keys}"), Role::Text),
    }
}

/// The keys that an integration, or one of its flows, names.
pub fn keys_of<'k>(
    integration: &'k str,
    flow: Option<&'k str>,
    keys: &'k [KeyView],
) -> impl Iterator<Item = &'k KeyView> {
    keys.iter().filter(move |key| {
        key.flows
            .iter()
            .filter_map(|named| named.split_once('/'))
            .any(|(owner, named)| owner == integration && flow.is_none_or(|flow| named == flow))
    })
}

fn keys<'k>(keys: impl Iterator<Item = &'k KeyView>, times: &Times<'_>, lines: &mut Vec<Line>) {
    for (at, key) in keys.enumerate() {
        let algorithm = key.algorithm.as_deref().map_or_else(String::new, |name| format!(" {name}"));
        let used = key.used.as_deref().map_or_else(
            || "never used".to_owned(),
            |used| format!("last let somebody in {}", times.short(used)),
        );
        let label = if at == 0 { "keys" } else { GOES_ON };
        lines.push(Line::label(label, format!("{}   {}{algorithm}, {used}", key.name, key.kind), Role::Text));
    }
}

fn values(
    one: &IntegrationView,
    document: Option<&Integration>,
    all: &[KeyView],
    times: &Times<'_>,
    lines: &mut Vec<Line>,
) {
    for (at, variable) in one.variables.iter().enumerate() {
        let (text, role) = value(variable, times);
        let label = if at == 0 { "variables" } else { GOES_ON };
        let line = Line::label(label, format!("{} = {text}", variable.name), role);
        let path = format!("{}{}", super::setting::PATH, variable.name);
        lines.push(Line { note: variable.kind.clone(), path, ..line });
    }
    for (at, connection) in document.into_iter().flat_map(|doc| &doc.connections).enumerate() {
        let label = if at == 0 { "connections" } else { GOES_ON };
        let auth = match &connection.auth {
            None => "no credentials",
            Some(ConnectionAuth::Bearer { .. }) => "bearer",
            Some(ConnectionAuth::Basic { .. }) => "basic",
            Some(ConnectionAuth::Header { .. }) => "header",
        };
        let url = connection.base_url.as_deref().unwrap_or("no base_url");
        let tls = if connection.verify_tls { "" } else { ", certificate not verified" };
        let role = if connection.verify_tls { Role::Text } else { Role::Warn };
        lines.push(Line::label(label, format!("{}   {auth}{tls}   {url}", connection.name), role));
    }
    keys(keys_of(&one.name, None, all), times, lines);
    if lines.is_empty() {
        lines.push(Line::label(
            "none",
            times.keys.say("no variable, no connection, no key; {e} and {i} add one"),
            Role::Muted,
        ));
    }
}

/// A value as it may be shown: of a secret only whether it is set.
fn value(variable: &VariableView, times: &Times<'_>) -> (String, Role) {
    let none = variable.value.is_null();
    if none && variable.required {
        return ("not set, and required".to_owned(), Role::Warn);
    }
    if variable.kind == "secret" {
        let text = match &variable.stands {
            _ if none || !variable.set => "not set".to_owned(),
            Some(set) => format!("••• set {} by {}", times.short(&set.at), set.by),
            None => "••• set".to_owned(),
        };
        return (text, Role::Text);
    }
    let (role, text) = value_text(&variable.value);
    let default = if variable.set || none { "" } else { "   (default)" };
    (format!("{text}{default}"), role)
}

/// A step in a few words: `POST progix`, `send dms   callback 7d`.
#[must_use]
pub fn step_words(step: &Step) -> String {
    match &step.kind {
        StepKind::Request(exchange) => {
            let callback = if exchange.callback { callback(exchange) } else { String::new() };
            format!("{} {}{callback}", exchange.method, to(exchange))
        }
        StepKind::Send(exchange) => format!("send {}{}", to(exchange), callback(exchange)),
        StepKind::Delay(Delay::For(time)) => format!("delay {}", written(*time)),
        other => other.word().to_owned(),
    }
}

fn callback(exchange: &RequestStep) -> String {
    format!("   callback {}", written(exchange.callback_deadline))
}

fn to(exchange: &RequestStep) -> &str {
    exchange.connection.as_deref().unwrap_or(&exchange.url)
}

fn step(step: &Step, document: Option<&Integration>, lines: &mut Vec<Line>) {
    lines.push(Line::label("type", step.kind.word(), Role::Text));
    if let Some(when) = &step.when {
        lines.push(Line { opens: true, ..Line::label("when", when.clone(), Role::Template) });
    }
    match &step.kind {
        StepKind::Request(exchange) | StepKind::Send(exchange) => exchange_lines(exchange, document, lines),
        StepKind::Set(outputs) => pairs("outputs", outputs, lines),
        StepKind::Fail { message, status } => {
            lines.push(Line::label("status", status.to_string(), Role::Text));
            lines.push(Line { opens: true, ..Line::label("message", message.clone(), Role::Template) });
        }
        StepKind::Delay(Delay::For(time)) => lines.push(Line::label("for", written(*time), Role::Text)),
        StepKind::Delay(Delay::Until(text)) => {
            lines.push(Line { opens: true, ..Line::label("until", text.clone(), Role::Template) });
        }
        StepKind::Respond(respond) => {
            lines.push(Line::label("status", respond.status.to_string(), Role::Text));
            pairs("headers", &respond.headers, lines);
            body(&respond.body, lines);
        }
    }
    let missing = match step.missing {
        Missing::Omit => "omit",
        Missing::Empty => "empty",
        Missing::Fail => "fail",
    };
    let on_error = match step.on_error {
        OnError::Stop => "stop: the run is errored, a person decides",
        OnError::Continue => "continue without its values",
        OnError::Abort => "abort: the run ends failed",
    };
    lines.push(Line::label("missing", missing, Role::Muted));
    lines.push(Line::label("on_error", on_error, Role::Muted));
}

fn exchange_lines(exchange: &RequestStep, document: Option<&Integration>, lines: &mut Vec<Line>) {
    let url = format!("{} {}", exchange.method, exchange.url);
    lines.push(Line { opens: true, ..Line::label("url", url, Role::Text) });
    if let Some(name) = &exchange.connection {
        let found = document.and_then(|doc| doc.connections.iter().find(|one| one.name == *name));
        let base = found.and_then(|one| one.base_url.as_deref()).unwrap_or_default();
        lines.push(Line::label("connection", format!("{name}   {base}").trim_end().to_owned(), Role::Text));
    }
    pairs("query", &exchange.query, lines);
    pairs("headers", &exchange.headers, lines);
    body(&exchange.body, lines);
    lines.push(Line::label("timeout", took(exchange.timeout), Role::Text));
    let success: Vec<String> = exchange.success.iter().map(|one| status(*one)).collect();
    lines.push(Line::label("success", success.join(" "), Role::Text));
    if exchange.callback {
        let text = format!("a 202 waits, at most {}", written(exchange.callback_deadline));
        lines.push(Line::label("callback", text, Role::Text));
    }
    let retry = &exchange.retry;
    let grows = if retry.exponential { ", doubling" } else { "" };
    let again =
        if retry.attempts > 1 { format!(", after {}{grows}", written(retry.delay)) } else { String::new() };
    lines.push(Line::label("attempts", format!("{}{again}", retry.attempts), Role::Text));
    if !exchange.idempotent {
        lines.push(Line::label("idempotent", "no: a repeat may act twice", Role::Text));
    }
    for (at, (name, path)) in exchange.outputs.iter().enumerate() {
        lines.push(Line::label(
            if at == 0 { "outputs" } else { GOES_ON },
            format!("{name} = {path}"),
            Role::Text,
        ));
    }
    for (at, (codes, text)) in exchange.errors.iter().enumerate() {
        let line = Line::label(
            if at == 0 { "errors" } else { GOES_ON },
            format!("{} {text}", status(*codes)),
            Role::Text,
        );
        lines.push(Line { opens: true, ..line });
    }
}

fn status(one: StatusMatch) -> String {
    match one {
        StatusMatch::Code(code) => code.to_string(),
        StatusMatch::Class(class) => format!("{class}xx"),
    }
}

fn pairs(label: &str, pairs: &[(String, String)], lines: &mut Vec<Line>) {
    for (at, (name, text)) in pairs.iter().enumerate() {
        let line = Line::label(if at == 0 { label } else { GOES_ON }, format!("{name} = {text}"), Role::Text);
        lines.push(Line { opens: true, ..line });
    }
}

fn body(body: &Body, lines: &mut Vec<Line>) {
    match body {
        Body::Empty => {}
        Body::Document => lines.push(Line::label("body", "the request's own, as it came", Role::Text)),
        Body::Json(tree) => {
            let text = serde_json::to_string_pretty(tree).unwrap_or_default();
            let line = Line::label("json", Value::to_string(tree), Role::Template);
            lines.push(Line { opens: true, whole: Some(text.into()), ..line });
        }
        Body::Form(fields) => pairs("form", fields, lines),
        Body::Text(text) => {
            lines.push(Line { opens: true, ..Line::label("text", text.clone(), Role::Template) });
        }
    }
}
