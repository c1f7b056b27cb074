/** Every Windows event of the OTRF recordings decodes, and few are without a meaning. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Decoded, JsonObject } from "@vedette/kit";
import { expect, test } from "vitest";
import { sharedSet, unzip } from "../shared_sets.test.data.ts";
import windowsEvent from "./windows_event.ts";

const otrf = sharedSet("otrf-security-datasets");
const context = { preamble: undefined, received: 0, peer: undefined, source: "test", stream: "test" };

test.skipIf(otrf === undefined)(
  "287,378 events of 69 recordings",
  () => {
    const root = join(otrf!, "atomic/windows");
    let events = 0;
    let uncategorised = 0;
    for (const archive of readdirSync(root, { recursive: true }) as string[]) {
      if (!archive.endsWith(".zip")) continue;
      for (const { text } of unzip(join(root, archive))) {
        for (const line of text.split("\n")) {
          if (line.trim() === "") continue;
          const { time, fields } = windowsEvent.json!.decode(JSON.parse(line) as JsonObject, line, context) as Decoded;
          events++;
          if (time === undefined) throw new Error(`no time: ${line.slice(0, 500)}`);
          if (fields["event.category"] === undefined) uncategorised++;
        }
      }
    }
    expect(events).toBe(287_378);
    expect(uncategorised).toBeLessThan(300);
  },
  120_000,
);
