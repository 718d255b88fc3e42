//! How figures, and text that other people wrote, are written for people.

use reshelve::run::{Throttle, Waiting, Why};
use std::ffi::OsStr;

pub use reshelve::report::number;
pub use reshelve::store::size;

pub(crate) use reshelve::report::ratio;
use reshelve_core::raw::{DATE_MAX, DATE_MIN, iso};
use serde_json::Value;

/// Text of a document made safe for a terminal: control characters are shown, not obeyed.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// A number with decimals, its thousands apart.
pub fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let whole = match whole.parse() {
        Ok(whole) => number(whole),
        Err(_) => whole.to_owned(),
    };
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = if value < 0.0 && !is_zero { "−" } else { "" };
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

/// A number with what it counts: `1 document`, `2 documents`, `1 mismatch`, `2 mismatches`.
pub fn counted(count: u64, noun: &str) -> String {
    let ending = match noun {
        _ if count == 1 => "",
        noun if noun.ends_with(['s', 'x']) || noun.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{} {noun}{ending}", number(count))
}

/// The word that agrees with a number: `1 is`, `2 are`.
pub fn agree(count: u64, one: &'static str, several: &'static str) -> &'static str {
    if count == 1 { one } else { several }
}

/// How many elements a list has.
pub fn length<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// What an answer has at a place, in a few words: a text that is not shown has its length.
pub fn in_words(value: &Value) -> String {
    let count = |name: &str| value.get(name).and_then(Value::as_u64);
    match (count("textBytes"), count("items"), count("fields")) {
        (Some(bytes), _, _) => format!("a text of {bytes} bytes"),
        (_, Some(items), _) => format!("{items} items"),
        (_, _, Some(fields)) => format!("{fields} fields"),
        _ => plain(&value.to_string()),
    }
}

