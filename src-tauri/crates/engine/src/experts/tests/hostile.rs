//! Folders that are no expert for this model.

use super::{House, write_expert, write_peft, write_safetensors};
use crate::error::ErrorCode;
use serde_json::json;

#[test]
fn an_adapter_of_another_model_is_refused_with_what_differs() {
    let house = House::new();
    let source = house.outside("x");
    write_peft(&source, 4, 2560, 1);
    let reason = house.refused(&source);
    assert!(
        reason.contains(
            "A has the shape [4, 2560], expected [4, 192], rank by input features of the weight"
        ),
        "{reason}"
    );
    assert!(
        reason.contains("for the model `builtin`: adapter `mine`, layer 0"),
        "{reason}"
    );
}

#[test]
fn files_that_are_no_adapter_are_refused_each_with_its_reason() {
    let good = json!({"dtype": "F32", "shape": [4, 192], "data_offsets": [0, 3072]});
    let config = |text: &str| (text.to_owned(), None);
    let header = |name: &str, tensor: serde_json::Value| {
        let whole = r#"{"r": 4, "lora_alpha": 8, "use_dora": true, "target_modules": ["q_proj"]}"#;
        (whole.to_owned(), Some(json!({name: tensor})))
    };
    let q = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
    for (case, (config, header)) in [
        ("rank 0", config(r#"{"r": 0, "lora_alpha": 8}"#)),
        (
            "an absurd rank",
            config(r#"{"r": 1000000, "lora_alpha": 8}"#),
        ),
        ("no rank", config(r#"{"lora_alpha": 8}"#)),
        ("no JSON", config("rank = 4")),
        ("no tensors", (r#"{"r": 4}"#.to_owned(), Some(json!({})))),
        (
            "outside the file",
            header(
                q,
                json!({"dtype": "F32", "shape": [4, 192], "data_offsets": [0, 9000]}),
            ),
        ),
        (
            "a negative range",
            header(
                q,
                json!({"dtype": "F32", "shape": [4, 192], "data_offsets": [9, 0]}),
            ),
        ),
        (
            "a layer too many",
            header(&q.replace("layers.0", "layers.99"), good.clone()),
        ),
        ("no linear", header("wte.lora_A.weight", good.clone())),
        (
            "a wrong rank",
            header(
                q,
                json!({"dtype": "F32", "shape": [8, 96], "data_offsets": [0, 3072]}),
            ),
        ),
    ] {
        let house = House::new();
        let source = house.outside("x");
        write_expert(&source, 1);
        std::fs::write(source.join("adapter_config.json"), config).expect("written");
        if let Some(header) = header {
            write_safetensors(&source, &header, &[0; 3072]);
        }
        let error = house.import(&source, Some("mine")).expect_err(case);
        assert_eq!(
            error.code(),
            ErrorCode::ExpertUnusable,
            "{case}: {}",
            error.report()
        );
        assert!(
            house.refused(&source).starts_with("cannot install `"),
            "{case}"
        );
    }
}

#[test]
fn a_missing_file_a_pickle_and_an_oversized_one_are_told_apart() {
    let house = House::new();
    let source = house.outside("x");
    std::fs::create_dir(&source).expect("an empty folder");
    assert!(
        house
            .refused(&source)
            .contains("no `adapter_config.json`, expected")
    );
    write_expert(&source, 1);
    std::fs::rename(
        source.join("adapter_model.safetensors"),
        source.join("adapter_model.bin"),
    )
    .expect("renamed");
    assert!(
        house
            .refused(&source)
            .contains("`adapter_model.bin`, which would run code when read")
    );
    write_expert(&source, 1);
    std::fs::write(source.join("LICENSE"), vec![b'x'; (1 << 20) + 1]).expect("written");
    assert!(
        house
            .refused(&source)
            .contains("`LICENSE` of 1048577 B, expected at most 1048576 B")
    );
}

#[test]
fn companions_that_cannot_be_read_are_refused_on_the_way_in() {
    for (name, text) in [
        ("examples.jsonl", "{\"text\": \"ok\"}\nnot json"),
        ("evaluation.json", "[]"),
        ("expert.json", "{\"schema\": 7}"),
        ("expert.json", "{\"schema\": 1, \"domain\": \"two words\"}"),
    ] {
        let house = House::new();
        let source = house.outside("x");
        write_expert(&source, 1);
        std::fs::write(source.join(name), text).expect("written");
        let reason = house.refused(&source);
        assert!(reason.contains("expected"), "{name}: {reason}");
        assert!(!reason.contains(".r3mes-"), "{reason}");
    }
}

#[test]
fn ids_that_could_leave_the_folder_are_refused_wherever_they_come_from() {
    let house = House::new();
    let source = house.outside("x");
    write_expert(&source, 1);
    let too_long = "a".repeat(65);
    for id in [
        "../x", "a/b", "..", "", "Medical", "ığdır", "con", &too_long,
    ] {
        let error = house.import(&source, Some(id)).expect_err(id);
        assert_eq!(error.code(), ErrorCode::BadRequest, "{id}");
        let card = json!({"schema": 1, "id": id}).to_string();
        std::fs::write(source.join("expert.json"), card).expect("written");
        if !id.is_empty() {
            assert_eq!(
                house.import(&source, None).expect_err(id).code(),
                ErrorCode::BadRequest
            );
        }
        for unknown in [house.shelf.locate(id).err(), house.shelf.known(id).err()] {
            assert_eq!(
                unknown.map(|error| error.code()),
                Some(ErrorCode::UnknownName),
                "{id}"
            );
        }
    }
}
