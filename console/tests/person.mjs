// A person who is woken at night and has a mouse: which delivery is stuck, since when, why, and which record waits; which
// mapping is blocked, and by which record; which records were set aside, and why.
import { run, text } from "./browser.mjs";

await run(async ({ open, endpoint, stuck, mapping, refusing }) => {
  const began = Date.now();
  const page = await open();
  await page.goto(endpoint);
  const held = page.getByRole("region", { name: "Held up" });

  await held.getByRole("link", { name: stuck }).click();
  const why = page.getByRole("region", { name: "Why it is held up" });
  const delivery = { why: await text(why), since: await why.locator("time").first().getAttribute("datetime") };
  await page.getByRole("link", { name: "Show the records that wait" }).click();
  const record = page.getByRole("article", { name: "Record" });
  delivery.record = await record.getByLabel("Contents").innerText();

  await page.getByRole("link", { name: "Flow", exact: true }).first().click();
  await held.getByRole("link", { name: mapping }).click();
  const blocked = { why: await text(why), since: await why.locator("time").first().getAttribute("datetime") };
  await page.getByRole("link", { name: "What the function says" }).click();
  await page.getByRole("cell", { name: /poison/ }).first().waitFor();
  blocked.log = await text(page.getByRole("cell", { name: /poison/ }).first());
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("link", { name: "Show the record" }).click();
  blocked.record = await record.getByLabel("Contents").innerText();

  await page.getByRole("link", { name: "Flow", exact: true }).first().click();
  await page.getByRole("group", { name: "Readers" }).getByRole("link", { name: refusing }).click();
  await page.getByRole("link", { name: "Records it set aside" }).click();
  const line = page.getByRole("article", { name: "Record that was set aside" });
  await line.getByLabel("Contents").waitFor();
  const aside = { why: await text(line.locator("dl")), record: await line.getByLabel("Contents").innerText() };
  return { delivery, blocked, aside, seconds: (Date.now() - began) / 1000 };
});
