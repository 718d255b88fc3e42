//! Which side answers: the switch that can be turned while requests are answered.

use std::fmt;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use reshelve::store::key_of;

/// One of the two sides of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The legacy documents, mapped when they are asked for.
    Legacy,
    /// The target documents.
    Normalized,
}

impl Side {
    /// Its word, in flags, headers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Legacy => "legacy",
            Side::Normalized => "normalized",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::Legacy => Side::Normalized,
            Side::Normalized => Side::Legacy,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A word that is no side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of legacy, normalized")]
pub struct UnknownSide;

impl FromStr for Side {
    type Err = UnknownSide;

    fn from_str(word: &str) -> Result<Self, UnknownSide> {
        [Side::Legacy, Side::Normalized]
            .into_iter()
            .find(|side| side.as_str() == word)
            .ok_or(UnknownSide)
    }
}

/// What a request asks for, as far as a side may be chosen for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RouteName {
    /// The list of jobs.
    List,
    /// A whole job.
    Detail,
    /// The events of a job; what subscribers are sent too.
    Events,
    /// The metrics of a job.
    Metrics,
    /// The metadata of a job.
    Metadata,
}

impl RouteName {
    /// All of them.
    pub const ALL: [RouteName; 5] = [
        RouteName::List,
        RouteName::Detail,
        RouteName::Events,
        RouteName::Metrics,
        RouteName::Metadata,
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            RouteName::List => "list",
            RouteName::Detail => "detail",
            RouteName::Events => "events",
            RouteName::Metrics => "metrics",
            RouteName::Metadata => "metadata",
        }
    }

    fn index(self) -> usize {
        match self {
            RouteName::List => 0,
            RouteName::Detail => 1,
            RouteName::Events => 2,
            RouteName::Metrics => 3,
            RouteName::Metadata => 4,
        }
    }
}

/// Which side answers what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persistence {
    /// What answers where nothing else is said.
    pub side: Side,
    /// For single routes.
    routes: [Option<Side>; 5],
    /// How many in a hundred jobs the normalised side answers, where the legacy side would.
    pub normalized_share: u8,
}

impl Persistence {
    /// Everything is answered by one side.
    pub fn of(side: Side) -> Self {
        Persistence { side, routes: [None; 5], normalized_share: 0 }
    }

    /// The same, with another side for a route.
    #[must_use]
    pub fn with_route(mut self, route: RouteName, side: Side) -> Self {
        self.routes[route.index()] = Some(side);
        self
    }

    /// The same, with a share of the jobs for the normalised side: the legacy side answers for the
    /// others, whatever was said before.
    #[must_use]
    pub fn with_share(mut self, normalized_share: u8) -> Self {
        self.normalized_share = normalized_share;
        if (1..100).contains(&normalized_share) {
            self.side = Side::Legacy;
        }
        self
    }

    /// The side of a route of its own, where it has one.
    pub fn route(&self, route: RouteName) -> Option<Side> {
        self.routes[route.index()]
    }

    /// The side that answers a request. A job is always answered by the same side as long as the
    /// switch is not turned, whoever asks; a growing share keeps those that it had.
    pub fn answering(&self, route: RouteName, job_id: Option<&str>) -> Side {
        let side = self.route(route).unwrap_or(self.side);
        let is_in_share = job_id.is_some_and(|id| place_in_hundred(id) < self.normalized_share);
        if is_in_share { Side::Normalized } else { side }
    }
}

impl fmt::Display for Persistence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.side.as_str())?;
        for route in RouteName::ALL {
            if let Some(side) = self.route(route) {
                write!(formatter, ", {}={side}", route.as_str())?;
            }
        }
        match self.normalized_share {
            0 => Ok(()),
            share => write!(formatter, ", normalized for {share} of a hundred jobs"),
        }
    }
}

/// What is to change of a switch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// What answers where nothing else is said. Who names it means everything: routes and the share
    /// that are not named with it are as if they had never been.
    pub side: Option<Side>,
    /// The single routes, all of them: others have no side of their own any more.
    pub routes: Option<Vec<(RouteName, Side)>>,
    /// How many in a hundred jobs the normalised side answers.
    pub normalized_share: Option<u8>,
}

