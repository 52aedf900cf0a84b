//! What a measurement asks and tells.

use serde::Serialize;

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BenchOptions {
    /// Prompt tokens of the prefill measurement.
    pub prompt_tokens: usize,
    /// Tokens of the decode measurement.
    pub generate_tokens: usize,
    /// Tokens already in the cache when decode is measured.
    pub depth_tokens: usize,
    /// How often; the medians are reported.
    pub repeat: usize,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchReport {
    /// The model.
    pub model: String,
    /// Threads of the model and of the bandwidth measurement.
    pub threads: usize,
    /// Instruction set in use.
    pub isa: String,
    /// Format of the key and value cache.
    pub kv: String,
    /// Prompt tokens of the prefill measurement.
    pub prompt_tokens: usize,
    /// Tokens of the decode measurement.
    pub generate_tokens: usize,
    /// Tokens in the cache when decode began.
    pub depth_tokens: usize,
    /// Repetitions.
    pub repeat: usize,
    /// Median.
    pub prefill_tokens_per_second: f64,
    /// Median.
    pub decode_tokens_per_second: f64,
    /// From the first file opened to ready, in milliseconds.
    pub load_ms: f64,
    /// The most memory this process held; absent when the system does not tell.
    pub peak_rss_bytes: Option<u64>,
    /// What one decoded token must read at that depth.
    pub bytes_per_token: u64,
    /// Of which packed ternary and other weights.
    pub weight_bytes_per_token: u64,
    /// Of which the screen of the head, or the head itself.
    pub head_bytes_per_token: u64,
    /// Of which keys and values, at the middle of the decode measurement.
    pub kv_bytes_per_token: u64,
    /// Reads of main memory with the same threads in the same run; median.
    pub memory_bandwidth_bytes_per_second: f64,
    /// `bytes_per_token × decode_tokens_per_second ÷ memory_bandwidth_bytes_per_second`.
    pub decode_bandwidth_share: f64,
}
