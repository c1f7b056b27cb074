import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Grant, People } from "@vedette/access";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "./config/load.ts";
import { demandAdministrator, listening } from "./listen.ts";

const folder = mkdtempSync(join(tmpdir(), "vedette-listen-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const loaded = (text: string) => loadConfig(file("vedette.yaml", text), {}, {});
const tls = `tls: { certificate: ${file("c.pem", "a certificate")}, key: ${file("k.pem", "a key")} }\n`;
const peopleWith = (...grants: readonly Grant[]) =>
  ({ users: { list: () => grants.map((grant) => ({ disabled: false, grants: [grant] })) } }) as unknown as People;

test("on loopback nothing is demanded, and only loopback names are answered to", () => {
  const at = listening(loaded("listen: '[::1]:9000'"));
  expect(at).toEqual({ address: { host: "::1", port: 9_000 }, options: { loopback: true, secure: false } });
  expect(() => demandAdministrator(at, peopleWith(), loaded(""))).not.toThrow();
});

test("off loopback without TLS is refused with the place and the way out", () => {
  for (const host of ["0.0.0.0", "192.0.2.1", "[::]", "login.example.org", "127.0.0.1.example.org"])
    expect(() => listening(loaded(`listen: "${host}:8080"`))).toThrow(/vedette\.yaml:1:\d+: listen: .*tls\.certificate.*TLS proxy/);
});

test("off loopback with TLS a named administrator of everything is demanded", () => {
  const config = loaded(`${tls}listen: 0.0.0.0:8080\n`);
  const at = listening(config);
  expect(at.options).toMatchObject({
    loopback: false,
    secure: true,
    https: { cert: "a certificate", key: "a key", minVersion: "TLSv1.3" },
  });
  for (const people of [peopleWith(), peopleWith({ role: "engineer" }), peopleWith({ role: "admin", rows: "host.name:a" })])
    expect(() => demandAdministrator(at, people, config)).toThrow(
      /vedette\.yaml:2:\d+: listen: nobody named .*vedette user reset NAME --offline --admin/,
    );
  expect(() => demandAdministrator(at, peopleWith({ role: "admin" }), config)).not.toThrow();
});

test("a certificate that cannot be read is named, with its place", () => {
  expect(() => listening(loaded("tls: { certificate: /nowhere/c.pem, key: /nowhere/k.pem }"))).toThrow(
    /vedette\.yaml:1:\d+: tls\.certificate: .*\/nowhere\/c\.pem/,
  );
});

test("behind a proxy with TLS cookies are kept to it, and its name is answered to", () => {
  expect(listening(loaded("access: { url: 'https://vedette.example.org/' }")).options).toEqual({
    loopback: true,
    secure: true,
    hosts: ["vedette.example.org"],
  });
});
