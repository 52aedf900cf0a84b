//! Which safetensors files a Hub folder consists of, and where each tensor lies in them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path};
use std::sync::Arc;

use safetensors::Dtype;
use serde::Deserialize;

use super::config::read_json;
use crate::load::LoadError;
use crate::load::header::read_header;
use crate::load::plan::Extent;
use crate::load::source::Source;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// Most shards accepted.
const MAX_SHARDS: usize = 1024;

/// One stored tensor.
#[derive(Debug)]
pub(super) struct StoredTensor {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub extent: Extent,
}

/// All tensors of a folder.
#[derive(Debug)]
pub(super) struct Shards {
    pub files: Vec<Arc<Source>>,
    pub tensors: HashMap<String, StoredTensor>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: HashMap<String, String>,
}

impl Shards {
    /// Opens `model.safetensors`, or the shards its index names, and reads their headers.
    ///
    /// # Errors
    /// If a file is missing, leaves the folder, breaks the format, or index and shards disagree.
    pub(super) fn open(folder: &Path) -> Result<Self, LoadError> {
        let index_path = folder.join(INDEX);
        // A folder with both is read as transformers does: the single file wins.
        if folder.join(SINGLE).exists() || !index_path.exists() {
            let mut shards = Self {
                files: Vec::new(),
                tensors: HashMap::new(),
            };
            shards.add(&folder.join(SINGLE))?;
            return Ok(shards);
        }
        let index: Index = read_json(&index_path)?;
        let names: BTreeSet<&str> = index.weight_map.values().map(String::as_str).collect();
        if names.is_empty() || names.len() > MAX_SHARDS {
            let found = format!("{} shards", names.len());
            return Err(LoadError::malformed(
                &index_path,
                "`weight_map`",
                found,
                format!("1 to {MAX_SHARDS}"),
            ));
        }
        let mut shards = Self {
            files: Vec::new(),
            tensors: HashMap::new(),
        };
        for name in names {
            check_shard_name(&index_path, name)?;
            check_shard_target(folder, &folder.join(name))?;
            shards.add(&folder.join(name))?;
        }
        for (tensor, file) in &index.weight_map {
            let found = match shards.tensors.get(tensor) {
                None => "no such tensor".to_owned(),
                Some(stored) => {
                    let holder = shards.files[stored.extent.file].path().file_name();
                    match holder.is_some_and(|holder| holder == file.as_str()) {
                        true => continue,
                        false => format!("it in {holder:?}"),
                    }
                }
            };
            let place = format!("tensor `{tensor}` in `{file}`");
            return Err(LoadError::malformed(
                &index_path,
                place,
                found,
                "the shard the index names",
            ));
        }
        Ok(shards)
    }

    /// Adds the tensors of one file.
    fn add(&mut self, path: &Path) -> Result<(), LoadError> {
        let source = Source::open(path)?;
        let (metadata, data_offset) = read_header(&source)?;
        let file = self.files.len();
        for (name, info) in metadata.tensors() {
            let (start, end) = info.data_offsets;
            let extent = Extent {
                file,
                offset: data_offset + start as u64,
                bytes: (end - start) as u64,
            };
            let stored = StoredTensor {
                dtype: info.dtype,
                shape: info.shape.clone(),
                extent,
            };
            if self.tensors.insert(name.clone(), stored).is_some() {
                let place = format!("tensor `{name}`");
                return Err(LoadError::malformed(
                    path,
                    place,
                    "a second one in another shard",
                    "one per model",
                ));
            }
        }
        self.files.push(Arc::new(source));
        Ok(())
    }
}

/// A shard is a plain file name: no folder, no way out of this one.
fn check_shard_name(index_path: &Path, name: &str) -> Result<(), LoadError> {
    let mut components = Path::new(name).components();
    let plain = matches!(
        (components.next(), components.next()),
        (Some(Component::Normal(_)), None)
    );
    // Separators of the other platform, drive letters and alternate streams must not pass either.
    match plain && !name.contains(['/', '\\', ':', '\0']) && name.ends_with(".safetensors") {
        true => Ok(()),
        false => Err(LoadError::malformed(
            index_path,
            "`weight_map`",
            format!("shard {name:?}"),
            "the name of a `.safetensors` file in the same folder",
        )),
    }
}

/// A shard may be a link inside the folder, or to the blobs of a hub cache whose snapshot the folder is; nowhere else.
fn check_shard_target(folder: &Path, shard: &Path) -> Result<(), LoadError> {
    let resolve = |path: &Path| path.canonicalize().map_err(LoadError::io("open", path));
    let (root, target) = (resolve(folder)?, resolve(shard)?);
    let snapshots = root.parent().filter(|parent| parent.ends_with("snapshots"));
    let blobs = snapshots
        .and_then(Path::parent)
        .map(|repository| repository.join("blobs"));
    match target.starts_with(&root) || blobs.is_some_and(|blobs| target.starts_with(blobs)) {
        true => Ok(()),
        false => {
            let found = format!("a link to `{}`", target.display());
            Err(LoadError::malformed(
                shard,
                "file kind",
                found,
                "a file inside the model's folder",
            ))
        }
    }
}
