// The views as a person sees them, in one theme, at a laptop's and a phone's width: what axe finds in them, and pictures of
// them where a folder is named.
import { readFile } from "node:fs/promises";
import { LAPTOP, PHONE, run } from "./browser.mjs";

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
      await ready(page, view, folder);
      if (folder) await page.screenshot({ path: `${folder}/${view}-${size}-${theme}.png` });
      await page.evaluate(axe);
      const { violations: found } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
      const serious = found.filter(({ impact }) => impact === "serious" || impact === "critical");
      violations.push(...serious.map(({ id, nodes }) => `${view} ${size}: ${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => html + failureSummary).join(" | ")}`));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      if (wide) violations.push(`${view} ${size}: the page is wider than the screen`);
    }
  }
  return { violations };
});

/** Waits for what a view shows; for its picture, for some lines in its charts. */
async function ready(page, view, folder) {
  if (view === "tail") await page.getByRole("button", { name: /^\d\d:\d\d:\d\d/ }).first().click();
  if (view === "set-aside") await page.getByRole("article").getByLabel("Contents").waitFor();
  if (folder) await page.waitForTimeout(view === "stream" || view === "flow" ? 14_000 : 2_000);
}
