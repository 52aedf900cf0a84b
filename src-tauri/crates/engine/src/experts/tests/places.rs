//! Experts in memory: preloaded, pinned, unloaded, planned and leased, on machines that a test makes up.

use super::{home, write_peft};
use crate::api::{
    ExpertImport, ExpertWeight, GpuDevice, GpuReport, MemoryReport, Tier, TierReport,
};
use crate::cancel::Cancel;
use crate::engine::Engine;
use crate::error::ErrorCode;
use crate::gating::{Policy, plan};
use crate::{MemoryFacts, MemoryProbe, Settings};
use tempfile::TempDir;

const GB: u64 = 1_000_000_000;

fn machine(ram_bytes: u64, vram_bytes: Option<u64>) -> MemoryProbe {
    let device = |total_bytes| GpuDevice {
        name: "Test GPU".into(),
        total_bytes,
        free_bytes: total_bytes / 2,
        driver: "1".into(),
    };
    MemoryProbe::fixed(MemoryFacts {
        ram: MemoryReport {
            total_bytes: ram_bytes,
            available_bytes: ram_bytes / 2,
        },
        gpu: GpuReport {
            devices: vram_bytes.map(device).into_iter().collect(),
            used: vram_bytes.is_some(),
            reason: "no NVIDIA driver found; the processor computes everything".into(),
        },
    })
}

/// An engine with three experts of the same size.
fn engine(probe: MemoryProbe) -> (TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut settings = Settings::compiled_in(home(folder.path()));
    settings.threads = 1;
    settings.experts.preload = false;
    let engine = Engine::open_on(settings, probe).expect("threads start");
    for (id, seed) in [("a", 1), ("b", 2), ("c", 3)] {
        let path = folder.path().join(id);
        write_peft(&path, 4, 192, seed);
        let request = ExpertImport {
            path,
            ..ExpertImport::default()
        };
        let installed = engine.experts().import(&request, &Cancel::new());
        assert!(installed.expect("installed").is_some());
    }
    (folder, engine)
}

fn preload(engine: &Engine, ids: &[&str], tier: Option<Tier>) -> Vec<(Option<Tier>, String)> {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let reports = engine
        .experts()
        .preload(&ids, tier, &Cancel::new(), &mut |_| {});
    let reports = reports.expect("known ids");
    reports
        .into_iter()
        .map(|report| (report.tier, report.error.unwrap_or_default()))
        .collect()
}

fn tier(engine: &Engine, tier: Tier) -> TierReport {
    let tiers = engine.experts().tiers().expect("reports");
    tiers
        .into_iter()
        .find(|report| report.tier == tier)
        .expect("each tier")
}

#[test]
fn without_a_device_experts_compute_from_main_memory_and_video_memory_is_told_absent() {
    let (_folder, engine) = engine(machine(16 * GB, None));
    assert_eq!(
        preload(&engine, &["a", "b"], None),
        vec![(Some(Tier::Ram), String::new()); 2]
    );
    let vram = tier(&engine, Tier::Vram);
    assert_eq!(
        (vram.present, vram.budget_bytes, vram.used_bytes),
        (false, 0, 0)
    );
    assert_eq!(
        vram.reason,
        "no NVIDIA driver found; the processor computes everything"
    );
    let ram = tier(&engine, Tier::Ram);
    assert_eq!(ram.experts, ["a", "b"]);
    assert!(ram.used_bytes > 0 && ram.used_bytes <= ram.budget_bytes);
    assert_eq!(tier(&engine, Tier::Disk).experts, ["c"]);
    let wanted = preload(&engine, &["c"], Some(Tier::Vram));
    assert_eq!(
        wanted[0].1,
        "no video memory to place an expert in: no NVIDIA driver found; the processor computes everything"
    );
}

#[test]
fn with_a_device_that_computes_experts_go_there_by_way_of_main_memory() {
    let (_folder, engine) = engine(machine(16 * GB, Some(24 * GB)));
    assert_eq!(
        preload(&engine, &["a"], Some(Tier::Ram)),
        [(Some(Tier::Ram), String::new())]
    );
    assert_eq!(
        preload(&engine, &["a", "b"], None),
        vec![(Some(Tier::Vram), String::new()); 2]
    );
    let (vram, ram) = (tier(&engine, Tier::Vram), tier(&engine, Tier::Ram));
    assert!(
        vram.present && vram.reason.contains("Test GPU"),
        "{}",
        vram.reason
    );
    assert_eq!((vram.experts.len(), ram.used_bytes), (2, 0));
    assert_eq!(
        engine.experts().info("a").expect("known").tier,
        Some(Tier::Vram)
    );
}

