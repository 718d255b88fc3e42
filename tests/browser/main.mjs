// Drives the pages in a browser: every page in every way, looked at by axe and kept as a picture,
// and what a person does with them. Prints a line for each check, and the counts last.
//
//   node main.mjs --modules DIR --chromium PROGRAM --reshelve PROGRAM --out DIR [--only TEXT]
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import { AS_A_FILE, PAGES, PAGES_OF_TWO_SIDES, WAYS } from "./pages.mjs";
import { HOSTILE, make, serve, slowRun } from "./served.mjs";
import * as walks from "./walks.mjs";

const flags = new Map();
for (let at = 2; at < process.argv.length; at += 2) flags.set(process.argv[at], process.argv[at + 1]);
const flag = (name) => flags.get(name) ?? assert.fail(`${name} is missing`);
const require = createRequire(path.join(path.resolve(flag("--modules")), "package.json"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [out, reshelve] = [path.resolve(flag("--out")), path.resolve(flag("--reshelve"))];
const only = flags.get("--only") ?? "";

/** How long an element may take to be there: far beyond what it takes, so that a test ends. */
const PATIENCE_MS = 20_000;

/** The height of the pictures, in pixels, at most. */
const PICTURE_HEIGHT_MAX = 4_000;

const failures = [];
let passed = 0;

async function check(name, test) {
  if (!name.includes(only)) return;
  try {
    await test();
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failures.push(name);
    console.log(`failed  ${name}\n    ${(error.stack ?? String(error)).split("\n").slice(0, 12).join("\n    ")}`);
  }
}

/** A page of a window of its own. What it asks elsewhere for, and what goes wrong in it, fails. */
async function withPage(browser, server, how, test) {
  const context = await browser.newContext({ baseURL: server.address, reducedMotion: "reduce", ...how });
  context.setDefaultTimeout(PATIENCE_MS);
  const wrong = [];
  context.on("request", (request) => {
    const at = new URL(request.url());
    if (at.origin !== server.address && at.protocol !== "data:") wrong.push(`asked for ${at}`);
  });
  context.on("weberror", (error) => wrong.push(`an error: ${error.error()}`));
  context.on("console", (message) => {
    const isOfAStatus = /status of (401|404)/.test(message.text());
    if (message.type() === "error" && !isOfAStatus) wrong.push(`the console: ${message.text()}`);
  });
  try {
    await test(await context.newPage());
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

/** What axe finds on a page, in words. */
async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  return found.violations.map(({ id, help, nodes }) => {
    const places = nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary?.replace(/\s+/g, " ")}`);
    return `${id}: ${help} (${nodes.length}): ${places.join(" | ")}`;
  });
}

async function everyPage(browser, server, pages, ids) {
  for (const way of WAYS) {
    const { name: wayName, ...how } = way;
    for (const [name, template, shows, opened] of pages) {
      const look = async (page) => {
        const at = template.replace(/\$\w+/, (id) => ids[id]);
        if (opened === AS_A_FILE) {
          await page.setContent(await (await page.request.get(at)).text());
        } else {
          await page.goto(at);
        }
        assert.ok((await page.locator("body").innerText()).includes(shows), `it does not show ${shows}`);
        const width = await page.evaluate("document.documentElement.scrollWidth");
        assert.ok(width <= how.viewport.width, `it is ${width} wide`);
        assert.deepEqual(await violations(page), []);
        // As much as a person scrolls through, in a window of that height: for a picture of the
        // whole page, the browser makes the window as high as a book.
        const height = await page.evaluate("document.documentElement.scrollHeight");
        await page.setViewportSize({ ...how.viewport, height: Math.min(height, PICTURE_HEIGHT_MAX) });
        await page.screenshot({ path: path.join(out, `${name}-${wayName}.png`) });
      };
      await check(`${name}, ${wayName}`, () => withPage(browser, server, how, look));
    }
  }
}

fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });
const data = path.join(out, "data");
const runs = make(reshelve, data);
const started = [];
const server = async (...args) => {
  started.push(await serve(reshelve, data, args));
  return started.at(-1);
};
const browser = await chromium.launch({
  executablePath: flag("--chromium"),
  // Its sandbox needs rights that containers and root do not have; it only opens our own pages.
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
try {
  const small = await server("small");
  const many = await server("many");
  const guarded = await server("--legacy", "small.jsonl", "--normalized", "small", "--token-file", "token");
  const wide = { viewport: { width: 1280, height: 900 } };
  const list = await (await fetch(`${small.address}/api/novel?status=completed`)).json();
  const finished = list.items.filter((item) => item.jobId !== HOSTILE && item.progress?.totalChapters > 2);
  const hostile = encodeURIComponent(HOSTILE);
  await everyPage(browser, small, PAGES, {
    $novel: finished[0].jobId,
    $hostile: hostile,
    $run: runs.compared,
    $never: runs.never,
  });
  const two = await server("--legacy", "small.jsonl", "--normalized", "small", "--shadow", "100");
  for (const item of [...list.items, ...list.items]) await fetch(`${two.address}/api/novel/${encodeURIComponent(item.jobId)}`);
  await everyPage(browser, two, PAGES_OF_TWO_SIDES, {});
  started.push(await slowRun(reshelve, data));
  const changed = await server("changed", "--token-file", "token");
  const all = [
    [changed, wide, walks.OF_A_RUN_AT_WORK],
    [small, wide, walks.OF_THE_SMALL_PLACE],
    [many, wide, walks.OF_MANY_JOBS],
    [guarded, wide, walks.OF_THE_GUARDED_PLACE],
    [small, { ...wide, javaScriptEnabled: false }, walks.WITHOUT_SCRIPTS],
  ];
  for (const [place, how, tests] of all) {
    for (const [name, test] of Object.entries(tests)) {
      await check(name, () => withPage(browser, place, how, test));
    }
  }
} finally {
  await browser.close();
  started.forEach((each) => each.stop());
}
fs.rmSync(data, { recursive: true, force: true });
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;
