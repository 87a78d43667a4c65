//! `send`: posts a sample to a flow as a real sender would.
//!
//! A flow with a manual trigger has no endpoint: there a run is started with the body.
//! A sample is a JSON body, or `{"$request": {method, path, query, headers, body}}`; in `query` a name
//! with an array comes once for each of its values.

use super::door::Door;
use super::verbs::unexpected;
use super::{args, keys, local, output};
use crate::model::ask::keys::Sign;
use crate::model::ask::{Answer, Ask, Refusal, Start};
use crate::model::view::{EndpointView, FlowView};
use crate::rules::sample::{self, Sample};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;

/// Reads a sample file.
fn read(text: &str) -> Result<(Sample, Vec<u8>), Refusal> {
    sample::read(text).map_err(Refusal::usage)
}

/// Finds the endpoint of `NAME/FLOW`; `NAME` alone where it has one.
fn find<'e>(endpoints: &'e [EndpointView], to: &str) -> Result<&'e EndpointView, Refusal> {
    let (name, flow) = to.split_once('/').map_or((to, None), |(name, flow)| (name.trim(), Some(flow.trim())));
    let fits = |endpoint: &&EndpointView| {
        endpoint.integration == name
            && flow.is_none_or(|flow| {
                endpoint.flow.eq_ignore_ascii_case(flow) || endpoint.path.as_deref() == Some(flow)
            })
    };
    let found: Vec<&EndpointView> = endpoints.iter().filter(fits).collect();
    match found[..] {
        [one] => Ok(one),
        [] => {
            let all: Vec<String> =
                endpoints.iter().map(|one| format!("{}/{}", one.integration, one.flow)).collect();
            Err(Refusal::not_found(format!("no flow {to} with an endpoint; there are: {}", all.join(", "))))
        }
        _ => Err(Refusal::usage(format!("{to} has {} flows: write NAME/FLOW", found.len()))),
    }
}

/// The flow of `NAME/FLOW` (or of `NAME` alone, where it is the only one) where it is live and
/// started by hand.
async fn by_hand(door: &Door, to: &str) -> Result<Option<(String, String)>, Refusal> {
    let (name, flow) = to.split_once('/').map_or((to, None), |(name, flow)| (name.trim(), Some(flow.trim())));
    let Answer::Integrations { integrations } = door.ask(Ask::Integrations).await? else {
        return Err(unexpected());
    };
    let Some(found) = integrations.into_iter().find(|one| one.name == name && one.deployed.is_some()) else {
        return Ok(None);
    };
    let alone = found.flows.len() == 1;
    let meant = |one: &FlowView| {
        one.trigger == "manual"
            && flow.map_or(alone, |flow| one.name.eq_ignore_ascii_case(flow) || one.id == flow)
    };
    Ok(found.flows.into_iter().find(meant).map(|flow| (found.name, flow.name)))
}

/// The endpoint of a flow that was never deployed: it takes requests while a capture is open on it.
async fn captured(door: &Door, to: &str) -> Result<Option<EndpointView>, Refusal> {
    let (name, flow) = to.split_once('/').map_or((to, None), |(name, flow)| (name.trim(), Some(flow.trim())));
    let Answer::Integrations { integrations } = door.ask(Ask::Integrations).await? else {
        return Err(unexpected());
    };
    let Some(found) = integrations.into_iter().find(|one| one.name == name && one.deployed.is_none()) else {
        return Ok(None);
    };
    let meant =
        |one: &FlowView| flow.is_none_or(|flow| one.name.eq_ignore_ascii_case(flow) || one.id == flow);
    let mut all = found.flows.into_iter().filter(|one| one.url.is_some() && meant(one));
    let (Some(flow), None) = (all.next(), all.next()) else { return Ok(None) };
    super::tell("it was never deployed: it is taken only while a capture is open on it");
    let url = flow.url.unwrap_or_default();
    Ok(Some(EndpointView {
        id: url.rsplit('/').next().unwrap_or_default().to_owned(),
        url,
        path: None,
        integration: found.name,
        flow: flow.name,
        methods: Vec::new(),
        auth: flow.auth.unwrap_or_default(),
        last_request: None,
        paused: None,
    }))
}

