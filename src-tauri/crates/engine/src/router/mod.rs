//! The router: which experts a question concerns.
//!
//! `question → words → keyword scores → (sure enough: done) → embedding → semantic scores → fused → candidates`, as probabilities
//! at each stage. Everything fitted is data (`resources/router`), everything a person may want to turn is a [`Tuning`]. A route
//! never asks what is installed or what fits into memory: that is the gate's business.
//!
//! Invariants:
//! - The same question, data and tuning give the same route, whatever was asked before; only [`keep`] looks at the past.
//! - Any text can be routed: nothing here panics or fails on what a person types.

mod builtin;
mod choose;
pub mod fit;
mod keep;
mod language;
mod lexicon;
mod linear;
mod refit;
mod semantic;
#[cfg(test)]
mod tests;
mod tuning;
mod words;

pub use builtin::{CLASS_IDS, CLASS_NAMES, builtin_embedder};
pub use keep::{Recent, Stickiness, keep};
pub use linear::{CLASSES, Scores};
pub use refit::{Label, Learned, Refit};
pub use semantic::{Embeds, Head, MOST_EXAMPLES};
pub use tuning::{Calibration, Tuning};

use crate::api::Route;
use crate::error::EngineError;
use lexicon::{Keywords, Lexicon};
use linear::softmax;
use semantic::{Examples, lean, near};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;
use words::Words;

/// The class that Turkish questions belong to, whatever they are about.
const TURKISH: usize = 4;
/// Share of the probability that a question in Turkish gives to `turkish_dora` at once.
const TURKISH_SHARE: f32 = 0.9;
/// Keyword score of `turkish_dora` from which an English question speaks of Turkish (`translate … into Turkish`).
const NAMED: f32 = 0.5;
/// What is left of the score of `turkish_dora` for an English question that does not.
const ENGLISH_LEAVES: f32 = 0.1;
/// Share of a Turkish question's score that the expert of its subject takes when the subject is plain.
const SUBJECT_SHARE: f32 = 0.28;
/// How plain a subject must be for that.
const PLAIN_SUBJECT: f32 = 0.5;
/// Similarity at which an own expert or a correction has as much to say as all others together, and how steeply it grows.
const NEAR: f32 = 0.62;
const NEAR_SLOPE: f32 = 16.0;
const SAME: f32 = 0.8;
const SAME_SLOPE: f32 = 20.0;
/// Shortest words that make a question look at examples before the fast path is taken.
const TELLING_WORD: usize = 4;

/// Routes questions. Cheap to clone; every change makes a new one.
#[derive(Clone)]
pub struct Router {
    lexicon: Arc<Lexicon>,
    calibration: Calibration,
    head: Option<Arc<Head>>,
    embedder: Arc<dyn Embeds>,
    /// Examples of the known experts, in the order of the classes.
    known: Arc<Vec<Examples>>,
    own: Vec<Own>,
    corrections: Vec<Correction>,
    tuning: Tuning,
    /// Words of own examples and corrections: a question that has one is not decided by the lexicon alone.
    telling: Arc<HashSet<String>>,
}

#[derive(Clone)]
struct Own {
    id: String,
    examples: Arc<Examples>,
}

/// A question whose expert a person named.
#[derive(Clone)]
struct Correction {
    expert: usize,
    examples: Arc<Examples>,
    /// The label it comes from; none for examples that an expert of the seven brought.
    label: Option<Label>,
}

/// Scores of both stages for every expert: the known ones, then the own ones.
struct Scored {
    keywords: Keywords,
    keyword: Vec<f32>,
    semantic: Option<(Vec<f32>, Vec<f32>)>,
    fused: Vec<f32>,
    fast: bool,
    language: Option<&'static str>,
    /// Whether anything in the question is known to either stage.
    evidence: bool,
    keyword_ms: f64,
    semantic_ms: f64,
}

impl Router {
    /// The router that ships, for this embedder.
    ///
    /// # Errors
    /// If the embedder cannot embed the shipped examples.
    pub fn builtin(embedder: Arc<dyn Embeds>) -> Result<Router, EngineError> {
        builtin::router(embedder)
    }

    /// A router with these numbers in place of its own.
    pub fn with_tuning(mut self, tuning: Tuning) -> Router {
        self.tuning = tuning;
        self
    }

