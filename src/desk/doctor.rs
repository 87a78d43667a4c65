//! Checks of the store and of the settings: what is broken, what is only worth a line.

use super::Desk;
use crate::model::alert::AlertView;
use crate::model::ask::{Answer, Refusal};
use crate::model::auth::Auth;
use crate::model::change::Counters;
use crate::model::document::Trigger;
use crate::model::settings::Settings;
use crate::model::study::DriftView;
use crate::model::time::{DAY, HOUR, Ms};
use crate::model::view::{CheckState, CheckView};
use crate::rules::badges::{Badges, by_flow};
use std::net::IpAddr;
use std::path::Path;

impl Desk {
    /// Checks everything; broken ones first.
    pub(super) async fn doctor(&self) -> Result<Answer, Refusal> {
        let mut checks = self.deps.store.doctor().await;
        let settings = &self.deps.settings;
        let counters = self.counters();
        checks.extend(figures(&counters));
        checks.extend(super::breakers::checks(&counters.breakers));
        let mut files = files(&settings.data);
        // A key that the environment gives needs no file.
        files.retain(|check| check.name != "key file" || !self.deps.vault.given());
        checks.extend(files);
        checks.push(disk(settings));
        let state = self.deps.store.configured();
        let live = state.integrations.values().filter(|holding| !holding.removed);
        let live: Vec<_> = live.filter_map(|holding| holding.live.as_ref()).collect();
        let flows = || live.iter().flat_map(|doc| &doc.integration.flows);
        let callbacks = flows()
            .flat_map(|flow| &flow.steps)
            .any(|step| step.kind.exchange().is_some_and(|exchange| exchange.callback))
            || flows().any(|flow| matches!(flow.trigger, Trigger::Deploy { .. }));
        let window =
            flows().filter_map(|flow| flow.webhook()?.dedup.as_ref()).map(|dedup| dedup.window).max();
        checks.push(public_url(settings, callbacks));
        checks.push(networks(settings));
        checks.push(retention(settings, window));
        let auths: Vec<_> = flows().filter_map(|flow| Some((flow, &flow.webhook()?.auth))).collect();
        checks.extend(open_to_all(settings, auths.iter().any(|(_, auth)| **auth == Auth::None)));
        let ring = self.deps.vault.ring();
        for (name, why) in ring.closed() {
            let text =
                format!("key {name} cannot be used: {why}; put the right key file back, or add the key anew");
            checks.push(view("keys", CheckState::Broken, text));
        }
        let globals = &settings.connections.0;
        for flow in flows() {
            let exchanges = flow.steps.iter().filter_map(|step| step.kind.exchange());
            let named = exchanges.filter_map(|exchange| exchange.connection.as_ref());
            for name in named.filter(|name| name.starts_with("global/")) {
                if !globals.iter().any(|global| global.name == *name) {
                    let text = format!(
                        "{} names {name}, which the configuration file does not have: its steps fail",
                        flow.name
                    );
                    checks.push(view("connections", CheckState::Broken, text));
                }
            }
        }
        for holding in state.integrations.values().filter(|holding| !holding.removed) {
            for (variable, why) in &holding.closed {
                let text = format!(
                    "the secret {variable} of {0} cannot be used: {why}; put the right key file back, or \
                     pointsman set {0} {variable} --secret-file FILE",
                    holding.name
                );
                checks.push(view("secrets", CheckState::Broken, text));
            }
        }
        for (flow, auth) in auths {
            for name in auth.keys().iter().filter(|name| ring.get(name).is_none()) {
                let text = format!(
                    "{} names the key {name}, which is not there: pointsman key add {name}",
                    flow.name
                );
                checks.push(view("keys", CheckState::Warning, text));
            }
        }
        checks.extend(self.undelivered().await?);
        checks.extend(drifted(&self.drifts(None).await?));
        Ok(Answer::Doctor { checks })
    }

    /// Alerts that do not reach who is to be told.
    async fn undelivered(&self) -> Result<Vec<CheckView>, Refusal> {
        let store = &self.deps.store;
        let integrations = store.with_alerts(store.integrations()).await?;
        let mut checks: Vec<CheckView> = integrations
            .iter()
            .flat_map(|one| one.alerts.iter().map(|alert| (one.name.as_str(), alert)))
            .filter_map(|(name, alert)| undelivered(name, alert))
            .collect();
        for (integration, flow, run) in store.alert_flows_failing().await? {
            let run = crate::model::id::short(&run);
            let text =
                format!("alerts of {integration} go to the flow {flow}, whose newest run {run} failed");
            checks.push(view("alerts", CheckState::Warning, text));
        }
        Ok(checks)
    }
}

