//! Measures a model on this machine: prefill, decode, load time, memory, and the share of the memory bus that decode reaches.
//!
//! The bandwidth is measured in the same run with the same threads, so that the share compares
//! like with like on a machine whose neighbours come and go.

mod adapters;

use crate::api::{AdapterBench, BenchOptions, BenchReport};
use crate::cancel::Cancel;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::loaded::open_model;
use crate::memory::peak_rss_bytes;
use r3mes_kernels::measure_bandwidth;
use r3mes_model::adapter::Mix;
use r3mes_model::forward::{Outcome, PREFILL_CHUNK_TOKENS, State};
use r3mes_model::generate::GenerateError;
use r3mes_model::model::Model;
use r3mes_model::sampling::{Sampler, Sampling};
use std::sync::Arc;
use std::time::Instant;

/// Bytes of one bandwidth measurement: far more than any cache holds.
const BANDWIDTH_BYTES: usize = 256 << 20;
const BANDWIDTH_REPEATS: usize = 7;

impl Engine {
    /// Measures the chosen model; nothing when it was cancelled. `progress` is told what is being measured.
    ///
    /// # Errors
    /// If the model cannot be used or the tokens do not fit its context.
    pub fn bench(
        &self,
        options: &BenchOptions,
        cancel: &Cancel,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Option<BenchReport>, EngineError> {
        let settings = self.settings();
        let located = self.models().locate_chosen(settings.model.as_deref())?;
        progress("loading the model");
        let started = Instant::now();
        let opened = open_model(&located.path, &settings, settings.kv, cancel, &mut |_| {})?;
        let load_ms = started.elapsed().as_secs_f64() * 1e3;
        let Some(model) = opened else {
            return Ok(None);
        };
        check_room(&model, options)?;
        let Some((mix, swaps)) = adapters::prepare(&model, options, cancel, progress)? else {
            return Ok(None);
        };
        let Some(prefill) = measure_prefill(&model, &mix, options, cancel, progress)? else {
            return Ok(None);
        };
        let mut mixes = vec![Arc::clone(&mix)];
        if options.adapters > 0 {
            mixes.push(Arc::new(Mix::base()));
        }
        let Some(rates) = measure_decode(&model, &mixes, options, cancel, progress)? else {
            return Ok(None);
        };
        let decode = median(rates[0].clone());
        let with_adapters = swaps.map(|swaps| AdapterBench {
            base_decode_tokens_per_second: median(rates[1].clone()),
            decode_ratio: median(ratios(&rates[0], &rates[1])),
            ..swaps
        });
        // Taken now: the memory that the bandwidth measurement reads is no part of what the model needs.
        let peak_rss_bytes = peak_rss_bytes();
        progress("memory bandwidth");
        let bandwidth = measure_bandwidth(model.pool(), BANDWIDTH_BYTES, BANDWIDTH_REPEATS)?;
        let middle = options.depth_tokens + options.generate_tokens / 2;
        let traffic = model.traffic(middle);
        let bytes_per_token = traffic.total() + mix.traffic();
        Ok(Some(BenchReport {
            model: located.name,
            threads: settings.threads,
            isa: model.isa().to_string(),
            kv: format!("{:?}", model.kv_format()).to_lowercase(),
            prompt_tokens: options.prompt_tokens,
            generate_tokens: options.generate_tokens,
            depth_tokens: options.depth_tokens,
            repeat: options.repeat,
            adapters: options.adapters,
            with_adapters,
            prefill_tokens_per_second: prefill,
            decode_tokens_per_second: decode,
            load_ms,
            peak_rss_bytes,
            bytes_per_token,
            weight_bytes_per_token: traffic.weights,
            head_bytes_per_token: traffic.head,
            adapter_bytes_per_token: mix.traffic(),
            kv_bytes_per_token: traffic.cache,
            memory_bandwidth_bytes_per_second: bandwidth,
            decode_bandwidth_share: bytes_per_token as f64 * decode / bandwidth,
        }))
    }
}

fn check_room(model: &Model, options: &BenchOptions) -> Result<(), EngineError> {
    let needed = options
        .prompt_tokens
        .max(options.depth_tokens + options.generate_tokens);
    if needed <= model.context() && options.prompt_tokens > 0 && options.generate_tokens > 0 {
        return Ok(());
    }
    Err(EngineError::BadRequest {
        field: "--prompt, --depth and --generate".into(),
        found: format!("{needed} tokens in one sequence"),
        expected: format!(
            "1 or more to process and to generate, and at most the model's context of {}",
            model.context()
        ),
    })
}

/// Median tokens per second over a prompt.
fn measure_prefill(
    model: &Model,
    mix: &Arc<Mix>,
    options: &BenchOptions,
    cancel: &Cancel,
    progress: &mut dyn FnMut(&str),
) -> Result<Option<f64>, EngineError> {
    let prompt = tokens(model, options.prompt_tokens);
    let mut state = model.start_with(Arc::clone(mix))?;
    let mut rates = Vec::new();
    for turn in 1..=options.repeat.max(1) {
        progress(&format!(
            "prefill of {} tokens, {turn} of {}",
            prompt.len(),
            options.repeat
        ));
        state.truncate(0);
        let started = Instant::now();
        let going = &mut |_| !cancel.is_set();
        if model.prefill(&mut state, &prompt, PREFILL_CHUNK_TOKENS, going)? == Outcome::Cancelled {
            return Ok(None);
        }
        next(model, &mut state)?;
        rates.push(prompt.len() as f64 / started.elapsed().as_secs_f64());
    }
    Ok(Some(median(rates)))
}

/// Tokens per second after `depth_tokens` tokens: for each mix its turns, which alternate with those of the others.
fn measure_decode(
    model: &Model,
    mixes: &[Arc<Mix>],
    options: &BenchOptions,
    cancel: &Cancel,
    progress: &mut dyn FnMut(&str),
) -> Result<Option<Vec<Vec<f64>>>, EngineError> {
    // One token is the least a sequence can begin with.
    let prompt = tokens(model, options.depth_tokens.max(1));
    let mut states = Vec::new();
    for mix in mixes {
        let mut state = model.start_with(Arc::clone(mix))?;
        let going = &mut |_| !cancel.is_set();
        progress(&format!("processing {} tokens before decode", prompt.len()));
        if model.prefill(&mut state, &prompt, PREFILL_CHUNK_TOKENS, going)? == Outcome::Cancelled {
            return Ok(None);
        }
        states.push(state);
    }
    let mut rates = vec![Vec::new(); mixes.len()];
    for turn in 1..=options.repeat.max(1) {
        progress(&format!(
            "decode of {} tokens, {turn} of {}",
            options.generate_tokens, options.repeat
        ));
        for (state, rates) in states.iter_mut().zip(&mut rates) {
            // The last token is processed again: logits exist only for what was just processed.
            state.truncate(prompt.len() - 1);
            model.decode(state, prompt[prompt.len() - 1])?;
            let started = Instant::now();
            for _ in 0..options.generate_tokens {
                if cancel.is_set() {
                    return Ok(None);
                }
                let id = next(model, state)?;
                if state.tokens().len() < model.context() {
                    model.decode(state, id)?;
                }
            }
            rates.push(options.generate_tokens as f64 / started.elapsed().as_secs_f64());
        }
    }
    Ok(Some(rates))
}

fn ratios(with: &[f64], without: &[f64]) -> Vec<f64> {
    with.iter()
        .zip(without)
        .map(|(with, without)| with / without)
        .collect()
}

/// The likeliest next token, found as an answer finds it.
fn next(model: &Model, state: &mut State) -> Result<u32, EngineError> {
    let sampler = Sampler::new(Sampling::greedy(), model.config().vocab, &[])
        .map_err(GenerateError::Sampling)?;
    let mut candidates = Vec::new();
    model.candidates(state, &sampler, &mut candidates)?;
    Ok(candidates.first().map_or(0, |(id, _)| *id))
}

/// A prompt of `count` ids spread over the vocabulary.
fn tokens(model: &Model, count: usize) -> Vec<u32> {
    /// A prime step visits ids far apart.
    const STEP: usize = 7919;
    let vocab = model.config().vocab;
    (0..count).map(|i| (i * STEP % vocab) as u32).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn a_median_is_the_middle_or_between_the_two_middles() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
