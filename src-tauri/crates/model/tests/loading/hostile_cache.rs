//! The packed copy: used when it fits, made anew when it is damaged or stale, never trusted.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use r3mes_kernels::Pool;
use r3mes_model::load::{CacheUse, LoadError, LoadOptions, LoadPhase, load};
use r3mes_model::weights::{Matrix, Weights};

use super::fixture::*;

/// Loads with a copy of any size and tells which phases were seen.
fn load_cached(path: &Path, fallback: Option<&Path>) -> (Weights, Vec<LoadPhase>) {
    let pool = Pool::new(2);
    let cache = CacheUse::BesideModel {
        fallback,
        from_bytes: 0,
    };
    let mut phases = Vec::new();
    let weights = load(path, &LoadOptions::new(&pool, cache), &mut |phase| {
        phases.push(phase);
        ControlFlow::Continue(())
    });
    (
        weights.unwrap_or_else(|error| panic!("{}", chain(&error))),
        phases,
    )
}

fn packed(phases: &[LoadPhase]) -> bool {
    phases
        .iter()
        .any(|phase| matches!(phase, LoadPhase::Packing { .. }))
}

fn bytes(weights: &Weights) -> Vec<Vec<u8>> {
    let matrices = weights.layers.iter().flat_map(|layer| {
        let joined = layer.qkv.parts.iter().chain(&layer.gate_up.parts);
        joined
            .chain([&layer.o, &layer.down])
            .map(|linear| match &linear.matrix {
                Matrix::Ternary { packed, row_scales } => {
                    [packed.packed_bytes(), &f32_bytes(row_scales)].concat()
                }
                Matrix::Dense(_) => Vec::new(),
            })
    });
    matrices.collect()
}

fn copies(folder: &Path) -> Vec<PathBuf> {
    match fs::read_dir(folder.join(".r3mes-packed-v1")) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    }
}

#[test]
fn the_second_load_reads_the_copy_and_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    write_hub(folder.path(), &config(), &packed_tensors(true, false));
    let (first, phases) = load_cached(folder.path(), None);
    assert!(packed(&phases));
    assert_eq!(copies(folder.path()).len(), 1);
    let (second, phases) = load_cached(folder.path(), None);
    assert!(!packed(&phases));
    assert_eq!(bytes(&first), bytes(&second));
}

#[test]
fn a_damaged_copy_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    write_hub(folder.path(), &config(), &packed_tensors(true, false));
    let (first, _) = load_cached(folder.path(), None);
    let copy = copies(folder.path()).remove(0);
    let good = fs::read(&copy).unwrap();
    let flipped = |place: usize| {
        let mut bytes = good.clone();
        bytes[place] ^= 0x10;
        bytes
    };
    let cases = [
        ("empty", Vec::new()),
        ("cut", good[..good.len() - 1].to_vec()),
        ("longer", [good.clone(), vec![0]].concat()),
        ("magic", flipped(0)),
        ("length", flipped(9)),
        ("key", flipped(20)),
        ("segment count", flipped(48)),
        ("checksum", flipped(60)),
        ("scale", flipped(256)),
        ("weights", flipped(good.len() - 5)),
    ];
    for (name, bytes_of_copy) in cases {
        fs::write(&copy, bytes_of_copy).unwrap();
        let (weights, phases) = load_cached(folder.path(), None);
        assert!(packed(&phases), "{name}");
        assert_eq!(bytes(&weights), bytes(&first), "{name}");
        assert_eq!(
            fs::read(&copy).unwrap(),
            good,
            "{name}: the copy was repaired"
        );
    }
}

#[test]
fn a_changed_model_gets_a_new_copy_and_the_old_one_goes() {
    let folder = tempfile::tempdir().unwrap();
    write_hub(folder.path(), &config(), &packed_tensors(true, false));
    load_cached(folder.path(), None);
    let old = copies(folder.path());
    let mut tensors = packed_tensors(true, false);
    tensors
        .iter_mut()
        .filter(|tensor| tensor.name.ends_with("o_proj.weight"))
        .for_each(|tensor| tensor.bytes.fill(0x55));
    write_hub(folder.path(), &config(), &tensors);
    let (_, phases) = load_cached(folder.path(), None);
    assert!(packed(&phases));
    let new = copies(folder.path());
    assert_eq!(new.len(), 1);
    assert_ne!(new, old);
}

#[test]
fn where_the_model_cannot_be_written_the_fallback_is_used_or_the_reason_told() {
    let folder = tempfile::tempdir().unwrap();
    let fallback = tempfile::tempdir().unwrap();
    write_hub(folder.path(), &config(), &packed_tensors(true, false));
    // A file in the place of the folder refuses even the superuser.
    fs::write(folder.path().join(".r3mes-packed-v1"), "").unwrap();
    let (_, phases) = load_cached(folder.path(), None);
    let told = phases.iter().any(|phase| matches!(phase, LoadPhase::CacheNotWritten { reason } if reason.contains("cannot write")));
    assert!(told, "{phases:?}");
    load_cached(folder.path(), Some(fallback.path()));
    let (_, phases) = load_cached(folder.path(), Some(fallback.path()));
    assert!(!packed(&phases));
}

#[test]
fn a_cancelled_load_leaves_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    write_hub(folder.path(), &config(), &packed_tensors(true, false));
    let pool = Pool::new(1);
    let cache = CacheUse::BesideModel {
        fallback: None,
        from_bytes: 0,
    };
    for stop_at in 1.. {
        let mut asked = 0;
        let options = LoadOptions::new(&pool, cache);
        let outcome = load(folder.path(), &options, &mut |phase| {
            asked += usize::from(matches!(phase, LoadPhase::Packing { .. }));
            match asked == stop_at {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        if outcome.is_ok() {
            assert!(stop_at > 4, "asked {asked} times");
            break;
        }
        assert!(matches!(outcome, Err(LoadError::Cancelled)));
        assert_eq!(copies(folder.path()), Vec::<PathBuf>::new());
    }
}

#[test]
fn what_a_killed_process_left_goes_and_what_another_writes_stays() {
    let folder = tempfile::tempdir().unwrap();
    write_hub(folder.path(), &config(), &packed_tensors(true, false));
    load_cached(folder.path(), None);
    let copy = copies(folder.path()).remove(0);
    let left = copy.with_extension("tmp-1-0");
    let written = copy.with_extension("tmp-2-0");
    let foreign = copy.with_file_name("notes.tmp-1-0");
    for path in [&left, &written, &foreign] {
        fs::write(path, "half").unwrap();
    }
    let writer = fs::File::open(&written).unwrap();
    writer.lock().unwrap();
    let (_, phases) = load_cached(folder.path(), None);
    assert!(!packed(&phases));
    let mut expected = vec![copy, written, foreign];
    let mut found = copies(folder.path());
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}
