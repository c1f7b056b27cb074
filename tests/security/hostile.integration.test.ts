/** Five hundred hostile texts as field values, names of fields, users, notes and titles of rules, through every way out of a running Vedette: all are shown as text, none is lost. */
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inside } from "../e2e/inside.ts";
import { settledLedger, Vedette } from "../e2e/vedette.ts";
import { payloads, raw } from "./payloads.ts";

interface Row {
  readonly id: string;
  readonly fields: { readonly [name: string]: unknown };
  readonly original: string;
}

/** What a rule's author could write; shown in alerts, lists and exports. */
const title = "<img src=x onerror=window.__xss=1>\u202e =cmd|' /C calc'!A0 \u009b31m";
const rule = JSON.stringify({
  title,
  id: "5b0f4a0e-9d6f-4a3a-9a70-3f5a3f1f0a11",
  status: "test",
  description: payloads[0],
  author: payloads[1],
  date: "2026-11-21",
  logsource: { product: "linux", category: "process_creation" },
  detection: { marked: { "labels.marker": "hostile" }, condition: "marked" },
  falsepositives: [payloads[2]],
  level: "high",
});

let v: Vedette;
let hook: HttpServer;
let syslog: Server;
const hooked: string[] = [];
/** What came by each connection. */
const lined: string[] = [];

beforeAll(async () => {
  hook = createHttpServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    hooked.push(body);
    response.end("{}");
  }).listen(0, "127.0.0.1");
  syslog = createServer((socket) => {
    const at = lined.push("") - 1;
    socket.setEncoding("utf8").on("data", (part) => {
      lined[at] = `${lined[at]}${part}`;
    });
    socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await Promise.all([once(hook, "listening"), once(syslog, "listening")]);
  const port = (server: HttpServer | Server) => (server.address() as AddressInfo).port;
  v = new Vedette();
  mkdirSync(join(v.directory, "rules"));
  writeFileSync(join(v.directory, "rules", "hostile.yml"), rule);
  writeFileSync(
    join(v.directory, "vedette.yaml"),
    `rules: { directories: ["${join(v.directory, "rules")}"] }
sinks:
  hook: { select: events, webhook: { url: "http://127.0.0.1:${port(hook)}/" } }
  lines: { select: events, syslog: { host: 127.0.0.1, port: ${port(syslog)}, tls: false, body: json } }
  cef: { select: events, syslog: { host: 127.0.0.1, port: ${port(syslog)}, tls: false, body: cef } }
`,
  );
  await v.start("--no-demo");
  const lines = payloads.map((text, i) =>
    JSON.stringify({
      "@timestamp": new Date(Date.now() - i * 1_000).toISOString(),
      message: text,
      event: { action: text, category: ["process"], type: ["start"] },
      user: { name: text },
      host: { name: text },
      process: { command_line: text, name: text },
      file: { name: text, path: text },
      url: { original: text },
      labels: { marker: "hostile", n: String(i) },
      [text]: text,
    }),
  );
  const response = await v.fetch("/ingest/hostile", { method: "POST", body: `${lines.join("\n")}\n` });
  expect(await response.json()).toMatchObject({ accepted: payloads.length, dead: 0 });
  await settledLedger(v);
}, 300_000);
afterAll(async () => {
  await v?.remove();
  hook?.close();
  syslog?.close();
});

