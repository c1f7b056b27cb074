/** What the people who made the data sets say is in them, held against what the bundled rules and detectors find. Skipped where the sets are not beside the repository. */
import { globSync, mkdtempSync, rmSync } from "node:fs";
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
