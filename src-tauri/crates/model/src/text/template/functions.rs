//! What transformers adds to Jinja for chat templates: `raise_exception`, `strftime_now`, `tojson`, Python's methods.

use std::time::{SystemTime, UNIX_EPOCH};

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

/// The kind of error that `raise_exception` makes.
pub(super) const RAISED: ErrorKind = ErrorKind::EvalBlock;

/// Deepest nesting `tojson` writes.
const DEEPEST: usize = 64;

pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_function(
        "raise_exception",
        |message: String| -> Result<Value, Error> { Err(Error::new(RAISED, message)) },
    );
    environment.add_filter("tojson", to_json);
    environment.set_unknown_method_callback(method);
}

/// Python's methods of strings, lists and dictionaries. They know no fuel, so what they may make is charged before.
fn method(
    state: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    args: &[Value],
) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        state.consume_fuel(most_bytes(text, name, args) / 64)?;
    }
    match (value.as_str(), name, args) {
        (Some(text), "title", []) => Ok(Value::from(title(text))),
        _ => minijinja_contrib::pycompat::unknown_method_callback(state, value, name, args),
    }
}

/// A bound on the bytes that the method `name` of `text` makes.
fn most_bytes(text: &str, name: &str, args: &[Value]) -> u64 {
    let length = |value: Option<&Value>| value.and_then(Value::as_str).map_or(0, str::len) as u64;
    let more = match name {
        "replace" => {
            let old = args.first().and_then(Value::as_str).unwrap_or_default();
            (text.matches(old).count() as u64).saturating_mul(length(args.get(1)))
        }
        "join" => {
            let items = args.first().and_then(Value::len).unwrap_or(0) as u64;
            items.saturating_mul(text.len() as u64)
        }
        // Widths and precisions are numbers in the text.
        "format" => text
            .split(|character: char| !character.is_ascii_digit())
            .filter(|digits| !digits.is_empty())
            .map(|digits| digits.parse::<u64>().unwrap_or(u64::MAX))
            .chain(args.iter().map(|value| length(Some(value))))
            .fold(0, u64::saturating_add),
        // A piece for every character, 32 bytes each.
        "split" | "splitlines" => 32 * text.len() as u64,
        _ => 0,
    };
    more.saturating_add(4 * text.len() as u64)
}

/// `str.title()`: a letter is upper case unless it follows another letter, so `it's` becomes `It'S`.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for character in text.chars() {
        match inside {
            true => out.extend(character.to_lowercase()),
            false => out.extend(character.to_uppercase()),
        }
        inside = character.is_alphabetic();
    }
    out
}

/// `json.dumps(value, ensure_ascii=False, …)` as Python writes it, with `indent` and `sort_keys`.
fn to_json(state: &State<'_, '_>, value: Value, options: Kwargs) -> Result<String, Error> {
    let mut writer = Writer {
        out: String::new(),
        indent: options.get::<Option<usize>>("indent")?.map(|n| n.min(16)),
        sorted: options.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
        ascii: options
            .get::<Option<bool>>("ensure_ascii")?
            .unwrap_or(false),
        charged: 0,
    };
    options.assert_all_used()?;
    writer.value(state, &value, 0)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    indent: Option<usize>,
    sorted: bool,
    ascii: bool,
    /// Bytes of `out` that fuel has been taken for.
    charged: usize,
}

impl Writer {
    fn value(&mut self, state: &State<'_, '_>, value: &Value, depth: usize) -> Result<(), Error> {
        let refused = |what: String| Error::new(ErrorKind::BadSerialization, what);
        if depth > DEEPEST {
            return Err(refused(format!("nested deeper than {DEEPEST}")));
        }
        state.consume_fuel(1 + (self.out.len() - self.charged) as u64 / 64)?;
        self.charged = self.out.len();
        match value.kind() {
            ValueKind::None => self.out.push_str("null"),
            ValueKind::Bool => self
                .out
                .push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.out.push_str(&value.to_string()),
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => {
                let items: Vec<Value> = value.try_iter()?.collect();
                self.container(state, '[', ']', items.len(), depth, |writer, at| {
                    writer.value(state, &items[at], depth + 1)
                })?;
            }
            ValueKind::Map => {
                let mut keys: Vec<Value> = value.try_iter()?.collect();
                if self.sorted {
                    keys.sort();
                }
                self.container(state, '{', '}', keys.len(), depth, |writer, at| {
                    let key = &keys[at];
                    match key.as_str() {
                        Some(key) => writer.string(key),
                        None => writer.string(&key.to_string()),
                    }
                    writer.out.push_str(": ");
                    writer.value(state, &value.get_item(key)?, depth + 1)
                })?;
            }
            kind => return Err(refused(format!("{kind} is not JSON serializable"))),
        }
        Ok(())
    }

