//! A model ready to run: weights, thread pool, instruction set, cache format.
//!
//! Useful for: one thread that owns it and asks it for tokens. Not for: sharing between threads; the pool is its parallelism.

use std::sync::Arc;

use r3mes_kernels::{Isa, KvCache, KvError, KvFormat, Pool};

use crate::adapter::Mix;
use crate::config::ModelConfig;
use crate::forward::State;
use crate::weights::Weights;

/// With [`KvChoice::Auto`] a cache up to this size stays in f32.
pub const EXACT_CACHE_BYTES: u64 = 64 << 20;

/// Precision of cached keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KvChoice {
    /// f32 while the cache of the full context stays small ([`EXACT_CACHE_BYTES`]), int8 beyond.
    #[default]
    Auto,
    /// 4 bytes an element: what the published implementation computes.
    F32,
    /// 2 bytes an element.
    F16,
    /// 1 byte an element and one scale per position and head.
    Int8,
}

impl KvChoice {
    /// The format for a model with a context of `context` tokens.
    pub fn format(self, config: &ModelConfig, context: usize) -> KvFormat {
        match self {
            Self::F32 => KvFormat::F32,
            Self::F16 => KvFormat::F16,
            Self::Int8 => KvFormat::Int8,
            Self::Auto => {
                let (layers, heads) = (config.layers, config.kv_heads);
                let bytes = KvCache::bytes_when_full(
                    layers,
                    heads,
                    config.head_dim,
                    context,
                    KvFormat::F32,
                );
                match bytes <= EXACT_CACHE_BYTES {
                    true => KvFormat::F32,
                    false => KvFormat::Int8,
                }
            }
        }
    }
}

/// How a model runs.
pub struct ModelOptions {
    /// Threads that share each product.
    pub pool: Pool,
    /// Instruction set of the kernels.
    pub isa: Isa,
    /// Precision of the cache.
    pub kv: KvChoice,
    /// Positions the cache may hold; the model's own context when `None` or larger.
    pub context: Option<usize>,
}

/// A model in memory and the means to run it.
pub struct Model {
    pub(crate) weights: Arc<Weights>,
    pub(crate) pool: Pool,
    pub(crate) isa: Isa,
    pub(crate) inv_freq: Vec<f32>,
    kv: KvFormat,
    context: usize,
}

impl Model {
    /// Takes weights into service.
    pub fn new(weights: Weights, options: ModelOptions) -> Self {
        let ModelOptions {
            pool,
            isa,
            kv,
            context,
        } = options;
        let config = &weights.config;
        let context = context.map_or(config.context, |limit| limit.clamp(1, config.context));
        Self {
            inv_freq: config.rope.inv_freq(config.head_dim),
            kv: kv.format(config, context),
            context,
            weights: Arc::new(weights),
            pool,
            isa,
        }
    }

    /// The weights, for loading adapters beside the running model.
    pub fn weights(&self) -> Arc<Weights> {
        Arc::clone(&self.weights)
    }

    /// An empty sequence of the base model.
    ///
    /// # Errors
    /// If the model's dimensions make no cache.
    pub fn start(&self) -> Result<State, KvError> {
        self.start_with(Arc::new(Mix::base()))
    }

    /// An empty sequence of the model with adapters. What it computes belongs to this mix for as long as it lives.
    ///
    /// # Errors
    /// If the model's dimensions make no cache.
    pub fn start_with(&self, mix: Arc<Mix>) -> Result<State, KvError> {
        let config = self.config();
        let (layers, heads) = (config.layers, config.kv_heads);
        let cache = KvCache::new(layers, heads, config.head_dim, self.context, self.kv)?;
        Ok(State::new(cache, mix))
    }

    /// Dimensions and special tokens.
    pub fn config(&self) -> &ModelConfig {
        &self.weights.config
    }

    /// Positions a sequence may have.
    pub fn context(&self) -> usize {
        self.context
    }

    /// Format of cached keys and values.
    pub fn kv_format(&self) -> KvFormat {
        self.kv
    }

    /// Instruction set of the kernels.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The threads, for loading and for measuring bandwidth.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }
}
