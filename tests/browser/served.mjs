// Places to serve, made by the binary, and servers of them.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";

/** The id of the novel whose texts try to be markup. */
export const HOSTILE = "../a b/%2e?#&\"'<i>";
const MARKUP = "<script>window.hostile = true</script><img src=x onerror=alert(1)>";
const hostile = {
  _id: HOSTILE,
  title: `${MARKUP}\u202Etxt`,
  premise: `"><svg onload=alert(2)> [x](javascript:alert(3)) ${MARKUP}`,
  genre: "<b>",
  status: "completed",
  chapters: [
    { chapterNumber: 1, title: `</title>${MARKUP}`, status: "completed", wordCount: 3, content: MARKUP },
    { chapterNumber: 2, title: "Two", status: "failed", failureReason: MARKUP, attempts: 3, content: "" },
  ],
  outline: [{ chapterNumber: 1, title: MARKUP, summary: MARKUP, keyEvents: [MARKUP], wordCount: 2 }],
  metadata: {
    storyBible: { characters: { "<x>": { name: MARKUP, traits: [MARKUP] } }, themes: [MARKUP] },
    continuityAlerts: [{ severity: "critical", message: MARKUP }],
  },
};

/** The token of the guarded server. */
export const TOKEN = "open-sesame";

/**
 * Makes the places: a small one with a hostile novel and a rejected document, compared with its
 * source; one with 10 000 jobs, which nobody compared. Returns the ids of the two runs.
 */
export function make(reshelve, folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const run = (...args) => {
    const done = spawnSync(reshelve, args, { cwd: folder, encoding: "utf8" });
    // 4: done, but with rejects.
    if (![0, 4].includes(done.status)) throw new Error(`reshelve ${args.join(" ")}: ${done.stdout}${done.stderr}`);
  };
  run("generate", "small.jsonl", "--documents", "60", "--preset", "populated");
  // Whole books, which those are not.
  run("generate", "books.jsonl", "--documents", "3", "--size", "large", "--stage", "completed", "--seed", "7");
  const books = fs.readFileSync(path.join(folder, "books.jsonl"), "utf8");
  const rejected = JSON.stringify({ _id: "rejected", title: MARKUP, status: "nobody knows" });
  const more = `${books}${JSON.stringify(hostile)}\n${rejected}\n`;
  fs.appendFileSync(path.join(folder, "small.jsonl"), more);
  run("generate", "many.bson", "--documents", "10000", "--document-bytes", "1500");
  for (const name of ["small.jsonl", "many.bson"]) {
    run("run", name, name.split(".")[0], "--apply", "--in-flight", "include");
  }
  const runs = fs.readdirSync(path.join(folder, ".reshelve/runs")).filter((name) => !name.startsWith("."));
  const [compared, never] = runs.sort();
  run("report", compared);
  fs.writeFileSync(path.join(folder, "token"), `${TOKEN}\n`, { mode: 0o600 });
  return { compared, never };
}

/** A run into `changed` that takes its time, and how to end it; the target is there when it returns. */
export async function slowRun(reshelve, folder) {
  const source = "changed.bson";
  spawnSync(reshelve, ["generate", source, "--documents", "300", "--no-in-flight"], { cwd: folder });
  const slow = ["--batch-docs", "1", "--max-docs-per-s", "5", "--checkpoint-bytes", "1"];
  const child = spawn(reshelve, ["run", source, "changed", "--apply", ...slow], { cwd: folder, stdio: "ignore" });
  const jobs = path.join(folder, "changed/letswriteabook/novel_jobs.bson");
  while (child.exitCode === null && !(fs.existsSync(jobs) && fs.statSync(jobs).size > 0)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { stop: () => child.kill("SIGINT") };
}

/** A server that listens, and how to end it. */
export async function serve(reshelve, folder, args) {
  const all = ["serve", "--listen", "127.0.0.1:0", ...args];
  const child = spawn(reshelve, all, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const told = [];
  for await (const line of readline.createInterface({ input: child.stderr })) {
    told.push(line);
    const address = line.match(/^listening on (http:.*)$/)?.[1];
    if (address) {
      child.stderr.resume();
      return { address, stop: () => child.kill("SIGINT") };
    }
  }
  throw new Error(`reshelve ${all.join(" ")} ended:\n${told.join("\n")}`);
}
