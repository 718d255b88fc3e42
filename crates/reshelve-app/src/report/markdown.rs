//! The report as Markdown that fits into a pull request. Everything that other people wrote is in
//! code spans, where it cannot be markup, a link, or a mention.

use super::page::{Block, Cell, Headline, Job, Page, Part, Section, Table};
use super::sign_off::{LINES, NO_EXCEPTIONS, NOTHING_TO_SIGN, STATEMENT, SignOff, WITH_EXCEPTIONS};
use super::text::shown;
use super::words::Explained;
use crate::text::number;

/// How many rows of a table are shown: a comment has room for about 65 000 characters.
const ROWS_MAX: usize = 12;

pub(super) fn render(page: &Page) -> String {
    let Headline { symbol, words, .. } = page.headline;
    let mut out = format!("# {symbol} {words}\n\n{}\n\n", escaped(&page.sentence));
    push_explained(&mut out, &page.explained);
    let (what, id) = &page.about;
    let (first, rest) = what.split_at(what.len().min(1));
    out.push_str(&format!("{}{rest} {}\n\n", first.to_uppercase(), code(id)));
    let names: Vec<&str> = page.tiles.iter().map(|tile| tile.name).collect();
    let values = page.tiles.iter().map(|tile| match tile.standing.symbol() {
        "" => tile.value.clone(),
        symbol => format!("{} {symbol}", tile.value),
    });
    push_row(&mut out, &names);
    push_row(&mut out, &vec!["---"; names.len()]);
    push_row(&mut out, &values.collect::<Vec<_>>());
    out.push('\n');
    push_facts(&mut out, &page.facts);
    if !page.cautions.is_empty() {
        out.push_str("**Read this first**\n\n");
        for caution in &page.cautions {
            out.push_str(&format!("- {}\n", escaped(caution)));
        }
        out.push('\n');
    }
    for part in &page.parts {
        push_part(&mut out, part);
    }
    if let Some(sign_off) = &page.sign_off {
        push_sign_off(&mut out, sign_off);
    }
    out
}

/// A part that is folded in the page is folded here too, and readable where nothing folds.
fn push_part(out: &mut String, part: &Part) {
    out.push_str(&format!("## {}\n\n", part.title));
    if part.standing.is_folded() {
        let titles: Vec<&str> = part.sections.iter().map(|section| section.title).collect();
        let titles = escaped(&titles.join(" · "));
        out.push_str(&format!("<details><summary>{titles}</summary>\n\n"));
    }
    for section in &part.sections {
        push_section(out, section);
    }
    if part.standing.is_folded() {
        out.push_str("</details>\n\n");
    }
}

fn push_section(out: &mut String, section: &Section) {
    out.push_str(&format!("### {}\n\n", section.title));
    push_explained(out, &section.explained);
    for block in &section.blocks {
        push_block(out, block);
    }
}

fn push_explained(out: &mut String, words: &[Explained]) {
    if words.is_empty() {
        return;
    }
    let sentences = words.iter().map(|it| format!("*{}* {}", it.word, escaped(it.meaning)));
    out.push_str(&format!("{}\n\n", sentences.collect::<Vec<_>>().join(" ")));
}

fn push_block(out: &mut String, block: &Block) {
    match block {
        Block::Text(text) => out.push_str(&format!("{}\n\n", escaped(text))),
        Block::Facts(facts) => push_facts(out, facts),
        Block::Table(table) => push_table(out, table),
        Block::Steps(steps) => {
            for (at, step) in steps.iter().enumerate() {
                out.push_str(&format!("{}. {}\n", at + 1, escaped(step)));
            }
            out.push('\n');
        }
    }
}

