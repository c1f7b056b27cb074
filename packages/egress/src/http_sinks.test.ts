/** Every sink over HTTP against one receiver that takes, stalls, dies, is full, refuses and takes a part. */

import { createHmac } from "node:crypto";
import dns from "node:dns";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Delivery, Outgoing, SinkSpec } from "@vedette/kit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Behaviour, contextOf, type Got, type Receiver, receiver, sendable } from "./receiver.fixture.ts";
import elasticsearch from "./sinks/elasticsearch.ts";
import otlp from "./sinks/otlp.ts";
import splunkHec from "./sinks/splunk_hec.ts";
import webhook from "./sinks/webhook.ts";

vi.mock("node:dns", { spy: true });

interface Case {
  readonly spec: SinkSpec;
  readonly config: (secret: string) => object;
  /** What a receiver that takes everything says. */
  readonly takes: (request: Got) => Behaviour;
  /** Ids and bodies of the records in a request. */
  readonly read: (request: Got) => readonly (readonly [id: string, body: string])[];
}

const items = (request: Got, status: (i: number) => number) => {
  const n = request.body.trimEnd().split("\n").length / 2;
  const all = Array.from({ length: n }, (_, i) => ({
    create: { status: status(i), ...(status(i) > 299 && { error: { type: "mapper", reason: "no" } }) },
  }));
  return { status: 200, body: JSON.stringify({ errors: true, items: all }) };
};
const lines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { [key: string]: never });

const cases: readonly Case[] = [
  {
    spec: elasticsearch as SinkSpec,
    config: (secret) => ({ index: "soc", username: "vedette", password_file: secret }),
    takes: (request) => items(request, () => 201),
    read: ({ body }) => {
      const all = lines(body);
      return all.flatMap((one, i) =>
        i % 2 === 0 ? [[(one as never as { create: { _id: string } }).create._id, JSON.stringify(all[i + 1])] as const] : [],
      );
    },
  },
  {
    spec: splunkHec as SinkSpec,
    config: (secret) => ({ token_file: secret, index: "soc" }),
    takes: () => ({ status: 200, body: '{"text":"Success","code":0}' }),
    read: ({ body }) =>
      lines(body.replaceAll('}{"time":', '}\n{"time":')).map((one) => {
        const { fields, event } = one as never as { fields: { vedette_id: string }; event: object };
        return [fields.vedette_id, JSON.stringify(event)] as const;
      }),
  },
  {
    spec: otlp as SinkSpec,
    config: (secret) => ({ token_file: secret }),
    takes: () => ({ status: 200, body: "{}" }),
    read: ({ body }) => {
      type Log = { attributes: { key: string; value: { stringValue: string } }[]; body: { stringValue: string } };
      const { resourceLogs } = JSON.parse(body) as { resourceLogs: { scopeLogs: { logRecords: Log[] }[] }[] };
      return resourceLogs[0]!.scopeLogs[0]!.logRecords.map(
        (one) => [one.attributes.find((a) => a.key === "vedette.id")!.value.stringValue, one.body.stringValue] as const,
      );
    },
  },
  {
    spec: webhook as SinkSpec,
    config: (secret) => ({ secret_file: secret, gzip: true }),
    takes: () => ({ status: 204 }),
    read: ({ body }) =>
      (JSON.parse(body) as { records: { id: string; body: object }[] }).records.map(({ id, body }) => [id, JSON.stringify(body)] as const),
  },
];

let folder: string;
let secret: string;
let there: Receiver;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vedette-sinks-"));
  secret = join(folder, "secret");
  writeFileSync(secret, "hunter2\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  there = await receiver();
});
afterEach(() => there.close());

async function sent({ spec, config }: Case, records: readonly Outgoing[], more: object = {}): Promise<Delivery> {
  const sink = await spec.open(contextOf(spec.config.parse({ url: `http://127.0.0.1:${there.port}`, ...config(secret), ...more })));
  try {
    return await sink.send(records, AbortSignal.timeout(60_000));
  } finally {
    await sink.close();
  }
}

describe.each(cases.map((one) => [one.spec.name, one] as const))("%s", (_, one) => {
  test("hands every record over with its id and its whole body", async () => {
    there.behave = one.takes;
    const records = sendable(5);
    const delivery = await sent(one, records);
    expect(delivery).toMatchObject({ outcome: "answered" });
    expect(delivery.outcome === "answered" && [...(delivery.refused ?? []), ...(delivery.later ?? [])]).toEqual([]);
    expect(one.read(there.got[0]!)).toEqual(records.map(({ id, body }) => [id, body]));
  });

  test.each<[string, Behaviour, object]>([
    ["no room", { status: 429, headers: { "retry-after": "7" } }, { outcome: "unavailable", retryAfter_ms: 7_000 }],
    ["a fault", { status: 500, body: "boom" }, { outcome: "unavailable", reason: "HTTP 500: boom" }],
    ["a bad gateway", { status: 502 }, { outcome: "unavailable" }],
    ["a wrong token", { status: 401 }, { outcome: "unavailable" }],
    ["a redirect", { status: 302, headers: { location: "http://169.254.169.254/" } }, { outcome: "unavailable" }],
    ["a batch it does not like", { status: 400, body: "what?" }, { outcome: "refused", reason: "HTTP 400: what?" }],
    ["too much", { status: 413 }, { outcome: "refused" }],
    ["death while it answers", "dies", { outcome: "unavailable" }],
  ])("%s", async (_, behaviour, expected) => {
    there.behave = () => behaviour;
    expect(await sent(one, sendable(2))).toMatchObject(expected);
    expect(there.got).toHaveLength(1);
  });

  test("a receiver that stalls is given up; one that is gone too", async () => {
    there.behave = () => "stalls";
    expect(await sent(one, sendable(2), { timeout_s: 0.2 })).toMatchObject({ outcome: "unavailable", reason: "no answer within 0.2 s" });
    await there.close();
    expect(await sent(one, sendable(2))).toMatchObject({ outcome: "unavailable", reason: expect.stringContaining("ECONNREFUSED") });
    there = await receiver();
  });

  test("secrets are sent and never shown", async () => {
    there.behave = () => ({ status: 500 });
    const delivery = await sent(one, sendable(1));
    expect(JSON.stringify(delivery)).not.toContain("hunter2");
    await expect(
      sent(
        one,
        sendable(1),
        Object.fromEntries(
          ["password_file", "token_file", "secret_file"].filter((k) => k in one.config("")).map((k) => [k, join(folder, "none")]),
        ),
      ),
    ).rejects.toThrow(/ENOENT/);
  });
});

