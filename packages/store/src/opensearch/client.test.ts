/** Requests to nodes that answer, do not, ask for certificates, or are something else. */
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Client, type Cluster } from "./client.ts";

/** Far beyond what an answer on loopback takes. */
const timeout_ms = 60_000;
const servers: Server[] = [];
const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const says =
  (body: object, status = 200): Answer =>
  (_, response) =>
    response.writeHead(status).end(JSON.stringify(body));
async function listening(server: Server): Promise<string> {
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const node = async (answer: Answer) => `http://${await listening(createServer(answer))}`;
function client(urls: readonly string[], more: Partial<Cluster> = {}): Client {
  const made = new Client({ urls, timeout_ms, ...more });
  clients.push(made);
  return made;
}
/** Nobody listens there: it was another's a moment ago. */
async function gone(): Promise<string> {
  const url = await node(says({}));
  const server = servers.pop()!;
  server.close();
  await once(server, "close");
  return url;
}

test("the user's name and password go along, and the body in the form of its kind", async () => {
  const heard: (readonly [string | undefined, string | undefined, string | undefined])[] = [];
  const url = await node((request, response) => {
    heard.push([request.url, request.headers.authorization, request.headers["content-type"]]);
    response.end("{}");
  });
  const known = client([`${url}/below/`], { username: "vedette", password: "p:w" });
  await known.get("POST", "/_search?size=1", {});
  await known.get("POST", "/_bulk", "{}\n");
  await client([url]).get("GET", "/");
  const basic = `Basic ${Buffer.from("vedette:p:w").toString("base64")}`;
  expect(heard).toEqual([
    ["/below/_search?size=1", basic, "application/json"],
    ["/below/_bulk", basic, "application/x-ndjson"],
    ["/", undefined, undefined],
  ]);
});

test("the next node is asked where one does not answer, and stays the one that is asked", async () => {
  let asked = 0;
  const other = await node((_, response) => {
    asked++;
    response.end('{"ok":1}');
  });
  const of = client([await gone(), other]);
  expect([await of.get("GET", "/"), await of.get("GET", "/")]).toEqual([{ ok: 1 }, { ok: 1 }]);
  expect(asked).toBe(2);
  await expect(client([await gone(), await gone()]).get("GET", "/")).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringMatching(/does not answer \(ECONNREFUSED\): check opensearch\.url/),
  });
});

test("a refusal names the setting to mend; what is no OpenSearch of ours is told so", async () => {
  const refused = async (status: number, body: object, more: Partial<Cluster> = {}) =>
    await client([await node(says(body, status))], more)
      .get("GET", "/")
      .then(String, ({ message }: Error) => message);
  expect(await refused(401, {}, { username: "vedette" })).toMatch(/password of vedette: check opensearch\.username/);
  expect(await refused(403, { error: { type: "security_exception", reason: "no permissions" } })).toMatch(/anonymous .*no permissions/);
  expect(await refused(400, { error: { type: "parsing_exception", reason: "what is this" } })).toMatch(
    /refused GET \/: HTTP 400, .*what is this/,
  );
  const version = async (number: string, distribution?: string) =>
    await client([await node(says({ version: { number, distribution } }))])
      .checkVersion()
      .catch(({ message }: Error) => message);
  expect(await version("2.19.1", "opensearch")).toBe("2.19.1");
  expect(await version("1.3.0", "opensearch")).toMatch(/expected OpenSearch 2 or 3 at http.*found opensearch 1\.3\.0/);
  expect(await version("8.1.0")).toMatch(/found elasticsearch 8\.1\.0/);
});

describe.skipIf(spawnSync("openssl", ["version"]).status !== 0)("over TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "vedette-opensearch-tls-"));
  const pem = (name: string) => readFileSync(join(folder, name), "utf8");
  function certificate(name: string, by?: string): void {
    const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    const signed = by === undefined ? [] : ["-CA", `${by}.pem`, "-CAkey", `${by}.key`];
    const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync("openssl", [...made, ...signed, ...names, "-keyout", `${name}.key`, "-out", `${name}.pem`], {
      cwd: folder,
      stdio: "pipe",
    });
  }
  beforeAll(() => {
    for (const name of ["authority", "stranger"]) certificate(name);
    for (const name of ["node", "vedette"]) certificate(name, "authority");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const asking = async () => {
    const tls = { cert: pem("node.pem"), key: pem("node.key"), ca: pem("authority.pem"), requestCert: true, rejectUnauthorized: true };
    const answer: Answer = (request, response) =>
      says({ by: (request.socket as TLSSocket).getPeerCertificate().subject.CN })(request, response);
    return `https://${await listening(createTlsServer(tls, answer) as unknown as Server)}`;
  };

  test("a node that asks for a certificate is shown ours, and lets nobody else in", async () => {
    const url = await asking();
    const ca = pem("authority.pem");
    const own = { cert: pem("vedette.pem"), key: pem("vedette.key") };
    expect(await client([url], { ca, ...own }).get("GET", "/")).toEqual({ by: "vedette" });
    await expect(client([url], { ca }).get("GET", "/")).rejects.toMatchObject({ code: "store_unavailable" });
    const stranger = { cert: pem("stranger.pem"), key: pem("stranger.key") };
    await expect(client([url], { ca, ...stranger }).get("GET", "/")).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(client([url], { ca: pem("stranger.pem"), ...own }).get("GET", "/")).rejects.toThrow(/not trusted .*opensearch\.ca_file/);
  });

  test("plain HTTP where TLS was asked for is told apart from a node that is away", async () => {
    const url = (await node(says({}))).replace("http", "https");
    await expect(client([url]).get("GET", "/")).rejects.toThrow(/does not speak TLS .*opensearch\.url/);
  });
});
