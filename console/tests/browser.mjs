// Debian's Chromium with the console in it, and what went wrong there: errors, refusals of the policy, long tasks.
import { chromium } from "playwright-core";

const PROGRAM = process.env.HEADWATER_CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
FLAGS.push("--disable-component-update", "--disable-sync");

export const LAPTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** Runs `visit(page, open)` in a browser, and prints the JSON that it gives, with what went wrong. */
export async function run(visit) {
  const browser = await chromium.launch({ executablePath: PROGRAM, args: FLAGS });
  const wrong = [];
  const open = async (options = {}) => {
    const context = await browser.newContext({ viewport: LAPTOP, colorScheme: "light", timezoneId: "Europe/Berlin", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => wrong.push(String(error)));
    page.on("dialog", (dialog) => wrong.push(`a dialog: ${dialog.message()}`) && dialog.dismiss());
    page.on("console", (message) => {
      if (message.type() === "error" && /Content Security Policy|Trusted/i.test(message.text())) wrong.push(message.text());
    });
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== new URL(endpoint).origin && !request.url().startsWith("data:")) wrong.push(`asked ${request.url()}`);
    });
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI}`));
      globalThis.longest = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, duration);
      }).observe({ type: "longtask", buffered: true });
    });
    return page;
  };
  try {
    const told = await visit({ open, ...asked });
    console.log(JSON.stringify({ ...told, wrong }));
  } finally {
    await browser.close();
  }
}

/** What the test says: the server's endpoint, and the names of what is in it. */
const asked = JSON.parse(process.argv[2]);
const endpoint = asked.endpoint;

/** The words of an element. */
export const text = async (locator) => (await locator.innerText()).replace(/\s+/g, " ").trim();
