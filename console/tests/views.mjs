// Each view once.
import { run, text } from "./browser.mjs";

await run(async ({ open, endpoint }) => {
  const page = await open();
  const go = (place) => page.goto(`${endpoint}/_headwater/console/#/${place}`);

  await go("stream/us-east-1/packed/tail?type=TRIM_HORIZON");
  const row = (name) => page.getByRole("rowgroup", { name: "Records" }).getByRole("row").filter({ hasText: name });
  const contents = page.getByRole("article", { name: "Record" }).getByLabel("Contents");
  const packed = [];
  for (const name of ["one", "two"]) {
    await row(name).getByRole("button").click();
    packed.push(await text(contents));
  }
  await page.getByRole("searchbox", { name: "Filter" }).fill("TWO");
  const filtered = await page.getByRole("rowgroup", { name: "Records" }).getByRole("row").count();
  await page.getByRole("searchbox", { name: "Filter" }).fill("AAFiaW5hcnk");
  await page.getByRole("rowgroup", { name: "Records" }).getByRole("button").click();
  packed.push((await text(page.getByText(/no text: base64/))).slice(0, 15));

  await go("stream/us-east-1/clicks/shards");
  await page.getByText("then 2 and 3").waitFor();
  const lineage = await text(page.getByRole("rowgroup", { name: "Shards" }));

  await go("table/us-east-1/prices/items");
  const item = await text(page.getByRole("article", { name: "Item" }).getByLabel("Contents"));

  await go("function/us-east-1/check/call");
  await page.getByLabel("Event, JSON").fill('{"records": []}');
  await page.getByRole("button", { name: "Call the function" }).click();
  const called = await text(page.getByRole("status").getByLabel("Contents"));

  await go("bucket");
  await page.getByRole("link", { name: "lake" }).click();
  for (const folder of ["clicks", /^\d{4}\/$/, /^\d\d\/$/, /^\d\d\/$/, /^\d\d\/$/]) {
    await page.getByRole("rowgroup", { name: "Objects" }).getByRole("link", { name: folder }).first().click();
  }
  await page.getByRole("rowgroup", { name: "Objects" }).getByRole("link", { name: /clicks-to-lake/ }).first().click();
  const object = await text(page.getByRole("article", { name: "Object" }).getByLabel("Contents"));
  return { packed, filtered, lineage, item, called, object };
});