test("bulk: each item has its own fate, and a repeat is known", async () => {
  const statuses = [201, 409, 429, 503, 400, 404];
  there.behave = (request) => items(request, (i) => statuses[i]!);
  const delivery = await sent(cases[0]!, sendable(6));
  expect(delivery).toMatchObject({ outcome: "answered", later: [2, 3, 5], refused: [{ index: 4, reason: "400 mapper: no" }] });
  there.behave = () => ({ status: 200, body: '{"items":[]}' });
  expect(await sent(cases[0]!, sendable(2))).toMatchObject({ outcome: "unavailable" });
});

test("HEC: an acknowledgement is waited for; a setting that is wrong is not the event's fault", async () => {
  let asked = 0;
  there.behave = ({ path, body }) => {
    if (path === "/services/collector/event") return { status: 200, body: '{"text":"Success","code":0,"ackId":7}' };
    expect(JSON.parse(body)).toEqual({ acks: [7] });
    return { status: 200, body: JSON.stringify({ acks: { 7: ++asked === 3 } }) };
  };
  expect(await sent(cases[1]!, sendable(1))).toMatchObject({ outcome: "answered", answer: "acknowledged as 7" });
  expect(asked).toBe(3);
  asked = 10;
  expect(await sent(cases[1]!, sendable(1), { ack_timeout_s: 2 })).toMatchObject({
    outcome: "unavailable",
    reason: "not acknowledged within 2 s",
  });
  there.behave = () => ({ status: 400, body: '{"text":"Incorrect index","code":7,"invalid-event-number":0}' });
  expect(await sent(cases[1]!, sendable(1))).toMatchObject({ outcome: "unavailable" });
  there.behave = () => ({ status: 400, body: '{"text":"Invalid data format","code":6,"invalid-event-number":0}' });
  expect(await sent(cases[1]!, sendable(1))).toMatchObject({ outcome: "refused" });
});

test("OTLP: what is rejected is counted", async () => {
  there.behave = () => ({ status: 200, body: '{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}' });
  const delivery = await sent(cases[2]!, sendable(3));
  expect(delivery).toMatchObject({ outcome: "answered", refused: [{ index: 1 }, { index: 2 }] });
});

test("webhook: the signature is over time and body", async () => {
  await sent(cases[3]!, sendable(2));
  const { headers, body } = there.got[0]!;
  const timestamp = headers["x-vedette-timestamp"] as string;
  expect(headers["x-vedette-signature"]).toBe(`v0=${createHmac("sha256", "hunter2").update(`v0:${timestamp}:${body}`).digest("hex")}`);
});

test("no way leads to link-local or metadata addresses unless it is allowed", async () => {
  // other spellings of 169.254.169.254
  for (const host of ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[::ffff:a9fe:a9fe]"])
    await expect(sent(cases[3]!, sendable(1), { url: `http://${host}/latest` }), host).rejects.toThrow(/link-local or metadata/);
  expect(await sent(cases[3]!, sendable(1), { url: "http://169.254.0.1:1/", allow_link_local: true, timeout_s: 0.2 })).toMatchObject({
    outcome: "unavailable",
  });
});

test("a name leads to this machine or a private address only where that is allowed; an address that is written out needs no leave", async () => {
  vi.mocked(dns.lookup).mockImplementation(((_: string, _options: object, done: (error: null, found: object[]) => void) =>
    setImmediate(done, null, [{ address: "127.0.0.1", family: 4 }])) as never);
  there.behave = () => ({ status: 200, body: "" });
  const url = `http://hooks.example:${there.port}/`;
  expect(await sent(cases[3]!, sendable(1), { url })).toMatchObject({
    outcome: "unavailable",
    reason: expect.stringContaining("hooks.example is at 127.0.0.1, which is not asked"),
  });
  expect(there.got).toEqual([]);
  for (const more of [{ url, allow_private: true }, { url: `http://localhost:${there.port}/` }, {}])
    expect(await sent(cases[3]!, sendable(1), more)).toMatchObject({ outcome: "answered" });
  vi.restoreAllMocks();
});

test("a redirect is an answer, not a way", async () => {
  there.behave = () => ({ status: 307, body: "", headers: { location: "http://169.254.169.254/latest" } });
  expect(await sent(cases[3]!, sendable(1))).toMatchObject({ outcome: "unavailable", reason: "HTTP 307" });
  expect(there.got).toHaveLength(1);
});
