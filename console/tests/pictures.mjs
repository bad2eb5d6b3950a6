// The views as a person sees them, in one theme, at a laptop's and a phone's width: what axe finds in them, and pictures of
// them where a folder is named.
import { readFile } from "node:fs/promises";
import { LAPTOP, PHONE, run } from "./browser.mjs";

/** The views that pictures are kept of, all or those of a size and a theme. */
const KEPT = ["flow", "delivery", "set-aside-laptop-light", "tail-laptop-dark"];

/** The points of a line in a card that a picture waits for: one comes each second. */
const LINE_POINTS = 25;

const VIEWS = {
  flow: "",
  delivery: "delivery/us-east-1/trips-to-archive",
  "set-aside": "delivery/us-east-1/readings-to-lake/errors",
  stream: "stream/us-east-1/clicks",
  shards: "stream/us-east-1/clicks/shards",
  tail: "stream/us-east-1/clicks/tail",
  list: "stream",
};

await run(async ({ open, endpoint, theme, folder }) => {
  const axe = await readFile("node_modules/axe-core/axe.min.js", "utf8");
  const violations = [];
  for (const [size, viewport] of Object.entries({ laptop: LAPTOP, phone: PHONE })) {
    const page = await open({ viewport, colorScheme: theme, bypassCSP: true });
    for (const [view, place] of Object.entries(VIEWS)) {
      await page.goto(`${endpoint}/_headwater/console/#/${place}`);
      await page.locator(".feed.live").waitFor();
      const name = `${view}-${size}-${theme}`;
      const isKept = folder && KEPT.some((kept) => name.startsWith(kept));
      await ready(page, view, isKept);
      if (isKept) await page.screenshot({ path: `${folder}/${name}.png` });
      violations.push(...(await seriousIn(page, axe)).map((words) => `${name}: ${words}`));
    }
  }
  return { violations };
});

/** Waits for what a view shows; for a picture of the flow, also for lines in its cards. */
async function ready(page, view, isKept) {
  if (view === "tail") await page.getByRole("button", { name: /^\d\d:\d\d:\d\d/ }).first().click();
  if (view === "set-aside") await page.getByRole("article").getByLabel("Contents").waitFor();
  if (!isKept || view !== "flow") return;
  const hasLines = (points) => document.querySelector(".spark path")?.getAttribute("d").split("L").length > points;
  await page.waitForFunction(hasLines, LINE_POINTS, { timeout: 60_000 });
}

/** The serious violations that axe finds, and a page wider than its screen. */
async function seriousIn(page, axe) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const words = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(" | ")}`);
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  return isWide ? [...words, "it is wider than the screen"] : words;
}
