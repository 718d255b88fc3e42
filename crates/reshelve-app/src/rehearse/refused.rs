//! What the real move would be refused for, and what it would leave out.

use reshelve::ends::Oplog;
use reshelve::run::Totals;

use super::Request;
use super::record::WouldRefuse;
use crate::hints;
use crate::text::{agree, counted};

/// Of how many rejected documents a code names the ids.
const NAMED_MAX: usize = 5;
/// The characters of an ObjectId. Other ids may say anything, and are not repeated.
const ID_CHARS: usize = 24;

/// All of it, in the order in which a run would meet it.
pub(super) fn of(request: &Request, oplog: Oplog, totals: &Totals) -> Vec<WouldRefuse> {
    let mut all = Vec::new();
    all.extend(of_oplog(oplog).filter(|_| !request.ignore_oplog));
    if request.mapping.in_flight.is_none() && totals.in_flight > 0 {
        let (jobs, is) = (totals.in_flight, agree(totals.in_flight, "is", "are"));
        all.push(WouldRefuse {
            code: "in-flight".to_owned(),
            count: Some(jobs),
            what: format!(
                "{} {is} in flight: `run --apply` is refused until that is decided; the rehearsal \
                 carried them over as they are",
                counted(jobs, "job")
            ),
            hint: hints::IN_FLIGHT.to_owned(),
        });
    }
    all.extend(totals.rejects.iter().map(|(code, tally)| {
        let ids: Vec<&str> = tally
            .examples
            .iter()
            .map(|example| example.job.as_str())
            .filter(|id| id.len() == ID_CHARS && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .take(NAMED_MAX)
            .collect();
        let such_as = match ids.is_empty() {
            true => String::new(),
            false => format!(", such as {}", ids.join(", ")),
        };
        WouldRefuse {
            code: code.clone(),
            count: Some(tally.count),
            what: format!(
                "{} would be rejected as {code}{such_as}: the run ends with exit code 4",
                counted(tally.count, "document")
            ),
            hint: hints::REJECTS_STAY.to_owned(),
        }
    }));
    all
}

fn of_oplog(oplog: Oplog) -> Option<WouldRefuse> {
    let (count, found) = match oplog {
        Oplog::Absent | Oplog::Entries(0) => return None,
        Oplog::Entries(count) => {
            let has = agree(count, "entry changes", "entries change");
            (Some(count), format!("{count} oplog {has} the collection, and cannot be applied"))
        }
        Oplog::Unknown => {
            let found = "the dump has an oplog whose entries cannot be counted in advance";
            (None, found.to_owned())
        }
    };
    Some(WouldRefuse {
        code: "oplog".to_owned(),
        count,
        what: format!(
            "{found}: `run --apply` is refused; the rehearsal took the documents as they are"
        ),
        hint: hints::OPLOG.to_owned(),
    })
}
