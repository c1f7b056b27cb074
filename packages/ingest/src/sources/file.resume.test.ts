import { appendFile, copyFile, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RecordingIntake, SourceRun } from "../recording.fixture.ts";
import file from "./file.ts";

type Step =
  | { readonly do: "append"; readonly lines: number; readonly torn: boolean }
  | { readonly do: "look" | "rotate" | "copytruncate" | "restart" | "truncate" }
  | { readonly do: "crash"; readonly after: number }
  | { readonly do: "refuse"; readonly times: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("append" as const), lines: fc.integer({ min: 1, max: 30 }), torn: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("look" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("rotate" as const, "copytruncate" as const, "restart" as const, "truncate" as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const), after: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("refuse" as const), times: fc.nat({ max: 3 }) }) },
);

/** A log as a program writes it and logrotate rotates it, read by a source that dies at odd moments. */
class Scene {
  readonly intake = new RecordingIntake();
  readonly written: string[] = [];
  readonly #log: string;
  readonly #config: object;
  #run: SourceRun;
  #line = 0;
  #rotation = 0;
  #torn = "";

  constructor(folder: string, everything: boolean) {
    this.#log = join(folder, "app.log");
    this.#config = { paths: [everything ? join(folder, "*") : this.#log], watch: false, max_line_bytes: 256, quiet_ms: 3_600_000 };
    this.#run = this.#start();
  }
  /** Resolves when the source waits for more. */
  async settled(): Promise<void> {
    await Promise.race([this.#run.clock.sleeping(), this.#run.ended]);
  }
  #start(): SourceRun {
    return new SourceRun(file, this.#config, this.intake);
  }

  async play(step: Step): Promise<void> {
    if (step.do === "append") await this.#append(step.lines, step.torn);
    else if (step.do === "look") await this.#run.look();
    else if (step.do === "rotate") await this.#rotate((to) => rename(this.#log, to));
    else if (step.do === "copytruncate") {
      // A file of which nothing was read cannot be known again in its copy; what comes after the first look can.
      this.intake.refuse = 0;
      await this.#append(1, false);
      await this.#run.look(2);
      await this.#append(2, false);
      await this.#rotate(async (to) => {
        await copyFile(this.#log, to);
        await truncate(this.#log);
      });
    } else if (step.do === "truncate") {
      // Only what was read can be asked for.
      await this.#whole();
      this.intake.refuse = 0;
      await this.#run.look(2);
      await truncate(this.#log).catch(() => {});
      await this.#run.look();
    } else if (step.do === "refuse") this.intake.refuse = step.times;
    else await this.#restart(step.do === "crash" ? step.after : undefined);
  }

  async finish(): Promise<void> {
    await this.#whole();
    await this.#run.look(12);
    await this.#run.stop();
  }

  async #append(lines: number, torn: boolean): Promise<void> {
    let text = "";
    for (let i = 0; i < lines; i++) {
      const line = `line ${this.#line++} ${"x".repeat(this.#line % 90)}`;
      this.written.push(line);
      text += `${line}\n`;
    }
    text = this.#torn + text;
    const keep = torn ? text.length - 5 : text.length;
    this.#torn = text.slice(keep);
    await appendFile(this.#log, text.slice(0, keep));
  }
  async #whole(): Promise<void> {
    if (this.#torn === "") return;
    await appendFile(this.#log, this.#torn);
    this.#torn = "";
  }
  async #rotate(move: (to: string) => Promise<void>): Promise<void> {
    await this.#whole();
    const to = `${this.#log}.${++this.#rotation}`;
    await move(to).catch(() => {});
    // A rotation is noticed by the next look; two within one, or files of which nothing was ever accepted, are not promised.
    this.intake.refuse = 0;
    await this.#run.look(2);
    await appendFile(this.#log, "");
    await this.#run.look();
  }
  async #restart(dieAfter: number | undefined): Promise<void> {
    if (dieAfter === undefined) await this.#run.stop();
    else {
      this.intake.dieAfter = dieAfter;
      await appendFile(this.#log, "");
      await this.#run.look(2);
      await this.#run.stop().catch(() => {});
      this.intake.dieAfter = Number.POSITIVE_INFINITY;
    }
    this.#run = this.#start();
    await this.settled();
  }
}

test.each([
  ["the glob names the log only", false],
  ["the glob names rotated files too", true],
])("appends, rotations, truncations, crashes and restarts in any order: every line, none twice (%s)", async (_, everything) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      const folder = await mkdtemp(join(tmpdir(), "vedette-resume-"));
      try {
        await writeFile(join(folder, "app.log"), "");
        const scene = new Scene(folder, everything);
        await scene.settled();
        for (const one of steps) await scene.play(one);
        await scene.finish();
        // Read at least once; by position, as the store keeps them, exactly once.
        expect([...scene.intake.distinct.values()].sort()).toEqual([...scene.written].sort());
        const texts = new Map<string, string>();
        for (const record of scene.intake.records) {
          const text = String(record.body);
          expect(texts.get(record.position) ?? text).toBe(text);
          texts.set(record.position, text);
        }
      } finally {
        await rm(folder, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});
