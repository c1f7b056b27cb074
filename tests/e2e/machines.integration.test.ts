/** A machine's life against a running Vedette: enrolled by the command line, heard by curl, renewed, revoked; and keys at rest rotated meanwhile. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inside } from "./inside.ts";
import { Vedette } from "./vedette.ts";

const curl = promisify(execFile);
let server: Vedette;
let folder: string;
let url: string;
const secret = "an-old-secret-of-the-site";
/** Commands that ask the server. */
const vedette = (...args: readonly string[]) => inside(...args, "--data-dir", server.data);
const deliver = (line: string) =>
  curl("curl", ["-sS", "--cacert", join(folder, "ca.pem"), "--cert", join(folder, "machine.pem"), "--data-binary", line, `${url}/ingest`]);

beforeAll(async () => {
  server = new Vedette(`machines: { listen: "127.0.0.1:0" }\nlog: { encryption: on }\nauth: { secret_key: ${secret} }\n`);
  folder = join(server.directory, "node17");
  await server.start("--no-demo");
}, 300_000);
afterAll(() => server.remove());

test("a machine enrols once, delivers as its name over mutual TLS, renews, and is refused when revoked", async () => {
  const { stdout: token } = await vedette("machine", "token", "agent", "node17");
  url = (await server.get<{ listening: string }>("/api/v1/machines/authority")).listening;
  const enrol = () => inside("machine", "enrol", "--url", url, "--dir", folder, "--token", token.trim());
  expect((await enrol()).stdout).toMatch(/^spiffe:\/\/vedette\.internal\/agent\/node17 until /);
  expect(statSync(join(folder, "machine.pem")).mode & 0o777).toBe(0o600);
  const again = await enrol();
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("was used before")]);

  expect(JSON.parse((await deliver('{"message":"from a machine"}')).stdout)).toMatchObject({ accepted: 1 });
  await server.until(
    () => server.events<{ fields: { [name: string]: unknown } }>('"from a machine"'),
    (found) => found.length === 1,
  );
  expect((await inside("machine", "report", "--dir", folder, "--address", "https://node17:9000")).code).toBe(0);
  const { stdout } = await inside("machine", "list", "--dir", folder, "--json");
  expect(JSON.parse(stdout)).toContainEqual(
    expect.objectContaining({ id: "agent:node17", state: "active", report: expect.objectContaining({ address: "https://node17:9000" }) }),
  );
  expect((await inside("machine", "renew", "--dir", folder)).stdout).toContain("Nothing to do");
  const before = readFileSync(join(folder, "machine.pem"), "utf8");
  expect((await inside("machine", "renew", "--dir", folder, "--force")).stdout).toContain("Renewed until");
  expect(readFileSync(join(folder, "machine.pem"), "utf8")).not.toBe(before);
  expect(JSON.parse((await deliver('{"message":"after renewal"}')).stdout)).toMatchObject({ accepted: 1 });

  expect((await vedette("machine", "revoke", "agent:node17", "--reason", "stolen")).stdout).toContain("is revoked");
  await expect(deliver('{"message":"stolen"}')).rejects.toThrow();
  const audited = (
    JSON.parse((await vedette("audit", "list", "--limit", "5000", "--json")).stdout) as { fields: { [name: string]: unknown } }[]
  ).map(({ fields }) => [fields["event.action"], fields["event.outcome"]].join(" "));
  for (const one of ["machine_enrolled success", "machine_enrolled failure", "machine_renewed success", "machine_revoked success"])
    expect(audited).toContain(one);
  await server.until(
    async () =>
      (await server.get<{ records: { fields: { [name: string]: unknown } }[] }>("/api/v1/audit")).records.map(({ fields }) => fields),
    (all) => all.some((fields) => fields["event.action"] === "machine_refused"),
  );
}, 300_000);

test("nothing secret lies readable; keys are rotated while it runs, and all is read after a restart", async () => {
  const segments = join(server.data, "log", "raw", "0");
  for (const name of readdirSync(segments)) expect(readFileSync(join(segments, name)).includes("from a machine")).toBe(false);
  const sealed = join(server.data, "keys");
  for (const name of readdirSync(sealed)) expect(readFileSync(join(sealed, name)).includes("PRIVATE KEY")).toBe(false);
  const status = async () =>
    JSON.parse((await vedette("vault", "status", "--json")).stdout) as { keys: { id: string; boxes: number; use: string }[] };
  const [only] = (await status()).keys;
  expect(only).toMatchObject({ use: "seals", from: "SECRET_KEY" });

  // another secret from now on, the old one in a file: what it sealed is sealed anew at the start
  const old = join(server.directory, "old.keys");
  expect(await server.stop()).toBe(0);
  writeFileSync(old, `${secret}\n`);
  const keys = `auth: { secret_key: a-new-secret-of-the-site, secret_key_file: ${old} }`;
  writeFileSync(join(server.directory, "vedette.yaml"), `machines: { listen: "127.0.0.1:0" }\nlog: { encryption: on }\n${keys}\n`);
  await server.start("--no-demo");
  const [now, before] = (await status()).keys;
  expect([now!.use, now!.id === only!.id, now!.boxes >= only!.boxes, before]).toEqual([
    "seals",
    false,
    true,
    expect.objectContaining({ id: only!.id, use: "opens", boxes: 0 }),
  ]);
  // analysed again from the sealed log where its batch had not been stored before the stop
  await server.until(
    () => server.events("message:after*"),
    (found) => found.length === 1,
  );
  expect((await vedette("vault", "rotate")).stdout).toContain("seals from now on");
  expect((await vedette("machine", "list", "--json")).stdout).toContain('"revoked"');
}, 300_000);