#[test]
fn pins_hold_and_outlive_a_restart() {
    let (folder, first) = engine(machine(16 * GB, None));
    first.experts().set_pinned("a", true).expect("pinned");
    preload(&first, &["a"], None);
    assert_eq!(
        first.experts().unload("a").expect_err("pinned").code(),
        ErrorCode::BadRequest
    );
    drop(first);
    let settings = Settings::compiled_in(home(folder.path()));
    let second = Engine::open_on(settings, machine(16 * GB, None)).expect("threads start");
    assert!(second.experts().info("a").expect("known").pinned);
    second.experts().remove("a").expect("removing unpins");
    assert!(second.experts().set_pinned("a", true).is_err());
    assert!(second.experts().set_pinned("medical_dora", true).is_err());
    assert!(second.experts().set_pinned("nobody", false).is_err());
}

#[test]
fn unknown_ids_are_errors_and_known_ones_without_files_are_told() {
    let (_folder, engine) = engine(machine(16 * GB, None));
    let ids = ["a".to_owned(), "nobody".to_owned()];
    let error = engine
        .experts()
        .preload(&ids, None, &Cancel::new(), &mut |_| {})
        .expect_err("unknown");
    assert_eq!(error.code(), ErrorCode::UnknownName);
    assert_eq!(
        tier(&engine, Tier::Ram).experts,
        [] as [&str; 0],
        "nothing was begun"
    );
    let reports = preload(&engine, &["medical_dora", "a"], None);
    assert!(
        reports[0]
            .1
            .starts_with("expert `medical_dora` is not installed")
    );
    assert_eq!(reports[1].0, Some(Tier::Ram));
}

#[test]
fn a_plan_is_leased_and_a_removed_expert_stays_with_its_answer() {
    let (_folder, engine) = engine(machine(32 * GB, None));
    preload(&engine, &["a"], None);
    let desk = engine.desk();
    let budget = engine.experts().budget();
    let wanted = ["a", "b", "c", "medical_dora"].map(|id| ExpertWeight {
        expert_id: id.into(),
        weight: 0.5,
    });
    let facts = desk.facts(wanted.iter().map(|one| one.expert_id.as_str()));
    let plan = plan(&wanted, &facts, &budget, Policy::default());
    assert_eq!(plan.chosen.len(), 3);
    assert_eq!(plan.dropped.len(), 1);
    std::fs::remove_dir_all(desk.shelf.folder_of("c")).expect("gone after the plan");
    let leased = desk.lease(&plan, &Cancel::new()).expect("not cancelled");
    let used = leased.used();
    let shares: Vec<(&str, f32)> = used
        .iter()
        .map(|used| (used.expert_id.as_str(), used.weight))
        .collect();
    assert_eq!(shares, [("a", 0.5), ("b", 0.5)]);
    assert_eq!(leased.hits_and_misses(), (1, 1));
    assert!(
        leased
            .adapters()
            .iter()
            .all(|(adapter, _)| adapter.bytes() > 0)
    );
    assert!(leased.dropped[0].reason.starts_with("unknown expert `c`"));
    engine.experts().remove("a").expect("removed");
    assert!(
        tier(&engine, Tier::Ram).used_bytes > 0,
        "the answer keeps it"
    );
    assert!(used[0].generation.starts_with("sha256:"));
    drop(leased);
    engine.experts().unload("b").expect("not pinned");
    assert_eq!(tier(&engine, Tier::Ram).used_bytes, 0);
}

#[test]
fn experts_leave_memory_with_their_model() {
    let (_folder, engine) = engine(machine(16 * GB, None));
    preload(&engine, &["a"], None);
    engine.desk().model_left();
    assert_eq!(tier(&engine, Tier::Ram).used_bytes, 0);
    assert_eq!(
        engine.experts().info("a").expect("known").tier,
        Some(Tier::Disk)
    );
}
