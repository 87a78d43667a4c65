//! `demo`: everything against a built-in target with live sample traffic, in a folder that it names
//! and keeps until it ends.

use super::args::Global;
use super::door::who;
use super::serve::{self, Engine};
use super::verbs::unexpected;
use crate::demo::samples::SAMPLES;
use crate::demo::{target, traffic};
use crate::model::ask::{Answer, Ask, Refusal, Who};
use crate::model::settings::Settings;
use crate::model::view::{FlowView, IntegrationView};
use serde_json::Value;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A folder of this demo's own: named by the process, removed when it ends.
fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("pointsman-demo-{}", std::process::id()))
}

/// Runs the demo until the person quits.
///
/// # Errors
/// The target or the receiver cannot be started.
pub async fn demo(mut settings: Settings, global: &Global, headless: bool) -> Result<u8, Refusal> {
    let own = global.data.is_none();
    if own {
        settings.data = folder();
        if settings.data.exists() {
            return Err(Refusal::failed(format!(
                "{} is there already, from a demo that did not end well: remove it",
                settings.data.display()
            )));
        }
    }
    if global.listen.is_none() {
        // The demo shall start beside a server that is at work.
        settings.listen = free(settings.listen).await;
    }
    // The demo loads its samples itself; what is read-only is its console.
    settings.read_only = false;
    // Its senders and its target are on this machine.
    let secure = settings.inbound.tls.take().is_some();
    let beyond = |address: SocketAddr| !address.ip().to_canonical().is_loopback();
    if secure && settings.inbound.operator_listen.is_some_and(beyond) {
        return Err(Refusal::usage(
            "--operator-listen beyond 127.0.0.1 is not possible with demo: it serves without TLS",
        ));
    }
    let data = settings.data.clone();
    let code = play(settings, global, headless, own).await;
    if own {
        let _ = std::fs::remove_dir_all(&data);
    }
    code
}

/// The address if it is free, else another port of the same host.
async fn free(listen: SocketAddr) -> SocketAddr {
    match TcpListener::bind(listen).await {
        Ok(_) => listen,
        Err(_) => SocketAddr::new(listen.ip(), 0),
    }
}

async fn play(settings: Settings, global: &Global, headless: bool, own: bool) -> Result<u8, Refusal> {
    let stop = CancellationToken::new();
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(|error| Refusal::failed(format!("the demo's target cannot listen: {error}")))?;
    let target_url = listener
        .local_addr()
        .map(|addr| format!("http://{addr}"))
        .map_err(|error| Refusal::failed(error.to_string()))?;
    tokio::spawn(target::serve(listener, stop.clone()));
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let shown = terminal && !headless;
    let engine = Engine::start(settings, if shown { serve::silence() } else { serve::lines() }).await?;
    super::tell(&format!(
        "demo: receiving on http://{}, store in {}{}",
        engine.settings.listen,
        engine.settings.data.display(),
        if own { " until it ends" } else { ", which stays when it ends" }
    ));
    let who = who("demo", false);
    let endpoints = load(&engine, &who, &target_url).await?;
    tokio::spawn(traffic::run(endpoints, stop.clone()));
    let code = if shown {
        serve::show(&engine, global, own).await
    } else {
        serve::watch(&engine).await;
        Ok(0)
    };
    stop.cancel();
    engine.stop().await;
    code
}

/// Saves the samples and points their variables at the built-in target; their endpoints.
async fn load(engine: &Engine, who: &Who, target_url: &str) -> Result<Vec<traffic::Endpoint>, Refusal> {
    match engine.desk.answer(who, Ask::LoadSamples { dry_run: false }).await {
        // A folder of an earlier demo has them.
        Err(refusal) if refusal.code != "refused" => return Err(refusal),
        _ => {}
    }
    let Answer::Integrations { integrations } = engine.desk.answer(who, Ask::Integrations).await? else {
        return Err(unexpected());
    };
    for integration in &integrations {
        let values: Vec<(String, String)> = integration
            .variables
            .iter()
            .filter(|variable| variable.kind == "url")
            .map(|variable| (variable.name.clone(), target_url.to_owned()))
            .collect();
        if !values.is_empty() {
            let set = Ask::Set {
                name: integration.name.clone(),
                values,
                secret: None,
                reason: Some("the demo's target".to_owned()),
                dry_run: false,
            };
            engine.desk.answer(who, set).await?;
        }
    }
    Ok(integrations
        .iter()
        .flat_map(|integration| integration.flows.iter().filter_map(|flow| endpoint(integration, flow)))
        .collect())
}

/// Where the samples of a flow go; `None` for one without URL or without samples.
fn endpoint(integration: &IntegrationView, flow: &FlowView) -> Option<traffic::Endpoint> {
    let samples: Vec<_> = SAMPLES
        .iter()
        .filter(|sample| sample.name == integration.name)
        .flat_map(|sample| sample.payloads.iter())
        .filter(|(id, _, _)| *id == flow.id)
        .filter_map(|(_, _, json)| serde_json::from_str::<Value>(json).ok())
        .map(|value| match value.get("$request") {
            None => (Vec::new(), value),
            Some(request) => {
                let headers = request["headers"].as_object().into_iter().flatten();
                let headers = headers
                    .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                    .collect();
                (headers, request["body"].clone())
            }
        })
        .collect();
    let url = flow.url.clone()?;
    (!samples.is_empty()).then(|| traffic::Endpoint { url, method: "POST".to_owned(), samples })
}
