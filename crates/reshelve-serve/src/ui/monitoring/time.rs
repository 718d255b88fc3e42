//! Cost and tokens over time: by day, or by month or year where the time is long.

use std::collections::BTreeMap;
use std::ops::Range;

use maud::{Markup, html};
use reshelve::ends::{JobSums, JobTotals};

use super::novels;
use crate::ui::bars::{Column, columns};
use crate::ui::period::{Grain, UNDATED};
use crate::ui::words::{count, counted, decimal, dollars};

/// How many columns a picture has, at most, and at least: single days are not as wide as the page.
const COLUMNS_MAX: i64 = 100;
const COLUMNS_MIN: i64 = 14;

/// Jobs by day, month or year.
struct Periods {
    grain: Grain,
    sums: BTreeMap<i64, JobSums>,
    /// What is too long before or after them to be shown.
    elsewhere: JobSums,
}

/// So many of ten novels have to be in the picture, or its columns stand for longer periods: a few
/// wrong dates do not make it useless.
const SHOWN_OF_TEN: u64 = 9;

impl Periods {
    fn of(days: &[(i64, JobSums)]) -> Self {
        let all: u64 = days.iter().map(|(_, sums)| sums.jobs).sum();
        let is_enough = |(_, jobs): &(Range<usize>, u64)| jobs * 10 >= all * SHOWN_OF_TEN;
        let found = [Grain::Day, Grain::Month]
            .into_iter()
            .map(|grain| (grain, fullest(days, grain)))
            .find(|(_, window)| is_enough(window));
        let (grain, (window, _)) =
            found.unwrap_or_else(|| (Grain::Year, fullest(days, Grain::Year)));
        let (mut sums, mut elsewhere) = (BTreeMap::<i64, JobSums>::new(), JobSums::default());
        for (at, (day, of_day)) in days.iter().enumerate() {
            if window.contains(&at) {
                *sums.entry(grain.of(*day)).or_default() += *of_day;
            } else {
                elsewhere += *of_day;
            }
        }
        Periods { grain, sums, elsewhere }
    }

    /// The first and the last period of the picture.
    fn ends(&self) -> (i64, i64) {
        let ends = self.sums.first_key_value().zip(self.sums.last_key_value());
        let (first, last) = ends.map_or((0, 0), |((first, _), (last, _))| (*first, *last));
        let missing = (COLUMNS_MIN - (last - first + 1)).max(0);
        (first - missing / 2, last + missing - missing / 2)
    }
}

/// Those of the days with the most jobs that are in one picture, and how many jobs that is.
fn fullest(days: &[(i64, JobSums)], grain: Grain) -> (Range<usize>, u64) {
    let (mut from, mut jobs) = (0, 0);
    let mut best = (0..0, 0);
    for (at, (day, sums)) in days.iter().enumerate() {
        jobs += sums.jobs;
        while grain.of(*day) - grain.of(days[from].0) >= COLUMNS_MAX {
            jobs -= days[from].1.jobs;
            from += 1;
        }
        if jobs > best.1 {
            best = (from..at + 1, jobs);
        }
    }
    best
}

pub(super) fn section(totals: &JobTotals) -> Markup {
    let periods = Periods::of(&totals.days);
    html! {
        @if periods.sums.is_empty() { p.none { "No novel has a time of creation." } } @else {
            div.two {
                (picture(&periods, "Cost", |sums| sums.cost_usd, dollars))
                (picture(&periods, "Tokens", |sums| sums.tokens, decimal))
            }
            (table(&periods))
        }
        @for (sums, words) in [(&periods.elsewhere, "long before or after that"), (&rest(totals), "on further days")] {
            @if sums.jobs > 0 { p.soft { (counted(sums.jobs, "novel", "novels")) " for " (dollars(sums.cost_usd)) " " (words) "." } }
        }
        @if totals.undated.jobs > 0 {
            p.soft { a href=(novels("created", UNDATED)) { (counted(totals.undated.jobs, "novel", "novels")) } " without a time of creation." }
        }
    }
}