/// An alert whose last post did not arrive.
fn undelivered(integration: &str, alert: &AlertView) -> Option<CheckView> {
    let error = alert.error.as_ref()?;
    let waiting = match alert.waiting {
        0 => "it was given up".to_owned(),
        1 => "1 post waits".to_owned(),
        n => format!("{} posts wait", crate::text::count(n)),
    };
    let text = format!("alerts of {integration} do not reach {}: {error}; {waiting}", alert.receiver());
    Some(view("alerts", CheckState::Warning, text))
}

fn view(name: &str, state: CheckState, text: impl Into<String>) -> CheckView {
    CheckView { name: name.to_owned(), state, text: text.into() }
}

/// What the counters tell beside what the store looks at itself.
fn figures(counters: &Counters) -> Vec<CheckView> {
    let mut checks = Vec::new();
    if let Some(Some(why)) = &counters.probe {
        checks.push(view(
            "receiver",
            CheckState::Broken,
            format!("its own /healthz on {} does not answer: {why}", counters.listen),
        ));
    }
    if counters.queue >= counters.queue_limit && counters.queue_limit > 0 {
        checks.push(view(
            "queue",
            CheckState::Broken,
            format!(
                "{} runs wait: requests are answered 503 until there are fewer",
                crate::text::count(counters.queue)
            ),
        ));
    }
    checks
}

/// Whether others may read what they should not.
fn files(data: &Path) -> Vec<CheckView> {
    use std::os::unix::fs::PermissionsExt as _;
    let wanted = [
        ("data folder", data.to_path_buf(), 0o700, true),
        ("key file", data.join("key"), 0o600, true),
        ("socket", data.join("socket"), 0o600, false),
    ];
    wanted
        .into_iter()
        .map(|(name, path, mode, needed)| match std::fs::symlink_metadata(&path) {
            Ok(found) => {
                let has = found.permissions().mode() & 0o777;
                if has & !mode == 0 {
                    view(name, CheckState::Ok, format!("{} is for its owner alone", path.display()))
                } else {
                    let text = format!("{0} has mode {has:03o}: chmod {mode:o} {0}", path.display());
                    view(name, CheckState::Warning, text)
                }
            }
            Err(error) if needed => {
                view(name, CheckState::Broken, format!("{} cannot be looked at: {error}", path.display()))
            }
            Err(_) => view(name, CheckState::Ok, "no server runs: commands open the store themselves"),
        })
        .collect()
}

fn disk(settings: &Settings) -> CheckView {
    let folder = settings.data.display();
    let found = rustix::fs::statvfs(&settings.data);
    let free = match found {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            return view("disk", CheckState::Broken, format!("{folder} cannot be looked at: {error}"));
        }
    };
    let need = settings.limits.free_disk;
    let (has, least) = (crate::text::size(free), crate::text::size(need));
    if free < need {
        let text = format!("{has} are free in {folder}, less than {least}: requests are answered 503");
        view("disk", CheckState::Broken, text)
    } else if free < need.saturating_mul(2) {
        let text = format!("{has} are free in {folder}; under {least} requests are answered 503");
        view("disk", CheckState::Warning, text)
    } else {
        view("disk", CheckState::Ok, format!("{has} are free in {folder}"))
    }
}

fn public_url(settings: &Settings, callbacks: bool) -> CheckView {
    let url = &settings.public_url;
    let host = url::Url::parse(url).ok();
    let ip = host
        .as_ref()
        .and_then(|url| url.host_str())
        .and_then(|host| host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok());
    match (host, ip) {
        (None, _) => view("public_url", CheckState::Broken, format!("{url:?} is not a URL")),
        (_, Some(ip)) if ip.is_unspecified() && callbacks => {
            view("public_url", CheckState::Broken, format!("targets cannot call {url}: give --public-url"))
        }
        (_, Some(ip)) if ip.is_unspecified() => view(
            "public_url",
            CheckState::Warning,
            format!(
                "senders cannot use {url}: give --public-url, so that endpoints are shown as they are called"
            ),
        ),
        _ if !settings.public_url_given && !settings.listen.ip().is_loopback() && callbacks => view(
            "public_url",
            CheckState::Warning,
            format!(
                "callbacks are sent to {url}, which is the listening address: give --public-url if targets reach it otherwise"
            ),
        ),
        _ => view("public_url", CheckState::Ok, url.clone()),
    }
}

fn networks(settings: &Settings) -> CheckView {
    match &settings.allow_networks {
        Some(networks) if networks.iter().any(|network| network.prefix_len() == 0) => view(
            "allow_networks",
            CheckState::Warning,
            "a network of prefix 0 is allowed: outgoing requests may reach everything, metadata services too",
        ),
        Some(networks) if networks.is_empty() => {
            view("allow_networks", CheckState::Ok, "outgoing requests reach public addresses alone")
        }
        Some(networks) => {
            let all: Vec<String> = networks.iter().map(ToString::to_string).collect();
            let text = format!("outgoing requests may reach {} beside public addresses", all.join(", "));
            view("allow_networks", CheckState::Ok, text)
        }
        None => view(
            "allow_networks",
            CheckState::Ok,
            "not given: loopback is allowed as long as all of this is on one machine",
        ),
    }
}

