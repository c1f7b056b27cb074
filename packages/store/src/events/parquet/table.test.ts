import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Duck } from "../duck.ts";
import { writeTable } from "./table.ts";

test("what is written is what DuckDB reads", async () => {
  const folder = mkdtempSync(join(tmpdir(), "vedette-table-"));
  try {
    const path = join(folder, "it's.parquet");
    const rows = Array.from({ length: 300 }, (_, i) => [`id ${i}`, 1_795_000_000_000_000 + i, i % 3 === 0 ? undefined : `ü\0${i % 7}`]);
    const columns = [
      { name: "id", type: "text" },
      { name: "time", type: "number" },
      { name: "body", type: "text" },
    ] as const;
    expect(await writeTable(path, columns, rows)).toBeGreaterThan(100);
    await expect(writeTable(path, columns, rows)).rejects.toThrow(/EEXIST/);
    const duck = new Duck({ memoryMb: 100, threads: 1, temporary: folder }, []);
    const read = await duck.query(`select id, time, body from read_parquet('${path.replaceAll("'", "''")}') order by time`, []);
    expect(read.map(([id, time, body]) => [id, Number(time), body ?? undefined])).toEqual(rows);
    await duck.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
