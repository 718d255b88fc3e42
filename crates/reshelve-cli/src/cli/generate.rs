//! The command line of `generate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use reshelve_app::generate::{Era, Eras, Fault, Metadata, Plan, Request, Size, Stage, Stages};

use super::shared::{DryRun, Json, RunsDir, only};

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Preset {
    /// Finished novels of all eras
    Standard,
    /// Every stage of every era, with the contradictions that stored documents hold
    Lifecycle,
    /// Story bibles, alerts, decisions, enhancements, costs
    Populated,
    /// What only other writers than the application store
    Foreign,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SizeName {
    /// 2 to 6 KB
    Small,
    /// About 30 KB
    Medium,
    /// About 110 KB
    Large,
    /// All of these sizes
    Mixed,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StageName {
    /// Nothing but a premise
    JustCreated,
    /// Waiting for the outline, or just outlined
    Outlining,
    /// Chapters are being written
    Writing,
    /// A chapter failed, and others are being written
    ChapterFailed,
    /// Every chapter is written
    Completed,
    /// Ended, with failed chapters
    CompletedWithFailures,
    /// Given up
    Failed,
    /// Being recovered after a crash
    Recovering,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum MetadataName {
    /// The application's own defaults
    Defaults,
    /// Story bibles, alerts, decisions …
    Populated,
    /// Both
    Mixed,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FaultName {
    /// Cut off within the last document
    TruncateLast,
    /// Cut off in the middle
    Truncate,
    /// Text that is not UTF-8: one document becomes malformed
    InvalidText,
    /// A changed text that only a checksum detects
    ChangedText,
    /// An impossible length
    BrokenLength,
    /// One flipped byte anywhere
    FlippedByte,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Where to write: x.bson, x.bson.gz, x.archive, x.jsonl, x.json …, or a folder
    #[arg(value_name = "OUT", env = "RESHELVE_OUT", required_unless_present = "out_flag")]
    out: Option<PathBuf>,
    /// The same as OUT
    #[arg(short = 'o', long = "out", value_name = "OUT")]
    out_flag: Option<PathBuf>,
    /// Number of documents
    #[arg(long, value_name = "N", env = "RESHELVE_DOCUMENTS", default_value_t = 1000)]
    pub(crate) documents: u64,
    /// Seed: the same one gives the same bytes
    #[arg(long, value_name = "N", env = "RESHELVE_SEED", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Kind of collection
    #[arg(
        long,
        value_name = "KIND",
        env = "RESHELVE_PRESET",
        help_heading = "Documents",
        default_value = "standard"
    )]
    pub(crate) preset: Preset,
    /// Size of the documents
    #[arg(
        long,
        value_name = "SIZE",
        env = "RESHELVE_SIZE",
        help_heading = "Documents",
        conflicts_with = "document_bytes"
    )]
    pub(crate) size: Option<SizeName>,
    /// Approximate size of each document, in bytes
    #[arg(long, value_name = "N", env = "RESHELVE_DOCUMENT_BYTES", help_heading = "Documents")]
    pub(crate) document_bytes: Option<u32>,
    /// Only documents of this era, 1 to 5
    #[arg(long, value_name = "N", env = "RESHELVE_ERA", help_heading = "Documents",
        value_parser = clap::value_parser!(u32).range(1..=5))]
    pub(crate) era: Option<u32>,
    /// Only documents at this stage of their life
    #[arg(long, value_name = "STAGE", env = "RESHELVE_STAGE", help_heading = "Documents")]
    pub(crate) stage: Option<StageName>,
    /// What the metadata holds
    #[arg(long, value_name = "WHAT", env = "RESHELVE_METADATA", help_heading = "Documents")]
    pub(crate) metadata: Option<MetadataName>,
    /// Leave out jobs in flight
    #[arg(long, env = "RESHELVE_NO_IN_FLIGHT", help_heading = "Documents")]
    pub(crate) no_in_flight: bool,
    /// Include the contradictions that stored documents hold
    #[arg(long, env = "RESHELVE_LIES", help_heading = "Documents")]
    pub(crate) lies: bool,
    /// Include what only other writers than the application store
    #[arg(long, env = "RESHELVE_FOREIGN", help_heading = "Documents")]
    pub(crate) foreign: bool,
    /// Form, if the name does not show it: bson, folder, archive, lines, relaxed-array …
    #[arg(long, value_name = "FORM", env = "RESHELVE_FORM")]
    pub(crate) form: Option<String>,
    /// Damage what was written
    #[arg(long, value_name = "FAULT", env = "RESHELVE_FAULT")]
    pub(crate) fault: Option<FaultName>,
    /// Replace what is there
    #[arg(long, env = "RESHELVE_OVERWRITE")]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

