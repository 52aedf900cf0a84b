//! Which files of a repository are needed: a Hub folder's configuration, tokenizer and weights, or one `.gguf` file.

use super::error::DownloadError;
use super::listing::{ListedFile, Listing};
use crate::catalogue::{EMBEDDER_FILES, is_inside};

/// Files beside the weights that the reader of models uses, or that state the licence.
const BESIDE: [&str; 10] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "LICENSE",
    "LICENSE.txt",
];
const INDEX: &str = "model.safetensors.index.json";

/// The files to fetch, small ones first.
///
/// # Errors
/// If the repository lists a name that leaves its folder, holds no model, or holds several and none is chosen.
pub(super) fn choose(
    listing: &Listing,
    file: Option<&str>,
) -> Result<Vec<ListedFile>, DownloadError> {
    refuse_unsafe_names(listing)?;
    let named = |name: &str| listing.files.iter().find(|file| file.path == name);
    if let Some(wanted) = file {
        let Some(found) = named(wanted).filter(|file| is_inside(&file.path)) else {
            return Err(DownloadError::NotFound {
                what: format!("{}/{wanted}", listing.repo),
            });
        };
        return Ok(vec![found.clone()]);
    }
    let no_model = |reason: &str| {
        Err(DownloadError::NoModel {
            repo: listing.repo.clone(),
            reason: reason.into(),
        })
    };
    let weights = safetensors(listing);
    if weights.is_empty() {
        let ggufs: Vec<&ListedFile> = listing
            .files
            .iter()
            .filter(|file| file.path.ends_with(".gguf"))
            .collect();
        return match ggufs.as_slice() {
            [] => no_model("no `model.safetensors` and no `.gguf` file in it"),
            [one] => Ok(vec![(*one).clone()]),
            many => Err(DownloadError::ChooseFile {
                repo: listing.repo.clone(),
                files: many.iter().map(|file| file.path.clone()).collect(),
            }),
        };
    }
    for needed in ["config.json", "tokenizer.json"] {
        if named(needed).is_none() {
            return no_model(&format!("no `{needed}` beside its weights"));
        }
    }
    let mut files: Vec<ListedFile> = BESIDE
        .iter()
        .filter_map(|name| named(name))
        .cloned()
        .collect();
    files.extend(weights);
    Ok(files)
}

/// The files of an embedder, those that must be there first.
///
/// # Errors
/// If the repository lists a name that leaves its folder, or lacks a file that every embedder has.
pub(super) fn choose_embedder(listing: &Listing) -> Result<Vec<ListedFile>, DownloadError> {
    const NEEDED: usize = 3;
    refuse_unsafe_names(listing)?;
    let mut files = Vec::new();
    for (place, name) in EMBEDDER_FILES.iter().enumerate() {
        match listing.files.iter().find(|file| file.path == *name) {
            Some(file) => files.push(file.clone()),
            None if place >= NEEDED => {}
            None => {
                return Err(DownloadError::NoModel {
                    repo: listing.repo.clone(),
                    reason: format!("an embedder has `{name}`, which is not in it"),
                });
            }
        }
    }
    Ok(files)
}

fn refuse_unsafe_names(listing: &Listing) -> Result<(), DownloadError> {
    let leaves = |file: &&ListedFile| is_used_kind(&file.path) && !is_inside(&file.path);
    match listing.files.iter().find(leaves) {
        None => Ok(()),
        Some(odd) => Err(DownloadError::UnsafeName {
            repo: listing.repo.clone(),
            file: odd.path.clone(),
        }),
    }
}

/// The weights at the top of the repository: the single file, or the index and its shards.
fn safetensors(listing: &Listing) -> Vec<ListedFile> {
    let top = |ending: &'static str| {
        listing
            .files
            .iter()
            .filter(move |file| !file.path.contains('/') && file.path.ends_with(ending))
    };
    if let Some(index) = top(".json").find(|file| file.path == INDEX) {
        let shards = top(".safetensors").filter(|file| is_shard(&file.path));
        return std::iter::once(index).chain(shards).cloned().collect();
    }
    let single = top(".safetensors").find(|file| file.path == "model.safetensors");
    single.into_iter().cloned().collect()
}

/// `model-00001-of-00003.safetensors`.
fn is_shard(path: &str) -> bool {
    path.strip_prefix("model-")
        .and_then(|rest| rest.strip_suffix(".safetensors"))
        .and_then(|middle| middle.split_once("-of-"))
        .is_some_and(|(n, of)| {
            [n, of]
                .iter()
                .all(|part| part.bytes().all(|b| b.is_ascii_digit()))
        })
}

fn is_used_kind(path: &str) -> bool {
    [".json", ".safetensors", ".gguf", ".jinja"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listed: &[&str], file: Option<&str>, expected: Result<&[&str], &str>) {
        let listing = Listing {
            repo: "o/n".into(),
            commit: None,
            licence: None,
            files: listed.iter().map(|path| ListedFile::named(path)).collect(),
        };
        let found = choose(&listing, file);
        match (found, expected) {
            (Ok(files), Ok(expected)) => {
                let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
                assert_eq!(names, expected, "{listed:?}");
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expected) => panic!("{listed:?}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn only_the_files_of_one_model_are_chosen() {
        let hub = [
            "README.md",
            "config.json",
            "model.safetensors",
            "original/model.safetensors",
            "tokenizer.json",
            "x.bin",
        ];
        check(
            &hub,
            None,
            Ok(&["config.json", "tokenizer.json", "model.safetensors"]),
        );
        check(
            &[
                "config.json",
                "tokenizer.json",
                "model.safetensors.index.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
                "consolidated.safetensors",
            ],
            None,
            Ok(&[
                "config.json",
                "tokenizer.json",
                "model.safetensors.index.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            ]),
        );
        check(&["a.gguf", "README.md"], None, Ok(&["a.gguf"]));
        check(&["a.gguf", "b.gguf"], Some("b.gguf"), Ok(&["b.gguf"]));
        check(
            &["a.gguf", "b.gguf"],
            None,
            Err("choose one with `--file`: a.gguf, b.gguf"),
        );
        check(&["a.gguf"], Some("c.gguf"), Err("404"));
        check(&["README.md"], None, Err("holds no model"));
        check(
            &["config.json", "model.safetensors"],
            None,
            Err("no `tokenizer.json`"),
        );
        check(
            &["../config.json", "model.safetensors"],
            None,
            Err("`../config.json`"),
        );
        check(&["/etc/x.gguf"], None, Err("expected a path inside"));
    }
}
