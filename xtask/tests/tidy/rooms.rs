//! The map: every folder of the product, what it is for, and what it may import.
//!
//! The only place where this stands. `ARCHITECTURE.md` shows the same table; after a change here,
//! `UPDATE_MAP=1 cargo test --package xtask --test tidy map` writes it there.

/// A folder whose imports are bounded. It may import itself.
pub(crate) struct Room {
    /// Below `crates/`, without the end slash.
    pub(crate) folder: &'static str,
    pub(crate) purpose: &'static str,
    /// The names of other rooms: the last part of their folder, or their crate.
    pub(crate) may_import: &'static [&'static str],
}

/// From the ground up: what a room imports stands above it.
pub(crate) const ROOMS: &[Room] = &[
    Room {
        folder: "reshelve-core/src/raw",
        purpose: "BSON as borrowed bytes: proved well formed once, read by cursors, written",
        may_import: &[],
    },
    Room {
        folder: "reshelve-core/src/extjson",
        purpose: "Extended JSON text to BSON and back: canonical, relaxed, version 1",
        may_import: &["raw"],
    },
    Room {
        folder: "reshelve-core/src/mapping",
        purpose: "one legacy document to four target documents, the proof, and the way back",
        may_import: &["raw"],
    },
    Room {
        folder: "reshelve-words",
        purpose: "text as words: found, hashed, looked up; built for speed",
        may_import: &[],
    },
    Room {
        folder: "reshelve/src/store",
        purpose: "files with errors that name their path, state that is written in one step, sorted records",
        may_import: &[],
    },
    Room {
        folder: "reshelve/src/target_schema",
        purpose: "what a target is, in files or live: collections, indexes, metadata files, its state",
        may_import: &["raw", "mapping"],
    },
    Room {
        folder: "reshelve/src/ends",
        purpose: "the seams: where documents come from, where they go, where a target is read back; traits and plain data",
        may_import: &["mapping", "store", "target_schema"],
    },
    Room {
        folder: "reshelve/src/standing",
        purpose: "whether a job stands in a target as a run wrote it, and which documents are the run's",
        may_import: &["target_schema", "ends"],
    },
    Room {
        folder: "reshelve/src/dump",
        purpose: "every form in which the legacy collection arrives: readers, and how an archive is written",
        may_import: &["raw", "extjson", "store", "target_schema", "ends"],
    },
    Room {
        folder: "reshelve/src/generate",
        purpose: "synthetic legacy data in every form, with faults",
        may_import: &["raw", "extjson", "ends", "dump"],
    },
    Room {
        folder: "reshelve/src/folder",
        purpose: "everything about a target that is a folder: its lock, sink, preflight, reader",
        may_import: &["raw", "mapping", "store", "target_schema", "ends", "standing", "dump"],
    },
    Room {
        folder: "reshelve/src/pass",
        purpose: "reading and mapping in source order, and what becomes of a document: for run, profile and parity",
        may_import: &["raw", "extjson", "mapping", "store", "ends"],
    },
    Room {
        folder: "reshelve/src/lookup",
        purpose: "single jobs by their ids, in target folders and legacy files: what a server reads",
        may_import: &[
            "raw",
            "extjson",
            "mapping",
            "store",
            "target_schema",
            "ends",
            "dump",
            "pass",
        ],
    },
    Room {
        folder: "reshelve/src/run",
        purpose: "a run from its plan to its end: deciding, writing, checkpoints, rejects, resuming",
        may_import: &["raw", "mapping", "store", "target_schema", "ends", "pass"],
    },
    Room {
        folder: "reshelve/src/rollback",
        purpose: "taking back what a run wrote: deciding, writing down, checking",
        may_import: &["store", "target_schema", "ends", "dump", "run"],
    },
    Room {
        folder: "reshelve/src/restore",
        purpose: "the legacy collection out of a target",
        may_import: &["raw", "mapping", "store", "target_schema", "ends"],
    },
    Room {
        folder: "reshelve/src/profile",
        purpose: "what is in a source, field by field, and what a run would say of it",
        may_import: &["raw", "mapping", "store", "ends", "pass"],
    },
    Room {
        folder: "reshelve/src/anonymize",
        purpose: "copies without anybody's text: what is replaced and how, the comparison of both sides, the leak scan",
        may_import: &["raw", "extjson", "mapping", "reshelve-words", "store", "ends", "pass"],
    },
    Room {
        folder: "reshelve/src/snapshot",
        purpose: "safe copies of the legacy collection as mongodump writes them, and their manifests",
        may_import: &["store", "ends", "dump", "pass"],
    },
    Room {
        folder: "reshelve/src/parity",
        purpose: "the source against the target, by value",
        may_import: &["raw", "extjson", "mapping", "store", "target_schema", "ends", "pass"],
    },
    Room {
        folder: "reshelve/src/plan",
        purpose: "saved plans: what a dry run would reach, whether it still holds, and its use",
        may_import: &["raw", "mapping", "store", "target_schema", "ends", "pass", "run", "parity"],
    },
    Room {
        folder: "reshelve/src/report",
        purpose: "everything that there is to say about a run, free of any form",
        may_import: &[
            "store",
            "target_schema",
            "ends",
            "folder",
            "pass",
            "run",
            "profile",
            "parity",
        ],
    },
    Room {
        folder: "reshelve-mongo",
        purpose: "live MongoDB as ends; the only user of the driver",
        may_import: &[
            "raw",
            "extjson",
            "mapping",
            "store",
            "target_schema",
            "ends",
            "standing",
            "dump",
            "lookup",
        ],
    },
    Room {
        folder: "reshelve-serve/src/present",
        purpose: "the JSON of the read API, written from raw BSON as the application writes it",
        may_import: &["raw"],
    },
    Room {
        folder: "reshelve-serve/src/validation",
        purpose: "the rules for parameters that the application declares and does not apply",
        may_import: &["present"],
    },
    Room {
        folder: "reshelve-serve/src/sides",
        purpose: "which place answers a request, and how it is asked: bounded, away from connections",
        may_import: &["store", "ends"],
    },
    Room {
        folder: "reshelve-serve/src/questions",
        purpose: "what may be asked of a place, and what it answers: the routes that read jobs, without HTTP",
        may_import: &["target_schema", "ends", "present", "sides"],
    },
    Room {
        folder: "reshelve-serve/src/comparison",
        purpose: "two answers compared: where they differ, where that comes from, and why",
        may_import: &["raw", "mapping", "target_schema", "ends", "parity", "sides", "questions"],
    },
    Room {
        folder: "reshelve-serve/src/application",
        purpose: "the running application, asked over HTTP: each answer compared with what a place says",
        may_import: &["ends", "sides", "questions", "comparison"],
    },
    Room {
        folder: "reshelve-serve/src/shadow",
        purpose: "shadow reads: the other side's answers, compared beside the requests",
        may_import: &["sides", "questions", "comparison"],
    },
    Room {
        folder: "reshelve-serve/src/realtime",
        purpose: "Socket.IO: sessions, subscriptions, and what a subscriber is sent",
        may_import: &["raw", "target_schema", "ends", "present", "sides"],
    },
    Room {
        folder: "reshelve-serve/src/runs",
        purpose: "the seam to runs: what a server shows of them, and who tells it",
        may_import: &["run", "parity", "report"],
    },
    Room {
        folder: "reshelve-serve/src/ui",
        purpose: "the pages for people: the library and each novel, rendered from target documents; sums of all novels; runs and their parity",
        may_import: &[
            "raw",
            "extjson",
            "mapping",
            "store",
            "target_schema",
            "ends",
            "parity",
            "report",
            "sides",
            "questions",
            "comparison",
            "shadow",
            "runs",
        ],
    },
    Room {
        folder: "reshelve-serve/src/http",
        purpose: "the server: connections and requests, judged and answered as Node and Express do",
        may_import: &[
            "raw",
            "ends",
            "present",
            "validation",
            "sides",
            "questions",
            "comparison",
            "shadow",
            "realtime",
            "runs",
            "ui",
        ],
    },
    Room {
        folder: "reshelve-app",
        purpose: "use cases, one per command: names to ends, outcomes, JSON schemas, codes and hints, reports",
        may_import: &[
            "raw",
            "extjson",
            "mapping",
            "store",
            "target_schema",
            "ends",
            "dump",
            "generate",
            "folder",
            "lookup",
            "run",
            "rollback",
            "restore",
            "profile",
            "anonymize",
            "snapshot",
            "parity",
            "plan",
            "report",
            "reshelve-mongo",
            "questions",
            "comparison",
            "application",
            "runs",
        ],
    },
    Room {
        folder: "reshelve-cli",
        purpose: "the binary: the command line, and what is printed",
        may_import: &[
            "mapping",
            "target_schema",
            "ends",
            "dump",
            "folder",
            "run",
            "profile",
            "anonymize",
            "parity",
            "plan",
            "report",
            "sides",
            "comparison",
            "application",
            "shadow",
            "realtime",
            "http",
            "reshelve-app",
        ],
    },
];