fn push_facts(out: &mut String, facts: &[(&'static str, Cell)]) {
    for (name, value) in facts {
        out.push_str(&format!("- {name}: {}\n", cell(value)));
    }
    out.push('\n');
}

fn push_sign_off(out: &mut String, sign_off: &SignOff) {
    out.push_str("## Sign-off\n\n");
    push_block(out, &sign_off.facts);
    push_block(out, &sign_off.checksums);
    if sign_off.choices.is_empty() {
        out.push_str(&format!("{NOTHING_TO_SIGN}\n"));
        return;
    }
    out.push_str(&format!("{STATEMENT}\n\n"));
    for choice in sign_off.choices {
        let is_with_exceptions = *choice == WITH_EXCEPTIONS;
        let none = is_with_exceptions && sign_off.exceptions.is_empty();
        let none = if none { format!(" {NO_EXCEPTIONS}") } else { String::new() };
        out.push_str(&format!("- [ ] {choice}{none}\n"));
        for exception in sign_off.exceptions.iter().filter(|_| is_with_exceptions) {
            out.push_str(&format!("  - {}\n", escaped(exception)));
        }
    }
    out.push('\n');
    for line in LINES {
        out.push_str(&format!("{line}:\n\n"));
    }
}

fn push_table(out: &mut String, table: &Table) {
    if !table.caption.is_empty() {
        out.push_str(&format!("**{}**\n\n", escaped(table.caption)));
    }
    let is_number = |at: usize| {
        table.rows.iter().filter_map(|row| row.get(at)).any(|cell| matches!(cell, Cell::Number(_)))
    };
    let rules: Vec<&str> =
        (0..table.columns.len()).map(|at| if is_number(at) { "---:" } else { "---" }).collect();
    push_row(out, &table.columns);
    push_row(out, &rules);
    for row in table.rows.iter().take(ROWS_MAX) {
        push_row(out, &row.iter().map(cell).collect::<Vec<_>>());
    }
    out.push('\n');
    let hidden = table.rows.len().saturating_sub(ROWS_MAX);
    if hidden > 0 {
        out.push_str(&format!("… {hidden} more in the page\n\n"));
    }
    if let Some(more) = &table.more {
        out.push_str(&format!("… {}\n\n", escaped(more)));
    }
}

fn push_row(out: &mut String, cells: &[impl AsRef<str>]) {
    for cell in cells {
        out.push_str("| ");
        out.push_str(cell.as_ref());
        out.push(' ');
    }
    out.push_str("|\n");
}

fn cell(value: &Cell) -> String {
    match value {
        Cell::Text(text) => escaped(text),
        Cell::Number(text) => text.clone(),
        Cell::Foreign(text) | Cell::Code(text) => code(text),
        Cell::Job(one) => job(one),
        Cell::Jobs(jobs, more) => several(jobs.iter().map(job).collect(), *more),
        Cell::Codes(texts, more) => several(texts.iter().map(|text| code(text)).collect(), *more),
        Cell::Flag { good, words } => format!("{} {words}", if *good { "✓" } else { "✗" }),
        Cell::Expected { value, .. } | Cell::Found { value, .. } => match value {
            Some(value) => code(value),
            None => "nothing".to_owned(),
        },
        // Twenty characters are the whole length.
        Cell::Bar(thousandths) => {
            let length = thousandths.div_ceil(50);
            "█".repeat(usize::try_from(length).unwrap_or(0))
        }
    }
}

/// Some, and how many there are beside these.
fn several(mut parts: Vec<String>, more: u64) -> String {
    if more > 0 && !parts.is_empty() {
        parts.push(format!("and {} more", number(more)));
    }
    parts.join(", ")
}

/// The id of a job; it leads to its page if there is a dashboard.
fn job(job: &Job) -> String {
    match &job.href {
        Some(href) => format!("[{}]({href})", code(&job.id)),
        None => code(&job.id),
    }
}

/// A code span that nothing in it can end, and that fits into a table.
fn code(text: &str) -> String {
    if text.is_empty() {
        return "*none*".into();
    }
    let text = shown(text).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Sentences of ours, with code between backticks; outside of these nothing is markup.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for (at, piece) in text.split('`').enumerate() {
        if at % 2 == 1 {
            out.push_str(&code(piece));
            continue;
        }
        for c in piece.chars() {
            if matches!(c, '<' | '>' | '&' | '*' | '_' | '[' | ']' | '|' | '\\' | '@' | '#' | '~') {
                out.push_str(&format!("&#{};", u32::from(c)));
            } else if c.is_control() {
                out.push(' ');
            } else {
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_a_code_span() {
        assert_eq!(code("a`b|c"), "``a`b\\|c``");
        assert_eq!(code("``"), "``` `` ```");
        assert_eq!(code(""), "*none*");
        assert_eq!(code("<script>\n@all"), "`<script>\\u{a}@all`");
    }

    #[test]
    fn sentences_are_not_markup() {
        assert_eq!(escaped("see `a|b`, <b> *x*"), "see `a\\|b`, &#60;b&#62; &#42;x&#42;");
    }
}
