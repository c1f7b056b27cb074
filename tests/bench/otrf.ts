/** The Windows events of OTRF's Security-Datasets as one file of flat JSON lines, each once, with the log source in Sigma's words. */
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { shared, temporary } from "./corpus.ts";
import { say } from "./harness.ts";
import { linesOf } from "./lines.ts";

const services: { readonly [channel: string]: string } = {
  Security: "security",
  System: "system",
  Application: "application",
  "Microsoft-Windows-Sysmon/Operational": "sysmon",
  "Microsoft-Windows-PowerShell/Operational": "powershell",
  "Windows PowerShell": "powershell-classic",
};
/** Sysmon's event numbers in Sigma's words (Sigma specification, appendix taxonomy). */
const categories: { readonly [id: number]: string } = {
  1: "process_creation",
  3: "network_connection",
  5: "process_termination",
  6: "driver_load",
  7: "image_load",
  8: "create_remote_thread",
  9: "raw_access_thread",
  10: "process_access",
  11: "file_event",
  12: "registry_event",
  13: "registry_set",
  14: "registry_rename",
  15: "create_stream_hash",
  17: "pipe_created",
  18: "pipe_created",
  22: "dns_query",
  23: "file_delete",
};

type Event = { readonly [field: string]: unknown };

/** Flat, with `product`, `service` and `category` for readers that route by them; undefined for what is no Windows event. */
function hinted(document: Event): Event | undefined {
  const data = document["event_data"];
  const lifted = data !== null && typeof data === "object" ? { ...document, event_data: undefined, ...data } : document;
  const event: Event = { Channel: document["log_name"], EventID: document["event_id"], ...lifted };
  if (event["Channel"] === undefined || event["EventID"] === undefined) return undefined;
  const service = services[String(event["Channel"])];
  const id = Number(event["EventID"]);
  const category = service === "sysmon" ? categories[id] : service === "powershell" && id === 4104 ? "ps_script" : undefined;
  const provider = event["SourceName"] ?? event["source_name"];
  return {
    ...event,
    ...(provider !== undefined && { Provider_Name: provider }),
    product: "windows",
    ...(service && { service }),
    ...(category && { category }),
  };
}

/** Writes up to `wanted` events, in the order of the archives' names. @returns how many there were */
export function writeWindows(file: string, wanted: number): number {
  const folder = join(shared, "data/otrf-security-datasets");
  const archives = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((f) => /windows.*\.zip$/i.test(f));
  const out = openSync(file, "w");
  let count = 0;
  for (const archive of archives.sort()) {
    const text = execFileSync("unzip", ["-p", join(folder, archive)], { maxBuffer: 1_073_741_824 }).toString();
    let chunk = "";
    for (const line of text.split("\n")) {
      if (count === wanted) break;
      const event = line.startsWith("{") ? hinted(JSON.parse(line) as Event) : undefined;
      if (event === undefined) continue;
      chunk += `${JSON.stringify(event)}\n`;
      count++;
    }
    writeSync(out, chunk);
    if (count === wanted) break;
  }
  closeSync(out);
  return count;
}

/** The first of them, or all: made once and kept for the next run. */
export function windowsFile(events = Number.POSITIVE_INFINITY): string {
  return kept(`otrf-windows${Number.isFinite(events) ? `-${events}` : ""}.ndjson`, (file) => void writeWindows(file, events));
}

function kept(name: string, write: (file: string) => void): string {
  const file = join(temporary, name);
  if (existsSync(file)) return file;
  mkdirSync(temporary, { recursive: true });
  say(`making ${file}`);
  write(`${file}.part`);
  renameSync(`${file}.part`, file);
  return file;
}

/** Every fourth event with a number of its own in each text, so that no value repeats; what tells kinds of events apart stays. */
export function uniqueFile(of: string): string {
  return kept(`${basename(of, ".ndjson")}-unique.ndjson`, (file) => {
    const out = openSync(file, "w");
    let n = 0;
    for (const line of linesOf(of)) {
      if (n++ % 4 !== 0) continue;
      const event = Object.entries(JSON.parse(line.toString("utf8")) as Event).map(([field, value], i) => {
        if (typeof value !== "string" || kinds.has(field)) return [field, value];
        // Within the text, so that comparisons with its start or end still meet what they look for.
        const own = `${n.toString(36)}-${i.toString(36)}\\`;
        return [field, value.length < 4 ? value + own : value.slice(0, 3) + own + value.slice(3)];
      });
      writeSync(out, `${JSON.stringify(Object.fromEntries(event))}\n`);
    }
    closeSync(out);
  });
}

const kinds: ReadonlySet<string> = new Set(["Channel", "EventID", "Provider_Name", "product", "service", "category"]);

/** SigmaHQ's rules in force, unpacked once. */
export function sigmaRules(): readonly string[] {
  const folder = join(temporary, "sigmahq");
  if (!existsSync(folder)) {
    mkdirSync(`${folder}.part`, { recursive: true });
    execFileSync("tar", ["-xJf", join(shared, "data/sigma/rules.tar.xz"), "-C", `${folder}.part`]);
    renameSync(`${folder}.part`, folder);
  }
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((f) => /^rules/.test(f) && f.endsWith(".yml"));
  return all.sort().map((f) => join(folder, f));
}
