//! What a swap of experts costs beside computing: deciding, claiming what is in memory, bringing what is not.
//!
//! `cargo bench -p r3mes-engine --bench tiers`; times are per call. The adapters are small ones for the built-in model, so that the
//! numbers themselves weigh little; a budget is taken from this machine with each call, as with each question.

use criterion::{Criterion, criterion_group, criterion_main};
use r3mes_engine::api::{ExpertImport, ExpertWeight, Tier};
use r3mes_engine::{
    Cancel, Engine, ExpertFacts, Home, MemoryBudget, Policy, Settings, TierBudget, plan,
};
use serde_json::{Map, Value, json};
use std::hint::black_box;
use std::path::Path;

/// A DoRA adapter of rank 2 on the up projections of the built-in model.
fn write_adapter(folder: &Path, seed: u64) {
    std::fs::create_dir_all(folder).expect("a new folder");
    let mut numbers = Vec::new();
    let mut header = Map::new();
    for layer in 0..4 {
        for (tensor, shape) in [
            ("lora_A.weight", vec![2, 192]),
            ("lora_B.weight", vec![512, 2]),
            ("lora_magnitude_vector", vec![512]),
        ] {
            let start = numbers.len();
            for at in 0..shape.iter().product::<usize>() as u64 {
                let mixed = (at + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                let number = 0.01 + (mixed % 1000) as f32 / 1e5;
                numbers.extend_from_slice(&number.to_le_bytes());
            }
            let name = format!("base_model.model.model.layers.{layer}.mlp.up_proj.{tensor}");
            let offsets = [start, numbers.len()];
            let tensor = json!({"dtype": "F32", "shape": shape, "data_offsets": offsets});
            header.insert(name, tensor);
        }
    }
    let header = Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(&numbers);
    std::fs::write(folder.join("adapter_model.safetensors"), file).expect("a new file");
    let config = json!({
        "peft_type": "LORA", "r": 2, "lora_alpha": 4, "use_dora": true, "target_modules": ["up_proj"],
    });
    std::fs::write(folder.join("adapter_config.json"), config.to_string()).expect("a new file");
}

fn planning(criterion: &mut Criterion) {
    let ids: Vec<String> = (0..32).map(|id| format!("expert_{id}")).collect();
    let facts: Vec<ExpertFacts> = ids
        .iter()
        .map(|id| ExpertFacts {
            expert_id: id.clone(),
            bytes: 61_000_000,
            tier: Some(Tier::Disk),
            registered: true,
            ..ExpertFacts::default()
        })
        .collect();
    let wanted = |count: usize| -> Vec<ExpertWeight> {
        let first = ids.iter().take(count);
        first
            .map(|id| ExpertWeight {
                expert_id: id.clone(),
                weight: 0.5,
            })
            .collect()
    };
    let budget = MemoryBudget {
        vram: None,
        vram_reason: "a bench".into(),
        ram: TierBudget {
            bytes: 512_000_000,
            total_bytes: 32_000_000_000,
            ..TierBudget::default()
        },
    };
    let mut group = criterion.benchmark_group("plan");
    for count in [3, 32] {
        let wanted = wanted(count);
        group.bench_function(format!("{count} candidates"), |bench| {
            bench.iter(|| black_box(plan(&wanted, &facts, &budget, Policy::default())));
        });
    }
}

fn swapping(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home {
        path: folder.path().join("home"),
        reason: "a bench",
    };
    let engine = Engine::open(Settings::compiled_in(home)).expect("threads start");
    let experts = engine.experts();
    for (id, seed) in [("a", 1), ("b", 2)] {
        let path = folder.path().join(id);
        write_adapter(&path, seed);
        let request = ExpertImport {
            path,
            ..ExpertImport::default()
        };
        let installed = experts.import(&request, &Cancel::new());
        installed.expect("installed").expect("not cancelled");
    }
    let bring = |id: &str| {
        let ids = [id.to_owned()];
        let reports = experts.preload(&ids, None, &Cancel::new(), &mut |_| {});
        let report = reports.expect("known").remove(0);
        assert_eq!(report.error, None);
    };
    bring("a");
    bring("b");
    let mut group = criterion.benchmark_group("swap");
    group.bench_function("between two in memory, with the budget", |bench| {
        bench.iter(|| {
            bring("a");
            bring("b");
        });
    });
    group.bench_function("the budget alone", |bench| {
        bench.iter(|| black_box(experts.budget()));
    });
    group.bench_function("from disk and out again, 34 kB", |bench| {
        bench.iter(|| {
            experts.unload("a").expect("not pinned");
            bring("a");
        });
    });
    group.bench_function("list of nine", |bench| {
        bench.iter(|| black_box(experts.list().expect("a list")));
    });
}

criterion_group!(benches, planning, swapping);
criterion_main!(benches);
