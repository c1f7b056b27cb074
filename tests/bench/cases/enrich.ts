/** What enrichment costs an event: every enricher with tables of a large site, over decoded Zeek and sshd events. `--events` sets how many. */
import { enrichers, prepareEnrichers } from "@vedette/enrich";
import { type Decoded, newFields } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { makeMmdb } from "../../../packages/enrich/src/mmdb.fixture.ts";
import { sshdLines, zeekLines } from "../corpus.ts";
import { costOf, print, say } from "../harness.ts";

const goal_us = 2;
const hosts = 20_000;
const passes = 5;
const batch = 1_000;

export async function bench(events = 100_000): Promise<void> {
  const decoded = await decodeAll(events);
  const all = [...(await enrichers()).keys()];
  const whole = await perEvent(decoded, all);
  const each: { [name: string]: number } = {};
  for (const name of all) {
    const { us } = await perEvent(decoded, [name]);
    each[`${name}_us`] = us;
  }
  say(`${decoded.length} events, ${whole.added} fields added to each on average`);
  print({
    name: "enrich",
    value: whole.us,
    unit: "µs CPU per event",
    baseline: goal_us,
    details: { events: decoded.length, hosts, fields_added: whole.added, ...each },
  });
}

async function decodeAll(events: number): Promise<readonly Fields[]> {
  const known = await formats();
  const context = { preamble: undefined, received: 1_790_000_000_000_000, peer: undefined, source: "bench", stream: "conn" };
  const zeek = known.get("json")!.decoder(known.get("json")!.config.parse({}));
  const syslog = known.get("syslog")!.decoder(known.get("syslog")!.config.parse({}));
  const lines = [...zeekLines().map((line) => [zeek, line] as const), ...sshdLines().map((line) => [syslog, line] as const)];
  const step = Math.max(1, Math.floor(lines.length / events));
  return lines
    .filter((_, i) => i % step === 0)
    .slice(0, events)
    .flatMap(([decode, line]) => {
      const result = decode(line, context);
      return "fields" in result ? [(result as Decoded).fields] : [];
    });
}

/** CPU of adding to fresh copies, less that of making the copies. */
async function perEvent(decoded: readonly Fields[], names: readonly string[]): Promise<{ readonly us: number; readonly added: number }> {
  const stage = await prepareEnrichers(Object.fromEntries(names.map((name) => [name, {}])), tableOf);
  let cpu = 0;
  let added = 0;
  // the first pass fills caches, as those of a worker that has been running; events come in batches, as they do there
  for (let pass = 0; pass <= passes; pass++)
    for (let at = 0; at < decoded.length; at += batch) {
      const events = decoded.slice(at, at + batch).map((fields) => Object.assign(newFields(), fields));
      const { cpu_s } = await costOf(() => {
        for (const fields of events) stage.enrich(fields);
      });
      if (pass > 0) cpu += cpu_s;
      else added += events.reduce((n, fields, i) => n + Object.keys(fields).length - Object.keys(decoded[at + i]!).length, 0);
    }
  return { us: (cpu * 1e6) / (decoded.length * passes), added: added / decoded.length };
}

function tableOf(name: string): Uint8Array | undefined {
  if (name === "assets") {
    const rows = Array.from({ length: hosts }, (_, i) => `node${i},10.${i >> 16}.${(i >> 8) & 255}.${i & 255},owner${i % 50},compute,low`);
    return Buffer.from(`host,ip,owner,role,criticality\n${rows.join("\n")}\n`);
  }
  if (name === "identities")
    return Buffer.from(
      `user,department,privileged\nroot,operations,yes\n${Array.from({ length: hosts }, (_, i) => `user${i},lab,no`).join("\n")}\n`,
    );
  const place = { country: { iso_code: "DE", names: { en: "Germany" } }, location: { latitude: 52.5, longitude: 13.4 } };
  if (name === "geoip") return makeMmdb({ "8.0.0.0/8": place, "1.0.0.0/8": place, "104.0.0.0/8": place });
  if (name === "asn") return makeMmdb({ "0.0.0.0/1": { autonomous_system_number: 64500, autonomous_system_organization: "Example" } });
  return undefined;
}
