// What a person does with the pages, each by itself: a name, and a function of a browser's page.
import assert from "node:assert/strict";

import { HOSTILE, TOKEN } from "./served.mjs";

const title = (page) => page.locator("h1").innerText();
const address = (page) => new URL(page.url());

/** The library, searched, filtered, and a novel of it. */
export const OF_THE_SMALL_PLACE = {
  async "the library leads to a novel, its chapters, and on from one to the next"(page) {
    await page.goto("/");
    const first = page.locator(".novels h2 a").first();
    const name = await first.innerText();
    await first.click();
    assert.equal(await title(page), name);
    const { items } = await (await page.request.get("/api/novel?status=completed")).json();
    const long = items.find((item) => item.progress?.totalChapters > 3);
    await page.goto(`/ui/novels/${encodeURIComponent(long.jobId)}`);
    await page.locator("#chapters ~ .table tbody a").first().click();
    assert.match(address(page).pathname, /\/chapters\/1$/);
    await page.getByRole("link", { name: "Next →" }).first().click();
    assert.match(address(page).pathname, /\/chapters\/2$/);
    // A key that is pressed before the script is there does nothing.
    await page.waitForLoadState();
    await page.keyboard.press("ArrowRight");
    await page.waitForURL(/\/chapters\/3$/);
    await page.waitForLoadState();
    await page.keyboard.press("ArrowLeft");
    await page.waitForURL(/\/chapters\/2$/);
    await page.getByRole("link", { name: "← Previous" }).first().click();
    assert.match(address(page).pathname, /\/chapters\/1$/);
    await page.getByRole("link", { name: "Contents" }).first().click();
    assert.equal(address(page).hash, "#chapters");
  },

  async "a search finds words of a title, and says where there are none"(page) {
    await page.goto("/ui/novels");
    const name = await page.locator(".novels h2 a").nth(3).innerText();
    await page.keyboard.press("/");
    await page.keyboard.type(name);
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=/);
    const found = await page.locator(".novels h2 a").allInnerTexts();
    assert.ok(found.includes(name), `${name} is not among ${found}`);
    assert.match(await page.locator(".count").innerText(), / that match/);
    await page.getByRole("searchbox").fill("no such words");
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByText("No novel matches.").waitFor();
    await page.getByRole("link", { name: "show all novels" }).click();
    assert.equal(address(page).search, "");
  },

  async "a filter takes effect at once, and the list shows nothing else"(page) {
    await page.goto("/ui/novels");
    const before = await page.locator(".count").innerText();
    await page.getByLabel("Status").selectOption("failed");
    await page.waitForURL(/status=failed/);
    assert.notEqual(await page.locator(".count").innerText(), before);
    const badges = await page.locator(".novels .about .badge:first-child").allInnerTexts();
    assert.deepEqual([...new Set(badges)], ["Failed"]);
    await page.getByRole("link", { name: "Clear" }).click();
    await page.getByLabel(/^With alerts/).check();
    await page.waitForURL(/mark=alerts/);
    const [all, alerts] = [page.locator(".novels > li"), page.locator(".novels .about", { hasText: "alert" })];
    assert.equal(await alerts.count(), await all.count());
  },

  async "a novel shows how far it came, and its pictures have text that can be read"(page) {
    await page.setViewportSize({ width: 390, height: 800 });
    const { items } = await (await page.request.get("/api/novel?status=completed")).json();
    const long = items.find((item) => item.progress?.totalChapters > 3);
    await page.goto(`/ui/novels/${encodeURIComponent(long.jobId)}`);
    assert.equal(await page.locator(".phases .badge").allInnerTexts().then(String), "completed,completed,completed");
    for (const text of [".strip > span", ".strips .ends span", ".bars tbody th", ".bars tbody td.number"]) {
      const sizes = await page.locator(text).evaluateAll((all) =>
        all.map((one) => [parseFloat(getComputedStyle(one).fontSize), one.getBoundingClientRect()]));
      assert.ok(sizes.length > 0, `there is no ${text}`);
      for (const [size, box] of sizes) {
        assert.ok(size >= 13, `${text} has ${size} px`);
        assert.ok(box.left >= 0 && box.right <= 390, `${text} is out of sight`);
      }
    }
    assert.equal(await page.locator("main svg text").count(), 0, "text in a picture shrinks with it");
  },

  async "a novel is exported in each form"(page) {
    await page.goto("/ui/novels?status=completed&sort=longest");
    await page.locator(".novels h2 a").first().click();
    const name = await title(page);
    const links = page.locator("main header a.button", { hasText: "Download as" });
    const addresses = await links.evaluateAll((all) => all.map((link) => link.href));
    const forms = [];
    for (const address of addresses) {
      // As the page itself would ask for it: a download that a page begins is not always reported.
      const answer = await page.request.get(address);
      assert.equal(answer.status(), 200, address);
      const { "content-disposition": disposition, "content-type": type } = answer.headers();
      const [, form] = disposition.match(/^attachment; filename="[a-z0-9-]+\.(md|html|epub)"$/);
      const bytes = await answer.body();
      if (form === "epub") {
        assert.equal(type, "application/epub+zip");
        assert.equal(bytes.subarray(0, 4).toString("latin1"), "PK\x03\x04");
        assert.equal(bytes.subarray(30, 58).toString("latin1"), "mimetypeapplication/epub+zip");
      } else {
        assert.ok(bytes.toString().includes(name.split(/[^\w ]/)[0]), `${form} does not name ${name}`);
      }
      forms.push(form);
    }
    assert.deepEqual(forms.sort(), ["epub", "html", "md"]);
  },

  async "a bar of the monitoring page leads to the novels behind it, and back out of the filter"(page) {
    await page.goto("/ui/novels");
    await page.getByRole("link", { name: "Monitoring" }).click();
    for (const [table, nth] of [["Novels by status", 0], ["Cost by genre", 1], ["Cost by stage", 2], ["Novels with failures", 1]]) {
      await page.goto("/ui/monitoring");
      const row = page.getByRole("table", { name: table }).locator("tbody tr").nth(nth);
      const novels = (await row.locator("td[data-head=Novels]").innerText()).replace(/\D/g, "");
      // The bar itself: the keyboard takes the name beside it, which leads to the same.
      const [bar, link] = [row.locator("td.track a"), row.locator("th a")];
      assert.equal(await bar.getAttribute("href"), await link.getAttribute("href"));
      await bar.click();
      const count = await page.locator(".count").innerText();
      assert.equal(count.match(/of ([\d\s]+) novel/)[1].replace(/\D/g, ""), novels, table);
    }
    await page.getByRole("link", { name: "Show others too" }).click();
    assert.equal(await page.locator(".narrowed").count(), 0);
    await page.goto("/ui/monitoring");
    await page.locator("figure.columns svg a").first().click();
    await page.waitForURL(/created=/);
    await page.locator(".count").waitFor();
  },

  async "the parity page leads from a verdict to the jobs behind its figures"(page) {
    await page.goto("/ui/parity");
    const bar = page.getByRole("table", { name: /^Total cost/ }).locator("th a").first();
    await bar.click();
    assert.match(address(page).hash, /^#delta-\d+$/);
    const group = page.locator(address(page).hash);
    await group.locator("summary").click();
    await group.locator("a").first().click();
    await page.waitForURL(/\/ui\/novels\/./);
    await page.getByText("Where every value comes from").waitFor();
  },

  async "texts of documents are never markup"(page) {
    const dialogs = [];
    page.on("dialog", (dialog) => dialogs.push(dialog.message()) && dialog.dismiss());
    const novel = `/ui/novels/${encodeURIComponent(HOSTILE)}`;
    for (const at of ["/ui/novels?q=script", novel, `${novel}/chapters/1`, `${novel}/chapters/2`]) {
      await page.goto(at);
      assert.ok((await page.locator("main").innerText()).includes("<script>"), at);
      assert.equal(await page.locator("main script, main img, svg[onload]").count(), 0, at);
      assert.equal(await page.evaluate("window.hostile"), undefined, at);
      assert.equal(await page.locator("a[href^='javascript']").count(), 0, at);
    }
    await page.goto("/ui/novels?q=script");
    await page.locator(".novels h2 a").first().click();
    assert.equal(decodeURIComponent(address(page).pathname.split("/")[3]), HOSTILE);
    assert.deepEqual(dialogs, []);
  },

  async "everything is reached and seen with the keyboard alone"(page) {
    await page.goto("/ui/novels?status=completed&sort=longest");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.className"), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate("document.activeElement.id"), "content");
    await seen(page, ".novels h2 a");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/ui\/novels\/./);
    await seen(page, "td a[href*='/chapters/']");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/chapters\/\d+$/);
    await page.goBack();
    await seen(page, "footer, summary:last-of-type", 5000, true);
    await page.goto("/ui/monitoring");
    await seen(page, ".bars th a");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/ui\/novels\?/);
    await page.goBack();
    await seen(page, "footer", 5000, true);
  },
};

