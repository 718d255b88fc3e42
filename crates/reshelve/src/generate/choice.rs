//! What the plan leaves open, decided for one document.

use super::{
    plan::{Era, Eras, Plan, Size, Stage, Stages},
    rng::Rng,
};

/// When each era begins, and when the last one ends, in seconds since the epoch. The deployments
/// were at 2025-07-19 00:00, 07-21 19:47, 20:54, 21:51 and 07-23 20:06, all UTC-8.
const ERA_STARTS: [u32; 6] =
    [1_752_912_000, 1_753_156_020, 1_753_160_040, 1_753_163_460, 1_753_329_960, 1_759_190_400];

/// When the job was created: within its era.
pub(super) fn created_ms(era: Era, rng: &mut Rng) -> i64 {
    let (first, last) = match era {
        Era::One => (ERA_STARTS[0], ERA_STARTS[1]),
        Era::Two => (ERA_STARTS[1], ERA_STARTS[2]),
        Era::Three => (ERA_STARTS[2], ERA_STARTS[3]),
        Era::Four => (ERA_STARTS[3], ERA_STARTS[4]),
        Era::Five => (ERA_STARTS[4], ERA_STARTS[5]),
    };
    i64::from(rng.between(first, last - 1)) * 1_000 + i64::from(rng.between(0, 999))
}

/// The stage of the document.
pub(super) fn stage(plan: &Plan, rng: &mut Rng) -> Stage {
    use Stage::{
        ChapterFailed, Completed, CompletedWithFailures, Failed, JustCreated, Outlining,
        Recovering, Writing,
    };
    match plan.stages {
        Stages::Only(stage) => stage,
        Stages::Finished => {
            if rng.chance(12) {
                CompletedWithFailures
            } else {
                Completed
            }
        }
        Stages::Mix if plan.in_flight => rng.pick(&[
            JustCreated,
            Outlining,
            Outlining,
            Writing,
            Writing,
            ChapterFailed,
            Completed,
            Completed,
            Completed,
            Completed,
            Completed,
            CompletedWithFailures,
            CompletedWithFailures,
            Failed,
            Failed,
            Recovering,
        ]),
        Stages::Mix => rng.pick(&[Completed, Completed, Completed, CompletedWithFailures, Failed]),
    }
}

/// The era of the document.
pub(super) fn era(plan: &Plan, stage: Stage, rng: &mut Rng) -> Era {
    match plan.eras {
        Eras::Only(era) => era,
        // Failed chapters were first recorded in era 2.
        Eras::Mix if matches!(stage, Stage::ChapterFailed | Stage::CompletedWithFailures) => {
            rng.pick(&[Era::Two, Era::Three, Era::Four, Era::Four, Era::Five, Era::Five])
        }
        Eras::Mix => rng.pick(&[
            Era::One,
            Era::One,
            Era::Two,
            Era::Three,
            Era::Four,
            Era::Four,
            Era::Five,
            Era::Five,
            Era::Five,
            Era::Five,
        ]),
    }
}

/// How large the document would be if the novel were finished.
pub(super) fn bytes(size: Size, rng: &mut Rng) -> usize {
    let bytes = match size {
        Size::Small => rng.between(2_100, 5_900),
        Size::Medium => rng.between(24_000, 36_000),
        Size::Large => rng.between(90_000, 130_000),
        Size::Bytes(bytes) => bytes,
        Size::Mixed => {
            let sizes =
                [Size::Small, Size::Small, Size::Small, Size::Medium, Size::Medium, Size::Large];
            return bytes_of(rng.pick(&sizes), rng);
        }
    };
    usize::try_from(bytes).unwrap_or(0)
}

/// The size is not a mixture here, so this does not recurse further.
fn bytes_of(size: Size, rng: &mut Rng) -> usize {
    bytes(size, rng)
}

/// How many chapters a novel of that many bytes has.
pub(super) fn chapters_for(bytes: usize, rng: &mut Rng) -> u32 {
    match bytes {
        0..2_600 => 1,
        2_600..3_900 => 1 + rng.between(0, 1),
        3_900..8_000 => rng.between(2, 3),
        8_000..20_000 => rng.between(4, 7),
        20_000..60_000 => rng.between(7, 12),
        _ => rng.between(14, 26),
    }
}
