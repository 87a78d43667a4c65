//! `config path` and `config show`: what a server would start with, and who said so.

use super::{File, file_path, looks_troubles};
use crate::cli::args::{Args, ConfigCommand, Global, Output, filters};
use crate::cli::output::{self, Rows};
use crate::model::ask::Refusal;
use crate::model::settings::Settings;
use crate::model::time::spell_duration;
use crate::text::size;
use clap::CommandFactory as _;
use clap::parser::ValueSource;
use serde::Serialize;

/// A setting as it would be in force.
#[derive(Debug, Serialize)]
struct Row {
    key: &'static str,
    value: String,
    /// `flag`, `environment`, `file` or `default`.
    from: &'static str,
}

/// What `config` does.
///
/// # Errors
/// A setting is wrong: the sentence names the flag or the key.
pub fn config(global: &Global, command: &ConfigCommand) -> Result<u8, Refusal> {
    let path = file_path(global)?;
    if matches!(command, ConfigCommand::Path) {
        output::write(&format!("{}\n", crate::text::clean(&path.display().to_string())))?;
        if !path.exists() {
            super::super::tell("there is no such file: defaults are in force");
        }
        return Ok(0);
    }
    let settings = super::settings(global)?;
    let file = super::read(&path, global.config.is_some())?;
    let columns = [("KEY", 26), ("FROM", 12), ("VALUE", 0)];
    let mut rows = Rows::new(global.output, &columns);
    for row in shown(&settings, &file, &surroundings(), &said(std::env::args_os())) {
        rows.row(&row, || vec![row.key.to_owned(), row.from.to_owned(), row.value.clone()])?;
    }
    rows.end("")?;
    if global.output == Output::Text {
        super::super::tell(&format!("configuration file: {}", path.display()));
    }
    for trouble in looks_troubles(global)? {
        super::super::tell(&format!("warning: {trouble}"));
    }
    Ok(0)
}

/// What the environment alone says of what is no setting of a server, and is given anew with each
/// command: whether it may only read, and how its console looks. What this command was given of it
/// is about this command.
struct Surroundings {
    read_only: bool,
    theme: Option<String>,
}

fn surroundings() -> Surroundings {
    let matches = Args::command().try_get_matches_from(["pointsman"]).ok();
    let said = |flag| {
        let source = matches.as_ref().and_then(|found| found.value_source(flag));
        matches.as_ref().filter(|_| source == Some(ValueSource::EnvVariable))
    };
    Surroundings {
        read_only: said("read_only").is_some_and(|found| found.get_flag("read_only")),
        theme: said("theme").and_then(|found| found.get_one::<String>("theme").cloned()),
    }
}

/// Who gave a flag: the command line or the environment; `None` where nobody did.
fn said(args: impl Iterator<Item = std::ffi::OsString>) -> impl Fn(&str) -> Option<&'static str> {
    let matches = Args::command().try_get_matches_from(filters(args)).ok();
    move |flag| match matches.as_ref()?.value_source(flag)? {
        ValueSource::CommandLine => Some("flag"),
        ValueSource::EnvVariable => Some("environment"),
        _ => None,
    }
}

fn shown(
    settings: &Settings,
    file: &File,
    around: &Surroundings,
    said: &impl Fn(&str) -> Option<&'static str>,
) -> Vec<Row> {
    let from = |flag: &str, in_file: bool| said(flag).unwrap_or(if in_file { "file" } else { "default" });
    let in_file = |written: bool| if written { "file" } else { "default" };
    let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(", ");
    let inbound = &settings.inbound;
    let none = || "none".to_owned();
    let tls = |of: fn(&crate::model::gate::TlsFiles) -> &std::path::PathBuf| {
        inbound.tls.as_ref().map_or_else(none, |files| of(files).display().to_string())
    };
    let networks = settings.allow_networks.as_ref();
    let networks = networks.map_or_else(
        || "public ones; loopback while listen is loopback".to_owned(),
        |networks| list(&mut networks.iter().map(ToString::to_string)),
    );
    let metrics = inbound.metrics_listen.map_or_else(none, |addr| addr.to_string());
    let operators = inbound.operator_listen.map_or_else(none, |addr| addr.to_string());
    let mut rows = vec![
        Row { key: "data", value: settings.data.display().to_string(), from: from("data", false) },
        Row {
            key: "listen",
            value: settings.listen.to_string(),
            from: from("listen", file.listen.is_some()),
        },
        Row {
            key: "public_url",
            value: settings.public_url.clone(),
            from: from("public_url", file.public_url.is_some()),
        },
        Row {
            key: "read_only",
            value: around.read_only.to_string(),
            from: if around.read_only { "environment" } else { "default" },
        },
        Row {
            key: "metrics_listen",
            value: metrics,
            from: from("metrics_listen", file.metrics_listen.is_some()),
        },
        Row {
            key: "operator_listen",
            value: operators,
            from: from("operator_listen", file.operator_listen.is_some()),
        },
        Row {
            key: "tls_cert",
            value: tls(|files| &files.cert),
            from: from("tls_cert", file.tls_cert.is_some()),
        },
        Row { key: "tls_key", value: tls(|files| &files.key), from: from("tls_key", file.tls_key.is_some()) },
        Row { key: "allow_networks", value: networks, from: in_file(file.allow_networks.is_some()) },
        Row {
            key: "trusted_proxies",
            value: list(&mut inbound.trusted_proxies.iter().map(ToString::to_string)),
            from: in_file(!file.trusted_proxies.is_empty()),
        },
        // Names alone: what a connection authenticates with is nobody's to read.
        Row {
            key: "connections",
            value: list(&mut settings.connections.0.iter().map(|connection| connection.name.clone())),
            from: in_file(!file.connection.is_empty()),
        },
    ];
    let own = file.keymap().unwrap_or_default();
    let own = own.lines().filter(|bound| bound.names != bound.binding.keys.join(" "));
    rows.push(Row {
        key: "theme",
        value: around.theme.as_deref().or(file.theme()).unwrap_or("as chosen in the console").to_owned(),
        from: if around.theme.is_some() { "environment" } else { in_file(file.theme.is_some()) },
    });
    rows.push(Row {
        key: "keys",
        value: list(&mut own.map(|bound| format!("{} = {}", bound.binding.action.id(), bound.names))),
        from: in_file(!file.keys.is_empty()),
    });
    rows.extend(limits(settings, file));
    for row in &mut rows {
        if row.value.is_empty() {
            row.value = none();
        }
    }
    rows
}

