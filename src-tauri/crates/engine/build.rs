//! Lists the files of the built-in model and of the built-in embedder, so that they are embedded whatever they are called.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const RESOURCES: &str = "../../resources";

fn main() {
    list("models/builtin", "builtin_files.rs", &|_| true);
    // The embedder reads no other kinds of files: its card and recipe stay outside.
    list(
        "embedders/builtin",
        "builtin_embedder_files.rs",
        &|path| matches!(path.extension(), Some(kind) if kind == "json" || kind == "safetensors"),
    );
}

/// Writes the names and bytes of the files in a folder of resources as a Rust constant; an absent folder has none.
fn list(folder: &str, out_name: &str, wanted: &dyn Fn(&Path) -> bool) {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let folder = root.join(RESOURCES).join(folder);
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut list =
        String::from("/// File names and bytes.\npub(super) const FILES: &[(&str, &[u8])] = &[\n");
    for path in files(&folder).into_iter().filter(|path| wanted(path)) {
        let name = path
            .file_name()
            .expect("a listed file has a name")
            .to_string_lossy();
        let absolute = path.display().to_string();
        println!("cargo::rerun-if-changed={absolute}");
        writeln!(list, "    ({name:?}, include_bytes!({absolute:?})),").expect("text grows");
    }
    list.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::write(out.join(out_name), list).expect("cargo's own folder can be written");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}
