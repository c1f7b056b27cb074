/** The `parquet` sink: a folder of Parquet files by hour, for whoever queries files. Knows how a table is written from the runner alone. */
import { access, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Column, type Delivery, defineSink, formatTime, idOf, type Outgoing, type WriteTable, z } from "@vedette/kit";

const config = z.strictObject({
  folder: z.string().min(1).describe("Folder that files are written into; made where it is missing."),
});

const columns: readonly Column[] = [
  { name: "id", type: "text" },
  { name: "kind", type: "text" },
  { name: "time", type: "number" },
  { name: "severity", type: "text" },
  { name: "name", type: "text" },
  { name: "host", type: "text" },
  { name: "body", type: "text" },
];

export default defineSink({
  name: "parquet",
  summary: "Writes Parquet files into a folder, by day and hour.",
  description:
    "`FOLDER/date=2026-11-21/hour=08/ID.parquet` by the records' own time (UTC), with the columns `id kind time severity name host body`: `time` in microseconds, `body` the JSON document. " +
    "A file appears whole, under a name that follows from what is in it: a batch that is written again replaces itself.",
  stability: "beta",
  config,
  // a file per batch and hour: large enough to be worth a file, small enough to hold in memory
  batch: { records: 20_000, bytes: 16_000_000, wait_ms: 60_000 },
  examples: [{ title: "Beside a data lake", config: { folder: "/srv/lake/vedette" } }],
  async open({ config: c, writeTable }) {
    return {
      async send(records): Promise<Delivery> {
        const hours = new Map<string, Outgoing[]>();
        for (const record of records) {
          const at = formatTime(record.time);
          const place = join(`date=${at.slice(0, 10)}`, `hour=${at.slice(11, 13)}`);
          const some = hours.get(place);
          if (some) some.push(record);
          else hours.set(place, [record]);
        }
        try {
          for (const [place, some] of hours) await write(join(c.folder, place), some, writeTable);
        } catch (error) {
          return { outcome: "unavailable", reason: (error as Error).message };
        }
        return { outcome: "answered", answer: `${hours.size} ${hours.size === 1 ? "file" : "files"} in ${c.folder}` };
      },
      close: async () => {},
    };
  },
});

async function write(folder: string, records: readonly Outgoing[], writeTable: WriteTable): Promise<void> {
  const id = idOf(...records.map((one) => one.id));
  const file = join(folder, `${id}.parquet`);
  await mkdir(folder, { recursive: true });
  if (
    await access(file).then(
      () => true,
      () => false,
    )
  )
    return;
  const part = join(folder, `.${id}.tmp`);
  // a crash may have left it half written
  await rm(part, { force: true });
  await writeTable(
    part,
    columns,
    records.map((one) => [one.id, one.kind, one.time, one.severity, one.name, one.host, one.body]),
  );
  await rename(part, file);
}