/// Jobs on days that are not told apart.
fn rest(totals: &JobTotals) -> JobSums {
    let mut rest = totals.all;
    let told = totals.days.iter().map(|(_, sums)| sums).chain([&totals.undated]);
    for sums in told {
        rest -= *sums;
    }
    rest
}

fn picture(
    periods: &Periods,
    what: &str,
    value: impl Fn(&JobSums) -> f64,
    words: impl Fn(f64) -> String,
) -> Markup {
    let grain = periods.grain;
    let (first, last) = periods.ends();
    let column = |at: i64| {
        let (sums, text) = (periods.sums.get(&at), grain.text(at));
        let sum = sums.map_or(0.0, &value);
        let jobs = counted(sums.map_or(0, |sums| sums.jobs), "novel", "novels");
        let title = format!("{text}: {}, {jobs}", words(sum));
        Column { value: sum, title, link: sums.map(|_| novels("created", &text)) }
    };
    let most = periods.sums.iter().max_by(|one, other| value(one.1).total_cmp(&value(other.1)));
    let caption = html! {
        strong { (what) " by " (grain.word()) }
        @if let Some((at, sums)) = most { ", at most " (words(value(sums))) " (" (grain.text(*at)) ")" }
    };
    let all: Vec<Column> = (first..=last).map(column).collect();
    columns(&caption, &all, [&grain.text(first), &grain.text(last)])
}

fn table(periods: &Periods) -> Markup {
    let grain = periods.grain;
    let all = periods.sums.len();
    html! {
        details {
            summary { "The same as a table: " (counted(u64::try_from(all).unwrap_or(0), grain.word(), &format!("{}s", grain.word()))) " with novels" }
            div.table tabindex="0" role="group" aria-label="Cost and tokens over time" { table {
                thead { tr { th scope="col" { "Created" } th.number scope="col" { "Novels" } th.number scope="col" { "Failed" } th.number scope="col" { "Cost" } th.number scope="col" { "Tokens" } } }
                tbody { @for (at, sums) in periods.sums.iter().rev() {
                    @let text = grain.text(*at);
                    tr {
                        th scope="row" { a href=(novels("created", &text)) { (text) } }
                        td.number { (count(sums.jobs)) }
                        td.number { (count(sums.failed)) }
                        td.number { (dollars(sums.cost_usd)) }
                        td.number { (decimal(sums.tokens)) }
                    }
                } }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_the_time_the_longer_its_periods() {
        let jobs = |jobs| JobSums { jobs, ..JobSums::default() };
        // 2025-07-24 and so many days later.
        for (days, expected, periods, elsewhere) in [
            (vec![0, 1, 3], Grain::Day, 3, 0),
            (vec![0, 99], Grain::Day, 2, 0),
            (vec![0, 1, 100], Grain::Month, 2, 0),
            (vec![0, 365 * 9], Grain::Year, 2, 0),
            (vec![0, 1, 365 * 120], Grain::Year, 1, 1),
            // A novel in ten may be of any time.
            (vec![-20_000, 0, 1, 2, 3, 4, 5, 6, 7, 8], Grain::Day, 9, 1),
            (vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 90_000], Grain::Day, 9, 1),
        ] {
            let days: Vec<(i64, JobSums)> =
                days.into_iter().map(|day| (20_293 + day, jobs(1))).collect();
            let found = Periods::of(&days);
            assert_eq!((found.grain, found.sums.len()), (expected, periods), "{days:?}");
            assert_eq!(found.elsewhere.jobs, elsewhere, "{days:?}");
            let (first, last) = found.ends();
            assert!((COLUMNS_MIN..=COLUMNS_MAX).contains(&(last - first + 1)), "{days:?}");
        }
    }
}
