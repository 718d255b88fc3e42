//! Numbers as bars: a table, each row of which has a bar beside its numbers, and leads to what is
//! behind it. What the picture says, the table says too.

use maud::{Markup, html};

/// The length of the longest bar, in units of its picture.
const LENGTH: f64 = 100.0;

/// A table with bars.
pub(super) struct Bars<'b> {
    /// What the table is about.
    pub(super) caption: &'b str,
    /// What the rows are.
    pub(super) of: &'b str,
    /// What the numbers are; the bars show the first.
    pub(super) heads: &'b [&'b str],
    pub(super) rows: Vec<Row>,
}

/// A row.
pub(super) struct Row {
    pub(super) name: Markup,
    /// Where it leads.
    pub(super) link: Option<String>,
    /// How long its bar is, by the measure of all rows. What is less than nothing has none.
    pub(super) value: f64,
    /// Its numbers, as they are shown.
    pub(super) cells: Vec<String>,
    /// The colour of the bar.
    pub(super) class: &'static str,
}

impl Bars<'_> {
    pub(super) fn render(&self) -> Markup {
        let most = self.rows.iter().map(|row| row.value).fold(0.0, f64::max);
        html! {
            div.table tabindex="0" role="group" aria-label=(self.caption) { table.bars {
                caption { (self.caption) }
                thead { tr {
                    th scope="col" { (self.of) }
                    th.track { span.unseen { "Bar" } }
                    @for head in self.heads { th.number scope="col" { (head) } }
                } }
                tbody { @for row in &self.rows { tr {
                    th scope="row" { @if let Some(link) = &row.link { a href=(link) { (row.name) } } @else { (row.name) } }
                    td.track { (bar(row, most)) }
                    @for (cell, head) in row.cells.iter().zip(self.heads) { td.number data-head=(head) { (cell) } }
                } } }
            } }
        }
    }
}

/// The bar of a row. It leads where the name of the row does, which is what a keyboard reaches.
fn bar(row: &Row, most: f64) -> Markup {
    let picture = length(row.value, most, row.class);
    html! {
        @if let Some(link) = &row.link { a href=(link) tabindex="-1" aria-hidden="true" { (picture) } } @else { (picture) }
    }
}

/// The picture of a bar: a value on a track as long as the most that there may be.
pub(super) fn length(value: f64, most: f64, class: &str) -> Markup {
    let length = if most > 0.0 { (LENGTH * value / most).clamp(0.0, LENGTH) } else { 0.0 };
    html! {
        svg.length viewBox={ "0 0 " (LENGTH) " 1" } preserveAspectRatio="none" aria-hidden="true" {
            rect.track width=(LENGTH) height="1" {}
            rect.bar.(class) width=(format!("{length:.2}")) height="1" {}
        }
    }
}

/// A column of a [`columns`] picture.
pub(super) struct Column {
    pub(super) value: f64,
    /// What it says when it is pointed at.
    pub(super) title: String,
    pub(super) link: Option<String>,
}

/// The height of the highest column, in units of its picture.
const HEIGHT: f64 = 100.0;
/// How wide a column is, and how far it is to the next.
const COLUMN: (f64, f64) = (8.0, 10.0);

/// Columns side by side, the highest as high as the picture. A table beside it has the numbers.
pub(super) fn columns(caption: &Markup, columns: &[Column], ends: [&str; 2]) -> Markup {
    let most = columns.iter().map(|column| column.value).fold(0.0, f64::max);
    let height =
        |value: f64| if most > 0.0 { (HEIGHT * value / most).clamp(0.0, HEIGHT) } else { 0.0 };
    let x = |at: usize| f64::from(u32::try_from(at).unwrap_or(0)) * COLUMN.1;
    html! {
        figure.columns {
            figcaption { (caption) }
            svg viewBox={ "0 0 " (x(columns.len())) " " (HEIGHT) } preserveAspectRatio="none" aria-hidden="true" {
                @for (at, column) in columns.iter().enumerate() {
                    @let height = height(column.value);
                    @let shape = html! {
                        title { (column.title) }
                        rect.whole x=(x(at)) width=(COLUMN.1) height=(HEIGHT) {}
                        rect.bar x=(x(at) + 1.0) y=(format!("{:.2}", HEIGHT - height)) width=(COLUMN.0) height=(format!("{height:.2}")) {}
                    };
                    @if let Some(link) = &column.link { a href=(link) tabindex="-1" { (shape) } } @else { g { (shape) } }
                }
            }
            p.ends aria-hidden="true" { span { (ends[0]) } span { (ends[1]) } }
        }
    }
}
