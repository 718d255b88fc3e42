//! What a report says of the rehearsal before the run, and the pages of a rehearsal's record.

use reshelve::report::{Rehearsed, RehearsedStep, RunReport, Window};

use super::page::{Block, Cell, Headline, Page, Section, Standing, Table, Tile, arranged};
use super::{Rendered, html, markdown, words};
use crate::rehearse::{Ended, Record, file_of};
use crate::text::{counted, number, size, span};

const TITLE: &str = "Rehearsal";
const STEPS: &str = "Steps";
const WINDOW: &str = "What the maintenance window will need";
const REFUSED: &str = "What would have been refused";

/// The newest rehearsal of what the run read, or that there is none.
pub(super) fn section(report: &RunReport) -> Section {
    let Some(rehearsed) = &report.rehearsal else {
        let text = "Not rehearsed: no rehearsal of these documents with these options and this \
                    mapping is recorded beside the run folder. `reshelve rehearse SOURCE` holds one.";
        let blocks = vec![Block::Text(text.into())];
        return Section::new(TITLE, Standing::Recorded, blocks).brief("not rehearsed".into());
    };
    let Rehearsed { rehearsal, begun_at, outcome, scratch, elapsed_ms, .. } = rehearsed;
    let mut facts = vec![
        ("rehearsal", Cell::code(rehearsal)),
        ("held", Cell::code(begun_at)),
        ("outcome", Cell::Text(outcome.clone())),
        ("where", Cell::Text(format!("in a scratch {scratch}"))),
        ("took", Cell::Text(span(*elapsed_ms))),
        ("record", Cell::code(file_of(rehearsed).display())),
    ];
    if let Some(window) = rehearsed.window {
        facts.push(("maintenance window", Cell::Text(range(window))));
    }
    let text = "The newest rehearsal of the same documents, with the same options and the same \
                mapping.";
    let blocks = vec![Block::Text(text.into()), Block::Facts(facts), steps_table(&rehearsed.steps)];
    let day = begun_at.get(..10).unwrap_or(begun_at);
    Section::new(TITLE, Standing::Recorded, blocks).brief(format!("{outcome}, {day}"))
}

fn range(window: Window) -> String {
    match (span(window.from_ms), span(window.to_ms)) {
        (from, to) if from == to => from,
        (from, to) => format!("{from} to {to}"),
    }
}

fn steps_table(steps: &[RehearsedStep]) -> Block {
    let row = |step: &RehearsedStep| {
        let good = step.outcome == "done";
        let words = match step.outcome.as_str() {
            "done" => "done",
            "interrupted" => "interrupted",
            _ => "failed",
        };
        vec![
            Cell::code(&step.step),
            Cell::Flag { good, words },
            Cell::Number(span(step.elapsed_ms)),
            Cell::Foreign(step.detail.clone()),
        ]
    };
    Table::whole(
        vec!["step", "outcome", "time", "what came of it"],
        steps.iter().map(row).collect(),
    )
}

/// The record of a rehearsal as a page and as Markdown.
pub(crate) fn pages(record: &Record) -> Rendered {
    let page = page(record);
    let json = serde_json::to_string(record).unwrap_or_default();
    Rendered { html: html::render(&page), markdown: markdown::render(&page), json }
}

