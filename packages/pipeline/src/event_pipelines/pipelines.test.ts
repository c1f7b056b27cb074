import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pseudonyms, pseudonymKey } from "@vedette/enrich";
import { memoryLog } from "@vedette/log";
import { formats } from "@vedette/normalise";
import type { EventStore } from "@vedette/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Analyser, compileProgram } from "../analyse.ts";
import { encodeRecords } from "../batch.ts";
import { Control } from "../control.ts";
import { Enrichment } from "../enrichment/enrichment.ts";
import { type Resources, Tables } from "../enrichment/tables.ts";
import { makeProgram, type Program, type ProgramFile } from "../program.ts";
import { catalogueOf } from "../rules/catalogue.ts";
import { eventOf, idOfRule, ruleText } from "../rules/rig.test.data.ts";
import { PipelineDesk } from "./desk.ts";

const key = pseudonymKey("a secret of sixteen");
const pseudonyms = new Pseudonyms(key);
const who = { by: "ann", reason: "tidy" };
const none = { rules: [], pipelines: [], detectors: { brute_force: false }, lateness_s: 30 };
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "vedette-enrich-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** NDJSON in ECS through pass 1. */
async function analysed(program: Program, documents: readonly object[], resources?: Resources) {
  const analyser = new Analyser(await formats());
  const bytes = encodeRecords(
    {
      kind: "records",
      version: 1,
      program: program.hash,
      tenant: "main",
      source: "app",
      received: 1_790_000_000_000_000,
      demo: false,
      seq: 0,
      runs: [{ stream: "", format: "ecs_json", count: documents.length }],
      positions: documents.map((_, i) => String(i)),
    },
    documents.map((one) => Buffer.from(JSON.stringify({ "@timestamp": "2026-11-01T00:00:00Z", "ecs.version": "8.17.0", ...one }))),
  );
  return analyser.analyse({ entries: [{ offset: 0, bytes }], sample: true, store: false }, await compileProgram(program, resources));
}

test("events are enriched, then go through the pipelines, then are judged; what is left out is in the ledger by pipeline and step", async () => {
  const tables = new Tables(join(directory, "tables"));
  const hash = await tables.put(Buffer.from("user,department\nada,analysis\n"));
  const program = makeProgram(
    {
      ...none,
      rules: [{ file: "r.yml", text: ruleText(1, "ada") }],
      enrich: { identities: {}, network_zones: {} },
      tables: { identities: { hash, bytes: 1, rows: 1, at: 0, by: "ann" } },
      event_pipelines: [
        {
          file: "noise.yml",
          text: "steps:\n  - {name: checks, when: 'url.path:/healthz', drop: {}}\n  - {when: 'user.profile.department:analysis', route: {class: audit}}\n",
        },
        { file: "people.yml", text: "steps:\n  - pseudonymise: {fields: [user.name]}\n" },
      ],
      pseudonym_key: pseudonyms.keyId,
    },
    0,
  );
  const documents = [
    { "url.path": "/healthz" },
    { "user.name": "ada", "source.ip": "10.0.0.1", message: "ada came" },
    { "url.path": "/healthz" },
    { "user.name": "root" },
  ];
  const result = await analysed(program, documents, { table: (content) => tables.table(content), pseudonymKey: key });
  expect(result.sources).toEqual({ app: { in: 4, split: 0, stored: 2, dead: 0, dropped: { "pipeline noise: checks": 2 } } });
  expect(result.sample[0]).toMatchObject({
    class: "audit",
    fields: {
      "user.name": pseudonyms.of("ada"),
      "user.profile.department": "analysis",
      "vedette.source.zone": "internal",
      message: `${pseudonyms.of("ada")} came`,
    },
  });
  expect(result.sample[0]!.original).not.toContain("ada");
  expect(result.findings).toEqual([]);
  const again = await analysed(program, documents, { table: (content) => tables.table(content), pseudonymKey: key });
  expect(again.sample).toEqual(result.sample);
  const plain = await analysed({ ...program, event_pipelines: [] }, documents);
  expect(plain.findings).toHaveLength(1);
});