fn retention(settings: &Settings, window: Option<Ms>) -> CheckView {
    let kept = span(settings.limits.retention);
    match window {
        Some(window) if window > settings.limits.retention => view(
            "retention",
            CheckState::Warning,
            format!(
                "requests are kept {kept}, and a dedup window is {}: the first request of a late duplicate may be gone",
                span(window)
            ),
        ),
        _ => view("retention", CheckState::Ok, format!("finished runs and their requests are kept {kept}")),
    }
}

/// Endpoints without authentication that others than this machine can reach.
fn open_to_all(settings: &Settings, any: bool) -> Option<CheckView> {
    let open = any && !settings.listen.ip().is_loopback();
    open.then(|| {
        view(
            "auth",
            CheckState::Warning,
            format!("endpoints on {} take requests from anyone: auth is none", settings.listen),
        )
    })
}

/// A line for each flow whose bodies have another shape than before.
fn drifted(drifts: &[DriftView]) -> Vec<CheckView> {
    let one = |group: &Badges<'_>| {
        let newest = group.newest()?;
        let said = match group.only() {
            Some(one) => format!("{}, request {}", one.words(), crate::model::id::short(&one.request)),
            None => format!("{}: {}", group.words(), group.ends()),
        };
        let text = format!(
            "{} / {}: {said}; `pointsman drift ls` lists, `drift ok` takes away",
            newest.integration, newest.flow
        );
        Some(view("drift", CheckState::Warning, text))
    };
    by_flow(drifts).iter().filter_map(one).collect()
}

fn span(ms: Ms) -> String {
    if ms >= DAY && ms % DAY == 0 { format!("{}d", ms / DAY) } else { format!("{}h", ms / HOUR) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(listen: &str, url: &str) -> Settings {
        Settings {
            data: "/nowhere".into(),
            listen: listen.parse().unwrap(),
            public_url: url.into(),
            public_url_given: false,
            read_only: false,
            limits: crate::model::settings::Limits::default(),
            allow_networks: None,
            inbound: crate::model::gate::Inbound::default(),
            connections: crate::model::settings::Globals::default(),
        }
    }

    #[test]
    fn an_unspecified_public_url_is_broken_where_callbacks_need_it() {
        let given = settings("0.0.0.0:7700", "http://0.0.0.0:7700");
        assert_eq!(public_url(&given, true).state, CheckState::Broken);
        assert_eq!(public_url(&given, false).state, CheckState::Warning);
        let six = settings("[::]:7700", "http://[::]:7700");
        assert_eq!(public_url(&six, true).state, CheckState::Broken);
        let local = settings("127.0.0.1:7700", "http://127.0.0.1:7700");
        assert_eq!(public_url(&local, true).state, CheckState::Ok);
    }

    #[test]
    fn figures_past_their_bounds_are_said() {
        let mut counters = Counters { queue_limit: 5, queue: 4, probe: Some(None), ..Counters::default() };
        assert!(figures(&counters).is_empty());
        counters.queue = 5;
        counters.probe = Some(Some("timed out".into()));
        let found = figures(&counters);
        let names: Vec<&str> = found.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names, ["receiver", "queue"]);
        assert!(found.iter().all(|check| check.state == CheckState::Broken));
    }

    #[test]
    fn modes_that_let_others_in_are_said_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let key = folder.path().join("key");
        std::fs::write(&key, "k").unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let found = files(folder.path());
        let check = found.iter().find(|check| check.name == "key file").unwrap();
        assert_eq!(check.state, CheckState::Warning);
        assert!(check.text.contains("has mode 644: chmod 600"), "{}", check.text);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let found = files(folder.path());
        assert!(found.iter().all(|check| check.state == CheckState::Ok), "{found:?}");
        assert_eq!(files(Path::new("/nowhere"))[0].state, CheckState::Broken);
    }

    #[test]
    fn a_window_longer_than_the_retention_is_a_line() {
        let given = settings("127.0.0.1:1", "http://127.0.0.1:1");
        let kept = given.limits.retention;
        assert_eq!(retention(&given, Some(kept)).state, CheckState::Ok);
        assert_eq!(retention(&given, Some(kept + 1)).state, CheckState::Warning);
        assert!(open_to_all(&settings("0.0.0.0:1", "http://x"), true).is_some());
        assert!(open_to_all(&given, true).is_none());
    }
}
