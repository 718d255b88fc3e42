//! Cost and tokens over time: by day, or by month or year where the time is long.

use std::collections::BTreeMap;

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
    /// What is too long ago to be shown.
    earlier: JobSums,
}

impl Periods {
    fn of(days: &[(i64, JobSums)]) -> Self {
        let span = |grain: Grain| {
            let ends = days.first().zip(days.last());
            ends.map_or(0, |((first, _), (last, _))| grain.of(*last) - grain.of(*first) + 1)
        };
        let is_short = |grain: &Grain| span(*grain) <= COLUMNS_MAX;
        let grain = [Grain::Day, Grain::Month].into_iter().find(is_short).unwrap_or(Grain::Year);
        let (mut sums, mut earlier) = (BTreeMap::<i64, JobSums>::new(), JobSums::default());
        let last = days.last().map_or(0, |(day, _)| grain.of(*day));
        for (day, of_day) in days {
            let at = grain.of(*day);
            if at > last - COLUMNS_MAX {
                *sums.entry(at).or_default() += *of_day;
            } else {
                earlier += *of_day;
            }
        }
        Periods { grain, sums, earlier }
    }

    /// The first and the last period of the picture.
    fn ends(&self) -> (i64, i64) {
        let ends = self.sums.first_key_value().zip(self.sums.last_key_value());
        let (first, last) = ends.map_or((0, 0), |((first, _), (last, _))| (*first, *last));
        let missing = (COLUMNS_MIN - (last - first + 1)).max(0);
        (first - missing / 2, last + missing - missing / 2)
    }
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
        @for (sums, words) in [(&periods.earlier, "earlier than that"), (&rest(totals), "on further days")] {
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
        rest.jobs = rest.jobs.saturating_sub(sums.jobs);
        rest.cost_usd -= sums.cost_usd;
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
        for (days, expected, periods, earlier) in [
            (vec![0, 0, 3], Grain::Day, 2, 0),
            (vec![0, 99], Grain::Day, 2, 0),
            (vec![0, 1, 100], Grain::Month, 2, 0),
            (vec![0, 365 * 9], Grain::Year, 2, 0),
            (vec![0, 365 * 120], Grain::Year, 1, 1),
        ] {
            let days: Vec<(i64, JobSums)> =
                days.into_iter().map(|day| (20_293 + day, jobs(1))).collect();
            let found = Periods::of(&days);
            assert_eq!((found.grain, found.sums.len()), (expected, periods), "{days:?}");
            assert_eq!(found.earlier.jobs, earlier);
            let (first, last) = found.ends();
            assert!((COLUMNS_MIN..=COLUMNS_MAX).contains(&(last - first + 1)), "{days:?}");
        }
    }
}