    /// The numbers in use.
    pub fn tuning(&self) -> Tuning {
        self.tuning
    }

    /// A router that also knows an expert of the person's own, by examples of the questions it is for. An expert that is known
    /// already gets these examples instead of its former ones; for one of the seven they add to what the router knows.
    ///
    /// # Errors
    /// If the embedder cannot embed the examples.
    pub fn with_expert(mut self, id: &str, examples: &[String]) -> Result<Router, EngineError> {
        let examples = Arc::new(Examples::new(examples, self.embedder.as_ref())?);
        if let Some(class) = CLASS_IDS.iter().position(|known| *known == id) {
            if examples.len() > 0 {
                self.corrections.push(Correction {
                    expert: class,
                    examples,
                    label: None,
                });
            }
        } else {
            match self.own.iter_mut().find(|own| own.id == id) {
                Some(own) => own.examples = examples,
                None => self.own.push(Own {
                    id: id.to_owned(),
                    examples,
                }),
            }
        }
        self.collect_telling_words();
        Ok(self)
    }

    /// Ids of the experts it scores: the seven known ones, then the own ones.
    pub fn experts(&self) -> Vec<&str> {
        let own = self.own.iter().map(|own| own.id.as_str());
        CLASS_IDS.iter().copied().chain(own).collect()
    }

    /// Who the question concerns. An embedder that fails leaves the keyword stage alone, and the reason says so.
    pub fn route(&self, question: &str) -> Route {
        match self.score(question) {
            Ok(scored) => choose::route(self, question, &scored),
            Err(error) => {
                let without = Router {
                    tuning: Tuning {
                        fast_path: 0.0,
                        ..self.tuning
                    },
                    telling: Arc::default(),
                    ..self.clone()
                };
                match without.score(question) {
                    Ok(scored) => {
                        let mut route = choose::route(self, question, &scored);
                        route.reason_text =
                            format!("{}; the embedder failed: {error}", route.reason_text);
                        route
                    }
                    Err(_) => Route::default(),
                }
            }
        }
    }

    /// Who the question concerns after a previous answer: its experts stay when a change gains too little.
    pub fn route_after(&self, question: &str, recent: &Recent, stickiness: &Stickiness) -> Route {
        keep(self.route(question), recent, stickiness)
    }

    /// Routes of many questions, in their order.
    pub fn route_all(&self, questions: &[&str]) -> Vec<Route> {
        questions
            .iter()
            .map(|question| self.route(question))
            .collect()
    }

    fn score(&self, question: &str) -> Result<Scored, EngineError> {
        let start = Instant::now();
        let words = Words::read(question);
        let language = language::of(question, &words);
        let keywords = self.lexicon.look_up(&words);
        let mut keyword = softmax(keywords.logits, self.calibration.keyword_temperature);
        let named = keyword[TURKISH] >= NAMED;
        tell_language(&mut keyword, language, named);
        let sure = keyword.iter().copied().fold(0.0, f32::max) >= self.tuning.fast_path;
        let fast = sure && !words.iter().any(|word| self.telling.contains(word));
        let known = keywords
            .found
            .iter()
            .any(|found| self.lexicon.entry(found).text != "^");
        let keyword_ms = start.elapsed().as_secs_f64() * 1e3;
        let mut scored = Scored {
            keyword: with_zeros(&keyword, self.own.len()),
            fused: with_zeros(&keyword, self.own.len()),
            keywords,
            semantic: None,
            fast,
            language,
            evidence: known,
            keyword_ms,
            semantic_ms: 0.0,
        };
        if !fast {
            let start = Instant::now();
            self.add_semantic(question, &keyword, &mut scored)?;
            scored.semantic_ms = start.elapsed().as_secs_f64() * 1e3;
        }
        if language == Some("tr") {
            give_subject_its_share(&mut scored.fused);
        }
        Ok(scored)
    }

