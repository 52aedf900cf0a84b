//! Published models with 1.58-bit weights that this program can read, as data.
//!
//! Sizes are computed from each model's shape as published (2 bits a ternary weight, 2 bytes each number of the embedding
//! and the head), so they are approximate except where noted; what the hub lists decides when a download begins.

use crate::api::{Fit, KnownModel, MemoryReport, ModelEntry};

/// What is known of a published model before it is fetched.
struct Published {
    repo: &'static str,
    file: Option<&'static str>,
    name: &'static str,
    parameters: &'static str,
    download_bytes: u64,
    memory_bytes: u64,
    context_tokens: usize,
    licence: &'static str,
}

const MB: u64 = 1_000_000;
const RECOMMENDED: &str = "microsoft/bitnet-b1.58-2B-4T";
const FALCON: &str = "falcon-llm-license";

const PUBLISHED: [Published; 10] = [
    // Sizes as published: weights 1.18 GB, context 4096 (config.json), MIT.
    Published {
        repo: RECOMMENDED,
        file: None,
        name: "BitNet b1.58 2B 4T",
        parameters: "2.4B",
        download_bytes: 1_187 * MB,
        memory_bytes: 1_550 * MB,
        context_tokens: 4096,
        licence: "MIT",
    },
    Published {
        repo: "microsoft/bitnet-b1.58-2B-4T-gguf",
        file: Some("ggml-model-i2_s.gguf"),
        name: "BitNet b1.58 2B 4T, GGUF",
        parameters: "2.4B",
        download_bytes: 1_188 * MB,
        memory_bytes: 1_550 * MB,
        context_tokens: 4096,
        licence: "MIT",
    },
    // Falcon3: vocabulary 131072, head and embedding apart; 18 layers of 2048, then 22, 28 and 40 of 3072.
    Published {
        repo: "tiiuae/Falcon3-1B-Instruct-1.58bit",
        file: None,
        name: "Falcon3 1B Instruct",
        parameters: "1B",
        download_bytes: 1_360 * MB,
        memory_bytes: 1_700 * MB,
        context_tokens: 8192,
        licence: FALCON,
    },
    Published {
        repo: "tiiuae/Falcon3-3B-Instruct-1.58bit",
        file: None,
        name: "Falcon3 3B Instruct",
        parameters: "3B",
        download_bytes: 2_220 * MB,
        memory_bytes: 3_000 * MB,
        context_tokens: 32768,
        licence: FALCON,
    },
    Published {
        repo: "tiiuae/Falcon3-7B-Instruct-1.58bit",
        file: None,
        name: "Falcon3 7B Instruct",
        parameters: "7B",
        download_bytes: 3_270 * MB,
        memory_bytes: 4_200 * MB,
        context_tokens: 32768,
        licence: FALCON,
    },
    Published {
        repo: "tiiuae/Falcon3-10B-Instruct-1.58bit",
        file: None,
        name: "Falcon3 10B Instruct",
        parameters: "10B",
        download_bytes: 3_990 * MB,
        memory_bytes: 5_200 * MB,
        context_tokens: 32768,
        licence: FALCON,
    },
    // Falcon-E: the memory its model card states, rounded up.
    Published {
        repo: "tiiuae/Falcon-E-1B-Instruct",
        file: None,
        name: "Falcon-E 1B Instruct",
        parameters: "1B",
        download_bytes: 670 * MB,
        memory_bytes: 950 * MB,
        context_tokens: 32768,
        licence: FALCON,
    },
    Published {
        repo: "tiiuae/Falcon-E-3B-Instruct",
        file: None,
        name: "Falcon-E 3B Instruct",
        parameters: "3B",
        download_bytes: 1_000 * MB,
        memory_bytes: 1_400 * MB,
        context_tokens: 32768,
        licence: FALCON,
    },
    // Llama 3 8B: vocabulary 128256, head and embedding apart, 32 layers of 4096 × 14336.
    Published {
        repo: "HF1BitLLM/Llama3-8B-1.58-100B-tokens",
        file: None,
        name: "Llama 3 8B, 100B tokens",
        parameters: "8B",
        download_bytes: 3_850 * MB,
        memory_bytes: 4_900 * MB,
        context_tokens: 8192,
        licence: "llama3",
    },
    // Masters in f32, 4 bytes each; packed when first loaded.
    Published {
        repo: "1bitLLM/bitnet_b1_58-large",
        file: None,
        name: "BitNet b1.58 large",
        parameters: "0.7B",
        download_bytes: 2_920 * MB,
        memory_bytes: 700 * MB,
        context_tokens: 2048,
        licence: "MIT",
    },
];

