import { Pseudonyms, pseudonymKey } from "@vedette/enrich";
import { contentHash } from "@vedette/kit";
import { afterEach, expect, test } from "vitest";
import type { Job } from "./analysis.ts";
import { encodeRecords } from "./batch.ts";
import { type Pool, programsPerWorker, threadPool } from "./pool.ts";
import { makeProgram } from "./program.ts";

let pool: Pool;
afterEach(() => pool.close());

const key = pseudonymKey("a secret of sixteen");
const table = Buffer.from("user,department\nada,analysis\n");
const shared = new Uint8Array(new SharedArrayBuffer(table.length));
shared.set(table);
const hash = contentHash(table);

/** A program that tags its events with its number. */
const program = (n: number) =>
  makeProgram(
    {
      rules: [],
      pipelines: [],
      detectors: { brute_force: false },
      lateness_s: 30,
      enrich: { identities: {} },
      tables: { identities: { hash, bytes: table.length, rows: 1, at: 0, by: "ann" } },
      event_pipelines: [{ file: "p.yml", text: `steps:\n  - route: {tags: [t${n}]}\n  - pseudonymise: {fields: [user.name]}\n` }],
      pseudonym_key: "k",
    },
    0,
  );

function job(): Job {
  const header = {
    kind: "records" as const,
    version: 1 as const,
    program: "",
    tenant: "main",
    source: "s",
    received: 1_790_000_000_000_000,
    demo: false,
    seq: 0,
    runs: [{ stream: "", format: "ecs_json", count: 1 }],
    positions: ["0"],
  };
  const body = Buffer.from('{"@timestamp":"2026-11-01T00:00:00Z","ecs.version":"8.17.0","event.category":"web","user.name":"ada"}');
  return { entries: [{ offset: 0, bytes: encodeRecords(header, [body]) }], sample: true, store: false };
}

test("a worker judges each job by its own program, however many come and go and come back, with tables and key at hand", async () => {
  pool = threadPool(1, { table: (content) => (content === hash ? shared : undefined), pseudonymKey: key });
  const order = [...Array.from({ length: programsPerWorker + 2 }, (_, n) => n), 0, 1, 0];
  const results = await Promise.all(order.map((n) => pool.run(job(), program(n))));
  expect(results.map(({ sample }) => sample[0]?.fields["tags"])).toEqual(order.map((n) => [`t${n}`]));
  expect(results[0]!.sample[0]!.fields).toMatchObject({
    "user.name": new Pseudonyms(key).of("ada"),
    "user.profile.department": "analysis",
  });
});
