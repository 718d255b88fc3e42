//! The part of the report that describes the source.

use reshelve::profile::Profile;
use reshelve::report::RunReport;

use super::page::{Block, Cell, Section, Standing, Table};
use crate::text::{counted, date, percent, size};

/// How many fields that the schema does not name are shown.
const UNKNOWN_MAX: usize = 10;
/// How many statuses are shown.
const STATUSES_MAX: usize = 20;

pub(super) fn profile(report: &RunReport) -> Option<Section> {
    let profile = report.profile.as_ref()?;
    let blocks = vec![facts(profile), statuses(profile), fields(profile), unknown(profile)];
    let brief = counted(profile.documents, "document");
    Some(Section::new("What is in the source", Standing::Recorded, blocks).brief(brief))
}

fn facts(profile: &Profile) -> Block {
    let sizes = &profile.size;
    let eras: Vec<String> = profile
        .eras
        .iter()
        // Eras 2 and 3 cannot be told apart.
        .map(|(era, count)| match era {
            2 => format!("2–3: {count}"),
            era => format!("{era}: {count}"),
        })
        .collect();
    let mut facts = vec![
        ("documents", Cell::count(profile.documents)),
        ("bytes as BSON", Cell::text(size(profile.bytes))),
        (
            "size of a document",
            Cell::Text(format!(
                "half up to {}, 90 % up to {}, 99 % up to {}, largest {}",
                size(sizes.p50),
                size(sizes.p90),
                size(sizes.p99),
                size(sizes.max)
            )),
        ),
        ("documents by era", Cell::Text(eras.join(" · "))),
    ];
    if let Some(created) = &profile.created {
        let span = format!("{} to {}", date(created.first), date(created.last));
        facts.push(("created", Cell::Text(span)));
    }
    Block::Facts(facts)
}

fn statuses(profile: &Profile) -> Block {
    let mut statuses: Vec<_> = profile.statuses.iter().collect();
    statuses.sort_by_key(|(status, count)| (std::cmp::Reverse(**count), *status));
    let rows = statuses.iter().take(STATUSES_MAX);
    let rows = rows.map(|(status, count)| vec![Cell::code(status), Cell::count(**count)]);
    Block::Table(Table {
        caption: "Statuses",
        columns: vec!["status", "documents"],
        rows: rows.collect(),
        more: rest(statuses.len(), STATUSES_MAX),
    })
}

/// The fields of the document itself; those below are in the profile.
fn fields(profile: &Profile) -> Block {
    let top = profile.fields.iter().filter(|field| !field.path.contains(['.', '[']) && field.known);
    let rows = top.map(|field| {
        let types: Vec<String> =
            field.types.iter().map(|(name, count)| format!("{name} {count}")).collect();
        vec![
            Cell::code(&field.path),
            Cell::count(field.documents),
            Cell::Number(percent(field.presence_percent)),
            Cell::Text(types.join(", ")),
        ]
    });
    Block::Table(Table {
        caption: "Fields of the document; `reshelve profile` lists all paths",
        columns: vec!["field", "documents", "presence", "types"],
        rows: rows.collect(),
        more: None,
    })
}

fn unknown(profile: &Profile) -> Block {
    let unknown = &profile.unknown_fields;
    if unknown.is_empty() {
        return Block::Text("The legacy schema names every field.".into());
    }
    let rows = unknown.iter().take(UNKNOWN_MAX);
    let rows = rows.map(|field| vec![Cell::code(&field.path), Cell::count(field.documents)]);
    Block::Table(Table {
        caption: "Fields that the legacy schema does not name; the residue keeps them",
        columns: vec!["path", "documents"],
        rows: rows.collect(),
        more: rest(unknown.len(), UNKNOWN_MAX),
    })
}

fn rest(all: usize, shown: usize) -> Option<String> {
    let rest = all.saturating_sub(shown);
    (rest > 0).then(|| format!("and {rest} more: `reshelve profile` lists all of them"))
}
