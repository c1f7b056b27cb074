/** The built console against the stand-in server in a real browser: every page, both themes, triage, search, hostile content, and the four states. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeAlert } from "../../apps/web/fake/alerts.ts";
import { casesOf } from "../../apps/web/fake/cases.ts";
import { hpcOf } from "../../apps/web/fake/hpc.ts";
import { payloads as hostile_texts } from "../security/payloads.ts";
import { accessibilityTrouble, browser_absent, chromium_path } from "./browser.ts";
import { ConsoleBrowser } from "./console.ts";

/** Set it to a folder to keep pictures of the pages, for the README. */
const pictures = process.env["VEDETTE_SCREENSHOTS"];

const pages: readonly { readonly name: string; readonly path: string; readonly ready: string }[] = [
  { name: "now", path: "/", ready: "text=Latest alerts" },
  { name: "alerts", path: "/alerts", ready: ".alert-grid tbody tr" },
  { name: "alert", path: "/alerts/alert-0000?z=utc", ready: ".evidence-item" },
  { name: "events", path: "/events?f=user.name&z=utc", ready: ".top-values li" },
  { name: "stats", path: "/events?q=event.outcome:failure | stats count() as n by user.name", ready: "table.grid tbody tr" },
  { name: "rules", path: "/rules", ready: "table.grid tbody tr" },
  { name: "audit", path: "/audit?z=utc", ready: "table.grid tbody tr" },
  { name: "sources", path: "/sources", ready: "table.grid tbody tr" },
  { name: "source", path: "/sources/nginx", ready: "[aria-label='Configuration of curl']" },
  { name: "quality", path: "/quality", ready: "table.grid tbody tr" },
  { name: "enrichment", path: "/enrichment", ready: "table.grid tbody tr" },
  { name: "pipelines", path: "/pipelines", ready: ".step-list li" },
  { name: "sinks", path: "/sinks", ready: "table.grid tbody tr" },
  { name: "metrics", path: "/series?q=metric.name:node_load1&z=utc", ready: ".series-table tbody tr" },
  { name: "hpc", path: "/hpc", ready: ".node-grid li" },
  { name: "users", path: "/users", ready: "table.grid tbody tr" },
  { name: "user", path: "/users/u-carla", ready: "text=Save roles" },
  { name: "roles", path: "/roles", ready: "table.grid tbody tr" },
  { name: "machines", path: "/machines", ready: "table.grid tbody tr" },
  { name: "backtests", path: "/backtests?id=b1", ready: "text=Result of b1" },
  { name: "holds", path: "/holds?z=utc", ready: "table.grid tbody tr" },
  { name: "erasures", path: "/erasures?z=utc", ready: "table.grid tbody tr" },
  { name: "keys-at-rest", path: "/keys-at-rest", ready: "table.grid tbody tr" },
  { name: "profile", path: "/profile", ready: "text=nightly export" },
];

/** Both schemes, and both a desk and a telephone. */
const looks = [
  { scheme: "dark", width: 1440 },
  { scheme: "light", width: 390 },
] as const;

