//! `r3mes debug logits` and `r3mes debug tokenize` against the published implementation, through the binary.

#[path = "parity/bars.rs"]
#[allow(dead_code, reason = "the parity test uses the rest")]
mod bars;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/reference/data")
}

/// Runs `r3mes` with a data folder of its own and reads the JSON it prints.
fn r3mes(home: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_r3mes"))
        .args(arguments)
        .env("R3MES_HOME", home)
        .output()
        .expect("the binary runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "r3mes {arguments:?}: {complaint}");
    serde_json::from_slice(&output.stdout).expect("one JSON value on stdout")
}

fn expected(name: &str, file: &str) -> Value {
    let text = std::fs::read_to_string(data().join(name).join(file)).expect(file);
    serde_json::from_str(&text).expect(file)
}

fn ids(value: &Value) -> Vec<u32> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|id| id.as_u64().expect("an id") as u32)
        .collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect()
}

/// The first row of `last`: a safetensors file is the length of its header, the header as JSON, the data.
fn first_row(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).expect("expected.safetensors");
    let (length, rest) = bytes.split_first_chunk::<8>().expect("a header");
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let header: Value = serde_json::from_slice(header).expect("a JSON header");
    let start = header["last"]["data_offsets"][0]
        .as_u64()
        .expect("an offset") as usize;
    let columns = header["last"]["shape"][1].as_u64().expect("a width") as usize;
    floats(&data[start..start + columns * 4])
}

fn check_logits(name: &str, model: &str) {
    let home = tempfile::tempdir().expect("a folder");
    let dump = home.path().join("row.f32");
    let prompt = &expected(name, "expected.json")["prompts"][0];
    let prompt_ids = ids(&prompt["ids"]);
    let list = prompt_ids
        .iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join(",");
    let model = data().join(name).join(model);
    let mut arguments = vec![
        "debug",
        "logits",
        "--model",
        model.to_str().expect("a plain path"),
        "--prompt-ids",
        &list,
    ];
    arguments.extend([
        "--max-new-tokens",
        "4",
        "--top-k",
        "3",
        "--ignore-eos",
        "--json",
    ]);
    arguments.extend(["--dump-logits", dump.to_str().expect("a plain path")]);
    let answer = r3mes(home.path(), &arguments);

    let published = first_row(&data().join(name).join("expected.safetensors"));
    let row = floats(&std::fs::read(&dump).expect("the dumped row"));
    let found = bars::distance(&row, &published);
    assert!(
        found.sigma <= bars::ANY_SIGMA && found.cosine >= bars::ANY_COSINE,
        "{name}: {found:?}"
    );

    assert_eq!(ids(&answer["prompt_ids"]), prompt_ids, "{name}");
    assert_eq!(answer["vocab_size"], row.len(), "{name}");
    let top = answer["top"].as_array().expect("a list");
    assert_eq!(top.len(), 3, "{name}: {top:?}");
    assert_eq!(top[0][0], bars::argmax(&row), "{name}: {top:?}");
    assert_eq!(answer["stop"], "length", "{name}");
    let (generated, greedy) = (ids(&answer["generated"]), ids(&prompt["greedy"]));
    assert_eq!(generated.len(), 4, "{name}");
    let agreeing = generated
        .iter()
        .zip(&greedy)
        .take_while(|(ours, theirs)| ours == theirs)
        .count();
    let gap = prompt["greedy_gaps"][agreeing].as_f64().expect("a gap");
    assert!(
        agreeing == 4 || gap <= bars::UNDECIDED_SIGMA,
        "{name}: {generated:?}, published {greedy:?}"
    );
}

#[test]
fn debug_logits_of_a_hub_folder() {
    check_logits("bitnet-packed", "model");
}

#[test]
fn debug_logits_of_a_gguf_file() {
    check_logits("gguf-i2s-llama", "model.gguf");
}

#[test]
fn debug_tokenize_of_texts_and_conversations() {
    for (name, model) in [
        ("bitnet-packed", "model"),
        ("llama-divide", "model"),
        ("gguf-i2s-bitnet-b1.58", "model.gguf"),
    ] {
        let home = tempfile::tempdir().expect("a folder");
        let model = data().join(name).join(model);
        let model = model.to_str().expect("a plain path");
        let table = expected(name, "text.json");
        let text = &table["texts"][9];
        let arguments = [
            "debug",
            "tokenize",
            "--model",
            model,
            "--text",
            text["text"].as_str().expect("a text"),
            "--json",
        ];
        assert_eq!(r3mes(home.path(), &arguments)["ids"], text["ids"], "{name}");

        let chat = &table["chats"][2];
        let file = home.path().join("chat.json");
        std::fs::write(&file, chat["messages"].to_string()).expect("a written file");
        let file = file.to_str().expect("a plain path");
        let answer = r3mes(
            home.path(),
            &[
                "debug", "tokenize", "--model", model, "--chat", file, "--json",
            ],
        );
        assert_eq!(answer["ids"], chat["ids"], "{name}");
        assert_eq!(answer["rendered"], chat["rendered"], "{name}");
    }
}
