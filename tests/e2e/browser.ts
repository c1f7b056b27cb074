/** Starts Debian's chromium for the browser tests and watches what a page says; it knows no page. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

export const chromium_path = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
/** Without chromium the tests skip and say so; where CI is set they fail instead. */
export const browser_absent = !existsSync(chromium_path) && process.env["CI"] === undefined;

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: chromium_path, args: flags });
}

export interface WatchedPage {
  readonly page: Page;
  /** Console errors and warnings, uncaught exceptions and dialogs so far. */
  readonly complaints: string[];
}

/** A page that remembers every complaint. Answers the test provoked are left out by their status. */
export async function openPage(context: BrowserContext, provoked: readonly number[] = []): Promise<WatchedPage> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    const text = message.text();
    if (!["error", "warning"].includes(message.type())) return;
    if (provoked.some((status) => text.includes(`status of ${status}`))) return;
    complaints.push(`${page.url()} ${message.type()}: ${text}`);
  });
  page.on("pageerror", (error) => complaints.push(`${page.url()} exception: ${error.stack ?? error.message}`));
  page.on("dialog", (dialog) => {
    complaints.push(`${page.url()} dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, complaints };
}

const axe_source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface AxeViolation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Serious and critical violations of WCAG 2.2 A and AA on the page, one line each. */
export async function accessibilityTrouble(page: Page): Promise<string[]> {
  await page.evaluate(axe_source);
  const violations = await page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run: (root: unknown, options: unknown) => Promise<{ violations: AxeViolation[] }> } })
      .axe;
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    return (await axe.run((globalThis as unknown as { document: unknown }).document, { runOnly: tags })).violations;
  });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${page.url()} ${id}: ${node.html.slice(0, 160)} ${node.failureSummary.replace(/\s+/g, " ").slice(0, 240)}`),
    );
}