test("rules ask for zones and for what inventories say", async () => {
  const tables = new Tables(join(directory, "tables"));
  const hash = await tables.put(Buffer.from("host,criticality,owner\nlogin1,high,ops\n"));
  const text = `title: From outside to a critical host
id: 11111111-1111-4111-8111-111111111111
status: test
level: high
logsource: { category: authentication }
detection:
  sel: { vedette.source.zone: campus, host.asset.criticality: high, network.direction: inbound }
  condition: sel
`;
  const program = makeProgram(
    {
      ...none,
      rules: [{ file: "zones.yml", text }],
      enrich: {
        assets: {},
        network_zones: { zones: { campus: { networks: ["192.0.2.0/24"], internal: false }, login: { networks: ["10.0.0.0/24"] } } },
      },
      tables: { assets: { hash, bytes: 1, rows: 1, at: 0, by: "ann" } },
    },
    0,
  );
  const from = (address: string, host: string) => ({
    "event.category": "authentication",
    "source.ip": address,
    "destination.ip": "10.0.0.1",
    "host.name": host,
  });
  const documents = [from("192.0.2.7", "login1"), from("192.0.2.7", "node7"), from("10.0.0.9", "login1")];
  const { findings, sample } = await analysed(program, documents, { table: (content) => tables.table(content) });
  expect([findings.map(({ rule }) => rule.title), sample[0]!.fields["vedette.source.zone"]]).toEqual([
    ["From outside to a critical host"],
    "campus",
  ]);
});

test("pipelines, tables and who revealed what are in the control topic, and a change of any is another program", async () => {
  const log = memoryLog();
  const control = await Control.open(log);
  const parts = {
    ...none,
    enrich: { assets: {} },
    tables: { assets: { hash: "a".repeat(43), bytes: 1, rows: 1, at: 5, by: "ann" } },
    event_pipelines: [{ file: "p.yml", text: "steps: [{route: {tags: [x]}}]" }],
    pseudonym_key: "k",
  };
  const first = await control.publish(makeProgram(parts, 1));
  await control.record({ kind: "reveal", version: 1, at: 2, ...who, pseudonym: "pn_x", found: true });
  const others = [
    { ...parts, tables: { assets: { ...parts.tables.assets, hash: "b".repeat(43) } } },
    { ...parts, event_pipelines: [{ file: "p.yml", text: "steps: [{route: {tags: [y]}}]" }] },
    { ...parts, pseudonym_key: "l" },
    { ...parts, enrich: { assets: false } },
  ].map((one) => makeProgram(one, 1));
  expect(new Set([first, ...others].map(({ hash }) => hash)).size).toBe(5);
  expect(makeProgram({ ...parts, tables: { assets: { ...parts.tables.assets, at: 9, by: "bob" } } }, 1).hash).toBe(first.hash);
  const again = await Control.open(log);
  expect(again.current).toEqual(first);
  expect(again.versions).toHaveLength(1);
  expect(again.program(first.hash)?.event_pipelines).toEqual(parts.event_pipelines);
});

/** An enrichment over a control topic in memory. */
async function enrichmentRig(settings: { readonly [name: string]: unknown }, log = memoryLog()) {
  const control = await Control.open(log);
  const problems = new Map<string, string>();
  const tables = new Tables(join(directory, "tables"));
  const enrichment = await Enrichment.open({
    settings,
    tables,
    control,
    clock: { now: () => 7, sleep: async () => {} },
    leads: true,
    adjust: async (parts) => {
      await control.publish(makeProgram({ ...none, ...parts }, 0));
      return control.versions.length;
    },
    onProblem: (code, message) => void (message === undefined ? problems.delete(code) : problems.set(code, message)),
  });
  await control.publish(makeProgram({ ...none, ...enrichment.parts }, 0));
  return { enrichment, control, tables, problems, log };
}

test("an inventory put through the API is a version, survives a restart, and goes with its removal", async () => {
  const rig = await enrichmentRig({ assets: {}, geoip: {} });
  expect(rig.enrichment.lines().find(({ name }) => name === "assets")).toMatchObject({ state: "waiting", inventory: true });
  const ref = await rig.enrichment.put("assets", Buffer.from("host,owner\na,x\n"), who);
  expect(ref).toMatchObject({ rows: 1, by: "ann" });
  expect((await rig.enrichment.put("assets", Buffer.from("host,owner\na,x\n"), who)).hash).toBe(ref.hash);
  expect(rig.control.versions).toHaveLength(2);
  await expect(rig.enrichment.put("assets", Buffer.from("nothing"), who)).rejects.toMatchObject({ code: "bad_table" });
  await expect(rig.enrichment.put("geoip", Buffer.from("x"), who)).rejects.toMatchObject({ code: "not_found" });
  const again = await enrichmentRig({ assets: {}, geoip: {} }, rig.log);
  expect(again.enrichment.parts.tables["assets"]?.hash).toBe(ref.hash);
  expect(again.control.versions).toHaveLength(2);
  expect(Buffer.from(again.tables.table(ref.hash)!).toString()).toBe("host,owner\na,x\n");
  await again.enrichment.remove("assets", who);
  expect(again.enrichment.lines().find(({ name }) => name === "assets")?.state).toBe("waiting");
});