    fn container(
        &mut self,
        state: &State<'_, '_>,
        open: char,
        close: char,
        items: usize,
        depth: usize,
        mut item: impl FnMut(&mut Self, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.out.push(open);
        for at in 0..items {
            state.consume_fuel(1)?;
            if at > 0 {
                self.out.push(',');
            }
            match self.indent {
                Some(_) => self.line(depth + 1),
                None if at > 0 => self.out.push(' '),
                None => {}
            }
            item(self, at)?;
        }
        if items > 0 && self.indent.is_some() {
            self.line(depth);
        }
        self.out.push(close);
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        self.out.push('\n');
        let spaces = self.indent.unwrap_or(0) * depth;
        self.out.extend(std::iter::repeat_n(' ', spaces));
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                plain if plain >= ' ' && (plain.is_ascii() || !self.ascii) => self.out.push(plain),
                escaped => {
                    for unit in escaped.encode_utf16(&mut [0; 2]) {
                        self.out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
            }
        }
        self.out.push('"');
    }
}

/// `datetime.now().strftime(format)` at `now`, in UTC: the system's time zone is not known here.
pub(super) fn strftime_now(now: SystemTime) -> Value {
    let seconds = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    Value::from_function(move |format: String| strftime(&format, seconds))
}

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn strftime(format: &str, seconds: u64) -> Result<String, Error> {
    let (days, clock) = (seconds / 86400, seconds % 86400);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    let (year, month, day) = date(days);
    let weekday = (days + 4) % 7;
    let month_name = MONTHS[month as usize - 1];
    let day_name = DAYS[weekday as usize];
    let mut out = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let mut code = characters.next();
        let bare = code == Some('-');
        if bare {
            code = characters.next();
        }
        let two = |number: u64| match bare {
            true => number.to_string(),
            false => format!("{number:02}"),
        };
        let hour_of_12 = (hour + 11) % 12 + 1;
        out.push_str(&match code {
            Some('Y') => year.to_string(),
            Some('y') => two(year % 100),
            Some('m') => two(month),
            Some('d') => two(day),
            Some('e') => format!("{day:2}"),
            Some('B') => month_name.to_owned(),
            Some('b' | 'h') => month_name[..3].to_owned(),
            Some('A') => day_name.to_owned(),
            Some('a') => day_name[..3].to_owned(),
            Some('w') => weekday.to_string(),
            Some('H') => two(hour),
            Some('I') => two(hour_of_12),
            Some('M') => two(minute),
            Some('S') => two(second),
            Some('p') => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            Some('F') => format!("{year}-{month:02}-{day:02}"),
            Some('D') => format!("{month:02}/{day:02}/{:02}", year % 100),
            Some('T') => format!("{hour:02}:{minute:02}:{second:02}"),
            Some('R') => format!("{hour:02}:{minute:02}"),
            Some('z' | 'Z') => String::new(),
            Some('%') => "%".to_owned(),
            other => {
                let other = other.map_or(String::new(), String::from);
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    format!("strftime_now does not know `%{other}`"),
                ));
            }
        });
    }
    Ok(out)
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_strftime_writes_them() {
        for (seconds, format, expected) in [
            (0, "%d %b %Y", "01 Jan 1970"),
            (
                1_709_164_799,
                "%A, %B %d, %Y %H:%M:%S",
                "Wednesday, February 28, 2024 23:59:59",
            ),
            (1_709_164_800, "%Y-%m-%d %I %p %-d", "2024-02-29 12 AM 29"),
            (951_782_400, "%F %a %y", "2000-02-29 Tue 00"),
            (4_107_542_400, "%-d/%-m/%Y 100%%", "1/3/2100 100%"),
        ] {
            assert_eq!(strftime(format, seconds).unwrap(), expected);
        }
        assert!(strftime("%Q", 0).is_err());
        assert!(strftime("%", 0).is_err());
    }
}
