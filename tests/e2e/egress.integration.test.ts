/** One Vedette sends to another by four protocols, is killed and started again: everything arrives, and by the bulk protocol once. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { vedette } from "./cli.ts";
import { freePort } from "./free_port.ts";
import { settledLedger, Vedette } from "./vedette.ts";

interface Sink {
  readonly name: string;
  readonly state: string;
  readonly read: number;
  readonly sent: number;
  readonly skipped: number;
  readonly refused: { readonly [reason: string]: number };
  readonly pending: number;
  readonly problem?: string;
}
interface Found {
  readonly source: string;
  readonly fields: { readonly [name: string]: unknown };
}

const start_ms = 300_000;
let there: Vedette;
let here: Vedette;

beforeAll(async () => {
  const port = await freePort();
  there = new Vedette(`sources:\n  syslog_in:\n    syslog: { tcp: "127.0.0.1:${port}" }\n`);
  await there.start("--no-demo");
  const token = join(there.directory, "token");
  writeFileSync(token, `${there.token}\n`, { mode: 0o600 });
  here = new Vedette(`sinks:
  bulk: { select: events, when: "user.name:*", elasticsearch: { url: "${there.url}", index: events, api_key_file: "${token}" } }
  hec: { select: alerts, splunk_hec: { url: "${there.url}", token_file: "${token}" } }
  otel: { select: alerts, format: ocsf, otlp: { url: "${there.url}", token_file: "${token}" } }
  lines: { select: findings, syslog: { host: 127.0.0.1, port: ${port}, tls: false, body: cef } }
  lake: { select: events, parquet: { folder: lake } }
`);
  await here.start("--no-demo");
}, start_ms);
afterAll(async () => {
  await here?.remove();
  await there?.remove();
});

const attack = (from: number, to: number, ip: string) =>
  Array.from(
    { length: to - from },
    (_, i) =>
      `Nov 20 06:00:${String(i % 60).padStart(2, "0")} node1 sshd[7]: Failed password for user${from + i} from ${ip} port ${40_000 + i} ssh2`,
  ).join("\n");
const ingest = (text: string) => here.fetch("/ingest/auth", { method: "POST", body: text });
const sinks = async () => (await here.get<{ sinks: Sink[] }>("/api/v1/sinks")).sinks;
const balance = ({ read, sent, skipped, refused }: Sink) => read - sent - skipped - Object.values(refused).reduce((a, b) => a + b, 0);
const usersThere = async () => {
  const found = await there.events<Found>("event.dataset:linux.auth and user.name:*");
  return found.flatMap(({ source, fields }) => (source === "elasticsearch" ? [String(fields["user.name"])] : []));
};

test("events and alerts arrive whole, each in its protocol", { timeout: start_ms }, async () => {
  expect((await ingest(attack(0, 30, "203.0.113.9"))).status).toBe(200);
  await here.until(sinks, (all) => all.every((one) => one.sent > 0 || one.name === "lake"));
  await settledLedger(there);
  await there.until(usersThere, (users) => users.length >= 30);
  // the same alert by HEC in ECS and by OTLP in OCSF; its finding in CEF
  const arrives = (query: string, source: string, tells: (fields: Found["fields"]) => boolean) =>
    there.until(
      () => there.events<Found>(query),
      (all) => all.some((one) => one.source === source && tells(one.fields)),
    );
  const wanted = "password_spraying";
  await arrives(`rule.id:${wanted}`, "splunk_hec", (fields) => String(fields["source.ip"]).includes("203.0.113.9"));
  await arrives("", "otlp", (fields) => JSON.stringify(fields).includes(wanted));
  await arrives("observer.vendor:Vedette", "syslog_in", (fields) => fields["source.ip"] === "203.0.113.9");
});

test("killed while it sends, it goes on where it was: by ids once, else at least once", { timeout: start_ms }, async () => {
  const sending = ingest(attack(30, 400, "203.0.113.9"));
  await sending;
  await here.kill();
  await here.start("--no-demo");
  expect((await ingest(attack(400, 450, "203.0.113.9"))).status).toBe(200);
  const users = await there.until(usersThere, (all) => new Set(all).size >= 450);
  expect(users).toHaveLength(450);
  const settled = await here.until(sinks, (all) =>
    all.filter(({ name }) => name !== "lake").every((one) => one.state === "idle" && one.problem === undefined),
  );
  expect(settled.map(balance)).toEqual(settled.map(() => 0));
  expect((await settledLedger(there)).map(({ balance, dead }) => [balance, dead])).toEqual((await settledLedger(there)).map(() => [0, 0]));
});

test("the command line lists sinks, tries one, and names what is wrong", { timeout: start_ms }, async () => {
  const listed = await vedette(["sink", "list", "--json", "--data-dir", here.data], { cwd: here.directory });
  expect((JSON.parse(listed.stdout) as Sink[]).map(({ name }) => name)).toEqual(["bulk", "hec", "otel", "lines", "lake"]);
  const good = await vedette(["sink", "test", "bulk", "--json"], { cwd: here.directory });
  expect([good.code, JSON.parse(good.stdout)]).toMatchObject([0, { sink: "bulk", taken: true, outcome: "answered" }]);
  await there.stop();
  const gone = await vedette(["sink", "test", "hec"], { cwd: here.directory });
  expect([gone.code, gone.stdout]).toEqual([1, expect.stringMatching(/^NOT taken \(unavailable\) .*ECONNREFUSED/)]);
  // what cannot be sent holds nobody up
  await ingest(attack(500, 530, "203.0.113.99"));
  await here.until(
    () => here.get<{ alerts: { entities: { id: string }[] }[] }>("/api/v1/alerts"),
    ({ alerts }) => alerts.some((one) => one.entities.some(({ id }) => id === "203.0.113.99")),
  );
  await here.until(sinks, (all) =>
    all.some(({ name, state, problem }) => name === "hec" && state === "waiting" && problem?.includes("ECONNREFUSED") === true),
  );
});
