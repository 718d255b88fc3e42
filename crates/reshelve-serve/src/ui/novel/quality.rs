//! How good a novel was found to be: the scores that the legacy application gave it, with their
//! grades.

use maud::{Markup, html};
use reshelve_core::raw::Value;

use super::{Novel, Section, limited, nothing};
use crate::ui::read::{Part, text};
use crate::ui::words::{decimal, plain, shown};

/// The scores that the legacy application called by these names, from 0 to 1.
const SCORES: [(&str, &str); 4] = [
    ("humanLikenessScore", "Human-like writing"),
    ("complexityScore", "Narrative complexity"),
    ("consistencyScore", "Story consistency"),
    ("creativityScore", "Creative innovation"),
];

/// From which percentage on a score has a grade. Below all of them it is F.
const GRADES: [(f64, &str); 5] = [(90.0, "A+"), (80.0, "A"), (70.0, "B"), (60.0, "C"), (50.0, "D")];

/// From which percentage on a score has a colour. Below all of them it is bad.
const COLOURS: [(f64, &str); 3] = [(80.0, "badge good"), (60.0, "badge"), (40.0, "badge open")];

pub(super) fn section(novel: &Novel) -> Section {
    let quality = novel.job().part("qualityMetrics");
    let enhanced = quality.part("enhanced");
    let others: Vec<(String, String)> = quality
        .elements()
        .filter(|(key, _)| key != "enhanced")
        .chain(enhanced.elements())
        .filter(|(key, value)| !is_score(key, *value))
        .map(|(key, value)| (plain(&key), text(value)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let (rows, more) = limited(&others);
    let all = [("Scores", scores(quality)), ("Scores with enhancements", scores(enhanced))];
    let content = html! {
        @if others.is_empty() && all.iter().all(|(_, scores)| scores.is_empty()) {
            (nothing("Quality was not measured."))
        }
        @for (title, scores) in &all { @if !scores.is_empty() { h3 { (title) } (graded(scores)) } }
        @if !rows.is_empty() {
            dl.facts { @for (name, value) in rows { div { dt { (name) } dd { (shown(value)) } } } }
            (more)
        }
    };
    Section { anchor: "quality", name: "Quality", count: None, content }
}

fn is_score(key: &str, value: Value<'_>) -> bool {
    SCORES.iter().any(|(name, _)| *name == key)
        && value.numeric().is_some_and(|number| number.is_finite())
}

/// The scores of a document, in percent.
fn scores(part: Part<'_>) -> Vec<(&'static str, f64)> {
    let score = |(name, title): (&str, &'static str)| Some((title, part.number(name)? * 100.0));
    SCORES.into_iter().filter_map(score).collect()
}

/// Scores with the overall one, which is their mean, as the legacy page had it.
fn graded(scores: &[(&'static str, f64)]) -> Markup {
    let sum: f64 = scores.iter().map(|(_, percent)| percent).sum();
    let count = f64::from(u32::try_from(scores.len()).unwrap_or(u32::MAX));
    html! {
        dl.facts {
            div { dt { strong { "Overall" } } dd { strong { (percent(sum / count)) } " " (grade(sum / count)) } }
            @for (title, score) in scores { div { dt { (title) } dd { (percent(*score)) " " (grade(*score)) } } }
        }
    }
}

fn grade(percent: f64) -> Markup {
    let of = |steps: &[(f64, &'static str)], least| {
        let found = steps.iter().find(|(from, _)| percent >= *from);
        found.map_or(least, |(_, word)| *word)
    };
    html! { span class=(of(&COLOURS, "badge bad")) { (of(&GRADES, "F")) } }
}

/// A percentage with one digit behind the point.
pub(super) fn percent(percent: f64) -> String {
    format!("{} %", decimal((percent * 10.0).round() / 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_begin_where_the_legacy_page_had_them() {
        for (percent, expected) in [
            (100.0, "<span class=\"badge good\">A+</span>"),
            (90.0, "<span class=\"badge good\">A+</span>"),
            (89.9, "<span class=\"badge good\">A</span>"),
            (80.0, "<span class=\"badge good\">A</span>"),
            (79.9, "<span class=\"badge\">B</span>"),
            (70.0, "<span class=\"badge\">B</span>"),
            (60.0, "<span class=\"badge\">C</span>"),
            (59.9, "<span class=\"badge open\">D</span>"),
            (49.9, "<span class=\"badge open\">F</span>"),
            (39.9, "<span class=\"badge bad\">F</span>"),
            (-1.0, "<span class=\"badge bad\">F</span>"),
        ] {
            assert_eq!(grade(percent).into_string(), expected, "{percent}");
        }
        assert_eq!(percent(66.666), "66.7 %");
    }
}
