//! The engine's router for hosts: one question, a file of questions, settings, refit.

use super::{Kept, read_learned, write_learned};
use crate::api::{RefitReport, Route, RouteFileReport, RouterLabels};
use crate::conversations::Label as Said;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::gating::{self, Policy};
use crate::router::{Label, Router};
use serde::Deserialize;
use std::path::Path;
use std::time::Instant;

/// The largest file of questions.
const MOST_BYTES: u64 = 256 << 20;

/// A question whose expert is known.
#[derive(Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    expert_id: Option<String>,
    /// The field in one word, as data sets have it: `medical` is `medical_dora`.
    #[serde(default)]
    domain: Option<String>,
}

impl Engine {
    /// The router as it is now.
    ///
    /// # Errors
    /// If the embedder cannot be used, or what was learned cannot be read.
    pub fn router(&self) -> Result<Router, EngineError> {
        self.routes().router(&self.settings(), self.desk())
    }

    /// Who would be asked, and who of them could not help; nothing is loaded and nothing is kept.
    ///
    /// # Errors
    /// As [`Engine::router`].
    pub fn route(&self, question: &str) -> Result<Route, EngineError> {
        let mut route = self.router()?.route(question);
        let settings = self.settings();
        let ids = route.candidates.iter().map(|one| &*one.expert_id);
        let facts = self.desk().facts(ids);
        let policy = Policy {
            most: settings.experts.most,
        };
        let plan = gating::plan(&route.candidates, &facts, &self.experts().budget(), policy);
        route.dropped = plan.dropped;
        Ok(route)
    }

    /// Routes a file of questions whose experts are known: one JSON object with `text` and `expert_id` (or `domain`) a line.
    ///
    /// # Errors
    /// If the file cannot be read, holds no such line, or there is no router.
    pub fn route_file(&self, path: &Path) -> Result<RouteFileReport, EngineError> {
        let size = std::fs::metadata(path)
            .map_err(EngineError::io("read", path))?
            .len();
        if size > MOST_BYTES {
            return Err(EngineError::Unreadable {
                path: path.to_owned(),
                reason: format!("{size} B, expected at most {MOST_BYTES} B"),
            });
        }
        let text = std::fs::read_to_string(path).map_err(EngineError::io("read", path))?;
        let router = self.router()?;
        let mut experts: Vec<String> = router.experts().iter().map(|id| (*id).to_owned()).collect();
        experts.push(String::new());
        let mut confusion = vec![vec![0usize; experts.len()]; experts.len()];
        let (mut rows, mut skipped) = (0, 0);
        let started = Instant::now();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let Ok(line) = serde_json::from_str::<Line>(line) else {
                skipped += 1;
                continue;
            };
            let wanted = line
                .expert_id
                .or_else(|| line.domain.map(|domain| format!("{domain}_dora")))
                .unwrap_or_default();
            let Some(expected) = experts.iter().position(|id| *id == wanted) else {
                skipped += 1;
                continue;
            };
            let route = router.route(&line.text);
            let first = route
                .candidates
                .first()
                .map_or("", |first| &first.expert_id);
            let routed = experts.iter().position(|id| id == first);
            confusion[expected][routed.unwrap_or(experts.len() - 1)] += 1;
            rows += 1;
        }
        if rows == 0 {
            return Err(EngineError::Unreadable {
                path: path.to_owned(),
                reason: "no line with `text` and a known `expert_id`".into(),
            });
        }
        let correct = (0..experts.len()).map(|at| confusion[at][at]).sum();
        Ok(RouteFileReport {
            rows,
            correct,
            skipped,
            macro_f1: macro_f1(&confusion),
            mean_ms: started.elapsed().as_secs_f64() * 1e3 / rows as f64,
            experts,
            confusion,
        })
    }

    /// How many labels there are, and the refit in use.
    ///
    /// # Errors
    /// If what was learned cannot be read.
    pub fn router_labels(&self, said: &[Said]) -> Result<RouterLabels, EngineError> {
        let kept = read_learned(&self.settings().home.router())?;
        let known = |label: &&Said| {
            kept.now
                .corrections
                .iter()
                .any(|one| one.text == label.question)
        };
        Ok(RouterLabels {
            total: said.len(),
            unused: said.len() - said.iter().filter(known).count(),
            refit: kept.undo.as_ref().and(kept.refit).map(report),
        })
    }

    /// Fits the router to the labels; what it says is used from now on.
    ///
    /// # Errors
    /// If there is no label, no router, or the data folder cannot be written.
    pub fn refit_router(&self, said: &[Said]) -> Result<RefitReport, EngineError> {
        let labels: Vec<Label> = said
            .iter()
            .filter_map(|label| {
                Some(Label {
                    text: label.question.clone(),
                    expert_id: label.expert_id.clone()?,
                })
            })
            .collect();
        if labels.is_empty() {
            return Err(EngineError::BadRequest {
                field: "labels".into(),
                found: "none that names an expert".into(),
                expected: "an answer that was marked with the expert it should have had".into(),
            });
        }
        let refit = self.router()?.refit(&labels)?;
        let figures = (refit.labels, refit.before, refit.after);
        let kept = Kept {
            now: refit.proposed,
            undo: Some(refit.undo),
            refit: Some(figures),
        };
        write_learned(&self.settings().home.router(), &kept)?;
        Ok(report(figures))
    }

    /// Goes back to what was used before the last refit.
    ///
    /// # Errors
    /// If there is none, or the data folder cannot be written.
    pub fn undo_refit(&self) -> Result<(), EngineError> {
        let path = self.settings().home.router();
        let kept = read_learned(&path)?;
        let Some(undo) = kept.undo else {
            return Err(EngineError::BadRequest {
                field: "refit".into(),
                found: "none in use".into(),
                expected: "one that can be undone".into(),
            });
        };
        let kept = Kept {
            now: undo,
            ..Kept::default()
        };
        write_learned(&path, &kept)
    }
}

fn report((labels, before, after): (usize, f32, f32)) -> RefitReport {
    RefitReport {
        labels,
        before: f64::from(before),
        after: f64::from(after),
    }
}

/// Mean of the F1 of every expert that the file asks for.
fn macro_f1(confusion: &[Vec<usize>]) -> f64 {
    let classes = confusion.len();
    let scores: Vec<f64> = (0..classes)
        .filter(|class| confusion[*class].iter().sum::<usize>() > 0)
        .map(|class| {
            let right = confusion[class][class] as f64;
            let expected = confusion[class].iter().sum::<usize>() as f64;
            let routed = (0..classes).map(|row| confusion[row][class]).sum::<usize>() as f64;
            2.0 * right / (expected + routed).max(1.0)
        })
        .collect();
    scores.iter().sum::<f64>() / scores.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::macro_f1;

    #[test]
    fn macro_f1_is_the_mean_over_the_experts_that_are_asked_for() {
        assert_eq!(macro_f1(&[vec![2, 0], vec![0, 3]]), 1.0);
        let found = macro_f1(&[vec![1, 1, 0], vec![0, 2, 0], vec![0, 0, 0]]);
        assert!(
            (found - (2.0 / 3.0 + 4.0 / 5.0) / 2.0).abs() < 1e-12,
            "{found}"
        );
    }
}
