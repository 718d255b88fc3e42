//! The line that says how far a command is: as much of it as a terminal has room for.

use reshelve::run::{Progress, Waiting};
use reshelve_app::Comparing;
use reshelve_app::rollback::{self, Phase};
use reshelve_app::text::{bytes_per_second, number, size, span, waiting};

/// How wide a bar is.
const BAR_CELLS: u64 = 20;

/// How far a command is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// Documents read.
    pub(crate) documents: u64,
    /// Of these, rejected.
    pub(crate) rejected: u64,
    /// Bytes of the documents read.
    pub(crate) bytes: u64,
    /// Bytes of the source's file: read, and in all if that is known.
    pub(crate) share: Option<(u64, u64)>,
    /// The batch in hand, from 1; 0 if there are none.
    pub(crate) batch: u64,
    /// Time spent.
    pub(crate) elapsed_ms: u64,
    /// What it waits for, or was held back by.
    pub(crate) waiting: Option<Waiting>,
}

impl Line {
    /// How far a run is.
    pub(crate) fn of(progress: &Progress) -> Line {
        let documents = &progress.totals.documents;
        Line {
            documents: documents.read,
            rejected: documents.rejected,
            bytes: progress.totals.bytes_read,
            share: progress.file_bytes_total.map(|total| (progress.file_bytes_read, total)),
            batch: progress.batch,
            elapsed_ms: progress.elapsed_ms,
            waiting: progress.waiting,
        }
    }
}

impl Parts for Line {
    fn parts(&self) -> Vec<(Part, String)> {
        let mut parts = Vec::new();
        if let Some(share) = self.share {
            parts.extend(part_done(share));
        }
        if let Some(held) = &self.waiting {
            parts.push((Part::Waits, waiting(held)));
        }
        let documents = if self.documents == 1 { "document" } else { "documents" };
        parts.push((Part::Documents, format!("{} {documents}", number(self.documents))));
        if let Some(left_ms) = self.share.and_then(|share| left_ms(share, self.elapsed_ms)) {
            parts.push((Part::Left, format!("{} left", span(left_ms))));
        }
        if self.elapsed_ms > 0 {
            parts.push((Part::Rate, bytes_per_second(self.bytes, self.elapsed_ms)));
        }
        if self.rejected > 0 {
            parts.push((Part::Rejected, format!("{} rejected", number(self.rejected))));
        }
        if let Some((read, total)) = self.share {
            parts.push((Part::Bytes, format!("{} of {}", size(read.min(total)), size(total))));
        }
        if self.batch > 0 {
            parts.push((Part::Batch, format!("batch {}", number(self.batch))));
        }
        parts
    }
}

/// How far a comparison is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) comparing: Comparing,
    /// Time spent.
    pub(crate) elapsed_ms: u64,
}

impl Parts for Compared {
    fn parts(&self) -> Vec<(Part, String)> {
        let Comparing { jobs, of } = self.comparing;
        let mut parts = Vec::from(part_done((jobs, of)));
        parts.push((Part::Documents, format!("{} of {} jobs compared", number(jobs), number(of))));
        if let Some(left_ms) = left_ms((jobs, of), self.elapsed_ms) {
            parts.push((Part::Left, format!("{} left", span(left_ms))));
        }
        parts
    }
}

impl Parts for rollback::Progress {
    fn parts(&self) -> Vec<(Part, String)> {
        let rollback::Progress { phase, done, total, elapsed_ms, waiting: held } = self;
        let (noun, verb) = match phase {
            Phase::Looking => ("jobs", "looked at"),
            Phase::TakingBack => ("documents", "taken back"),
            Phase::Checking => return vec![(Part::Documents, "reading the target".to_owned())],
        };
        let mut parts = Vec::from(part_done((*done, *total)));
        if let Some(held) = held {
            parts.push((Part::Waits, waiting(held)));
        }
        let counted = format!("{} of {} {noun} {verb}", number(*done), number(*total));
        parts.push((Part::Documents, counted));
        if let Some(left_ms) = left_ms((*done, *total), *elapsed_ms) {
            parts.push((Part::Left, format!("{} left", span(left_ms))));
        }
        parts
    }
}

/// What can be shown as a line.
pub(crate) trait Parts {
    /// Its parts, in the order in which they are shown.
    fn parts(&self) -> Vec<(Part, String)>;

    /// All of it but the bar.
    fn whole(&self) -> String {
        let mut parts = self.parts();
        parts.retain(|(part, _)| *part != Part::Bar);
        joined(&parts)
    }

    /// As much of it as fits in a row of so many columns. What is needed most stays longest.
    fn fitted(&self, columns: usize) -> String {
        let mut parts = self.parts();
        loop {
            let line = joined(&parts);
            // The last column stays free: some terminals wrap when it is filled.
            let fits = line.chars().count() < columns;
            let least = parts.iter().enumerate().max_by_key(|(_, (part, _))| *part);
            match least.map(|(at, (part, _))| (at, *part)) {
                _ if fits => return line,
                Some((_, Part::Percent | Part::Rejected | Part::Waits)) if shorten(&mut parts) => {}
                Some((at, _)) if parts.len() > 1 => drop(parts.remove(at)),
                // There may be no window at all.
                _ if columns < 2 => return line,
                _ => return line.chars().take(columns - 1).collect(),
            }
        }
    }
}

