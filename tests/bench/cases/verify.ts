/** What proving the audit trail costs: records as the API makes them, with heads of a thousand each. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditTrail, keyRing, readHeads, trailPaths, verifyChain } from "@vedette/audit";
import { memorySecrets, systemClock } from "@vedette/kit";
import { costOf, option, print } from "../harness.ts";

/** Records per CPU second. */
const goal = 200_000;
const atOnce = 1_000;

export async function bench(): Promise<void> {
  const records = option("records") ?? 500_000;
  const directory = mkdtempSync(join(tmpdir(), "vedette-bench-"));
  try {
    const trail = await AuditTrail.open({ directory, clock: systemClock, secrets: memorySecrets(), heads: [], onProblem: () => {} });
    const writing = await costOf(async () => {
      for (let n = 0; n < records; n += atOnce)
        await Promise.all(
          Array.from({ length: atOnce }, (_, i) =>
            trail.record({
              action: "events_searched",
              outcome: "success",
              by: { user: `user${(n + i) % 40}`, ip: `192.0.2.${(n + i) % 250}`, session: "k2Jf93hs0a" },
              fields: {
                "http.request.method": "GET",
                "url.path": "/api/v1/events",
                "vedette.audit.query": `source.ip:198.51.100.${(n + i) % 250} and event.outcome:failure`,
                "vedette.audit.rows": (n + i) % 100,
                "http.response.status_code": 200,
              },
            }),
          ),
        );
    });
    await trail.close();
    const paths = trailPaths(directory);
    const { heads } = readHeads(readFileSync(paths.heads, "utf8"));
    const keys = keyRing([readFileSync(paths.publicKey, "utf8")]);
    const proving = await costOf(async () => {
      const { bad } = await verifyChain({ directory: paths.chain, heads, keys });
      if (bad) throw new Error(bad.message);
    });
    print({
      name: "verify",
      value: records / proving.cpu_s,
      unit: "records per CPU second",
      baseline: goal,
      details: { records, heads: heads.length, recorded_per_cpu_s: records / writing.cpu_s, recorded_per_wall_s: records / writing.wall_s },
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
