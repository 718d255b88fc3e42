//! The help beyond the definition: which options the short one leaves out, examples, environment,
//! files, exit codes. A test runs the examples.

use clap::Command;

/// The groups of options that the short help leaves out …
const RARE_GROUPS: [&str; 3] = ["Speed", "Throttle", "Passwords"];
/// … and single options.
const RARE: [&str; 23] = [
    "allow_empty",
    "api_token_file",
    "color",
    "document_bytes",
    "dry_run",
    "fail_fast",
    "foreign",
    "ignore_oplog",
    "lies",
    "metadata",
    "no_progress",
    "on_unknown_status",
    "only_rejects",
    "quiet",
    "read_preference",
    "skip_disk_check",
    "stage",
    "status_policy",
    "take_over",
    "tolerance_tokens",
    "tolerance_usd",
    "verbose",
    "zstd",
];

/// A definition with the variables in the long help alone, and with rare options there too: the
/// short help fits on a screen.
pub(super) fn dressed(command: Command, may_be_called: &dyn Fn(&str) -> bool) -> Command {
    // Its limits are all that it takes.
    let is_throttle = command.get_name() == "throttle";
    let reads_again = command.get_name() == "rehearse";
    let command = command.mut_args(|argument| {
        let argument = if reads_again { of_files(argument) } else { argument };
        let is_limit = argument.get_help_heading() == Some("Throttle");
        let is_rare = !(is_throttle && is_limit) && is_rare(&argument);
        let argument = argument.hide_short_help(is_rare);
        let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
        let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string);
        match (variable, help) {
            (Some(variable), Some(help)) => {
                argument.hide_env(true).long_help(format!("{help}\n\n[env: {variable}]"))
            }
            _ => argument,
        }
    });
    let names = command.get_subcommands().map(Command::get_name);
    let names: Vec<String> = names.filter(|name| may_be_called(name)).map(str::to_owned).collect();
    names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, |sub| dressed(sub, &|_| true)))
}

/// An argument of a command that reads its source several times: there is no standard input.
fn of_files(argument: clap::Arg) -> clap::Arg {
    match argument.get_id().as_str() {
        "source" => argument.help(
            "Legacy data: a .bson, .archive or .json file (also .gz, .zst), a mongodump folder, \
             or a mongodb:// connection string; it is read several times",
        ),
        "allow_empty" => argument.hide(true),
        _ => argument,
    }
}

fn is_rare(argument: &clap::Arg) -> bool {
    RARE.contains(&argument.get_id().as_str())
        || argument.get_help_heading().is_some_and(|heading| RARE_GROUPS.contains(&heading))
}

pub(super) const ALL: &str = "\
Examples:
  reshelve demo
  reshelve profile dump
  reshelve run dump out
  reshelve run dump out --apply --in-flight include
  reshelve verify dump out

Environment:
  Every option has a variable, which its help names. The command line comes first, then the
  variables, then the settings file, then the defaults.
  LEGACY_MONGODB_URI  the source, where a command takes one
  TARGET_MONGODB_URI  the target
  DRY_RUN             true refuses every command that would write
  RESHELVE_CONFIG     the settings file
  NO_COLOR            no colour, whatever the terminal; CLICOLOR_FORCE: colour in pipes too

Files:
  reshelve.toml       settings: long options as keys, commands as tables
  .reshelve/runs      a folder for each run: plan, checkpoint, rejects, report

Exit codes:
  0  done
  1  could not finish: damaged source, I/O error, a bug
  2  usage error: the command line is not valid
  3  refused; nothing was changed
  4  run or resume is done, but with rejects
  5  a comparison does not hold: verify, shadow, crosscheck, rehearse, anonymize,
     snapshot verify; run, resume: a plan was not reached
  6  interrupted; runs and rollbacks can be resumed";

pub(super) const DEMO: &str = "\
Examples:
  reshelve demo
  reshelve demo --dir small-demo --documents 30";

pub(super) const INSPECT: &str = "\
Examples:
  reshelve inspect dump
  reshelve inspect dump --json
  reshelve inspect mongodb://localhost/letswriteabook
  reshelve inspect mongodb://localhost/letswriteabook --print-role target";

