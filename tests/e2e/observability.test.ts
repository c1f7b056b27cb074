/** Alert rules, runbooks and dashboards hold together: what they name exists, and who is called finds a page that says what to do. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describedMetrics } from "@vedette/api";
import "@vedette/pipeline";
import { expect, test } from "vitest";
import "../../apps/vedette/src/own_metrics.ts";
import { alertRules, dashboards, metricsIn, ofExporters, pages } from "./observability.ts";

async function known(): Promise<(name: string) => boolean> {
  const names = new Set<string>();
  for (const { name, type } of await describedMetrics())
    for (const suffix of type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]) names.add(name + suffix);
  return (name) => names.has(name) || /^vedette_(process|nodejs)_/.test(name) || ofExporters.test(name);
}

test("every metric that an alert or a dashboard names is one that is told", async () => {
  const isKnown = await known();
  expect(isKnown("vedette_source_in_total") && !isKnown("vedette_sourc_in_total")).toBe(true);
  const queries = [
    ...alertRules().map(({ alert, expr }) => [alert, expr] as const),
    ...[...dashboards()].flatMap(([file, { panels }]) =>
      panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [`${file}: ${title}`, expr] as const)),
    ),
  ];
  expect(queries.length).toBeGreaterThan(120);
  const unknown = queries.flatMap(([where, query]) => metricsIn(query).flatMap((name) => (isKnown(name) ? [] : [`${where}: ${name}`])));
  expect(unknown).toEqual([]);
});

test("every alert says how bad it is and what to do, and every page is some alert's", () => {
  const rules = alertRules();
  const found = pages();
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  const named = new Set<string>();
  for (const { alert, labels, annotations } of rules) {
    expect(alert).toMatch(/^Vedette[A-Z]\w+$/);
    expect(["critical", "warning", "none"], alert).toContain(labels.severity);
    expect(annotations.summary.length, alert).toBeGreaterThan(10);
    const page = /^docs\/runbooks\/([a-z-]+\.md)$/.exec(annotations.runbook_url)?.[1] ?? "";
    named.add(page);
    expect(found.get(page), `${alert}: ${annotations.runbook_url}`).toContain(alert);
  }
  expect([...found.keys()].filter((page) => !named.has(page))).toEqual([]);
});

test("a page can be followed at three in the morning: what it means, what to look at, what to do, whom to call", () => {
  const commands = new Set<string>();
  const folder = fileURLToPath(new URL("../../apps/vedette/src/", import.meta.url));
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    if (file.endsWith(".ts"))
      for (const [, name] of readFileSync(join(folder, file), "utf8").matchAll(/\.command\("([a-z-]+)"/g)) commands.add(name!);
  expect(commands.size).toBeGreaterThan(30);
  for (const [file, text] of pages()) {
    expect(
      [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title),
      file,
    ).toEqual(["What it means", "Look", "Do", "Escalate"]);
    expect(text.split("## Look")[1]!.split("## Do")[0], file).toContain("```sh\n");
    for (const [, name] of text.matchAll(/(?:^|`)vedette ([a-z-]+)/gm)) expect(commands, `${file}: vedette ${name}`).toContain(name);
    for (const [, to] of text.matchAll(/\]\(([a-z-]+\.md)\)/g)) expect(pages().has(to!), `${file}: ${to}`).toBe(true);
  }
});

test("dashboards are what Grafana reads: panels with places that do not overlap, units, and queries to the chosen data source", () => {
  const all = dashboards();
  expect([...all.keys()].sort()).toEqual([
    "cluster.json",
    "detection.json",
    "ingest.json",
    "overview.json",
    "security.json",
    "storage.json",
  ]);
  expect(new Set([...all.values()].map(({ uid }) => uid)).size).toBe(all.size);
  for (const [file, { uid, title, schemaVersion, panels, templating }] of all) {
    expect(uid).toMatch(/^[a-z0-9-]{1,40}$/);
    expect(title).toContain("Vedette / ");
    expect(schemaVersion).toBeGreaterThanOrEqual(39);
    expect(templating.list.map(({ name }) => name)).toEqual(["datasource", "instance"]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Map<string, string>();
    for (const { type, title: name, description, gridPos, fieldConfig, targets = [] } of panels) {
      const { x, y, w, h } = gridPos;
      expect(x >= 0 && w > 0 && x + w <= 24 && h > 0, `${file}: ${name}`).toBe(true);
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          expect(taken.get(`${column}/${line}`), `${file}: ${name}`).toBeUndefined();
          taken.set(`${column}/${line}`, name);
        }
      if (type === "row") continue;
      expect(["timeseries", "stat", "table"]).toContain(type);
      expect(description, `${file}: ${name}`).toMatch(/\.$/);
      expect(fieldConfig?.defaults.unit, `${file}: ${name}`).toBeTruthy();
      expect(targets.length, `${file}: ${name}`).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      for (const { datasource } of targets) expect(datasource.uid).toBe(["$", "{datasource}"].join(""));
    }
  }
});
