//! What to generate: sizes, eras, stages, and how much of the real world's disorder.

/// How large a finished novel is. A document in an earlier stage is smaller, because it has less
/// text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// 2 to 6 KB.
    Small,
    /// About 30 KB.
    #[default]
    Medium,
    /// About 110 KB: the size of the application's finished novels.
    Large,
    /// Half small, a third medium, the rest large.
    Mixed,
    /// About this many bytes; below 2 000 there is little that can be left out.
    Bytes(u32),
}

/// One of the five shapes that stored documents went through in 2025.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Era {
    /// Chapters without a status; `finalization`, `completedAt`, `qualityMetrics`.
    One,
    /// Chapter slots with status and attempts; failure fields in `progress`.
    Two,
    /// The phase `completed`.
    Three,
    /// `humanLikeWriting`.
    Four,
    /// `metadata` with its defaults.
    Five,
}

impl Era {
    /// All of them, in order.
    pub const ALL: [Era; 5] = [Era::One, Era::Two, Era::Three, Era::Four, Era::Five];

    /// The era of that number, 1 to 5.
    pub fn from_number(number: u32) -> Option<Era> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        Era::ALL.get(index).copied()
    }
}

/// Which eras occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eras {
    /// All, the last one most.
    #[default]
    Mix,
    /// One alone.
    Only(Era),
}

/// The stage of life of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// `planning`, nothing written yet.
    JustCreated,
    /// `outlining`, the outline there or not.
    Outlining,
    /// `writing`, some chapters there.
    Writing,
    /// `writing`, and a chapter has failed for good. There is none in era 1, which gives
    /// [`Stage::Writing`] instead.
    ChapterFailed,
    /// `completed`.
    Completed,
    /// `completed`, with failed chapters. Era 1 gives [`Stage::Completed`] instead.
    CompletedWithFailures,
    /// `failed`, in any phase.
    Failed,
    /// `recovering`.
    Recovering,
}

impl Stage {
    /// All of them, in order of life.
    pub const ALL: [Stage; 8] = [
        Stage::JustCreated,
        Stage::Outlining,
        Stage::Writing,
        Stage::ChapterFailed,
        Stage::Completed,
        Stage::CompletedWithFailures,
        Stage::Failed,
        Stage::Recovering,
    ];

    /// Whether the mapping calls a document in this stage in flight.
    pub fn in_flight(self) -> bool {
        !matches!(self, Stage::Completed | Stage::CompletedWithFailures | Stage::Failed)
    }
}

/// Which stages occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stages {
    /// All; those in flight only where [`Plan::in_flight`] says so.
    #[default]
    Mix,
    /// Finished novels: completed, one in eight with failed chapters.
    Finished,
    /// One alone, in flight or not.
    Only(Stage),
}

/// What `metadata` holds in the documents that have it (era 5, and older ones saved again).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metadata {
    /// The defaults, as in every document that the application itself wrote.
    #[default]
    Defaults,
    /// Story bible, alerts, decisions, enhancements, costs: as the schema allows.
    Populated,
    /// Some of each.
    Mixed,
}

/// What to generate. Every document depends only on this and on its index, so any slice can be
/// generated again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Names the data.
    pub seed: u64,
    /// How many documents.
    pub documents: u64,
    /// How large a finished novel is.
    pub size: Size,
    /// Which eras occur.
    pub eras: Eras,
    /// Which stages occur.
    pub stages: Stages,
    /// What `metadata` holds.
    pub metadata: Metadata,
    /// Whether the mix contains documents in flight.
    pub in_flight: bool,
    /// Whether some documents lie: a status against the evidence, stale or drifted counts and
    /// costs, chapter numbers twice, old documents saved by newer code.
    pub lies: bool,
    /// Whether some documents come from a foreign writer: fields that the application dropped,
    /// other statuses, ids and number types, values of a wrong type.
    pub foreign: bool,
}

impl Plan {
    /// Finished novels of all eras, as the application wrote them.
    pub fn standard(seed: u64, documents: u64) -> Plan {
        Plan {
            seed,
            documents,
            size: Size::Medium,
            eras: Eras::Mix,
            stages: Stages::Finished,
            metadata: Metadata::Defaults,
            in_flight: false,
            lies: false,
            foreign: false,
        }
    }

    /// Every stage of every era, lies included.
    pub fn lifecycle(seed: u64, documents: u64) -> Plan {
        Plan {
            size: Size::Small,
            stages: Stages::Mix,
            in_flight: true,
            lies: true,
            ..Plan::standard(seed, documents)
        }
    }

    /// Every stage of era 5, with populated metadata.
    pub fn populated(seed: u64, documents: u64) -> Plan {
        Plan {
            eras: Eras::Only(Era::Five),
            metadata: Metadata::Populated,
            ..Plan::lifecycle(seed, documents)
        }
    }

    /// Everything that a foreign writer may have left behind.
    pub fn foreign(seed: u64, documents: u64) -> Plan {
        Plan { metadata: Metadata::Mixed, foreign: true, ..Plan::lifecycle(seed, documents) }
    }
}
