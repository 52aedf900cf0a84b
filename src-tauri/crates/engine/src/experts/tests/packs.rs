//! Packs: what goes in comes out, and what was tampered with does not go in.

use super::super::card::Card;
use super::super::pack;
use super::{House, write_expert};
use crate::error::{EngineError, ErrorCode};
use serde_json::{Value, json};
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// An expert as a pack, from a house of its own.
fn packed(house: &House) -> PathBuf {
    let maker = House::new();
    let source = maker.outside("x");
    write_expert(&source, 1);
    maker.import(&source, None).expect("installed");
    export(&maker, "tenancy", &house.outside("whole.r3mes-expert"))
}

fn export(house: &House, id: &str, to: &Path) -> PathBuf {
    let folder = house.shelf.folder_of(id);
    let card = Card::read(&folder).expect("readable").expect("there");
    pack::write(&folder, id, &card.for_pack(id), to).expect("written");
    to.to_owned()
}

/// The files of a pack, in order.
fn contents(pack: &Path) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(std::fs::File::open(pack).expect("there")).expect("an archive");
    (0..zip.len())
        .map(|index| {
            let mut entry = zip.by_index(index).expect("an entry");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("whole");
            (entry.name().expect("a name").into_owned(), bytes)
        })
        .collect()
}

fn zipped(files: &[(String, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(name, options).expect("an entry");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

/// The reason why a pack with these bytes is refused.
fn refused(house: &House, bytes: &[u8]) -> String {
    let path = house.outside("bad.r3mes-expert");
    std::fs::write(&path, bytes).expect("written");
    let error = house.import(&path, Some("mine")).expect_err("refused");
    assert_eq!(
        error.code(),
        ErrorCode::ExpertUnusable,
        "{}",
        error.report()
    );
    house.refused(&path)
}

fn replace(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while at + from.len() <= bytes.len() {
        if &bytes[at..at + from.len()] == from.as_bytes() {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        at += 1;
    }
    bytes
}

#[test]
fn what_is_exported_is_imported_the_same_and_the_same_expert_gives_the_same_bytes() {
    let house = House::new();
    let first = packed(&house);
    let other = House::new();
    let second = packed(&other);
    assert_eq!(
        std::fs::read(&first).expect("there"),
        std::fs::read(second).expect("there")
    );
    let id = house.import(&first, None).expect("installed");
    assert_eq!(id, "tenancy");
    let again = export(&house, "tenancy", &house.outside("again.r3mes-expert"));
    assert_eq!(
        std::fs::read(&first).expect("there"),
        std::fs::read(&again).expect("there")
    );
    let files = contents(&first);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "manifest.json",
            "expert.json",
            "adapter_config.json",
            "examples.jsonl",
            "LICENSE",
            "evaluation.json",
            "adapter_model.safetensors"
        ]
    );
    let manifest: Value = serde_json::from_slice(&files[0].1).expect("JSON");
    let generation = house.generation("tenancy");
    assert_eq!(manifest["generation"], generation);
    let told = String::from_utf8_lossy(&std::fs::read(&first).expect("there")).into_owned();
    let place = house.folder.path().display().to_string();
    assert!(
        !told.contains("Öğüt") && !told.contains(&place),
        "a pack tells nobody's folders"
    );
}

#[test]
fn a_pack_may_be_compressed_by_whoever_zips_it() {
    let house = House::new();
    let files = contents(&packed(&house));
    let path = house.outside("deflated.r3mes-expert");
    std::fs::write(&path, zipped(&files, CompressionMethod::Deflated)).expect("written");
    house.import(&path, Some("mine")).expect("installed");
}

#[test]
fn entries_that_lead_elsewhere_are_refused_before_anything_is_written() {
    let house = House::new();
    let files = contents(&packed(&house));
    for name in [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "C:\\x",
        "..\\x",
        "\\\\server\\x",
    ] {
        let mut files = files.clone();
        files[4].0 = name.to_owned();
        let reason = refused(&house, &zipped(&files, CompressionMethod::Stored));
        assert!(
            reason.contains("which leads out of the expert's folder"),
            "{name}: {reason}"
        );
    }
    assert!(!house.folder.path().join("x").exists());
    for name in [
        "notes.txt",
        "sub/LICENSE",
        "license",
        "adapter_model.bin",
        "LICENSE\u{202e}",
    ] {
        let mut files = files.clone();
        files[4].0 = name.to_owned();
        let reason = refused(&house, &zipped(&files, CompressionMethod::Stored));
        assert!(
            reason.contains("expected only `expert.json`"),
            "{name}: {reason}"
        );
    }
}

#[test]
fn links_and_folders_are_refused() {
    let house = House::new();
    let files = contents(&packed(&house));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.start_file("manifest.json", options).expect("an entry");
    zip.write_all(&files[0].1).expect("written");
    zip.add_symlink("LICENSE", "/etc/passwd", options)
        .expect("a link");
    let bytes = zip.finish().expect("an archive").into_inner();
    assert!(refused(&house, &bytes).contains("`LICENSE`, which is a link or a folder"));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_directory("LICENSE", options).expect("a folder");
    let bytes = zip.finish().expect("an archive").into_inner();
    assert!(refused(&house, &bytes).contains("`LICENSE/`"));
}

#[test]
fn one_name_twice_is_refused() {
    let house = House::new();
    let mut files = contents(&packed(&house));
    files.remove(3);
    files.push(("LICENSF".to_owned(), b"another".to_vec()));
    let bytes = replace(
        &zipped(&files, CompressionMethod::Stored),
        "LICENSF",
        "LICENSE",
    );
    assert!(refused(&house, &bytes).contains("two files of one name, expected each once"));
}

#[test]
fn a_bomb_is_refused_by_its_ratio_and_by_its_manifest() {
    let house = House::new();
    let mut files = contents(&packed(&house));
    files[6].1 = vec![0; 32 << 20];
    let bytes = zipped(&files, CompressionMethod::Deflated);
    assert!(bytes.len() < 1 << 20, "it is a bomb");
    let reason = refused(&house, &bytes);
    assert!(reason.contains("that would become 33554432 B"), "{reason}");
    // Small enough that a ratio says nothing, larger than the manifest says.
    files[6].1 = vec![0; 1 << 20];
    let reason = refused(&house, &zipped(&files, CompressionMethod::Deflated));
    assert!(
        reason.contains("`adapter_model.safetensors` with"),
        "{reason}"
    );
    // An archive that lies about what it will become is held to what it becomes.
    files[4].1 = b"CC-BY-4.0\nand more\n".to_vec();
    let reason = refused(&house, &zipped(&files, CompressionMethod::Stored));
    assert!(
        reason.contains("`LICENSE` with more than the 10 B that `manifest.json` says"),
        "{reason}"
    );
}

#[test]
fn a_pack_cut_off_anywhere_is_refused() {
    let house = House::new();
    let whole = std::fs::read(packed(&house)).expect("there");
    let mut at = 0;
    while at < whole.len() {
        let reason = refused(&house, &whole[..at]);
        assert!(reason.contains("no whole archive"), "{at}: {reason}");
        at += whole.len() / 23;
    }
}

#[test]
fn a_flipped_bit_anywhere_is_found_or_harms_nothing() {
    let house = House::new();
    let pack = packed(&house);
    let whole = std::fs::read(&pack).expect("there");
    house.import(&pack, Some("right")).expect("installed");
    let right = house.generation("right");
    let path = house.outside("flipped.r3mes-expert");
    let mut at = 7;
    while at < whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bytes).expect("written");
        // A bit in a time or a comment means nothing; one in a file is always found.
        match house.import(&path, Some("flipped")) {
            Ok(id) => {
                assert_eq!(house.generation(&id), right, "{at}");
                std::fs::remove_dir_all(house.shelf.folder_of(&id)).expect("deleted");
                house.shelf.forget(&id);
            }
            Err(EngineError::BadExpert { .. }) => {}
            Err(error) => panic!("{at}: {}", error.report()),
        }
        at += whole.len() / 53;
    }
}

