// Thousands of shards: the picture, a stream's list of them from end to end, and how long the page was busy at a time.
import { run, text } from "./browser.mjs";

await run(async ({ open, endpoint, stream }) => {
  const page = await open();
  await page.goto(`${endpoint}/_headwater/console/`);
  await page.getByRole("link", { name: /and \d+ more/ }).waitFor();
  await page.getByRole("link", { name: /and \d+ more/ }).click();
  await page.getByRole("searchbox", { name: "Find" }).fill(stream);
  await page.getByRole("link", { name: stream }).click();
  await page.getByRole("link", { name: /^Shards/ }).click();
  const list = page.getByRole("rowgroup", { name: "Shards" });
  await list.getByRole("row").first().waitFor();
  await page.evaluate(() => { globalThis.longest = 0; });
  const seen = [];
  for (let place = 0; place <= 10; place += 1) {
    await list.evaluate((box, share) => { box.scrollTop = box.scrollHeight * share; }, place / 10);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    seen.push(await list.getByRole("row").count());
  }
  const last = await text(list.getByRole("row").last().getByRole("cell").first());
  const longest = await page.evaluate(() => globalThis.longest);
  return { rows: Math.max(...seen), last, longest };
});
