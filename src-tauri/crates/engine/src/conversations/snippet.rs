//! The place in a text that shows best why it was found.

use super::fold::{prefix_bytes, words};
use std::ops::Range;

/// Characters of text in a snippet.
const LENGTH_CHARS: usize = 160;
/// Of those, before the first match.
const LEAD_CHARS: usize = 40;
/// Bytes of a text that are looked through.
const MOST_BYTES: usize = 256 * 1024;
/// Matches that are looked at.
const MOST_MATCHES: usize = 256;

/// A word that is looked for.
pub(super) struct Term {
    /// As in [`super::fold`].
    pub folded: String,
    /// Whether the beginning of a longer word is enough.
    pub begins: bool,
}

/// One line of plain text with the matches in it, as `[start, end)` in UTF-16 units.
pub(super) fn snippet(text: &str, terms: &[Term]) -> (String, Vec<(usize, usize)>) {
    let matches = matches(text, terms);
    let first = best(text, &matches, terms.len());
    let window = window(
        text,
        matches.get(first).map_or(0, |found| found.range.start),
    );
    let inside = matches
        .iter()
        .map(|found| found.range.clone())
        .filter(|range| window.start <= range.start && range.end <= window.end);
    line(text, window.clone(), inside)
}

struct Match {
    range: Range<usize>,
    term: usize,
}

fn matches(text: &str, terms: &[Term]) -> Vec<Match> {
    let found = words(head(text, MOST_BYTES)).filter_map(|word| {
        let term = terms.iter().position(|term| {
            word.folded == term.folded || term.begins && word.folded.starts_with(&term.folded)
        })?;
        let shown = prefix_bytes(&text[word.range.clone()], terms[term].folded.len());
        // A word that was cut for the comparison is marked whole.
        let end = match word.folded == terms[term].folded {
            true => word.range.end,
            false => word.range.start + shown,
        };
        Some(Match {
            range: word.range.start..end,
            term,
        })
    });
    found.take(MOST_MATCHES).collect()
}

/// The match from which a snippet shows the most different terms.
fn best(text: &str, matches: &[Match], terms: usize) -> usize {
    let mut best = (0, 0);
    for (at, first) in matches.iter().enumerate() {
        let reach = first.range.start + (LENGTH_CHARS - LEAD_CHARS).min(text.len());
        let mut seen = vec![false; terms];
        for found in matches[at..]
            .iter()
            .take_while(|found| found.range.end <= reach)
        {
            seen[found.term] = true;
        }
        let count = seen.iter().filter(|seen| **seen).count();
        if count > best.0 {
            best = (count, at);
        }
    }
    best.1
}

/// Bytes around `at`, beginning and ending between words where one is near.
fn window(text: &str, at: usize) -> Range<usize> {
    let lead = text[..at].char_indices().rev().take(LEAD_CHARS);
    let start = lead.last().map_or(at, |(start, _)| start);
    let start = match text[start..at].find(char::is_whitespace) {
        Some(space) if start > 0 => start + space,
        _ => start,
    };
    let mut end = text[start..]
        .char_indices()
        .nth(LENGTH_CHARS)
        .map_or(text.len(), |(length, _)| start + length);
    if end < text.len()
        && let Some(space) = text[at..end].rfind(char::is_whitespace)
        && space > 0
    {
        end = at + space;
    }
    start..end
}

/// The text of a window with single spaces, and where the marked ranges went.
fn line(
    text: &str,
    window: Range<usize>,
    marked: impl Iterator<Item = Range<usize>>,
) -> (String, Vec<(usize, usize)>) {
    let mut line = String::new();
    let mut units = 0;
    let mut marks = Vec::new();
    let mut marked = marked.peekable();
    let mut opened = None;
    if window.start > 0 {
        line.push('…');
        units += 1;
    }
    let begin = line.len();
    for (at, c) in text[window.clone()].char_indices() {
        let at = window.start + at;
        if let Some((start, end)) = opened
            && at >= end
        {
            marks.push((start, units));
            opened = None;
        }
        if c.is_whitespace() || c.is_control() {
            if line.len() > begin && !line.ends_with(' ') {
                line.push(' ');
                units += 1;
            }
            continue;
        }
        if let Some(range) = marked.next_if(|range| range.start <= at) {
            opened = Some((units, range.end));
        }
        line.push(c);
        units += c.len_utf16();
    }
    if let Some((start, _)) = opened {
        marks.push((start, units));
    }
    line.truncate(line.trim_end().len());
    if window.end < text.len() {
        line.push('…');
    }
    (line, marks)
}

/// The first `bytes` of a text, or a little less, so that no character is cut.
fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::{Term, snippet};

    fn show(text: &str, words: &[&str]) -> String {
        let terms: Vec<Term> = words
            .iter()
            .map(|word| Term {
                folded: word.trim_end_matches('*').to_owned(),
                begins: word.ends_with('*'),
            })
            .collect();
        let (line, marks) = snippet(text, &terms);
        let units: Vec<u16> = line.encode_utf16().collect();
        let mut shown = String::new();
        let mut at = 0;
        for (start, end) in marks {
            shown += &String::from_utf16_lossy(&units[at..start]);
            shown += &format!("[{}]", String::from_utf16_lossy(&units[start..end]));
            at = end;
        }
        shown + &String::from_utf16_lossy(&units[at..])
    }

    #[test]
    fn matches_are_marked_in_the_original_text() {
        for (text, words, expected) in [
            (
                "Bugün İSTANBUL'da",
                &["istanbul*"][..],
                "Bugün [İSTANBUL]'da",
            ),
            ("kitaplar ve kitap", &["kitap*"], "[kitap]lar ve [kitap]"),
            (
                "😀 kedi\n\n\tve  köpek",
                &["kedi", "kopek*"],
                "😀 [kedi] ve [köpek]",
            ),
            ("nothing here", &["other*"], "nothing here"),
            ("", &["other*"], ""),
        ] {
            assert_eq!(show(text, words), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_around_the_densest_place() {
        let filler = "lorem ipsum dolor sit amet ".repeat(20);
        let text = format!("kedi {filler} kedi ve köpek {filler}");
        let shown = show(&text, &["kedi", "kopek*"]);
        assert!(shown.contains("[kedi] ve [köpek]"), "{shown}");
        assert!(shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert!(shown.chars().count() < 180, "{shown}");
    }
}
