//! Names of models: which may become a folder, and which look alike.

use crate::error::EngineError;

const LONGEST: usize = 96;
/// Endings that mean something else in the folder of models.
const RESERVED_ENDINGS: [&str; 2] = [".partial", ".removed"];
/// File names that Windows keeps for devices.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com1", "lpt1"];

/// Checks that `name` can be a folder on every system.
///
/// # Errors
/// If it is empty, too long, has a character other than letters, digits, `.`, `_` and `-`, begins with one of the
/// latter three, or is reserved.
pub(crate) fn folder_name(name: &str) -> Result<&str, EngineError> {
    let refuse = |expected: &str| {
        Err(EngineError::BadRequest {
            field: "name of a model".into(),
            found: format!("`{name}`"),
            expected: expected.into(),
        })
    };
    let lower = name.to_ascii_lowercase();
    if name.is_empty() || name.len() > LONGEST {
        return refuse("1 to 96 characters");
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.chars().all(allowed) || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return refuse("letters, digits, `.`, `_` and `-`, beginning with a letter or digit");
    }
    let stem = lower.split('.').next().unwrap_or_default();
    if lower.ends_with('.')
        || RESERVED_ENDINGS
            .iter()
            .any(|ending| lower.ends_with(ending))
        || DEVICES.contains(&stem)
        || lower == super::BUILTIN
    {
        return refuse("a name that is not reserved");
    }
    Ok(name)
}

/// A folder name made from any text: what is not allowed becomes `-`.
pub(crate) fn folder_name_from(text: &str) -> String {
    let mapped: String = text
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') => c,
            _ => '-',
        })
        .take(LONGEST)
        .collect();
    let trimmed = mapped.trim_matches(['.', '_', '-']);
    match folder_name(trimmed) {
        Ok(name) => name.to_owned(),
        Err(_) => format!("model-{}", trimmed.replace('.', "-"))
            .trim_end_matches('-')
            .to_owned(),
    }
}

/// The installed name of a repository: its own, without its owner.
pub(crate) fn default_name(repo: &str) -> String {
    folder_name_from(repo.rsplit('/').next().unwrap_or(repo))
}

/// At most three of `names` that look like `wanted`, the most alike first.
pub(crate) fn near(wanted: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let limit = (wanted.chars().count() / 3).max(2);
    let mut scored: Vec<(usize, String)> = names
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let contained =
                wanted.len() >= 3 && (lower.contains(&wanted) || wanted.contains(&lower));
            let distance = if contained { 1 } else { edits(&wanted, &lower) };
            (distance <= limit).then_some((distance, name))
        })
        .collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Single-character edits from one text to the other (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{folder_name, folder_name_from, near};

    #[test]
    fn names_that_could_leave_the_folder_are_refused() {
        for bad in [
            "",
            "..",
            ".",
            "a/b",
            "a\\b",
            "a b",
            "x.partial",
            "con",
            "NUL.gguf",
            "builtin",
            "-x",
            "ş",
        ] {
            assert!(folder_name(bad).is_err(), "{bad:?}");
        }
        for good in ["bitnet-b1.58-2B-4T", "a", "Falcon3_1.58bit"] {
            assert!(folder_name(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn any_text_becomes_a_usable_name() {
        for text in ["Şükrü Öğüt.gguf", "...", "con", "a/../b", "builtin", ""] {
            let name = folder_name_from(text);
            assert!(folder_name(&name).is_ok(), "{text:?} became {name:?}");
        }
    }

    #[test]
    fn near_names_are_offered_most_alike_first() {
        let names = || ["bitnet-2b", "bitnet-3b", "falcon"].map(String::from);
        assert_eq!(near("bitnet-2", names()), ["bitnet-2b", "bitnet-3b"]);
        assert_eq!(near("falcn", names()), ["falcon"]);
        assert!(near("completely-different", names()).is_empty());
    }
}
