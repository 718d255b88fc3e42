//! Hints about a server: privileges, collections and indexes of a live target.

use reshelve::ends::Hint;

/// What to do, if the hint is about a server.
pub(super) fn of(hint: &Hint) -> Option<&'static str> {
    Some(match hint {
        Hint::PrintTheSourceRole => {
            "the user lacks a privilege: `reshelve inspect URI --print-role` prints a role that \
             has all of them"
        }
        Hint::PrintTheTargetRole => {
            "`reshelve inspect URI --print-role target` prints a role with all that is needed"
        }
        Hint::CreateTheIndexAgain => {
            "find out who created it; if it is not needed, drop it by hand, then `reshelve indexes \
             up TARGET`"
        }
        Hint::DropTheIndexThatDeletes => {
            "drop that index by hand, or choose another --target-db: it deletes what a run writes"
        }
        Hint::CreateTheIndexes => "`reshelve indexes up TARGET` creates them",
        Hint::WriteWhatIsMissing => {
            "find out what removed them: a server that lost writes, or another program; then a new \
             run with --allow-existing writes what is missing"
        }
        Hint::ChooseATargetDatabase => "find out who created it, or choose another --target-db",
        _ => return None,
    })
}
