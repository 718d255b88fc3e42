//! What a novel cost: by stage, by model and by chapter, as bars and as tables.

use maud::{Markup, html};

use super::{Novel, Section, limited};
use crate::ui::words::{decimal, dollars, duration, name, shown};

/// Sizes of a picture, in its own units.
const WIDTH: f64 = 960.0;
const NAMES: f64 = 200.0;
const VALUES: f64 = 130.0;
const ROW: f64 = 26.0;
/// How many bars a picture has, at most.
const BARS_MAX: usize = 60;

const STAGES: [(&str, &str, &str); 3] = [
    ("Analysis", "analysisUsd", "analysis"),
    ("Outline", "outlineUsd", "outline"),
    ("Chapters", "chaptersUsd", "chapters"),
];

struct Bar {
    name: String,
    value: f64,
    shown: String,
}

pub(super) fn section(novel: &Novel) -> Section {
    let metrics = novel.metrics();
    let (cost, tokens, latency) =
        (metrics.part("cost"), metrics.part("tokens"), metrics.part("latencyMs"));
    let number = |part: crate::ui::read::Part<'_>, name| part.number(name).unwrap_or(0.0);
    let bars: Vec<Bar> = STAGES
        .iter()
        .map(|(stage, usd, _)| {
            let value = number(cost, usd);
            Bar { name: (*stage).to_owned(), value, shown: dollars(value) }
        })
        .collect();
    let content = html! {
        @if metrics.is_empty() { p.none { "No metrics are stored." } } @else {
            (picture("Cost by stage", &bars))
            div.table tabindex="0" { table {
                caption { "Cost, tokens and time by stage" }
                thead { tr { th scope="col" { "Stage" } th.number scope="col" { "Cost" } th.number scope="col" { "Tokens" } th.number scope="col" { "Time" } } }
                tbody {
                    @for (stage, usd, key) in STAGES {
                        tr { th scope="row" { (stage) } td.number { (dollars(number(cost, usd))) } td.number { (decimal(number(tokens, key))) } td.number { (duration(number(latency, key))) } }
                    }
                    tr { th scope="row" { strong { "Total" } } td.number { (dollars(number(cost, "totalUsd"))) } td.number { (decimal(number(tokens, "total"))) } td.number { (duration(number(latency, "total"))) } }
                }
            } }
        }
        (models(novel))
        (by_chapter(novel))
    };
    Section { anchor: "cost", name: "Cost", count: None, content }
}

/// What was recorded of each use of a model.
fn models(novel: &Novel) -> Markup {
    let uses: Vec<_> = novel.job().part("modelUsage").elements().collect();
    html! {
        @if !uses.is_empty() {
            div.table tabindex="0" { table {
                caption { "Models, as the legacy application recorded them" }
                thead { tr { th scope="col" { "For" } th scope="col" { "Model" } th.number scope="col" { "Cost" } th.number scope="col" { "Tokens" } th.number scope="col" { "Time" } } }
                tbody { @for (purpose, value) in &uses {
                    @let used = crate::ui::read::Part::from(*value);
                    tr {
                        th scope="row" { (words(purpose)) }
                        td { (shown(&used.text("model"))) }
                        td.number { @if let Some(cost) = used.number("cost") { (dollars(cost)) } @else { "—" } }
                        td.number { @if let Some(tokens) = used.number("tokensUsed") { (decimal(tokens)) } @else { "—" } }
                        td.number { @if let Some(ms) = used.number("duration") { (duration(ms)) } @else { "—" } }
                    }
                } }
            } }
        }
    }
}

/// `outlineGeneration` as `Outline generation`.
fn words(camel: &str) -> String {
    let spaced: String = camel
        .chars()
        .flat_map(|c| c.is_uppercase().then_some(' ').into_iter().chain([c]))
        .collect();
    name(spaced.trim())
}

fn by_chapter(novel: &Novel) -> Markup {
    let chapters = novel.job().parts("chapters");
    let costs: Vec<(String, f64, f64)> = chapters
        .iter()
        .enumerate()
        .filter_map(|(index, chapter)| {
            let (cost, tokens) =
                (chapter.number("costInUsd"), chapter.part("tokens").number("totalTokens"));
            (cost.is_some() || tokens.is_some()).then(|| {
                let number = chapter.number("chapterNumber");
                let number = number.map_or_else(|| (index + 1).to_string(), decimal);
                (format!("Chapter {number}"), cost.unwrap_or(0.0), tokens.unwrap_or(0.0))
            })
        })
        .collect();
    let bar = |(name, cost, _): &(String, f64, f64)| Bar {
        name: name.clone(),
        value: *cost,
        shown: dollars(*cost),
    };
    let bars: Vec<Bar> = costs.iter().take(BARS_MAX).map(bar).collect();
    let (rows, more) = limited(&costs);
    html! {
        @if !costs.is_empty() {
            h3 { "By chapter" }
            (picture("Cost by chapter", &bars))
            @if costs.len() > BARS_MAX {
                p.soft.small { "The picture shows the first " (BARS_MAX) " of " (costs.len()) " chapters." }
            }
            details {
                summary { "All " (costs.len()) " as a table" }
                div.table tabindex="0" { table {
                    thead { tr { th scope="col" { "Chapter" } th.number scope="col" { "Cost" } th.number scope="col" { "Tokens" } } }
                    tbody { @for (chapter, cost, tokens) in rows {
                        tr { th scope="row" { (chapter) } td.number { (dollars(*cost)) } td.number { (decimal(*tokens)) } }
                    } }
                } }
                (more)
            }
        }
    }
}

fn picture(label: &str, bars: &[Bar]) -> Markup {
    let most = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    let all = WIDTH - NAMES - VALUES;
    let y = |row: usize| 4.0 + ROW * f64::from(u32::try_from(row).unwrap_or(0));
    let width = |value: f64| if most > 0.0 { (all * value.max(0.0) / most).min(all) } else { 0.0 };
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (y(bars.len()) + 4.0) } role="img" aria-label={ (label) "; the table has the numbers" } {
            @for (row, bar) in bars.iter().enumerate() {
                text.name x=(NAMES - 12.0) y=(y(row) + 15.0) text-anchor="end" { (bar.name) }
                rect.track x=(NAMES) y=(y(row)) width=(all) height="18" rx="3" {}
                rect.bar x=(NAMES) y=(y(row)) width=(format!("{:.1}", width(bar.value))) height="18" rx="3" {}
                text.name x=(WIDTH - VALUES + 12.0) y=(y(row) + 15.0) { (bar.shown) }
            }
        }
    }
}