pub(super) const PROFILE: &str = "\
Examples:
  reshelve profile dump
  reshelve profile dump --all
  reshelve profile dump --json";

pub(super) const RUN: &str = "\
Examples:
  reshelve run dump out
  reshelve run dump out --apply --in-flight include
  reshelve run dump out-gzip --apply --in-flight skip --gzip
  reshelve run dump out-some --limit 10
  reshelve run dump out-plan --in-flight include --save-plan plan.json
  reshelve run dump out-plan --plan plan.json --apply

Files:
  .reshelve/runs/RUN  the run folder: run.json, checkpoint.json, rejects.jsonl, report.json
  FILE.keys           beside a plan: the hash of every document; FILE.used: who has used it

Exit codes:
  0  done
  3  refused; nothing was changed
  4  done, but with rejects, or stopped at the first one with --fail-fast
  5  done, but the target does not hold what the plan says
  6  interrupted; `reshelve resume` continues it";

pub(super) const PLAN: &str = "\
Examples:
  reshelve run dump out-plan --in-flight include --save-plan approved.json
  reshelve plan show approved.json
  reshelve plan show approved.json --json

Exit codes:
  0  done
  3  the plan was edited";

pub(super) const SERVE: &str = "\
Examples:
  reshelve serve out
  reshelve serve dump
  reshelve serve --legacy dump --normalized out --persistence legacy
  reshelve serve --legacy dump --normalized out --persistence legacy --normalized-share 10

Environment:
  USE_NORMALIZED_PERSISTENCE  true: the normalised side answers; false: the legacy side

It serves until Ctrl-C. With two sides, the header X-Reshelve-Side of an answer says which one it
is from.

Exit codes:
  0  stopped
  2  usage error
  3  a target that is damaged";

pub(super) const SHADOW: &str = "\
Examples:
  reshelve shadow --offline dump out
  reshelve shadow --offline dump out --json

Every job is asked for by every route of the read API, its events in all pages, and the lists by
every status, on both sides. Each difference is lag, an edit, the mapping, or the presentation.

Exit codes:
  0  all answers agree, but for documents that are rejected or left out
  2  usage error
  3  a target that is damaged
  5  not all answers agree
  6  interrupted";

pub(super) const CROSSCHECK: &str = "\
Examples:
  reshelve crosscheck http://localhost:3000 dump
  reshelve crosscheck http://localhost:3000 out --all --out crosscheck

Only GET requests are sent: each job by every route, its events in all pages, and the lists by
every status. Without --sample and --all, 100 jobs are asked about, spread evenly over PLACE and
always the same ones. For TLS, let a proxy on this machine speak it.

Files:
  DIR  crosscheck.json, what --json prints; crosscheck.jsonl, every answer that differs

Exit codes:
  0  all answers agree
  1  the application cannot be reached, or an answer could not be had
  2  usage error
  3  a target that is damaged
  5  an answer differs
  6  interrupted";

pub(super) const RUNS: &str = "\
Examples:
  reshelve runs
  reshelve runs --json";

pub(super) const STATUS: &str = "\
Examples:
  reshelve status
  reshelve status latest --watch
  reshelve status latest --json";

pub(super) const RESUME: &str = "\
Examples:
  reshelve resume latest

Exit codes: as those of `reshelve run`. A run that is done is left as it is.";

pub(super) const PAUSE: &str = "\
Examples:
  reshelve pause latest
  reshelve resume latest

Exit codes:
  0  paused
  3  refused: no process is at work on the run, or it ended first
  6  interrupted while it waited; what was asked stands";

pub(super) const CANCEL: &str = "\
Examples:
  reshelve cancel latest
  reshelve rollback latest

Exit codes:
  0  cancelled
  3  refused: no process is at work on the run, or it ended first
  6  interrupted while it waited; what was asked stands";

pub(super) const THROTTLE: &str = "\
Examples:
  reshelve throttle latest
  reshelve throttle latest --max-docs-per-s 200 --max-write-ms 250
  reshelve throttle latest --max-docs-per-s off

Files:
  .reshelve/runs/RUN  the run folder: control.json";

pub(super) const ROLLBACK: &str = "\
Examples:
  reshelve rollback latest
  reshelve rollback latest --apply

