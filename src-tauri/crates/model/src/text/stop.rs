//! Stop strings over a stream of text pieces.
//!
//! The outcome does not depend on where the pieces are cut: it is that of reading character by character until the
//! first stop string is complete. Text that may still become a stop string is held back.

/// What a piece of text led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Text that may be shown now.
    pub text: String,
    /// The stop string that was completed; nothing after it is to be shown.
    pub by: Option<String>,
}

/// Finds stop strings in streamed text.
///
/// ```
/// use r3mes_model::text::StopStrings;
/// let mut stop = StopStrings::new(vec!["\nUser:".into()]);
/// assert_eq!(stop.push("Fine.\nUs").text, "Fine.");
/// assert_eq!(stop.push("er: and you?").by.as_deref(), Some("\nUser:"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopStrings {
    strings: Vec<String>,
    held: String,
}

impl StopStrings {
    /// Looks for any of `strings`; empty ones are ignored.
    pub fn new(strings: Vec<String>) -> Self {
        let mut strings = strings;
        strings.retain(|string| !string.is_empty());
        StopStrings {
            strings,
            held: String::new(),
        }
    }

    /// Takes the next piece of text and gives back what may be shown.
    pub fn push(&mut self, piece: &str) -> Stopped {
        self.held.push_str(piece);
        if let Some((start, by)) = self.first_complete() {
            let by = Some(by.to_owned());
            self.held.truncate(start);
            return Stopped {
                text: std::mem::take(&mut self.held),
                by,
            };
        }
        let kept = self.held.split_off(self.held.len() - self.partial_len());
        Stopped {
            text: std::mem::replace(&mut self.held, kept),
            by: None,
        }
    }

    /// The text still held back, once no more will come.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Start and text of the stop string that is complete first; of two that end together, the longer.
    fn first_complete(&self) -> Option<(usize, &str)> {
        self.strings
            .iter()
            .filter_map(|string| Some((self.held.find(string.as_str())?, string.as_str())))
            .min_by_key(|(start, string)| (start + string.len(), *start))
    }

    /// Bytes at the end of `held` that could begin a stop string.
    fn partial_len(&self) -> usize {
        self.strings
            .iter()
            .flat_map(|string| string.char_indices().map(move |(end, _)| &string[..end]))
            .filter(|beginning| self.held.ends_with(beginning))
            .map(str::len)
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `text` cut after every `width` characters; returns what was shown and the stop string met.
    fn run(strings: &[&str], text: &str, width: usize) -> (String, Option<String>) {
        let mut stop = StopStrings::new(strings.iter().map(|s| s.to_string()).collect());
        let characters: Vec<char> = text.chars().collect();
        let mut shown = String::new();
        for piece in characters.chunks(width) {
            let step = stop.push(&piece.iter().collect::<String>());
            shown += &step.text;
            if step.by.is_some() {
                return (shown, step.by);
            }
        }
        (shown + &stop.finish(), None)
    }

    #[test]
    fn the_outcome_does_not_depend_on_where_pieces_are_cut() {
        for (strings, text, shown, by) in [
            (&["abcd", "bc"][..], "xabcde", "xa", Some("bc")),
            (&["bc", "abc"], "xabcde", "x", Some("abc")),
            (&["aab"], "aaaab!", "aa", Some("aab")),
            (&["###", "\n\n"], "a#\n##\n\nb", "a#\n##", Some("\n\n")),
            (&["ğü"], "şağğüz", "şağ", Some("ğü")),
            (&["stop"], "nothing here sto", "nothing here sto", None),
            (&[""], "kept", "kept", None),
            (&[], "kept", "kept", None),
        ] {
            for width in [1, 2, 3, 5, 100] {
                assert_eq!(
                    run(strings, text, width),
                    (shown.to_owned(), by.map(str::to_owned)),
                    "{strings:?} in {text:?} by {width}"
                );
            }
        }
    }

    #[test]
    fn only_what_may_become_a_stop_string_is_held_back() {
        let mut stop = StopStrings::new(vec!["</s>".into()]);
        assert_eq!(stop.push("a <").text, "a ");
        assert_eq!(stop.push("b").text, "<b");
        assert_eq!(stop.push(" </").text, " ");
        assert_eq!(stop.finish(), "</");
    }
}
