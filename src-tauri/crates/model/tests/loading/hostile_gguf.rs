//! Bad GGUF files: each is refused with the place and what was expected.

use std::fs;

use super::fixture::*;
use super::gguf_file::*;

fn check_bytes(name: &str, bytes: &[u8], fragments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    fs::write(&path, bytes).unwrap();
    let message = refusal(&path);
    for fragment in fragments {
        assert!(
            message.contains(fragment),
            "{name}: {message:?} lacks {fragment:?}"
        );
    }
}

/// Spoils a good I2_S file and expects every fragment in the message.
fn check(name: &str, spoil: impl FnOnce(&mut Model), fragments: &[&str]) {
    let mut model = Model::new("bitnet-b1.58", Format::I2s);
    spoil(&mut model);
    check_bytes(name, &model.bytes(), fragments);
}

fn set(model: &mut Model, entry: Entry) {
    model.metadata.retain(|(key, ..)| *key != entry.0);
    model.metadata.push(entry);
}

#[test]
fn headers_that_break_the_format() {
    let good = Model::new("bitnet-b1.58", Format::I2s).bytes();
    let patched = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("empty", Vec::new(), &["magic", "end of the header"]),
        ("magic", patched(0, b"GGML"), &["magic", "`GGUF`"]),
        (
            "version 1",
            patched(4, &1u32.to_le_bytes()),
            &["GGUF version", "1 is not supported", "2 and 3"],
        ),
        (
            "version 4",
            patched(4, &4u32.to_le_bytes()),
            &["GGUF version", "4"],
        ),
        (
            "big-endian",
            patched(4, &3u32.to_be_bytes()),
            &["big-endian version 3"],
        ),
        (
            "tensor count",
            patched(8, &u64::MAX.to_le_bytes()),
            &["tensor count", "18446744073709551615"],
        ),
        (
            "entry count",
            patched(16, &(1u64 << 60).to_le_bytes()),
            &["metadata count"],
        ),
        (
            "key length",
            patched(24, &u64::MAX.to_le_bytes()),
            &["metadata key"],
        ),
        (
            "cut",
            good[..200].to_vec(),
            &[
                "tensor count",
                "found 24, expected at most 7 in what is left",
            ],
        ),
        (
            "cut in the table",
            good[..1000].to_vec(),
            &["in what is left of the header"],
        ),
        (
            "cut data",
            good[..good.len() - 4096].to_vec(),
            &["within the file's"],
        ),
    ];
    for (name, bytes, fragments) in cases {
        check_bytes(name, &bytes, fragments);
    }
    // Wherever the file is cut, there is an error and nothing else.
    for length in (0..good.len()).step_by(97) {
        check_bytes("cut anywhere", &good[..length], &["model.gguf"]);
    }
}

#[test]
fn metadata_that_lies() {
    let array =
        |kind: u32, count: u64| [kind.to_le_bytes().as_slice(), &count.to_le_bytes()].concat();
    let cases: [(&str, Entry, &[&str]); 16] = [
        (
            "array count",
            ("x".into(), 9, array(4, u64::MAX)),
            &["x before byte", "18446744073709551615"],
        ),
        (
            "string count",
            ("x".into(), 9, array(8, 1 << 40)),
            &["x before byte"],
        ),
        (
            "nested",
            ("x".into(), 9, array(9, 1)),
            &["an array of type 9"],
        ),
        ("type", ("x".into(), 99, vec![0; 8]), &["value type 99"]),
        ("boolean", ("x".into(), 7, vec![2]), &["boolean 2"]),
        (
            "UTF-8",
            (
                "x".into(),
                8,
                [2u64.to_le_bytes().as_slice(), &[0xFF, 0xFE]].concat(),
            ),
            &["invalid UTF-8"],
        ),
        (
            "string length",
            ("x".into(), 8, u64::MAX.to_le_bytes().into()),
            &["18446744073709551615"],
        ),
        (
            "architecture",
            text_entry("general.architecture", "gpt2"),
            &["`gpt2`", "`bitnet-b1.58`"],
        ),
        (
            "architecture type",
            u32_entry("general.architecture", 1),
            &["general.architecture", "a string"],
        ),
        (
            "alignment",
            u32_entry("general.alignment", 3),
            &["general.alignment", "a power of two"],
        ),
        (
            "layers",
            u32_entry("bitnet-b1.58.block_count", u32::MAX),
            &["`layers` is 4294967295"],
        ),
        (
            "no layers",
            text_entry("bitnet-b1.58.block_count", "2"),
            &["block_count", "an integer"],
        ),
        (
            "heads",
            u32_entry("bitnet-b1.58.attention.head_count", 0),
            &["`heads` is 0"],
        ),
        (
            "width",
            u32_entry("bitnet-b1.58.embedding_length", 512),
            &["token_embd.weight", "48 rows of 512"],
        ),
        (
            "rotation",
            u32_entry("bitnet-b1.58.rope.dimension_count", 32),
            &["rope.dimension_count", "64"],
        ),
        (
            "scaling",
            text_entry("bitnet-b1.58.rope.scaling.type", "yarn"),
            &["`yarn`"],
        ),
    ];
    for (name, entry, fragments) in cases {
        check(name, |model| set(model, entry), fragments);
    }
}

