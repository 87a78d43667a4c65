//! What the program is made of: licences that may be shipped, and one version of each shared crate.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Licences that a single binary under Apache-2.0 may contain. The same list as in `deny.toml`.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "CDLA-Permissive-2.0",
];

/// Crates of which a second version would be a second truth (types, terminals, sockets, crypto).
const ONE: &[&str] = &[
    "bytes",
    "crossterm",
    "http",
    "hyper",
    "hyper-util",
    "libsqlite3-sys",
    "minijinja",
    "ratatui-core",
    "rustls",
    "serde",
    "serde_json",
    "tokio",
    "toml",
    "unicode-width",
    "url",
    "aws-lc-rs",
    "rusqlite",
    "clap",
    "jiff",
];

/// Crates that must not come in: a second crypto library, other engines' clients.
const NONE: &[&str] = &["ring", "openssl", "openssl-sys", "native-tls", "sqlx"];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Packages that the program is built from, as `name version`. `cargo metadata` also lists optional
/// packages that no feature switches on; `cargo tree` knows which are built.
fn shipped() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some(format!("{} {}", words.next()?, words.next()?.trim_start_matches('v')))
        })
        .collect()
}

/// What a package is called in [`shipped`].
fn named(package: &Value) -> String {
    format!("{} {}", package["name"].as_str().unwrap(), package["version"].as_str().unwrap())
}

/// Whether an SPDX expression can be met with the licences of the list.
fn permitted(expression: &str) -> bool {
    let expression = expression.replace(['(', ')'], " ").replace('/', " OR ");
    // Read as a conjunction of alternatives; precise enough for what crates write.
    expression.split(" AND ").all(|part| {
        part.split(" OR ").any(|licence| {
            let licence = licence.trim().split(" WITH ").next().unwrap_or_default().trim();
            LICENCES.contains(&licence)
        })
    })
}

#[test]
fn every_package_has_a_licence_that_may_be_shipped() {
    let metadata = metadata();
    let shipped = shipped();
    let wrong: Vec<String> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| shipped.contains(&named(package)))
        .filter(|package| !permitted(package["license"].as_str().unwrap_or("none")))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(shipped.len() > 100);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_version_of_each_shared_crate_and_none_of_the_unwanted() {
    let metadata = metadata();
    let shipped = shipped();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        if shipped.contains(&named(package)) {
            let name = package["name"].as_str().unwrap();
            versions.entry(name).or_default().push(package["version"].as_str().unwrap());
        }
    }
    for name in ONE {
        let found = versions.get(name).cloned().unwrap_or_default();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
    }
    for name in NONE {
        assert!(!versions.contains_key(name), "{name} came in");
    }
}

#[test]
fn the_licences_here_are_those_of_deny_toml() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml");
    let deny: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let allowed: BTreeSet<&str> =
        deny["licenses"]["allow"].as_array().unwrap().iter().filter_map(|licence| licence.as_str()).collect();
    assert_eq!(allowed, LICENCES.iter().copied().collect());
}

#[test]
fn expressions_are_read_as_crates_write_them() {
    for fits in [
        "MIT OR Apache-2.0",
        "MIT/Apache-2.0",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(permitted(fits), "{fits}");
    }
    for wrong in ["GPL-3.0", "MIT AND GPL-3.0", "none", ""] {
        assert!(!permitted(wrong), "{wrong}");
    }
}