/** Presses Tab until the focus is on such an element (or has been everywhere), and checks each stop. */
async function seen(page, selector, most = 200, toTheEnd = false) {
  const stops = new Set();
  for (let stop = 0; stop < most; stop += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate((selector) => {
      const element = document.activeElement;
      if (!element || element === document.body) return { isOver: true };
      const [box, style] = [element.getBoundingClientRect(), getComputedStyle(element)];
      const isSeen =
        box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
      const index = [...document.querySelectorAll("*")].indexOf(element);
      return { isSeen, hasRing: style.outlineStyle !== "none", index, is: element.matches(selector), html: element.outerHTML.slice(0, 120) };
    }, selector);
    if (toTheEnd && (at.isOver || stops.has(at.index))) return;
    assert.ok(!at.isOver, `the focus never came to ${selector}`);
    assert.ok(at.isSeen, `out of sight with the focus: ${at.html}`);
    assert.ok(at.hasRing, `no ring around the focus: ${at.html}`);
    if (at.is && !toTheEnd) return;
    stops.add(at.index);
  }
  assert.fail(`${selector} is more than ${most} stops away`);
}

export const OF_MANY_JOBS = {
  async "10 000 jobs come page by page, and are searched, filtered and sorted"(page) {
    await page.goto("/ui/novels?sort=title");
    assert.match(await page.locator(".count").innerText(), /of 10\s000 novels/);
    const seen = new Set();
    for (let turn = 0; turn < 5; turn += 1) {
      const links = await page.locator(".novels h2 a").evaluateAll((all) => all.map((link) => link.href));
      links.forEach((link) => seen.add(link));
      assert.equal(seen.size, (turn + 1) * links.length, "a novel is on two pages");
      await page.locator("a[rel=next]").first().click();
      await page.waitForFunction((first) => document.querySelector(".novels h2 a")?.href !== first, links[0]);
    }
    await page.locator("a[rel=prev]").first().click();
    const id = [...seen][7].split("/").pop();
    await page.getByRole("searchbox").fill(id);
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=/);
    assert.equal(await page.locator(".novels > li").count(), 1);
    await page.goto("/ui/novels?sort=shortest");
    const words = await page.locator(".novels .words").allInnerTexts();
    const numbers = words.map((text) => Number(text.replace(/\D/g, "")));
    assert.deepEqual(numbers, [...numbers].sort((one, other) => one - other));
  },

  async "the sums of 10 000 jobs are those of all of them"(page) {
    await page.goto("/ui/monitoring");
    const rows = page.getByRole("table", { name: "Novels by status" }).locator("td[data-head=Novels]");
    const numbers = (await rows.allInnerTexts()).map((text) => Number(text.replace(/\D/g, "")));
    assert.equal(numbers.reduce((sum, number) => sum + number, 0), 10_000);
  },
};

