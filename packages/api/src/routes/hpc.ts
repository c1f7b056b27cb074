/**
 * The cluster at a glance, from what the store holds: jobs with what was found about them, partitions, users, nodes, who speaks with outside,
 * sensors' health. Every list is bounded, and says when there was more. Scores nothing itself.
 */
import { grantsFor, viewOf } from "@vedette/access";
import type { Alert, Micros } from "@vedette/model";
import type { Aggregate, SeenQuery } from "@vedette/store";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { alertRow } from "../present.ts";
import { reachOf, readFilter } from "../read_query.ts";
import * as schemas from "../schemas.ts";
import { type App, failures, type RouteContext } from "./context.ts";
import { rangeOf } from "./events.ts";

const day: Micros = 86_400_000_000;
/** Alerts looked at for jobs, nodes and sensors. */
const maxAlerts = 500;
/** Sensors and their workers: the largest clusters have some hundred. */
const maxSensors = 256;
const maxPartitions = 100;
const miner = "silent_miner";
const health = "zeek_health";

const where = {
  jobs: readFilter("event.dataset:slurm.job and slurm.job.id:*"),
  nodes: readFilter("hpc.job.id:* and host.name:* and not event.module:slurm"),
  talkers: readFilter("event.dataset:zeek.conn and network.direction:outbound and source.ip:*"),
  loss: readFilter("event.dataset:zeek.capture_loss"),
  load: readFilter("event.dataset:zeek.stats"),
};

const measured = z.number().nullable().describe("Null where it did not report that.");
const list = <T extends z.ZodType>(row: T) => z.object({ rows: z.array(row).readonly(), more: z.boolean().describe("There were more.") });
const named = (example: string) => z.string().meta({ examples: [example] });
const factor = z.object({ name: z.string(), points: z.number(), of: z.number(), value: z.string() });
const answer = z.object({
  from: z.string(),
  to: z.string(),
  jobs: list(
    z.object({
      job: named("4711"),
      cluster: named("hpc").optional(),
      user: z.string().optional(),
      account: named("physics").optional(),
      partition: named("gpu").optional(),
      states: z.array(z.string()).readonly(),
      nodes: z.array(z.string()).readonly(),
      score: z.number().optional().describe("How much it looks like mining, of 100; there where silent_miner found it."),
      factors: z.array(factor).readonly().optional(),
      alerts: z.array(z.string()).readonly().describe("Ids of alerts about it."),
    }),
  ),
  partitions: list(z.object({ partition: named("gpu"), jobs: z.number(), users: z.number() })),
  users: list(z.object({ user: named("ada"), jobs: z.number(), alerts: z.number().describe("Open ones that name the user.") })),
  nodes: list(z.object({ node: named("cn001"), events: z.number(), jobs: z.number(), alerts: z.number() })),
  talkers: list(z.object({ address: z.string(), connections: z.number(), sent: z.number(), received: z.number() })),
  sensors: z.object({
    workers: list(z.object({ worker: named("worker-1-1"), lost_percent: measured, dropped: measured, lag_s: measured })),
    alerts: z.array(schemas.alertRow).readonly(),
  }),
});

type Answer = z.infer<typeof answer>;
type Job = Answer["jobs"]["rows"][number];
type Row = { readonly [column: string]: string | number | null };

