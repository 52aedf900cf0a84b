//! Whether a question is Turkish or English, from its letters, its small words and its endings.

use super::words::Words;

/// Small words of Turkish, folded, that English has not.
const TURKISH: [&str; 88] = [
    "ve",
    "bir",
    "bu",
    "su",
    "ne",
    "mi",
    "mu",
    "midir",
    "mudur",
    "nedir",
    "kimdir",
    "nerede",
    "nereye",
    "neden",
    "nasil",
    "nicin",
    "niye",
    "hangi",
    "hangisi",
    "kac",
    "kim",
    "kimin",
    "kime",
    "icin",
    "ile",
    "gibi",
    "kadar",
    "sonra",
    "once",
    "ama",
    "fakat",
    "ancak",
    "cunku",
    "eger",
    "ise",
    "olarak",
    "olan",
    "degil",
    "var",
    "yok",
    "daha",
    "cok",
    "az",
    "her",
    "hic",
    "sey",
    "ben",
    "sen",
    "biz",
    "siz",
    "onlar",
    "onun",
    "onu",
    "bana",
    "sana",
    "bize",
    "benim",
    "senin",
    "bizim",
    "kendi",
    "tarafindan",
    "hakkinda",
    "gore",
    "hala",
    "simdi",
    "bugun",
    "yarin",
    "lutfen",
    "evet",
    "hayir",
    "merhaba",
    "olur",
    "nelerdir",
    "misin",
    "misiniz",
    "miyim",
    "miyiz",
    "musun",
    "musunuz",
    "muyum",
    "bunu",
    "bunun",
    "sunu",
    "nerelisin",
    "kimler",
    "kimlerdir",
    "nerelerdeydin",
    "biraz",
];
/// Small words of English, folded, that Turkish has not; `in` and `i` follow an apostrophe in Turkish.
const ENGLISH: [&str; 58] = [
    "the", "is", "are", "was", "were", "what", "who", "where", "when", "why", "how", "which", "of",
    "to", "for", "and", "or", "not", "with", "from", "by", "that", "this", "these", "it", "its",
    "do", "does", "did", "can", "could", "should", "would", "will", "have", "has", "had", "my",
    "your", "you", "he", "she", "we", "they", "if", "there", "about", "into", "be", "at", "as",
    "his", "her", "their", "find", "write", "list", "define",
];
/// Endings of Turkish words, folded, long enough not to be English ones.
const ENDINGS: [&str; 30] = [
    "yorum", "yorsun", "iyor", "uyor", "misti", "mistir", "mustur", "maktadir", "mektedir", "acak",
    "ecek", "lari", "leri", "larin", "lerin", "lardan", "lerden", "larda", "lerde", "nasi", "rsin",
    "rsiniz", "rim", "rum", "sini", "sinin", "ligi", "lugu", "liklar", "likler",
];

/// `tr`, `en`, or nothing where it cannot be told.
pub(super) fn of(text: &str, words: &Words) -> Option<&'static str> {
    let mut turkish = 0;
    let mut english = 0;
    for word in words.iter() {
        if TURKISH.contains(&word) {
            turkish += 2;
        } else if ENGLISH.contains(&word) {
            english += 2;
        } else if word.len() >= 6 && ENDINGS.iter().any(|ending| word.ends_with(ending)) {
            turkish += 1;
        }
    }
    // A name (`Atatürk`) is no Turkish sentence: letters count less than small words, and only up to a number.
    let letters = text
        .chars()
        .take(2_000)
        .filter(|c| {
            matches!(
                c,
                'ğ' | 'Ğ' | 'ş' | 'Ş' | 'ı' | 'İ' | 'ç' | 'Ç' | 'ö' | 'Ö' | 'ü' | 'Ü'
            )
        })
        .count();
    turkish += letters.min(4 + words.count() / 4);
    match () {
        () if turkish > english => Some("tr"),
        () if english > 0 => Some("en"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::router::words::Words;

    #[test]
    fn turkish_and_english_are_told_apart() {
        for (text, expected) in [
            ("Şeker hastalığının belirtileri nelerdir?", Some("tr")),
            ("seker hastaliginin belirtileri nelerdir", Some("tr")),
            ("KİRA SÖZLEŞMESİ NASIL FESHEDİLİR", Some("tr")),
            ("yarın hava nasıl", Some("tr")),
            ("What are the symptoms of diabetes?", Some("en")),
            ("Who was Mustafa Kemal Atatürk?", Some("en")),
            ("find all files larger than 10 MB in /tmp", Some("en")),
            ("Does the café in Zürich serve Käse?", Some("en")),
            ("grep -rn foo", None),
            ("", None),
        ] {
            assert_eq!(of(text, &Words::read(text)), expected, "{text:?}");
        }
    }
}
