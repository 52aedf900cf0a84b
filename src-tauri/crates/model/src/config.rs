//! What a model is: its dimensions, rotary embedding, activation and stop tokens.
//!
//! Plain data, decided once by a reader of `config.json` or of GGUF metadata and then trusted: [`ModelConfig::validate`]
//! bounds every dimension and every product of two, so that the rest of the crate may multiply without checking.
//!
//! Invariants after `validate`: no dimension is zero, `heads` is a multiple of `kv_heads`, `head_dim` is even, eps and
//! theta are finite and positive, `bos` and `eos` lie inside the vocabulary.

use std::f32::consts::PI;

/// Most layers a model may have; published models of this kind have 24 to 60.
pub const MAX_LAYERS: usize = 512;
/// Widest hidden, intermediate or attention dimension accepted, in elements.
pub const MAX_WIDTH: usize = 1 << 17;
/// Largest vocabulary accepted, in rows of the embedding.
pub const MAX_VOCAB: usize = 1 << 22;
/// Longest context accepted, in tokens.
pub const MAX_CONTEXT: usize = 1 << 24;

/// Which of the two published arrangements a checkpoint follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `BitNetForCausalLM`, `BitnetForCausalLM`: RMSNorms before the output and down projections.
    BitNet,
    /// `LlamaForCausalLM` with 1.58-bit linears, no sub-norms.
    Llama,
}

/// The function applied to the gate half of the feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `relu(x)²`.
    Relu2,
    /// `x · sigmoid(x)`.
    Silu,
}

/// Stretching of the rotary frequencies beyond the trained context.
#[derive(Debug, Clone, PartialEq)]
pub enum RopeScaling {
    /// Every frequency divided by `factor`.
    Linear {
        /// Divisor of every frequency.
        factor: f32,
    },
    /// Llama 3.1: low frequencies divided by `factor`, high ones kept, a linear ramp in between.
    Llama3 {
        /// Divisor of the low frequencies.
        factor: f32,
        /// Wavelengths above `original_context / low_freq_factor` are stretched fully.
        low_freq_factor: f32,
        /// Wavelengths below `original_context / high_freq_factor` are kept.
        high_freq_factor: f32,
        /// Context the model was trained with before stretching, in tokens.
        original_context: usize,
    },
    /// One divisor per frequency, as GGUF files carry them in `rope_freqs.weight`: `[head_dim / 2]`.
    PerFrequency(Vec<f32>),
}

/// Rotary position embedding, half-rotation: pairs `(i, i + head_dim/2)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// Base of the geometric series of frequencies.
    pub theta: f32,
    /// How the series is stretched, if it is.
    pub scaling: Option<RopeScaling>,
}

impl Rope {
    /// Inverse frequencies, one for each pair.
    ///
    /// `inv_freq[i] = theta^(−2i / head_dim)`, then stretched as [`RopeScaling`] says; f32 in the order of transformers'
    /// `modeling_rope_utils.py`.
    ///
    /// # Shapes
    /// - returns `[head_dim / 2]`
    pub fn inv_freq(&self, head_dim: usize) -> Vec<f32> {
        // f32 powers differ between platforms' libraries; a portable f64 one, rounded, is the same everywhere.
        let power = |exponent: f32| libm::pow(self.theta.into(), exponent.into()) as f32;
        let mut freq: Vec<f32> = (0..head_dim / 2)
            .map(|i| 1.0 / power((2 * i) as f32 / head_dim as f32))
            .collect();
        match &self.scaling {
            None => {}
            Some(RopeScaling::Linear { factor }) => freq.iter_mut().for_each(|f| *f /= factor),
            Some(RopeScaling::PerFrequency(divisors)) => {
                freq.iter_mut().zip(divisors).for_each(|(f, d)| *f /= d);
            }
            Some(RopeScaling::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_context,
            }) => {
                let context = *original_context as f32;
                for f in &mut freq {
                    let wavelength = 2.0 * PI / *f;
                    if wavelength > context / low_freq_factor {
                        *f /= factor;
                    } else if wavelength >= context / high_freq_factor {
                        let smooth = (context / wavelength - low_freq_factor)
                            / (high_freq_factor - low_freq_factor);
                        *f = (1.0 - smooth) * *f / factor + smooth * *f;
                    }
                }
            }
        }
        freq
    }
}

/// Everything about a model that is not a tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// What the model calls itself, for people; never used to decide anything.
    pub name: String,
    /// Which arrangement of norms it follows.
    pub family: Family,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Number of transformer blocks.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key/value heads; query head `h` reads head `h · kv_heads / heads`.
    pub kv_heads: usize,
    /// Elements in a head; need not be `hidden / heads`.
    pub head_dim: usize,
    /// Width of the feed-forward block.
    pub intermediate: usize,
    /// Rows of the embedding; may exceed the tokenizer's size.
    pub vocab: usize,
    /// Longest sequence, in tokens.
    pub context: usize,
    /// Added to the mean square in every RMSNorm, except inner norms that carry their own.
    pub rms_eps: f32,
    /// Rotary embedding.
    pub rope: Rope,
    /// Feed-forward activation.
    pub activation: Activation,
    /// Whether the LM head is the embedding.
    pub tied: bool,
    /// Whether attention and feed-forward outputs are normalised before their last linear.
    pub sub_norms: bool,
    /// Token that begins every sequence, when the model names one.
    pub bos: Option<u32>,
    /// Tokens that end an answer: config's and generation_config's, without duplicates.
    pub eos: Vec<u32>,
}