fn limits(settings: &Settings, file: &File) -> Vec<Row> {
    let (limits, written) = (&settings.limits, &file.limits);
    let row =
        |key, value: String, there: bool| Row { key, value, from: if there { "file" } else { "default" } };
    vec![
        row("limits.connections", limits.connections.to_string(), written.connections.is_some()),
        row(
            "limits.header_deadline",
            spell_duration(limits.header_deadline),
            written.header_deadline.is_some(),
        ),
        row("limits.body_deadline", spell_duration(limits.body_deadline), written.body_deadline.is_some()),
        row("limits.idle", spell_duration(limits.idle), written.idle.is_some()),
        row("limits.queue", limits.queue.to_string(), written.queue.is_some()),
        row("limits.free_disk", size(limits.free_disk), written.free_disk.is_some()),
        row("limits.retention", spell_duration(limits.retention), written.retention.is_some()),
        row("limits.dedup_memory", size(limits.dedup_memory), written.dedup_memory.is_some()),
        row("limits.slots", limits.slots.to_string(), written.slots.is_some()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(file: &str, args: &[&str]) -> Vec<(String, String, &'static str)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, file).unwrap();
        let mut line = vec!["pointsman", "config", "show", "--config", path.to_str().unwrap()];
        line.extend(["--data", folder.path().to_str().unwrap()]);
        line.extend(args);
        let parsed = <Args as clap::Parser>::try_parse_from(&line).unwrap();
        let settings = crate::cli::config::settings(&parsed.global).unwrap();
        let file = crate::cli::config::read(&path, true).unwrap();
        let said = said(line.iter().map(Into::into));
        let around = Surroundings { read_only: false, theme: None };
        let rows = shown(&settings, &file, &around, &said);
        rows.into_iter().map(|row| (row.key.to_owned(), row.value, row.from)).collect()
    }

    #[test]
    fn each_setting_tells_who_said_it() {
        let file = "listen = \"127.0.0.1:9001\"\n[keys]\nretry = \"f5\"\n[limits]\nretention = \"7d\"\n";
        let of = |rows: &[(String, String, &'static str)], key: &str| {
            let row = rows.iter().find(|row| row.0 == key).unwrap();
            (row.1.clone(), row.2)
        };
        let by_file = rows(file, &[]);
        assert_eq!(of(&by_file, "listen"), ("127.0.0.1:9001".to_owned(), "file"));
        assert_eq!(of(&by_file, "limits.retention"), ("7d".to_owned(), "file"));
        assert_eq!(of(&by_file, "limits.free_disk"), ("512 MiB".to_owned(), "default"));
        assert_eq!(of(&by_file, "trusted_proxies"), ("none".to_owned(), "default"));
        assert_eq!(of(&by_file, "keys"), ("retry = f5".to_owned(), "file"));
        assert_eq!(of(&by_file, "theme").1, "default");
        let by_flag = rows(file, &["--listen", "127.0.0.1:9002", "--theme", "dark", "--read-only"]);
        assert_eq!(of(&by_flag, "listen"), ("127.0.0.1:9002".to_owned(), "flag"));
        // What is about this one command is no setting.
        assert_eq!(of(&by_flag, "theme"), ("as chosen in the console".to_owned(), "default"));
        assert_eq!(of(&by_flag, "read_only"), ("false".to_owned(), "default"));
    }

    #[test]
    fn a_connection_shows_its_name_and_no_credential() {
        let file = "[[connection]]\nname = \"erp\"\nbase_url = \"https://erp.example\"\nauth = { type = \"bearer\", token = \"t0psecret\" }\n";
        let rows = rows(file, &[]);
        assert!(rows.iter().any(|row| row.0 == "connections" && row.1 == "global/erp"), "{rows:?}");
        assert!(rows.iter().all(|row| !row.1.contains("t0psecret")));
    }
}
