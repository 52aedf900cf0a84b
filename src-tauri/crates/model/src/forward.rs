//! The forward pass: `h = embed(tokens)`, blocks, final norm; logits for the last position.
//!
//! The order of operations is that of the published implementation (REFERENCE section 1), activations are f32 throughout, integer
//! products are exact and every float reduction has a fixed order. Therefore the result of a position depends on the tokens up to it
//! and on nothing else: not on chunk, threads, cache reuse, or whether it was prefilled or decoded.
//!
//! Adapters: every linear passes through [`linear::project`] with its unquantised input, and there the state's mix is applied.

mod block;
mod linear;
mod output;
mod rotation;
mod rows;
mod scoring;
mod scratch;
mod state;

use r3mes_kernels::KvError;

use self::block::{Span, attention, down, gate};
use self::linear::Machine;
pub use self::state::State;
use crate::load::LoadError;
use crate::model::Model;

/// Tokens in a prefill chunk unless told otherwise: enough for the products to be bound by arithmetic, few enough that the longest of
/// them on the 2B model ends within 200 ms even at 30 tokens/s, which is how long a stop may take.
pub const PREFILL_CHUNK_TOKENS: usize = 256;

/// How far a prefill has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Tokens done; within a chunk, in proportion to the layers done.
    pub tokens: usize,
    /// Tokens asked for.
    pub total: usize,
}

/// How a prefill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// All tokens are in the state.
    Done,
    /// Told to stop; the state holds the chunks that were complete.
    Cancelled,
}

/// Why a pass was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// No tokens to work on.
    #[error("prompt: 0 tokens, expected at least 1")]
    EmptyPrompt,
    /// A token id without a row in the embedding.
    #[error("prompt token {index}: id {id}, expected an id below {vocab}")]
    TokenOutsideVocabulary {
        /// Place among the tokens given.
        index: usize,
        /// The id.
        id: u32,
        /// Rows of the embedding.
        vocab: usize,
    },
    /// The tokens do not fit into the context.
    #[error(
        "prompt: {prompt_tokens} tokens, expected at most the {room} free of a context of {context}"
    )]
    ContextFull {
        /// Tokens to be added.
        prompt_tokens: usize,
        /// Positions left.
        room: usize,
        /// Positions in all.
        context: usize,
    },
    /// Logits asked for before any token was processed.
    #[error("logits: the state holds 0 tokens, expected at least 1")]
    NoTokens,
    /// The weights make a NaN or an infinity.
    #[error(
        "logits at position {position}: not a finite number; the weights of the model are broken"
    )]
    NotFinite {
        /// The position whose logits were wanted.
        position: usize,
    },
    /// The cache cannot grow.
    #[error(transparent)]
    Cache(#[from] KvError),
    /// A row of the embedding or the head could not be read.
    #[error("embedding or head")]
    Table(#[from] LoadError),
}

impl Model {
    /// Appends `tokens` to the state, `chunk` at a time. Afterwards logits are available for the last token.
    ///
    /// `keep_going` is asked before every chunk and several times in each layer; when it answers `false` the unfinished chunk is
    /// forgotten.
    ///
    /// # Errors
    /// If `tokens` is empty, holds an id outside the vocabulary, or does not fit; the state is unchanged then.
    pub fn prefill(
        &self,
        state: &mut State,
        tokens: &[u32],
        chunk: usize,
        keep_going: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Outcome, ForwardError> {
        self.check(state, tokens)?;
        let mut done = 0;
        for part in tokens.chunks(chunk.max(1)) {
            let mut ask = |layer: usize| {
                let within = part.len() * layer / self.config().layers;
                keep_going(Progress {
                    tokens: done + within,
                    total: tokens.len(),
                })
            };
            match self.pass(state, part, &mut ask)? {
                Outcome::Done => done += part.len(),
                Outcome::Cancelled => return Ok(Outcome::Cancelled),
            }
        }
        Ok(Outcome::Done)
    }

    /// Appends one token to the state. Allocates nothing once the state has seen a token, except cache pages.
    ///
    /// # Errors
    /// As [`prefill`](Self::prefill).
    pub fn decode(&self, state: &mut State, token: u32) -> Result<(), ForwardError> {
        self.check(state, &[token])?;
        // Nobody can stop a single token, so the outcome is always `Done`.
        self.pass(state, &[token], &mut |_| true).map(|_| ())
    }

    fn machine(&self) -> Machine<'_> {
        Machine {
            isa: self.isa,
            pool: &self.pool,
        }
    }

    /// Checks a whole prompt, whatever the state holds of it.
    pub(crate) fn check_prompt(&self, prompt: &[u32]) -> Result<(), ForwardError> {
        self.check_tokens(prompt, self.context())
    }

    fn check(&self, state: &State, tokens: &[u32]) -> Result<(), ForwardError> {
        self.check_tokens(tokens, self.context() - state.tokens.len())
    }

    fn check_tokens(&self, tokens: &[u32], room: usize) -> Result<(), ForwardError> {
        let (vocab, context) = (self.config().vocab, self.context());
        if tokens.is_empty() {
            return Err(ForwardError::EmptyPrompt);
        }
        if let Some((index, &id)) = tokens
            .iter()
            .enumerate()
            .find(|&(_, &id)| id as usize >= vocab)
        {
            return Err(ForwardError::TokenOutsideVocabulary { index, id, vocab });
        }
        if tokens.len() > room {
            return Err(ForwardError::ContextFull {
                prompt_tokens: tokens.len(),
                room,
                context,
            });
        }
        Ok(())
    }

    /// Runs all blocks over one chunk. Only a complete chunk is remembered.
    fn pass(
        &self,
        state: &mut State,
        tokens: &[u32],
        keep_going: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Outcome, ForwardError> {
        let config = self.config();
        let span = Span {
            first: state.tokens.len(),
            tokens: tokens.len(),
        };
        state.cache.truncate(span.first);
        let State {
            cache,
            scratch,
            mix,
            ..
        } = state;
        scratch.fit(config, tokens.len());
        scratch
            .rotation
            .fill(&self.inv_freq, span.first, span.tokens);
        for (&id, row) in tokens
            .iter()
            .zip(scratch.stream.chunks_exact_mut(config.hidden))
        {
            self.weights.embedding.row(id, row)?;
        }
        let machine = self.machine();
        for (index, layer) in self.weights.layers.iter().enumerate() {
            if !keep_going(index) {
                return Ok(Outcome::Cancelled);
            }
            let mix = mix.layer(index);
            attention(machine, config, (index, layer, mix), span, cache, scratch)?;
            if !keep_going(index) {
                return Ok(Outcome::Cancelled);
            }
            gate(machine, config, (layer, mix), span, scratch);
            if !keep_going(index) {
                return Ok(Outcome::Cancelled);
            }
            down(machine, (layer, mix), span, scratch);
        }
        state.tokens.extend_from_slice(tokens);
        state.finish(&self.weights.final_norm, machine, span.tokens);
        Ok(Outcome::Done)
    }
}
