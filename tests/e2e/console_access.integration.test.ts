/** Who is signed in, as the console shows it against the stand-in server: signing in, people, duties, what a viewer does not see, machines and keys. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fake_code, fake_password, fake_recovery } from "../../apps/web/fake/people.ts";
import { fake_token } from "../../apps/web/fake/people_routes.ts";
import type { FakeServer } from "../../apps/web/fake/server.ts";
import { accessibilityTrouble, browser_absent } from "./browser.ts";
import { ConsoleBrowser } from "./console.ts";

describe.skipIf(browser_absent)(`access in the console${browser_absent ? " (no chromium: skipped)" : ""}`, () => {
  const shown = new ConsoleBrowser("console-access");
  beforeAll(() => shown.open());
  afterAll(() => shown.close());

  it("asks for the token, refuses a wrong one, and returns to where one was", async () => {
    await shown.visit(
      "normal",
      async ({ page }, server) => {
        await page.goto(`${server.url}/rules?q=mining`);
        await page.waitForURL("**/sign-in?next=**");
        await page.reload();
        await page.click("text=Use the admin token");
        await page.fill("input[type=password]", "wrong");
        await page.click("text=Sign in");
        await page.waitForSelector("text=This is not right.");
        expect(await accessibilityTrouble(page)).toEqual([]);
        await page.fill("input[type=password]", fake_token);
        await page.click("button:has-text('Sign in')");
        await page.waitForURL(`${server.url}/rules?q=mining`);
        await page.waitForSelector("text=Connection to a mining pool");
      },
      { stranger: true, provoked: [401] },
    );
  });

  /** Runs a test signed in by name; 4xx are provoked by what it does. */
  const enter = (name: string, body: (page: Page, server: FakeServer) => Promise<void>, code?: string) =>
    shown.visit(
      "normal",
      async ({ page }, server) => {
        await page.goto(`${server.url}/sign-in`);
        await page.fill("input[autocomplete=username]", name);
        await page.fill("input[autocomplete=current-password]", fake_password);
        await page.keyboard.press("Enter");
        if (code !== undefined) {
          await page.fill("input[autocomplete=one-time-code]", "000000");
          await page.keyboard.press("Enter");
          await page.waitForSelector("text=This code is not good");
          await page.fill("input[autocomplete=one-time-code]", code);
          await page.keyboard.press("Enter");
        }
        await page.waitForSelector(".rail >> text=Sign out");
        await body(page, server);
      },
      { stranger: true, provoked: [400, 401, 409] },
    );

  it("signs in by name and code; adds somebody, whose password is shown once; the last administrator stays", async () => {
    await enter(
      "ann",
      async (page, server) => {
        await page.keyboard.press("g");
        await page.keyboard.press("c");
        await page.click("text=Add somebody…");
        await page.fill("[role=dialog] >> input >> nth=0", "frieda");
        await page.selectOption("[role=dialog] select", "engineer");
        await page.fill("[placeholder='host.name:login*']", "host.name:web*");
        await page.click("[role=dialog] button:has-text('Add') >> nth=-1");
        await page.waitForSelector("[aria-label='First password'] >> text=first-password-once");
        expect(await accessibilityTrouble(page)).toEqual([]);
        await page.click("text=Done");
        expect(await page.locator("text=first-password-once").count()).toBe(0);
        expect(server.state.people.users.find(({ name }) => name === "frieda")?.grants).toEqual([
          { role: "engineer", rows: "host.name:web*" },
        ]);
        await page.click("main >> text=ann");
        await page.click("text=Disable…");
        await page.click("[role=dialog] button:has-text('Disable')");
        await page.waitForSelector("text=is the last administrator");
      },
      fake_code,
    );
  });

  it("lets nobody on who has to choose a password first, and then sets up codes by a QR code", async () => {
    await enter("carla", async (page) => {
      await page.waitForURL("**/profile");
      await page.waitForSelector("text=Your password was made for you.");
      expect(await page.locator(".rail >> text=Alerts").count()).toBe(0);
      const fields = page.locator("form:has-text('Change password') input");
      for (const [at, text] of [fake_password, "my password", "my password"].entries()) await fields.nth(at).fill(text);
      await page.evaluate("for (const one of document.querySelectorAll('input')) one.minLength = 0");
      await page.click("button:has-text('Change password')");
      await page.waitForSelector("text=among those guessed first");
      for (const at of [1, 2]) await fields.nth(at).fill("seven quiet otters");
      await page.click("button:has-text('Change password')");
      await page.waitForSelector(".rail >> text=Alerts");
      // a role for some rows only: what cannot be cut to them is not shown
      expect(await page.locator(".rail >> text=Sources").count()).toBe(0);
      await page.fill("form:has-text('to set codes up') input", fake_password);
      await page.click("button:has-text('Set up')");
      await page.waitForSelector("[role=img][aria-label^='QR code']");
      expect(await accessibilityTrouble(page)).toEqual([]);
      await page.fill("input[autocomplete=one-time-code]", fake_code);
      await page.click("button:has-text('Turn on')");
      await page.waitForSelector(`[aria-label='Recovery codes'] >> text=${fake_recovery}`);
    });
  });

  it("shows a viewer no page of administrators, and says so to whoever opens one", async () => {
    await enter("ben", async (page, server) => {
      await page.waitForSelector("text=Latest alerts");
      expect(await page.locator(".rail >> text=Access").count()).toBe(0);
      for (const path of ["/users", "/users/u-ann", "/machines", "/audit"]) {
        await page.goto(`${server.url}${path}`);
        await page.waitForSelector("text=This page is not for you");
      }
      expect(await accessibilityTrouble(page)).toEqual([]);
      await page.goto(`${server.url}/alerts/alert-0000`);
      await page.waitForSelector(".evidence-item");
      expect(await page.locator("button:has-text('Acknowledge'), button:has-text('Close…')").count()).toBe(0);
      await page.click("text=Sign out");
      await page.waitForURL("**/sign-in");
    });
  });

  it("enrols a machine by a token shown once, and makes a key", async () => {
    await shown.visit("normal", async ({ page }, server) => {
      await page.goto(`${server.url}/machines`);
      await page.fill("[placeholder=node17]", "node99");
      await page.click("text=Make a token");
      await page.waitForSelector("[aria-label='To enrol with'] >> text=VEDETTE_MACHINE_TOKEN=vde_once");
      await page.reload();
      await page.waitForSelector("table.grid tbody tr");
      expect(await page.locator("text=vde_once").count()).toBe(0);
      await page.click("[aria-label='Revoke… agent:node17']");
      await page.fill("[role=dialog] textarea", "gone");
      await page.click("[role=dialog] button:has-text('Revoke')");
      await page.waitForSelector("[role=dialog]", { state: "detached" });
      expect(server.state.people.machines.find(({ name }) => name === "node17")?.state).toBe("revoked");
      await page.goto(`${server.url}/profile`);
      await page.click("text=Make a key…");
      await page.fill("form:has-text('What it is for') input >> nth=0", "export");
      await page.check("text=events:read >> nth=0");
      await page.click("text=Make the key");
      await page.waitForSelector("[aria-label='New key'] >> text=vdk_made-just-now");
      expect(server.state.people.keys.at(-1)).toMatchObject({ name: "export", scope: ["events:read"], days: 90 });
    });
  });
});
