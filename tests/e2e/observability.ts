/** Alert rules, dashboards and runbooks as the tests read them from deploy and docs. Asks no server. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const rulesFile = join(root, "deploy/prometheus/rules/vedette.yml");
export const rulesTest = join(root, "deploy/prometheus/tests/vedette_test.yml");
export const prometheusFile = join(root, "deploy/prometheus/prometheus.yml");
const runbooks = join(root, "docs/runbooks");
const dashboardFolder = join(root, "deploy/grafana/dashboards");

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}
export const alertRules = (): readonly AlertRule[] =>
  (parse(readFileSync(rulesFile, "utf8")) as { groups: { rules: AlertRule[] }[] }).groups.flatMap(({ rules }) => rules);

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly datasource: { readonly uid: string } }[];
}
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}
export const dashboards = (): ReadonlyMap<string, Dashboard> =>
  new Map(readdirSync(dashboardFolder).map((file) => [file, JSON.parse(readFileSync(join(dashboardFolder, file), "utf8")) as Dashboard]));

export const pages = (): ReadonlyMap<string, string> =>
  new Map(readdirSync(runbooks).map((file) => [file, readFileSync(join(runbooks, file), "utf8")]));

/** Names of metrics in a query; Prometheus's own `up` and `ALERTS` are none of ours. */
export const metricsIn = (query: string): readonly string[] => [
  ...new Set([...query.matchAll(/\b(?:vedette|kafka|redis|pg)_[a-z0-9_]+/g)].map(([name]) => name)),
];

/** Metrics that an exporter tells which stands beside Kafka, Redis or PostgreSQL. */
export const ofExporters = /^(kafka|redis|pg)_/;