    fn add_semantic(
        &self,
        question: &str,
        keyword: &Scores,
        scored: &mut Scored,
    ) -> Result<(), EngineError> {
        let embedding = self.embedder.embed(&[question])?.swap_remove(0);
        if embedding.iter().all(|x| *x == 0.0) {
            return Ok(());
        }
        scored.evidence = true;
        let mut semantic = softmax(
            self.logits(&embedding),
            self.calibration.semantic_temperature,
        );
        tell_language(&mut semantic, scored.language, keyword[TURKISH] >= NAMED);
        let own: Vec<f32> = self
            .own
            .iter()
            .map(|own| near(own.examples.closest(&embedding), NEAR, NEAR_SLOPE))
            .collect();
        let corrected: Vec<(usize, f32)> = self
            .corrections
            .iter()
            .map(|one| {
                (
                    one.expert,
                    near(one.examples.closest(&embedding), SAME, SAME_SLOPE),
                )
            })
            .collect();
        // What own experts take, all others leave, in either stage.
        let taken = own.iter().copied().fold(0.0, f32::max);
        let sum: f32 = own.iter().sum();
        let own: Vec<f32> = own
            .iter()
            .map(|p| if sum > 0.0 { p / sum * taken } else { 0.0 })
            .collect();
        let mut both = [keyword, &semantic].map(|scores| {
            let known = scores.iter().map(|p| p * (1.0 - taken));
            known.chain(own.iter().copied()).collect::<Vec<f32>>()
        });
        for scores in &mut both {
            for (expert, share) in &corrected {
                lean_to(scores, *expert, *share);
            }
        }
        let [keyword, semantic] = both;
        let total = self.tuning.keyword_weight + self.tuning.semantic_weight;
        let total = if total > 0.0 { total } else { 1.0 };
        scored.fused = keyword
            .iter()
            .zip(&semantic)
            .map(|(k, s)| {
                (self.tuning.keyword_weight * k + self.tuning.semantic_weight * s) / total
            })
            .collect();
        scored.keyword = keyword;
        scored.semantic = Some((semantic, embedding));
        Ok(())
    }

    /// Logits of the semantic stage: of the head where there is one for this embedder, else of the nearest examples.
    fn logits(&self, embedding: &[f32]) -> Scores {
        match &self.head {
            Some(head) => head.logits(embedding),
            None => std::array::from_fn(|class| NEAR_SLOPE * self.known[class].closest(embedding)),
        }
    }

    fn collect_telling_words(&mut self) {
        let own = self.own.iter().map(|own| &own.examples);
        let corrections = self.corrections.iter().map(|one| &one.examples);
        self.telling = Arc::new(
            own.chain(corrections)
                .flat_map(|examples| examples.texts())
                .flat_map(|text| {
                    let words = Words::read(text);
                    words.iter().map(str::to_owned).collect::<Vec<_>>()
                })
                .filter(|word| word.len() >= TELLING_WORD)
                .collect(),
        );
    }
}

/// What the language of the question says about `turkish_dora`.
fn tell_language(scores: &mut Scores, language: Option<&str>, named: bool) {
    match language {
        Some("tr") => lean(scores, TURKISH, TURKISH_SHARE),
        Some("en") if !named => {
            scores[TURKISH] *= ENGLISH_LEAVES;
            let sum: f32 = scores.iter().sum();
            for score in scores {
                *score /= sum;
            }
        }
        _ => {}
    }
}

fn with_zeros(scores: &Scores, more: usize) -> Vec<f32> {
    let mut all = scores.to_vec();
    all.resize(CLASSES + more, 0.0);
    all
}

fn lean_to(scores: &mut [f32], expert: usize, share: f32) {
    for (at, score) in scores.iter_mut().enumerate() {
        *score = *score * (1.0 - share) + if at == expert { share } else { 0.0 };
    }
}

/// A Turkish question about a plain subject concerns the expert of the subject too.
fn give_subject_its_share(fused: &mut [f32]) {
    let rest: f32 = 1.0 - fused[TURKISH];
    let general = builtin::GENERAL;
    let best = (0..fused.len())
        .filter(|at| *at != TURKISH && *at != general)
        .max_by(|a, b| fused[*a].total_cmp(&fused[*b]));
    if let Some(best) = best
        && rest > 0.0
        && fused[best] / rest >= PLAIN_SUBJECT
    {
        let share = SUBJECT_SHARE * fused[TURKISH];
        fused[TURKISH] -= share;
        fused[best] += share;
    }
}
