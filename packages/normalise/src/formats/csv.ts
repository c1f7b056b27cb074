/** Rows of separated values with declared columns, by a mapping that the configuration declares. Knows no product. */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { declaredMapping, declaredReader } from "../declared.ts";
import { splitCsv } from "../text/csv.ts";

const notRow: Flaw = { code: "bad_csv", expected: "a row with as many values as `columns` has names, quotes doubled within quotes" };

export default defineFormat({
  name: "csv",
  summary: "Rows of comma or otherwise separated values, with columns and their meaning declared in the configuration.",
  description:
    "Every value is kept under its column's name, below `prefix` where one is set; an empty one is left out. A row that repeats the columns' names is a header and left out. Never chosen by itself: name it with `format: csv`.",
  stability: "beta",
  config: declaredMapping.extend({
    columns: z
      .array(z.string().max(128))
      .max(1_024)
      .default([])
      .describe("Names of the columns in their order; an empty name leaves its column out. Without any they are column_1, column_2, …"),
    separator: z
      .string()
      .min(1)
      .max(4)
      .default(",")
      .describe("What stands between two values: a comma unless told otherwise, `\\t` for a tab."),
  }),
  detect: () => 0,
  decoder(config) {
    const read = declaredReader(config, "csv");
    const separator = config.separator.replace("\\t", "\t");
    const { columns } = config;
    return (text, context) => {
      const line = text.endsWith("\r") ? text.slice(0, -1) : text;
      if (line.trim() === "") return { skip: "blank" };
      const values = splitCsv(line, separator);
      if (values === undefined || (columns.length > 0 && values.length !== columns.length)) return notRow;
      if (columns.length > 0 && values.every((value, i) => value.trim() === columns[i])) return { skip: "comment" };
      const row: { [column: string]: string } = Object.create(null) as { [column: string]: string };
      for (let i = 0; i < values.length; i++) {
        const name = columns.length > 0 ? columns[i]! : `column_${i + 1}`;
        if (name !== "" && values[i] !== "") row[name] = values[i]!;
      }
      return read(row, newFields(), context);
    };
  },
  examples: [
    {
      title: "a VPN's list of sessions",
      config: {
        columns: ["time", "user", "address", "", "result"],
        utc_offset: "+02:00",
        map: { "user.name": "user", "source.ip": "address", "event.outcome": "result" },
        set: { "event.category": "authentication", "event.module": "vpn" },
      },
      input: '2024-05-01 12:00:00,"eve, the second",192.0.2.7,x,failure',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.dataset": "csv",
          time: "2024-05-01 12:00:00",
          user: "eve, the second",
          address: "192.0.2.7",
          result: "failure",
          "user.name": "eve, the second",
          "source.ip": "192.0.2.7",
          "event.outcome": "failure",
          "event.category": "authentication",
          "event.module": "vpn",
          "related.ip": ["192.0.2.7"],
          "related.user": ["eve, the second"],
        },
      ],
    },
    {
      title: "a header",
      config: { columns: ["a", "b"] },
      input: "a,b",
      expect: {
        skip: "comment",
      },
    },
    {
      title: "too few values",
      config: { columns: ["a", "b"] },
      input: "1",
      expect: {
        flaw: "bad_csv",
      },
    },
  ],
});
