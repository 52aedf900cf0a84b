//! The tokenizer of an embedder: ids of a text, cut off where the model stops reading.

use tokenizers::Tokenizer;

use super::EmbeddingError;
use super::files::Files;
use crate::text::{Around, TextError, read_tokenizer};

/// Largest `tokenizer.json` read, in bytes: published ones reach 34 MB.
const MOST_BYTES: u64 = 256 << 20;
/// Bytes of a text that are tokenised first, for each token that is wanted; twice as many each time it was too little.
const BYTES_PER_TOKEN: usize = 16;
/// Tokens near a cut may be other ones than without it: so many more than wanted must come.
const MARGIN: usize = 16;

/// A tokenizer with what it puts around a text.
pub(super) struct Tokens {
    tokenizer: Tokenizer,
    around: Around,
    rows: usize,
}

impl Tokens {
    /// Reads `tokenizer.json`. Truncation and padding it ships are not used.
    ///
    /// # Errors
    /// If it is missing, malformed, or puts tokens around a text that it does not have.
    pub(super) fn read(files: &Files<'_>) -> Result<Tokens, EmbeddingError> {
        const NAME: &str = "tokenizer.json";
        let bytes = files.require(NAME, MOST_BYTES)?;
        let place = files.place(NAME);
        let (tokenizer, around) = read_tokenizer(&bytes, &place)?;
        let vocabulary = tokenizer.get_vocab(true);
        let rows = vocabulary.values().max().map_or(0, |&id| id as usize + 1);
        if let Some(id) = around.ids().find(|&id| id as usize >= rows) {
            return Err(EmbeddingError::malformed(
                place,
                "post_processor",
                format!("token {id}"),
                format!("one of {rows} tokens"),
            ));
        }
        Ok(Tokens {
            tokenizer,
            around,
            rows,
        })
    }

    /// Highest token id plus one.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Tokens it puts around a text.
    pub(super) fn surrounding(&self) -> usize {
        self.around.ids().count()
    }

    /// The tokens of `text` with those around it, `most` in all.
    ///
    /// # Errors
    /// If the tokenizer refuses the text.
    pub(super) fn around(&self, text: &str, most: usize) -> Result<Vec<u32>, EmbeddingError> {
        let inner = most.saturating_sub(self.surrounding());
        let mut ids = self.around.before.clone();
        ids.extend(self.inner(text, inner)?);
        ids.extend(&self.around.after);
        Ok(ids)
    }

    /// The first `most` tokens of `text`, nothing around them.
    ///
    /// # Errors
    /// If the tokenizer refuses the text.
    pub(super) fn inner(&self, text: &str, most: usize) -> Result<Vec<u32>, EmbeddingError> {
        let wanted = most + MARGIN;
        let mut bytes = wanted.saturating_mul(BYTES_PER_TOKEN);
        loop {
            let part = beginning(text, bytes);
            let mut ids = self.encode(part)?;
            if part.len() == text.len() || ids.len() >= wanted {
                ids.truncate(most);
                return Ok(ids);
            }
            bytes = bytes.saturating_mul(2);
        }
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, EmbeddingError> {
        match self.tokenizer.encode_fast(text, false) {
            Ok(encoding) => Ok(encoding.get_ids().to_vec()),
            Err(error) => Err(TextError::Library {
                place: "encoding a text".to_owned(),
                message: error.to_string(),
            }
            .into()),
        }
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("rows", &self.rows)
            .field("around", &self.around)
            .finish_non_exhaustive()
    }
}

/// The first `bytes` bytes of `text`, or a little less: up to the last white space in them, else to the last whole character.
fn beginning(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let part = &text[..text.floor_char_boundary(bytes)];
    match part.rfind(char::is_whitespace) {
        Some(space) if space > 0 => &part[..space],
        _ => part,
    }
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn a_long_text_is_cut_between_words_or_characters() {
        for (text, bytes, expected) in [
            ("short", 10, "short"),
            ("one two three", 9, "one two"),
            ("one two three", 13, "one two three"),
            ("onetwothree", 6, "onetwo"),
            ("şşşş", 3, "ş"),
            (" şşşş", 4, " ş"),
        ] {
            assert_eq!(beginning(text, bytes), expected, "{text:?}");
        }
    }
}
