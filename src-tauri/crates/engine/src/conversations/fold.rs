//! Words as the search compares them: without case, without diacritics, and right for Turkish.
//!
//! The four letters i (`İ I ı i`) fold into one. `ISTANBUL` typed on an English keyboard, `İSTANBUL` on a Turkish one and
//! `ıstanbul` by someone in a hurry are the same word. No other rule of one language breaks a word of another.

use std::ops::Range;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longer words are compared by their first characters. Base64 and the like would only swell the index.
const LONGEST_WORD_CHARS: usize = 64;

/// One word of a text.
pub(super) struct Word {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// As it is compared; never empty.
    pub folded: String,
}

/// The folded words of a text with spaces between, as the index takes them.
pub(super) fn folded(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for word in words(text) {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(&word.folded);
    }
    all
}

/// The words of a text in order. A word is a run of letters and digits; each character of Chinese and Japanese is one.
pub(super) fn words(text: &str) -> impl Iterator<Item = Word> {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, first) = rest.find(|(_, c)| is_part(*c))?;
            let mut folded = String::new();
            let mut chars = 1;
            fold_char(first, &mut folded);
            let mut end = start + first.len_utf8();
            while let Some((at, c)) = rest.next_if(|(_, c)| {
                is_part(*c) && (is_combining_mark(*c) || !stands_alone(first) && !stands_alone(*c))
            }) {
                end = at + c.len_utf8();
                if chars < LONGEST_WORD_CHARS {
                    fold_char(c, &mut folded);
                    chars += 1;
                }
            }
            if !folded.is_empty() {
                return Some(Word {
                    range: start..end,
                    folded,
                });
            }
        }
    })
}

/// How many bytes of `word` (a word of some text) fold into the first `folded_bytes` of its folded form.
pub(super) fn prefix_bytes(word: &str, folded_bytes: usize) -> usize {
    let mut folded = String::new();
    let mut end = 0;
    for (at, c) in word.char_indices() {
        // Marks belong to the letter before them.
        if folded.len() >= folded_bytes && !is_combining_mark(c) {
            break;
        }
        fold_char(c, &mut folded);
        end = at + c.len_utf8();
    }
    end
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Scripts without spaces between words.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

/// Appends the letter as it is compared.
pub(crate) fn fold_char(c: char, to: &mut String) {
    if c.is_ascii() {
        to.push(c.to_ascii_lowercase());
        return;
    }
    // Letters that Unicode does not take apart.
    let plain = match c {
        'ı' => "i",
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'ł' | 'Ł' => "l",
        'þ' | 'Þ' => "th",
        'ħ' | 'Ħ' => "h",
        'ə' | 'Ə' => "e",
        'ς' => "σ",
        _ => "",
    };
    if !plain.is_empty() {
        to.push_str(plain);
        return;
    }
    for part in std::iter::once(c).nfkd() {
        to.extend(
            part.to_lowercase()
                .filter(|c| c.is_alphanumeric() && !is_combining_mark(*c)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{folded, prefix_bytes, words};

    #[test]
    fn words_are_compared_without_case_and_diacritics() {
        for (text, expected) in [
            (
                "istanbul İSTANBUL ISTANBUL ıstanbul İstanbul'da",
                "istanbul istanbul istanbul istanbul istanbul da",
            ),
            ("Şeker seker ŞEKER", "seker seker seker"),
            ("ÇĞİÖŞÜ çğıöşü", "cgiosu cgiosu"),
            ("i\u{307}stanbul I\u{307}stanbul", "istanbul istanbul"),
            ("café cafe\u{301} CAFÉ", "cafe cafe cafe"),
            ("kâğıt hâlâ", "kagit hala"),
            ("Straße STRASSE", "strasse strasse"),
            ("ﬁn Ⅷ ½ x²", "fin viii 12 x2"),
            ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
            ("東京 tower", "東 京 tower"),
            ("foo_bar-baz/3.14", "foo bar baz 3 14"),
            ("\u{301}\u{301} \0 ,;:!", ""),
            ("", ""),
        ] {
            assert_eq!(folded(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_word_is_cut_and_its_range_is_whole() {
        let text = "a".repeat(500);
        let word = words(&text).next().expect("a word");
        assert_eq!((word.folded.len(), word.range), (64, 0..500));
    }

    #[test]
    fn the_beginning_of_a_word_is_measured_in_its_own_bytes() {
        assert_eq!(prefix_bytes("İstanbul", 2), "İs".len());
        assert_eq!(prefix_bytes("Straße", 5), "Straß".len());
        assert_eq!(prefix_bytes("i\u{307}stanbul", 1), "i\u{307}".len());
        assert_eq!(prefix_bytes("ab", 9), 2);
    }
}
