//! The walls of the house: which crate may name which, where `unsafe` may stand, and that every crate keeps the same rules.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each of our crates, and those of ours it may depend on.
const LAYERS: [(&str, &[&str]); 5] = [
    ("r3mes-kernels", &[]),
    ("r3mes-model", &["r3mes-kernels"]),
    ("r3mes-engine", &["r3mes-kernels", "r3mes-model"]),
    ("r3mes-cli", &["r3mes-engine"]),
    ("r3mes-desktop", &["r3mes-engine"]),
];

/// Crates from outside that only some of ours may name.
const OWNED: [(&str, &[&str]); 20] = [
    ("candle-core", &["r3mes-model"]),
    ("candle-nn", &["r3mes-model"]),
    ("tokenizers", &["r3mes-model"]),
    ("safetensors", &["r3mes-model"]),
    ("hf-hub", &["r3mes-engine"]),
    ("ureq", &["r3mes-engine"]),
    ("nvml-wrapper", &["r3mes-engine"]),
    ("zip", &["r3mes-engine", "r3mes-desktop"]),
    ("clap", &["r3mes-cli"]),
    ("rustyline", &["r3mes-cli"]),
    ("ctrlc", &["r3mes-cli"]),
    ("rusqlite", &["r3mes-engine"]),
    ("tauri", &["r3mes-desktop"]),
    ("tauri-build", &["r3mes-desktop"]),
    ("tauri-specta", &["r3mes-desktop"]),
    ("tauri-plugin-dialog", &["r3mes-desktop"]),
    ("tauri-plugin-shell", &["r3mes-desktop"]),
    ("tauri-plugin-single-instance", &["r3mes-desktop"]),
    ("tauri-plugin-store", &["r3mes-desktop"]),
    ("tauri-plugin-window-state", &["r3mes-desktop"]),
];

struct Package {
    folder: PathBuf,
    /// Normal and build dependencies; tests may reach further.
    dependencies: Vec<String>,
}

fn packages() -> BTreeMap<String, Package> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
            "--manifest-path",
        ])
        .arg(root().join("Cargo.toml"))
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|package| {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            let dependencies = package["dependencies"]
                .as_array()
                .expect("a list of dependencies");
            let dependencies = dependencies
                .iter()
                .filter(|dependency| dependency["kind"] != "dev");
            let package_of_ours = Package {
                folder: manifest
                    .parent()
                    .expect("a manifest lies in a folder")
                    .to_owned(),
                dependencies: dependencies
                    .map(|dependency| text(&dependency["name"]))
                    .collect(),
            };
            (text(&package["name"]), package_of_ours)
        })
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// Every Rust file below `folder`, with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a readable source file");
            found.push((path, text));
        }
    }
    found
}

#[test]
fn dependencies_point_down_the_list_only() {
    let packages = packages();
    for (name, package) in &packages {
        let layer = LAYERS.iter().find(|(layer, _)| layer == name);
        let (_, allowed) =
            layer.unwrap_or_else(|| panic!("`{name}` has no place among the layers"));
        for dependency in package
            .dependencies
            .iter()
            .filter(|name| packages.contains_key(*name))
        {
            assert!(
                allowed.contains(&dependency.as_str()),
                "`{name}` depends on `{dependency}`"
            );
        }
    }
}

#[test]
fn each_heavy_dependency_has_one_owner() {
    for (name, package) in packages() {
        for dependency in &package.dependencies {
            let owned = OWNED.iter().find(|(owned, _)| owned == dependency);
            if let Some((owned, owners)) = owned {
                assert!(
                    owners.contains(&name.as_str()),
                    "`{name}` depends on `{owned}`"
                );
            }
        }
    }
}

#[test]
fn hosts_name_neither_tensors_nor_kernels_nor_file_formats() {
    let packages = packages();
    for host in ["r3mes-cli", "r3mes-desktop"] {
        for (path, text) in sources(&packages[host].folder.join("src")) {
            for word in [
                "candle",
                "r3mes_kernels",
                "r3mes_model",
                "rusqlite",
                "safetensors::",
                "tokenizers::",
            ] {
                assert!(!text.contains(word), "{} names `{word}`", path.display());
            }
        }
    }
    for (path, text) in sources(&packages["r3mes-engine"].folder.join("src")) {
        for word in ["candle", "clap::", "tauri", "axum"] {
            assert!(!text.contains(word), "{} names `{word}`", path.display());
        }
    }
}

#[test]
fn unsafe_stands_in_the_kernels_only() {
    for (name, package) in packages() {
        let allowed = name == "r3mes-kernels";
        for (path, text) in sources(&package.folder.join("src")) {
            let lines = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let unsafe_lines = lines.filter(|line| {
                line.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| word == "unsafe")
            });
            // `allow(unsafe_code)` would pass the compiler's own check.
            assert!(
                allowed || unsafe_lines.count() == 0,
                "{} is unsafe",
                path.display()
            );
            assert!(
                allowed || !text.contains("unsafe_code"),
                "{} lifts a rule",
                path.display()
            );
        }
    }
}

#[test]
fn every_crate_keeps_the_rules_of_the_workspace() {
    for (name, package) in packages() {
        let manifest =
            std::fs::read_to_string(package.folder.join("Cargo.toml")).expect("a manifest");
        let shared = manifest.contains("[lints]\nworkspace = true");
        // The kernels repeat the rules, because theirs differ in one: unsafe is allowed.
        let own =
            name == "r3mes-kernels" && manifest.contains("undocumented_unsafe_blocks = \"deny\"");
        assert!(shared || own, "`{name}` has rules of its own");
        let lib = package.folder.join("src/lib.rs");
        let entry = if lib.exists() {
            lib
        } else {
            package.folder.join("src/main.rs")
        };
        let text = std::fs::read_to_string(&entry).expect("an entry file");
        assert!(
            text.starts_with("//!"),
            "{} says not what it is",
            entry.display()
        );
    }
}