export function hpcRoutes(app: App, context: RouteContext): void {
  const { options, tenant, clock, bounded } = context;
  const { alerts, events } = options.store;
  app.route({
    method: "GET",
    url: "/hpc",
    config: { permission: "events:read", confined: true },
    schema: {
      summary:
        "Jobs with what was found about them, partitions, users, nodes, who speaks with outside, and the sensors' health (the past day where no range is given).",
      tags: ["events"],
      querystring: z.strictObject({ ...schemas.range, limit: schemas.limit(200) }),
      response: { 200: answer, ...failures, 504: schemas.problem },
    },
    handler: async (request, reply) => {
      const { from, to, limit } = request.query;
      const now = clock.now();
      const range = rangeOf({ from: from ?? Math.min(now, to ?? now) - day, to }, now);
      const ask = (filter: SeenQuery["where"], by: string, aggregates: readonly Aggregate[], sort: string, most: number) =>
        bounded(reply, (signal) =>
          events.stats(
            {
              ...reachOf(request, tenant, filter),
              range,
              where: filter,
              by: [by],
              aggregates,
              sort: { by: sort, descending: true },
              limit: most + 1,
            },
            signal,
          ),
        );
      const found = await alertsFor(request);
      const [jobs, partitions, users, nodes, talkers, loss, load] = await Promise.all([
        ask(where.jobs, "slurm.job.id", jobColumns, "slurm.job.id", limit),
        ask(where.jobs, "slurm.job.partition", [jobCount, { fn: "distinct", field: "user.name", as: "users" }], "jobs", maxPartitions),
        ask(where.jobs, "user.name", [jobCount], "jobs", limit),
        ask(where.nodes, "host.name", [count, { fn: "distinct", field: "hpc.job.id", as: "jobs" }], "events", limit),
        ask(where.talkers, "source.ip", [count, total("source.bytes", "sent"), total("destination.bytes", "received")], "sent", limit),
        ask(where.loss, "zeek.capture_loss.peer", [{ fn: "max", field: "zeek.capture_loss.percent_lost", as: "lost" }], "lost", maxSensors),
        ask(
          where.load,
          "zeek.stats.peer",
          [total("zeek.stats.pkts_dropped", "dropped"), { fn: "max", field: "zeek.stats.pkt_lag", as: "lag" }],
          "dropped",
          maxSensors,
        ),
      ]);
      return {
        from: new Date(range.from / 1_000).toISOString(),
        to: new Date(range.to / 1_000).toISOString(),
        jobs: jobsOf(jobs, found, limit),
        partitions: cut(partitions.map(partitionOf), maxPartitions),
        users: cut(
          users.map((row) => userOf(row, found)),
          limit,
        ),
        nodes: cut(
          nodes.map((row) => nodeOf(row, found)),
          limit,
        ),
        talkers: cut(talkers.map(talkerOf), limit),
        sensors: { workers: cut(workersOf(loss, load), maxSensors), alerts: found.filter(({ rule }) => rule.id === health).map(alertRow) },
      };
    },
  });

  /** Open alerts as who asks may see them; none for who may not see any. */
  async function alertsFor({ principal }: Pick<FastifyRequest, "principal">): Promise<readonly Alert[]> {
    const grants = principal === undefined ? [] : grantsFor(principal, "alerts:read", tenant);
    if (grants.length === 0) return [];
    const view = viewOf(grants);
    const page = await alerts.list({ tenant, states: ["open", "acknowledged"], ...(view && { view }) }, maxAlerts);
    return page.alerts;
  }
}

const count: Aggregate = { fn: "count", as: "events" };
const jobCount: Aggregate = { fn: "distinct", field: "slurm.job.id", as: "jobs" };
const total = (field: string, as: string): Aggregate => ({ fn: "sum", field, as });
const values = (field: string, as: string): Aggregate => ({ fn: "values", field, as });
const jobColumns: readonly Aggregate[] = [
  values("user.name", "user"),
  values("slurm.job.account", "account"),
  values("slurm.job.partition", "partition"),
  values("slurm.cluster", "cluster"),
  values("slurm.job.state", "states"),
  values("slurm.job.node_list", "nodes"),
];

const cut = <T>(rows: readonly T[], limit: number) => ({ rows: rows.slice(0, limit), more: rows.length > limit });
const textOf = (value: Row[string] | undefined): string => (value === null || value === undefined ? "" : String(value));
const numberOf = (value: Row[string] | undefined): number => (typeof value === "number" ? value : Number(value ?? 0) || 0);
const measure = (value: Row[string] | undefined): number | null =>
  value === null || value === undefined || value === "" ? null : numberOf(value);
/** What a `values` aggregate gives: texts with commas between. */
const several = (value: Row[string] | undefined): readonly string[] =>
  textOf(value)
    .split(/,\s*(?![^[]*\])/)
    .filter((one) => one !== "");

const idsOf = (alert: Alert, type: string): readonly string[] => alert.entities.flatMap((one) => (one.type === type ? [one.id] : []));

