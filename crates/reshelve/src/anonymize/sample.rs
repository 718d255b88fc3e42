//! A small sample with every kind in it: documents are told apart by status, era, warnings and
//! reject, and each kind gives as many as the others, as far as it has them.

use std::collections::{BTreeMap, BTreeSet};

use super::check::verdict;
use super::key::Key;
use reshelve_core::mapping::{FirstLook, Outcome, Status, WarningCode};
use reshelve_core::raw::{Document, Value};

/// The kind of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stratum {
    status: String,
    era: u8,
    /// Codes of warnings, each once, and of the reject.
    codes: Vec<&'static str>,
}

impl Stratum {
    pub(super) fn of(document: Document<'_>, outcome: &Outcome) -> Stratum {
        let look = FirstLook::at(document);
        // A status that is not known is one kind, whatever it says.
        let known =
            look.status.and_then(Value::string).filter(|it| Status::of_legacy(it).is_some());
        let status = known.map_or_else(String::new, |it| String::from_utf8_lossy(it).into_owned());
        let verdict = verdict(outcome);
        let mut codes: Vec<&'static str> =
            verdict.warnings.into_iter().map(WarningCode::as_str).collect();
        codes.dedup();
        codes.extend(verdict.reject.map(|code| code.as_str()));
        Stratum { status, era: look.era, codes }
    }

    /// Everything that it is an example of.
    fn kinds(&self) -> Vec<String> {
        let mut kinds = vec![format!("status {}", self.status), format!("era {}", self.era)];
        kinds.extend(self.codes.iter().map(|code| format!("code {code}")));
        kinds
    }
}

/// Ranks and positions, lowest rank first.
type Members = BTreeSet<([u8; 8], u64)>;

/// Documents by kind; of each kind the first ones in an order that the key draws.
pub(super) struct Sample {
    size: usize,
    key: Key,
    strata: BTreeMap<Stratum, Members>,
    held: usize,
}

impl Sample {
    pub(super) fn new(size: usize, key: &Key) -> Sample {
        let key = key.derive("sample", &[]);
        Sample { size, key, strata: BTreeMap::new(), held: 0 }
    }

    pub(super) fn add(&mut self, position: u64, stratum: Stratum) {
        let rank = self.key.draw("rank", &[&position.to_le_bytes()]).bytes();
        self.strata.entry(stratum).or_default().insert((rank, position));
        self.held += 1;
        if self.held > self.size.saturating_mul(4).max(1_000) {
            self.prune();
        }
    }

    /// How many each kind gives if all give as many as they can, and no more than are wanted are
    /// taken. It only falls while more documents come.
    fn level(&self) -> usize {
        let sizes: Vec<usize> = self.strata.values().map(BTreeSet::len).collect();
        let taken = |level: usize| sizes.iter().map(|size| level.min(*size)).sum::<usize>();
        let (mut enough, mut most) = (1, self.size.max(1));
        while enough < most {
            let middle = (enough + most).div_ceil(2);
            if taken(middle) <= self.size { enough = middle } else { most = middle - 1 }
        }
        enough
    }

    /// Drops what cannot be chosen any more.
    fn prune(&mut self) {
        let kept = self.level() + 1;
        for members in self.strata.values_mut() {
            while members.len() > kept {
                members.pop_last();
                self.held -= 1;
            }
        }
    }

    /// The positions of the chosen documents.
    pub(super) fn choose(self) -> BTreeSet<u64> {
        let mut chosen = BTreeSet::new();
        let mut seen = BTreeSet::new();
        // First one of every kind, the rarest first.
        let mut by_size: Vec<(&Stratum, &Members)> = self.strata.iter().collect();
        by_size.sort_by_key(|(stratum, members)| (members.len(), *stratum));
        for (stratum, members) in &by_size {
            let known = seen.len();
            seen.extend(stratum.kinds());
            let is_new = seen.len() > known;
            if is_new && chosen.len() < self.size {
                chosen.extend(members.first().map(|(_, position)| *position));
            }
        }
        // Then one of each in turn.
        let mut turn: Vec<_> = by_size.iter().map(|(_, members)| members.iter()).collect();
        while chosen.len() < self.size && !turn.is_empty() {
            turn.retain_mut(|members| {
                let Some((_, position)) = members.next() else { return false };
                if chosen.len() < self.size {
                    chosen.insert(*position);
                }
                true
            });
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stratum(status: &str, codes: &[&'static str]) -> Stratum {
        Stratum { status: status.to_owned(), era: 5, codes: codes.to_vec() }
    }

    #[test]
    fn every_kind_is_in_a_sample() {
        let key = Key::parse(&"c".repeat(64)).unwrap();
        let kind_of = |position: u64| match position {
            777 => stratum("failed", &["cost-drift"]),
            3_000..=3_009 => stratum("writing", &[]),
            _ => stratum("completed", &[]),
        };
        let mut sample = Sample::new(20, &key);
        for position in 0..10_000 {
            sample.add(position, kind_of(position));
        }
        assert!(sample.held < 2_000, "memory does not grow with the source");
        let chosen = sample.choose();
        assert_eq!(chosen.len(), 20);
        assert!(chosen.contains(&777));
        let of = |status: &str| chosen.iter().filter(|it| kind_of(**it).status == status).count();
        assert!(of("writing") >= 9 && of("completed") >= 9, "{chosen:?}");
    }

    #[test]
    fn fewer_documents_than_wanted_are_all_chosen() {
        let key = Key::parse(&"c".repeat(64)).unwrap();
        let mut sample = Sample::new(20, &key);
        (0..5).for_each(|position| sample.add(position, stratum("completed", &[])));
        assert_eq!(sample.choose().len(), 5);
    }
}
