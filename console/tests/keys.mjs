// A server that checks signatures: nothing is read without keys, wrong ones are refused, and right ones make and show a
// record; and nothing of them stays.
import { run, text } from "./browser.mjs";

await run(async ({ open, endpoint, id, secret, stream }) => {
  const page = await open();
  const at = `${endpoint}/_headwater/console/#/stream/us-east-1/${stream}`;
  await page.goto(`${at}/put`);
  const before = await text(page.getByText("This is read with your own keys"));

  const signIn = async (secretKey) => {
    await page.getByRole("banner").getByRole("button", { name: /sign in|Signed as/ }).first().click();
    await page.getByLabel("Access key ID").fill(id);
    await page.getByLabel("Secret access key").fill(secretKey);
    await page.getByRole("button", { name: "Use these keys" }).click();
  };
  const put = page.getByRole("button", { name: "Put the record" });
  await signIn("not the secret");
  await put.click();
  const refused = await text(page.getByRole("alert"));

  await signIn(secret);
  await page.getByLabel("Partition key").fill("a b/c'd(e)*f~é");
  await page.getByLabel("Data").fill(JSON.stringify({ test: true, named: "a b/c'd(e)*f~é" }));
  await put.click();
  const answer = await text(page.getByText(/It is in/));
  await page.getByRole("link", { name: "Live tail" }).click();
  await page.getByLabel("Read").selectOption("TRIM_HORIZON");
  const seen = await page.getByRole("article", { name: "Record" }).or(page.getByRole("cell", { name: /named/ })).first();
  await seen.waitFor();
  await page.getByRole("cell", { name: /named/ }).click();
  const contents = JSON.parse(await page.getByRole("article", { name: "Record" }).getByLabel("Contents").innerText());
  const kept = await page.evaluate(() => ({ cookies: document.cookie.length, local: localStorage.length, session: sessionStorage.length }));
  return { before, refused, put: answer, seen: contents, kept };
});
