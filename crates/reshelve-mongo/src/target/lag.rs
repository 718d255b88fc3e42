//! How far the members of a replica set are behind, from what the server says of them.

use std::collections::HashSet;
use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};
use reshelve::ends::{EndError, Members};

use crate::catalog::whole_number;
use crate::connection::{Connection, Topology};

/// The states of members that hold data and follow the primary: SECONDARY, RECOVERING, ROLLBACK.
/// A member in its first synchronisation (STARTUP2) has nothing to be behind with yet.
const FOLLOWING: [u64; 3] = [2, 3, 9];
/// The state of the primary.
const PRIMARY: u64 = 1;

/// The members of a replica set, or the one server that there is.
#[derive(Debug)]
pub(super) struct LiveMembers(pub(super) Connection);

impl Members for LiveMembers {
    fn lag(&mut self) -> Result<Option<Duration>, EndError> {
        Ok(self.0.wait(lag(&self.0)))
    }
}

/// How far the slowest voting member is behind; none if the server does not tell.
async fn lag(connection: &Connection) -> Option<Duration> {
    if connection.server.topology != Topology::ReplicaSet {
        return None;
    }
    let admin = connection.client.database("admin");
    let status = admin.run_command(doc! { "replSetGetStatus": 1 }).await.ok()?;
    // It may be forbidden where the status is not: then every member counts.
    let config = admin.run_command(doc! { "replSetGetConfig": 1 }).await.ok();
    slowest(&status, config.as_ref())
}

/// How far the slowest member that votes is behind the primary. A member that cannot be reached
/// does not count: waiting does not bring it back.
fn slowest(status: &Document, config: Option<&Document>) -> Option<Duration> {
    let members: Vec<Member> = documents(status, "members").filter_map(Member::of).collect();
    let silent = config.map(without_a_vote).unwrap_or_default();
    let newest = members.iter().find(|member| member.state == PRIMARY)?.applied_ms;
    let behind = members
        .iter()
        .filter(|member| member.is_reached && FOLLOWING.contains(&member.state))
        .filter(|member| !silent.contains(&member.id))
        .map(|member| u64::try_from(newest.saturating_sub(member.applied_ms)).unwrap_or(0));
    Some(Duration::from_millis(behind.max().unwrap_or(0)))
}

struct Member {
    id: u64,
    state: u64,
    is_reached: bool,
    /// The time of the last operation that it has applied, in milliseconds since 1970.
    applied_ms: i64,
}

impl Member {
    fn of(member: &Document) -> Option<Member> {
        Some(Member {
            id: whole_number(member, "_id")?,
            state: whole_number(member, "state")?,
            is_reached: whole_number(member, "health").is_none_or(|health| health == 1),
            applied_ms: member.get_datetime("optimeDate").ok()?.timestamp_millis(),
        })
    }
}

/// The ids of the members that have no vote.
fn without_a_vote(reply: &Document) -> HashSet<u64> {
    let Ok(config) = reply.get_document("config") else { return HashSet::new() };
    let silent = documents(config, "members").filter(|it| whole_number(it, "votes") == Some(0));
    silent.filter_map(|member| whole_number(member, "_id")).collect()
}

fn documents<'d>(document: &'d Document, name: &str) -> impl Iterator<Item = &'d Document> {
    document.get_array(name).into_iter().flatten().filter_map(Bson::as_document)
}

#[cfg(test)]
mod tests {
    use mongodb::bson::DateTime;

    use super::*;

    /// What `replSetGetStatus` of a server 7.0 says, as far as it matters here:
    /// <https://www.mongodb.com/docs/manual/reference/command/replSetGetStatus/>.
    fn status(members: &[(i32, i32, f64, i64)]) -> Document {
        let members = members.iter().map(|(id, state, health, second)| {
            Bson::from(doc! {
                "_id": *id,
                "name": format!("mongo{id}:27017"),
                "health": *health,
                "state": *state,
                "stateStr": "as the number says",
                "uptime": 604_800,
                "optime": { "ts": Bson::Null, "t": 4_i64 },
                "optimeDate": DateTime::from_millis(1_700_000_000_000 + second * 1_000),
                "syncSourceHost": "",
            })
        });
        doc! {
            "set": "rs0",
            "myState": 1,
            "term": 4_i64,
            "votingMembersCount": 3,
            "members": members.collect::<Vec<_>>(),
            "ok": 1.0,
        }
    }

    fn config(votes: &[(i32, i32)]) -> Document {
        let members = votes.iter().map(|(id, votes)| {
            Bson::from(doc! { "_id": *id, "host": format!("mongo{id}:27017"), "votes": *votes })
        });
        doc! { "config": { "_id": "rs0", "members": members.collect::<Vec<_>>() }, "ok": 1.0 }
    }

    fn seconds(status: &Document, config: Option<&Document>) -> Option<u64> {
        slowest(status, config).map(|lag| lag.as_secs())
    }

    #[test]
    fn the_slowest_member_counts() {
        let status = status(&[(0, 1, 1.0, 100), (1, 2, 1.0, 97), (2, 2, 1.0, 58)]);
        assert_eq!(seconds(&status, None), Some(42));
        assert_eq!(seconds(&status, Some(&config(&[(0, 1), (1, 1), (2, 1)]))), Some(42));
    }

    #[test]
    fn a_member_without_a_vote_does_not_count() {
        let status = status(&[(0, 1, 1.0, 100), (1, 2, 1.0, 97), (2, 2, 1.0, 58)]);
        assert_eq!(seconds(&status, Some(&config(&[(0, 1), (1, 1), (2, 0)]))), Some(3));
    }

    #[test]
    fn only_members_that_follow_and_can_be_reached_count() {
        // An arbiter, one that is down, one that is synchronised for the first time.
        let others = [(1, 7, 1.0, 0), (2, 8, 0.0, 0), (3, 5, 1.0, 0)];
        let [arbiter, down, new] = others;
        assert_eq!(seconds(&status(&[(0, 1, 1.0, 100), arbiter, down, new]), None), Some(0));
        let recovering = (4, 3, 1.0, 90);
        assert_eq!(seconds(&status(&[(0, 1, 1.0, 100), down, recovering]), None), Some(10));
    }

    #[test]
    fn a_member_may_be_ahead_of_what_is_known_of_the_primary() {
        assert_eq!(seconds(&status(&[(0, 1, 1.0, 100), (1, 2, 1.0, 101)]), None), Some(0));
    }

    #[test]
    fn without_a_primary_or_members_nothing_is_told() {
        assert_eq!(seconds(&status(&[(1, 2, 1.0, 97)]), None), None);
        assert_eq!(seconds(&doc! { "ok": 1.0 }, None), None);
    }
}