fn page(record: &Record) -> Page {
    let (symbol, words, standing) = match record.outcome {
        Ended::Passed => ("✓", "The rehearsal passed", Standing::Holds),
        Ended::Failed => ("✗", "The rehearsal failed", Standing::Fails),
        Ended::Interrupted => ("!", "The rehearsal was interrupted", Standing::Open),
        Ended::Running => ("?", "The rehearsal is not finished", Standing::Open),
    };
    let sections =
        [failure(record), Some(refused(record)), Some(window(record)), Some(steps(record))];
    let sections = sections.into_iter().flatten().chain([ends(record), fingerprints(record)]);
    let mut parts = arranged(sections.collect(), true);
    for part in &mut parts {
        part.title = match part.standing {
            Standing::Fails => "What failed",
            Standing::Open => "What is open",
            Standing::Decided => "What it takes",
            Standing::Holds => "What was tried",
            Standing::Noted | Standing::Recorded => part.title,
        };
    }
    let sentence = sentence(record);
    let explained = words::explain(&format!("{words}. {sentence}"), &mut parts);
    let mut tiles = tiles(record);
    tiles.iter_mut().for_each(|tile| tile.link(&parts));
    Page {
        kind: "Migration rehearsal",
        about: ("rehearsal", record.rehearsal.clone()),
        headline: Headline { symbol, words, standing },
        sentence,
        explained,
        cautions: cautions(record),
        facts: vec![
            ("source", Cell::code(record.source.path.display())),
            ("scratch", Cell::code(&record.scratch.place)),
            ("held", Cell::code(&record.begun_at)),
            ("took", Cell::Text(span(record.elapsed_ms))),
        ],
        tiles,
        parts,
        sign_off: None,
    }
}

fn sentence(record: &Record) -> String {
    match (&record.outcome, &record.failure) {
        (Ended::Passed, _) => {
            let documents = record.restored.as_ref().map_or(0, |restored| restored.documents);
            format!(
                "The move was run, interrupted, resumed, compared, reported, rolled back without a \
                 remnant, and run again with the same checksums; {} came back out of the target. \
                 The real target was not touched.",
                counted(documents, "document")
            )
        }
        (_, Some(failure)) => {
            let step = record.steps.last().map_or("prepare", |step| step.step.as_str());
            format!("It ended in the step {step}: {}.", failure.message.trim_end_matches('.'))
        }
        _ => String::new(),
    }
}

fn cautions(record: &Record) -> Vec<String> {
    let mut cautions = Vec::new();
    if let Some(remove) = &record.scratch.remove {
        cautions.push(format!("The scratch was kept: {}. {remove}.", record.scratch.place));
    }
    if record.scratch.form == "folder" {
        cautions.push(
            "The scratch was a folder. A live target takes longer: rehearse in a database on its \
             server to know how long."
                .to_owned(),
        );
    }
    cautions
}

fn tiles(record: &Record) -> Vec<Tile> {
    let mut tiles = Vec::new();
    if let Some(window) = record.window {
        tiles.push(Tile::new("maintenance window", range(window), Standing::Recorded, WINDOW));
    }
    let documents = record.documents.unwrap_or_default();
    tiles.push(Tile::new("documents", number(documents.read), Standing::Recorded, STEPS));
    let refused = crate::text::length(&record.would_refuse);
    let standing = if refused == 0 { Standing::Holds } else { Standing::Open };
    tiles.push(Tile::new("would have been refused", number(refused), standing, REFUSED));
    tiles
}

fn failure(record: &Record) -> Option<Section> {
    let failure = record.failure.as_ref()?;
    let mut facts = vec![
        ("what", Cell::Foreign(failure.message.clone())),
        ("exit code", Cell::Text(format!("{} ({})", record.exit, failure.kind))),
    ];
    if let Some(hint) = &failure.hint {
        facts.push(("what to do", Cell::Text(hint.clone())));
    }
    let standing = match record.outcome {
        Ended::Interrupted => Standing::Open,
        _ => Standing::Fails,
    };
    Some(Section::new("Why it ended", standing, vec![Block::Facts(facts)]))
}

fn refused(record: &Record) -> Section {
    let unknown = "What only the real target can tell was not tried: whether it is empty, whether \
                   its indexes and privileges are there, whether its disk is large enough, and \
                   whether another run holds it. A dry run into it tells.";
    if record.would_refuse.is_empty() {
        let nothing = match record.documents {
            Some(_) => "Nothing that this source holds would be refused.",
            None => "Not known: the run was not done.",
        };
        let blocks = vec![Block::Text(nothing.into()), Block::Text(unknown.into())];
        let standing =
            if record.documents.is_some() { Standing::Holds } else { Standing::Recorded };
        return Section::new(REFUSED, standing, blocks).brief("nothing".into());
    }
    let rows = record.would_refuse.iter().map(|it| {
        let count = it.count.map_or_else(|| "not known".to_owned(), number);
        vec![
            Cell::code(&it.code),
            Cell::Number(count),
            Cell::Text(it.what.clone()),
            Cell::Text(it.hint.clone()),
        ]
    });
    let table =
        Table::whole(vec!["what", "how many", "what would happen", "what to do"], rows.collect());
    Section::new(REFUSED, Standing::Open, vec![table, Block::Text(unknown.into())])
}

