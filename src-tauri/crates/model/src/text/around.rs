//! The tokens a tokenizer's post-processor puts before and after one text.
//!
//! Read from its description instead of by running the library's, which panics on a template that names a token it
//! does not define, and does work per token that a prompt has no use for (offsets, type ids).

use serde_json::Value;

use super::TextError;

/// Tokens before and after a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Around {
    pub(crate) before: Vec<u32>,
    pub(crate) after: Vec<u32>,
}

impl Around {
    /// What the `post_processor` of a `tokenizer.json` adds; `place` names the file in errors.
    pub(super) fn read(post_processor: &Value, place: &str) -> Result<Around, TextError> {
        let mut around = Around::default();
        around.step(post_processor, place)?;
        Ok(around)
    }

    /// All of them.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> {
        self.before.iter().chain(&self.after).copied()
    }

    fn step(&mut self, step: &Value, place: &str) -> Result<(), TextError> {
        let wrong = |found: &Value, expected: &str| {
            TextError::tokenizer(
                format!("`{place}`, post_processor"),
                shortened(found),
                expected,
            )
        };
        match step["type"].as_str() {
            None if step.is_null() => {}
            Some("ByteLevel") => {}
            Some("Sequence") => {
                for step in step["processors"].as_array().into_iter().flatten() {
                    self.step(step, place)?;
                }
            }
            Some("BertProcessing" | "RobertaProcessing") => {
                let token = |name: &str| {
                    token_id(&step[name][1]).ok_or_else(|| wrong(&step[name], "a token and its id"))
                };
                self.wrap(vec![token("cls")?], vec![token("sep")?]);
            }
            Some("TemplateProcessing") => {
                let pieces = step["single"]
                    .as_array()
                    .ok_or_else(|| wrong(&step["single"], "a list of pieces"))?;
                let (mut before, mut after) = (Vec::new(), None);
                for piece in pieces {
                    if piece["Sequence"]["id"] == "A" && after.is_none() {
                        after = Some(Vec::new());
                        continue;
                    }
                    let name = piece["SpecialToken"]["id"].as_str();
                    let ids = name
                        .and_then(|name| step["special_tokens"][name]["ids"].as_array())
                        .and_then(|ids| ids.iter().map(token_id).collect::<Option<Vec<u32>>>())
                        .ok_or_else(|| wrong(piece, "the text once and special tokens with ids"))?;
                    after.as_mut().unwrap_or(&mut before).extend(ids);
                }
                let after = after.ok_or_else(|| wrong(&step["single"], "the text once"))?;
                self.wrap(before, after);
            }
            _ => {
                return Err(wrong(
                    step,
                    "TemplateProcessing, ByteLevel, Bert- or RobertaProcessing",
                ));
            }
        }
        Ok(())
    }

    fn wrap(&mut self, before: Vec<u32>, after: Vec<u32>) {
        self.before.splice(0..0, before);
        self.after.extend(after);
    }
}

fn token_id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|id| u32::try_from(id).ok())
}

/// JSON for an error message.
pub(super) fn shortened(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
