//! Titles: the one a first question gives, and the ones people type.

/// A longer title is cut between words.
const LONGEST_CHARS: usize = 48;
/// Of titles that people type.
const LONGEST_TYPED_CHARS: usize = 200;
/// A sentence this short (`Hi.`, `Dr.`, `1.`) is not the whole of what was asked.
const SHORTEST_SENTENCE_CHARS: usize = 10;

/// The first sentence of a question, without markdown; a long one is cut between words. Empty for a text without words.
pub(super) fn of_question(question: &str) -> String {
    let line = question.lines().map(plain).find(|line| has_words(line));
    let line = line.unwrap_or_default();
    let sentence = first_sentence(&line);
    let title = cut(sentence, LONGEST_CHARS);
    title.trim_end_matches(['.', ',', ';', ':']).to_owned()
}

/// One line with single spaces, and not without end.
pub(super) fn tidy(title: &str) -> String {
    let words = title.split(|c: char| c.is_whitespace() || c.is_control());
    let line = words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    cut(&line, LONGEST_TYPED_CHARS)
}

/// A line without the signs of markdown.
fn plain(line: &str) -> String {
    let mut rest = line.trim();
    if rest.starts_with("```") || rest.starts_with("~~~") {
        return String::new();
    }
    rest = rest.trim_start_matches(['#', '>', ' ']);
    for bullet in ["- ", "* ", "+ "] {
        rest = rest.strip_prefix(bullet).unwrap_or(rest);
    }
    let mut text = String::new();
    let mut chars = rest.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        match c {
            '`' | '*' => {}
            '_' if !before.is_alphanumeric()
                || !chars.peek().is_some_and(|c| c.is_alphanumeric()) => {}
            '!' if chars.peek() == Some(&'[') => {}
            '[' => {}
            // The address of a link goes, its text stays.
            ']' => {
                if chars.next_if_eq(&'(').is_some() {
                    chars.by_ref().find(|c| *c == ')');
                }
            }
            _ => text.push(c),
        }
        before = c;
    }
    tidy(&text)
}

fn has_words(line: &str) -> bool {
    line.chars().any(char::is_alphanumeric)
}

/// Up to the first sign that ends a sentence: it stands before a space, and what follows does not begin small.
fn first_sentence(line: &str) -> &str {
    let ends = line
        .char_indices()
        .filter(|(_, c)| matches!(c, '.' | '?' | '!' | '…' | '。' | '？' | '！'));
    for (count, (at, c)) in ends.enumerate().take(LONGEST_TYPED_CHARS) {
        let end = at + c.len_utf8();
        let after = &line[end..];
        let ended = match c {
            '。' | '？' | '！' => true,
            '.' => {
                let next = after.trim_start().chars().next();
                after.starts_with(' ')
                    && next.is_some_and(|c| !c.is_lowercase())
                    && !short_before(&line[..at])
            }
            _ => after.is_empty() || after.starts_with(' '),
        };
        let long_enough = line[..end].chars().count() >= SHORTEST_SENTENCE_CHARS;
        if ended && long_enough || count == LONGEST_TYPED_CHARS {
            return &line[..end];
        }
    }
    line
}

/// Whether a full stop follows a number or an abbreviation of one to three letters.
fn short_before(text: &str) -> bool {
    let word = text.rsplit(' ').next().unwrap_or_default();
    let abbreviation = word.chars().count() <= 3 && word.starts_with(char::is_uppercase);
    abbreviation || word.ends_with(|c: char| c.is_numeric())
}

/// At most `most` characters, whole words where there are several, with a sign that something is missing.
fn cut(text: &str, most: usize) -> String {
    let Some((limit, _)) = text.char_indices().nth(most) else {
        return text.to_owned();
    };
    let head = &text[..limit];
    let at_space = text[limit..].starts_with(' ');
    let end = match head.rfind(' ') {
        _ if at_space => limit,
        Some(space) if head[..space].chars().count() * 2 >= most => space,
        _ => whole_character(text, limit),
    };
    format!(
        "{}…",
        text[..end].trim_end_matches([' ', ',', ';', ':', '.'])
    )
}

/// Not between a letter and the marks or joined signs that belong to it.
fn whole_character(text: &str, mut limit: usize) -> usize {
    let belongs = |c: char| {
        unicode_normalization::char::is_combining_mark(c)
            || matches!(c, '\u{200d}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
    };
    while limit > 0 {
        let before = text[..limit].chars().next_back();
        let after = text[limit..].chars().next();
        if !after.is_some_and(belongs) && before != Some('\u{200d}') {
            break;
        }
        limit -= before.map_or(1, char::len_utf8);
    }
    limit
}

#[cfg(test)]
mod tests {
    use super::{of_question, tidy};

    #[test]
    fn the_first_question_gives_the_title() {
        for (question, title) in [
            ("What is diabetes?", "What is diabetes?"),
            (
                "İstanbul'da hava nasıl? Yarın gidiyorum.",
                "İstanbul'da hava nasıl?",
            ),
            ("  \n\n## Özet çıkar\n\nmetin…", "Özet çıkar"),
            (
                "**Önemli:** `fn main()` ne yapar?",
                "Önemli: fn main() ne yapar?",
            ),
            (
                "See [the docs](https://example.com/a_b) please",
                "See the docs please",
            ),
            ("```rust\nfn main() {}\n```", "fn main() {}"),
            ("- [ ] çöp at", "çöp at"),
            (
                "Merhaba. Bana yardım eder misin?",
                "Merhaba. Bana yardım eder misin?",
            ),
            ("Dr. Ayşe Kaya kimdir? Anlat.", "Dr. Ayşe Kaya kimdir?"),
            ("Madde 5. fıkra ne diyor", "Madde 5. fıkra ne diyor"),
            ("Pi is 3.14. Why is that?", "Pi is 3.14. Why is that?"),
            ("Bunu çevir. İngilizceye olsun.", "Bunu çevir"),
            (
                "use snake_case or _emphasis_ here",
                "use snake_case or emphasis here",
            ),
            ("東京の天気は？明日は？", "東京の天気は？明日は？"),
            ("???", ""),
            ("", ""),
        ] {
            assert_eq!(of_question(question), title, "{question:?}");
        }
    }

    #[test]
    fn a_long_question_is_cut_between_words() {
        let title = of_question(
            "Türkiye'nin ekonomisi hakkında uzun ve ayrıntılı bir rapor yazmanı istiyorum çünkü",
        );
        assert_eq!(title, "Türkiye'nin ekonomisi hakkında uzun ve ayrıntılı…");
        let title = of_question(&"ş".repeat(200));
        assert_eq!(title, format!("{}…", "ş".repeat(48)));
        let title = of_question(&"e\u{301}".repeat(100));
        assert_eq!(title, format!("{}…", "e\u{301}".repeat(24)));
        let family = "👩\u{200d}👩\u{200d}👧";
        assert!(of_question(&format!("a{}", family.repeat(40))).ends_with("👧…"));
    }

    #[test]
    fn a_typed_title_is_one_line() {
        assert_eq!(tidy("  a\n\tb\0c  "), "a b c");
        assert_eq!(tidy("\n"), "");
        assert!(tidy(&"x".repeat(100_000)).chars().count() <= 201);
    }
}