describe.skipIf(browser_absent)(`the console in ${chromium_path}${browser_absent ? " (absent: skipped)" : ""}`, () => {
  const shown = new ConsoleBrowser("console");
  const visit = shown.visit.bind(shown);
  beforeAll(() => shown.open());
  afterAll(() => shown.close());

  it.each(looks)("shows every page without a complaint, a serious barrier or anything beyond the edge, $scheme at $width", async (look) => {
    await visit(
      "normal",
      async ({ page }, server) => {
        const trouble: string[] = [];
        for (const { name, path, ready } of pages) {
          await page.goto(`${server.url}${path}`);
          await page.waitForSelector(ready);
          trouble.push(...(await accessibilityTrouble(page)));
          const beyond = Number(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"));
          if (beyond > 0) trouble.push(`${path} is ${beyond} px wider than the window`);
          if (pictures !== undefined) {
            mkdirSync(pictures, { recursive: true });
            await page.screenshot({ path: join(pictures, `${name}-${look.scheme}.png`) });
          }
        }
        expect(trouble).toEqual([]);
      },
      look,
    );
  });

  it("is triaged from the keyboard", async () => {
    await visit("normal", async ({ page }, server) => {
      await page.goto(`${server.url}/alerts`);
      await page.waitForSelector(".alert-grid tbody tr");
      await page.keyboard.press("j");
      await page.keyboard.press("j");
      await page.waitForSelector("tr.selected");
      expect(new URL(page.url()).searchParams.get("sel")).toBe("alert-0001");
      await page.keyboard.press("a");
      await page.waitForSelector("tr.selected >> text=Acknowledged");
      expect(server.state.alerts.find(({ id }) => id === "alert-0001")?.state).toBe("acknowledged");
      await page.keyboard.press("e");
      await page.waitForSelector("[role=dialog] >> text=Verdict");
      await page.click("[role=dialog] button:has-text('Close alert')");
      await page.waitForSelector("text=Choose a verdict");
      expect(await accessibilityTrouble(page)).toEqual([]);
      await page.click("[role=dialog] >> text=False positive");
      await page.fill("[role=dialog] textarea", "a test");
      await page.click("[role=dialog] button:has-text('Close alert')");
      await page.waitForSelector("text=closed.");
      const closed = server.state.alerts.find(({ id }) => id === "alert-0001");
      expect([closed?.state, closed?.verdict, closed?.history.at(-1)?.note]).toEqual(["closed", "false_positive", "a test"]);
      await page.waitForURL((url) => url.searchParams.get("sel") !== "alert-0001");
      await page.click("button:has-text('Reopen')");
      await page.waitForSelector("text=reopened.");
      await page.keyboard.press("?");
      await page.waitForSelector("[role=dialog] >> text=Close the selected alert with a verdict");
      expect(await accessibilityTrouble(page)).toEqual([]);
    });
  });

  it("shows new alerts as they come, and holds them back while someone reads", async () => {
    await visit("normal", async ({ page }, server) => {
      await page.goto(`${server.url}/alerts`);
      await page.waitForSelector(".alert-grid tbody tr");
      await page.waitForSelector("text=Live");
      server.sendAlert({ ...makeAlert(0, Date.now(), "open", 10), id: "fresh-1", title: "Fresh one" });
      await page.waitForSelector(".alert-grid tbody tr:first-child >> text=Fresh one");
      await page.keyboard.press("j");
      await page.waitForSelector("tr.selected");
      server.sendAlert({ ...makeAlert(0, Date.now(), "open", 10), id: "fresh-2", title: "Fresh two" });
      await page.waitForSelector("text=1 new alert");
      expect(await page.locator("text=Fresh two").count()).toBe(0);
      server.sendAlert({ ...makeAlert(0, Date.now(), "open", 10), id: "fresh-1", title: "Fresh one", count: 777 });
      await page.waitForSelector(".alert-grid tbody tr:first-child >> text=777");
      await page.click("button:has-text('Load more')");
      await page.waitForSelector(".alert-grid tbody tr >> nth=60");
      await page.click("text=1 new alert");
      await page.waitForSelector(".alert-grid tbody tr:first-child >> text=Fresh two");
    });
  });

  it("searches: filter by a value, go back, complain about a query at its place, tail", async () => {
    await visit("normal", async ({ page }, server) => {
      await page.goto(`${server.url}/events?q=event.dataset:sshd`);
      await page.waitForSelector(".event-item");
      await page.click(".event-item >> nth=0 >> button");
      const context = page.locator("[aria-label='Context at that time']");
      await context.locator("text=/was john-pc by a lease of/").waitFor();
      expect(await context.locator("li >> nth=1").innerText()).toContain("/usr/sbin/sshd -D by root");
      await page.click("[aria-label^='Filter for user.name']");
      await page.waitForURL((url) => url.searchParams.get("q")?.includes(" and user.name:") ?? false);
      await page.goBack();
      await page.waitForURL((url) => url.searchParams.get("q") === "event.dataset:sshd");
      expect(await page.inputValue("[role=combobox]")).toBe("event.dataset:sshd");
      await dragAcross(page);
      await page.waitForURL((url) => url.searchParams.get("t")?.includes("..") ?? false);
      await page.keyboard.press("/");
      await page.keyboard.type('user.name:"maria');
      await page.waitForSelector("text=Position 11:");
      await page.fill("[role=combobox]", "user.name=root");
      await page.click("text=/^Write/");
      expect(await page.inputValue("[role=combobox]")).toBe("user.name:root");
      await page.fill("[role=combobox]", "");
      await page.keyboard.type("user.na");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      expect(await page.inputValue("[role=combobox]")).toBe("user.name:");
      await page.keyboard.type("nobody-has-this-name");
      await page.keyboard.press("Enter");
      await page.waitForSelector("text=No event matches");
      await page.goto(`${server.url}/events?q=nothing-like-this&sel=evt000007Q`);
      await page.waitForSelector("text=Linked event");
      await page.goto(`${server.url}/events?tail=1`);
      await page.waitForSelector("text=this is a sample");
      await page.waitForSelector(".event-item");
      await page.keyboard.press("p");
      await page.waitForSelector("text=/Paused; \\d+ arrived meanwhile/");
    });
  });

  it("never runs what arrives, wherever it is shown", async () => {
    await visit("hostile", async ({ page }, server) => {
      for (const path of [
        "/",
        "/alerts",
        "/alerts/hostile",
        "/events?q=onerror&t=all&f=message",
        "/events?q=onerror | stats count() by message",
        "/rules",
        "/sources",
        "/audit",
        "/users",
        "/users/hostile",
        "/machines",
        "/quality",
        "/hpc",
        "/enrichment",
        "/pipelines",
        "/sinks",
        "/series?q=anything",
        "/backtests?id=b0",
        "/keys-at-rest",
        "/holds",
        "/erasures",
      ]) {
        await page.goto(`${server.url}${path}`);
        await page.waitForSelector("main >> text=window.__xss");
        if (path.startsWith("/events?q=onerror&")) {
          await page.click(".event-item >> nth=0 >> button");
          await page.waitForSelector(".original");
        }
        await page.evaluate("for (const details of document.querySelectorAll('main details')) details.open = true");
        expect(await page.locator("main :is(script, iframe, img[src=x], svg[onload])").count()).toBe(0);
        expect(await page.locator("a[href^='javascript:' i]").count()).toBe(0);
        expect(await page.evaluate(() => (globalThis as { __xss?: number }).__xss)).toBeUndefined();
        expect(await page.locator("main").innerText()).not.toMatch(/[\u202e\u200b\u0007]/);
      }
    });
  });

  it("never runs any of five hundred hostile texts, and says nothing of a broken policy", async () => {
    await visit("hostile", async ({ page }, server) => {
      const { events, alerts, rules } = server.state;
      const [event, alert, rule] = [events[0]!, alerts[0]!, rules[0]!];
      // ten in one place: what runs in one of them runs in all
      const texts = Array.from({ length: Math.ceil(hostile_texts.length / 10) }, (_, i) =>
        hostile_texts.slice(i * 10, i * 10 + 10).join("\n"),
      );
      const all = <T>(into: T[], make: (text: string, id: string) => T) =>
        void into.splice(0, into.length, ...texts.map((text, i) => make(text, `h${i}`)));
      all(events, (text, id) => ({ ...event, id, source: text, host: text, fields: { message: text, [text]: text }, original: text }));
      all(alerts, (text, id) => ({
        ...alert,
        id,
        title: text,
        summary: text,
        rule: { id: text, title: text },
        entities: [{ type: text, id: text }],
      }));
      all(rules, (text, id) => ({ ...rule, id, title: text, author: text, file: text, reason: text }));
      const { people, data } = server.state;
      const [user, machine] = [people.users.at(-1)!, people.machines[0]!];
      server.state.cases = casesOf(texts, Date.now());
      people.users = texts.map((text, i) => ({
        ...user,
        id: `u${i}`,
        name: text,
        display_name: text,
        grants: [{ role: "viewer", rows: text }],
      }));
      people.machines = texts.map((text, i) => ({ ...machine, id: `agent:${i}`, name: text }));
      data.hpc = hpcOf(texts, Date.now());
      data.pipelines = texts.map((text) => ({
        name: text,
        file: text,
        steps: [{ name: text, does: "drop", dropped: 1 }],
        cases: 1,
        failing: 1,
      }));
      for (const [path, row] of [
        ["/events?t=all&f=message", ".event-item"],
        ["/alerts", ".alert-grid tbody tr"],
        ["/rules", "table.grid tbody tr"],
        ["/alerts/h3", ".evidence-item"],
        ["/backtests?id=b0", "text=Result of b0"],
        ["/keys-at-rest", "table.grid tbody tr"],
        ["/holds", "table.grid tbody tr"],
        ["/erasures", "table.grid tbody tr"],
        ["/users", "table.grid tbody tr"],
        ["/users/u3", "text=Save roles"],
        ["/machines", "table.grid tbody tr"],
        ["/hpc", "table.grid tbody tr"],
        ["/pipelines", ".step-list li"],
      ] as const) {
        await page.goto(`${server.url}${path}`);
        await page.waitForSelector(row);
        await page.evaluate("for (const details of document.querySelectorAll('main details')) details.open = true");
        expect(
          await page.locator("main :is(script, iframe, object, embed, base, meta, form[action], video, img[src=x], svg[onload])").count(),
        ).toBe(0);
        expect(await page.locator("a[href^='javascript:' i], a[href^='data:' i]").count()).toBe(0);
        expect(await page.evaluate(() => (globalThis as { __xss?: number }).__xss)).toBeUndefined();
        const shown = await page.locator("main").innerText();
        const at = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/.exec(shown)?.index;
        expect([path, at === undefined ? "" : JSON.stringify(shown.slice(at - 30, at + 10))]).toEqual([path, ""]);
      }
    });
  });

  it("connects a sender: a token shown once, its configuration to copy, taken back", async () => {
    await visit("normal", async ({ page }, server) => {
      await page.goto(`${server.url}/sources`);
      await page.fill("[placeholder='login-nodes']", "fresh-1");
      await page.keyboard.press("Enter");
      await page.waitForSelector("text=Waiting for the first event");
      await page.waitForSelector("[aria-label='Configuration of curl'] >> text=Bearer TOKEN");
      await page.click("button:has-text('Make a token')");
      await page.waitForSelector("[aria-label='New token'] >> text=vds_made-just-now");
      await page.waitForSelector("[aria-label='Configuration of curl'] >> text=Bearer vds_made-just-now");
      server.state.sources.push({ ...server.state.sources[0]!, name: "fresh-1" });
      await page.waitForSelector("[aria-label='Source fresh-1'] >> text=balances");
      await page.reload();
      await page.waitForSelector("[aria-label='Configuration of curl'] >> text=Bearer TOKEN");
      expect(await page.locator("text=vds_made-just-now").count()).toBe(0);
      await page.click("button:has-text('Take back…')");
      await page.click("[role=dialog] >> button:has-text('Take back')");
      await page.waitForSelector("text=No token yet");
      expect(server.state.data.tokens.map(({ source }) => source)).toEqual(["nginx"]);
    });
  });

  it("previews a pipeline, and reads pipelines again although rules lose their data only when told so twice", async () => {
    await visit("normal", async ({ page }, server) => {
      await page.goto(`${server.url}/pipelines`);
      await page.fill("textarea", "steps: [{ drp: {} }]");
      await page.click("button:has-text('Preview')");
      await page.waitForSelector('text=did you mean "drop"?');
      await page.click("text=Take the example");
      await page.click("button:has-text('Preview')");
      await page.waitForSelector("text=/1,000 events .*31.* would be changed/");
      await page.click("text=Read files again…");
      await page.fill("[role=dialog] textarea", "less noise");
      await page.click("[role=dialog] >> button:has-text('Read again')");
      await page.check("[role=dialog] >> text=Do it all the same");
      await page.click("[role=dialog] >> button:has-text('Read again')");
      await page.waitForSelector("[role=dialog]", { state: "detached" });
    });
  });

  it("tells the four states of a list apart", async () => {
    await visit("empty", async ({ page }, server) => {
      await page.waitForSelector("text=Nothing has arrived yet");
      expect(await accessibilityTrouble(page)).toEqual([]);
      await page.goto(`${server.url}/alerts`);
      await page.waitForSelector("text=No alert is open");
      await page.goto(`${server.url}/alerts?state=any`);
      await page.waitForSelector("text=No alert yet");
      await page.goto(`${server.url}/alerts?severity=high`);
      await page.waitForSelector("text=severity is high");
      await page.goto(`${server.url}/events?t=all`);
      await page.waitForSelector("text=No event has been stored yet");
    });
    await visit(
      "normal",
      async ({ page }, server) => {
        server.break(503);
        await page.goto(`${server.url}/alerts`);
        await page.waitForSelector("text=The event store does not answer.");
        server.break(undefined);
        await page.click("text=Try again");
        await page.waitForSelector(".alert-grid tbody tr");
      },
      { provoked: [503] },
    );
  });
});

/** Drags over the middle of the histogram. */
async function dragAcross(page: Page): Promise<void> {
  await page.waitForSelector(".histogram .u-over");
  const box = await page.locator(".histogram .u-over").boundingBox();
  if (box === null) throw new Error("the histogram has no size");
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.6, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, y, { steps: 5 });
  await page.mouse.up();
}
