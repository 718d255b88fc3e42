//! What came of shadow reads since this server began, by route.

use maud::{Markup, html};

use crate::comparison::Fate;
use crate::shadow::Counts;
use crate::sides::RouteName;
use crate::ui::words::{count, counted, decimal, name};

pub(super) fn section(counts: Option<&Counts>) -> Markup {
    html! {
        h2 { "Shadow reads of this server" }
        @if let Some(counts) = counts { (compared(counts)) } @else {
            p {
                "This server makes no shadow reads. Started with " code { "--legacy" } ", " code { "--normalized" } " and "
                code { "--shadow" } ", it asks the other side what one side has answered, and compares the two."
            }
        }
    }
}

fn compared(counts: &Counts) -> Markup {
    let of = |is_meant: fn(Fate) -> bool| -> u64 {
        let fates = || Fate::ALL.into_iter().filter(|fate| is_meant(*fate));
        RouteName::ALL
            .into_iter()
            .flat_map(|route| fates().map(move |fate| counts.of(route, fate)))
            .sum()
    };
    let agreed = of(|fate| fate == Fate::Agreed);
    let compared = agreed + of(|fate| matches!(fate, Fate::Differs(_)));
    html! {
        p {
            @if compared == 0 { "No answer was compared yet, since this server began." } @else {
                strong { (percent(agreed, compared)) " agree" } ": "
                (count(agreed)) " of " (counted(compared, "answer", "answers")) " that were compared since this server began."
            }
            " " a href="/api/reshelve/shadow" { "The same with examples, as JSON" }
        }
        div.table tabindex="0" role="group" aria-label="Shadow reads by route" { table {
            caption { "Answers by route, and what came of comparing them" }
            thead { tr {
                th scope="col" { "Route" }
                th.number scope="col" { "Agree" }
                @for fate in Fate::ALL { th.number scope="col" { (word(fate)) } }
            } }
            tbody { @for route in RouteName::ALL {
                @let of = |fate| counts.of(route, fate);
                @let differ: u64 = Fate::ALL.into_iter().filter(|fate| matches!(fate, Fate::Differs(_))).map(of).sum();
                tr {
                    th scope="row" { (name(route.as_str())) }
                    td.number { (percent(of(Fate::Agreed), of(Fate::Agreed) + differ)) }
                    @for fate in Fate::ALL { td.number { (count(of(fate))) } }
                }
            } }
        } }
        p.soft { "What differs is put down to lag (the legacy document was changed since), edit (the target was), mapping (it was made with other decisions) or presenter (only its presentation differs)." }
    }
}

fn word(fate: Fate) -> String {
    match fate {
        Fate::Differs(cause) => format!("Differ: {}", cause.as_str()),
        fate => name(fate.as_str()),
    }
}

/// A share in per cent, rounded down: what does not agree wholly is never 100 %.
pub(super) fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "—".to_owned(),
        whole => {
            let tenths = u128::from(part) * 1_000 / u128::from(whole);
            format!("{} %", decimal(f64::from(u32::try_from(tenths).unwrap_or(0)) / 10.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_of_them_are_a_hundred_per_cent() {
        assert_eq!(percent(999_999, 1_000_000), "99.9 %");
        assert_eq!(percent(7, 7), "100 %");
        assert_eq!(percent(0, 0), "—");
        assert_eq!(percent(u64::MAX / 2, u64::MAX), "49.9 %");
    }
}