export const OF_THE_GUARDED_PLACE = {
  async "a page asks for the token, and the token opens all of them"(page) {
    const asked = await page.goto("/ui/novels");
    assert.equal(asked.status(), 401);
    await page.getByLabel("Token of this server").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByLabel("Token of this server").fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator(".novels h2 a").first().waitFor();
    const [cookie] = await page.context().cookies();
    assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Strict"]);
    assert.ok(!cookie.value.includes(TOKEN) && !page.url().includes("token"));
  },

  async "a login leads on to the page that was asked for"(page) {
    await page.goto("/ui/runs?after=0");
    await page.getByLabel("Token of this server").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("This is not the token").waitFor();
    await page.getByLabel("Token of this server").fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL(/\/ui\/runs\?after=0$/);
    await page.getByRole("heading", { name: "Runs" }).waitFor();
  },

  async "the switch is turned while pages are read, and each says what it shows"(page) {
    await page.goto("/login");
    await page.getByLabel("Token of this server").fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
    const place = () => page.locator(".top .place").innerText();
    const turn = (persistence, origin) =>
      page.request.post("/admin/persistence", {
        data: { persistence, reason: "a test" },
        headers: { origin: origin ?? address(page).origin },
      });
    const side = async () => (await page.request.get("/api/novel")).headers()["x-reshelve-side"];
    await page.goto("/ui/novels");
    const [normalized, count] = [await place(), await page.locator(".count").innerText()];
    assert.equal(await side(), "normalized");
    assert.equal((await turn("legacy", "http://elsewhere.example")).status(), 403);
    assert.equal((await turn("legacy")).status(), 200);
    assert.equal(await side(), "legacy");
    await page.reload();
    assert.notEqual(await place(), normalized);
    assert.equal(await page.locator(".count").innerText(), count);
    assert.equal((await turn("normalized")).status(), 200);
    await page.reload();
    assert.equal(await place(), normalized);
  },
};

