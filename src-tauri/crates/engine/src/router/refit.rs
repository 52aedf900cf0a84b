//! Learning from “wrong expert”: corrections of a person, what they would change, and the way back.

use super::semantic::Examples;
use super::{CLASS_IDS, Correction, Router, Tuning};
use crate::error::EngineError;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A question and the expert a person says it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The question.
    pub text: String,
    /// The expert's id.
    pub expert_id: String,
}

/// What corrections make of a router: store it to go forward or back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Thresholds and weights.
    pub tuning: Tuning,
    /// Questions whose expert is known.
    pub corrections: Vec<Label>,
}

/// A proposal: apply `proposed`, or leave it; `undo` is what was there before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refit {
    /// Labels that name an expert the router knows; the others were left out.
    pub labels: usize,
    /// Share of the labels that is routed right now.
    pub before: f32,
    /// The same with the proposal, each label judged without itself.
    pub after: f32,
    /// What to use from now on; the same as `undo` where nothing would be better.
    pub proposed: Learned,
    /// What was used.
    pub undo: Learned,
}

/// Fewest labels from which thresholds are moved: with fewer, chance decides.
const LEAST_FOR_TUNING: usize = 12;

impl Router {
    /// A router that has learned this, and nothing else from corrections.
    ///
    /// # Errors
    /// If the embedder cannot embed the corrected questions.
    pub fn with_learned(mut self, learned: &Learned) -> Result<Router, EngineError> {
        self.tuning = learned.tuning;
        self.corrections.retain(|one| one.label.is_none());
        for label in &learned.corrections {
            let Some(expert) = self.expert(&label.expert_id) else {
                continue;
            };
            let examples =
                Examples::new(std::slice::from_ref(&label.text), self.embedder.as_ref())?;
            if examples.len() > 0 {
                self.corrections.push(Correction {
                    expert,
                    examples: Arc::new(examples),
                    label: Some(label.clone()),
                });
            }
        }
        self.collect_telling_words();
        Ok(self)
    }

    /// What this router has learned.
    pub fn learned(&self) -> Learned {
        Learned {
            tuning: self.tuning,
            corrections: self
                .corrections
                .iter()
                .filter_map(|one| one.label.clone())
                .collect(),
        }
    }

    /// What the labels would change: the corrected questions become examples, and the weights of the stages and the threshold of
    /// the fast path move when that routes more labels right. The later of two labels for one question counts.
    ///
    /// # Errors
    /// If the embedder cannot embed the questions.
    pub fn refit(&self, labels: &[Label]) -> Result<Refit, EngineError> {
        let undo = self.learned();
        let mut usable: Vec<Label> = Vec::new();
        for label in labels {
            usable.retain(|other| other.text != label.text);
            if self.expert(&label.expert_id).is_some() {
                usable.push(label.clone());
            }
        }
        let before = self.right(&usable, false);
        let mut best = (before, undo.clone());
        for tuning in self.tunings(usable.len()) {
            let learned = Learned {
                tuning,
                corrections: usable.clone(),
            };
            let after = self.clone().with_learned(&learned)?.right(&usable, true);
            if after > best.0 {
                best = (after, learned);
            }
        }
        Ok(Refit {
            labels: usable.len(),
            before,
            after: best.0,
            proposed: best.1,
            undo,
        })
    }

    /// Tunings to try, the present one first.
    fn tunings(&self, labels: usize) -> Vec<Tuning> {
        let mut all = vec![self.tuning];
        if labels >= LEAST_FOR_TUNING {
            for keyword_weight in [0.15, 0.3, 0.5, 0.7] {
                for fast_path in [0.75, 0.85, 0.95] {
                    all.push(Tuning {
                        keyword_weight,
                        semantic_weight: 1.0 - keyword_weight,
                        fast_path,
                        ..self.tuning
                    });
                }
            }
        }
        all
    }

    /// Share of the labels whose expert comes first. `without_itself`: a correction does not help the question it was made for.
    fn right(&self, labels: &[Label], without_itself: bool) -> f32 {
        let right = labels
            .iter()
            .filter(|label| {
                let mut router = self.clone();
                if without_itself {
                    let own =
                        |one: &Correction| one.label.as_ref().is_some_and(|l| l.text == label.text);
                    router.corrections.retain(|one| !own(one));
                }
                let route = router.route(&label.text);
                route
                    .scores
                    .first()
                    .is_some_and(|best| best.expert_id == label.expert_id)
            })
            .count();
        right as f32 / labels.len().max(1) as f32
    }

    fn expert(&self, id: &str) -> Option<usize> {
        let own = self.own.iter().map(|own| own.id.as_str());
        CLASS_IDS
            .iter()
            .copied()
            .chain(own)
            .position(|known| known == id)
    }
}