const cli = (...args: string[]) => inside(...args, "--url", v.url, "--data-dir", v.data);
/** The first character that should not be there, with what stands around it; empty when there is none. */
function around(text: string): string {
  const at = raw.exec(text)?.index;
  return at === undefined ? "" : JSON.stringify(text.slice(Math.max(0, at - 40), at + 20));
}
/** No text of another's making may reach the terminal as it is; lines are what is written, so line breaks are the program's own. */
function clean({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): void {
  expect(around(stdout)).toBe("");
  expect(around(stderr)).toBe("");
}
/** Half of a surrogate pair is no character; a byte order mark at the very beginning is taken off by the database's driver. */
const stored = (text: string): string => text.toWellFormed().replace(/^\ufeff/, "");
const textOf = (row: Row): string => String(row.fields["user.name"] ?? "");

describe("the command line", () => {
  test("tables: a row is a line, and nothing in it steers the terminal", async () => {
    const shown = await cli("query", "labels.marker:hostile", "--limit", "1000");
    clean(shown);
    expect(shown.stdout.trimEnd().split("\n")).toHaveLength(payloads.length + 1);
    clean(await cli("query", "labels.marker:hostile | stats count() as n by user.name | head 1000"));
    for (const args of [
      ["alerts", "--limit", "200"],
      ["rule", "list"],
      ["source", "list"],
      ["audit", "list", "--limit", "200"],
      ["doctor"],
      ["sink", "list"],
    ])
      clean(await cli(...args));
  });

  test("JSON reads back as it was", async () => {
    const shown = await cli("query", "labels.marker:hostile", "--limit", "1000", "--json");
    clean(shown);
    const rows = JSON.parse(shown.stdout) as Row[];
    expect(new Set(rows.map(textOf))).toEqual(new Set(payloads.map(stored)));
    const lines = await cli("query", "labels.marker:hostile", "--limit", "1000", "--output", "ndjson");
    clean(lines);
    expect(
      lines.stdout
        .trimEnd()
        .split("\n")
        .map((line) => textOf(JSON.parse(line) as Row)),
    ).toEqual(rows.map(textOf));
  });

  test("CSV: no cell is a formula, and no cell becomes two", async () => {
    const shown = await cli("query", "labels.marker:hostile", "--limit", "1000", "--output", "csv");
    clean(shown);
    const rows = cells(shown.stdout);
    expect(rows).toHaveLength(payloads.length + 1);
    for (const row of rows) {
      expect(row).toHaveLength(rows[0]!.length);
      for (const cell of row) expect(cell).not.toMatch(/^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/);
    }
  });

  test("one alert in full, a note on it, and what an error repeats", async () => {
    const { alerts } = await v.get<{ alerts: { id: string; title: string }[] }>("/api/v1/alerts?limit=500");
    expect(alerts.length).toBeGreaterThan(0);
    expect(alerts[0]!.title).toBe(title);
    for (const [i, note] of payloads
      .filter((text) => text.trim() !== "")
      .slice(0, 40)
      .entries()) {
      const { id } = alerts[i % alerts.length]!;
      const response = await v.fetch(`/api/v1/alerts/${id}/notes`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ note }),
      });
      expect(response.status).toBe(200);
      clean(await cli("alerts", "show", id));
    }
    for (const text of payloads.filter((one) => !one.startsWith("-") && one !== "").slice(0, 60)) {
      const ended = await cli("alerts", "show", text).catch((error: Error) => ({ stdout: "", stderr: error.message }));
      expect(around(ended.stdout)).toBe("");
    }
  });
});