impl Turn {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Turn::default()
    }

    /// How a switch stands after it.
    fn of(&self, now: Persistence) -> Persistence {
        let mut to = self.side.map_or(now, Persistence::of);
        if let Some(routes) = &self.routes {
            to.routes = [None; 5];
            to = routes.iter().fold(to, |to, (route, side)| to.with_route(*route, *side));
        }
        self.normalized_share.map_or(to, |share| to.with_share(share))
    }
}

/// A switch that was turned, though perhaps to where it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turned {
    /// How it stood.
    pub from: Persistence,
    /// How it stands.
    pub to: Persistence,
}

impl fmt::Display for Turned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from == self.to {
            true => write!(formatter, "stays at {}", self.to),
            false => write!(formatter, "from {} to {}", self.from, self.to),
        }
    }
}

/// Where a job stands in a hundred, from 0: always the same for one id.
fn place_in_hundred(job_id: &str) -> u8 {
    let key = key_of(job_id.as_bytes());
    let number = u32::from_be_bytes([key[0], key[1], key[2], key[3]]);
    u8::try_from(number % 100).unwrap_or(0)
}

/// The switch.
#[derive(Debug)]
pub(super) struct Switch(RwLock<Persistence>);

impl Switch {
    pub(super) fn new(persistence: Persistence) -> Self {
        Switch(RwLock::new(persistence))
    }

    /// How it stands now. Read once for a request: a request is answered by what it began with.
    pub(super) fn now(&self) -> Persistence {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns it. Of two that do so at once, one comes after the other.
    pub(super) fn turn(&self, turn: &Turn) -> Turned {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let from = *now;
        *now = turn.of(from);
        Turned { from, to: *now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growing_share_keeps_the_jobs_that_it_had() {
        let ids: Vec<String> = (0..4_000).map(|number| format!("job {number}")).collect();
        let of = |share: u8| -> Vec<&String> {
            let persistence =
                Persistence { normalized_share: share, ..Persistence::of(Side::Legacy) };
            let is_normalized = |id: &&String| {
                persistence.answering(RouteName::Detail, Some(id)) == Side::Normalized
            };
            ids.iter().filter(is_normalized).collect()
        };
        assert!(of(0).is_empty());
        let ten = of(10);
        assert!((300..500).contains(&ten.len()), "{}", ten.len());
        let half = of(50);
        assert!(ten.iter().all(|id| half.contains(id)));
        assert_eq!(of(100).len(), ids.len());
    }

    #[test]
    fn who_names_a_side_means_everything() {
        let switch = Switch::new(
            Persistence { normalized_share: 10, ..Persistence::of(Side::Legacy) }
                .with_route(RouteName::List, Side::Normalized),
        );
        let share = Turn { normalized_share: Some(20), ..Turn::default() };
        let told = "from legacy, list=normalized, normalized for 10 of a hundred jobs \
                    to legacy, list=normalized, normalized for 20 of a hundred jobs";
        assert_eq!(switch.turn(&share).to_string(), told);
        let routes = Turn { routes: Some(Vec::new()), ..Turn::default() };
        let expected = Persistence { normalized_share: 20, ..Persistence::of(Side::Legacy) };
        assert_eq!(switch.turn(&routes).to, expected);
        let side = Turn { side: Some(Side::Legacy), ..Turn::default() };
        assert_eq!(switch.turn(&side).to, Persistence::of(Side::Legacy));
        assert_eq!(switch.turn(&side).to_string(), "stays at legacy");
    }

    #[test]
    fn a_route_has_a_side_of_its_own() {
        let persistence =
            Persistence::of(Side::Legacy).with_route(RouteName::List, Side::Normalized);
        assert_eq!(persistence.answering(RouteName::List, None), Side::Normalized);
        assert_eq!(persistence.answering(RouteName::Detail, Some("x")), Side::Legacy);
        assert_eq!("normalized".parse(), Ok(Side::Normalized));
        assert_eq!("Legacy".parse::<Side>(), Err(UnknownSide));
    }
}
