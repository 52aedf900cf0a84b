//! How byte-level BPE tokenizers cut a text into words before merging, by the names GGUF files use.
//!
//! Source: llama.cpp `src/llama-vocab.cpp` (names and expressions); the tokenizer.json files of the models named.

use tokenizers::PreTokenizerWrapper;
use tokenizers::SplitDelimiterBehavior::Isolated;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};

use super::TextError;

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)";
const THREE_DIGITS: &str = "[0-9][0-9][0-9]";

/// How a family of vocabularies splits and merges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Splitter {
    /// Expressions applied one after the other; matches and what lies between them become words.
    expressions: &'static [&'static str],
    /// A word that is a token is taken whole, whatever its merges say.
    pub(super) ignore_merges: bool,
    /// Whether BOS is added where the file does not say.
    pub(super) adds_bos: bool,
}

/// The splitter that `tokenizer.ggml.pre` names.
pub(super) fn named(name: &str) -> Option<Splitter> {
    let (expressions, ignore_merges, adds_bos): (&'static [&'static str], bool, bool) = match name {
        "llama-bpe" | "llama3" | "llama-v3" | "dbrx" | "smaug-bpe" => (&[LLAMA3], true, true),
        "falcon3" | "falcon-h1" => (&[LLAMA3], true, false),
        "qwen2" | "deepseek-r1-qwen" | "stablelm2" | "megrez" | "hunyuan" => {
            (&[QWEN2], false, false)
        }
        "gpt-2" | "gpt2" | "phi-2" | "mpt" | "olmo" | "jais" | "gigachat" | "roberta-bpe"
        | "jina-es" | "jina-de" | "jina-v2-es" | "jina-v2-de" | "jina-v2-code" | "trillion" => {
            (&[GPT2], false, false)
        }
        "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" | "minerva-7b" => {
            (&[r"\p{N}", GPT2], false, false)
        }
        "falcon" => (
            &[r"[\p{P}\$\+<=>\^~\|`]+", GPT2, THREE_DIGITS],
            false,
            false,
        ),
        "default" => (
            &[r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", THREE_DIGITS],
            false,
            false,
        ),
        _ => return None,
    };
    Some(Splitter {
        expressions,
        ignore_merges,
        adds_bos,
    })
}

impl Splitter {
    /// The splitter followed by the step that writes bytes as characters of the vocabulary.
    pub(super) fn pre_tokenizer(self) -> Result<PreTokenizerWrapper, TextError> {
        let mut steps: Vec<PreTokenizerWrapper> = Vec::new();
        for expression in self.expressions {
            let pattern = SplitPattern::Regex((*expression).to_owned());
            let split =
                Split::new(pattern, Isolated, false).map_err(|error| TextError::Library {
                    place: format!("splitter `{expression}`"),
                    message: error.to_string(),
                })?;
            steps.push(split.into());
        }
        steps.push(ByteLevel::new(false, false, false).into());
        Ok(Sequence::new(steps).into())
    }
}
