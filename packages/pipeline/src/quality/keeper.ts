/** Keeps the quality watch of a running program: feeds it, reports what it finds, and saves its memory. Knows no rule of it. */
import type { Log } from "@vedette/log";
import type { QualityReport } from "@vedette/model";
import type { SettingStore } from "@vedette/store";
import type { Analysis } from "../analysis.ts";
import { reportOwn } from "../own_findings.ts";
import { type QualityOptions, QualityWatch } from "./watch.ts";

const setting = "quality";

export interface KeeperOptions extends QualityOptions {
  readonly log: Log;
  readonly settings: SettingStore;
  readonly tenant: string;
}

export class QualityKeeper {
  readonly #options: KeeperOptions;
  readonly #watch: QualityWatch;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#watch = new QualityWatch(options);
  }

  async load(): Promise<void> {
    const saved = await this.#options.settings.get(setting);
    if (saved !== undefined) this.#watch.restore(saved);
  }

  /** Told of each analysed job, in log order. */
  add(analysis: Analysis): void {
    const found = this.#watch.take(analysis);
    if (found.length === 0) return;
    const { log, tenant } = this.#options;
    const memory = this.#watch.save();
    // one after the other: what ends a finding must not come before it; and what was told is remembered, or it is never ended
    this.#writing = this.#writing.then(async () => {
      for (const one of found) await reportOwn(log, tenant, one);
      await this.#options.settings.set(setting, memory);
    });
    this.#writing.catch(() => {
      // a full log: said by the log itself; the alert comes when it happens again
      this.#writing = Promise.resolve();
    });
  }

  async save(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#options.settings.set(setting, this.#watch.save());
  }

  report(): QualityReport {
    return this.#watch.report();
  }
}
