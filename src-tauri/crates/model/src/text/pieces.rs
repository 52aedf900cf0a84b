//! What each token contributes to a text: the tokenizer's decoder, applied to every token once.
//!
//! The usual decoders work token by token (byte-level BPE; SentencePiece: `▁` to space, byte fallback, fuse, strip
//! one leading space), so a table of bytes per id replaces them, and streaming needs no look back. A decoder that
//! cannot be written this way is refused when the tokenizer is loaded.

use std::borrow::Cow;

use serde_json::Value;
use tokenizers::Tokenizer;

use super::TextError;
use super::around::shortened;
use super::tokenizer_json::HIGHEST_ID;

/// Most bytes that all token texts may have together; the largest real vocabularies have a few MB.
const MOST_BYTES: usize = 256 << 20;

/// A token's part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Not in the vocabulary.
    Absent,
    /// Not shown.
    Special,
    /// Bytes, not necessarily whole characters.
    Text(&'a [u8]),
}

/// What happens to the beginning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    Kept,
    /// At most so many spaces are removed.
    Stripped(usize),
}

/// Bytes of every token.
#[derive(Debug)]
pub(super) struct Pieces {
    bytes: Vec<u8>,
    /// Per id: where in `bytes`.
    spans: Vec<Span>,
    lead: Lead,
    joiner: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Span {
    Absent,
    Special,
    Text { start: u32, end: u32 },
}

impl Pieces {
    pub(super) fn new(tokenizer: &Tokenizer) -> Result<Pieces, TextError> {
        let decoder = match tokenizer.get_decoder() {
            None => Value::Null,
            Some(decoder) => serde_json::to_value(decoder).map_err(|source| TextError::Json {
                place: "decoder".to_owned(),
                source,
            })?,
        };
        let plan = Plan::read(&decoder)?;
        let added = tokenizer.get_added_tokens_decoder();
        let vocabulary = tokenizer.get_vocab(true);
        let rows = vocabulary.values().max().map_or(0, |&id| id as usize + 1);
        if rows > HIGHEST_ID as usize + 1 {
            return Err(TextError::tokenizer(
                "tokenizer",
                format!("token id {}", rows - 1),
                format!("at most {HIGHEST_ID}"),
            ));
        }
        let mut pieces = Pieces {
            bytes: Vec::new(),
            spans: vec![Span::Absent; rows],
            lead: plan.lead,
            joiner: plan.joiner,
        };
        for (token, id) in vocabulary {
            let span = if added.get(&id).is_some_and(|token| token.special) {
                Span::Special
            } else {
                let start = pieces.bytes.len() as u32;
                plan.append(&token, &mut pieces.bytes)?;
                Span::Text {
                    start,
                    end: pieces.bytes.len() as u32,
                }
            };
            pieces.spans[id as usize] = span;
        }
        Ok(pieces)
    }

    pub(super) fn rows(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn get(&self, id: u32) -> Piece<'_> {
        match self.spans.get(id as usize) {
            None | Some(Span::Absent) => Piece::Absent,
            Some(Span::Special) => Piece::Special,
            Some(Span::Text { start, end }) => {
                Piece::Text(&self.bytes[*start as usize..*end as usize])
            }
        }
    }

    /// What stands between two tokens: a space for a tokenizer without a decoder.
    pub(super) fn joiner(&self) -> &'static str {
        self.joiner
    }

    /// The first piece of a text without the spaces the decoder strips.
    pub(super) fn without_lead<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let spaces = bytes.iter().take_while(|&&byte| byte == b' ').count();
        match self.lead {
            Lead::Kept => bytes,
            Lead::Stripped(most) => &bytes[spaces.min(most)..],
        }
    }
}

/// The decoder's steps, as far as they matter token by token.
struct Plan {
    replacements: Vec<(String, String)>,
    byte_level: bool,
    byte_fallback: bool,
    fused: bool,
    lead: Lead,
    joiner: &'static str,
}

impl Plan {
    fn read(decoder: &Value) -> Result<Plan, TextError> {
        let mut plan = Plan {
            replacements: Vec::new(),
            byte_level: false,
            byte_fallback: false,
            fused: false,
            lead: Lead::Kept,
            joiner: if decoder.is_null() { " " } else { "" },
        };
        plan.step(decoder)?;
        Ok(plan)
    }