test("a file is read at the start and again when it changed; one that no longer reads leaves the version before in force, and says so", async () => {
  const file = join(directory, "assets.csv");
  writeFileSync(file, "host,owner\na,x\n");
  const { enrichment, problems, control, tables } = await enrichmentRig({ assets: { file } });
  const before = enrichment.parts.tables["assets"]!;
  expect(before).toMatchObject({ file, rows: 1 });
  expect(enrichment.parts.enrich).toEqual({ assets: {} });
  expect(await enrichment.reload(who)).toEqual([]);
  writeFileSync(file, "host,owner\na,x\nb,y\n");
  expect(await enrichment.reload(who)).toEqual(["assets"]);
  expect(control.current?.tables?.["assets"]).toMatchObject({ rows: 2 });
  await expect(enrichment.put("assets", Buffer.from("host\nx\n"), who)).rejects.toMatchObject({ code: "conflict" });
  writeFileSync(file, "broken");
  expect(await enrichment.reload(who)).toEqual([]);
  expect(problems.get("enrich_assets")).toMatch(/assets\.csv: line 1: .*; the version before it goes on$/);
  expect(enrichment.lines().find(({ name }) => name === "assets")).toMatchObject({ state: "broken", table: { rows: 2 } });
  expect(tables.table(before.hash), "kept for what was taken in under it").toBeDefined();
});

test("a content that was changed on disk is not used", async () => {
  const tables = new Tables(join(directory, "tables"));
  const hash = await tables.put(Buffer.from("host,owner\na,x\n"));
  writeFileSync(join(directory, "tables", hash), "host,owner\na,mallory\n");
  expect(tables.table(hash)).toBeUndefined();
  expect(tables.table("../../etc/passwd")).toBeUndefined();
});

/** A desk over files in memory and some stored events. */
async function deskRig(disk: ProgramFile[], { keyed = true } = {}) {
  const log = memoryLog();
  const control = await Control.open(log);
  const cases = "vedette: {tests: [{name: fires, expect: match, events: [{user.name: ada, event.dataset: app.login}]}]}\n";
  const rules = [
    { file: "r1.yml", text: ruleText(1, "ada", `level: high\nstatus: test\n${cases}`) },
    { file: "r2.yml", text: ruleText(2, "bob") },
  ];
  const stored = Array.from({ length: 10 }, (_, i) => eventOf(i, { "user.name": i < 3 ? "ada" : "bob", "event.dataset": "app.login" }));
  const desk = new PipelineDesk({
    disk: () => [...disk],
    pseudonymKey: keyed ? key : undefined,
    control,
    clock: { now: () => 7, sleep: async () => {} },
    formats: await formats(),
    tenant: "main",
    events: { search: async () => ({ events: stored }) } as unknown as EventStore,
    catalogue: () => catalogueOf(makeProgram({ ...none, rules }, 0)),
    ledger: async () => [
      { name: "app", in: 9, split: 0, stored: 5, dead: 0, dropped: { "pipeline p: logins": 4 }, pending: 0, balance: 0 },
    ],
    adjust: async (parts) => {
      await control.publish(makeProgram({ ...none, rules, ...parts }, 0));
      return control.versions.length;
    },
  });
  await control.publish(makeProgram({ ...none, rules, ...desk.parts }, 0));
  return { desk, control, log };
}

const drops = { file: "p.yml", text: "steps:\n  - {name: logins, when: 'event.dataset:app.login', drop: {}}\n" };

test("what rules would lose is told by their own cases, and stands in the way unless it is meant", async () => {
  const disk: ProgramFile[] = [];
  const { desk, control } = await deskRig(disk);
  expect(await desk.losses()).toEqual([]);
  disk.push(drops);
  const blocked = await desk.reload(who);
  expect(blocked.losses).toEqual([{ id: idOfRule(1), title: "Rule 1", how: "pipeline p: logins" }]);
  expect(blocked.blocked).toEqual(["1 rule loses its data: Rule 1 (pipeline p: logins) (--yes if that is meant)"]);
  expect(control.current?.event_pipelines).toBeUndefined();
  expect(await desk.reload(who, true)).toMatchObject({ blocked: [], changed: true });
  expect(control.current?.event_pipelines).toEqual([drops]);
  expect(await desk.lines()).toEqual([
    { name: "p", file: "p.yml", steps: [{ name: "logins", does: "drop", dropped: 4 }], cases: 0, failing: 0 },
  ]);
  disk[0] = { file: "p.yml", text: "steps:\n  - pseudonymise: {fields: [user.name]}\n" };
  expect((await desk.reload(who, true)).losses.map(({ id, how }) => [id, how])).toContainEqual([idOfRule(2), "changed"]);
});

