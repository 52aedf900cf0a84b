//! `adapter list|info|import|export|preload|unload|remove`.

use crate::support::Home;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

const WIDTH: usize = 192;
const FEED_FORWARD: usize = 512;

/// A small DoRA adapter for the built-in model in PEFT's layout; its numbers follow from the seed.
fn adapter(home: &Home, name: &str, seed: u32, width: usize) -> PathBuf {
    let folder = home.path().join(name);
    std::fs::create_dir_all(&folder).expect("a new folder");
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let mut numbers = Vec::new();
    let mut header = Map::new();
    for layer in 0..4 {
        let linear = format!("base_model.model.model.layers.{layer}.mlp.up_proj");
        for (tensor, shape) in [
            ("lora_A.weight", vec![2, width]),
            ("lora_B.weight", vec![FEED_FORWARD, 2]),
            ("lora_magnitude_vector", vec![FEED_FORWARD]),
        ] {
            let start = numbers.len();
            for _ in 0..shape.iter().product::<usize>() {
                // Marsaglia's xorshift32.
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                let number = 0.01 + (state % 1000) as f32 / 1e5;
                numbers.extend_from_slice(&number.to_le_bytes());
            }
            let offsets = [start, numbers.len()];
            header.insert(
                format!("{linear}.{tensor}"),
                json!({"dtype": "F32", "shape": shape, "data_offsets": offsets}),
            );
        }
    }
    let header = Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(&numbers);
    std::fs::write(folder.join("adapter_model.safetensors"), file).expect("a new file");
    let config = json!({
        "peft_type": "LORA", "r": 2, "lora_alpha": 4, "use_dora": true,
        "target_modules": ["up_proj"], "base_model_name_or_path": "r3mes/builtin",
    });
    std::fs::write(folder.join("adapter_config.json"), config.to_string()).expect("a new file");
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

/// Installs an adapter under an id.
fn install(home: &Home, id: &str, seed: u32) {
    let source = adapter(home, &format!("kaynak {id}"), seed, WIDTH);
    let ran = home.run(&["adapter", "import", text(&source), "--id", id]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), format!("{id}\n").as_str()),
        "{}",
        ran.stderr
    );
}

fn expert(list: &Value, id: &str) -> Value {
    let experts = list["experts"].as_array().expect("a list");
    let found = experts.iter().find(|expert| expert["expert_id"] == id);
    found.expect("listed").clone()
}

#[test]
fn a_fresh_machine_lists_the_seven_and_the_tiers() {
    let home = Home::new();
    let list = home.json(&["adapter", "list", "--json"]);
    assert_eq!(list["total"], 7);
    assert_eq!(expert(&list, "medical_dora")["domain"], "medical");
    assert_eq!(expert(&list, "general_dora")["registered"], false);
    let tiers: Vec<&str> = list["tiers"]
        .as_array()
        .expect("three tiers")
        .iter()
        .map(|tier| tier["tier"].as_str().expect("a name"))
        .collect();
    assert_eq!(tiers, ["vram", "ram", "disk"]);
    assert!(
        !home.path().join("adapters").exists(),
        "listing writes nothing"
    );
    let words = home.run(&["adapter", "list"]);
    assert!(words.stdout.contains("not installed"), "{}", words.stdout);
}

#[test]
fn an_expert_is_imported_described_packed_moved_and_removed() {
    let home = Home::new();
    let source = adapter(&home, "Kira Uzmanı", 1, WIDTH);
    let installed = home.json(&[
        "adapter",
        "import",
        text(&source),
        "--name",
        "Kiracılık",
        "--domain",
        "legal",
        "--licence",
        "CC-BY-4.0",
        "--description",
        "Kira hukuku",
        "--json",
    ]);
    assert_eq!(installed["expert_id"], "kira-uzmani");
    assert_eq!(installed["name"], "Kiracılık");
    assert_eq!(installed["kind"], "weight_decomposed");
    assert_eq!(installed["rank"], 2);
    assert_eq!(installed["tier"], "disk");
    let pack = home.path().join("paket.r3mes-expert");
    let export = home.json(&["adapter", "export", "kira-uzmani", text(&pack), "--json"]);
    assert_eq!(
        export["size_bytes"].as_u64(),
        Some(std::fs::metadata(&pack).expect("written").len())
    );

    let other = Home::new();
    let ran = other.run(&["adapter", "import", text(&pack)]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "kira-uzmani\n"),
        "{}",
        ran.stderr
    );
    let moved = other.json(&["adapter", "info", "kira-uzmani", "--json"]);
    for field in [
        "generation",
        "name",
        "domain",
        "licence",
        "description",
        "base_model",
    ] {
        assert_eq!(moved[field], installed[field], "{field}");
    }
    let again = other.path().join("again.r3mes-expert");
    assert_eq!(
        other
            .run(&["adapter", "export", "kira-uzmani", text(&again)])
            .code,
        Some(0)
    );
    assert_eq!(
        std::fs::read(&pack).expect("there"),
        std::fs::read(&again).expect("there")
    );

    let removed = other.json(&["adapter", "remove", "kira-uzmani", "--json"]);
    assert!(removed["freed_bytes"].as_u64() > Some(1000));
    assert_eq!(other.run(&["adapter", "info", "kira-uzmani"]).code, Some(2));
    let words = home.run(&["adapter", "info", "kira-uzmani"]);
    assert!(words.stdout.contains("DoRA, rank 2"), "{}", words.stdout);
}