/// Every known model, with how it fits `memory` and whether it is among `installed`.
pub(super) fn known(memory: MemoryReport, installed: &[ModelEntry]) -> Vec<KnownModel> {
    let free_bytes = memory.available_bytes;
    PUBLISHED
        .iter()
        .map(|model| KnownModel {
            repo: model.repo.into(),
            file: model.file.map(str::to_owned),
            name: model.name.into(),
            parameters: model.parameters.into(),
            download_bytes: model.download_bytes,
            memory_bytes: model.memory_bytes,
            context_tokens: model.context_tokens,
            licence: model.licence.into(),
            recommended: model.repo == RECOMMENDED,
            fit: fit(model.memory_bytes, memory),
            free_bytes,
            installed: installed
                .iter()
                .any(|entry| entry.source.strip_prefix("hub:") == Some(model.repo)),
        })
        .collect()
}

/// How a model that needs `needed_bytes` fits.
///
/// Comfortable: a quarter more than it needs is free now. Tight: it needs at most three quarters of all memory, so that
/// other programs can make room. A machine that does not tell its memory is given the benefit of the doubt.
pub(crate) fn fit(needed_bytes: u64, memory: MemoryReport) -> Fit {
    if memory.total_bytes == 0 {
        return Fit::Tight;
    }
    if needed_bytes.saturating_add(needed_bytes / 4) <= memory.available_bytes {
        Fit::Comfortable
    } else if needed_bytes <= memory.total_bytes / 4 * 3 {
        Fit::Tight
    } else {
        Fit::TooLarge
    }
}

#[cfg(test)]
mod tests {
    use super::{fit, known};
    use crate::api::{Fit, MemoryReport};

    const GB: u64 = 1_000_000_000;

    fn memory(total_bytes: u64, available_bytes: u64) -> MemoryReport {
        MemoryReport {
            total_bytes,
            available_bytes,
        }
    }

    #[test]
    fn a_model_fits_by_what_is_free_and_by_what_there_is() {
        for (needed, total, free, expected) in [
            (4 * GB, 16 * GB, 5 * GB, Fit::Comfortable),
            (4 * GB, 16 * GB, 5 * GB - 1, Fit::Tight),
            (4 * GB, 16 * GB, 0, Fit::Tight),
            (6 * GB, 8 * GB, 2 * GB, Fit::Tight),
            (6 * GB + 1, 8 * GB, 2 * GB, Fit::TooLarge),
            (u64::MAX, 8 * GB, 8 * GB, Fit::TooLarge),
            (4 * GB, 0, 0, Fit::Tight),
        ] {
            let found = fit(needed, memory(total, free));
            assert_eq!(found, expected, "{needed} of {total}, {free} free");
        }
    }

    #[test]
    fn one_known_model_is_recommended_and_every_repository_has_an_owner() {
        let models = known(memory(16 * GB, 8 * GB), &[]);
        assert_eq!(models.iter().filter(|model| model.recommended).count(), 1);
        for model in models {
            assert_eq!(model.repo.matches('/').count(), 1, "{}", model.repo);
            assert!(!model.installed, "{}", model.repo);
        }
    }
}
