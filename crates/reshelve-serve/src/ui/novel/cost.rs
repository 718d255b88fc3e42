//! What a novel cost: by stage, by model and by chapter, as bars and as tables.

use maud::{Markup, html};

use super::{Novel, Section, limited};
use crate::ui::bars::{Bars, Row};
use crate::ui::read::Part;
use crate::ui::words::{decimal, dollars, duration, name, shown};

/// How many bars a picture has, at most.
const BARS_MAX: usize = 60;

const STAGES: [(&str, &str, &str); 3] = [
    ("Analysis", "analysisUsd", "analysis"),
    ("Outline", "outlineUsd", "outline"),
    ("Chapters", "chaptersUsd", "chapters"),
];

pub(super) fn section(novel: &Novel) -> Section {
    let metrics = novel.metrics();
    let (cost, tokens, latency) =
        (metrics.part("cost"), metrics.part("tokens"), metrics.part("latencyMs"));
    let row = |stage: Markup, value, [usd, tokens_of, ms_of]: [&str; 3]| Row {
        name: stage,
        link: None,
        value,
        cells: vec![
            dollars(number(cost, usd)),
            decimal(number(tokens, tokens_of)),
            duration(number(latency, ms_of)),
        ],
        class: "",
    };
    let stages =
        STAGES.map(|(stage, usd, key)| row(html! { (stage) }, number(cost, usd), [usd, key, key]));
    let total = row(html! { strong { "Total" } }, 0.0, ["totalUsd", "total", "total"]);
    let bars = Bars {
        caption: "Cost, tokens and time by stage",
        of: "Stage",
        heads: &["Cost", "Tokens", "Time"],
        rows: stages.into_iter().chain([total]).collect(),
    };
    let content = html! {
        @if metrics.is_empty() { p.none { "No metrics are stored." } } @else { (bars.render()) }
        (models(novel))
        (by_chapter(novel))
    };
    Section { anchor: "cost", name: "Cost", count: None, content }
}

/// A number that counts as none where it is not there.
fn number(part: Part<'_>, name: &str) -> f64 {
    part.number(name).unwrap_or(0.0)
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
                    @let used = Part::from(*value);
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
    let row = |(name, cost, tokens): &(String, f64, f64)| Row {
        name: html! { (name) },
        link: None,
        value: *cost,
        cells: vec![dollars(*cost), decimal(*tokens)],
        class: "",
    };
    let bars = Bars {
        caption: "Cost and tokens by chapter",
        of: "Chapter",
        heads: &["Cost", "Tokens"],
        rows: costs.iter().take(BARS_MAX).map(row).collect(),
    };
    let (rows, more) = limited(costs.get(BARS_MAX..).unwrap_or_default());
    html! {
        @if !costs.is_empty() {
            (bars.render())
            @if !rows.is_empty() {
                details {
                    summary { "And " (costs.len() - BARS_MAX) " more chapters" }
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
}
