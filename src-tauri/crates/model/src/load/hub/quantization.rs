//! `quantization_config` of a Hub folder: which linears are BitLinears and how their scale is written.

use std::path::Path;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::load::LoadError;

/// Most entries of `modules_to_not_convert`; checkpoints list a handful.
const MAX_EXCLUSIONS: usize = 4096;
/// Largest compiled form of one entry.
const MAX_PATTERN_BYTES: usize = 1 << 16;

/// Eps of inner norms that name none, transformers' default.
const INNER_NORM_EPS: f32 = 1e-6;

/// The section as it is written.
#[derive(Debug, Deserialize)]
pub(super) struct RawQuantization {
    quant_method: Option<String>,
    linear_class: Option<String>,
    quantization_mode: Option<String>,
    #[serde(default)]
    modules_to_not_convert: Option<Vec<String>>,
    #[serde(default)]
    use_rms_norm: Option<bool>,
    rms_norm_eps: Option<f32>,
}

/// How the linears of a Hub folder are to be read.
#[derive(Debug)]
pub(crate) struct Quantization {
    /// `weight_scale` multiplies (`autobitlinear`); otherwise it divides.
    pub scale_multiplies: bool,
    /// Float weights of converted linears are masters to be ternarised.
    pub masters: bool,
    /// Modules left unquantised.
    pub excluded: Exclusions,
    /// Eps of the RMSNorm inside each BitLinear, when there is one.
    pub inner_norm_eps: Option<f32>,
}

impl Quantization {
    /// Checks the section; `one_bit_llm` marks 1bitLLM's checkpoints, which carry none and hold masters.
    ///
    /// # Errors
    /// If a field has a value this build does not know.
    pub(super) fn read(
        raw: Option<&RawQuantization>,
        one_bit_llm: bool,
        path: &Path,
    ) -> Result<Option<Self>, LoadError> {
        let Some(found) = raw else {
            let excluded = Exclusions::compile(None, path)?;
            return Ok(one_bit_llm.then_some(Quantization {
                scale_multiplies: true,
                masters: true,
                excluded,
                inner_norm_eps: None,
            }));
        };
        let unsupported = |place: &str, found: &str, supported| LoadError::Unsupported {
            path: path.to_owned(),
            place: format!("`quantization_config.{place}`"),
            found: format!("`{found}`"),
            supported,
        };
        match found.quant_method.as_deref() {
            Some("bitnet") => {}
            other => {
                return Err(unsupported(
                    "quant_method",
                    other.unwrap_or("nothing"),
                    "`bitnet`",
                ));
            }
        }
        let scale_multiplies = match found.linear_class.as_deref() {
            Some("autobitlinear") => true,
            Some("bitlinear") | None => false,
            Some(other) => {
                return Err(unsupported(
                    "linear_class",
                    other,
                    "`autobitlinear` and `bitlinear`",
                ));
            }
        };
        let online = match found.quantization_mode.as_deref() {
            Some("online") => true,
            Some("offline") | None => false,
            Some(other) => {
                return Err(unsupported(
                    "quantization_mode",
                    other,
                    "`online` and `offline`",
                ));
            }
        };
        let inner_norm_eps = found
            .use_rms_norm
            .unwrap_or(false)
            .then(|| found.rms_norm_eps.unwrap_or(INNER_NORM_EPS));
        if let Some(eps) = inner_norm_eps.filter(|eps| !(eps.is_finite() && *eps > 0.0)) {
            let place = "`quantization_config.rms_norm_eps`";
            return Err(LoadError::malformed(
                path,
                place,
                eps.to_string(),
                "a positive number",
            ));
        }
        Ok(Some(Quantization {
            scale_multiplies,
            masters: online || one_bit_llm,
            excluded: Exclusions::compile(found.modules_to_not_convert.as_deref(), path)?,
            inner_norm_eps,
        }))
    }
}

/// `modules_to_not_convert`, matched as transformers' `should_convert_module` does.
#[derive(Debug)]
pub(crate) struct Exclusions {
    patterns: Vec<(String, Regex)>,
}

impl Exclusions {
    /// Compiles the list; without one the LM head is left alone.
    ///
    /// # Errors
    /// If it is unreasonably long or an entry is not a regular expression.
    pub(crate) fn compile(names: Option<&[String]>, path: &Path) -> Result<Self, LoadError> {
        let place = "`quantization_config.modules_to_not_convert`";
        let head = ["lm_head".to_owned()];
        let names = names.unwrap_or(&head);
        if names.len() > MAX_EXCLUSIONS {
            let found = format!("{} entries", names.len());
            return Err(LoadError::malformed(
                path,
                place,
                found,
                format!("at most {MAX_EXCLUSIONS}"),
            ));
        }
        let patterns = names.iter().map(|name| {
            // The match must end at a module boundary: before a dot, after one, or at the end.
            let literal = name.strip_suffix('.').unwrap_or(name);
            let pattern = RegexBuilder::new(&format!(r"\A(?:{literal})(?:\.|\z)"))
                .size_limit(MAX_PATTERN_BYTES)
                .build()
                .map_err(|error| {
                    let expected = format!("a regular expression ({error})");
                    LoadError::malformed(path, place, format!("{name:?}"), expected)
                })?;
            Ok((name.clone(), pattern))
        });
        Ok(Self {
            patterns: patterns.collect::<Result<_, _>>()?,
        })
    }

    /// Whether `module` is in the list: by its start up to a module boundary, or by its end.
    pub(crate) fn contains(&self, module: &str) -> bool {
        self.patterns
            .iter()
            .any(|(name, pattern)| module.ends_with(name) || pattern.is_match(module))
    }
}
