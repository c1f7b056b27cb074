/** What a cluster's people see of a miner, in a real browser over a simulated half day: the job table with its score, the alert with every factor. Makes the guide's pictures. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browser_absent, launch, openPage } from "./browser.ts";
import { vedette as command } from "./cli.ts";
import { Vedette } from "./vedette.ts";

/** Where pictures go; the guide's are made with VEDETTE_SCREENSHOTS=docs/images. */
const pictures =
  process.env["VEDETTE_SCREENSHOTS"] === undefined
    ? undefined
    : join(fileURLToPath(new URL("../..", import.meta.url)), process.env["VEDETTE_SCREENSHOTS"]);
/** A watchdog: nothing here is timed. */
const patience_ms = 900_000;

interface Alert {
  readonly id: string;
  readonly summary: string;
}

describe.skipIf(browser_absent)("a miner, as the console shows it", { timeout: patience_ms }, () => {
  const vedette = new Vedette();
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let scratch: string;
  const picture = async (name: string) => {
    if (!pictures) return;
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `${name}.png`) });
  };

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), "vedette-hpc-console-"));
    [browser] = await Promise.all([launch(), vedette.start("--no-demo")]);
    const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, colorScheme: "dark" });
    ({ page, complaints } = await openPage(context));
    page.setDefaultTimeout(120_000);
    const played = ["--seed", "3", "--nodes", "10", "--start", "-3h", "--duration", "3h", "--activity", "0.001", "--interval", "60"];
    const staged = ["--scenario", "miner_renamed@20m", "--scenario", "miner_cpu@40m"];
    const sent = await command(["simulate", ...played, ...staged, "--to", vedette.url, "--out", "sent"], {
      cwd: scratch,
      env: { VEDETTE_URL: vedette.url, VEDETTE_TOKEN: vedette.token },
    });
    expect(sent.code, sent.stderr).toBe(0);
  }, patience_ms);
  afterAll(async () => {
    await browser?.close();
    await vedette.remove();
    rmSync(scratch, { recursive: true, force: true });
  });

  test("the job table has the job first, with its score and what counted", async () => {
    const { alerts } = await vedette.until(
      () => vedette.get<{ alerts: readonly Alert[] }>("/api/v1/alerts?rule=silent_miner"),
      (found) => found.alerts.some(({ summary }) => summary.includes("cpu 15") && summary.includes("files 15")),
    );
    const one = alerts.find(({ summary }) => summary.includes("cpu 15") && summary.includes("files 15"))!;
    await page.goto(/http:\S+\/login\?token=\S+/.exec(vedette.output)![0]);
    await page.getByRole("heading", { name: "Now" }).waitFor();
    await page.goto(`${vedette.url}/hpc`);
    await page.locator("table.grid tbody tr").first().waitFor();
    const [, job] = /job (\d+)/.exec(one.summary)!;
    const row = page.locator("table.grid tbody tr", { hasText: job! }).first();
    await row.waitFor();
    expect(await row.innerText()).toMatch(/\b(7\d|8\d|9\d|100)\b/);
    await picture("hpc-jobs");
    await page.goto(`${vedette.url}/alerts/${one.id}`);
    await page.getByText("Why it fired").waitFor();
    for (const factor of ["cpu", "memory", "files", "fabric", "gpu", "network", "pool", "program", "account"])
      await page.getByText(`hpc.miner.${factor}`).first().waitFor();
    await page.getByText("Why it fired").scrollIntoViewIfNeeded();
    await picture("hpc-miner");
    expect(complaints).toEqual([]);
  });
});