#[test]
fn a_key_may_stand_once_only() {
    check(
        "twice",
        |model| {
            model
                .metadata
                .push(u32_entry("tokenizer.ggml.bos_token_id", 1));
        },
        &["tokenizer.ggml.bos_token_id", "a second entry"],
    );
}

#[test]
fn tensor_tables_that_lie() {
    let query = "blk.0.attn_q.weight";
    check(
        "offset past the end",
        |model| model.offsets.push((3, u64::MAX - 31)),
        &["within the file's"],
    );
    check(
        "unaligned",
        |model| model.offsets.push((3, 33)),
        &["a multiple of 32"],
    );
    check(
        "overlap",
        |model| model.offsets.push((3, 0)),
        &["tensors that do not overlap"],
    );
    check(
        "dimensions",
        |model| model.tensor(query).shape = vec![1; 5],
        &[query, "5 dimensions"],
    );
    check(
        "overflow",
        |model| model.tensor(query).shape = vec![1 << 40, 1 << 40],
        &[query, "shape"],
    );
    check(
        "zero",
        |model| model.tensor(query).shape = vec![0, 256],
        &[query],
    );
    check(
        "unknown type",
        |model| model.tensor(query).kind = 38,
        &[query, "type 38", "I2_S (36)"],
    );
    check("float type", |model| model.tensor(query).kind = 8, &[query]);
    check(
        "transposed",
        |model| model.tensor("blk.0.ffn_up.weight").shape.reverse(),
        &["blk.0.ffn_up.weight", "512 rows of 256"],
    );
    check(
        "missing",
        |model| model.tensors.retain(|tensor| tensor.name != query),
        &[query, "no such tensor"],
    );
    check(
        "twice",
        |model| {
            let copy = model.tensor(query).clone();
            model.tensors.push(copy);
        },
        &[query, "a second tensor"],
    );
    check(
        "short norm",
        |model| {
            let norm = model.tensor("output_norm.weight");
            norm.shape = vec![128];
            norm.bytes.truncate(512);
        },
        &["output_norm.weight", "1 rows of 256"],
    );
    check(
        "embedding type",
        |model| {
            let embedding = model.tensor("token_embd.weight");
            embedding.kind = 36;
            embedding.bytes.truncate(HIDDEN * VOCAB / 4 + 32);
        },
        &["token_embd.weight", "a float type"],
    );
}

#[test]
fn ternary_blocks_that_are_implausible() {
    let query = "blk.0.attn_q.weight";
    check(
        "code 3",
        |model| model.tensor(query).bytes[32 * 2 + 1] |= 0b11_00_00_00,
        &[query, "row 1, column 1", "code 3"],
    );
    for scale in [0.0f32, -1.0, f32::NAN, f32::INFINITY] {
        check(
            "scale",
            |model| {
                let bytes = &mut model.tensor(query).bytes;
                let place = bytes.len() - 32;
                bytes[place..place + 4].copy_from_slice(&scale.to_le_bytes());
            },
            &[query, "a positive number"],
        );
    }
    for (format, block_bytes) in [(Format::Tq1, 54), (Format::Tq2, 66)] {
        let spoiled = |scale: u16| {
            let mut model = Model::new("bitnet", format);
            // The second block of a row of the down projection, which has two.
            let place = 2 * block_bytes - 2;
            model.tensor("blk.1.ffn_down.weight").bytes[place..place + 2]
                .copy_from_slice(&scale.to_le_bytes());
            model.bytes()
        };
        check_bytes(
            "other scale",
            &spoiled(0x3C00),
            &[
                "blk.1.ffn_down.weight",
                "row 0, column 256",
                "one scale per row",
            ],
        );
        check_bytes(
            "NaN scale",
            &spoiled(0x7E00),
            &["blk.1.ffn_down.weight", "NaN"],
        );
    }
    let mut model = Model::new("bitnet", Format::Tq2);
    model.tensor(query).bytes[3] |= 0b11;
    check_bytes(
        "TQ2_0 code 3",
        &model.bytes(),
        &[query, "row 0, column 3", "code 3"],
    );
}

#[test]
fn no_flipped_byte_causes_more_than_an_error() {
    let good = Model::new("llama", Format::Tq1).bytes();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let mut next = numbers(5);
    for _ in 0..600 {
        let mut file = good.clone();
        // Mostly in the header, where structure is.
        let place = (next()
            % if next().is_multiple_of(4) {
                good.len() as u64
            } else {
                3000
            }) as usize;
        file[place] ^= (next() % 255 + 1) as u8;
        fs::write(&path, file).unwrap();
        let outcome = load_model(&path).map(drop);
        if let Err(error) = outcome {
            assert!(chain(&error).contains("model.gguf"), "{}", chain(&error));
        }
    }
}
