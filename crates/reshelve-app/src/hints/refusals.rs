//! The hints of refusals of the run itself.

use reshelve::run::Refusal;

use super::{IN_FLIGHT, LOOK_AT_IT, OPLOG};

/// A refusal of the run itself.
pub(super) fn of(refusal: &Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::InFlight { .. } => IN_FLIGHT,
        Refusal::DecisionLost { .. } => {
            "put back the run folder as it was, from a copy; or start a new run"
        }
        Refusal::InFlightDecided { .. } => {
            "leave --in-flight out: a run keeps to its first decision; check RESHELVE_IN_FLIGHT too"
        }
        Refusal::InFlightUnknown => {
            "choose --in-flight include, --in-flight as-failed or --in-flight skip"
        }
        Refusal::Oplog { .. } | Refusal::OplogUnknown => OPLOG,
        Refusal::Journal { .. } => {
            "put back the run folder as it was, from a copy; change nothing in it or in the target \
             until then"
        }
        Refusal::AtWork { .. } => {
            "wait until it has ended, or stop it with Ctrl-C in its terminal; `reshelve status` shows \
             how far it is"
        }
        Refusal::Step { .. } => LOOK_AT_IT,
        Refusal::NothingWritten { .. } => "name a run that was applied: `reshelve runs` lists them",
        Refusal::Finishing { .. } => {
            "`reshelve resume` finishes that, without its source; then roll it back"
        }
        Refusal::KeepsTwoVersions { .. } => {
            "`reshelve resume` finishes a run that was not cancelled, and then it can be rolled back; \
             of a cancelled one, --edited discard=N takes the edited jobs back too, after a copy of \
             them went to discarded.bson"
        }
        Refusal::RollbackDecided { .. } => {
            "leave --edited out: a rollback keeps to the decision that it began with"
        }
        Refusal::OtherTarget { .. } => {
            "put the target back where the run wrote it, or let its name lead there again; the entry \
             on a target that was moved or restored in docs/what-if.md says how to tell"
        }
        Refusal::OtherSource { .. } => {
            "give the same source with --source, repaired where it was damaged; or start a new run"
        }
        _ => return None,
    })
}
