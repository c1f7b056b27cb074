/** The console against the real API in process: a first password, codes, signing in with them and by an OpenID provider, a machine's token. */
import { createHmac } from "node:crypto";
import { Oidc, type OidcConfig } from "@vedette/access";
import { systemClock } from "@vedette/kit";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { payloads } from "../../apps/web/fake/hostile.ts";
import { asAdmin, type Rig, rig } from "../../packages/api/src/testing/fakes.ts";
import { startProvider, type TestProvider } from "../../packages/api/src/testing/provider.ts";
import { browser_absent } from "./browser.ts";
import { ConsoleBrowser } from "./console.ts";

/** RFC 6238, as an authenticator app does it. */
function codeOf(secret: string, at_s: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replace(/\s/g, "")].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at_s / 30)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const code = (mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fffffff) % 1_000_000;
  return String(code).padStart(6, "0");
}

describe.skipIf(browser_absent)(`signing in to the console${browser_absent ? " (no chromium: skipped)" : ""}`, () => {
  const shown = new ConsoleBrowser("console-sign-in");
  let provider: TestProvider;
  let server: Rig;
  let url: string;
  beforeAll(() => shown.open());
  afterAll(() => shown.close());
  beforeEach(async () => {
    let oidc: Oidc | undefined;
    // both need to know where the other is
    const later = {
      label: "Site login",
      get provider() {
        return oidc!;
      },
    };
    server = await rig({ oidc: later, consoleDirectory: shown.dist });
    url = await server.app.listen({ port: 0, host: "127.0.0.1" });
    const redirectUri = `${url}/api/v1/oidc/callback`;
    provider = await startProvider([redirectUri]);
    const config: OidcConfig = {
      issuer: provider.issuer,
      clientId: provider.client.id,
      clientSecret: provider.client.secret,
      redirectUri,
      scopes: ["openid", "profile"],
      nameClaim: "preferred_username",
      groupsClaim: "groups",
      groups: { hpc: [{ role: "viewer" }] },
      privateAddresses: true,
    };
    oidc = new Oidc(config, server.auth.people.users, systemClock);
  });
  afterEach(async () => {
    await provider?.close();
    await server?.app.close();
  });

  const send = async (path: string, payload: object) =>
    (await server.app.inject({ method: "POST", url: `/api/v1${path}`, headers: asAdmin, payload })).json();
  /** The status by which the API itself answers this browser. */
  const asked = (page: Page, path: string) => page.evaluate(async (at) => (await fetch(at)).status, `/api/v1${path}`);

  async function signIn(page: Page, name: string, password: string): Promise<void> {
    await page.goto(`${url}/sign-in`);
    await page.fill("input[autocomplete=username]", name);
    await page.fill("input[autocomplete=current-password]", password);
    await page.keyboard.press("Enter");
  }

  it("leads from a first password to one's own, to codes, and asks for them from then on; a viewer stays one", async () => {
    const { initial_password } = await send("/users", { name: "ben", grants: [{ role: "viewer" }], display_name: payloads[1] });
    const own = "seven quiet otters";
    await shown.page({ provoked: [400, 401, 403] }, async ({ page }) => {
      await signIn(page, "ben", initial_password);
      await page.waitForSelector("text=Your password was made for you.");
      const fields = page.locator("form:has-text('Change password') input");
      for (const [at, text] of [initial_password, own, own].entries()) await fields.nth(at).fill(text);
      await page.click("button:has-text('Change password')");
      await page.fill("form:has-text('to set codes up') input", own);
      await page.click("button:has-text('Set up')");
      const secret = await page.locator(".totp-secret").innerText();
      await page.fill("input[autocomplete=one-time-code]", codeOf(secret, server.clock.now() / 1e6));
      await page.click("button:has-text('Turn on')");
      await page.waitForSelector("[aria-label='Recovery codes']");
      await page.click("text=Sign out");
      await page.waitForURL("**/sign-in");
      await signIn(page, "ben", own);
      // used once already
      await page.fill("input[autocomplete=one-time-code]", codeOf(secret, server.clock.now() / 1e6));
      await page.keyboard.press("Enter");
      await page.waitForSelector("text=This code is not good");
      await server.clock.pass(30_000);
      await page.fill("input[autocomplete=one-time-code]", codeOf(secret, server.clock.now() / 1e6));
      await page.keyboard.press("Enter");
      await page.waitForSelector("text=Latest alerts");
      await page.goto(`${url}/users`);
      await page.waitForSelector("text=This page is not for you");
      expect([await asked(page, "/users"), await asked(page, "/alerts")]).toEqual([403, 200]);
      await page.goto(`${url}/profile`);
      await page.waitForSelector("h1 >> text=<img src=x");
      expect(await page.evaluate(() => (globalThis as { __xss?: number }).__xss)).toBeUndefined();
    });
  });

  it("signs in by the provider and leads to where one was; nobody else is let in", async () => {
    provider.person = { sub: "s-1", preferred_username: "Ada", groups: ["hpc"] };
    await shown.page({ provoked: [401] }, async ({ page }) => {
      await page.goto(`${url}/rules?state=shadow`);
      await page.click("text=Site login");
      await page.waitForURL(`${url}/rules?state=shadow`);
      await page.waitForSelector(".rail >> text=ada");
      // its own page loads what is not ours to watch
      await page.route(`${provider.issuer}/**`, (route) => route.fulfill({ body: "signed out" }));
      await page.click("text=Sign out");
      await page.waitForURL(`${provider.issuer}/**`);
      await page.goto(url);
      await page.waitForURL("**/sign-in");
    });
    provider.person = { sub: "s-2", preferred_username: "no\u0000body", groups: [] };
    await shown.page({ provoked: [401] }, async ({ page }) => {
      await page.goto(`${url}/sign-in`);
      await page.click("text=Site login");
      await page.waitForSelector("text=The provider did not let you in");
    });
  });

  it("shows a machine's token once, in the command to copy", async () => {
    await shown.page({}, async ({ page }) => {
      await page.goto(`${url}/login?token=${server.auth.issueLogin()}`);
      await page.goto(`${url}/machines`);
      await page.fill("[placeholder=node17]", "node17");
      await page.click("text=Make a token");
      const token = /vdm_[\w-]+(\.[\w-]+)*/.exec(await page.locator("[role=status] pre").innerText())?.[0] ?? "";
      expect(token.length).toBeGreaterThan(20);
      await page.reload();
      await page.waitForSelector("h1 >> text=Machines");
      expect(await page.content()).not.toContain(token);
    });
  });
});
