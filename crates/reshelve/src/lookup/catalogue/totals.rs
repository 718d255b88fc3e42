//! What the jobs of a catalogue add up to, while they are added to it.

use std::collections::BTreeMap;

use super::NAMES_MAX;
use super::facts::{Extras, Facts};
use super::record::{NO_RESPONSE, Record, beginning, bit};
use crate::ends::{JobStage, JobSums, JobTotals};

/// How many days are told apart: some eleven years of them.
const DAYS_MAX: usize = 4_000;
/// How much of the name of a model is kept.
const MODEL_BYTES: usize = 80;
const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Default)]
pub(super) struct TotalsMaker {
    totals: JobTotals,
    days: BTreeMap<i64, JobSums>,
    statuses: BTreeMap<String, JobSums>,
    genres: BTreeMap<String, JobSums>,
    eras: BTreeMap<u8, JobSums>,
    /// In the order in which they were found, which is by what records name them.
    models: Vec<(String, JobSums)>,
    no_model: JobSums,
}

impl TotalsMaker {
    /// Takes a job into account; `record` is what is kept of it. Returns what the record names its
    /// models by.
    pub(super) fn add(
        &mut self,
        record: &Record<'_>,
        facts: &Facts<'_>,
        extras: &Extras,
    ) -> [u8; 3] {
        let sums = JobSums {
            jobs: 1,
            failed: u64::from(record.status == b"failed"),
            cost_usd: extras.spent.total_usd,
            tokens: extras.spent.total_tokens,
        };
        let totals = &mut self.totals;
        totals.all += sums;
        if record.created_ms == i64::MIN {
            totals.undated += sums;
        } else {
            add(&mut self.days, record.created_ms.div_euclid(DAY_MS), DAYS_MAX, sums);
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        add(&mut self.statuses, text(record.status), NAMES_MAX, sums);
        add(&mut self.genres, text(record.genre), NAMES_MAX, sums);
        if record.era != 0 {
            add(&mut self.eras, record.era, NAMES_MAX, sums);
        }
        totals.in_flight += u64::from(record.has(bit::IN_FLIGHT));
        totals.with_failures += u64::from(record.has(bit::FAILURES));
        totals.with_failed_chapters += u64::from(record.has(bit::FAILED_CHAPTERS));
        totals.failed_chapters += facts.failed_chapters;
        totals.with_alerts += u64::from(record.has(bit::ALERTS));
        for (sums, alerts) in totals.alerts.iter_mut().zip(extras.alerts) {
            sums.jobs += u64::from(alerts > 0);
            sums.alerts += u64::from(alerts);
        }
        if record.response != NO_RESPONSE {
            let response = &mut totals.responses[usize::from(record.response)];
            response.jobs += 1;
            response.sum_ms += extras.response_ms.unwrap_or(0.0);
        }
        self.add_stages(record, facts, extras, sums)
    }

    fn add_stages(
        &mut self,
        record: &Record<'_>,
        facts: &Facts<'_>,
        extras: &Extras,
        job: JobSums,
    ) -> [u8; 3] {
        let mut used = [0; 3];
        for stage in JobStage::ALL {
            let at = stage.index();
            let (cost_usd, tokens, elapsed_ms) = extras.spent.stage(stage);
            let has_spent = record.has(bit::FIRST_STAGE << at);
            let stage = &mut self.totals.stages[at];
            stage.timed += u64::from(elapsed_ms > 0.0);
            stage.elapsed_ms += elapsed_ms;
            let spent = JobSums { jobs: 0, failed: 0, cost_usd, tokens };
            if has_spent {
                stage.sums += JobSums { cost_usd, tokens, ..job };
            }
            let Some(model) = facts.models.get(at).copied().flatten() else {
                self.no_model += spent;
                continue;
            };
            let Some(index) = self.model(model) else { continue };
            let is_first = !used.contains(&index);
            used[at] = index;
            let sums = &mut self.models[usize::from(index) - 1].1;
            *sums += if is_first { JobSums { cost_usd, tokens, ..job } } else { spent };
        }
        if record.has(bit::NO_MODEL) {
            self.no_model += JobSums { cost_usd: 0.0, tokens: 0.0, ..job };
        }
        used
    }

    /// The place of a model in the list, from 1; none where there are too many.
    fn model(&mut self, name: &[u8]) -> Option<u8> {
        let name = String::from_utf8_lossy(beginning(name, MODEL_BYTES));
        let at = match self.models.iter().position(|(known, _)| *known == name) {
            Some(at) => at,
            None if self.models.len() < NAMES_MAX => {
                self.models.push((name.into_owned(), JobSums::default()));
                self.models.len() - 1
            }
            None => return None,
        };
        u8::try_from(at + 1).ok()
    }

    /// The totals, and the models in the order of the places by which records name them.
    pub(super) fn finish(self) -> (JobTotals, Vec<String>) {
        let TotalsMaker { mut totals, days, statuses, genres, eras, mut models, no_model } = self;
        let names = models.iter().map(|(name, _)| name.clone()).collect();
        if no_model.jobs > 0 {
            models.push((String::new(), no_model));
        }
        models.sort_by(|one, other| one.0.cmp(&other.0));
        totals.days = days.into_iter().collect();
        totals.statuses = statuses.into_iter().collect();
        totals.genres = genres.into_iter().collect();
        totals.eras = eras.into_iter().collect();
        totals.models = models;
        (totals, names)
    }
}

fn add<K: Ord>(all: &mut BTreeMap<K, JobSums>, key: K, names_max: usize, sums: JobSums) {
    if let Some(known) = all.get_mut(&key) {
        *known += sums;
    } else if all.len() < names_max {
        all.insert(key, sums);
    }
}