describe("what people write into the installation itself", () => {
  const range = { from: "2020-01-01T00:00:00Z", to: "2026-11-01T00:00:00Z" };
  /** Each text in one of these; a hundred and more of all families in each. */
  const ways: readonly ((text: string, i: number) => readonly [path: string, body: object])[] = [
    (text, i) => ["users", { name: `person${i}`, display_name: text, grants: [{ role: "viewer" }] }],
    (text) => ["holds", { q: `user.name:${JSON.stringify(text)}`, ...range, reason: text }],
    (text) => ["erasures/preview", { q: "labels.n:none", ...range, reason: text }],
    (text) => ["machines/tokens", { role: "agent", name: text }],
  ];

  test("is kept or refused in a problem document", async () => {
    const taken = new Map<string, number>();
    for (const [i, text] of payloads.entries()) {
      const [path, body] = ways[i % ways.length]!(text.toWellFormed(), i);
      const response = await v.fetch(`/api/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const said = await response.text();
      expect([path, text, response.status < 500]).toEqual([path, text, true]);
      expect([path, around(said)]).toEqual([path, ""]);
      expect(response.headers.get("content-type")).toMatch(response.ok ? /^application\/json/ : /^application\/problem\+json/);
      if (response.ok) taken.set(path, (taken.get(path) ?? 0) + 1);
    }
    // what is a name of a machine is narrow; the others are for people to write in
    for (const path of ["users", "holds", "erasures/preview"]) expect([path, (taken.get(path) ?? 0) > 50]).toEqual([path, true]);
  });

  test("is told as text in every form: people, machines, holds, erasures, keys, the trail", async () => {
    const [one] = payloads.filter((text) => text.trim() !== "");
    await v.fetch("/api/v1/erasures", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ q: "labels.n:none", ...range, reason: one }),
    });
    for (const form of ["table", "json", "csv"])
      for (const command of [
        ["user", "list"],
        ["user", "sessions"],
        ["machine", "list"],
        ["hold", "list", "--all"],
        ["erasures"],
        ["audit", "list", "--limit", "1000"],
      ]) {
        const shown = await cli(...command, "-o", form);
        expect([command, form, shown.code]).toEqual([command, form, 0]);
        clean(shown);
        if (form === "json") JSON.parse(shown.stdout);
        if (form !== "csv") continue;
        const rows = cells(shown.stdout);
        for (const row of rows) {
          expect(row).toHaveLength(rows[0]!.length);
          for (const cell of row) expect(cell).not.toMatch(/^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/);
        }
      }
    clean(await cli("vault", "status"));
    for (const text of payloads.filter((each) => !each.startsWith("-") && each.trim() !== "").slice(0, 5))
      clean(
        await cli("erase", "labels.n:none", "--reason", text.toWellFormed()).catch((error: Error) => ({
          stdout: "",
          stderr: error.message,
        })),
      );
  });
});

/** RFC 4180. */
function cells(text: string): string[][] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? ""),
    );
}

describe("the API", () => {
  test("answers are JSON that no browser takes for a page, and say all there is", async () => {
    const response = await v.fetch("/api/v1/events?q=labels.marker:hostile&limit=1000");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": expect.stringMatching(/^application\/json/),
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
    });
    const text = await response.text();
    expect(around(text)).toBe("");
    const { events } = JSON.parse(text) as { events: Row[] };
    expect(events).toHaveLength(payloads.length);
    for (const event of events) expect(textOf(event)).toBe(stored(payloads[Number(event.fields["labels.n"])]!));
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  test("as parameters they are values or refused, in a problem document", async () => {
    const before = await v.get<{ total: number }>("/api/v1/alerts");
    for (const [i, text] of payloads.entries()) {
      const value = encodeURIComponent(text.toWellFormed());
      const ways = [
        `events?q=${value}`,
        `events/${value}`,
        `alerts?entity=${value}`,
        `events/top?field=${value}`,
        `query/check?q=${value}`,
      ];
      // one way each; every way gets a hundred of all families
      for (const path of ways.filter((_, way) => way === i % ways.length)) {
        const response = await v.fetch(`/api/v1/${path}`);
        const body = await response.text();
        expect([path, response.status < 500]).toEqual([path, true]);
        expect(around(body)).toBe("");
        expect(response.headers.get("content-type")).toMatch(response.ok ? /^application\/json/ : /^application\/problem\+json/);
        JSON.parse(body);
      }
    }
    expect((await v.get<{ total: number }>("/api/v1/alerts")).total).toBe(before.total);
  });

  test("values are found by equality, whatever they hold", async () => {
    for (const [i, text] of payloads.entries()) {
      if (text.length > 500 || i % 20 !== 0) continue;
      const q = `labels.n:${i} and user.name:${JSON.stringify(text.toWellFormed()).replaceAll("*", "\\*")}`;
      const response = await v.fetch(`/api/v1/events?q=${encodeURIComponent(q)}`);
      if (!response.ok) continue;
      for (const event of ((await response.json()) as { events: Row[] }).events) expect(textOf(event)).toBe(stored(text));
    }
  });

  test("in the stream no text ends its frame", async () => {
    const stop = new AbortController();
    const response = await v.fetch("/api/v1/stream?events=1", { signal: stop.signal });
    const again = payloads.map((text) => JSON.stringify({ message: text, user: { name: text }, labels: { marker: "streamed" } }));
    let said = "";
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      said += part;
      // the hub asks for events from its next second on: what came before is not sent
      if (/event: events\n.*\n\n/.test(said)) break;
      if (part.includes("event: status")) await v.fetch("/ingest/hostile", { method: "POST", body: `${again.join("\n")}\n` });
    }
    stop.abort();
    expect(around(said)).toBe("");
    for (const block of said.split("\n\n"))
      for (const line of block.split("\n")) expect(line).toMatch(/^(?:|:.*|(?:retry|id|event|data): .*)$/);
  });
});

describe("what leaves", () => {
  test("webhook bodies are JSON and complete", async () => {
    await v.until(
      () => v.get<{ sinks: { name: string; sent: number }[] }>("/api/v1/sinks"),
      ({ sinks }) => sinks.every(({ sent }) => sent >= payloads.length),
    );
    const records = hooked.flatMap((body) => {
      expect(around(body)).toBe("");
      return (JSON.parse(body) as { records: { body: { [field: string]: unknown } }[] }).records;
    });
    const names = new Set(records.map(({ body }) => stored(String(body["user.name"] ?? ""))));
    for (const text of payloads) expect(names.has(stored(text))).toBe(true);
  });

  test("syslog: a record is a line of its own", () => {
    expect(lined.length).toBeGreaterThan(0);
    let frames = 0;
    for (const text of lined) {
      expect(around(text)).toBe("");
      // frames are counted in bytes: whatever is in them, the next begins where the count says
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; frames++) {
        const blank = bytes.indexOf(0x20, at);
        const size = bytes.toString("ascii", at, blank < 0 ? bytes.length : blank);
        expect([at, /^[1-9]\d*$/.test(size)]).toEqual([at, true]);
        // the last one may still be on its way
        const next = blank + 1 + Number(size);
        if (blank < 0 || next > bytes.length) break;
        expect(bytes.subarray(blank + 1, next).includes(0x0a)).toBe(false);
        at = next;
      }
    }
    expect(frames).toBeGreaterThanOrEqual(payloads.length);
  });

  test("our own log is lines of ours", () => {
    expect(around(v.output)).toBe("");
    expect(v.output).not.toContain("forged");
  });
});

test("there are five hundred of them, all different", () => {
  expect(payloads.length).toBeGreaterThanOrEqual(500);
});
