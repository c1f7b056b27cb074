/** A real Netdata agent against the real program: the source `netdata` reads it, and its charts are series of its host. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort } from "./free_port.ts";
import { settledLedger, Vedette } from "./vedette.ts";

/** Debian: netdata-core. */
const program = "/usr/sbin/netdata";
const skip = !existsSync(program);
if (skip) console.warn(`netdata: skipped, not installed: ${program}`);

let agent: ChildProcess | undefined;
let v: Vedette | undefined;
afterAll(async () => {
  agent?.kill("SIGKILL");
  await v?.remove();
});

/** In memory alone, and of the machine only what /proc tells. */
const configuration = (folder: string, port: number): string => `[global]
  run as user = ${userInfo().username}
[directories]
  cache = ${folder}/cache
  lib = ${folder}/lib
  log = ${folder}/log
  config = ${folder}
  home = ${folder}
[db]
  mode = ram
[web]
  bind to = 127.0.0.1:${port}
[plugins]
  cgroups = no
  tc = no
  idlejitter = no
  diskspace = no
  timex = no
  slabinfo = no
  statsd = no
  netdata monitoring = no
  enable running new plugins = no
[health]
  enabled = no
[ml]
  enabled = no
`;

interface Range {
  readonly series: readonly {
    readonly labels: { readonly [name: string]: string };
    readonly points: readonly (readonly [string, number])[];
  }[];
}

test.skipIf(skip)("a Netdata agent's charts are read as series of its host", { timeout: 240_000 }, async () => {
  const port = await freePort();
  v = new Vedette(
    `sources:\n  nodes: { netdata: { targets: ["http://127.0.0.1:${port}"], charts: ["system.load", "system.cpu"], interval_s: 1 } }\n`,
  );
  const folder = join(v.directory, "netdata");
  for (const name of ["cache", "lib", "log"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "netdata.conf"), configuration(folder, port));
  agent = spawn(program, ["-D", "-c", join(folder, "netdata.conf")], { stdio: "ignore" });
  await v.start("--no-demo");
  const ask = (name: string) =>
    v!.get<Range>(`/api/v1/metrics/query?${new URLSearchParams({ q: `metric.name:${name}`, function: "last", limit: "1000" })}`);
  const load = await v.until(
    () => ask("netdata.system.load*"),
    ({ series }) => series.length >= 3,
  );
  for (const { points } of load.series) expect(points.at(-1)![1]).toBeGreaterThanOrEqual(0);
  await v.until(
    () => ask("netdata.system.cpu*"),
    ({ series }) => series.length > 0,
  );
  agent.kill("SIGTERM");
  for (const { name, dead, balance } of await settledLedger(v)) expect([name, dead, balance]).toEqual([name, 0, 0]);
});