    fn step(&mut self, step: &Value) -> Result<(), TextError> {
        if step.is_null() {
            return Ok(());
        }
        let text = |key: &str| step[key].as_str();
        let unsupported = || {
            TextError::tokenizer(
                "decoder",
                shortened(step),
                "ByteLevel, ByteFallback, Fuse, Metaspace, Replace of a string, or Strip of leading spaces",
            )
        };
        match text("type") {
            Some("Sequence") => {
                for step in step["decoders"].as_array().into_iter().flatten() {
                    self.step(step)?;
                }
            }
            Some("ByteLevel") => self.byte_level = true,
            Some("ByteFallback") => self.byte_fallback = true,
            Some("Fuse") => self.fused = true,
            Some("Replace") => {
                let from = step["pattern"]["String"].as_str().ok_or_else(unsupported)?;
                let to = text("content").ok_or_else(unsupported)?;
                let crosses_tokens = self.fused && from.chars().count() > 1;
                if from.is_empty() || crosses_tokens || self.byte_level || self.byte_fallback {
                    return Err(unsupported());
                }
                self.replacements.push((from.to_owned(), to.to_owned()));
            }
            Some("Metaspace") => {
                let from = text("replacement").ok_or_else(unsupported)?;
                self.replacements.push((from.to_owned(), " ".to_owned()));
                if text("prepend_scheme") != Some("never") {
                    self.lead = Lead::Stripped(usize::MAX);
                }
            }
            Some("Strip") => {
                let spaces = step["start"].as_u64().ok_or_else(unsupported)?;
                if text("content") != Some(" ") || step["stop"].as_u64() != Some(0) || !self.fused {
                    return Err(unsupported());
                }
                self.lead = Lead::Stripped(spaces as usize);
            }
            _ => return Err(unsupported()),
        }
        Ok(())
    }

    /// Appends what `token` contributes to a text.
    fn append(&self, token: &str, bytes: &mut Vec<u8>) -> Result<(), TextError> {
        let mut token = Cow::Borrowed(token);
        for (from, to) in &self.replacements {
            let replaced = token.matches(from.as_str()).count();
            let needed = bytes.len() + token.len() + replaced.saturating_mul(to.len());
            if needed > MOST_BYTES {
                return Err(TextError::tokenizer(
                    "decoder",
                    format!("token texts of {needed} bytes or more"),
                    format!("at most {MOST_BYTES}"),
                ));
            }
            if replaced > 0 {
                token = token.replace(from.as_str(), to).into();
            }
        }
        if self.byte_fallback
            && let Some(byte) = fallback_byte(&token)
        {
            bytes.push(byte);
            return Ok(());
        }
        if self.byte_level {
            let start = bytes.len();
            for character in token.chars() {
                let Some(byte) = byte_of(character) else {
                    bytes.truncate(start);
                    break;
                };
                bytes.push(byte);
            }
            if bytes.len() > start {
                return Ok(());
            }
        }
        bytes.extend(token.bytes());
        Ok(())
    }
}

/// The byte that a SentencePiece fallback token such as `<0xE4>` stands for.
pub(super) fn fallback_byte(token: &str) -> Option<u8> {
    let hex = token.strip_prefix("<0x")?.strip_suffix('>')?;
    let digits = hex.len() == 2 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
    digits.then(|| u8::from_str_radix(hex, 16).ok()).flatten()
}

/// The byte that a character of a byte-level vocabulary stands for.
///
/// Printable Latin-1 characters stand for themselves, the other 68 bytes for `U+0100` onwards in byte order.
/// Source: openai/gpt-2 `encoder.py`, `bytes_to_unicode`.
pub(super) fn byte_of(character: char) -> Option<u8> {
    match character as u32 {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => Some(code as u8),
        code @ 0x100..=0x120 => Some((code - 0x100) as u8),
        code @ 0x121..=0x142 => Some((code - 0x121 + 0x7f) as u8),
        0x143 => Some(0xad),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;

    #[test]
    fn the_byte_alphabet_is_a_bijection_onto_the_librarys() {
        let alphabet = ByteLevel::alphabet();
        let mut bytes: Vec<u8> = alphabet.iter().filter_map(|&c| byte_of(c)).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
        assert_eq!(byte_of('Ġ'), Some(b' '));
        assert_eq!(byte_of('Ċ'), Some(b'\n'));
    }

    #[test]
    fn fallback_tokens_are_exactly_two_hex_digits() {
        for (token, byte) in [
            ("<0xE4>", Some(0xe4)),
            ("<0x0a>", Some(0x0a)),
            ("<0xG1>", None),
            ("<0x+1>", None),
            ("<0x1>", None),
            ("<0xé>", None),
            ("<s>", None),
        ] {
            assert_eq!(fallback_byte(token), byte, "{token}");
        }
    }
}
