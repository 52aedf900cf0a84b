//! The router's numbers: calibration, which is fitted, and tuning, which is a person's choice.

use serde::{Deserialize, Serialize};

/// Settings of the router. The defaults are the documented ones; refitting from corrections proposes others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tuning {
    /// Share of the keyword stage in the fused score.
    pub keyword_weight: f32,
    /// Share of the semantic stage in the fused score.
    pub semantic_weight: f32,
    /// The keyword stage decides alone from this score on; above 1 it never does.
    pub fast_path: f32,
    /// Below this best score the fallback expert joins.
    pub fallback: f32,
    /// Below this best score no expert is taken.
    pub reject: f32,
    /// A second or third expert joins from this score on.
    pub join: f32,
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning {
            keyword_weight: 0.3,
            semantic_weight: 0.7,
            fast_path: 0.85,
            fallback: 0.5,
            reject: 0.2,
            join: 0.25,
        }
    }
}

/// How scores of either stage become probabilities; fitted with the shipped data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Divides the logits of the keyword stage.
    pub keyword_temperature: f32,
    /// Divides the logits of the semantic stage.
    pub semantic_temperature: f32,
}

impl Calibration {
    /// What ships. The keyword stage is underconfident before it: its weights are held small. The semantic stage runs only where
    /// the words leave a doubt, and is overconfident there.
    pub fn shipped() -> Calibration {
        Calibration {
            keyword_temperature: 0.5,
            semantic_temperature: 3.0,
        }
    }
}

impl Default for Calibration {
    fn default() -> Calibration {
        Calibration {
            keyword_temperature: 1.0,
            semantic_temperature: 1.0,
        }
    }
}
