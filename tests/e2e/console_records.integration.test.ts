/** What is on record in the console, against the stand-in server: legal holds and erasures, from the preview to the line that stays. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityTrouble, browser_absent } from "./browser.ts";
import { ConsoleBrowser } from "./console.ts";

describe.skipIf(browser_absent)(`records in the console${browser_absent ? " (no chromium: skipped)" : ""}`, () => {
  const shown = new ConsoleBrowser("console-records");
  beforeAll(() => shown.open());
  afterAll(() => shown.close());

  it("erases only what was previewed, for a reason, and says what a hold keeps and how it goes", async () => {
    await shown.visit(
      "normal",
      async ({ page }, server) => {
        await page.goto(`${server.url}/erasures`);
        const before = server.state.cases.erasures.length;
        const form = page.locator("form");
        expect(await page.locator("button:has-text('Erase…')").count()).toBe(0);
        await form.locator("input[placeholder='user.name:mallory']").fill("nonsense");
        await form.locator("input").nth(3).fill("request 11 of the person");
        await page.click("button:has-text('Preview')");
        await page.waitForSelector("[role=alert] >> text=expected FIELD:VALUE");
        await form.locator("input[placeholder='user.name:mallory']").fill("user.name:mallory");
        await page.check("text=Audit records too");
        await page.click("button:has-text('Preview')");
        await page.waitForSelector("text=/1,204 events, what 2 alerts quote, what 12 records .* would go/");
        await page.waitForSelector("text=/18 events would stay, kept by/");
        expect(await accessibilityTrouble(page)).toEqual([]);
        // what was changed since was not previewed
        await form.locator("input").nth(3).fill("request 12 of the person");
        await page.waitForSelector("button:has-text('Erase…')", { state: "detached" });
        expect(server.state.cases.erasures).toHaveLength(before);
        await page.click("button:has-text('Preview')");
        await page.click("button:has-text('Erase…')");
        await page.click("[role=dialog] button:has-text('Cancel') >> nth=-1");
        expect(server.state.cases.erasures).toHaveLength(before);
        await page.click("button:has-text('Erase…')");
        await page.click("[role=dialog] button:has-text('Erase for good')");
        await page.waitForSelector("td:has-text('request 12 of the person')");
        const [made] = server.state.cases.erasures;
        expect(made).toMatchObject({ reason: "request 12 of the person", from: "1970-01-01T00:00:00.000Z", audit: true, state: "running" });
        // it is asked again by itself until none runs
        server.state.cases.erasures = server.state.cases.erasures.map((one) => ({
          ...one,
          state: "done",
          ended: one.at,
          events: 1_204,
          held: 18,
        }));
        await page.waitForSelector("tr:has-text('request 12 of the person') >> text=Done");
        await page.click(`table a:has-text('${made!.id}')`);
        await page.waitForURL("**/events?*vedette.audit.erasure*");
      },
      { provoked: [400] },
    );
  });

  it("puts a hold on what a question finds and releases it with a reason", async () => {
    await shown.visit("normal", async ({ page }, server) => {
      await page.goto(`${server.url}/holds`);
      const form = page.locator("form");
      await form.locator("input").nth(0).fill("host.name:login1");
      await form.locator("input").nth(1).fill("not a time");
      await page.waitForSelector("text=Not a time");
      await form.locator("input").nth(1).fill("2026-11-01T00:00:00Z");
      await form.locator("input").nth(3).fill("case 12");
      await page.click("form >> button:has-text('Hold')");
      await page.waitForSelector("tr:has-text('case 12') >> text=In force");
      expect(server.state.cases.holds[0]).toMatchObject({ q: "host.name:login1", reason: "case 12", alerts: [] });
      expect(await accessibilityTrouble(page)).toEqual([]);
      await page.click("tr:has-text('case 12') >> button:has-text('Release…')");
      await page.fill("[role=dialog] textarea", "it is closed");
      await page.click("[role=dialog] button:has-text('Release hold')");
      await page.waitForSelector("tr:has-text('case 12') >> text=it is closed");
    });
  });
});
