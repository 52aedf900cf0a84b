//! A question as the keyword stage reads it: folded words and signs with single spaces between, and where each one stands.
//!
//! Case and diacritics are folded as the conversation search folds them, so `İ I ı i` are one letter and `şeker` is `seker`.
//! A space on both sides of every word makes word boundaries a matter of plain matching: ` heart ` never finds `hearth`,
//! ` hastalik` finds every Turkish form of the word, `itis ` every inflammation.

use crate::conversations::fold::fold_char;
use std::ops::Range;
use unicode_normalization::char::is_combining_mark;

/// Words of a question that are looked at. What a question is about shows long before.
const MOST_WORDS: usize = 400;
/// Bytes of a word that are compared.
const LONGEST_WORD: usize = 64;
/// Stands before the first word: an entry can ask for the beginning of a question.
const BEGIN: &str = "^";
/// Any number but a year.
const NUMBER: &str = "<number>";
/// A number from 1900 to 2099.
const YEAR: &str = "<year>";

/// The folded words of a text.
#[derive(Debug, PartialEq)]
pub(super) struct Words {
    /// ` ^ what are the symptoms ? `
    pub folded: String,
    /// For each word where it begins in `folded`, and its bytes in the text.
    spans: Vec<(usize, Range<usize>)>,
}

impl Words {
    /// Reads a text. Never fails; a text without letters, digits and signs has only the sign of the beginning.
    pub fn read(text: &str) -> Words {
        let mut folded = String::with_capacity(text.len().min(4096) + 16);
        folded.push(' ');
        folded.push_str(BEGIN);
        folded.push(' ');
        let mut spans = vec![(1, 0..0)];
        let mut chars = text.char_indices().peekable();
        while let Some((start, first)) = chars.next() {
            if spans.len() > MOST_WORDS {
                break;
            }
            let at = folded.len();
            let mut end = start + first.len_utf8();
            if is_part(first) {
                let mut digits = first.is_ascii_digit();
                fold_char(first, &mut folded);
                while let Some((next, c)) = chars.next_if(|(_, c)| is_part(*c)) {
                    digits &= c.is_ascii_digit();
                    if folded.len() - at < LONGEST_WORD {
                        fold_char(c, &mut folded);
                    }
                    end = next + c.len_utf8();
                }
                if digits {
                    let name = number(&folded[at..]);
                    folded.truncate(at);
                    folded.push_str(name);
                }
            } else if is_sign(first) {
                // A run of one sign is one word.
                while let Some((next, c)) = chars.next_if(|(_, c)| *c == first) {
                    end = next + c.len_utf8();
                }
                folded.push(first);
            }
            if folded.len() > at {
                spans.push((at, start..end));
                folded.push(' ');
            }
        }
        Words { folded, spans }
    }

    /// How many words there are, the sign of the beginning not counted.
    pub fn count(&self) -> usize {
        self.spans.len() - 1
    }

    /// The words one by one, folded.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.folded.split_ascii_whitespace().skip(1)
    }

    /// The bytes of the text that the bytes `start..end` of `folded` come from, whole words. Empty where none are touched.
    pub fn in_text(&self, start: usize, end: usize) -> Range<usize> {
        let last = self.spans.partition_point(|(at, _)| *at < end);
        // The span that holds `start`: the last one that begins at or before its first letter.
        let first = self.spans[..last]
            .partition_point(|(at, _)| *at <= start)
            .saturating_sub(1);
        let touched = self.spans[first..last]
            .iter()
            .map(|(_, span)| span)
            .filter(|span| !span.is_empty());
        touched
            .cloned()
            .reduce(|all, span| all.start..span.end)
            .unwrap_or(0..0)
    }
}

/// A term as entries are compared: folded; a `*` before or behind stands for any beginning or ending of the word.
pub(super) fn fold_term(term: &str) -> String {
    let words = Words::read(term.trim_matches('*'));
    let folded = words.folded[3..].trim();
    match (term.starts_with('*'), term.ends_with('*')) {
        (true, _) => format!("*{folded}"),
        (_, true) => format!("{folded}*"),
        _ => folded.to_owned(),
    }
}

fn number(digits: &str) -> &'static str {
    match digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20")) {
        true => YEAR,
        false => NUMBER,
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Signs that say something about a question: money, shell, code, formulas. Not `*`, which stands for letters in entries.
fn is_sign(c: char) -> bool {
    matches!(c, '€' | '£')
        || c.is_ascii_punctuation() && !matches!(c, '.' | ',' | ':' | '\'' | '^' | '*')
}

#[cfg(test)]
mod tests {
    use super::{Words, fold_term};

    #[test]
    fn a_question_is_folded_words_and_signs() {
        for (text, expected) in [
            ("What are the SYMPTOMS?", " ^ what are the symptoms ? "),
            ("İSTANBUL'daki ılık IŞIK", " ^ istanbul daki ilik isik "),
            (
                "between 1999 and 35 or 20190",
                " ^ between <year> and <number> or <number> ",
            ),
            ("`grep -rn` $HOME/*.txt", " ^ ` grep - rn ` $ home / txt "),
            ("!!! ---", " ^ ! - "),
            ("سؤال 🙂 שאלה", " ^ سوال שאלה "),
            ("", " ^ "),
            (" \u{301}🙂\0\n", " ^ "),
        ] {
            assert_eq!(Words::read(text).folded, expected, "{text:?}");
        }
    }

    #[test]
    fn a_match_is_found_again_in_the_text() {
        let text = "Hangi İLAÇLAR kalp krizini önler?";
        let words = Words::read(text);
        for (found, expected) in [
            (" ilac", "İLAÇLAR"),
            (" kalp krizi", "kalp krizini"),
            ("nler ", "önler"),
            (" ^ hangi ", "Hangi"),
            (" ^ ", ""),
        ] {
            let start = words.folded.find(found).expect("it is there");
            let range = words.in_text(
                start + usize::from(found.starts_with(' ')),
                start + found.len(),
            );
            assert_eq!(&text[range], expected, "{found:?}");
        }
    }

    #[test]
    fn a_very_long_text_is_read_to_a_limit() {
        let words = Words::read(&"word ".repeat(100_000));
        assert_eq!(words.count(), super::MOST_WORDS);
        assert_eq!(Words::read(&"a".repeat(1_000_000)).folded.len(), 64 + 4);
    }

    #[test]
    fn terms_are_folded_and_keep_their_star() {
        for (term, expected) in [
            ("Şeker hastalığı", "seker hastaligi"),
            ("diabet*", "diabet*"),
            ("*İtis", "*itis"),
            ("mod_rewrite", "mod _ rewrite"),
        ] {
            assert_eq!(fold_term(term), expected);
        }
    }
}
