/** Real records tell whose an address was and who started a process, as of then: Zeek's DHCP and DNS of a Windows machine, Tetragon's processes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { compile } from "@vedette/condition";
import { ancestryThen, namesThen, type Records } from "@vedette/enrich";
import type { Event } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { describe, expect, test } from "vitest";
import { readJsonLines, sharedSet } from "../../packages/normalise/src/shared_sets.test.data.ts";

const zeek = sharedSet("zeek-slips/test9-mixed-zeek-dir");
const tetragon = sharedSet("tetragon");
const received = Date.UTC(2026, 0, 1) * 1_000;

/** Each line's events, as pass 1 would make them. */
async function eventsOf(format: string, stream: string, lines: readonly string[]): Promise<Event[]> {
  const spec = (await formats()).get(format)!;
  const decode = spec.decoder(spec.config.parse({}));
  return lines.flatMap((line, seq) =>
    [decode(line, { preamble: undefined, received, peer: undefined, source: "s", stream })].flat().flatMap((draft) => {
      if (!("fields" in draft)) return [];
      const time = draft.time ?? received;
      return [
        {
          id: `${stream}:${seq}`,
          tenant: "main",
          source: "s",
          time,
          received,
          seq,
          class: "other",
          host: "",
          original: "",
          fields: draft.fields,
        } as Event,
      ];
    }),
  );
}

function recordsOf(events: readonly Event[]): Records {
  const sorted = [...events].sort((a, b) => a.time - b.time);
  return {
    async first({ where, from, to, order }) {
      const test = compile(where);
      const fits = (event: Event) => event.time >= from && event.time <= to && test(event);
      return order === "oldest" ? sorted.find(fits) : sorted.findLast(fits);
    },
  };
}

describe.skipIf(zeek === undefined)("zeek-slips", () => {
  const read = (name: string) => {
    const bytes = readFileSync(join(zeek!, name));
    const text = (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
    return eventsOf(
      "zeek",
      name.replace(/\.gz$/, ""),
      text.split("\n").filter((line) => line !== ""),
    );
  };

  test("connections of the leased address are of the machine that had it, to the names that it had asked for", async () => {
    const connections = (await read("conn.log.gz")).filter(({ fields }) => fields["source.ip"] === "10.0.2.15");
    const records = recordsOf([...(await read("dhcp.log")), ...(await read("dns.log.gz"))]);
    const leased = new Map<string | undefined, number>();
    let asked = 0;
    for (const event of connections) {
      const names = await namesThen(event, records);
      const lease = names.find(({ by }) => by === "dhcp");
      expect([lease?.address ?? "10.0.2.15", lease?.mac ?? "08:00:27:7f:09:e1"]).toEqual(["10.0.2.15", "08:00:27:7f:09:e1"]);
      leased.set(lease?.name, (leased.get(lease?.name) ?? 0) + 1);
      if (names.some(({ by, address }) => by === "dns" && address === event.fields["destination.ip"])) asked++;
    }
    // the first lease was recorded 22 s after the beginning
    expect([...leased.keys()]).toContain("John-PC");
    expect((leased.get("John-PC") ?? 0) / connections.length).toBeGreaterThan(0.95);
    expect(asked / connections.length).toBeGreaterThan(0.2);
  });
});

describe.skipIf(tetragon === undefined)("tetragon", () => {
  test("the longest line of processes is found, each by the record of its start", async () => {
    const lines = (readJsonLines(join(tetragon!, "events.jsonl.gz")) as { event: object }[]).map(({ event }) => JSON.stringify(event));
    const events = await eventsOf("tetragon", "tetragon.json", lines);
    const records = recordsOf(events);
    const chains = await Promise.all(events.map((event) => ancestryThen(event, records)));
    const longest = chains.reduce((a, b) => (b.length > a.length ? b : a));
    expect(longest.map(({ executable, started }) => [executable, started !== undefined])).toEqual([
      ["/usr/bin/bash", true],
      ["/usr/bin/nsenter", true],
      ["/bin/bash", true],
      ["/usr/bin/runc", false],
    ]);
  });
});
