//! `adapter_config.json`: PEFT's LoRA and DoRA, and the additive form of R3MES.

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::error::AdapterError;
use super::linear::LinearName;
use super::target::Targets;
use crate::load::read_json;

/// The file's name.
pub const CONFIG_FILE: &str = "adapter_config.json";
/// The largest rank that is taken seriously.
pub const LARGEST_RANK: usize = 4096;

/// How an adapter changes a linear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterForm {
    /// `y = g ⊙ (W₀x + s·B(Ax))`, `g = m / ‖W₀ + s·BA‖`: DoRA as PEFT stores it.
    WeightDecomposed,
    /// `y = W₀x + s·(m / ‖BA‖) ⊙ B(Ax)`: the form of R3MES.
    Additive,
    /// `y = W₀x + s·B(Ax)`: plain LoRA.
    LowRank,
}

/// A checked configuration.
#[derive(Debug)]
pub(super) struct AdapterConfig {
    pub form: AdapterForm,
    pub base_model: Option<String>,
    pub targets: Targets,
    rank: usize,
    alpha: f64,
    rank_patterns: Vec<(Regex, usize)>,
    alpha_patterns: Vec<(Regex, f64)>,
    rank_stabilised: bool,
}

/// The fields as they stand in the file. Those that change nothing here are not named.
#[derive(Deserialize)]
struct File {
    peft_type: Option<String>,
    adapter_type: Option<String>,
    r: Option<Value>,
    #[serde(alias = "alpha")]
    lora_alpha: Option<Value>,
    #[serde(default)]
    use_dora: Option<bool>,
    #[serde(default)]
    use_rslora: Option<bool>,
    target_modules: Option<Value>,
    #[serde(default)]
    exclude_modules: Option<Value>,
    #[serde(default)]
    layers_to_transform: Option<Value>,
    #[serde(default)]
    layers_pattern: Option<Value>,
    #[serde(default)]
    rank_pattern: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    alpha_pattern: Option<BTreeMap<String, Value>>,
    base_model_name_or_path: Option<String>,
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

impl AdapterConfig {
    /// Reads and checks the file in `folder`.
    ///
    /// # Errors
    /// If it is missing, is no JSON, or asks for something that is not applied here.
    pub(super) fn read(folder: &Path) -> Result<Self, AdapterError> {
        let path = folder.join(CONFIG_FILE);
        let file: File = read_json(&path)?;
        let form = form(&path, &file)?;
        refuse_what_is_not_applied(&path, &file.other)?;
        let Some(target_modules) = &file.target_modules else {
            return Err(wrong(
                &path,
                "target_modules",
                "nothing",
                "names or a pattern",
            ));
        };
        let targets = Targets::new(
            &path,
            target_modules,
            file.exclude_modules.as_ref(),
            file.layers_to_transform.as_ref(),
            file.layers_pattern.as_ref(),
        )?;
        let rank_patterns = patterns(&path, "rank_pattern", file.rank_pattern.as_ref(), rank_of)?;
        let alpha_patterns = patterns(
            &path,
            "alpha_pattern",
            file.alpha_pattern.as_ref(),
            alpha_of,
        )?;
        Ok(Self {
            form,
            rank: rank_of(&path, "r", file.r.as_ref().unwrap_or(&Value::Null))?,
            alpha: alpha_of(
                &path,
                "lora_alpha",
                file.lora_alpha.as_ref().unwrap_or(&Value::Null),
            )?,
            base_model: file.base_model_name_or_path.filter(|name| !name.is_empty()),
            targets,
            rank_patterns,
            alpha_patterns,
            rank_stabilised: file.use_rslora.unwrap_or(false),
        })
    }

    /// The rank of a linear.
    pub(super) fn rank(&self, module: &str) -> usize {
        first(&self.rank_patterns, module).unwrap_or(self.rank)
    }

    /// `s`: `alpha / rank`, or `alpha / √rank`.
    pub(super) fn scaling(&self, layer: usize, linear: LinearName) -> f64 {
        let module = linear.module(layer);
        let alpha = first(&self.alpha_patterns, &module).unwrap_or(self.alpha);
        let rank = self.rank(&module) as f64;
        match self.rank_stabilised {
            true => alpha / rank.sqrt(),
            false => alpha / rank,
        }
    }

    /// The rank for most linears.
    pub(super) fn usual_rank(&self) -> usize {
        self.rank
    }

