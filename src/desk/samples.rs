//! The integrations that ship with the program, saved and deployed at one word.

use super::Desk;
use crate::model::ask::{Answer, Apply, LoadedView, Refusal, Who};

/// A sample: its name, its document, and a payload for each flow that takes some, by the flow's id.
type Sample = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

macro_rules! sample {
    ($name:literal, $($flow:literal: $file:literal),+) => {
        (
            $name,
            include_str!(concat!("../../samples/", $name, "/integration.toml")),
            &[$(($flow, include_str!(concat!("../../samples/", $name, "/", $flow, "-", $file, ".json")))),+],
        )
    };
}

/// Each, as they lie in `samples/`.
const SAMPLES: [Sample; 6] = [
    sample!("shop-orders", "orders": "no-coupon"),
    sample!("github", "push": "main"),
    sample!("stripe", "events": "charge-succeeded"),
    sample!("acme-erp", "customers": "created", "inventory": "low"),
    sample!("forms", "submissions": "leave"),
    sample!("purchase", "requests": "small"),
];

impl Desk {
    /// Saves and deploys the samples; those that are there already stay as they are.
    pub(super) async fn load_samples(&self, who: &Who, dry_run: bool) -> Result<Answer, Refusal> {
        let state = self.deps.store.configured();
        let files = SAMPLES
            .iter()
            .filter(|(name, ..)| state.by_name(name).is_none())
            .map(|(name, source, _)| (format!("samples/{name}/integration.toml"), (*source).to_owned()))
            .collect::<Vec<_>>();
        if files.is_empty() {
            return Err(Refusal::refused("refused", "the samples are all there already"));
        }
        let reason = Some("the samples that ship with the program".to_owned());
        let answer = self.apply(who, Apply { files, reason, dry_run, ..Apply::default() }).await?;
        Ok(match answer {
            Answer::Done(mut done) if !dry_run => {
                done.lines.push(self.live());
                Answer::Loaded(LoadedView { done, sends: self.first_sends() })
            }
            other => other,
        })
    }

    /// The URL of a flow by its alias, where it has one.
    fn short_url(&self, name: &str, flow: &str, url: &str) -> String {
        let state = self.deps.store.configured();
        let alias = state.by_name(name).and_then(|holding| {
            let flows = &holding.live.as_ref()?.integration.flows;
            flows.iter().find(|one| one.name == flow)?.webhook()?.path.clone()
        });
        match (alias, url.split_once("/in/")) {
            (Some(alias), Some((host, _))) => {
                format!("{host}/in/{}", alias.trim_start_matches('/').trim_start_matches("in/"))
            }
            _ => url.to_owned(),
        }
    }

    /// A request for each flow of the samples that takes some.
    fn first_sends(&self) -> Vec<(String, String)> {
        let all = self.deps.store.integrations();
        let payload = |name: &str, flow: &str| {
            let (_, _, payloads) = SAMPLES.iter().find(|(sample, ..)| *sample == name)?;
            payloads.iter().find(|(id, _)| *id == flow).map(|(_, payload)| *payload)
        };
        let mut sends = Vec::new();
        for one in all.iter().filter(|one| one.deployed.is_some()) {
            for flow in &one.flows {
                let (Some(url), Some(body)) = (&flow.url, payload(&one.name, &flow.id)) else { continue };
                let url = self.short_url(&one.name, &flow.name, url);
                let body = compact(body).replace('\'', "'\\''");
                sends.push((format!("{} / {}", one.name, flow.name), format!("curl --json '{body}' {url}")));
            }
        }
        sends
    }
}

/// JSON in a line.
fn compact(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json)
        .map_or_else(|_| json.to_owned(), |value| value.to_string())
}

impl Desk {
    /// `6 integrations are live, 9 flows`: what there is now.
    fn live(&self) -> String {
        let all = self.deps.store.integrations();
        let live: Vec<_> = all.iter().filter(|one| one.deployed.is_some()).collect();
        let flows: usize = live.iter().map(|one| one.flows.len()).sum();
        let integrations = if live.len() == 1 {
            "1 integration is".to_owned()
        } else {
            format!("{} integrations are", live.len())
        };
        format!("{integrations} live, {flows} {}", if flows == 1 { "flow" } else { "flows" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_folder_is_listed_under_its_own_name() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
        let mut folders: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        folders.sort();
        let mut listed: Vec<&str> = SAMPLES.iter().map(|(name, ..)| *name).collect();
        listed.sort_unstable();
        assert_eq!(folders, listed);
        for (name, source, payloads) in SAMPLES {
            assert!(source.contains(&format!("name = \"{name}\"")), "{name}");
            assert!(payloads.iter().all(|(_, payload)| compact(payload).starts_with('{')), "{name}");
        }
    }
}
