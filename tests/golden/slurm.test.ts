/** Every record of the set of batch schedulers' logs is read: Slurm's accounting and queue, the exporter's inputs, other schedulers' logs as text. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { detectFormat, formats } from "@vedette/normalise";
import { describe, expect, test } from "vitest";
import { sharedSet } from "../../packages/normalise/src/shared_sets.test.data.ts";

const set = sharedSet("hpc-slurm");
const received = Date.UTC(2026, 0, 1) * 1_000;

describe.skipIf(set === undefined)("hpc-slurm", () => {
  test("no record is lost but those that their authors made faulty", async () => {
    const known = await formats();
    const files = readdirSync(set!, { recursive: true, encoding: "utf8" }).filter(
      (file) => /\.(?:log|xz|txt|json)$/.test(file) && !file.includes("output"),
    );
    const seen: { [file: string]: string } = {};
    for (const file of files.sort()) {
      const path = join(set!, file);
      const text = file.endsWith(".xz")
        ? execFileSync("xz", ["-dc", path], { maxBuffer: 64 << 20 }).toString()
        : readFileSync(path, "utf8");
      const records = file.endsWith(".json") ? [text] : text.split("\n").filter((line) => line !== "");
      const name = detectFormat(known, records.slice(0, 32), undefined, file);
      const spec = known.get(name)!;
      const decode = spec.decoder(spec.config.parse({}));
      const results = records.flatMap((record) => {
        const result = decode(record, { preamble: undefined, received, peer: undefined, source: "slurm", stream: file });
        return Array.isArray(result) ? result : [result];
      });
      const flaws = results.filter((one) => "code" in one).length;
      if (flaws > 0) seen[file] = `${flaws} of ${results.length}`;
      expect(results.length, file).toBeGreaterThanOrEqual(records.length);
      if (file.includes("/slurm/") && !file.includes("unknown-job-state")) expect([file, name]).toEqual([file, "slurm_job"]);
    }
    expect(files.length).toBe(21);
    // "test counter inc with faulty inputs", says the file: a comment, and two lines that are no JSON
    expect(seen).toEqual({ "slurm-exporter/squeue_fallback.txt": "3 of 9" });
  });
});
