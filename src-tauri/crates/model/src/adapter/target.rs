//! Which linears `target_modules` means, as PEFT reads it.

use std::path::Path;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::config::wrong;
use super::error::AdapterError;
use super::linear::LinearName;

/// Bytes that a hostile pattern may compile to.
const PATTERN_BYTES: usize = 1 << 20;
/// The word that means every linear but the head.
const ALL_LINEAR: &str = "all-linear";

/// The linears of an adapter.
#[derive(Debug)]
pub(super) struct Targets {
    include: Names,
    exclude: Option<Names>,
    layers: Option<Vec<usize>>,
}

#[derive(Debug)]
enum Names {
    All,
    Pattern(Regex),
    List(Vec<String>),
}

impl Targets {
    /// Reads the settings that choose modules.
    ///
    /// # Errors
    /// If one is neither names nor a pattern, or the pattern cannot be read.
    pub(super) fn new(
        path: &Path,
        include: &Value,
        exclude: Option<&Value>,
        layers: Option<&Value>,
        layers_pattern: Option<&Value>,
    ) -> Result<Self, AdapterError> {
        let exclude = match exclude {
            None | Some(Value::Null) => None,
            Some(Value::Array(names)) if names.is_empty() => None,
            Some(value) => Some(Names::new(path, "exclude_modules", value)?),
        };
        let mut layers = layer_list(path, layers)?;
        // The only list of layers in these models is called `layers`.
        if layers.is_some() && !pattern_allows(layers_pattern) {
            layers = Some(Vec::new());
        }
        Ok(Self {
            include: Names::new(path, "target_modules", include)?,
            exclude,
            layers,
        })
    }

    /// Whether the linear is one of them.
    pub(super) fn contain(&self, layer: usize, linear: LinearName) -> bool {
        let module = linear.module(layer);
        let listed = self
            .layers
            .as_ref()
            .is_none_or(|layers| layers.contains(&layer));
        let excluded = self
            .exclude
            .as_ref()
            .is_some_and(|names| names.match_module(&module));
        self.include.match_module(&module) && listed && !excluded
    }
}

impl Names {
    fn new(path: &Path, field: &str, value: &Value) -> Result<Self, AdapterError> {
        let expected = "a list of names or a pattern";
        match value {
            Value::String(text) if text == ALL_LINEAR => Ok(Self::All),
            Value::String(text) => compile(&format!("^(?:{text})$"))
                .map(Self::Pattern)
                .map_err(|error| wrong(path, field, &error, "a pattern")),
            Value::Array(names) => names
                .iter()
                .map(|name| name.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .filter(|names| !names.is_empty())
                .map(Self::List)
                .ok_or_else(|| wrong(path, field, &value.to_string(), expected)),
            _ => Err(wrong(path, field, &value.to_string(), expected)),
        }
    }

    fn match_module(&self, module: &str) -> bool {
        match self {
            Self::All => true,
            Self::Pattern(pattern) => pattern.is_match(module),
            Self::List(names) => names.iter().any(|name| {
                module
                    .strip_suffix(name.as_str())
                    .is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }),
        }
    }
}

/// The pattern of a name, or of the end of one behind a dot.
pub(super) fn suffix_pattern(key: &str) -> Result<Regex, String> {
    compile(&format!(r"^(?:.*\.)?(?:{key})$"))
}

fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_BYTES)
        .build()
        .map_err(|_| format!("`{pattern}`"))
}

fn layer_list(path: &Path, value: Option<&Value>) -> Result<Option<Vec<usize>>, AdapterError> {
    let index = |value: &Value| value.as_u64().and_then(|index| usize::try_from(index).ok());
    let found = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(values)) if values.is_empty() => return Ok(None),
        Some(Value::Array(values)) => values.iter().map(index).collect(),
        Some(value) => index(value).map(|one| vec![one]),
    };
    let text = value.map(Value::to_string).unwrap_or_default();
    let expected = "a layer or a list of layers";
    found
        .map(Some)
        .ok_or_else(|| wrong(path, "layers_to_transform", &text, expected))
}

fn pattern_allows(pattern: Option<&Value>) -> bool {
    match pattern {
        None | Some(Value::Null) => true,
        Some(Value::String(name)) => name.is_empty() || name == "layers",
        Some(Value::Array(names)) => {
            names.is_empty() || names.iter().any(|name| name.as_str() == Some("layers"))
        }
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn targets(include: Value) -> Targets {
        Targets::new(Path::new("config"), &include, None, None, None).unwrap()
    }

    #[test]
    fn a_list_names_ends_of_modules() {
        let some = targets(json!(["q_proj", "mlp.up_proj"]));
        assert!(some.contain(3, LinearName::Q) && some.contain(0, LinearName::Up));
        assert!(!some.contain(3, LinearName::K) && !some.contain(3, LinearName::Down));
        assert!(!targets(json!(["proj"])).contain(0, LinearName::Q));
    }

    #[test]
    fn a_pattern_must_match_the_whole_name() {
        let some = targets(json!(r".*\.layers\.[01]\..*\.(q|v)_proj"));
        assert!(some.contain(0, LinearName::Q) && some.contain(1, LinearName::V));
        assert!(!some.contain(2, LinearName::Q) && !some.contain(0, LinearName::O));
        assert!(!targets(json!("q_proj")).contain(0, LinearName::Q));
        assert!(targets(json!("all-linear")).contain(5, LinearName::Down));
    }

    #[test]
    fn layers_and_exclusions_narrow_it() {
        let path = Path::new("config");
        let some = Targets::new(
            path,
            &json!("all-linear"),
            Some(&json!(["down_proj"])),
            Some(&json!([0, 2])),
            Some(&json!("layers")),
        )
        .unwrap();
        assert!(some.contain(2, LinearName::Up));
        assert!(!some.contain(1, LinearName::Up) && !some.contain(2, LinearName::Down));
        let one = Targets::new(path, &json!(["q_proj"]), None, Some(&json!(1)), None).unwrap();
        assert!(one.contain(1, LinearName::Q) && !one.contain(0, LinearName::Q));
    }

    #[test]
    fn what_is_neither_names_nor_a_pattern_is_refused() {
        let path = Path::new("config");
        for bad in [json!(5), json!([]), json!([1]), json!("(")] {
            assert!(Targets::new(path, &bad, None, None, None).is_err(), "{bad}");
        }
        for bad in [json!("x"), json!([-1]), json!(1.5)] {
            let made = Targets::new(path, &json!(["q_proj"]), None, Some(&bad), None);
            assert!(made.is_err(), "{bad}");
        }
    }
}
