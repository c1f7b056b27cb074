/** Many senders at once, faster than anything can be analysed: what was acknowledged is stored, each once, and memory stays bounded meanwhile. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { settledLedger, Vedette } from "./vedette.ts";

let v: Vedette;
beforeAll(async () => {
  v = new Vedette();
  await v.start("--no-demo");
});
afterAll(() => v?.remove());

const perPost = 500;
const posts = 400;
const senders = 32;
/** What an idle program and a full queue take together is a third of it; without a bound on what waits the burst alone is more. */
const most_bytes = 2_000_000_000;

const body = (n: number): string =>
  Array.from({ length: perPost }, (_, i) => {
    const id = Buffer.from(`rank ${n} ${i}`).toString("base64");
    const process = { exec_id: id, pid: 1_000 + i, uid: 2_001, binary: "/apps/solver/bin/solve", arguments: `--rank ${n * perPost + i}` };
    return JSON.stringify({
      process_exec: { process: { ...process, environment_variables: [{ key: "SLURM_JOB_ID", value: "4711" }] } },
      node_name: `cn${n % 100}`,
      time: new Date(1_775_000_000_000 + n * 50 + i).toISOString(),
    });
  }).join("\n");

async function resident(): Promise<number> {
  const text = await (await v.fetch("/metrics")).text();
  return Number(/^(?:vedette_)?process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}

test("200,000 program starts from 32 senders at once", { timeout: 1_800_000 }, async () => {
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let n = next++; n < posts; n = next++)
      for (;;) {
        const init = { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: body(n) };
        const { status } = await v.fetch("/ingest/ranks", init);
        if (status === 200) break;
        expect([429, 503]).toContain(status);
        await new Promise((r) => setTimeout(r, 50));
      }
  };
  await Promise.all(Array.from({ length: senders }, sender));
  const during = await resident();
  const ledger = await settledLedger(v);
  expect(ledger).toMatchObject([{ name: "ranks", in: posts * perPost, stored: posts * perPost, dead: 0, balance: 0 }]);
  expect(during).toBeGreaterThan(0);
  expect(Math.max(during, await resident())).toBeLessThan(most_bytes);
});