/** Jobs that something was found about come first: they are why anybody looks. */
function jobsOf(rows: readonly Row[], alerts: readonly Alert[], limit: number): Answer["jobs"] {
  const byJob = new Map<string, Alert[]>();
  for (const alert of alerts) for (const id of idsOf(alert, "hpc.job.id").slice(0, 1)) byJob.set(id, [...(byJob.get(id) ?? []), alert]);
  const known = new Map(rows.map((row) => [textOf(row["slurm.job.id"]), row]));
  const ids = [...new Set([...byJob.keys(), ...known.keys()])].filter((id) => id !== "");
  const jobs = ids.map((job): Job => {
    const row = known.get(job);
    const about = byJob.get(job) ?? [];
    const [user] = row ? several(row["user"]) : about.flatMap((one) => idsOf(one, "user.name"));
    const optional = {
      user,
      cluster: several(row?.["cluster"])[0],
      account: several(row?.["account"])[0],
      partition: several(row?.["partition"])[0],
    };
    return {
      job,
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
      states: several(row?.["states"]),
      nodes: row ? several(row["nodes"]) : about.flatMap((one) => idsOf(one, "host.name")).slice(0, 16),
      ...scoreOf(about.find(({ rule }) => rule.id === miner)),
      alerts: about.map(({ id }) => id),
    };
  });
  return cut(
    jobs.sort((a, b) => (b.score ?? 0) - (a.score ?? 0) || b.alerts.length - a.alerts.length),
    limit,
  );
}

/** The score stands with the first event of the evidence, factor by factor. */
function scoreOf(alert: Alert | undefined): Pick<Job, "score" | "factors"> {
  const matches = alert?.evidence.find((one) => one.matches.some(({ field }) => field === "hpc.miner.score"))?.matches ?? [];
  const score = Number(matches.find(({ field }) => field === "hpc.miner.score")?.value ?? Number.NaN);
  if (!Number.isFinite(score)) return {};
  const factors = matches.flatMap(({ clause, field, value }) => {
    const [, points, of] = /^(\d{1,3}) of (\d{1,3})$/.exec(clause) ?? [];
    return points === undefined ? [] : [{ name: field.slice("hpc.miner.".length), points: Number(points), of: Number(of), value }];
  });
  return { score, factors };
}

function nodeOf(row: Row, alerts: readonly Alert[]): Answer["nodes"]["rows"][number] {
  const node = textOf(row["host.name"]);
  return {
    node,
    events: numberOf(row["events"]),
    jobs: numberOf(row["jobs"]),
    alerts: alerts.filter((one) => idsOf(one, "host.name").includes(node)).length,
  };
}

const partitionOf = (row: Row): Answer["partitions"]["rows"][number] => ({
  partition: textOf(row["slurm.job.partition"]),
  jobs: numberOf(row["jobs"]),
  users: numberOf(row["users"]),
});

function userOf(row: Row, alerts: readonly Alert[]): Answer["users"]["rows"][number] {
  const user = textOf(row["user.name"]);
  return { user, jobs: numberOf(row["jobs"]), alerts: alerts.filter((one) => idsOf(one, "user.name").includes(user)).length };
}

const talkerOf = (row: Row): Answer["talkers"]["rows"][number] => ({
  address: textOf(row["source.ip"]),
  connections: numberOf(row["events"]),
  sent: numberOf(row["sent"]),
  received: numberOf(row["received"]),
});

function workersOf(loss: readonly Row[], load: readonly Row[]): Answer["sensors"]["workers"]["rows"] {
  const lost = new Map(loss.map((row) => [textOf(row["zeek.capture_loss.peer"]), row["lost"] ?? null]));
  const loads = new Map(load.map((row) => [textOf(row["zeek.stats.peer"]), row]));
  return [...new Set([...lost.keys(), ...loads.keys()])].sort().map((worker) => ({
    worker,
    lost_percent: measure(lost.get(worker)),
    dropped: measure(loads.get(worker)?.["dropped"]),
    lag_s: measure(loads.get(worker)?.["lag"]),
  }));
}