/// A share in percent for people: a part is never shown as everything, nor as nothing.
pub fn percent(percent: f64) -> String {
    match percent {
        percent if percent > 99.0 && percent < 100.0 => "99 %".to_owned(),
        percent if percent > 0.0 && percent < 1.0 => "< 1 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

/// The verb after so many things.
pub(crate) fn were(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

/// A span of time for people: `45 ms`, `12.3 s`, `3 min 04 s`, `1 h 02 min`.
pub fn span(elapsed_ms: u64) -> String {
    let seconds = elapsed_ms / 1000;
    match seconds {
        0 => format!("{elapsed_ms} ms"),
        1..60 => format!("{seconds}.{} s", elapsed_ms % 1000 / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", number(seconds / 3600), seconds % 3600 / 60),
    }
}

/// How many there are in a second, for people: whole, or with a decimal if they are few.
pub fn per_second(count: u64, elapsed_ms: u64) -> String {
    let tenths = u128::from(count) * 10_000 / u128::from(elapsed_ms.max(1));
    match u64::try_from(tenths).unwrap_or(u64::MAX) {
        tenths @ 0..100 => format!("{}.{}", tenths / 10, tenths % 10),
        tenths => number(tenths / 10),
    }
}

/// How many bytes there are in a second, for people.
pub fn bytes_per_second(bytes: u64, elapsed_ms: u64) -> String {
    let rate = u128::from(bytes) * 1000 / u128::from(elapsed_ms.max(1));
    format!("{}/s", size(u64::try_from(rate).unwrap_or(u64::MAX)))
}

/// What holds a run back, in a few words.
pub fn waiting(waiting: &Waiting) -> String {
    let Waiting { why, limit, found, .. } = waiting;
    let limit = limit.unwrap_or_default();
    let found = found.unwrap_or_default();
    match why {
        Why::Pause => "paused".to_owned(),
        Why::MaxDocsPerS => format!("at most {} documents/s", number(limit)),
        Why::MaxBytesPerS => format!("at most {}/s", size(limit)),
        Why::MaxLag => {
            format!("replication is {} s behind, at most {}", number(found), number(limit))
        }
        Why::MaxWriteMs => {
            format!("a write takes {} ms, at most {}", number(found), number(limit))
        }
    }
}

/// The limits of a throttle, for people.
pub fn limits(throttle: &Throttle) -> String {
    let Throttle { max_docs_per_s, max_bytes_per_s, max_lag_s, max_write_ms } = throttle;
    let limits = [
        max_docs_per_s.map(|limit| format!("{} documents/s", number(limit))),
        max_bytes_per_s.map(|limit| format!("{}/s", size(limit))),
        max_lag_s.map(|limit| format!("{} s of replication lag", number(limit))),
        max_write_ms.map(|limit| format!("{} ms for a write", number(limit))),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    match limits.is_empty() {
        true => "no throttle".to_owned(),
        false => format!("at most {}", limits.join(", ")),
    }
}

/// The day of a date; milliseconds if its year is not in 0000–9999.
pub fn date(date_ms: i64) -> String {
    if (DATE_MIN..=DATE_MAX).contains(&date_ms) {
        iso(date_ms).as_str()[..10].to_owned()
    } else {
        format!("{date_ms} ms")
    }
}

/// A date with its time, as ISO text.
pub fn moment(date_ms: i64) -> String {
    iso(date_ms.clamp(DATE_MIN, DATE_MAX)).as_str().to_owned()
}

/// A word of a command line that people copy, quoted for a shell of the Bourne family where that is
/// needed; none if it holds what cannot be shown.
pub fn shell_word(word: &OsStr) -> Option<String> {
    let text = word.to_str().filter(|text| !text.chars().any(char::is_control))?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+%".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => Some(text.to_owned()),
        false => Some(format!("'{}'", text.replace('\'', r"'\''"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_easy_to_read() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1_234_567), "1 234 567");
        assert_eq!([size(999), size(1_572_864)], ["999 B", "1.5 MiB"]);
        assert_eq!([percent(0.0), percent(0.2), percent(45.4)], ["0 %", "< 1 %", "45 %"]);
        assert_eq!([percent(99.9), percent(100.0)], ["99 %", "100 %"]);
        assert_eq!([span(0), span(45), span(999)], ["0 ms", "45 ms", "999 ms"]);
        assert_eq!([span(1_000), span(12_345), span(59_999)], ["1.0 s", "12.3 s", "59.9 s"]);
        assert_eq!([span(60_000), span(184_999)], ["1 min 00 s", "3 min 04 s"]);
        assert_eq!([span(3_599_999), span(3_725_000)], ["59 min 59 s", "1 h 02 min"]);
        assert_eq!([per_second(5, 2_000), per_second(31_000, 10_000)], ["2.5", "3 100"]);
        assert_eq!([per_second(1, 0), bytes_per_second(2_048, 2_000)], ["1 000", "1.0 KiB/s"]);
        // The most that there can be is no reason to fail.
        assert!(!per_second(u64::MAX, 0).is_empty() && !span(u64::MAX).is_empty());
        assert_eq!(plain("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
    }

    #[test]
    fn nouns_agree_with_their_number() {
        assert_eq!(counted(0, "document"), "0 documents");
        assert_eq!(counted(1, "document"), "1 document");
        assert_eq!(counted(2_000, "document"), "2 000 documents");
        assert_eq!(
            [counted(1, "mismatch"), counted(2, "mismatch")],
            ["1 mismatch", "2 mismatches"]
        );
        assert_eq!([agree(1, "is", "are"), agree(0, "is", "are")], ["is", "are"]);
    }

    #[test]
    fn figures_are_grouped() {
        assert_eq!(decimal(1_234_567.891, 2), "1 234 567.89");
        assert_eq!(decimal(-0.000_01, 4), "0.0000");
        assert_eq!(decimal(-3.5, 4), "−3.5000");
        assert_eq!(decimal(12.0, 0), "12");
        assert_eq!(decimal(1e300, 0).len(), 301);
    }
}
