/** What each data set comes to: events, dead letters and findings, against the files in the folder of its name. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { goldenTests } from "./golden.ts";

goldenTests((set) => !set.long);

test("Zeek's TSV and JSON twins gave the same events", () => {
  const [tsv, json] = ["tsv", "json"].map((kind) => {
    const file = new URL(`./zeek-wrccdc-${kind}/summary.json`, import.meta.url);
    return (JSON.parse(readFileSync(file, "utf8")) as { datasets: object }).datasets;
  });
  expect(tsv).toEqual(json);
});
