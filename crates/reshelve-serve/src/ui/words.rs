//! Texts, numbers and times as pages show them. Texts of documents may be anything: nothing of them
//! is markup, and nothing of them changes how what stands beside them is read.

use maud::{Markup, html};
use reshelve_core::raw::{DATE_MAX, DATE_MIN, iso};

use crate::questions::escaped;

/// A text of a document, in a frame that its direction does not leave.
pub(super) fn shown(text: &str) -> Markup {
    html! { bdi { (visible(text)) } }
}

/// A text of a document, or what is said instead of an empty one.
pub(super) fn shown_or(text: &str, instead: &str) -> Markup {
    if text.trim().is_empty() {
        html! { span.none { (instead) } }
    } else {
        shown(text)
    }
}

/// A text of a document where no frame can be: in a title, an option, a label.
pub(super) fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}');
    visible(text).chars().filter(|c| !turns(*c)).collect()
}

/// Text with control characters as pictures, and without what turns the direction of text beyond
/// its frame. Line ends stay.
fn visible(text: &str) -> String {
    let picture = |c: char| match c {
        '\n' | '\t' => c,
        '\r' => '\n',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '␡',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        '\u{80}'..='\u{9f}' | '\u{fff9}'..='\u{fffb}' | '\u{feff}' => '\u{fffd}',
        // XML does not have these.
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        _ => c,
    };
    text.replace("\r\n", "\n").chars().map(picture).collect()
}

/// A genre, status or kind as people write it: `MYSTERY_THRILLER` as `Mystery thriller`.
pub(super) fn name(word: &str) -> String {
    let words = plain(word).replace(['_', '-'], " ").to_lowercase();
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Whether a number of milliseconds since 1970 is a date that people write.
pub(super) fn is_date(ms: i64) -> bool {
    (DATE_MIN..=DATE_MAX).contains(&ms)
}

/// A time: `2025-07-24 10:00 UTC`.
pub(super) fn time(ms: i64) -> String {
    if !is_date(ms) {
        return format!("{ms} ms since 1970");
    }
    let iso = iso(ms);
    let (day, clock) = (iso.as_str().get(..10), iso.as_str().get(11..16));
    format!("{} {} UTC", day.unwrap_or_default(), clock.unwrap_or_default())
}

/// A time as an element that programs can read too.
pub(super) fn time_element(ms: Option<i64>) -> Markup {
    match ms {
        Some(ms) if is_date(ms) => {
            html! { time.figure datetime=(iso(ms).as_str()) { (time(ms)) } }
        }
        Some(ms) => html! { span.figure { (time(ms)) } },
        None => html! { span.none { "not recorded" } },
    }
}

/// A number with groups of digits, and at most four digits behind the point.
pub(super) fn decimal(number: f64) -> String {
    if !number.is_finite() {
        return number.to_string();
    }
    let text = format!("{:.4}", number.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let rest = rest.trim_end_matches('0');
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let sign =
        if number < 0.0 && text.bytes().any(|it| (b'1'..=b'9').contains(&it)) { "−" } else { "" };
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{rest}")
}

/// A count.
pub(super) fn count(number: u64) -> String {
    decimal(float(number))
}

/// A count, to be written or drawn: the nearest number that there is.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "for people to look at")]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}

/// A number of things: `1 novel`, `2 novels`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A sum in US dollars, with four digits behind the point as the legacy pages had.
pub(super) fn dollars(sum: f64) -> String {
    format!("${sum:.4}")
}

/// How long something took.
pub(super) fn duration(ms: f64) -> String {
    let seconds = (ms / 1_000.0).max(0.0);
    if seconds < 1.0 {
        format!("{} ms", decimal(ms.round()))
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else if seconds < 7_200.0 {
        format!("{:.1} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3_600.0)
    }
}

/// The class of a status: a colour, beside its word.
pub(super) fn status_class(status: &str) -> &'static str {
    match status {
        "completed" => "badge good",
        "failed" => "badge bad",
        "running" => "badge open",
        _ => "badge",
    }
}

/// A part of a path or of a query, as a link needs it.
pub(super) fn encoded(text: &str) -> String {
    escaped(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup_or_turns_its_neighbours() {
        let page = shown("<script>\u{202e}a\0b\u{2069}</script>").into_string();
        assert_eq!(page, "<bdi>&lt;script&gt;\u{fffd}a␀b\u{fffd}&lt;/script&gt;</bdi>");
        assert_eq!(plain("a\u{200f}b\u{7f}"), "ab␡");
        assert_eq!(name("MYSTERY_THRILLER"), "Mystery thriller");
        assert_eq!(encoded("a b/ä?"), "a%20b%2F%C3%A4%3F");
    }

    #[test]
    fn numbers_are_as_people_write_them() {
        assert_eq!(decimal(1_234_567.0), "1\u{202f}234\u{202f}567");
        assert_eq!(decimal(-0.25), "−0.25");
        assert_eq!(decimal(0.0), "0");
        assert_eq!(dollars(0.0375), "$0.0375");
        assert_eq!(duration(180_000.0), "3.0 min");
        assert_eq!(time(1_753_351_200_000), "2025-07-24 10:00 UTC");
        assert_eq!(counted(1, "novel", "novels"), "1 novel");
    }
}
