//! Several adapters with their shares, laid out for the forward pass.
//!
//! `y = γ ⊙ W₀x + Σ wᵢ·cᵢ ⊙ Bᵢ(Aᵢx)` with `γ = 1 + Σ wᵢ(gᵢ − 1)`. The low-rank parts are used where they lie, so making a mix costs one
//! pass over the gains at most, and none for a single adapter of share 1.

use std::sync::Arc;

use r3mes_kernels::low_rank::{Adapted, Gain, Part};

use super::error::AdapterError;
use super::linear::LinearName;
use super::resident::Adapter;
use crate::config::ModelConfig;

/// Most adapters in one mix.
pub const MOST_ADAPTERS: usize = 8;

/// The adapters and shares of one generation. The base model's mix is empty.
#[derive(Debug, Default)]
pub struct Mix {
    layers: Vec<LayerMix>,
    adapters: Vec<(Arc<Adapter>, f32)>,
    bytes: u64,
}

/// What a mix does to the linears of one block, by the input they share.
#[derive(Debug, Default)]
pub(crate) struct LayerMix {
    pub(crate) qkv: Vec<Adapted>,
    pub(crate) o: Vec<Adapted>,
    pub(crate) gate_up: Vec<Adapted>,
    pub(crate) down: Vec<Adapted>,
}

/// What the base model does: nothing.
static NOTHING: LayerMix = LayerMix {
    qkv: Vec::new(),
    o: Vec::new(),
    gate_up: Vec::new(),
    down: Vec::new(),
};

impl Mix {
    /// The base model alone.
    pub fn base() -> Mix {
        Mix::default()
    }

    /// Lays out adapters with their shares, applied in this order; shares are taken as given, those of share 0 are left out.
    ///
    /// # Errors
    /// If there are too many, a share is not finite, or an adapter was loaded for another model.
    pub fn compile(
        config: &ModelConfig,
        adapters: &[(Arc<Adapter>, f32)],
    ) -> Result<Mix, AdapterError> {
        if adapters.len() > MOST_ADAPTERS {
            return Err(AdapterError::Mix {
                found: format!("{} adapters", adapters.len()),
                expected: format!("at most {MOST_ADAPTERS}"),
            });
        }
        for (adapter, weight) in adapters {
            if !weight.is_finite() {
                return Err(AdapterError::Mix {
                    found: format!("share {weight} of `{}`", adapter.name()),
                    expected: "a finite number".to_owned(),
                });
            }
            check_model(config, adapter)?;
        }
        let adapters: Vec<(Arc<Adapter>, f32)> = adapters
            .iter()
            .filter(|(_, weight)| *weight != 0.0)
            .cloned()
            .collect();
        if adapters.is_empty() {
            return Ok(Mix::base());
        }
        let layers: Vec<LayerMix> = (0..config.layers)
            .map(|layer| {
                let group = |linears: &[LinearName]| group(config, &adapters, layer, linears);
                LayerMix {
                    qkv: group(&[LinearName::Q, LinearName::K, LinearName::V]),
                    o: group(&[LinearName::O]),
                    gate_up: group(&[LinearName::Gate, LinearName::Up]),
                    down: group(&[LinearName::Down]),
                }
            })
            .collect();
        Ok(Mix {
            bytes: layers.iter().map(LayerMix::traffic).sum(),
            layers,
            adapters,
        })
    }

    /// The adapters with their shares.
    pub fn adapters(&self) -> &[(Arc<Adapter>, f32)] {
        &self.adapters
    }

    /// Whether it changes nothing.
    pub fn is_base(&self) -> bool {
        self.layers.is_empty()
    }

    /// Bytes a decoded token reads beside the base model's.
    pub fn traffic(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn layer(&self, index: usize) -> &LayerMix {
        self.layers.get(index).unwrap_or(&NOTHING)
    }
}

impl LayerMix {
    fn traffic(&self) -> u64 {
        let linears = [&self.qkv, &self.o, &self.gate_up, &self.down];
        linears
            .into_iter()
            .flatten()
            .map(|linear| {
                let mixed = match &linear.gain {
                    Gain::Mixed(gain) => size_of_val(&**gain) as u64,
                    Gain::One | Gain::Of(_) => 0,
                };
                let parts = linear
                    .parts
                    .iter()
                    .map(|part| part.change.shape().traffic());
                mixed + parts.sum::<u64>()
            })
            .sum()
    }
}

fn check_model(config: &ModelConfig, adapter: &Adapter) -> Result<(), AdapterError> {
    let fits = |layer: usize, linear: LinearName| {
        adapter.change(layer, linear).is_none_or(|change| {
            let shape = change.shape();
            (shape.out_features, shape.in_features) == linear.shape(config)
        })
    };
    let same = adapter.layers() == config.layers
        && (0..config.layers).all(|layer| LinearName::ALL.iter().all(|name| fits(layer, *name)));
    match same {
        true => Ok(()),
        false => Err(AdapterError::Whole {
            adapter: adapter.name().to_owned(),
            found: "shapes of another model".to_owned(),
            expected: "those of the model that runs".to_owned(),
        }),
    }
}

/// The linears that share an input; those that no adapter changes are left out.
fn group(
    config: &ModelConfig,
    adapters: &[(Arc<Adapter>, f32)],
    layer: usize,
    linears: &[LinearName],
) -> Vec<Adapted> {
    let mut first_row = 0;
    let mut out = Vec::new();
    for &linear in linears {
        let (rows, _) = linear.shape(config);
        let parts: Vec<Part> = adapters
            .iter()
            .filter_map(|(adapter, weight)| {
                adapter.change(layer, linear).map(|change| Part {
                    change: change.clone(),
                    weight: *weight,
                })
            })
            .collect();
        if !parts.is_empty() {
            let gain = gain(&parts, rows);
            out.push(Adapted {
                first_row,
                rows,
                gain,
                parts,
            });
        }
        first_row += rows;
    }
    out
}

/// `γ = 1 + Σ wᵢ(gᵢ − 1)`.
fn gain(parts: &[Part], rows: usize) -> Gain {
    let with_gain: Vec<usize> = (0..parts.len())
        .filter(|index| parts[*index].change.gain().is_some())
        .collect();
    match with_gain.as_slice() {
        [] => Gain::One,
        [one] if parts[*one].weight == 1.0 => Gain::Of(*one),
        many => {
            let mut sum = vec![1.0f32; rows];
            for part in many.iter().map(|index| &parts[*index]) {
                let gains = part.change.gain().expect("those with a gain were chosen");
                for (sum, gain) in sum.iter_mut().zip(gains) {
                    *sum += part.weight * (gain - 1.0);
                }
            }
            Gain::Mixed(sum.into())
        }
    }
}
