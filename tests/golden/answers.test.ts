/** What the people who made the data sets say is in them, held against what the bundled rules and detectors find. Skipped where the sets are not beside the repository. */
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "@vedette/model";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inside } from "../e2e/inside.ts";
import { replay } from "./replay.ts";
import { found, present } from "./sets.ts";

const entity = (finding: Finding, type: string) => finding.entities.find((e) => e.type === type)?.id;

describe.skipIf(!present)("cryptomining: every pool's address is flagged, and nothing else", () => {
  let folder: string;
  const findings = new Map<string, readonly Finding[]>();
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "vedette-mining-"));
    for (const capture of ["bitcoin-mining", "coinhive"]) {
      const logs = join(folder, capture);
      await inside("pcap", ...found("cryptomining", `${capture}.pcap`), "--out", logs);
      const { matches, episodes } = await replay(globSync(join(logs, "*.log")).sort());
      findings.set(capture, [...matches, ...episodes]);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Looking a name up flags the name, not the resolver. */
  const flagged = (capture: string) =>
    new Set(
      findings
        .get(capture)!
        .filter((f) => f.evidence[0]?.fields["event.dataset"] !== "zeek.dns")
        .map((f) => entity(f, "destination.ip")),
    );

  test("Stratum, getwork and getblocktemplate in clear text", () => {
    const pools = ["113.21.199.11", "74.84.128.158"];
    expect(flagged("bitcoin-mining")).toEqual(new Set(pools));
    const spoken = findings.get("bitcoin-mining")!.filter((f) => f.rule.id === "stratum");
    expect(spoken.map((f) => [entity(f, "source.ip"), entity(f, "destination.ip"), f.severity]).sort()).toEqual(
      pools.map((pool) => ["10.0.2.15", pool, "high"]),
    );
  });
  test("a browser's miner behind TLS, by the names that it asks for", () => {
    expect(flagged("coinhive")).toEqual(new Set(["217.182.164.10", "37.187.167.83"]));
    expect(new Set(findings.get("coinhive")!.map((f) => f.rule.title))).toEqual(new Set(["Name of a service that mines in browsers"]));
  });
});

/** Each set is read once, by the first test that asks. */
function findingsOf(files: () => readonly string[], program?: Parameters<typeof replay>[1]): () => Promise<readonly Finding[]> {
  let all: Promise<readonly Finding[]> | undefined;
  return () => {
    all ??= replay(files(), program).then(({ matches, episodes }) => [...matches, ...episodes]);
    return all;
  };
}
const about = (all: readonly Finding[], title: string) =>
  new Set(all.filter((f) => f.rule.title === title).map((f) => f.entities.map((e) => e.id).join(" ")));

describe.skipIf(!present)("zeek-apt29, day 1", () => {
  const findings = findingsOf(() => found("zeek-apt29", "day1/combined_zeek.log.gz"));
  test("the command server over TLS on port 8443, in each of its 376 connections", async () => {
    const title = "TLS asks for an address by number and takes a self-signed certificate";
    expect(about(await findings(), title)).toEqual(new Set(["10.0.1.6 192.168.0.4"]));
    expect((await findings()).filter((f) => f.rule.title === title)).toHaveLength(376);
  });
  test("the archive put on the intruder's WebDAV server", async () => {
    expect(about(await findings(), "File put on a WebDAV server that is named by its number")).toEqual(new Set(["10.0.1.4 192.168.0.4"]));
  });
  test("the move from one workstation to the other", async () => {
    expect(about(await findings(), "One host administers another in several ways within minutes")).toEqual(new Set(["10.0.1.4 10.0.1.6"]));
  });
});

describe.skipIf(!present)("zeek-slips", () => {
  const findings = findingsOf(() => found("zeek-slips", "**/*.{log,log.gz}"));
  test("the horizontal scan of port 80", async () => {
    expect((await findings()).filter((f) => f.rule.id === "horizontal_scan").map((f) => entity(f, "source.ip"))).toEqual(["10.0.2.112"]);
  });
  test("Trickbot's client and Tor's server by their fingerprints, and not the benign third", async () => {
    const servers = (await findings()).filter((f) => f.rule.title === "TLS hello of malware or an anonymising network");
    expect(servers.map((f) => entity(f, "destination.ip")).sort()).toEqual(["123.33.22.11", "22.22.33.22"]);
  });
  test("what is no HTTP on port 80", async () => {
    const odd = (await findings()).filter((f) => f.rule.title === "Something else than HTTP on the port of HTTP");
    expect(odd.map((f) => f.evidence[0]!.fields["zeek.uid"])).toEqual(["CAwUdr34dVnyOwbUuj"]);
  });
  test("the unsolicited answer of ARP and the search for addresses by DHCP", async () => {
    expect((await findings()).filter((f) => f.rule.title === "ARP reply sent to everybody for another address")).toHaveLength(1);
    expect(about(await findings(), "One device asks for many addresses by DHCP")).toEqual(new Set(["24:4b:fe:1c:48:a4"]));
  });
  test("Zeek's own notices of the address scan from outside; the one of guessing is a broken line, and told as such", async () => {
    const scans = (await findings()).filter((f) => f.rule.id === "border_scan");
    expect(scans.map((f) => entity(f, "source.ip"))).toEqual(["147.32.83.156"]);
    const { summary } = await replay(found("zeek-slips", "test10-mixed-zeek-dir/notice.log"));
    expect(summary.dead).toEqual({ "decode/bad_columns": 1 });
  });
});

test("zeek-rita: benign throughout, so nothing is found; golden.test.ts holds the files, detectors.test.ts the scores of its beacons", () => {
  for (const name of ["findings", "rules"]) expect(readFileSync(new URL(`./zeek-rita/${name}.jsonl`, import.meta.url), "utf8")).toBe("");
});
