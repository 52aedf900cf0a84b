//! Takes the person out of a text before it leaves the data folder.

use std::path::Path;

/// What is replaced, longest first so that no part of one gives another away.
#[derive(Clone, Debug)]
pub(crate) struct Redactor {
    replacements: Vec<(String, &'static str)>,
}

impl Redactor {
    /// Knows the data folder, the home folder, the user and the machine.
    pub fn here(data: &Path) -> Redactor {
        let variable = |name: &str| std::env::var(name).ok();
        let home = variable("HOME").or_else(|| variable("USERPROFILE"));
        let user = ["USER", "USERNAME", "LOGNAME"]
            .into_iter()
            .find_map(variable);
        Redactor::new(
            &data.to_string_lossy(),
            home.as_deref(),
            user.as_deref(),
            sysinfo::System::host_name().ok().as_deref(),
        )
    }

    /// Knows what it is told.
    pub fn new(
        data: &str,
        home: Option<&str>,
        user: Option<&str>,
        machine: Option<&str>,
    ) -> Redactor {
        let mut replacements: Vec<(String, &'static str)> = Vec::new();
        let mut add = |text: Option<&str>, with: &'static str| {
            let text = text.map(|text| text.trim_end_matches(['/', '\\']));
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                replacements.push((text.to_owned(), with));
                // As it stands in JSON on Windows.
                if text.contains('\\') {
                    replacements.push((text.replace('\\', "\\\\"), with));
                }
            }
        };
        add(Some(data), "<data>");
        add(home, "<home>");
        add(user, "<user>");
        let last = home.and_then(|home| home.rsplit(['/', '\\']).find(|part| !part.is_empty()));
        add(last, "<user>");
        add(machine, "<machine>");
        replacements.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Redactor { replacements }
    }

    /// The text without the person. Names are replaced as whole words, in any letter case.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (found, with) in &self.replacements {
            text = replace_words(&text, found, with);
        }
        text
    }
}

fn replace_words(text: &str, wanted: &str, with: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before: Option<char> = None;
    while let Some(first) = rest.chars().next() {
        let length = starts_with(rest, wanted).filter(|length| {
            let after = rest[*length..].chars().next();
            !joins(before, wanted.chars().next()) && !joins(wanted.chars().last(), after)
        });
        let taken = match length {
            Some(length) => {
                out.push_str(with);
                length
            }
            None => {
                out.push(first);
                first.len_utf8()
            }
        };
        before = rest[..taken].chars().next_back();
        rest = &rest[taken..];
    }
    out
}

/// The bytes of `text` that `wanted` covers at its beginning, in any letter case.
fn starts_with(text: &str, wanted: &str) -> Option<usize> {
    let mut found = text.char_indices();
    for expected in wanted.chars() {
        let (_, char) = found.next()?;
        if char != expected && !char.to_lowercase().eq(expected.to_lowercase()) {
            return None;
        }
    }
    Some(found.next().map_or(text.len(), |(at, _)| at))
}

/// Whether two neighbours are parts of one word.
fn joins(left: Option<char>, right: Option<char>) -> bool {
    let word = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
    word(left) && word(right)
}

/// A message of the page without what stands in quotes there: it may be text of a conversation.
pub(crate) fn without_quotes(text: &str) -> String {
    let mut out = String::new();
    let mut quote: Option<char> = None;
    for char in text.chars() {
        match quote {
            Some(open) if char == open || char == '\n' => {
                out.push(char);
                quote = None;
            }
            Some(_) => {}
            None => {
                out.push(char);
                if matches!(char, '"' | '`') {
                    out.push('…');
                    quote = Some(char);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Redactor, without_quotes};

    #[test]
    fn the_person_is_taken_out() {
        let redactor = Redactor::new(
            "/home/Şükrü Öğüt/.local/share/r3mes",
            Some("/home/Şükrü Öğüt"),
            Some("sukru"),
            Some("dolap"),
        );
        for (text, expected) in [
            (
                "cannot read `/home/Şükrü Öğüt/.local/share/r3mes/models/a`",
                "cannot read `<data>/models/a`",
            ),
            (
                "/home/Şükrü Öğüt/Belgeler/gizli.gguf",
                "<home>/Belgeler/gizli.gguf",
            ),
            (
                "SUKRU at Dolap, sukrupasa",
                "<user> at <machine>, sukrupasa",
            ),
            ("Şükrü Öğüt", "<user>"),
            ("nothing of anybody", "nothing of anybody"),
        ] {
            assert_eq!(redactor.redact(text), expected);
        }
    }

    #[test]
    fn a_windows_path_is_found_in_json_too() {
        let redactor = Redactor::new(r"D:\r3mes", Some(r"C:\Users\Ayşe"), None, None);
        let text = r#"{"a": "C:\\Users\\Ayşe\\x", "b": "D:\\r3mes\\models"}"#;
        let expected = r#"{"a": "<home>\\x", "b": "<data>\\models"}"#;
        assert_eq!(redactor.redact(text), expected);
    }

    #[test]
    fn what_the_page_quotes_is_not_kept() {
        let text = "SyntaxError: \"my secret\" is no JSON\n at parse (main.js:1)";
        let expected = "SyntaxError: \"…\" is no JSON\n at parse (main.js:1)";
        assert_eq!(without_quotes(text), expected);
    }
}
