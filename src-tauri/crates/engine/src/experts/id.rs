//! Ids of experts: `[a-z0-9][a-z0-9_-]{0,63}`. An id is a folder's name, so nothing else is let through.

use crate::api::KNOWN_EXPERTS;
use crate::error::EngineError;
use unicode_normalization::UnicodeNormalization;

const LONGEST: usize = 64;
/// Names that Windows keeps for devices: such a folder cannot be made there.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// Checks that an id may be given to an expert.
///
/// # Errors
/// If it does not match the rule, or Windows keeps it for a device.
pub(crate) fn check(id: &str) -> Result<&str, EngineError> {
    let refuse = |expected: &str| {
        Err(EngineError::BadRequest {
            field: "id of an expert".into(),
            found: format!("`{}`", shown(id)),
            expected: expected.into(),
        })
    };
    if !is_id(id) {
        return refuse("1 to 64 of a-z, 0-9, `_` and `-`, beginning with a letter or digit");
    }
    let numbered = |name: &str| {
        id.strip_prefix(name)
            .is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    if DEVICES.contains(&id) || NUMBERED_DEVICES.iter().any(|name| numbered(name)) {
        return refuse("a name that no system keeps for a device");
    }
    Ok(id)
}

/// Whether a text matches the rule.
pub(crate) fn is_id(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    !text.is_empty()
        && text.len() <= LONGEST
        && text.chars().all(allowed)
        && !text.starts_with(['_', '-'])
}

/// The domain of a known id.
pub(crate) fn known_domain(id: &str) -> Option<&'static str> {
    let mut known = KNOWN_EXPERTS.iter();
    known
        .find(|(known, _)| *known == id)
        .map(|(_, domain)| *domain)
}

/// An id made from the name of a folder or file, if anything of it can be used: letters lose their marks, everything else
/// becomes `-`.
pub(crate) fn from_text(text: &str) -> Option<String> {
    let plain = text.nfkd().flat_map(char::to_lowercase).nfkd();
    let letters = plain
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .map(|c| match c {
            'ı' => 'i',
            c if c.is_ascii_alphanumeric() || c == '_' => c,
            _ => '-',
        });
    let id: String = letters.take(LONGEST).collect();
    let id = id.trim_matches(['-', '_']);
    check(id).is_ok().then(|| id.to_owned())
}

/// A text of anybody's making in a message: not too long, no control characters.
pub(crate) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(LONGEST + 16).collect();
    let mut shown: String = cut.chars().flat_map(char::escape_debug).collect();
    if cut.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{check, from_text};

    #[test]
    fn only_ids_by_the_rule_are_accepted() {
        let longest = "a".repeat(64);
        for good in ["medical_dora", "a", "0", "my-tax-expert_2", &longest] {
            assert!(check(good).is_ok(), "{good:?}");
        }
        let too_long = "a".repeat(65);
        for bad in [
            "",
            "../x",
            "..",
            ".",
            "a/b",
            "a\\b",
            "/etc",
            "C:x",
            "A",
            "Medical",
            "ğ",
            "ı",
            "a b",
            "-a",
            "_a",
            "a.partial",
            "a\0",
            "a\n",
            "con",
            "nul",
            "com1",
            "lpt9",
            &too_long,
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_of_people_become_ids() {
        assert_eq!(
            from_text("Şükrü'nün İlk Uzmanı").as_deref(),
            Some("sukru-nun-ilk-uzmani")
        );
        assert_eq!(from_text("_Tax 2026_").as_deref(), Some("tax-2026"));
        for nothing in ["", "...", "日本", "con"] {
            assert_eq!(from_text(nothing), None, "{nothing:?}");
        }
    }
}
