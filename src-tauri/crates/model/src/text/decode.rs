//! Tokens to text, one at a time, never splitting a character.
//!
//! Bytes wait until they complete a character. Bytes that no continuation can make valid become `U+FFFD`, as
//! `String::from_utf8_lossy` would write them over the whole answer; an unfinished character at the end of an
//! answer is never shown.

use std::sync::Arc;

use super::pieces::{Piece, Pieces};

/// Decodes one answer as its tokens arrive.
#[derive(Clone, Debug)]
pub struct Decoder {
    pieces: Arc<Pieces>,
    /// Bytes of a character that is not complete yet: at most three.
    pending: Vec<u8>,
    started: bool,
}

impl Decoder {
    pub(super) fn new(pieces: Arc<Pieces>) -> Self {
        Decoder {
            pieces,
            pending: Vec::new(),
            started: false,
        }
    }

    /// Takes the next token; the text that is complete with it, `None` if nothing is.
    ///
    /// Special tokens and ids outside the vocabulary have no text.
    pub fn push(&mut self, id: u32) -> Option<String> {
        let Piece::Text(bytes) = self.pieces.get(id) else {
            return None;
        };
        if self.started {
            self.pending.extend(self.pieces.joiner().bytes());
            self.pending.extend(bytes);
        } else {
            self.pending.extend(self.pieces.without_lead(bytes));
        }
        self.started |= !bytes.is_empty();
        let text = take_complete(&mut self.pending);
        (!text.is_empty()).then_some(text)
    }
}

/// Removes and returns what is complete in `bytes`, leaving at most the beginning of one character.
fn take_complete(bytes: &mut Vec<u8>) -> String {
    let mut text = String::new();
    let mut rest = bytes.as_slice();
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                text.push_str(valid);
                rest = &[];
                break;
            }
            Err(error) => {
                let (valid, after) = rest.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(valid));
                rest = after;
                let Some(invalid) = error.error_len() else {
                    break;
                };
                text.push(char::REPLACEMENT_CHARACTER);
                rest = &rest[invalid..];
            }
        }
    }
    *bytes = rest.to_vec();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_as_the_whole_would_be_read_except_an_unfinished_end() {
        let cases: [(&[u8], &str); 6] = [
            ("şöyle 🙂 böyle".as_bytes(), "şöyle 🙂 böyle"),
            (b"a\xffb", "a\u{fffd}b"),
            (b"\xf0\x9f\x99x", "\u{fffd}x"),
            (b"\xe2\x82", ""),
            (b"\xc0\xaf", "\u{fffd}\u{fffd}"),
            (b"\xed\xa0\x80.", "\u{fffd}\u{fffd}\u{fffd}."),
        ];
        for (bytes, expected) in cases {
            for width in 1..=bytes.len() {
                let mut pending = Vec::new();
                let mut text = String::new();
                for piece in bytes.chunks(width) {
                    pending.extend(piece);
                    text += &take_complete(&mut pending);
                    assert!(pending.len() <= 3, "{pending:?} held back");
                }
                assert_eq!(text, expected, "{bytes:?} by {width}");
            }
        }
    }
}
