//! The integrations that ship with the program, saved and deployed at one word.

use super::Desk;
use crate::model::ask::{Answer, Apply, Refusal, Who};

/// Name and document of each, as they lie in `samples/`.
const SAMPLES: [(&str, &str); 6] = [
    ("shop-orders", include_str!("../../samples/shop-orders/integration.toml")),
    ("github", include_str!("../../samples/github/integration.toml")),
    ("stripe", include_str!("../../samples/stripe/integration.toml")),
    ("acme-erp", include_str!("../../samples/acme-erp/integration.toml")),
    ("forms", include_str!("../../samples/forms/integration.toml")),
    ("purchase", include_str!("../../samples/purchase/integration.toml")),
];

impl Desk {
    /// Saves and deploys the samples; those that are there already stay as they are.
    pub(super) async fn load_samples(&self, who: &Who) -> Result<Answer, Refusal> {
        let state = self.deps.store.configured();
        let files = SAMPLES
            .iter()
            .filter(|(name, _)| state.by_name(name).is_none())
            .map(|(name, source)| (format!("samples/{name}/integration.toml"), (*source).to_owned()))
            .collect::<Vec<_>>();
        if files.is_empty() {
            return Err(Refusal::refused("refused", "the samples are all there already"));
        }
        let reason = Some("the samples that ship with the program".to_owned());
        let answer = self.apply(who, Apply { files, reason, ..Apply::default() }).await?;
        Ok(match answer {
            Answer::Done(mut done) => {
                done.lines.push(self.live());
                Answer::Done(done)
            }
            other => other,
        })
    }
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
        let mut listed: Vec<&str> = SAMPLES.iter().map(|(name, _)| *name).collect();
        listed.sort_unstable();
        assert_eq!(folders, listed);
        for (name, source) in SAMPLES {
            assert!(source.contains(&format!("name = \"{name}\"")), "{name}");
        }
    }
}
