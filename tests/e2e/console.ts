/** The built console in a browser, for tests: pages that must not complain, against the stand-in server or whichever one a test brings. */
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { expect } from "vitest";
import { type FakeServer, startFake } from "../../apps/web/fake/server.ts";
import type { Scenario } from "../../apps/web/fake/state.ts";
import { launch, openPage, type WatchedPage } from "./browser.ts";

const web = fileURLToPath(new URL("../../apps/web", import.meta.url));
/** A watchdog, not a speed: a loaded machine takes many times longer than a quiet one. */
const shown_ms = 120_000;

export interface Look {
  readonly scheme?: "dark" | "light";
  readonly width?: number;
  /** Answers that the test provokes, by status. */
  readonly provoked?: readonly number[];
}

export class ConsoleBrowser {
  readonly dist: string;
  #browser: Browser | undefined;

  /** @param name a folder of its own for each test file: they run side by side */
  constructor(name: string) {
    this.dist = fileURLToPath(new URL(`../.tmp/${name}`, import.meta.url));
  }

  async open(): Promise<void> {
    await build({ root: web, logLevel: "error", build: { outDir: this.dist, emptyOutDir: true } });
    this.#browser = await launch();
  }

  async close(): Promise<void> {
    await this.#browser?.close();
  }

  /** A browser that knows nobody yet; its pages must end without a complaint. */
  async page({ scheme = "dark", width = 1440, provoked = [] }: Look, body: (watched: WatchedPage) => Promise<void>): Promise<void> {
    const viewport = { width, height: 900 };
    const context = await this.#browser!.newContext({ colorScheme: scheme, viewport, reducedMotion: "reduce" });
    const watched = await openPage(context, provoked);
    watched.page.setDefaultTimeout(shown_ms);
    try {
      await body(watched);
      expect(watched.complaints).toEqual([]);
    } finally {
      await context.close();
    }
  }

  /** Runs a test against a fresh stand-in server; signed in by the one-time link unless told otherwise. */
  async visit(
    scenario: Scenario,
    body: (watched: WatchedPage, server: FakeServer) => Promise<void>,
    look: Look & { readonly stranger?: boolean } = {},
  ): Promise<void> {
    const server = await startFake({ scenario, dist: this.dist });
    try {
      await this.page(look, async (watched) => {
        if (look.stranger !== true) await watched.page.goto(`${server.url}/login?token=one-time`);
        await body(watched, server);
      });
    } finally {
      await server.close();
    }
  }
}