/// A configuration that no model can have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A dimension is zero or larger than this build accepts.
    #[error("`{field}` is {found}, expected 1 to {limit}")]
    OutOfRange {
        /// Name of the dimension.
        field: &'static str,
        /// Its value.
        found: usize,
        /// Largest accepted value.
        limit: usize,
    },
    /// Two dimensions contradict each other.
    #[error("`{field}` is {found}, expected {expected}")]
    Inconsistent {
        /// Name of the dimension.
        field: &'static str,
        /// Its value.
        found: String,
        /// What would have fitted.
        expected: String,
    },
}

impl ModelConfig {
    /// Query features: `heads · head_dim`.
    pub fn attention_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Key (or value) features: `kv_heads · head_dim`.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Checks every bound the rest of the crate relies on.
    ///
    /// # Errors
    /// The first field that is out of range, with its value and the accepted range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let bounded = [
            ("hidden", self.hidden, MAX_WIDTH),
            ("layers", self.layers, MAX_LAYERS),
            ("heads", self.heads, MAX_WIDTH),
            ("kv_heads", self.kv_heads, MAX_WIDTH),
            ("head_dim", self.head_dim, MAX_WIDTH),
            ("intermediate", self.intermediate, MAX_WIDTH),
            ("vocab", self.vocab, MAX_VOCAB),
            ("context", self.context, MAX_CONTEXT),
        ];
        for (field, found, limit) in bounded {
            if found == 0 || found > limit {
                return Err(ConfigError::OutOfRange {
                    field,
                    found,
                    limit,
                });
            }
        }
        // Each factor is at most 2^17, so the product fits in 64 bits and this comparison is the check itself.
        let attention = self.heads as u64 * self.head_dim as u64;
        if attention > MAX_WIDTH as u64 {
            return Err(inconsistent(
                "heads · head_dim",
                attention,
                format!("at most {MAX_WIDTH}"),
            ));
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(inconsistent(
                "kv_heads",
                self.kv_heads,
                format!("a divisor of the {} heads", self.heads),
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(inconsistent(
                "head_dim",
                self.head_dim,
                "an even number".into(),
            ));
        }
        if !(self.rms_eps.is_finite() && self.rms_eps > 0.0) {
            return Err(inconsistent(
                "rms_eps",
                self.rms_eps,
                "a positive number".into(),
            ));
        }
        self.validate_rope()?;
        for &id in self.bos.iter().chain(&self.eos) {
            if id as usize >= self.vocab {
                return Err(inconsistent(
                    "bos or eos token",
                    id,
                    format!("an id below the vocabulary of {}", self.vocab),
                ));
            }
        }
        Ok(())
    }

    fn validate_rope(&self) -> Result<(), ConfigError> {
        let positive = |field, value: f32| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(inconsistent(field, value, "a positive number".into())),
        };
        positive("rope theta", self.rope.theta)?;
        match &self.rope.scaling {
            None => Ok(()),
            Some(RopeScaling::Linear { factor }) => positive("rope scaling factor", *factor),
            Some(RopeScaling::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_context,
            }) => {
                positive("rope scaling factor", *factor)?;
                positive("rope scaling low_freq_factor", *low_freq_factor)?;
                positive("rope scaling high_freq_factor", *high_freq_factor)?;
                if high_freq_factor <= low_freq_factor {
                    let expected = format!("more than low_freq_factor {low_freq_factor}");
                    return Err(inconsistent(
                        "rope scaling high_freq_factor",
                        high_freq_factor,
                        expected,
                    ));
                }
                match *original_context {
                    1..=MAX_CONTEXT => Ok(()),
                    found => Err(ConfigError::OutOfRange {
                        field: "rope original context",
                        found,
                        limit: MAX_CONTEXT,
                    }),
                }
            }
            Some(RopeScaling::PerFrequency(divisors)) => {
                if divisors.len() != self.head_dim / 2 {
                    let found = format!("{} values", divisors.len());
                    return Err(inconsistent(
                        "rope_freqs",
                        found,
                        format!("{} values", self.head_dim / 2),
                    ));
                }
                divisors
                    .iter()
                    .try_for_each(|&d| positive("rope_freqs value", d))
            }
        }
    }
}

fn inconsistent(field: &'static str, found: impl ToString, expected: String) -> ConfigError {
    ConfigError::Inconsistent {
        field,
        found: found.to_string(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_scaling_keeps_high_and_divides_low_frequencies() {
        let plain = Rope {
            theta: 500000.0,
            scaling: None,
        }
        .inv_freq(64);
        let scaling = RopeScaling::Llama3 {
            factor: 8.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_context: 8192,
        };
        let scaled = Rope {
            theta: 500000.0,
            scaling: Some(scaling),
        }
        .inv_freq(64);
        assert_eq!(scaled[0], plain[0]);
        assert_eq!(scaled[31], plain[31] / 8.0);
        assert!(
            scaled
                .iter()
                .zip(&plain)
                .all(|(s, p)| s <= p && *s >= p / 8.0)
        );
    }
}
