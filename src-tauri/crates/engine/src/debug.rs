//! Looks inside a model: exact logits, token ids, and random models of real shapes.

use crate::api::{Loading, LogitsReport, LogitsRequest, LogitsStop, TokenizeInput, TokenizeReport};
use crate::cancel::Cancel;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::folders::write_atomically;
use crate::loaded::{open_model, open_text};
use crate::settings::KvFormat;
use r3mes_model::adapter::{
    self, AdapterError, AdapterForm, AdapterOptions, LARGEST_RANK, Mix, Precision,
};
use r3mes_model::forward::{Outcome, PREFILL_CHUNK_TOKENS, State};
use r3mes_model::model::Model;
use r3mes_model::synth;
use r3mes_model::text::{self, GenerationPrompt, SpecialTokens};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Engine {
    /// Exact logits after a prompt, and greedy tokens after it; nothing when it was cancelled.
    ///
    /// The cache is f32 unless the settings name a format.
    ///
    /// # Errors
    /// If the model cannot be used, an id is outside the vocabulary, the tokens do not fit the context, or the file
    /// cannot be written.
    pub fn logits(
        &self,
        request: &LogitsRequest,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Loading),
    ) -> Result<Option<LogitsReport>, EngineError> {
        let settings = self.settings();
        let located = self.models().locate_chosen(settings.model.as_deref())?;
        let kv = match settings.kv {
            KvFormat::Auto => KvFormat::F32,
            chosen => chosen,
        };
        let Some(model) = open_model(&located.path, &settings, kv, cancel, progress)? else {
            return Ok(None);
        };
        let stop_ids = match request.ignore_eos {
            true => Vec::new(),
            // A model without a readable tokenizer still has logits; its configuration names the stop tokens.
            false => open_text(&located.path).map_or_else(
                |_| model.config().eos.clone(),
                |text| text.stop_ids(&model.config().eos),
            ),
        };
        let Some(mix) = mix(&model, &request.adapters, cancel)? else {
            return Ok(None);
        };
        let mut state = model.start_with(Arc::new(mix))?;
        let going = &mut |_| !cancel.is_set();
        let chunk = PREFILL_CHUNK_TOKENS;
        if model.prefill(&mut state, &request.prompt_ids, chunk, going)? == Outcome::Cancelled {
            return Ok(None);
        }
        let row = model.logits(&mut state)?;
        let vocab_size = row.len();
        let top = best(row, request.top_k);
        if let Some(path) = &request.dump {
            let bytes: Vec<u8> = row.iter().flat_map(|logit| logit.to_le_bytes()).collect();
            write_atomically(path, &bytes)?;
        }
        let Some((generated, stop)) = greedy(&model, &mut state, request, &stop_ids, cancel)?
        else {
            return Ok(None);
        };
        Ok(Some(LogitsReport {
            prompt_ids: request.prompt_ids.clone(),
            vocab_size,
            top,
            generated,
            stop,
        }))
    }

    /// Writes a random adapter for the chosen model; false when it was cancelled.
    ///
    /// # Errors
    /// If the form is unknown, the rank cannot be, the model cannot be used, or the folder cannot be written.
    pub fn synth_adapter(
        &self,
        form: &str,
        rank: usize,
        seed: u64,
        out: &Path,
        cancel: &Cancel,
    ) -> Result<bool, EngineError> {
        let refuse = |field: &str, found: String, expected: String| EngineError::BadRequest {
            field: field.into(),
            found,
            expected,
        };
        let form = match form {
            "dora" => AdapterForm::WeightDecomposed,
            "lora" => AdapterForm::LowRank,
            "additive" => AdapterForm::Additive,
            other => {
                let expected = "dora, lora or additive".into();
                return Err(refuse("--form", format!("`{other}`"), expected));
            }
        };
        if !(1..=LARGEST_RANK).contains(&rank) {
            let expected = format!("1 to {LARGEST_RANK}");
            return Err(refuse("--rank", rank.to_string(), expected));
        }
        let settings = self.settings();
        let located = self.models().locate_chosen(settings.model.as_deref())?;
        let opened = open_model(&located.path, &settings, settings.kv, cancel, &mut |_| {})?;
        let Some(model) = opened else {
            return Ok(false);
        };
        let machine = (model.isa(), model.pool());
        let what = synth::SynthAdapter { form, rank, seed };
        synth::write_adapter(&model.weights(), machine, what, out)?;
        Ok(true)
    }

    /// The token ids of a text or a conversation.
    ///
    /// # Errors
    /// If the model or its tokenizer cannot be used, or the chat template refuses the conversation.
    pub fn tokenize(&self, input: &TokenizeInput) -> Result<TokenizeReport, EngineError> {
        let located = self
            .models()
            .locate_chosen(self.settings().model.as_deref())?;
        let text = open_text(&located.path)?;
        match input {
            TokenizeInput::Text(given) => Ok(TokenizeReport {
                ids: text.encode(given, SpecialTokens::Add)?,
                rendered: given.clone(),
            }),
            TokenizeInput::Chat(messages) => {
                let messages: Vec<text::Message> = messages
                    .iter()
                    .map(|message| text::Message::new(&*message.role, &*message.content))
                    .collect();
                Ok(TokenizeReport {
                    ids: text.encode_chat(&messages)?,
                    rendered: text.render(&messages, GenerationPrompt::Add)?,
                })
            }
        }
    }
}