impl GenerateArgs {
    pub(crate) fn out(&self) -> PathBuf {
        only(self.out_flag.as_ref(), self.out.as_ref())
    }

    pub(crate) fn request(&self) -> Request {
        Request {
            out: self.out(),
            form: self.form.clone(),
            overwrite: self.overwrite,
            plan: self.plan(),
            fault: self.fault.map(FaultName::fault),
            runs_folder: self.runs.runs_dir.clone(),
        }
    }

    fn plan(&self) -> Plan {
        let mut plan = self.preset.plan(self.seed, self.documents);
        if let Some(size) = self.size {
            plan.size = size.size();
        }
        if let Some(bytes) = self.document_bytes {
            plan.size = Size::Bytes(bytes);
        }
        if let Some(era) = self.era.and_then(Era::from_number) {
            plan.eras = Eras::Only(era);
        }
        if let Some(stage) = self.stage {
            plan.stages = Stages::Only(stage.stage());
        }
        if let Some(metadata) = self.metadata {
            plan.metadata = metadata.metadata();
        }
        plan.in_flight &= !self.no_in_flight;
        plan.lies |= self.lies;
        plan.foreign |= self.foreign;
        plan
    }
}

impl Preset {
    fn plan(self, seed: u64, documents: u64) -> Plan {
        match self {
            Preset::Standard => Plan::standard(seed, documents),
            Preset::Lifecycle => Plan::lifecycle(seed, documents),
            Preset::Populated => Plan::populated(seed, documents),
            Preset::Foreign => Plan::foreign(seed, documents),
        }
    }
}

impl SizeName {
    fn size(self) -> Size {
        match self {
            SizeName::Small => Size::Small,
            SizeName::Medium => Size::Medium,
            SizeName::Large => Size::Large,
            SizeName::Mixed => Size::Mixed,
        }
    }
}

impl StageName {
    fn stage(self) -> Stage {
        match self {
            StageName::JustCreated => Stage::JustCreated,
            StageName::Outlining => Stage::Outlining,
            StageName::Writing => Stage::Writing,
            StageName::ChapterFailed => Stage::ChapterFailed,
            StageName::Completed => Stage::Completed,
            StageName::CompletedWithFailures => Stage::CompletedWithFailures,
            StageName::Failed => Stage::Failed,
            StageName::Recovering => Stage::Recovering,
        }
    }
}

impl MetadataName {
    fn metadata(self) -> Metadata {
        match self {
            MetadataName::Defaults => Metadata::Defaults,
            MetadataName::Populated => Metadata::Populated,
            MetadataName::Mixed => Metadata::Mixed,
        }
    }
}

impl FaultName {
    fn fault(self) -> Fault {
        match self {
            FaultName::TruncateLast => Fault::TruncateLast,
            FaultName::Truncate => Fault::TruncateAt(500),
            FaultName::InvalidText => Fault::InvalidText,
            FaultName::ChangedText => Fault::ChangedText,
            FaultName::BrokenLength => Fault::BrokenLength,
            FaultName::FlippedByte => Fault::FlippedByte,
        }
    }
}
