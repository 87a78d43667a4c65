//! The programs that stay: `run` (receiver, runner and console) and `serve` (without console).

use super::args::{ColorChoice, Global};
use super::config::{self, default_url};
use super::door::{open_store, open_vault, who};
use super::events::{Events, tell_alerts};
use crate::console;
use crate::console::aside::Places;
use crate::console::kept::Kept;
use crate::desk::{self, Desk};
use crate::feed::{Feed, Stats};
use crate::model::ask::{Answer, Ask, Page, Refusal};
use crate::model::settings::Settings;
use crate::model::time::rfc3339;
use crate::scheduler::Slots;
use crate::session;
use crate::store::Store;
use crate::store::clock::Clock;
use crate::{api, receiver, runner};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Everything but the console, running.
pub struct Engine {
    /// Answers questions.
    pub desk: Desk,
    /// The settings, with the port that was really bound.
    pub settings: Arc<Settings>,
    /// The newest request of an earlier process.
    earlier: Option<String>,
    feed: Feed,
    store: Store,
    stats: Arc<Stats>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Engine {
    /// Opens the store, binds the address and starts receiver, runner and socket.
    ///
    /// # Errors
    /// The store is held by another process, or the address cannot be bound.
    pub async fn start(mut settings: Settings, tell: api::Tell) -> Result<Self, Refusal> {
        let tls =
            settings.inbound.tls.as_ref().map(receiver::Tls::read).transpose().map_err(Refusal::usage)?;
        // The address first: a second process on the same port should not touch the store.
        let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
            Refusal::failed(format!("{} cannot be listened on: {error}", settings.listen))
        })?;
        if let Ok(bound) = listener.local_addr() {
            settings.listen = bound;
        }
        if !settings.public_url_given {
            settings.public_url = default_url(settings.listen, settings.inbound.tls.is_some());
        }
        let metrics = match settings.inbound.metrics_listen {
            None => None,
            Some(address) => Some(TcpListener::bind(address).await.map_err(|error| {
                Refusal::failed(format!("--metrics-listen {address} cannot be listened on: {error}"))
            })?),
        };
        let operators = match settings.inbound.operator_listen {
            None => None,
            Some(address) => Some(TcpListener::bind(address).await.map_err(|error| {
                Refusal::failed(format!("--operator-listen {address} cannot be listened on: {error}"))
            })?),
        };
        let feed = Feed::default();
        let (store, handover) = open_store(&settings, &feed)?;
        let vault = open_vault(&settings)?;
        let stats = Arc::new(Stats::default());
        let stop = CancellationToken::new();
        let slots = Slots::new(settings.limits.slots);
        let settings = Arc::new(settings);
        let desk = Desk::new(desk::Deps {
            store: store.clone(),
            vault: vault.clone(),
            stats: stats.clone(),
            feed: feed.clone(),
            settings: settings.clone(),
            hosts: slots.hosts().clone(),
        });
        // Before the first request is judged.
        desk.load_keys().await?;
        desk.load_operators().await?;
        desk.equip().await?;
        if let Err(refusal) = desk.reachable_all() {
            store.close().await;
            return Err(refusal);
        }
        let newest = Page { limit: 1, ..Page::default() };
        let earlier = match desk.answer(&who("command line", true), Ask::Requests(newest)).await {
            Ok(Answer::Requests(rows)) => rows.rows.into_iter().next().map(|row| row.id),
            _ => None,
        };
        let runner = runner::Deps {
            store: store.clone(),
            handover,
            slots: slots.clone(),
            vault: vault.clone(),
            settings: settings.clone(),
        };
        // Before anybody is told that this process is ready.
        let door = api::Door::bind(&settings.data)
            .map_err(|error| Refusal::failed(format!("commands could not reach this process: {error}")))?
            .telling(Arc::clone(&tell));
        let secure = tls.as_ref().map(receiver::Tls::acceptor);
        let mut tasks = vec![runner::start(runner, stop.clone()).map_err(Refusal::failed)?];
        let deps = receiver::Deps {
            store: store.clone(),
            slots,
            vault,
            stats: stats.clone(),
            settings: settings.clone(),
            feed: feed.clone(),
            tls,
        };
        tasks.push(tokio::spawn(receiver::serve(listener, deps, stop.clone())));
        tasks.push(tokio::spawn(door.serve(desk.clone(), stop.clone())));
        tasks.push(tokio::spawn(desk.clone().work(stop.clone())));
        if let Some(operators) = operators {
            if let Ok(bound) = operators.local_addr() {
                super::tell(&format!("operators on {}", default_url(bound, secure.is_some())));
            }
            let served = api::serve_operators(operators, secure, desk.clone(), tell, stop.clone());
            tasks.push(tokio::spawn(served));
        }
        if let Some(metrics) = metrics {
            if let Ok(bound) = metrics.local_addr() {
                super::tell(&format!("figures on http://{bound}/metrics"));
            }
            tasks.push(tokio::spawn(api::serve_metrics(metrics, desk.clone(), stop.clone())));
        }
        Ok(Self { desk, settings, earlier, feed, store, stats, stop, tasks })
    }

    /// Stops in order: no new work, what is under way ends, the store is closed. A second signal
    /// cuts the wait short.
    pub async fn stop(self) {
        self.stats.stopping.store(true, Ordering::Relaxed);
        self.stop.cancel();
        let all = async {
            for task in self.tasks {
                let _ = task.await;
            }
        };
        tokio::select! {
            () = all => {}
            () = tokio::time::sleep(Duration::from_secs(40)) => super::tell("some work did not end in 40 s; it goes on at the next start"),
            () = terminated() => super::tell("stopped at once; what was under way goes on at the next start"),
        }
        self.store.close().await;
    }
}