/// Crates of others that only these crates may depend on, so that their users are known.
pub(crate) const ONLY_IN: &[(&str, &[&str])] = &[
    ("mongodb", &["reshelve-mongo"]),
    ("tokio", &["reshelve-mongo", "reshelve-serve"]),
    ("futures-util", &["reshelve-mongo"]),
    ("axum", &["reshelve-serve"]),
    ("hyper", &["reshelve-serve"]),
    ("hyper-util", &["reshelve-serve"]),
    ("engineioxide", &["reshelve-serve"]),
    ("prometheus-client", &["reshelve-serve"]),
    ("utoipa", &["reshelve-serve"]),
    ("clap", &["reshelve-cli"]),
    ("clap_complete", &["reshelve-cli"]),
    ("clap_mangen", &["reshelve-cli"]),
    ("comfy-table", &["reshelve-cli"]),
    ("indicatif", &["reshelve-cli"]),
];

/// All that the core depends on: pure code, which builds where there is no operating system.
pub(crate) const CORE_DEPENDS_ON: &[&str] = &["blake3", "memchr", "serde", "simdutf8", "thiserror"];

impl Room {
    /// How others call it.
    pub(crate) fn name(&self) -> &'static str {
        match self.folder.rsplit_once("/src/") {
            Some((_, last)) => last,
            None => self.folder,
        }
    }

    /// The crate, as code names it.
    pub(crate) fn crate_name(&self) -> String {
        let name = self.folder.split('/').next().unwrap();
        name.replace('-', "_")
    }

    /// Whether it is a whole crate, not one folder of it.
    pub(crate) fn is_crate(&self) -> bool {
        !self.folder.contains('/')
    }

    /// Where its files lie.
    pub(crate) fn source_folder(&self) -> String {
        let end = if self.is_crate() { "/src" } else { "" };
        format!("crates/{}{end}/", self.folder)
    }
}
