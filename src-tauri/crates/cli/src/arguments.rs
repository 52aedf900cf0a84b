//! Every command and flag. Names are public: scripts are written against them.

use clap::{Args, Parser, Subcommand};
use r3mes_engine::KvFormat;
use r3mes_engine::api::Tier;
use std::path::PathBuf;

/// A private assistant on this computer: a ternary language model, no network needed.
#[derive(Debug, Parser)]
#[command(name = "r3mes", version, disable_help_subcommand = true)]
pub struct Arguments {
    /// The data folder (default: R3MES_HOME, or the platform's)
    #[arg(long, global = true, value_name = "FOLDER")]
    pub home: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A conversation in the terminal
    Chat(ChatOptions),
    /// Ask one question
    #[command(subcommand)]
    Inference(InferenceCommand),
    /// Fetch, choose and check models
    #[command(subcommand)]
    Model(ModelCommand),
    /// Install, share and place experts
    #[command(subcommand)]
    Adapter(AdapterCommand),
    /// Tell which experts a question concerns, and why
    Route(RouteOptions),
    /// Turn texts into vectors
    Embed(EmbedOptions),
    /// Fetch and choose what turns texts into vectors
    #[command(subcommand)]
    Embedder(EmbedderCommand),
    /// Hardware, memory, backend, folders, model
    Doctor(DoctorOptions),
    /// Measure speed and memory on this machine
    Bench(BenchArguments),
    /// Look inside a model
    #[command(subcommand)]
    Debug(DebugCommand),
}

/// Which model runs, and how.
#[derive(Clone, Debug, Default, Args)]
pub struct Run {
    /// A model folder, a .gguf file, or the name of an installed model
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Threads (default: one for each core)
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Format of cached keys and values: auto, f32, f16 or int8
    #[arg(long, value_name = "FORMAT", value_parser = kv)]
    pub kv: Option<KvFormat>,
}

/// How tokens are chosen.
#[derive(Clone, Debug, Default, Args)]
pub struct SamplingFlags {
    /// The longest answer, in tokens
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<usize>,
    /// 0 always takes the likeliest token
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub temperature: Option<f32>,
    /// Keep the likeliest tokens that together reach this probability
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub top_p: Option<f32>,
    /// Keep this many of the likeliest tokens; 0 keeps all
    #[arg(long, value_name = "K")]
    pub top_k: Option<usize>,
    /// Keep tokens at least this fraction as likely as the likeliest
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub min_p: Option<f32>,
    /// Makes tokens seen before less likely; 1 is off
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    pub repetition_penalty: Option<f32>,
    /// Same seed, same text
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Text that ends the answer; may be given several times
    #[arg(long, value_name = "TEXT")]
    pub stop: Vec<String>,
}

/// Options of `chat`.
#[derive(Debug, Args)]
pub struct ChatOptions {
    #[command(flatten)]
    pub run: Run,
    #[command(flatten)]
    pub sampling: SamplingFlags,
    /// Instructions for the whole conversation
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
}

/// `inference …`
#[derive(Debug, Subcommand)]
pub enum InferenceCommand {
    /// Answer a question
    Query(QueryOptions),
    /// Answer a question, showing each piece as it is made (= query --stream)
    Stream(QueryOptions),
}

/// Options of `inference query`.
#[derive(Debug, Args)]
pub struct QueryOptions {
    /// The question; `-` reads it from stdin
    #[arg(allow_hyphen_values = true)]
    pub prompt: String,
    /// Show each piece as it is made
    #[arg(long)]
    pub stream: bool,
    #[command(flatten)]
    pub sampling: SamplingFlags,
    /// Instructions before the question
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// Answer without looking into documents
    #[arg(long)]
    pub skip_rag: bool,
    /// Answer with these experts, separated by commas
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub experts: Vec<String>,
    /// Look into this collection of documents
    #[arg(long, value_name = "NAME")]
    pub collection: Option<String>,
    /// Print the whole result as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub run: Run,
}