    /// `alpha` for most linears.
    pub(super) fn usual_alpha(&self) -> f64 {
        self.alpha
    }
}

fn form(path: &Path, file: &File) -> Result<AdapterForm, AdapterError> {
    match (file.adapter_type.as_deref(), file.peft_type.as_deref()) {
        (Some("additive_dora"), _) => Ok(AdapterForm::Additive),
        (Some(other), _) => Err(wrong(path, "adapter_type", other, "`additive_dora`")),
        (None, Some("LORA")) => Ok(match file.use_dora.unwrap_or(false) {
            true => AdapterForm::WeightDecomposed,
            false => AdapterForm::LowRank,
        }),
        (None, Some(other)) => Err(unsupported(
            path,
            "peft_type",
            other,
            "LoRA and DoRA adapters are applied",
        )),
        (None, None) => Err(wrong(
            path,
            "peft_type",
            "nothing",
            "`LORA`, or `adapter_type` `additive_dora`",
        )),
    }
}

/// What changes the result in a way that the two matrices and the magnitude do not tell.
fn refuse_what_is_not_applied(
    path: &Path,
    other: &BTreeMap<String, Value>,
) -> Result<(), AdapterError> {
    let absent = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    for (field, reason) in [
        (
            "modules_to_save",
            "whole modules stored beside the adapter are not applied",
        ),
        ("lora_bias", "biases of the low-rank pair are not applied"),
        (
            "fan_in_fan_out",
            "transposed weights do not occur in these models",
        ),
        (
            "trainable_token_indices",
            "changed token embeddings are not applied",
        ),
        (
            "target_parameters",
            "adapters of bare parameters are not applied",
        ),
        (
            "alora_invocation_tokens",
            "adapters that wait for a token are not applied",
        ),
        (
            "arrow_config",
            "adapters that choose among others are not applied",
        ),
        ("use_qalora", "the grouped form of QA-LoRA is not applied"),
        ("layer_replication", "repeated layers are not applied"),
        ("corda_config", "the base weights were changed as well"),
    ] {
        if let Some(found) = other.get(field).filter(|value| !absent(value)) {
            return Err(unsupported(path, field, &found.to_string(), reason));
        }
    }
    match other.get("bias") {
        None | Some(Value::Null) => {}
        Some(Value::String(bias)) if bias == "none" => {}
        Some(found) => {
            return Err(unsupported(
                path,
                "bias",
                &found.to_string(),
                "trained biases are not applied",
            ));
        }
    }
    if let Some(Value::String(start)) = other.get("init_lora_weights") {
        let changed = ["pissa", "olora", "loftq", "corda", "lora_ga"]
            .iter()
            .any(|name| start.starts_with(name));
        if changed {
            return Err(unsupported(
                path,
                "init_lora_weights",
                start,
                "the base weights were changed as well; convert it to plain LoRA when saving",
            ));
        }
    }
    Ok(())
}

fn rank_of(path: &Path, field: &str, value: &Value) -> Result<usize, AdapterError> {
    let rank = value.as_u64().and_then(|rank| usize::try_from(rank).ok());
    rank.filter(|rank| (1..=LARGEST_RANK).contains(rank))
        .ok_or_else(|| {
            let expected = format!("a whole number from 1 to {LARGEST_RANK}");
            wrong(path, field, &value.to_string(), &expected)
        })
}

fn alpha_of(path: &Path, field: &str, value: &Value) -> Result<f64, AdapterError> {
    value
        .as_f64()
        .filter(|alpha| alpha.is_finite() && alpha.abs() <= 1e6)
        .ok_or_else(|| wrong(path, field, &value.to_string(), "a number up to 1000000"))
}

/// PEFT takes the first key that is the module's name, or ends it behind a dot; keys are patterns.
fn patterns<T>(
    path: &Path,
    field: &str,
    values: Option<&BTreeMap<String, Value>>,
    read: impl Fn(&Path, &str, &Value) -> Result<T, AdapterError>,
) -> Result<Vec<(Regex, T)>, AdapterError> {
    values
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            let place = format!("{field}.{key}");
            let pattern = super::target::suffix_pattern(key)
                .map_err(|error| wrong(path, &place, &error, "a pattern"))?;
            Ok((pattern, read(path, &place, value)?))
        })
        .collect()
}

fn first<T: Copy>(patterns: &[(Regex, T)], module: &str) -> Option<T> {
    patterns
        .iter()
        .find(|(pattern, _)| pattern.is_match(module))
        .map(|(_, value)| *value)
}

pub(super) fn wrong(path: &Path, field: &str, found: &str, expected: &str) -> AdapterError {
    AdapterError::Config {
        path: path.to_owned(),
        field: field.to_owned(),
        found: shortened(found),
        expected: expected.to_owned(),
    }
}

fn unsupported(path: &Path, field: &str, found: &str, reason: &str) -> AdapterError {
    AdapterError::Unsupported {
        path: path.to_owned(),
        field: field.to_owned(),
        found: shortened(found),
        reason: reason.to_owned(),
    }
}

/// A hostile value must not fill the screen.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
