//! The same loop for text: tokens become pieces that are whole characters, stop strings end the answer.

use std::ops::ControlFlow;

use super::{FinishReason, GenerateError, Generated, Request, Step, generate};
use crate::forward::{Progress, State};
use crate::model::Model;
use crate::text::{StopStrings, Text};

/// Something that happened on the way to a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Part of the prompt is done.
    Prefill(Progress),
    /// A token was chosen. Its text may come later, or with it as the next piece.
    Token(u32),
    /// More of the answer: whole characters, never empty, never part of a stop string.
    Text(String),
}

/// A text answer.
#[derive(Debug, Clone, PartialEq)]
pub struct TextAnswer {
    /// All pieces together.
    pub text: String,
    /// The stop string that ended it.
    pub stopped_by: Option<String>,
    /// Tokens, reason and times. The tokens may go beyond the text where a stop string cut it.
    pub generated: Generated,
}

/// Generates text. `observe` sees every piece and may break it off; the state stays valid.
///
/// # Errors
/// As [`generate`].
pub fn generate_text(
    model: &Model,
    text: &Text,
    state: &mut State,
    request: &Request<'_>,
    observe: &mut dyn FnMut(Piece) -> ControlFlow<()>,
) -> Result<TextAnswer, GenerateError> {
    let mut decoder = text.decoder();
    let mut stop = StopStrings::new(request.sampling.stop.clone());
    let mut answer = String::new();
    let mut stopped_by = None;
    let mut generated = generate(model, state, request, &mut |step| {
        let id = match step {
            Step::Prefill(progress) => return observe(Piece::Prefill(progress)),
            Step::Token(id) => id,
        };
        observe(Piece::Token(id))?;
        let Some(piece) = decoder.push(id) else {
            return ControlFlow::Continue(());
        };
        let stopped = stop.push(&piece);
        stopped_by = stopped.by;
        show(stopped.text, &mut answer, observe)?;
        match stopped_by {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    })?;
    if stopped_by.is_some() {
        generated.finish = FinishReason::Stop;
    } else if generated.finish != FinishReason::Cancelled {
        // Nobody is left to be stopped: the answer is complete.
        let _shown = show(stop.finish(), &mut answer, observe);
    }
    Ok(TextAnswer {
        text: answer,
        stopped_by,
        generated,
    })
}

fn show(
    text: String,
    answer: &mut String,
    observe: &mut dyn FnMut(Piece) -> ControlFlow<()>,
) -> ControlFlow<()> {
    if text.is_empty() {
        return ControlFlow::Continue(());
    }
    answer.push_str(&text);
    observe(Piece::Text(text))
}
