import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiError, Client, queryOf, serverEvents } from "./index.ts";

let server: Server;
let client: Client;
let asked: { method: string; url: string; headers: IncomingMessage["headers"]; body: string }[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  asked = [];
  answer = (response) => response.writeHead(200).end("{}");
  server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    asked.push({ method: request.method!, url: request.url!, headers: request.headers, body });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  client = new Client({ baseUrl: `http://127.0.0.1:${port}/api/v1`, headers: { authorization: "Bearer t" } });
});
afterEach(() => new Promise<unknown>((resolve) => server.close(resolve)));

test("path, query and body go where the route wants them", async () => {
  answer = (response) => response.writeHead(200).end('{"id":"a"}');
  const closed = await client.post("/alerts/{id}/close", { path: { id: "a/b c" }, body: { verdict: "benign" } });
  expect(closed.id).toBe("a");
  await client.get("/alerts", { query: { state: "open", limit: 2, q: "" } });
  answer = (response) => response.writeHead(204).end();
  expect(await client.delete("/session")).toBeUndefined();
  expect(asked.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual([
    'POST /api/v1/alerts/a%2Fb%20c/close {"verdict":"benign"}',
    "GET /api/v1/alerts?state=open&limit=2 ",
    "DELETE /api/v1/session ",
  ]);
  expect(asked.map(({ headers }) => [headers.authorization, headers["content-type"]])).toEqual([
    ["Bearer t", "application/json"],
    ["Bearer t", undefined],
    ["Bearer t", undefined],
  ]);
});

test("what the types do not know does not compile", () => {
  // @ts-expect-error: no such path
  void (() => client.get("/alert"));
  // @ts-expect-error: nothing is put there
  void (() => client.put("/alerts"));
  // @ts-expect-error: the path's id is missing
  void (() => client.get("/alerts/{id}"));
  // @ts-expect-error: no such verdict
  void (() => client.post("/alerts/{id}/close", { path: { id: "a" }, body: { verdict: "fine" } }));
  // @ts-expect-error: no such parameter
  void (() => client.get("/alerts", { query: { status: "open" } }));
  // @ts-expect-error: an alert has no such member
  void (async () => (await client.get("/alerts/{id}", { path: { id: "a" } })).nothing);
  expect(asked).toEqual([]);
});

test("an id that would climb out of the path is not asked for", async () => {
  for (const id of ["..", ".", ""]) await expect(client.get("/alerts/{id}", { path: { id } })).rejects.toMatchObject({ status: 404 });
  expect(asked).toEqual([]);
});

test("failures carry the problem's words, or say that nobody answers", async () => {
  answer = (response) => response.writeHead(409).end('{"code":"conflict","detail":"it is closed"}');
  const conflict = await client.get("/status").catch((e: unknown) => e);
  expect(conflict).toBeInstanceOf(ApiError);
  expect(conflict).toMatchObject({ status: 409, code: "conflict", message: "it is closed" });
  answer = (response) => response.writeHead(502).end("<html>");
  await expect(client.get("/status")).rejects.toMatchObject({
    status: 502,
    code: "error",
    message: "The server answered 502 Bad Gateway.",
  });
  const nobody = new Client({ baseUrl: "http://127.0.0.1:1/api/v1", thrown: ({ status, code }) => new RangeError(`${status} ${code}`) });
  await expect(nobody.get("/status")).rejects.toThrow(new RangeError("0 unreachable"));
});

test("a call that its caller gives up rejects with the caller's reason", async () => {
  const stop = new AbortController();
  answer = () => stop.abort();
  await expect(client.get("/status", { signal: stop.signal })).rejects.toMatchObject({ name: "AbortError" });
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("server-sent events are read however they are cut", async () => {
  const text = 'retry: 2000\n\nid: e.1\nevent: alert\ndata: {"a":\ndata: "ü"}\n\n: still here\n\nid: e.2\n\nevent: status\ndata: {}\n\n';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 7, bytes.length]) {
    async function* parts() {
      for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
    }
    expect(await all(serverEvents(parts()))).toEqual([
      { event: "alert", data: '{"a":\n"ü"}', id: "e.1" },
      { event: "status", data: "{}", id: undefined },
    ]);
  }
  async function* endless() {
    for (;;) yield new Uint8Array(1_048_576).fill(65);
  }
  await expect(all(serverEvents(endless()))).rejects.toThrow("longer than 4 MiB");
});

test("query strings leave out what is not there", () => {
  expect(queryOf({ a: undefined, b: "", c: 0, d: "x y&z" })).toBe("?c=0&d=x+y%26z");
  expect(queryOf()).toBe("");
});
