//! The linears an adapter may change: their names in files, their shapes, their places in memory.

use crate::config::ModelConfig;
use crate::weights::{Joined, Layer, Linear, Weights};

/// One of the seven linears of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinearName {
    /// Query projection.
    Q,
    /// Key projection.
    K,
    /// Value projection.
    V,
    /// Output projection of attention.
    O,
    /// Gate of the feed-forward block.
    Gate,
    /// Up projection.
    Up,
    /// Down projection.
    Down,
}

impl LinearName {
    /// All, in the order of the computation.
    pub const ALL: [LinearName; 7] = [
        Self::Q,
        Self::K,
        Self::V,
        Self::O,
        Self::Gate,
        Self::Up,
        Self::Down,
    ];

    /// The last part of the module's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Q => "q_proj",
            Self::K => "k_proj",
            Self::V => "v_proj",
            Self::O => "o_proj",
            Self::Gate => "gate_proj",
            Self::Up => "up_proj",
            Self::Down => "down_proj",
        }
    }

    /// The module's name in a transformers model.
    pub fn module(self, layer: usize) -> String {
        let block = match self {
            Self::Q | Self::K | Self::V | Self::O => "self_attn",
            Self::Gate | Self::Up | Self::Down => "mlp",
        };
        format!("model.layers.{layer}.{block}.{}", self.as_str())
    }

    /// Layer and linear of a module's name; nothing for other modules.
    pub fn parse(module: &str) -> Option<(usize, LinearName)> {
        let rest = module.strip_prefix("model.layers.")?;
        let (layer, _) = rest.split_once('.')?;
        let layer = layer.parse().ok()?;
        let found = Self::ALL
            .into_iter()
            .find(|linear| linear.module(layer) == module)?;
        Some((layer, found))
    }

    /// Output and input features.
    pub fn shape(self, config: &ModelConfig) -> (usize, usize) {
        let (hidden, attention, kv) = (config.hidden, config.attention_width(), config.kv_width());
        match self {
            Self::Q => (attention, hidden),
            Self::K | Self::V => (kv, hidden),
            Self::O => (hidden, attention),
            Self::Gate | Self::Up => (config.intermediate, hidden),
            Self::Down => (hidden, config.intermediate),
        }
    }

    /// The product it is part of, and its first row there.
    pub(crate) fn find(self, weights: &Weights, layer: usize) -> (&Linear, usize) {
        let Layer {
            qkv,
            o,
            gate_up,
            down,
            ..
        } = &weights.layers[layer];
        match self {
            Self::Q => in_joined(qkv, 0),
            Self::K => in_joined(qkv, 1),
            Self::V => in_joined(qkv, 2),
            Self::O => (o, 0),
            Self::Gate => in_joined(gate_up, 0),
            Self::Up => in_joined(gate_up, 1),
            Self::Down => (down, 0),
        }
    }
}

fn in_joined(joined: &Joined, index: usize) -> (&Linear, usize) {
    match joined.parts.as_slice() {
        [one] => (one, joined.out_features[..index].iter().sum()),
        parts => (&parts[index], 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_modules_are_read_back() {
        for linear in LinearName::ALL {
            assert_eq!(LinearName::parse(&linear.module(12)), Some((12, linear)));
        }
        for other in [
            "lm_head",
            "model.embed_tokens",
            "model.layers.0.self_attn",
            "model.layers.x.mlp.up_proj",
            "model.layers.1.mlp.q_proj",
            "model.layers.1.mlp.up_proj.extra",
            "model.layers.01.mlp.up_proj",
        ] {
            assert_eq!(LinearName::parse(other), None, "{other}");
        }
    }
}