/** A run that is at work, behind a token. */
export const OF_A_RUN_AT_WORK = {
  async "a run is paused, goes on, and is taken back, by its buttons"(page) {
    await page.goto("/login");
    await page.getByLabel("Token of this server").fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.goto("/ui/runs");
    await page.locator(".runs li").filter({ hasText: "running" }).getByRole("link").first().click();
    const press = async (name, confirmation, fields = {}) => {
      await page.getByRole("button", { name: `${name}…` }).click();
      for (const [label, value] of Object.entries(fields)) {
        await page.getByLabel(label, { exact: true }).fill(value);
        await page.getByRole("button", { name: "Show what would change" }).click();
      }
      await page.getByLabel("Reason").fill("a test");
      await page.getByRole("button", { name: confirmation }).click();
      await page.waitForURL(/\/ui\/runs\/[^/]+$/);
    };
    // The page follows the run by itself.
    const state = (word) => page.locator("main .badge").getByText(word, { exact: true }).first().waitFor();
    await press("Pause", "Pause the run");
    await state("paused");
    await press("Resume", "Resume the run");
    await state("running");
    await press("Throttle", "Change its limits", { "Documents in a second": "off" });
    await state("done");
    await press("Roll back", "Roll back the run");
    await state("rolled back");
    assert.equal(await page.getByRole("button", { name: "Roll back…" }).count(), 0);
  },
};

export const WITHOUT_SCRIPTS = {
  async "the pages work without their script"(page) {
    await page.goto("/ui/novels");
    await page.getByLabel("Status").selectOption("completed");
    await page.getByRole("button", { name: "Show" }).click();
    await page.waitForURL(/status=completed/);
    await page.locator(".novels h2 a").first().click();
    await page.locator("td a[href*='/chapters/']").first().click();
    await page.getByRole("link", { name: "Contents" }).first().waitFor();
  },
};
