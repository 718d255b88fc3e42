//! What stands of a job, collection by collection.

use super::own::OwnDocuments;
use crate::ends::{Edit, OwnJob, Standing};
use crate::target_schema::Collection;

/// What stands of a job in one collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Part {
    /// Nothing, and the run wrote something.
    Absent,
    /// What the run wrote.
    Same,
    /// Some of the events that the run wrote, and nothing else.
    Fewer,
    /// Other content under the same ids.
    Changed,
    /// Documents that the run did not write.
    More,
}

impl Part {
    /// All of them, in the order of their numbers.
    const ALL: [Part; 5] = [Part::Absent, Part::Same, Part::Fewer, Part::Changed, Part::More];

    /// The one with this number; [`Part::More`], which stops everything, for an unknown one.
    pub fn of(number: u8) -> Part {
        Part::ALL.into_iter().find(|part| part.number() == number).unwrap_or(Part::More)
    }

    /// Its number.
    #[expect(clippy::as_conversions, reason = "the number of a variant")]
    pub fn number(self) -> u8 {
        self as u8
    }

    fn edit(self) -> Option<&'static str> {
        match self {
            Part::Same => None,
            Part::Absent => Some("is missing"),
            Part::Fewer => Some("lacks events that the run wrote"),
            Part::Changed => Some("was changed"),
            Part::More => Some("holds a document of it that the run did not write"),
        }
    }
}

impl OwnDocuments {
    /// What these documents, all that a collection holds of the job, are.
    pub fn part(&self, collection: Collection, documents: &[&[u8]]) -> Part {
        let OwnJob { wrote, .. } = &self.job;
        if documents.is_empty() {
            let has_none = collection == Collection::Events && wrote.events == 0;
            return if has_none { Part::Same } else { Part::Absent };
        }
        if collection != Collection::Events {
            return match documents {
                [one] if wrote.is(collection, one) => Part::Same,
                [_] => Part::Changed,
                _ => Part::More,
            };
        }
        let events = usize::try_from(wrote.events).unwrap_or(usize::MAX);
        match self.events().in_order(documents).filter(|found| found.len() <= events) {
            None => Part::More,
            Some(found) if found.len() < events => Part::Fewer,
            Some(found) if wrote.is(collection, &found.concat()) => Part::Same,
            Some(_) => Part::Changed,
        }
    }
}

/// What may be left of a job that a killed process was writing, or taking back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// No process was at work on it.
    No,
    /// Any of its parts, but each as a whole.
    Parts,
    /// Any of its parts, and any of its events.
    Events,
}

/// Whether nothing stands there but what the run wrote, or a part of it: what is left of a job when
/// what there was before the run is not counted.
pub fn are_own(parts: &[Part; 4]) -> bool {
    parts.iter().all(|part| matches!(part, Part::Absent | Part::Same | Part::Fewer))
}

/// What stands of a job, from what stands in each collection. Of a job that may be half written or
/// half taken back, the job document itself came last or went first: any of the parts may stand.
/// Where some of the events are gone and no process can have left that, somebody has removed them,
/// and may have changed the others: their content cannot be told without all of them.
pub fn of_job(job: &OwnJob, parts: [Part; 4], half: Half) -> Standing {
    let is_nothing = |collection: Collection| match parts[collection.index()] {
        Part::Absent => true,
        // It has none.
        Part::Same => collection == Collection::Events && job.wrote.events == 0,
        _ => false,
    };
    if Collection::ALL.into_iter().all(is_nothing) {
        return Standing::Gone;
    }
    let has_no_job = parts[Collection::Jobs.index()] == Part::Absent;
    let is_remnant = |part: &Part| match part {
        Part::Absent | Part::Same => true,
        Part::Fewer => half == Half::Events,
        Part::Changed | Part::More => false,
    };
    if half != Half::No && has_no_job && parts.iter().all(is_remnant) {
        return Standing::AsWritten;
    }
    let edit = |collection: Collection| {
        let what = parts[collection.index()].edit()?;
        Some(Edit { collection, what })
    };
    match Collection::ALL.into_iter().find_map(edit) {
        Some(edit) => Standing::Edited(edit),
        None => Standing::AsWritten,
    }
}