/// Says that something waits, and no longer what for; whether that is new.
fn shorten(parts: &mut [(Part, String)]) -> bool {
    const SHORT: [&str; 2] = ["paused", "throttled"];
    let waits = parts.iter_mut().find(|(part, _)| *part == Part::Waits);
    match waits {
        Some((_, text)) if !SHORT.contains(&text.as_str()) => {
            SHORT[1].clone_into(text);
            true
        }
        _ => false,
    }
}

/// A bar and a percentage.
fn part_done((done, total): (u64, u64)) -> [(Part, String); 2] {
    let of = |whole: u64| {
        let part = u128::from(done.min(total)) * u128::from(whole);
        u64::try_from(part / u128::from(total.max(1))).unwrap_or(whole)
    };
    let filled = of(BAR_CELLS);
    let bar = (0..BAR_CELLS).map(|cell| if cell < filled { '#' } else { '-' });
    [(Part::Bar, bar.collect()), (Part::Percent, format!("{} %", of(100)))]
}

/// The time that is left if the rest is as fast as what is done.
fn left_ms((done, total): (u64, u64), elapsed_ms: u64) -> Option<u64> {
    let rest = u128::from(total.saturating_sub(done));
    let left = u128::from(elapsed_ms) * rest / u128::from(done.max(1));
    (done > 0).then(|| u64::try_from(left).unwrap_or(u64::MAX))
}

/// The parts of a line, what is needed most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Documents,
    Waits,
    Rejected,
    Percent,
    Left,
    Rate,
    Bar,
    Bytes,
    Batch,
}

fn joined(parts: &[(Part, String)]) -> String {
    let mut line = String::new();
    for (part, text) in parts {
        line.push_str(text);
        line.push_str(if *part == Part::Bar { " " } else { ", " });
    }
    line.truncate(line.trim_end_matches([',', ' ']).len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use reshelve::run::Why;

    const LINE: Line = Line {
        documents: 1_234_567,
        rejected: 12,
        bytes: 3 << 30,
        share: Some((3 << 30, 4 << 30)),
        batch: 4_321,
        elapsed_ms: 184_000,
        waiting: None,
    };

    #[test]
    fn a_line_never_wraps_and_keeps_what_is_needed_most() {
        for columns in 20..200 {
            let line = LINE.fitted(columns);
            assert!(line.chars().count() < columns, "{columns}: {line}");
            assert!(line.contains("1 234 567 documents"), "{line}");
        }
        assert_eq!(LINE.fitted(40), "75 %, 1 234 567 documents, 12 rejected");
        assert_eq!(
            LINE.fitted(80),
            "75 %, 1 234 567 documents, 1 min 01 s left, 16.7 MiB/s, 12 rejected"
        );
        assert!(LINE.fitted(120).starts_with("###############----- 75 %, 1 234 567 documents, "));
        // There may be no window at all.
        assert_eq!(LINE.fitted(0), "1 234 567 documents");
    }

    #[test]
    fn a_line_that_waits_fits_and_says_so() {
        let held = |why, limit| Waiting { why, since_ms: 0, limit: Some(limit), found: Some(12) };
        for (waiting, narrow) in [
            (held(Why::MaxDocsPerS, 1_000), "throttled, 1 234 567 documents"),
            (held(Why::MaxLag, 5), "throttled, 1 234 567 documents"),
            (held(Why::Pause, 0), "paused, 1 234 567 documents"),
        ] {
            let line = Line { waiting: Some(waiting), ..LINE };
            assert_eq!(line.fitted(40), narrow);
            assert!(line.fitted(120).contains(&reshelve_app::text::waiting(&waiting)));
            assert!((20..200).all(|columns| line.fitted(columns).chars().count() < columns));
        }
        let back = rollback::Progress {
            phase: Phase::TakingBack,
            done: 1_234_567,
            total: 2_345_678,
            elapsed_ms: 1,
            waiting: Some(held(Why::MaxDocsPerS, 5)),
        };
        assert!((20..200).all(|columns| back.fitted(columns).chars().count() < columns));
    }

    #[test]
    fn a_plain_line_has_all_parts_and_no_bar() {
        assert_eq!(
            LINE.whole(),
            "75 %, 1 234 567 documents, 1 min 01 s left, 16.7 MiB/s, 12 rejected, \
             3.0 GiB of 4.0 GiB, batch 4 321"
        );
        let line = Line { documents: 1, ..Line::default() };
        assert_eq!(line.whole(), "1 document");
    }

    #[test]
    fn a_source_that_is_empty_or_has_grown_is_no_reason_to_fail() {
        for share in [(0, 0), (5, 0), (9, 4), (u64::MAX, u64::MAX)] {
            let line = Line { share: Some(share), elapsed_ms: u64::MAX, ..Line::default() };
            assert!(line.fitted(200).contains(" %"), "{share:?}");
        }
    }
}
