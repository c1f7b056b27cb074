/** Everything at once: a cluster's mixture of events through all SigmaHQ rules for its sources, our pack and the detectors, stored and alerted. */
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseRules } from "@vedette/sigma";
import { clusterFiles } from "../cluster.ts";
import { print } from "../harness.ts";
import { sigmaRules } from "../otrf.ts";
import { Program } from "../program.ts";
import { sealRest, takeIn } from "./ingest.ts";

/** Issue 4: events per CPU second. */
const goal = 25_000;
/** What the mixture comes from, in Sigma's words. */
const products: ReadonlySet<string | undefined> = new Set(["windows", "linux", "zeek"]);

const config = `rules: { directories: [sigmahq], watch: false }
sources:
  zeek: { file: { paths: ["in/*.ndjson"] } }
  hosts: { file: { paths: ["in/*.json", "in/*.log"] } }
`;

export async function bench(events = 1_000_000): Promise<void> {
  const files = clusterFiles(events);
  const program = new Program("full", config);
  try {
    copyRules(join(program.directory, "sigmahq"));
    mkdirSync(join(program.directory, "in"));
    await program.start();
    const ready = { mb: program.memory().rss_mb, cpu_s: program.cpu_s() };
    const given = files.reduce((n, file) => n + file.events, 0);
    const run = await takeIn(program, Object.fromEntries(files.map(({ name, path }) => [name, path])), given);
    const { sources } = await program.get<{ sources: readonly { readonly dead: number; readonly balance: number }[] }>("/api/v1/ledger");
    const { rules } = await program.get<{ rules: readonly { readonly state: string }[] }>("/api/v1/rules");
    const { total } = await program.get<{ total: number }>("/api/v1/alerts?limit=1");
    const { peak_mb } = program.memory();
    await program.kill();
    const { seal_cpu_s, bytes } = await sealRest(program.data);
    const cpu_s = run.cpu_s + seal_cpu_s;
    print({
      name: "full",
      value: given / cpu_s,
      unit: "events per CPU second, sealing included",
      baseline: goal,
      details: {
        events: given,
        start_cpu_s: ready.cpu_s,
        cpu_s: run.cpu_s,
        seal_rest_cpu_s: seal_cpu_s,
        wall_s: run.wall_s,
        events_per_wall_s: given / run.wall_s,
        ready_mb: ready.mb,
        peak_mb,
        rules: rules.length,
        rules_on: rules.filter(({ state }) => state === "enabled").length,
        alerts: total,
        dead: sources.reduce((n, s) => n + s.dead, 0),
        unbalanced: sources.reduce((n, s) => n + Math.abs(s.balance), 0),
        sealed_bytes_per_event: bytes,
        load_average: loadavg()[0]!,
      },
    });
  } finally {
    await program.remove();
  }
}

/** The rules whose product the mixture has; names that begin with a number keep twins in several folders apart. */
function copyRules(folder: string): void {
  mkdirSync(folder);
  for (const [i, file] of sigmaRules().entries()) {
    const { rules } = parseRules(readFileSync(file, "utf8"), file);
    if (rules.some(({ logsource }) => products.has(logsource.product))) copyFileSync(file, join(folder, `${i}.yml`));
  }
}
