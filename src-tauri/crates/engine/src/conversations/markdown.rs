//! The shown branch of a conversation as a page to read.

use crate::api::Role;
use crate::api::conversation::{Conversation, Message, MessageState};
use std::fmt::Write as _;

/// The page. Content is left as it is: it is markdown already.
pub(super) fn page(conversation: &Conversation, shown: &[Message]) -> String {
    let summary = &conversation.summary;
    let title = match summary.title.as_str() {
        "" => "Conversation",
        title => title,
    };
    let mut page = format!("# {title}\n\n{}\n", day_and_time(summary.created_at));
    if !conversation.system_prompt.trim().is_empty() {
        page.push_str("\n## System prompt\n\n");
        for line in conversation.system_prompt.lines() {
            page.push_str(format!("> {line}").trim_end());
            page.push('\n');
        }
    }
    for message in shown {
        let name = match (message.role, &message.model) {
            (Role::System, _) => "System".to_owned(),
            (Role::User, _) => "You".to_owned(),
            (Role::Assistant, Some(model)) => format!("Assistant ({model})"),
            (Role::Assistant, None) => "Assistant".to_owned(),
        };
        write(&mut page, format_args!("\n## {name}\n"));
        if !message.content.trim().is_empty() {
            write(
                &mut page,
                format_args!("\n{}\n", message.content.trim_end()),
            );
        }
        if let Some(note) = note(message) {
            write(&mut page, format_args!("\n*{note}*\n"));
        }
    }
    page
}

fn write(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("text grows");
}

/// What a reader must know of an answer that is not whole.
fn note(message: &Message) -> Option<String> {
    match message.state {
        MessageState::Complete => None,
        MessageState::Running => Some("still being written".into()),
        MessageState::Cancelled => Some("stopped".into()),
        MessageState::Interrupted => Some("interrupted".into()),
        MessageState::Failed => {
            let reason = message.error.as_ref().map(|error| error.message.as_str());
            let line = reason.and_then(|reason| reason.lines().next());
            Some(format!(
                "failed: {}",
                line.unwrap_or("for an unknown reason")
            ))
        }
    }
}

/// `2026-11-27 21:41 UTC`.
fn day_and_time(milliseconds: i64) -> String {
    let minutes = milliseconds.div_euclid(60_000);
    let (year, month, day) = date(minutes.div_euclid(24 * 60));
    let of_day = minutes.rem_euclid(24 * 60);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02} UTC",
        of_day / 60,
        of_day % 60
    )
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::day_and_time;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (milliseconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400_000, "2000-02-29 00:00 UTC"),
            (1_795_815_660_000, "2026-11-27 21:41 UTC"),
            (-1, "1969-12-31 23:59 UTC"),
        ] {
            assert_eq!(day_and_time(milliseconds), expected);
        }
    }
}
