//! `examples.jsonl`: questions that an expert is for, by which the router learns it. One JSON object with `text` a line.

use super::contents::EXAMPLES;
use serde::Deserialize;
use std::path::Path;

const MOST_BYTES: u64 = 16 << 20;
const MOST_EXAMPLES: usize = 20_000;
const LONGEST_CHARS: usize = 10_000;

#[derive(Deserialize)]
struct Line {
    text: String,
}

/// The examples in an expert's folder; none when it brings none.
///
/// # Errors
/// If the file cannot be read or a line is no example; the message names the line.
pub(crate) fn read(folder: &Path) -> Result<Vec<String>, String> {
    let path = folder.join(EXAMPLES);
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Ok(found) if found.len() > MOST_BYTES => {
            return Err(format!(
                "`{EXAMPLES}` has {} B, expected at most {MOST_BYTES} B",
                found.len()
            ));
        }
        _ => {}
    }
    let bytes = std::fs::read(&path).map_err(|error| format!("`{EXAMPLES}`: {error}"))?;
    parse(&bytes)
}

/// Reads examples.
///
/// # Errors
/// As [`read`].
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| format!("`{EXAMPLES}` is not UTF-8"))?;
    let mut examples = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let refuse = |reason: String| format!("`{EXAMPLES}`, line {}: {reason}", at + 1);
        let line: Line = serde_json::from_str(line).map_err(|error| refuse(error.to_string()))?;
        let chars = line.text.chars().count();
        if line.text.trim().is_empty() || chars > LONGEST_CHARS {
            return Err(refuse(format!(
                "{chars} characters, expected 1 to {LONGEST_CHARS}, not only spaces"
            )));
        }
        if examples.len() == MOST_EXAMPLES {
            return Err(refuse(format!("more than {MOST_EXAMPLES} examples")));
        }
        examples.push(line.text);
    }
    Ok(examples)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn examples_are_one_object_a_line() {
        let text = "{\"text\": \"Baş ağrım var\", \"lang\": \"tr\"}\n\n{\"text\": \"fever\"}\r\n";
        assert_eq!(
            parse(text.as_bytes()),
            Ok(vec!["Baş ağrım var".to_owned(), "fever".to_owned()])
        );
        assert_eq!(parse(b""), Ok(Vec::new()));
    }

    #[test]
    fn a_bad_line_is_named() {
        for bad in [
            "{\"text\": \"a\"}\n[1]",
            "{\"text\": \"a\"}\n{\"text\": \" \"}",
        ] {
            let error = parse(bad.as_bytes()).expect_err("a bad second line");
            assert!(error.starts_with("`examples.jsonl`, line 2: "), "{error}");
        }
        assert!(parse(b"\xff").is_err());
    }
}
