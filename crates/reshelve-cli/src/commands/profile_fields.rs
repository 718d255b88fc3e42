//! The table of fields that `reshelve profile` shows.

use std::collections::BTreeMap;

use comfy_table::{ColumnConstraint, ContentArrangement, Width};
use reshelve::profile::{Dates, Field, Numbers, OTHER, Profile};
use reshelve_app::text::{date, number, percent, plain};

use super::table::{plain_table, right_align};
use crate::printer::columns;

/// How many steps the path of a field has that is shown without --all.
const STEPS_SHOWN: usize = 2;
/// How many values of an enumeration are shown.
const VALUES_SHOWN: usize = 6;
/// How wide the table is without a terminal.
const COLUMNS_DEFAULT: u16 = 140;
/// How wide it has to be for the optional columns.
const COLUMNS_WIDE: u16 = 110;
/// How much of a path fits in one line on a narrow terminal.
const PATH_COLUMNS: u16 = 37;

/// The table; without `all`, deeper paths are left out, and elements whose array shows as much.
pub(crate) fn table(profile: &Profile, all: bool) -> String {
    let width = columns().unwrap_or(COLUMNS_DEFAULT);
    let wide = width >= COLUMNS_WIDE;
    let mut table = plain_table();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width);
    if wide {
        table.set_header(["field", "in docs", "of above", "times", "types", "values"]);
    } else {
        table.set_header(["field", "in docs", "times", "types and values"]);
    }
    let mut left_out = 0;
    let mut longest = 0;
    for field in &profile.fields {
        if !all && !is_shown(field) {
            left_out += 1;
            continue;
        }
        let mark = if field.known || field.path == OTHER { "" } else { " (unknown)" };
        let path = format!("{}{mark}", plain(&field.path));
        longest = longest.max(path.chars().count());
        let (in_docs, times) = (percent(field.presence_percent), number(field.occurrences));
        if wide {
            let of_above = field.in_parent_percent.map_or(String::new(), percent);
            table.add_row([path, in_docs, of_above, times, types(field), values(field)]);
        } else {
            let values = [types(field), values(field)].join("; ");
            table.add_row([path, in_docs, times, values.trim_end_matches("; ").to_owned()]);
        }
    }
    if wide {
        right_align(&mut table, &[1, 2, 3]);
    } else {
        right_align(&mut table, &[1, 2]);
        let least = u16::try_from(longest).unwrap_or(u16::MAX).min(PATH_COLUMNS) + 2;
        if let Some(column) = table.column_mut(0) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }
    let mut text = table.trim_fmt();
    if left_out > 0 {
        text.push_str(&format!("\n … and {left_out} deeper paths: --all shows them"));
    }
    text
}

fn is_shown(field: &Field) -> bool {
    let steps = field.path.split('.').count();
    let told_above = field.path.ends_with("[]") && field.types.keys().eq(["object"].iter());
    steps <= STEPS_SHOWN && !told_above
}

fn types(field: &Field) -> String {
    if let [(name, _)] = field.types.iter().collect::<Vec<_>>()[..] {
        return (*name).to_owned();
    }
    let mut types: Vec<(&str, u64)> = field.types.iter().map(|(name, n)| (*name, *n)).collect();
    types.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let share = |count: u64| percent(ratio(count) * 100.0 / ratio(field.occurrences));
    let texts = types.into_iter().map(|(name, count)| format!("{name} {}", share(count)));
    texts.collect::<Vec<_>>().join(", ")
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a share, for people")]
fn ratio(count: u64) -> f64 {
    count as f64
}

fn values(field: &Field) -> String {
    let mut parts = Vec::new();
    if let Some(values) = &field.values {
        parts.push(enumeration(values));
    } else if let Some(lengths) = &field.string_bytes {
        parts.push(format!("{} bytes", spread(lengths)));
    }
    parts.extend(field.numbers.as_ref().map(spread));
    parts.extend(field.items.as_ref().map(|items| format!("{} elements", spread(items))));
    parts.extend(field.dates.map(dates));
    if let Some(booleans) = &field.booleans {
        let shown = booleans.iter().rev().filter(|(_, count)| **count > 0);
        parts.extend(shown.map(|(value, count)| format!("{value} {}", number(*count))));
    }
    parts.join("; ")
}

fn enumeration(values: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<(&String, u64)> = values.iter().map(|(value, n)| (value, *n)).collect();
    sorted.sort_by_key(|(value, count)| (std::cmp::Reverse(*count), *value));
    let shown = sorted
        .iter()
        .take(VALUES_SHOWN)
        .map(|(value, count)| format!("{} {}", word(value), number(*count)));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if sorted.len() > VALUES_SHOWN {
        text.push_str(&format!(" and {} more", sorted.len() - VALUES_SHOWN));
    }
    text
}

/// A value as a word that can be seen.
pub(crate) fn word(value: &str) -> String {
    if value.is_empty() { "\"\"".to_owned() } else { plain(value) }
}

/// `min…max, mean m`, or the one value that there is.
fn spread(numbers: &Numbers) -> String {
    let Numbers { min, mean, max, .. } = *numbers;
    if min == max {
        return short(min);
    }
    format!("{}…{}, mean {}", short(min), short(max), short(mean))
}

/// A number in a few digits.
fn short(number: f64) -> String {
    let size = number.abs();
    let text = if size >= 1e9 || (size > 0.0 && size < 0.000_1) {
        format!("{number:.3e}")
    } else if number.fract() == 0.0 {
        format!("{number:.0}")
    } else if size >= 10.0 {
        format!("{number:.1}")
    } else if size >= 1.0 {
        format!("{number:.2}")
    } else {
        format!("{number:.4}").trim_end_matches('0').to_owned()
    };
    if text == "-0" { "0".to_owned() } else { text }
}

fn dates(dates: Dates) -> String {
    let (first, last) = (date(dates.first), date(dates.last));
    if first == last { first } else { format!("{first}…{last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_shares_are_short_and_honest() {
        assert_eq!(short(0.012_345_678), "0.0123");
        assert_eq!(short(1_234.56), "1234.6");
        assert_eq!(short(1.5), "1.50");
        assert_eq!(short(0.25), "0.25");
        assert_eq!(short(-0.0), "0");
        assert_eq!(short(1e300), "1.000e300");
        assert_eq!(percent(99.99), "99 %");
        assert_eq!(percent(0.01), "< 1 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(100.0), "100 %");
    }
}
