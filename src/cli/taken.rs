//! Which aliases are taken: `check` asks the store of the data folder, where there is one.

use super::args::Global;
use super::config;
use super::door::Door;
use crate::api::Client;
use crate::model::ask::{Answer, Ask, Refusal};
use crate::store::Store;

/// Aliases of the integrations that are applied, but for those named, and their owners. Where the
/// store cannot be asked that is said, and documents are checked without it; none is ever made.
pub fn paths(global: &Global, own: &[String]) -> Vec<(String, String)> {
    match ask(global, own) {
        Ok(paths) => paths,
        Err(refusal) => {
            super::tell(&format!(
                "warning: paths of other integrations are not checked: {}",
                refusal.message
            ));
            Vec::new()
        }
    }
}

fn ask(global: &Global, own: &[String]) -> Result<Vec<(String, String)>, Refusal> {
    let settings = config::settings(global)?;
    if !Store::exists(&settings.data) && Client::connect(&settings.data).is_none() {
        return Ok(Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal::failed(format!("the runtime does not start: {error}")))?;
    let answer = runtime.block_on(async {
        let door = Door::open(&settings, global).await?;
        let answer = door.ask(Ask::Endpoints).await;
        door.close().await;
        answer
    });
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    let Answer::Endpoints { endpoints } = answer? else { return Err(super::verbs::unexpected()) };
    let others = endpoints.into_iter().filter(|endpoint| !own.contains(&endpoint.integration));
    Ok(others.filter_map(|one| Some((one.path?, format!("{} / {}", one.integration, one.flow)))).collect())
}