#[test]
fn experts_are_brought_into_memory_and_each_tells_how_it_went() {
    let home = Home::new();
    install(&home, "medical_dora", 1);
    install(&home, "mine", 2);
    let ran = home.run(&["adapter", "preload", "medical_dora", "mine", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let reports = ran.json();
    for (at, id) in ["medical_dora", "mine"].into_iter().enumerate() {
        let report = &reports["experts"][at];
        assert_eq!(
            (&report["expert_id"], &report["tier"]),
            (&json!(id), &json!("ram"))
        );
        assert!(report["ms"].as_f64() > Some(0.0) && report["error"].is_null());
    }
    assert!(
        ran.stderr.contains("given back when this command ends"),
        "{}",
        ran.stderr
    );
    let ran = home.run(&["adapter", "preload", "mine", "legal_dora", "--json"]);
    assert_eq!(ran.code, Some(1), "one of two failed");
    assert_eq!(ran.json()["experts"][0]["tier"], "ram");
    let error = ran.json()["experts"][1]["error"].to_string();
    assert!(
        error.contains("expert `legal_dora` is not installed"),
        "{error}"
    );
    assert_eq!(
        home.json(&["adapter", "unload", "mine", "--json"])["unloaded"],
        false
    );
}

#[test]
fn numbers_that_are_none_are_refused_on_the_way_in_and_told_when_they_come_later() {
    let home = Home::new();
    install(&home, "mine", 1);
    let source = adapter(&home, "bozuk", 1, WIDTH);
    let spoil = |folder: &Path| {
        let path = folder.join("adapter_model.safetensors");
        let mut bytes = std::fs::read(&path).expect("there");
        let at = bytes.len() - 4;
        bytes[at..].copy_from_slice(&f32::NAN.to_le_bytes());
        std::fs::write(&path, bytes).expect("written");
    };
    spoil(&source);
    let ran = home.run(&["adapter", "import", text(&source)]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("adapter `bozuk`, layer 3 `up_proj`: value 511 of the magnitude is NaN, expected a finite number"), "{}", ran.stderr);
    spoil(&home.path().join("adapters/mine"));
    let ran = home.run(&["adapter", "preload", "mine"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stdout.contains("value 511 of the magnitude is NaN"),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_adapter_of_another_model_leaves_nothing_behind() {
    let home = Home::new();
    let source = adapter(&home, "büyük", 1, 2560);
    let ran = home.run(&["adapter", "import", text(&source), "--id", "mine"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("` for the model `builtin`: adapter `mine`, layer 0 `up_proj`: A has the shape [2, 2560], expected [2, 192]"), "{}", ran.stderr);
    assert_eq!(home.json(&["adapter", "list", "--json"])["total"], 7);
}

#[test]
fn unknown_ids_and_ids_that_cannot_be_are_bad_usage() {
    let home = Home::new();
    let source = adapter(&home, "x", 1, WIDTH);
    let too_long = "a".repeat(65);
    for id in ["../x", "Medical", "ığdır", "", "a.b", &too_long] {
        let ran = home.run(&["adapter", "import", text(&source), "--id", id]);
        assert_eq!(ran.code, Some(2), "{id}: {}", ran.stderr);
        for command in ["info", "export", "preload", "unload", "remove"] {
            let ran = home.run(&["adapter", command, id]);
            assert_eq!(ran.code, Some(2), "{command} {id}: {}", ran.stderr);
            assert_eq!(ran.stdout, "");
        }
    }
    let ran = home.run(&["adapter", "info", "medical_dor"]);
    assert!(
        ran.stderr.contains("did you mean `medical_dora`?"),
        "{}",
        ran.stderr
    );
    assert_eq!(home.run(&["adapter", "info", "medical_dora"]).code, Some(0));
    assert_eq!(
        home.run(&["adapter", "remove", "medical_dora"]).code,
        Some(2)
    );
    assert_eq!(home.run(&["adapter", "import", "/nowhere"]).code, Some(2));
    assert_eq!(
        home.run(&["adapter", "preload", "medical_dora", "--tier", "disk"])
            .code,
        Some(2)
    );
    assert!(!home.path().join("adapters/x").exists());
}

#[test]
fn an_id_is_given_once_also_by_two_programs_at_once() {
    let home = Home::new();
    let source = adapter(&home, "x", 1, WIDTH);
    let start = || home.start(&["adapter", "import", text(&source), "--id", "mine"]);
    let both = [start(), start()].map(|child| {
        let output = child.wait_with_output().expect("it ends");
        crate::support::Ran::of(output)
    });
    let mut codes = both.each_ref().map(|ran| ran.code);
    codes.sort_unstable();
    assert_eq!(
        codes,
        [Some(0), Some(2)],
        "{}{}",
        both[0].stderr,
        both[1].stderr
    );
    assert!(
        both.iter()
            .any(|ran| ran.stderr.contains("already installed"))
    );
    assert_eq!(home.json(&["adapter", "list", "--json"])["total"], 8);
}

#[test]
fn one_broken_expert_does_not_take_the_list_down() {
    let home = Home::new();
    install(&home, "mine", 1);
    install(&home, "cut", 2);
    let cut = home.path().join("adapters/cut/adapter_model.safetensors");
    std::fs::write(cut, "short").expect("written");
    std::fs::create_dir(home.path().join("adapters/empty")).expect("made");
    let list = home.json(&["adapter", "list", "--json"]);
    assert_eq!(list["total"], 10);
    assert!(expert(&list, "mine")["error"].is_null());
    for id in ["cut", "empty"] {
        assert!(expert(&list, id)["error"].is_string(), "{id}");
        assert!(expert(&list, id)["tier"].is_null(), "{id}");
        assert_eq!(home.run(&["adapter", "preload", id]).code, Some(1), "{id}");
        assert_eq!(home.run(&["adapter", "remove", id]).code, Some(0), "{id}");
    }
}