/// Waits for SIGINT or SIGTERM (and SIGHUP, which a closed terminal sends).
pub async fn terminated() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let mut waits = Vec::new();
    for kind in kinds {
        if let Ok(mut signals) = signal(kind) {
            waits.push(Box::pin(async move {
                signals.recv().await;
            }));
        }
    }
    futures_util::future::select_all(waits).await;
}

/// `serve`: a line per event on stderr.
///
/// # Errors
/// It cannot start.
pub async fn serve(settings: Settings) -> Result<u8, Refusal> {
    let engine = Engine::start(settings, lines()).await?;
    super::tell(&format!(
        "receiving on {} · store in {} · ctrl-c stops",
        default_url(engine.settings.listen, engine.settings.inbound.tls.is_some()),
        engine.settings.data.display()
    ));
    watch(&engine).await;
    super::tell("stopping");
    engine.stop().await;
    Ok(0)
}

/// Writes a line per event until a signal comes.
pub async fn watch(engine: &Engine) {
    let events = Events {
        mailbox: engine.feed.watch(),
        desk: engine.desk.clone(),
        store: engine.store.clone(),
        last: engine.earlier.clone(),
        breaker: 0,
    };
    let lines = tokio::spawn(events.tell());
    let alerts = tokio::spawn(tell_alerts(engine.store.clone()));
    terminated().await;
    lines.abort();
    alerts.abort();
}

/// `run`: with the console; without a terminal it says so and serves.
///
/// # Errors
/// It cannot start.
pub async fn run(settings: Settings, global: &Global) -> Result<u8, Refusal> {
    if !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal()) {
        let unrecorded = if global.record.is_some() { "; nothing is recorded" } else { "" };
        super::tell(&format!("no terminal here, so no console: serving{unrecorded}"));
        return serve(settings).await;
    }
    let engine = Engine::start(settings, silence()).await?;
    let code = show(&engine, global, false).await;
    super::tell("stopping");
    engine.stop().await;
    code
}

/// Shows the console on an engine of this process, until the person quits; what that received may go
/// with it (`passing`).
///
/// # Errors
/// The terminal cannot be used.
pub async fn show(engine: &Engine, global: &Global, passing: bool) -> Result<u8, Refusal> {
    let who = who("console", global.read_only);
    let session = session::local(engine.desk.clone(), who.clone());
    let listen = Some(engine.settings.listen.to_string());
    let options = console_options(global, &who.name, listen, Some(engine.settings.data.join(KEPT)))?
        .keeping(Some(engine.settings.data.join(PICKS)));
    let loses = passing.then_some("What it received goes with it.");
    match console::run(session, console::Options { loses, ..options }).await {
        Ok(()) => Ok(0),
        Err(error) => Err(Refusal::failed(error.to_string())),
    }
}

/// The file of the data folder that keeps what was chosen in the console.
pub(super) const KEPT: &str = "console.json";

/// The file of the data folder that keeps pins, views and filters of its consoles.
pub(super) const PICKS: &str = "console-picks.json";

/// How a console is shown: on an address that ends with it, or on a server that goes on; and where
/// its choices are kept.
///
/// # Errors
/// The configuration file does not read.
pub(super) fn console_options(
    global: &Global,
    who: &str,
    quitting_stops: Option<String>,
    kept: Option<PathBuf>,
) -> Result<console::Options, Refusal> {
    let looks = config::looks(global)?;
    let detected = console::Options::detect(|name| std::env::var(name).ok());
    let color = match global.color {
        ColorChoice::Never => console::Depth::Mono,
        ColorChoice::Always if detected.color == console::Depth::Mono => console::Depth::Sixteen,
        ColorChoice::Always | ColorChoice::Auto => detected.color,
    };
    let places = Places { kept, themes: looks.folders };
    let kept = places.kept.as_deref().map(Kept::read).unwrap_or_default();
    let chosen = kept.get::<String>(console::KEPT_THEME);
    Ok(console::Options {
        ascii: global.ascii || detected.ascii,
        theme: global.theme.clone().or(chosen).or(looks.theme).unwrap_or_else(|| detected.theme.clone()),
        record: global.record.clone(),
        keymap: looks.keymap,
        themes: looks.themes,
        kept,
        places,
        color,
        quitting_stops,
        who: who.to_owned(),
        read_only: global.read_only,
        ..detected
    })
}

/// Says nothing: the terminal is the console's.
pub(super) fn silence() -> api::Tell {
    Arc::new(|_| {})
}

/// Writes a line with its time on stderr.
pub(super) fn lines() -> api::Tell {
    Arc::new(|said| super::tell(&format!("{} {said}", rfc3339(Clock::system().now()))))
}