/// `model …`
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// The installed models
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Shape, files, source and licence of a model
    Info {
        /// An installed name, a folder or a .gguf file (default: the chosen model)
        name: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Fetch a model from the hub; an interrupted download goes on where it stopped
    Pull {
        /// owner/name
        repo: String,
        /// Branch, tag or commit
        #[arg(long, value_name = "REVISION")]
        revision: Option<String>,
        /// One .gguf file of a repository with several
        #[arg(long, value_name = "FILE")]
        file: Option<String>,
        /// The name it gets here
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Copy a model you have into the data folder
    Import {
        /// A folder with config.json and safetensors, or a .gguf file
        path: PathBuf,
        /// The name it gets here
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Delete an installed model or an unfinished download
    Remove {
        /// An installed name
        name: String,
        #[command(flatten)]
        output: Output,
    },
    /// Answer with this model from now on
    Use {
        /// An installed name; `builtin` is the one that comes with the program
        name: String,
        #[command(flatten)]
        output: Output,
    },
    /// Read every byte of a model again and compare it with its record
    Verify {
        /// An installed name (default: the chosen model)
        name: Option<String>,
        #[command(flatten)]
        output: Output,
    },
}

/// `adapter …`
#[derive(Debug, Subcommand)]
pub enum AdapterCommand {
    /// The seven known experts and your own
    List {
        #[command(flatten)]
        output: Output,
    },
    /// What is known of an expert
    Info {
        /// Its id
        id: String,
        #[command(flatten)]
        output: Output,
    },
    /// Install an expert: a PEFT folder, an R3MES adapter folder, or a .r3mes-expert pack
    Import(AdapterImport),
    /// Write an installed expert as one file
    Export {
        /// Its id
        id: String,
        /// The file or folder to write (default: ID.r3mes-expert here)
        path: Option<PathBuf>,
        #[command(flatten)]
        output: Output,
    },
    /// Bring experts into memory and tell how long it took
    Preload {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
        /// vram or ram (default: where experts compute)
        #[arg(long, value_name = "TIER", value_parser = tier)]
        tier: Option<Tier>,
        #[command(flatten)]
        run: Run,
        #[command(flatten)]
        output: Output,
    },
    /// Take an expert out of memory
    Unload {
        /// Its id
        id: String,
        #[command(flatten)]
        output: Output,
    },
    /// Delete an installed expert
    Remove {
        /// Its id
        id: String,
        #[command(flatten)]
        output: Output,
    },
}

/// Options of `adapter import`.
#[derive(Debug, Args)]
pub struct AdapterImport {
    /// A folder with adapter_config.json and adapter_model.safetensors, or a .r3mes-expert pack
    pub path: PathBuf,
    /// The id it gets here (default: the pack's, or made from the folder's name)
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Name for people
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// Its field, in one word
    #[arg(long, value_name = "WORD")]
    pub domain: Option<String>,
    /// What it is good for, in a sentence
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Licence of its files
    #[arg(long, value_name = "NAME")]
    pub licence: Option<String>,
    #[command(flatten)]
    pub run: Run,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `route`.
#[derive(Debug, Args)]
pub struct RouteOptions {
    #[command(flatten)]
    pub input: RouteInput,
    #[command(flatten)]
    pub output: Output,
}

/// What `route` routes.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct RouteInput {
    /// The question
    #[arg(allow_hyphen_values = true)]
    pub query: Option<String>,
    /// Lines of {"id", "text"}; `-` reads stdin. For each a line with its experts and scores
    #[arg(long, value_name = "FILE")]
    pub jsonl: Option<PathBuf>,
}

/// Options of `embed`.
#[derive(Debug, Args)]
pub struct EmbedOptions {
    #[command(flatten)]
    pub input: EmbedFlags,
    /// An installed embedder or a folder with one (default: the chosen one, `builtin` on a fresh machine)
    #[arg(long, value_name = "NAME|FOLDER")]
    pub embedder: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

/// What `embed` reads.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct EmbedFlags {
    /// Lines of {"id", "text"}; `-` reads stdin. For each a line {"id", "vector"}
    #[arg(long, value_name = "FILE")]
    pub jsonl: Option<PathBuf>,
    /// A JSON list of strings; `-` reads stdin. With --json one value with all "embeddings"
    #[arg(long, value_name = "FILE")]
    pub texts: Option<PathBuf>,
}

/// `embedder …`
#[derive(Debug, Subcommand)]
pub enum EmbedderCommand {
    /// The installed embedders
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Fetch an embedder from the hub; an interrupted download goes on where it stopped
    Pull {
        /// owner/name
        #[arg(default_value = r3mes_engine::RECOMMENDED_EMBEDDER)]
        repo: String,
        /// Branch, tag or commit
        #[arg(long, value_name = "REVISION")]
        revision: Option<String>,
        /// The name it gets here
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Copy an embedder you have into the data folder
    Import {
        /// A folder with config.json, tokenizer.json and model.safetensors
        path: PathBuf,
        /// The name it gets here
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Delete an installed embedder or an unfinished download
    Remove {
        /// An installed name
        name: String,
        #[command(flatten)]
        output: Output,
    },
    /// Use this embedder from now on
    Use {
        /// An installed name; `builtin` is the one that comes with the program
        name: String,
        #[command(flatten)]
        output: Output,
    },
}

/// Form of the output.
#[derive(Clone, Copy, Debug, Args)]
pub struct Output {
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorOptions {
    #[command(flatten)]
    pub run: Run,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `bench`.
#[derive(Debug, Args)]
pub struct BenchArguments {
    #[command(flatten)]
    pub run: Run,
    /// Prompt tokens of the prefill measurement
    #[arg(long, value_name = "N", default_value_t = 512)]
    pub prompt: usize,
    /// Tokens of the decode measurement
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub generate: usize,
    /// Tokens already in the conversation when decode is measured
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub depth: usize,
    /// How often; medians are reported
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// Random adapters of rank 16 on every linear, applied together
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub adapters: usize,
    #[command(flatten)]
    pub output: Output,
}

/// `debug …`
#[derive(Debug, Subcommand)]
pub enum DebugCommand {
    /// Write a random model of a published shape
    Synth {
        /// 2b4t, 700m or tiny
        #[arg(long)]
        shape: String,
        /// Same shape and seed, same bytes
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// The folder to write
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        #[command(flatten)]
        output: Output,
    },
    /// Write a random adapter for a model: valid, and of no use but for tests
    Adapter(AdapterFlags),
    /// Exact logits after a prompt, and greedy tokens
    Logits(LogitsOptions),
    /// Token ids of a text or a conversation
    Tokenize {
        #[command(flatten)]
        run: Run,
        #[command(flatten)]
        input: TokenizeFlags,
        #[command(flatten)]
        output: Output,
    },
}

/// Options of `debug logits`.
#[derive(Debug, Args)]
pub struct LogitsOptions {
    #[command(flatten)]
    pub run: Run,
    /// The prompt, as token ids separated by commas
    #[arg(long, value_name = "IDS", value_delimiter = ',', required = true)]
    pub prompt_ids: Vec<u32>,
    /// The folder of an adapter and its share (1 when left out); may be given several times
    #[arg(long, value_name = "PATH=WEIGHT", value_parser = adapter)]
    pub adapter: Vec<(PathBuf, f32)>,
    /// Greedy tokens after the prompt
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_new_tokens: usize,
    /// Number of best logits to print
    #[arg(long, value_name = "K", default_value_t = 10)]
    pub top_k: usize,
    /// Write the full row of the last prompt position as raw little-endian f32
    #[arg(long, value_name = "FILE")]
    pub dump_logits: Option<PathBuf>,
    /// Go on after an end token
    #[arg(long)]
    pub ignore_eos: bool,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `debug adapter`.
#[derive(Debug, Args)]
pub struct AdapterFlags {
    #[command(flatten)]
    pub run: Run,
    /// dora, lora or additive
    #[arg(long, default_value = "dora")]
    pub form: String,
    /// Rank, on every linear
    #[arg(long, default_value_t = 16)]
    pub rank: usize,
    /// Same model, form, rank and seed, same adapter
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The folder to write
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    #[command(flatten)]
    pub output: Output,
}

/// What `debug tokenize` encodes.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct TokenizeFlags {
    /// A text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub text: Option<String>,
    /// A JSON list of messages with `role` and `content`; `-` reads stdin
    #[arg(long, value_name = "FILE")]
    pub chat: Option<PathBuf>,
}

fn tier(word: &str) -> Result<Tier, String> {
    match word {
        "vram" => Ok(Tier::Vram),
        "ram" => Ok(Tier::Ram),
        _ => Err("expected vram or ram".to_owned()),
    }
}

fn kv(word: &str) -> Result<KvFormat, String> {
    word.parse()
        .map_err(|()| "expected auto, f32, f16 or int8".to_owned())
}

/// `PATH=WEIGHT`; a path may hold `=` itself.
fn adapter(text: &str) -> Result<(PathBuf, f32), String> {
    let (path, weight) = match text.rsplit_once('=') {
        Some((path, weight)) if !path.is_empty() => match weight.trim().parse::<f32>() {
            Ok(weight) => (path, weight),
            Err(_) if std::path::Path::new(text).exists() => (text, 1.0),
            Err(_) => return Err(format!("share `{weight}`, expected a number")),
        },
        _ => (text, 1.0),
    };
    match weight.is_finite() {
        true => Ok((path.into(), weight)),
        false => Err(format!("share `{weight}`, expected a finite number")),
    }
}
