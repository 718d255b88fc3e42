//! The command line of `snapshot`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use reshelve_app::snapshot::{Form, Request};

use super::password::SourcePassword;
use super::shared::{DryRun, Json, PickArgs};
use super::threads::ThreadsArgs;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SnapshotArgs {
    #[command(subcommand)]
    pub(crate) action: Option<SnapshotAction>,
    /// Legacy data: a .bson, .archive or .json file (also .gz, .zst), a mongodump folder, - for
    /// standard input, or a mongodb:// connection string
    #[arg(value_name = "SOURCE", env = "LEGACY_MONGODB_URI")]
    pub(crate) source: Option<PathBuf>,
    /// Where the snapshot goes: a folder, or an .archive file (also .gz, .zst), that is not there yet
    #[arg(value_name = "DEST", env = "RESHELVE_DEST")]
    pub(crate) dest: Option<PathBuf>,
    /// Form of the snapshot [default: by the name of DEST, else a mongodump folder]
    #[arg(long, value_name = "FORM", env = "RESHELVE_SNAPSHOT_FORM")]
    form: Option<FormName>,
    /// Do not compress the files
    #[arg(long, env = "RESHELVE_NO_GZIP")]
    no_gzip: bool,
    /// Do not read it again before it gets its name
    #[arg(long, env = "RESHELVE_NO_READ_BACK")]
    no_read_back: bool,
    /// Take documents of a dump that an oplog in it would change
    #[arg(long, env = "RESHELVE_IGNORE_OPLOG", help_heading = "Source")]
    ignore_oplog: bool,
    /// Take an empty standard input, or an empty pipe, for an empty collection
    #[arg(long, env = "RESHELVE_ALLOW_EMPTY", help_heading = "Source")]
    allow_empty: bool,
    #[command(flatten)]
    pick: PickArgs,
    #[command(flatten)]
    threads: ThreadsArgs,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) password: SourcePassword,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotAction {
    /// Read a snapshot again, and compare it with its manifest
    Verify(SnapshotVerifyArgs),
    /// List the snapshots in a folder
    List(SnapshotListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SnapshotVerifyArgs {
    /// The snapshot: a folder with snapshot.json in it, or an archive with it beside it
    #[arg(value_name = "DEST", env = "RESHELVE_DEST")]
    pub(crate) dest: PathBuf,
    #[command(flatten)]
    pub(crate) threads: ThreadsArgs,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct SnapshotListArgs {
    /// Folder that has snapshots in it, or is one
    #[arg(value_name = "FOLDER", env = "RESHELVE_SNAPSHOTS")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormName {
    /// As mongodump writes a folder
    Folder,
    /// As mongodump --archive writes a file
    Archive,
}

impl SnapshotArgs {
    /// The request of a snapshot of that source.
    pub(crate) fn request(&self, source: &Path, dest: &Path) -> Request {
        Request {
            source: self.pick.place(source, self.allow_empty),
            dest: dest.to_owned(),
            form: self.form.map(|form| match form {
                FormName::Folder => Form::Folder,
                FormName::Archive => Form::Archive,
            }),
            is_plain: self.no_gzip,
            read_back: !self.no_read_back,
            ignore_oplog: self.ignore_oplog,
            threads: self.threads.threads(),
        }
    }
}
