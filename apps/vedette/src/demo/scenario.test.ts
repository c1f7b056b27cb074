/** The demo is what its labels say, decodes without a flaw, and its noise stays noise. */
import { readFileSync } from "node:fs";
import type { Decode } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { detectFormat, formats } from "@vedette/normalise";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { demoPerSecond, demoRecords } from "./scenario.ts";

const start = Date.UTC(2026, 10, 21, 7, 0, 0) * 1000;
const records = demoRecords(start);
const known = await formats();

interface Labels {
  readonly scenarios: { readonly [label: string]: { readonly lines: number; readonly streams: readonly string[] } };
  readonly total: number;
}
const labels = parse(readFileSync(new URL("../../../../content/demo/labels.yml", import.meta.url), "utf8")) as Labels;

const decoders = new Map<string, Decode>();
function decoderOf(stream: string): Decode {
  let decode = decoders.get(stream);
  if (decode === undefined) {
    const first = records.filter((one) => one.stream === stream).slice(0, 32);
    const name = detectFormat(
      known,
      first.map((one) => one.line),
      undefined,
      stream,
    );
    const spec = known.get(name)!;
    decode = spec.decoder(spec.config.parse({}));
    decoders.set(stream, decode);
  }
  return decode;
}

interface Decoded {
  readonly fields: Fields;
  readonly time: number | undefined;
  readonly label: string | undefined;
}
const events = records.map((one): Decoded => {
  const result = decoderOf(one.stream)(one.line, {
    preamble: undefined,
    received: one.time,
    peer: undefined,
    source: "demo",
    stream: one.stream,
  });
  if ("code" in result || "skip" in result || Array.isArray(result))
    throw new Error(`${one.stream}: ${one.line}: ${JSON.stringify(result)}`);
  return { ...(result as Decoded), label: one.label };
});

test("the same at the same moment, in order, at an even pace", () => {
  expect(demoRecords(start)).toEqual(records);
  for (const [i, { time }] of records.entries()) expect(time).toBe(start + (i * 1_000_000) / demoPerSecond);
});

test("labels.yml tells the truth", () => {
  expect(records.length).toBe(labels.total);
  expect(new Set(records.flatMap((one) => one.label ?? []))).toEqual(new Set(Object.keys(labels.scenarios)));
  for (const [label, { lines, streams }] of Object.entries(labels.scenarios)) {
    const own = records.filter((one) => one.label === label);
    expect([label, own.length]).toEqual([label, lines]);
    expect([...new Set(own.map((one) => one.stream))].sort()).toEqual([...streams].sort());
  }
});

test("every line is an event of a known data set, at its time, on a host", () => {
  const datasets: { [dataset: string]: number } = {};
  for (const [i, { fields, time }] of events.entries()) {
    const dataset = String(fields["event.dataset"]);
    datasets[dataset] = (datasets[dataset] ?? 0) + 1;
    // Syslog and access logs tell whole seconds, Zeek and others more.
    expect(Math.abs(time! - records[i]!.time)).toBeLessThan(1_000_000);
  }
  expect(datasets).toMatchInlineSnapshot(`
    {
      "linux.auth": 2009,
      "nginx.access": 2052,
      "tetragon": 828,
      "windows.defender": 1,
      "windows.powershell": 1,
      "windows.security": 412,
      "windows.sysmon": 1317,
      "windows.system": 1,
      "zeek.conn": 875,
      "zeek.dns": 416,
    }
  `);
});

const of = (label: string | undefined, test: (fields: Fields) => boolean) =>
  events.filter((one) => one.label === label && test(one.fields)).length;

test("each attack shows what gives it away", () => {
  expect(
    of(
      "ssh_brute_force",
      (f) => f["event.outcome"] === "failure" && f["event.action"] === "ssh_login" && f["source.ip"] === "203.0.113.66",
    ),
  ).toBe(150);
  expect(
    of("ssh_brute_force", (f) => f["event.outcome"] === "success" && f["event.action"] === "ssh_login" && f["user.name"] === "backup"),
  ).toBe(1);
  expect(of("web_attack", (f) => String(f["user_agent.original"]).startsWith("sqlmap/"))).toBe(120);
  expect(of("web_attack", (f) => JSON.stringify(f).includes("ndi:"))).toBe(12);
  expect(of("web_attack", (f) => String(f["url.original"]).includes("passwd"))).toBe(24);
  expect(
    of("windows_credential_dumping", (f) => f["event.code"] === "10" && String(f["winlog.event_data.TargetImage"]).endsWith("lsass.exe")),
  ).toBe(3);
  expect(of("windows_credential_dumping", (f) => String(f["process.command_line"]).includes("comsvcs.dll, MiniDump"))).toBe(2);
  expect(of("windows_credential_dumping", (f) => f["event.action"] === "cleared-audit-log")).toBe(1);
  expect(of("mining_job", (f) => f["process.name"] === "kworkerd" && f["event.action"] === "exec" && f["slurm.job.id"] === "4711")).toBe(4);
  expect(of("mining_job", (f) => f["destination.port"] === 3333 && f["event.module"] === "zeek")).toBe(48);
  expect(of("mining_job", (f) => f["dns.question.name"] === "pool.minexmr.com")).toBe(12);
});

test("no benign address comes near password guessing", () => {
  const failures = new Map<string, number>();
  for (const { fields, label } of events) {
    if (label !== undefined || fields["event.category"] === undefined || ![fields["event.category"]].flat().includes("authentication"))
      continue;
    if (fields["event.outcome"] !== "failure") continue;
    const address = String(fields["source.ip"]);
    failures.set(address, (failures.get(address) ?? 0) + 1);
  }
  expect(failures.size).toBeGreaterThan(3);
  expect(Math.max(...failures.values())).toBeLessThan(4);
});
