//! `evaluation.json`: what was measured with the expert and without, `{"figures": [{name, base, expert, lower_is_better}]}`.

use super::contents::EVALUATION;
use crate::api::EvaluationFigure;
use serde::Deserialize;
use std::path::Path;

const MOST_BYTES: u64 = 1 << 20;
const MOST_FIGURES: usize = 100;
const LONGEST_NAME: usize = 200;

#[derive(Deserialize)]
struct Evaluation {
    figures: Vec<EvaluationFigure>,
}

/// The figures in an expert's folder; none when it brings none.
///
/// # Errors
/// If the file cannot be read or is no evaluation.
pub(crate) fn read(folder: &Path) -> Result<Vec<EvaluationFigure>, String> {
    let path = folder.join(EVALUATION);
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Ok(found) if found.len() > MOST_BYTES => {
            return Err(format!(
                "`{EVALUATION}` has {} B, expected at most {MOST_BYTES} B",
                found.len()
            ));
        }
        _ => {}
    }
    let bytes = std::fs::read(&path).map_err(|error| format!("`{EVALUATION}`: {error}"))?;
    parse(&bytes)
}

/// Reads figures.
///
/// # Errors
/// As [`read`].
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<EvaluationFigure>, String> {
    let refuse = |reason: String| format!("`{EVALUATION}`: {reason}");
    let evaluation: Evaluation =
        serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string()))?;
    if evaluation.figures.len() > MOST_FIGURES {
        return Err(refuse(format!(
            "{} figures, expected at most {MOST_FIGURES}",
            evaluation.figures.len()
        )));
    }
    let odd = |figure: &&EvaluationFigure| {
        figure.name.chars().count() > LONGEST_NAME || figure.name.chars().any(char::is_control)
    };
    match evaluation.figures.iter().find(odd) {
        Some(figure) => Err(refuse(format!(
            "a name of {} characters, expected one line of at most {LONGEST_NAME}",
            figure.name.chars().count()
        ))),
        None => Ok(evaluation.figures),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn figures_compare_the_expert_with_the_base() {
        let text = r#"{"figures": [{"name": "perplexity", "base": 20.5, "expert": 11.25, "lower_is_better": true}]}"#;
        let figures = parse(text.as_bytes()).expect("an evaluation");
        assert_eq!((figures[0].base, figures[0].expert), (20.5, 11.25));
        for bad in ["[]", "{}", r#"{"figures": [{"name": "x"}]}"#, "\u{feff}"] {
            let error = parse(bad.as_bytes()).expect_err(bad);
            assert!(error.starts_with("`evaluation.json`: "), "{error}");
        }
    }
}
