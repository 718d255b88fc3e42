//! The messages that docs/what-if.md shows are those of today: what a person meets is caused here,
//! and each error and hint has to be on the page.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/pages.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod pages;

use std::path::Path;

use pages::{Shell, is_like};

/// What is there before; each line is a command that succeeds.
const SCENE: &str = r#"reshelve generate dump --documents 200 --preset lifecycle
reshelve run dump out --apply --in-flight include
reshelve restore out back
head -c 300000 dump/letswriteabook/jobs.bson > cut.bson
mkdir -p same two/a two/b
cp dump/letswriteabook/jobs.bson same/jobs.bson
gzip -k same/jobs.bson
cp dump/letswriteabook/jobs.bson two/a
cp dump/letswriteabook/jobs.bson two/b
reshelve generate other.bson --documents 200 --preset lifecycle --seed 2
reshelve generate few.bson --documents 3 --preset lifecycle
cp -r dump d$(printf '\351')mp
printf '\377\376{\0}\0' > jobs.json
reshelve generate text.archive --documents 50
echo done >> text.archive
reshelve run few.bson o5 --in-flight include --save-plan plan.json
reshelve run few.bson o5 --plan plan.json --apply
reshelve snapshot dump kept
cp few.bson moved.bson
reshelve run moved.bson o6 --in-flight include --save-plan moved.json
cp other.bson moved.bson"#;

/// What goes wrong, with its exit code.
const ACCIDENTS: [(i32, &str); 31] = [
    (3, "reshelve snapshot dump kept"),
    (3, "reshelve generate kept --documents 3 --overwrite"),
    (1, "reshelve run cut.bson out1 --apply --in-flight include"),
    (3, "reshelve run dump out1 --apply --in-flight include"),
    (3, "reshelve resume latest --source other.bson"),
    (3, "reshelve resume latest --source few.bson"),
    (1, "reshelve profile cut.bson"),
    (1, "reshelve run text.archive o2 --apply --in-flight include"),
    (2, "reshelve run jobs.json o3"),
    (2, "reshelve run same o3"),
    (2, "reshelve run two o3"),
    (3, "reshelve run dump dump"),
    (3, "reshelve run dump dump --apply --in-flight include --replace"),
    (2, ": | reshelve run - o3"),
    (3, "reshelve run - o3 --apply < dump/letswriteabook/jobs.bson"),
    (3, "reshelve run dump o3 --apply"),
    (3, "reshelve run dump out --apply --in-flight include"),
    (3, "reshelve run dump out"),
    (3, "reshelve run dump out --apply --in-flight include --gzip --allow-existing"),
    (2, "reshelve run d$(printf '\\351')mp o3"),
    (3, "reshelve restore out back"),
    (3, "reshelve restore out dump"),
    (3, "reshelve restore out dump --overwrite"),
    (2, "reshelve restore . x.bson"),
    (2, "reshelve inspect 'mongodb://user:p@ss@host/novels'"),
    (2, "reshelve inspect 'mongodb://user:p%ss@host/novels'"),
    (1, "reshelve profile dump > /dev/full"),
    (3, "reshelve run few.bson o5 --plan plan.json --apply"),
    (3, "reshelve run moved.bson o6 --plan moved.json --apply"),
    (1, "reshelve crosscheck http://127.0.0.1:1 few.bson"),
    (2, "reshelve crosscheck https://localhost few.bson"),
];

#[test]
fn the_messages_are_those_of_today() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/what-if.md");
    let page = std::fs::read_to_string(page).unwrap();
    let is_message = |line: &str| line.starts_with("error: ") || line.starts_with("hint: ");
    let shown: Vec<&str> = page.lines().filter(|line| is_message(line)).collect();
    let mut shell = Shell::new();
    for command in SCENE.lines() {
        let (code, answer) = shell.run(command);
        assert_eq!(code, 0, "{command}: {}", answer.join("\n"));
    }
    let mut wrong = Vec::new();
    for (expected, command) in ACCIDENTS {
        let (code, answer) = shell.run(command);
        let told: Vec<&String> = answer.iter().filter(|line| is_message(line)).collect();
        if code != expected || told.is_empty() {
            wrong.push(format!("{command}: exit code {code}\n{}", answer.join("\n")));
        }
        for line in told.iter().filter(|line| !shown.iter().any(|shown| is_like(shown, line))) {
            wrong.push(format!("{command}: not on the page:\n  {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
