//! What the fuzz targets share: a model folder in memory, as far as the system has one.

use std::ops::ControlFlow;
use std::path::Path;

use r3mes_kernels::Pool;
use r3mes_model::load::{CacheUse, LoadOptions, load};

/// The files of the tiny model that the seeds describe.
pub mod seed {
    /// `config.json`.
    pub const CONFIG: &[u8] = include_bytes!("../seeds/config/bitnet");
    /// `model.safetensors`.
    pub const TENSORS: &[u8] = include_bytes!("../seeds/safetensors/packed");
    /// The same in two shards, by name.
    pub const SHARDS: [(&str, &[u8]); 2] = [
        (
            "model-00001-of-00002.safetensors",
            include_bytes!("../seeds/shards/model-00001-of-00002.safetensors"),
        ),
        (
            "model-00002-of-00002.safetensors",
            include_bytes!("../seeds/shards/model-00002-of-00002.safetensors"),
        ),
    ];
}

/// Loads a model on one thread without a packed copy; whether it worked.
pub fn loads(path: &Path) -> bool {
    let pool = Pool::new(1);
    let options = LoadOptions::new(&pool, CacheUse::Off);
    load(path, &options, &mut |_| ControlFlow::Continue(())).is_ok()
}

/// A temporary model folder.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder with these files.
    pub fn with(files: &[(&str, &[u8])]) -> Folder {
        let shared_memory = Path::new("/dev/shm");
        let dir = match shared_memory.is_dir() {
            true => tempfile::tempdir_in(shared_memory),
            false => tempfile::tempdir(),
        };
        let folder = Folder(dir.expect("a temporary folder can be made"));
        for (name, bytes) in files {
            std::fs::write(folder.0.path().join(name), bytes).expect("a small file can be written");
        }
        folder
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