fn window(record: &Record) -> Section {
    let Some(window) = record.window else {
        let text = "Not known: not every step was measured.";
        return Section::new(WINDOW, Standing::Recorded, vec![Block::Text(text.into())]);
    };
    let place = match record.scratch.form.as_str() {
        "folder" => "A live target takes longer than this scratch folder.",
        _ => {
            "The scratch database was on the server that was named: a target on the same server \
              takes as long, if as little else goes on there."
        }
    };
    let facts = vec![
        ("run", Cell::Text(span(window.run_ms))),
        ("interrupted once", Cell::Text(format!("{}, resumed", span(window.interrupted_run_ms)))),
        ("verify", Cell::Text(span(window.verify_ms))),
        (
            "report",
            Cell::Text(format!(
                "about {}: it compares both sides again, and profiles the source",
                span(window.report_ms)
            )),
        ),
        ("together", Cell::Text(range(window))),
    ];
    let text = format!("Measured on this source, on this machine. {place}");
    let blocks = vec![Block::Facts(facts), Block::Text(text)];
    Section::new(WINDOW, Standing::Decided, blocks).brief(range(window))
}

fn steps(record: &Record) -> Section {
    let standing = match record.outcome {
        Ended::Passed => Standing::Holds,
        Ended::Failed => Standing::Fails,
        Ended::Interrupted | Ended::Running => Standing::Open,
    };
    Section::new(STEPS, standing, vec![steps_table(&record.steps)])
}

fn ends(record: &Record) -> Section {
    let source = &record.source;
    let bytes = source.bytes.map_or_else(String::new, |bytes| format!(", {}", size(bytes)));
    let options = serde_json::to_value(record.options).unwrap_or_default();
    let word = |name: &str| options[name].as_str().unwrap_or("include, undecided").to_owned();
    let facts = vec![
        ("rehearsal", Cell::code(&record.rehearsal)),
        (
            "tool",
            Cell::Text(format!("reshelve {}, mapping {}", record.tool_version, record.mapping)),
        ),
        ("source", Cell::code(source.path.display())),
        ("form", Cell::Text(format!("{}{bytes}", source.form))),
        ("scratch", Cell::Text(record.scratch.form.clone())),
        ("compression", Cell::text(record.compression.name())),
        ("jobs in flight", Cell::Text(word("in_flight"))),
        ("status conflicts", Cell::Text(word("status_policy"))),
        ("unknown statuses", Cell::Text(word("on_unknown_status"))),
    ];
    Section::new("What was rehearsed on what", Standing::Recorded, vec![Block::Facts(facts)])
}

fn fingerprints(record: &Record) -> Section {
    let code = |text: &Option<String>| Cell::code(text.as_deref().unwrap_or_default());
    let mut facts = vec![
        ("source, in its order", code(&record.source_hash)),
        ("source, as a set", code(&record.set_hash)),
    ];
    if let Some(restored) = &record.restored {
        facts.push(("restored, as a set", Cell::code(&restored.set_hash)));
    }
    let mut blocks = vec![Block::Facts(facts)];
    if let Some(checksums) = &record.checksums {
        let rows = checksums.iter().map(|(collection, sum)| {
            vec![
                Cell::code(collection),
                Cell::count(sum.documents),
                Cell::count(sum.bytes),
                Cell::code(&sum.checksum),
            ]
        });
        blocks.push(Block::Table(Table {
            caption: "The target, after both runs",
            columns: vec!["collection", "documents", "bytes", "checksum"],
            rows: rows.collect(),
            more: None,
        }));
    }
    Section::new("Fingerprints and checksums", Standing::Recorded, blocks)
}