test("a preview counts what would be dropped and changed, shows some, and changes nothing", async () => {
  const { desk, control } = await deskRig([]);
  const text = "steps:\n  - {name: bobs, when: 'user.name:bob', drop: {}}\n  - pseudonymise: {fields: [user.name]}\n";
  const found = await desk.preview([{ file: "new.yml", text }]);
  expect(found).toMatchObject({ events: 10, dropped: { "pipeline new: bobs": 7 }, changed: 3, refused: [] });
  expect(found.examples).toHaveLength(8);
  expect(found.examples[0]).toMatchObject({ id: "e0", before: { "user.name": "ada" }, after: { "user.name": pseudonyms.of("ada") } });
  expect(found.losses.map(({ id }) => id)).toEqual([idOfRule(1), idOfRule(2)]);
  expect((await desk.preview([{ file: "bad.yml", text: "steps: 3" }])).refused).toEqual([expect.stringContaining("bad.yml:1:")]);
  expect(control.versions).toHaveLength(1);
});

test("a pipeline that does not load, whose case fails or that lacks its key keeps Vedette from starting, and a reload from happening", async () => {
  const failing = { file: "c.yml", text: "steps: [{route: {tags: [x]}}]\ntests: [{name: t, event: {a: b}, expect: dropped}]\n" };
  await expect(deskRig([failing])).rejects.toThrow('c.yml:2: case "t": expected it dropped; it is kept');
  await expect(deskRig([{ file: "p.yml", text: "steps: [{dorp: {}}]" }])).rejects.toMatchObject({ code: "pipeline_invalid" });
  const people = { file: "n.yml", text: "steps:\n  - pseudonymise: {fields: [user.name]}\n" };
  await expect(deskRig([people], { keyed: false })).rejects.toThrow("n.yml:2: pseudonymise needs a key: set SECRET_KEY");
  const disk: ProgramFile[] = [];
  const { desk } = await deskRig(disk);
  disk.push(failing);
  expect((await desk.reload(who)).blocked).toHaveLength(1);
});

test("a pseudonym is revealed to who says why, and that is on record before it is told", async () => {
  const { desk, log } = await deskRig([]);
  expect(await desk.reveal(pseudonyms.of("ada"), who)).toBe("ada");
  await expect(desk.reveal("pn_nothing_of_ours_here_at_all", who)).rejects.toMatchObject({ code: "not_found" });
  const { end } = await log.bounds("control", 0);
  const records = (await log.read("control", 0, 0, 1_000_000)).slice(Number(end) - 2).map((one) => {
    if (!("bytes" in one)) throw new Error("damaged");
    return JSON.parse(Buffer.from(one.bytes).toString()) as object;
  });
  expect(records).toMatchObject([
    { kind: "reveal", by: "ann", reason: "tidy", pseudonym: pseudonyms.of("ada"), found: true },
    { kind: "reveal", found: false },
  ]);
  expect(JSON.stringify(records)).not.toContain('"ada"');
});

test("rules that did not change are not compiled again when a table or a pipeline does", async () => {
  const parts = { ...none, rules: [{ file: "r.yml", text: ruleText(1, "ada") }] };
  const first = await compileProgram(makeProgram(parts, 0));
  const pipelines = [{ file: "p.yml", text: "steps: [{route: {tags: [x]}}]" }];
  const second = await compileProgram(makeProgram({ ...parts, event_pipelines: pipelines }, 0), undefined, first);
  expect(second.rules).toBe(first.rules);
  expect(second.eventPipelines.documents).toHaveLength(1);
  const overlay = { packs: {}, rules: { [idOfRule(1)]: { state: "shadow" as const, by: "ann", at: 0, reason: "", hash: "" } } };
  for (const other of [{ rules: [{ file: "r.yml", text: ruleText(1, "bob") }] }, { overlay }, { lateness_s: 31 }])
    expect((await compileProgram(makeProgram({ ...parts, ...other }, 0), undefined, second)).rules).not.toBe(first.rules);
});
