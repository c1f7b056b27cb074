/** The first start as a newcomer sees it, in a real browser against the real server: link, demo, alert, evidence, search. Makes the README's pictures. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browser_absent, launch, openPage } from "./browser.ts";
import { Vedette } from "./vedette.ts";

/** Where pictures go; README's are made with VEDETTE_SCREENSHOTS=docs/images. */
const pictures =
  process.env["VEDETTE_SCREENSHOTS"] === undefined
    ? undefined
    : join(fileURLToPath(new URL("../..", import.meta.url)), process.env["VEDETTE_SCREENSHOTS"]);

describe.skipIf(browser_absent)("first start in a browser", { timeout: 180_000 }, () => {
  const vedette = new Vedette();
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  const picture = async (name: string) => {
    if (!pictures) return;
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `${name}.png`) });
  };

  beforeAll(async () => {
    [browser] = await Promise.all([launch(), vedette.start()]);
    const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, colorScheme: "dark" });
    ({ page, complaints } = await openPage(context));
    // a watchdog: on a loaded machine the first alert takes its time
    page.setDefaultTimeout(120_000);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await vedette.remove();
  });

  test("the printed link logs in once, and the first alert appears by itself", async () => {
    const link = /http:\S+\/login\?token=\S+/.exec(vedette.output)![0];
    await page.goto(link);
    await page.getByRole("heading", { name: "Now" }).waitFor();
    await page.goto(`${vedette.url}/alerts`);
    await page.locator("a[href*='/alerts/']").first().waitFor();
    expect(vedette.output).toMatch(/First alert after \d/);
    await page.goto(link);
    await page.waitForURL(/sign-in/);
    // left open while the scenario plays, so that the chart has something to show
    await page.goto(vedette.url);
  });

  test("all four attacks of the scenario are found while it replays", async () => {
    const titles = (
      await vedette.until(
        async () => {
          const { demo } = await vedette.get<{ demo: { running: boolean } }>("/api/v1/status");
          const { alerts } = await vedette.get<{
            alerts: { rule: { id: string }; title: string; entities: { type: string; id: string }[] }[];
          }>("/api/v1/alerts?limit=200");
          return { demo, alerts };
        },
        ({ demo, alerts }) => !demo.running && alerts.length >= 4,
      )
    ).alerts.map((a) => `${a.title} ${a.entities.map((e) => `${e.type}=${e.id}`).join(" ")}`);
    const all = titles.join("\n");
    expect(all).toMatch(/Password guessing from one address source\.ip=203\.0\.113\./);
    expect(all, "the web attack").toMatch(/SQL|traversal|Log4|scanner|web/i);
    expect(all, "credential dumping").toMatch(/LSASS|credential|dump/i);
    expect(all, "the miner").toMatch(/min(er|ing)|pool/i);
    await page.getByText("Latest alerts").waitFor();
    await page.locator("a[href*='/alerts/']").first().waitFor();
    await picture("now");
  });

  test("an alert shows which clause matched which value, and takes a verdict", async () => {
    await page.goto(`${vedette.url}/alerts`);
    await page.locator("a[href*='/alerts/']").first().waitFor();
    await picture("alerts");
    const { alerts } = await vedette.get<{ alerts: { id: string; title: string }[] }>("/api/v1/alerts?severity=high,critical&limit=50");
    const one = alerts.find((a) => /LSASS|Mimikatz/.test(a.title))!;
    await page.goto(`${vedette.url}/alerts/${one.id}`);
    await page.getByText("Why it fired").waitFor();
    await page.getByText("Evidence", { exact: true }).first().waitFor();
    await picture("alert");
  });

  test("events are searched and counted", async () => {
    await page.goto(`${vedette.url}/events?q=${encodeURIComponent("event.category:authentication and event.outcome:failure")}`);
    await page.getByText("linux.auth").first().waitFor();
    await picture("events");
    expect(complaints).toEqual([]);
  });

  test("clearing the demo leaves nothing of it, and the next start does not replay", async () => {
    await vedette.fetch("/api/v1/demo", { method: "DELETE" });
    const { total } = await vedette.get<{ total: number }>("/api/v1/alerts?state=open,acknowledged,closed");
    expect(total).toBe(0);
    expect(await vedette.events("")).toEqual([]);
    await vedette.stop();
    const before = vedette.output.length;
    await vedette.start();
    expect(vedette.output.slice(before)).not.toMatch(/replaying the bundled/);
  });
});
