//! Two answers that differ, as lines of a page.

use reshelve_app::text::{in_words as value, plain};
use reshelve_serve::comparison::{Difference, Example, Kind};

/// The places at which two answers differ, with what each side has there and where it comes from;
/// `sides` are the names of the two.
pub(super) fn lines(example: &Example, sides: [&str; 2]) -> Vec<String> {
    let mut lines = Vec::new();
    if example.statuses[0] != example.statuses[1] {
        let [first, second] = example.statuses;
        lines.push(format!("      {} {first}, {} {second}", sides[0], sides[1]));
        return lines;
    }
    for difference in &example.differences {
        lines.extend(of_place(difference, sides));
    }
    lines
}

fn of_place(difference: &Difference, sides: [&str; 2]) -> Vec<String> {
    let path = if difference.path.is_empty() { "all of it" } else { &difference.path };
    let [first, second] = &difference.values;
    let what = match difference.kind {
        Kind::Order => "the same fields in another order".to_owned(),
        Kind::OnlyFirst => format!("{} {}, {} nothing", sides[0], value(first), sides[1]),
        Kind::OnlySecond => format!("{} nothing, {} {}", sides[0], sides[1], value(second)),
        // Their texts are not shown.
        Kind::Value if first == second => {
            format!("{} {}, {} another one", sides[0], value(first), sides[1])
        }
        Kind::Value => {
            format!("{} {}, {} {}", sides[0], value(first), sides[1], value(second))
        }
    };
    let mut lines = vec![format!("      {}: {what}", plain(path))];
    if let Some(origin) = &difference.origin {
        let mut from = format!("        {}", plain(&origin.target));
        if let Some(legacy) = origin.legacy.first() {
            from.push_str(&format!(", from {}: {}", legacy.path, legacy.rule));
        }
        lines.push(from);
    }
    lines
}
