//! From a folder to the list, and away again.

use super::{House, home, write_expert, write_peft};
use crate::api::{AdapterKind, ExpertImport, KNOWN_EXPERTS, Tier};
use crate::cancel::Cancel;
use crate::engine::Engine;
use crate::error::ErrorCode;
use crate::{MemoryProbe, Settings};
use std::path::Path;
use std::sync::Barrier;

fn engine(folder: &Path) -> Engine {
    let settings = Settings::compiled_in(home(folder));
    Engine::open_on(settings, MemoryProbe::this_machine()).expect("threads start")
}

fn request(path: &Path) -> ExpertImport {
    ExpertImport {
        path: path.to_owned(),
        ..ExpertImport::default()
    }
}

#[test]
fn the_seven_are_listed_on_a_fresh_machine_and_listing_writes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let engine = engine(folder.path());
    let experts = engine.experts().list().expect("a list");
    let ids: Vec<&str> = experts.iter().map(|one| one.expert_id.as_str()).collect();
    assert_eq!(ids, KNOWN_EXPERTS.map(|(id, _)| id));
    assert!(
        experts
            .iter()
            .all(|one| !one.registered && one.tier.is_none())
    );
    assert_eq!(
        (experts[0].domain.as_str(), experts[0].name.as_str()),
        ("medical", "Medical")
    );
    assert!(!home(folder.path()).path.exists());
}

#[test]
fn an_imported_expert_is_listed_with_what_its_files_say_and_removed() {
    let house = House::new();
    let source = house.outside("Kira Uzmanı");
    write_expert(&source, 1);
    let engine = engine(house.folder.path());
    let installed = engine.experts().import(&request(&source), &Cancel::new());
    let expert = installed.expect("installed").expect("not cancelled");
    assert_eq!(expert.expert_id, "tenancy");
    assert_eq!(
        (expert.name.as_str(), expert.domain.as_str()),
        ("Kiracılık", "legal")
    );
    assert_eq!(expert.base_model.as_deref(), Some("r3mes/builtin"));
    assert_eq!(
        (expert.kind, expert.rank),
        (Some(AdapterKind::WeightDecomposed), Some(4))
    );
    assert_eq!((expert.examples, expert.tier), (2, Some(Tier::Disk)));
    assert_eq!(expert.evaluation[0].expert, 12.5);
    assert_eq!(expert.error, None);
    assert!(expert.generation.starts_with("sha256:") && expert.generation.len() == 71);
    let listed = engine.experts().list().expect("a list");
    assert_eq!(listed.last(), Some(&expert));
    assert_eq!(
        engine.experts().examples("tenancy").expect("examples")[1],
        "my lease"
    );
    assert!(engine.experts().remove("tenancy").expect("removed") > 1000);
    let gone = engine.experts().info("tenancy").expect_err("gone");
    assert_eq!(gone.code(), ErrorCode::UnknownName);
    assert!(
        source.join("adapter_model.safetensors").exists(),
        "the original stays"
    );
}

#[test]
fn an_id_is_given_once_and_what_is_said_wins_over_what_the_files_say() {
    let house = House::new();
    let source = house.outside("x");
    write_expert(&source, 1);
    assert_eq!(
        house
            .import(&source, Some("medical_dora"))
            .expect("installed"),
        "medical_dora"
    );
    let error = house
        .import(&source, Some("medical_dora"))
        .expect_err("taken");
    assert_eq!(error.code(), ErrorCode::NameTaken);
    assert!(
        error.report().contains("already installed, from `file:"),
        "{}",
        error.report()
    );
    assert_eq!(house.import(&source, None).expect("installed"), "tenancy");
    write_peft(&house.outside("Şükrü'nün Uzmanı"), 4, 192, 2);
    let id = house.import(&house.outside("Şükrü'nün Uzmanı"), None);
    assert_eq!(id.expect("installed"), "sukru-nun-uzmani");
}

#[test]
fn the_version_follows_the_content_and_nothing_else() {
    let house = House::new();
    for (name, seed) in [("a", 1), ("b", 1), ("c", 2)] {
        let source = house.outside(name);
        write_peft(&source, 4, 192, seed);
        house.import(&source, None).expect("installed");
    }
    let generation = |id: &str| house.generation(id);
    assert_eq!(generation("a"), generation("b"));
    assert_ne!(generation("a"), generation("c"));
    let before = generation("a");
    write_peft(&house.shelf.folder_of("a"), 4, 192, 3);
    assert_ne!(generation("a"), before, "a changed file is another version");
    write_peft(&house.shelf.folder_of("a"), 4, 192, 1);
    assert_eq!(
        generation("a"),
        before,
        "the same content is the same version"
    );
    let fresh = crate::experts::shelf::Shelf::new(home(house.folder.path()));
    let found = fresh.look("b", &house.base).expect("installed");
    assert_eq!(found.generation, before);
}

