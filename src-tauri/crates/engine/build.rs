//! Lists the files of the built-in model, so that they are embedded whatever they are called.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const FOLDER: &str = "../../resources/models/builtin";

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let folder = root.join(FOLDER);
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut list = String::from(
        "/// File names and bytes of the built-in model.\npub(super) const FILES: &[(&str, &[u8])] = &[\n",
    );
    for path in files(&folder) {
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
    std::fs::write(out.join("builtin_files.rs"), list).expect("cargo's own folder can be written");
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
