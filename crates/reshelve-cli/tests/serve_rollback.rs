//! Runs are taken back through the pages of `serve`: it is shown first what would be taken back, and
//! jobs that were edited since are left alone unless their exact number is given.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/buttons.rs"]
mod buttons;
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use std::net::TcpStream;

use buttons::{
    BEARER, checksums, confirm, get, looked, mark, place, press, raw_post, served, state,
};
use common::until;
use serving::Served;

#[test]
fn a_rollback_shows_first_what_it_takes_back_and_leaves_the_target_as_it_was() {
    let place = place();
    place.expect(
        0,
        &["generate", "more.bson", "--documents", "20", "--seed", "9", "--no-in-flight"],
    );
    place.expect(0, &["run", "more.bson", "target", "--apply"]);
    let before = checksums(&place);
    place.expect(0, &["run", "made.bson", "target", "--apply", "--allow-existing"]);
    let served = served(&place);
    let id = place.runs()[1].clone();
    let tree = place.tree("target");
    let forecast = looked(&served, &id, "rollback");
    assert!(forecast.contains("60 jobs") && forecast.contains("Nothing was changed"), "{forecast}");
    common::assert_same(&tree, &place.tree("target"), "a look");
    press(&served, &id, "rollback");
    until("it is rolled back", || state(&place) == "rolled-back");
    assert_eq!(checksums(&place), before);
    until("its end is shown", || {
        get(&served, &format!("/ui/runs/{id}")).contains("is rolled back")
    });
    // What was done is not offered again, and is refused as the command line does it.
    let page = get(&served, &format!("/ui/runs/{id}"));
    assert!(!page.contains("/rollback\"") && !page.contains("/resume\""), "{page}");
    let answer = served.send("GET", &format!("/ui/runs/{id}/resume"), &[BEARER], "").0;
    let said = place.expect(3, &["resume", "latest"]).stderr;
    let sentence = said.lines().next().unwrap().strip_prefix("error: ").unwrap();
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains(sentence), "{said} {}", answer.body);
}

#[test]
fn edited_jobs_are_taken_back_only_by_their_exact_number() {
    let place = place();
    place.expect(0, &["run", "made.bson", "target", "--apply"]);
    let jobs = "target/letswriteabook/novel_jobs.bson";
    let mut bytes = place.read(jobs);
    let at = bytes.windows(7).position(|it| it == b"status\0").unwrap();
    bytes[at + 11] ^= 1;
    place.write(jobs, &bytes);
    let served = served(&place);
    let id = place.run();
    let page = looked(&served, &id, "rollback");
    assert!(page.contains("1 job was changed") || page.contains("1 job changed since"), "{page}");
    assert!(page.contains("value=\"keep\"") && page.contains("value=\"discard\""), "{page}");
    assert!(!page.contains("checked"), "nobody has chosen yet");
    let tree = place.tree("target");
    for (fields, status) in [
        ("reason=x&edited=discard", 400),
        ("reason=x&edited=discard&number=all", 400),
        ("reason=x&edited=all", 400),
        ("reason=x&edited=discard&number=2", 303),
        ("reason=x", 303),
    ] {
        assert_eq!(confirm(&served, &id, "rollback", &page, fields).status, status, "{fields}");
        until("nothing is at work", || {
            !get(&served, &format!("/ui/runs/{id}")).contains("is at work on it")
        });
        common::assert_same(&tree, &place.tree("target"), fields);
    }
    assert_eq!(state(&place), "done");
    // Nothing was done, and the page says nothing else.
    let told = get(&served, &format!("/ui/runs/{id}"));
    assert!(told.contains("The number that was given is 2."), "{told}");
    assert!(told.contains("Nothing was changed: 1 job was changed"), "{told}");
    assert!(!told.contains("deleted"), "{told}");
    let fields = "reason=x&edited=discard&number=1";
    assert_eq!(confirm(&served, &id, "rollback", &page, fields).status, 303);
    until("it is rolled back", || state(&place) == "rolled-back");
    assert!(!place.read(&format!(".reshelve/runs/{id}/discarded.bson")).is_empty());
}

#[test]
fn without_a_token_file_the_command_line_is_shown_and_nothing_is_done() {
    let place = place();
    place.expect(0, &["run", "made.bson", "target", "--apply", "--runs-dir", "my runs"]);
    let served = Served::new(&place, &["target", "--runs-dir", "my runs"]);
    let id = std::fs::read_dir(place.path("my runs")).unwrap().next().unwrap().unwrap();
    let id = id.file_name().into_string().unwrap();
    let before = place.tree("");
    let page = served.get(&format!("/ui/runs/{id}/rollback")).body;
    let line = format!("reshelve rollback {id} --apply --runs-dir &#39;my runs&#39;");
    let quoted = line.replace("&#39;", "'");
    assert!(page.contains(&line) || page.contains(&quoted), "{page}");
    assert!(!page.contains("<form") || !page.contains("method=\"post\""), "{page}");
    for headers in [&[][..], &[BEARER]] {
        let answer = served.send("POST", &format!("/ui/runs/{id}/rollback"), headers, "reason=x").0;
        assert_eq!(answer.status, 403, "{}", answer.body);
    }
    common::assert_same(&before, &place.tree(""), "everything");
}

#[test]
fn a_server_that_is_killed_in_a_rollback_leaves_it_to_the_command_line() {
    if !common::strace_is_there() {
        return;
    }
    let mut half = 0;
    // Each file of the run that is replaced in one step is a place to be killed at.
    for nth in 1..=6 {
        let place = place();
        place.expect(0, &["run", "made.bson", "target", "--apply", "--gzip"]);
        let id = place.run();
        let kill = format!("inject=rename,renameat,renameat2:signal=SIGKILL:when={nth}");
        let kill =
            ["strace", "-f", "-o", "trace", "-e", "trace=rename,renameat,renameat2", "-e", &kill];
        let args = ["serve", "--listen", "127.0.0.1:0", "target", "--token-file", "token"];
        let served = Served::of(place.call_through(&kill, &args));
        let page = looked(&served, &id, "rollback");
        let body = format!("mark={}&reason=x", mark(&page));
        // The answer may not come any more.
        drop(raw_post(&served, &id, "rollback", served.address(), &body));
        until("the server is gone, or done", || {
            TcpStream::connect(served.address()).is_err() || state(&place) == "rolled-back"
        });
        let found = state(&place);
        assert!(["done", "rolling-back", "rolled-back"].contains(&&found[..]), "{found}");
        if found == "rolling-back" {
            half += 1;
            place.expect(3, &["resume", "latest"]).says(&["reshelve rollback"]);
        }
        drop(served);
        place.expect(0, &["rollback", "latest", "--apply"]);
        assert_eq!(state(&place), "rolled-back");
        place.expect(0, &["run", "made.bson", "target", "--apply", "--gzip"]);
    }
    assert!(half > 0, "it was never killed in the middle");
}

#[test]
fn a_server_that_must_not_write_does_not() {
    let place = place();
    place.expect(0, &["run", "made.bson", "target", "--apply"]);
    let args = ["serve", "--listen", "127.0.0.1:0", "target", "--token-file", "token"];
    let served = Served::of(place.call(&args).env("DRY_RUN", "true"));
    let id = place.run();
    let tree = place.tree("target");
    press(&served, &id, "rollback");
    until("its end is shown", || get(&served, &format!("/ui/runs/{id}")).contains("DRY_RUN=true"));
    common::assert_same(&tree, &place.tree("target"), "the target");
    assert_eq!(state(&place), "done");
}
