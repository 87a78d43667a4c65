//! `store backup FILE`: it reads the file itself, so it works beside a running server and without one.

use super::args::{Output, StoreCommand};
use super::output;
use crate::model::ask::Refusal;
use crate::model::settings::Settings;
use crate::store::backup::{self, BackupError};
use crate::text::size;
use crate::vault::{KEY_FILE, KEY_VARIABLE};

/// What `store` does.
///
/// # Errors
/// There is no store, the file is there already, or the disk.
pub fn store(settings: &Settings, command: StoreCommand, format: Output) -> Result<u8, Refusal> {
    let StoreCommand::Backup { file } = command;
    let made = backup::backup(&settings.data, &file).map_err(|error| match error {
        BackupError::NoStore(_) => Refusal::not_found(error.to_string()),
        BackupError::Exists(_) => Refusal::refused("exists", error.to_string()),
        _ => Refusal::failed(error.to_string()),
    })?;
    let key = settings.data.join(KEY_FILE);
    if format == Output::Text {
        super::tell(&format!(
            "copied {} with {} requests and {} runs to {}",
            size(made.bytes),
            made.requests,
            made.runs,
            file.display()
        ));
        let opens = if key.exists() {
            format!("the key file {}: keep a copy of it, apart from this file", key.display())
        } else {
            format!("the key that {KEY_VARIABLE} gives")
        };
        super::tell(&format!("what is sealed in it (keys, secrets, credentials) opens only with {opens}"));
        return Ok(0);
    }
    let value = serde_json::json!({
        "file": file.display().to_string(), "bytes": made.bytes,
        "requests": made.requests, "runs": made.runs,
        "key_file": key.exists().then(|| key.display().to_string()),
    });
    output::object(&value, format)?;
    Ok(0)
}