#[test]
fn a_manifest_that_does_not_agree_with_the_pack_is_refused() {
    let house = House::new();
    let files = contents(&packed(&house));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut files = files.clone();
        let mut manifest: Value = serde_json::from_slice(&files[0].1).expect("JSON");
        change(&mut manifest);
        files[0].1 = manifest.to_string().into_bytes();
        refused(&house, &zipped(&files, CompressionMethod::Stored))
    };
    for (reason, expected) in [
        (
            with(&|manifest| manifest["format"] = json!(2)),
            "a pack of format 2, expected format 1",
        ),
        (
            with(&|manifest| manifest["generation"] = json!("sha256:0")),
            "which follows from its files",
        ),
        (
            with(&|manifest| manifest["files"][3]["sha256"] = json!("0")),
            "`LICENSE` with sha256",
        ),
        (
            with(&|manifest| manifest["files"][3]["size"] = json!(11)),
            "`LICENSE` with 10 B",
        ),
        (
            with(&|manifest| manifest["files"][3]["size"] = json!(1 << 21)),
            "`LICENSE` of 2097152 B",
        ),
        (
            with(&|manifest| manifest["files"][3]["path"] = json!("../x")),
            "`../x` in `manifest.json`",
        ),
        (
            with(&|manifest| manifest["files"][3] = manifest["files"][2].clone()),
            "twice in `manifest.json`",
        ),
        (
            with(&|manifest| {
                drop(
                    manifest["files"]
                        .as_array_mut()
                        .map(|files| files.remove(3)),
                )
            }),
            "`LICENSE`, which `manifest.json` does not name",
        ),
        (with(&|manifest| *manifest = json!([])), "`manifest.json`: "),
    ] {
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
    let without = |index: usize| {
        let mut files = files.clone();
        files.remove(index);
        refused(&house, &zipped(&files, CompressionMethod::Stored))
    };
    assert!(without(0).contains("no `manifest.json`"));
    assert!(without(6).contains("no `adapter_model.safetensors`, expected it, as"));
}

#[test]
fn what_is_no_pack_at_all_is_told() {
    let house = House::new();
    for bytes in [&b""[..], b"PK", b"not a pack", &[0; 4096]] {
        let reason = refused(&house, bytes);
        assert!(reason.contains("no whole archive"), "{reason}");
        assert!(reason.contains("expected a folder with an adapter or a `.r3mes-expert` pack"));
    }
}
