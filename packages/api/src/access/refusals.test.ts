/** A sender that is refused can be told from here: by whom, why, how often, and what to do. */
import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { defineEndpoint, UnavailableError, z } from "@vedette/kit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asAdmin, type Rig, rig } from "../testing/fakes.ts";
import { Refusals } from "./refusals.ts";

const config = z.strictObject({ version: z.string().default("8.17.0").describe("As told.") });
const endpoint = defineEndpoint({
  name: "elasticsearch",
  summary: "Stands for any.",
  stability: "beta",
  config,
  routes: [
    { method: "POST", path: "/_bulk" },
    { method: "GET", path: "/_license" },
  ],
  examples: [],
  async handle({ query, method }) {
    const status = Number(query.get("status") ?? 200);
    if (status === 429) throw new UnavailableError("backpressure", "full");
    return { status, body: method === "GET" ? "{}" : JSON.stringify({ error: { reason: query.get("says") ?? "no" } }) };
  },
});

let it: Rig;
beforeEach(async () => {
  it = await rig({ endpoints: new Map([["elasticsearch", { spec: endpoint, config: config.parse({}) }]]) });
});
afterEach(() => it.app.close());

const send = (url: string, headers: { [name: string]: string } = asAdmin, method: "POST" | "GET" = "POST") =>
  it.app.inject({ method, url, headers, ...(method === "POST" && { payload: "{}" }) });
const refusals = async (): Promise<
  { cause: string; peer: string; count: number; message: string; fix: string; endpoint?: string; source?: string }[]
> => (await it.app.inject({ method: "GET", url: "/api/v1/refusals", headers: asAdmin })).json().refusals;

test.each([
  ["/_bulk", {}, "no_token", "a token or session is needed"],
  ["/_bulk", { authorization: "Bearer wrong" }, "wrong_token", "a token or session is needed"],
  ["/_bulk", { host: "siem.example.org" }, "wrong_name", "does not answer to the name siem.example.org"],
  ["/_bulkk", asAdmin, "unknown_path", "POST /_bulkk"],
  ["/_bulk?status=415&says=text", asAdmin, "wrong_content_type", "POST /_bulk: text"],
  ["/_bulk?status=413", asAdmin, "too_large", "POST /_bulk"],
  ["/_bulk?status=400&says=The+body+is+not+valid+gzip", asAdmin, "wrong_encoding", "not valid gzip"],
  ["/_bulk?status=400&says=an+action", asAdmin, "bad_request", "POST /_bulk: an action"],
  ["/_bulk?status=429", asAdmin, "slowed", "full"],
])("%s %j: %s", async (url, headers, cause, message) => {
  for (let i = 0; i < 2; i++) await send(url, headers as { [name: string]: string });
  expect(await refusals()).toEqual([
    expect.objectContaining({ cause, count: 2, message: expect.stringContaining(message), fix: expect.stringMatching(/.{20}/) }),
  ]);
});

test("what was taken, and what was only asked after, is no refusal", async () => {
  await send("/_bulk");
  await send("/_license?status=404", asAdmin, "GET");
  await send("/no-page", {}, "GET");
  expect(await refusals()).toEqual([]);
});

test("a Beat that is newer than the version it is told will not send, and that is said", async () => {
  for (const agent of ["Elastic-filebeat/9.1.2 (linux; amd64)", "Filebeat/8.17.3", "Elastic-winlogbeat/8.18.0"])
    await send("/_license", { ...asAdmin, "user-agent": agent }, "GET");
  expect((await refusals()).map(({ cause, message }) => [cause, message.slice(0, 15)])).toEqual([["wrong_version", "winlogbeat 8.18"]]);
});

test("with a source's own token the source is named, in the fix too", async () => {
  const { token } = (
    await it.app.inject({ method: "POST", url: "/api/v1/source-tokens", headers: asAdmin, payload: { source: "payroll" } })
  ).json();
  await send("/_bulk?status=413", { authorization: `Bearer ${token}` });
  expect(await refusals()).toMatchObject([
    { source: "payroll", endpoint: "elasticsearch", fix: expect.stringContaining("endpoints.elasticsearch.max_body_bytes") },
  ]);
});

test("TLS to a port without it, and what is not HTTP at all", async () => {
  await it.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = it.app.server.address() as { port: number };
  const tls = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(tls, "error");
  const syslog = connect(port, "127.0.0.1");
  syslog.write("<13>Jun  1 00:00:00 host app: hello\n");
  syslog.resume();
  await once(syslog, "close");
  expect((await refusals()).map(({ cause, peer }) => [cause, peer])).toEqual([
    ["not_http", "127.0.0.1"],
    ["tls_to_plain", "127.0.0.1"],
  ]);
});

test("they are bounded, and nothing in them acts on a terminal", () => {
  const kept = new Refusals(() => 7);
  for (let i = 0; i < 300; i++) kept.add({ peer: `10.0.0.${i}`, cause: "bad_request", message: `\u001b[2J${"x".repeat(1_000)}` });
  expect(kept.list().length).toBe(200);
  expect(kept.list()[0]).toMatchObject({ peer: "10.0.0.299", message: `[2J${"x".repeat(297)}` });
});