/// The adapters in these folders, with every number as it came; nothing when it was cancelled.
fn mix(
    model: &Model,
    adapters: &[(PathBuf, f32)],
    cancel: &Cancel,
) -> Result<Option<Mix>, EngineError> {
    let mut loaded = Vec::new();
    for (folder, weight) in adapters {
        let name = folder.file_name().unwrap_or(folder.as_os_str());
        let going = &mut || !cancel.is_set();
        let options = AdapterOptions {
            isa: model.isa(),
            pool: model.pool(),
            precision: Precision::F32,
            kept: None,
        };
        let name = name.to_string_lossy();
        let adapter = adapter::load(folder, &name, &model.weights(), options, going);
        match adapter {
            Ok(adapter) => loaded.push((Arc::new(adapter), *weight)),
            Err(AdapterError::Cancelled) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(Mix::compile(model.config(), &loaded)?))
}

/// Writes a random model of a published shape; false when it was cancelled.
///
/// # Errors
/// If the shape is unknown, the folder holds a model already, or the disk refuses.
pub fn synth(
    shape: &str,
    seed: u64,
    out: &Path,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Loading),
) -> Result<bool, EngineError> {
    let shape: synth::Shape = shape.parse().map_err(|_| EngineError::BadRequest {
        field: "--shape".into(),
        found: format!("`{shape}`"),
        expected: "2b4t, 700m or tiny".into(),
    })?;
    let written = synth::write(shape, seed, out, &mut |done, total| {
        progress(Loading {
            phase: "writing weights".into(),
            done,
            total,
        });
        cancel.flow()
    });
    match written {
        Ok(()) => Ok(true),
        Err(synth::SynthError::Cancelled) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Greedy tokens from the exact row; an end token is the last one. Nothing when it was cancelled.
fn greedy(
    model: &Model,
    state: &mut State,
    request: &LogitsRequest,
    stop_ids: &[u32],
    cancel: &Cancel,
) -> Result<Option<(Vec<u32>, LogitsStop)>, EngineError> {
    let mut generated = Vec::new();
    while generated.len() < request.max_new_tokens {
        if cancel.is_set() {
            return Ok(None);
        }
        let Some(&(id, _)) = best(model.logits(state)?, 1).first() else {
            break;
        };
        generated.push(id);
        if stop_ids.contains(&id) {
            return Ok(Some((generated, LogitsStop::Eos)));
        }
        if generated.len() < request.max_new_tokens {
            model.decode(state, id)?;
        }
    }
    Ok(Some((generated, LogitsStop::Length)))
}

/// The `count` greatest logits, greatest first, lower id first among equals.
fn best(row: &[f32], count: usize) -> Vec<(u32, f32)> {
    let mut ranked: Vec<(u32, f32)> = (0..).zip(row.iter().copied()).collect();
    let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    let count = count.min(ranked.len());
    if count < ranked.len() {
        ranked.select_nth_unstable_by(count, order);
        ranked.truncate(count);
    }
    ranked.sort_unstable_by(order);
    ranked
}

#[cfg(test)]
mod tests {
    use super::best;

    #[test]
    fn the_best_logits_come_first_and_the_lower_id_wins_a_tie() {
        let row = [1.0, 3.0, -1.0, 3.0, 2.0];
        assert_eq!(best(&row, 3), [(1, 3.0), (3, 3.0), (4, 2.0)]);
        assert_eq!(best(&row, 9).len(), 5);
        assert!(best(&row, 0).is_empty());
    }
}