#[test]
fn one_broken_expert_does_not_take_the_list_down() {
    let house = House::new();
    let source = house.outside("good");
    write_peft(&source, 4, 192, 1);
    for id in ["good", "cut", "odd", "wide", "bare"] {
        house.import(&source, Some(id)).expect("installed");
    }
    let inside = |id: &str, name: &str| house.shelf.folder_of(id).join(name);
    std::fs::write(inside("cut", "adapter_model.safetensors"), [1, 2, 3]).expect("written");
    std::fs::write(inside("odd", "expert.json"), "[1").expect("written");
    write_peft(&house.shelf.folder_of("wide"), 4, 384, 1);
    std::fs::remove_file(inside("bare", "adapter_config.json")).expect("deleted");
    std::fs::create_dir(house.shelf.folder_of("Ğ büyük")).expect("made");
    let engine = engine(house.folder.path());
    let experts = engine.experts().list().expect("a list");
    let error = |id: &str| {
        let entry = experts
            .iter()
            .find(|one| one.expert_id == id)
            .expect("listed");
        assert!(entry.registered, "{id}");
        entry.error.clone().unwrap_or_default()
    };
    assert_eq!(error("good"), "");
    for (id, expected) in [
        ("cut", "`adapter_model.safetensors`"),
        ("odd", "`expert.json`: "),
        ("wide", "A has the shape [4, 384], expected [4, 192]"),
        ("bare", "`adapter_config.json`"),
        ("Ğ büyük", "expected 1 to 64 of a-z"),
    ] {
        assert!(error(id).contains(expected), "{id}: {}", error(id));
    }
    for id in ["cut", "odd", "wide", "bare"] {
        assert!(engine.experts().remove(id).is_ok(), "{id}");
    }
}

#[test]
fn an_adapter_that_states_another_models_hash_is_refused() {
    let house = House::new();
    let source = house.outside("x");
    write_expert(&source, 1);
    let card = |hash: &str| format!(r#"{{"schema": 1, "base_model": {{"hash": "{hash}"}}}}"#);
    std::fs::write(source.join("expert.json"), card("sha256:other")).expect("written");
    assert!(house.refused(&source).ends_with(
        "an adapter made for the model with hash `sha256:other`, expected one for `builtin`, whose hash is `sha256:builtin`"
    ));
    std::fs::write(source.join("expert.json"), card("sha256:builtin")).expect("written");
    house.import(&source, Some("mine")).expect("installed");
}

#[test]
fn of_two_who_install_the_same_id_at_once_one_succeeds() {
    let house = House::new();
    let source = house.outside("x");
    write_expert(&source, 1);
    let together = Barrier::new(2);
    let results: Vec<_> = std::thread::scope(|scope| {
        let one = || {
            together.wait();
            // Each with its own shelf, as two programs.
            let shelf = crate::experts::shelf::Shelf::new(home(house.folder.path()));
            crate::experts::install::install(&shelf, &request(&source), &house.base, &Cancel::new())
        };
        let threads = [scope.spawn(one), scope.spawn(one)];
        threads
            .map(|thread| thread.join().expect("no panic"))
            .into()
    });
    let failed: Vec<_> = results
        .iter()
        .filter_map(|result| result.as_ref().err())
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].code(), ErrorCode::NameTaken);
    assert_eq!(house.shelf.names().expect("a list"), ["tenancy"]);
}

#[test]
fn a_cancelled_import_and_a_killed_one_leave_nothing() {
    let house = House::new();
    let source = house.outside("x");
    write_expert(&source, 1);
    let cancel = Cancel::new();
    cancel.set();
    let installed =
        crate::experts::install::install(&house.shelf, &request(&source), &house.base, &cancel);
    assert_eq!(installed.expect("no error"), None);
    let half = house.shelf.folder_of(".r3mes-half");
    std::fs::create_dir_all(half.join("deep")).expect("what a kill leaves");
    assert_eq!(house.shelf.names().expect("a list"), [] as [&str; 0]);
    house.import(&source, None).expect("installed");
    assert!(!half.exists(), "the next one sweeps");
}

#[test]
fn changes_are_told_to_those_who_watch() {
    let house = House::new();
    let source = house.outside("x");
    write_expert(&source, 1);
    let engine = engine(house.folder.path());
    let (tell, told) = std::sync::mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    engine.experts().watch(std::sync::Arc::new(move |change| {
        tell.lock().expect("alone").send(change).expect("heard");
    }));
    engine
        .experts()
        .import(&request(&source), &Cancel::new())
        .expect("installed");
    assert_eq!(told.try_recv(), Ok(crate::api::Change::Experts));
}
