/** A disk that fills up under a running Vedette: senders are told to wait, nothing acknowledged is lost, and work goes on when there is room again. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { settledLedger, Vedette } from "./vedette.ts";

const size_mb = 64;
const ballast_mb = 40;
/** Bounds the sending: several times what fits. */
const maxPosts = 4_000;

const mount = (at: string) => spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size_mb}m`, "none", at]).status === 0;

test("a full disk makes senders wait and loses nothing", { timeout: 300_000 }, async (context) => {
  const v = new Vedette();
  mkdirSync(v.data);
  if (!mount(v.data)) {
    await v.remove();
    if (process.env["CI"]) throw new Error("mounting a tmpfs is not permitted here");
    context.skip("mounting a tmpfs is not permitted here");
  }
  try {
    const ballast = join(v.data, "ballast");
    const file = openSync(ballast, "w");
    for (let i = 0; i < ballast_mb; i++) writeSync(file, Buffer.alloc(1_048_576, i));
    closeSync(file);
    await v.start("--no-demo");
    let sent = 0;
    const post = async () => {
      // hex of a counter's square: text that compresses badly enough to fill a small disk soon
      const lines = Array.from({ length: 500 }, (_, i) =>
        JSON.stringify({
          n: sent + i,
          noise: Buffer.from(String(Math.sin(sent + i)))
            .toString("hex")
            .repeat(4),
        }),
      ).join("\n");
      const response = await v.fetch("/ingest/filler", {
        method: "POST",
        body: lines,
        headers: { "content-type": "application/x-ndjson", "idempotency-key": `k${sent}` },
      });
      await response.text();
      if (response.ok) sent += 500;
      return response.status;
    };
    const statuses = new Set<number>();
    for (let n = 0; n < maxPosts && !statuses.has(429) && !statuses.has(503); n++) statuses.add(await post());
    expect(
      [...statuses].some((s) => s === 429 || s === 503),
      `answers were ${[...statuses]}`,
    ).toBe(true);
    const acknowledged = sent;
    const ready = await v.until(
      () => v.fetch("/readyz"),
      (r) => r.status === 503,
    );
    expect(((await ready.json()) as { problems: unknown[] }).problems.length).toBeGreaterThan(0);
    rmSync(ballast);
    await v.until(post, (status) => status === 200);
    await v.until(
      () => v.fetch("/readyz"),
      (r) => r.status === 200,
    );
    const [line] = (await settledLedger(v)).filter((s) => s.name === "filler");
    expect(line).toMatchObject({ balance: 0, pending: 0, dead: 0 });
    expect(line!.stored).toBeGreaterThanOrEqual(acknowledged);
    const { rows } = await v.get<{ rows: [number, number][] }>(
      `/api/v1/query?${new URLSearchParams({ q: "| stats count() as n, distinct(n) as d" })}`,
    );
    expect(rows[0]![0]).toBe(line!.stored);
    expect(rows[0]![1]).toBe(line!.stored);
  } finally {
    await v.stop().catch(() => {});
    spawnSync("umount", ["-l", v.data]);
    await v.remove();
  }
});