Files:
  .reshelve/runs/RUN  the run folder: rollback.json, discarded.bson

Exit codes:
  0  done, or nothing left to do
  3  refused, or jobs were changed since (see --edited); nothing was changed
  6  interrupted; the same command continues";

pub(super) const REHEARSE: &str = "\
Examples:
  reshelve rehearse dump
  reshelve rehearse dump scratch --in-flight skip
  reshelve rehearse dump mongodb://localhost

Files:
  .reshelve/runs/.rehearsals/ID  the record: rehearsal.html, rehearsal.md, rehearsal.json

Exit codes:
  0  every step did what it was to do, with rejects too
  3  refused: the scratch is not empty, or not apart from the source
  5  a comparison does not hold
  6  interrupted; a rehearsal is not resumed
  Other steps that fail: as the command itself.";

pub(super) const EXPLAIN: &str = "\
Examples:
  reshelve explain dump --job 687f22696249a18dd8533d4a
  reshelve explain dump --job 687f22696249a18dd8533d4a --json";

pub(super) const RESTORE: &str = "\
Examples:
  reshelve restore out back
  reshelve restore out jobs-again.bson";

pub(super) const VERIFY: &str = "\
Examples:
  reshelve verify dump out
  reshelve verify dump out --run latest
  reshelve verify dump out --sample 50
  reshelve verify dump out --out mismatches

Exit codes:
  0  parity holds, or holds with exceptions
  5  parity does not hold";

pub(super) const CHECKSUMS: &str = "\
Examples:
  reshelve checksums out
  reshelve checksums out --json";

pub(super) const REPORT: &str = "\
Examples:
  reshelve report latest
  reshelve report latest --bundle --out for-the-change-record

Files:
  report.html       the page to sign: one file, readable without network
  report.md         the same for a pull request
  report-data.json  the same for programs";

pub(super) const INDEXES: &str = "\
Examples:
  reshelve indexes status out
  reshelve indexes up new-target";

pub(super) const GENERATE: &str = "\
Examples:
  reshelve generate more --documents 200 --preset lifecycle
  reshelve generate jobs.jsonl --documents 40
  reshelve generate cut.archive --documents 40 --fault truncate";

pub(super) const ANONYMIZE: &str = "\
Examples:
  reshelve anonymize --new-key copy.key
  reshelve anonymize dump copy --key-file copy.key
  reshelve anonymize dump copy.archive.gz --form archive.gz --key-file copy.key --unknown redact
  reshelve anonymize dump small --key-file copy.key --sample 100
  reshelve anonymize scan dump copy
  reshelve anonymize --policy

Exit codes:
  2  there is no key
  3  something is where the copy should go, or the policy does not know a path of the source
  5  something of the source stands in the copy, or more than 1 % of the documents were left out;
     no copy is kept then";

pub(super) const SNAPSHOT: &str = "\
Examples:
  reshelve snapshot dump backup/2026-11-30
  reshelve snapshot mongodb://localhost/letswriteabook backup/jobs.archive.gz
  reshelve snapshot verify backup/2026-11-30
  reshelve snapshot list backup
  reshelve run backup/2026-11-30 target

Files:
  snapshot.json  what the snapshot holds: counts, checksum, and the hash of each file; for an
                 archive that is a file, NAME.snapshot.json beside it

Exit codes:
  3  something is where the snapshot should go, or an oplog in the dump changes the documents
  5  `snapshot verify`: it is not as it was written";

pub(super) const COMPLETIONS: &str = "\
Install:
  bash        reshelve completions bash > ~/.local/share/bash-completion/completions/reshelve
  zsh         reshelve completions zsh > ~/.zfunc/_reshelve
              with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  fish        reshelve completions fish > ~/.config/fish/completions/reshelve.fish
  elvish      reshelve completions elvish >> ~/.config/elvish/rc.elv
  powershell  reshelve completions powershell >> $PROFILE

Make the folder first if it is missing, and open a new shell afterwards.";

pub(super) const MAN: &str = "\
Examples:
  reshelve man pages

Install:
  reshelve man ~/.local/share/man/man1
  man reshelve-run";
