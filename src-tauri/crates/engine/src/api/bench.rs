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
    /// Random adapters of rank 16 on every linear, with equal shares.
    pub adapters: usize,
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
    /// Adapters in the mix that prefill and decode were measured with.
    pub adapters: usize,
    /// Median.
    pub prefill_tokens_per_second: f64,
    /// Median.
    pub decode_tokens_per_second: f64,
    /// From the first file opened to ready, in milliseconds.
    pub load_ms: f64,
    /// The most memory this process held; absent when the system does not tell.
    pub peak_rss_bytes: Option<u64>,
    /// With adapters: the base model's decode, measured in turns with the mix, and what swapping costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with_adapters: Option<AdapterBench>,
    /// What one decoded token must read at that depth.
    pub bytes_per_token: u64,
    /// Of which packed ternary and other weights.
    pub weight_bytes_per_token: u64,
    /// Of which the screen of the head, or the head itself.
    pub head_bytes_per_token: u64,
    /// Of which adapters.
    pub adapter_bytes_per_token: u64,
    /// Of which keys and values, at the middle of the decode measurement.
    pub kv_bytes_per_token: u64,
    /// Reads of main memory with the same threads in the same run; median.
    pub memory_bandwidth_bytes_per_second: f64,
    /// `bytes_per_token × decode_tokens_per_second ÷ memory_bandwidth_bytes_per_second`.
    pub decode_bandwidth_share: f64,
}

/// What adapters cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdapterBench {
    /// Tokens per second of the base model; median.
    pub base_decode_tokens_per_second: f64,
    /// Median of decode with the mix divided by decode without, each pair measured one after the other.
    pub decode_ratio: f64,
    /// Bytes of one adapter in memory.
    pub resident_bytes: u64,
    /// From adapters in memory to a mix ready for its first token, in milliseconds; median.
    pub swap_resident_ms: f64,
    /// From the resident form in a file to a mix of this adapter alone, in milliseconds; median.
    pub swap_from_disk_ms: f64,
    /// From the adapter's own files, norms and all, in milliseconds: the first time only.
    pub first_load_ms: f64,
}