/// Sends, and prints what was answered: exit code 0 for a 2xx, 4 for a refusal.
pub async fn send(door: &Door, args: args::Send) -> Result<u8, Refusal> {
    if let Some((integration, flow)) = by_hand(door, &args.to).await? {
        let (sample, body) = read(&local::read(&args.file)?)?;
        let body = String::from_utf8(body)
            .map_err(|_| Refusal::usage(format!("{} is not UTF-8, so it is no JSON", args.file.display())))?;
        if sample != (Sample { body: sample.body.clone(), ..Sample::default() }) {
            super::tell("a run that is started by hand has a body alone: the rest of $request is left out");
        }
        let body = if body.is_empty() { "{}".to_owned() } else { body };
        let start = Start { integration, flow, body, reason: None };
        let Answer::Acted(acted) = door.ask(Ask::Start(start)).await? else { return Err(unexpected()) };
        acted.lines.iter().for_each(|line| super::tell(line));
        if !door.served() {
            super::tell("nobody runs it yet: start `pointsman` or `pointsman serve` on this data folder");
        }
        for run in acted.runs {
            output::write(&(run + "\n"))?;
        }
        return Ok(0);
    }
    if !door.served() {
        return Err(Refusal::refused(
            "not_served",
            "nobody listens: start `pointsman` or `pointsman serve` on this data folder first",
        ));
    }
    let (sample, body) = read(&local::read(&args.file)?)?;
    let Answer::Endpoints { endpoints } = door.ask(Ask::Endpoints).await? else { return Err(unexpected()) };
    let endpoint = match find(&endpoints, &args.to) {
        Ok(endpoint) => endpoint.clone(),
        Err(refusal) => captured(door, &args.to).await?.ok_or(refusal)?,
    };
    let mut url = endpoint.url.clone();
    if let Some(path) = &sample.path {
        url.push('/');
        url.push_str(path.trim_start_matches('/'));
    }
    let mut url = url::Url::parse(&url).map_err(|error| Refusal::failed(format!("{url}: {error}")))?;
    let query = sample.pairs().map_err(Refusal::usage)?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    let method = sample.method.as_deref().or_else(|| endpoint.methods.first().map(String::as_str));
    let method = reqwest::Method::from_bytes(method.unwrap_or("POST").as_bytes())
        .map_err(|_| Refusal::usage("$request.method of the sample is no HTTP method"))?;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(90))
        .build()
        .map_err(|error| Refusal::failed(error.to_string()))?;
    let secret = args.secret_file.as_deref().map(keys::secret).transpose()?;
    let sign = Sign { endpoint: endpoint.id.clone(), body: STANDARD.encode(&body), secret };
    let signed = if endpoint.auth == "none" {
        Vec::new()
    } else {
        match door.ask(Ask::Sign(sign)).await? {
            Answer::Signed(signed) => signed.headers,
            _ => return Err(unexpected()),
        }
    };
    let mut request = client.request(method, url.clone());
    let typed = sample.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
    if !typed && !body.is_empty() {
        request = request.header("Content-Type", "application/json");
    }
    for (name, value) in &sample.headers {
        request = request.header(name, value);
    }
    // What the sample says itself, it wants so: a wrong signature, say.
    let own = |name: &str| sample.headers.keys().any(|other| other.eq_ignore_ascii_case(name));
    for (name, value) in signed.iter().filter(|(name, _)| !own(name)) {
        request = request.header(name, value);
    }
    let answer = request
        .body(body)
        .send()
        .await
        .map_err(|error| Refusal::failed(format!("{url} cannot be reached: {error}")))?;
    let status = answer.status();
    for name in ["Pointsman-Request-Id", "Pointsman-Duplicate-Of"] {
        if let Some(value) = answer.headers().get(name).and_then(|value| value.to_str().ok()) {
            super::tell(&format!("{name}: {value}"));
        }
    }
    super::tell(&format!("answered {status}"));
    let text = answer.text().await.unwrap_or_default();
    if !text.is_empty() {
        output::write(&(text + "\n"))?;
    }
    Ok(if status.is_success() { 0 } else { 4 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(integration: &str, flow: &str) -> EndpointView {
        EndpointView {
            id: "x".into(),
            url: "http://127.0.0.1:7700/in/x".into(),
            path: Some("orders".into()),
            integration: integration.into(),
            flow: flow.into(),
            methods: vec!["POST".into()],
            auth: "none".into(),
            last_request: None,
            paused: None,
        }
    }

    #[test]
    fn a_flow_is_found_by_name_or_alias() {
        let all = [endpoint("shop", "Orders"), endpoint("erp", "A"), endpoint("erp", "B")];
        assert_eq!(find(&all, "shop").unwrap().flow, "Orders");
        assert_eq!(find(&all, "shop/orders").unwrap().flow, "Orders");
        assert_eq!(find(&all, "erp/b").unwrap().flow, "B");
        assert_eq!(find(&all, "erp").unwrap_err().exit, 2);
        assert_eq!(find(&all, "none/x").unwrap_err().exit, 3);
    }
}
