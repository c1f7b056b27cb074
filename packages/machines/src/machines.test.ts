import { execFileSync, spawnSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, memorySecrets, systemClock } from "@vedette/kit";
import type { MachineStore } from "@vedette/model";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { Authority, newMachineKey } from "./authority.ts";
import { makeCertificate, newSerial } from "./certificate.ts";
import { MachineListener } from "./listener.ts";
import { memoryMachines } from "./memory.ts";
import { idOfMachine, readSpiffeId, spiffeId } from "./name.ts";
import { Register } from "./register.ts";
import { makeRequest, readRequest } from "./request.ts";

const domain = "site.example";
const node = { role: "agent", name: "node17" };
const hour = 3_600_000_000;
const uri = spiffeId(domain, node);

interface Rig {
  readonly register: Register;
  readonly authority: Authority;
  readonly store: MachineStore;
  readonly secrets: ReturnType<typeof memorySecrets>;
  readonly clock: Clock & { skew: number };
}
async function rig(): Promise<Rig> {
  const clock = { skew: 0, now: () => systemClock.now() + clock.skew, sleep: async () => {} };
  const secrets = memorySecrets();
  const authority = await Authority.open({ secrets, clock, trustDomain: domain });
  const store = memoryMachines();
  return { register: await Register.open({ store, authority, clock }), authority, store, secrets, clock };
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (e: { code?: string; message: string }) => `${e.code}: ${e.message}`,
  );

async function enrolled({ register }: Rig, name = node) {
  const keys = newMachineKey();
  const { token } = await register.token(name, "ada");
  const made = await register.enrol(token, makeRequest(keys, spiffeId(domain, name)));
  return { ...made, key: keys.privateKey.export({ type: "pkcs8", format: "pem" }) as string, token };
}

const listeners: MachineListener[] = [];
afterEach(async () => {
  for (const one of listeners.splice(0)) await one.close();
});
async function listen({ register, clock }: Rig) {
  const refused: string[] = [];
  const listener: MachineListener = new MachineListener({
    register,
    clock,
    host: "127.0.0.1",
    port: 0,
    hosts: ["127.0.0.1", "localhost", "::1"],
    self: { role: "server", name: "here" },
    handle: (request, answer) => answer.end(listener.peerOf(request.socket)?.id ?? "nobody"),
    onRefused: (_, reason) => refused.push(reason),
  });
  await listener.listen();
  listeners.push(listener);
  return { url: listener.url, refused };
}

/** What the server says to a client with this certificate, or how it is turned away. */
function ask(url: string, ca: string, client: { readonly key?: string; readonly cert?: string; readonly maxVersion?: "TLSv1.2" } = {}) {
  return new Promise<string>((resolve) => {
    const asked = httpsRequest(`${url}/`, { ca, agent: false, ...client }, (answer) => {
      let body = "";
      answer.on("data", (part) => (body += part));
      answer.on("end", () => resolve(body));
    });
    asked.on("error", (e: NodeJS.ErrnoException) => resolve(`refused: ${e.code ?? e.message}`));
    asked.end();
  });
}

test("a machine enrols with a token, is known by its certificate, and renews it", async () => {
  const all = await rig();
  const { url } = await listen(all);
  const made = await enrolled(all);
  expect(made).toMatchObject({ ...node, id: "agent:node17", authority: all.authority.certificate });
  const certificate = new X509Certificate(made.certificate);
  expect(certificate.subjectAltName).toBe(`URI:${uri}`);
  expect(certificate.verify(new X509Certificate(all.authority.certificate).publicKey)).toBe(true);
  expect(certificate.validToDate.getTime() - Date.now()).toBeLessThanOrEqual(24 * 3_600_000);
  expect(made.renew_after).toBeLessThanOrEqual(all.clock.now() + 12 * hour);
  expect(await ask(url, made.authority, { key: made.key, cert: made.certificate })).toBe("agent:node17");
  const keys = newMachineKey();
  const again = await all.register.renew(certificate.serialNumber.toLowerCase(), makeRequest(keys, uri));
  const key = keys.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  expect(await ask(url, made.authority, { key, cert: again.certificate })).toBe("agent:node17");
  expect(await ask(url, made.authority, { key: made.key, cert: made.certificate })).toBe("agent:node17");
});

test("TLS turns away a strange, expired, early, self-signed or otherwise named certificate, and older protocols", async () => {
  const all = await rig();
  const { url, refused } = await listen(all);
  const made = await enrolled(all);
  const ca = made.authority;
  const ours = createPrivateKey((JSON.parse(Buffer.from([...all.secrets.kept.values()][0]!).toString()) as { key: string }).key);
  const issuer = new X509Certificate(ca).subject.replace(/^CN=/, "");
  const { privateKey, publicKey } = newMachineKey();
  const key = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const now = Date.now();
  const make = (over: { from?: number; to?: number; uri?: string; issuer?: string }, by = ours) =>
    makeCertificate(
      {
        serial: newSerial(),
        subject: "node17",
        issuer: over.issuer ?? issuer,
        publicKey,
        from: new Date(now + (over.from ?? -60_000)),
        to: new Date(now + (over.to ?? 3_600_000)),
        use: { kind: "machine", uri: over.uri ?? uri },
      },
      by,
    );
  // the measure: as good a certificate as any is let in
  expect(await ask(url, ca, { key, cert: make({}) })).toBe("agent:node17");
  const strange = (await rig()).authority;
  const foreign = strange.issue(node, publicKey, 1).certificate;
  const expected: readonly (readonly [string, string])[] = [
    [make({ to: -1_000 }), "CERT_HAS_EXPIRED"],
    [make({ from: 1_800_000 }), "CERT_NOT_YET_VALID"],
    [make({ issuer: "node17" }, privateKey), "DEPTH_ZERO_SELF_SIGNED_CERT"],
    [foreign, "UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT"],
    [make({}, privateKey), "CERT_SIGNATURE_FAILURE|UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    [make({ uri: "spiffe://other.example/agent/node17" }), "not of site.example"],
    [make({ uri: `spiffe://${domain}/agent/node17/more` }), "not of site.example"],
    [make({ uri: spiffeId(domain, { role: "agent", name: "unknown" }) }), "agent:unknown is no machine here"],
  ];
  for (const [cert, why] of expected) {
    expect(await ask(url, ca, { key, cert })).toMatch(/^refused: /);
    expect(refused.at(-1)).toMatch(new RegExp(why));
  }
  expect(await ask(url, ca)).toBe("nobody");
  expect(await ask(url, ca, { maxVersion: "TLSv1.2" })).toMatch(/^refused: /);
  // and who takes another server for this one is told so
  expect(await ask(url, strange.certificate)).toMatch(/^refused: /);
});

test("a revoked certificate is refused at the handshake and on connections that are open", async () => {
  const all = await rig();
  const { url, refused } = await listen(all);
  const made = await enrolled(all);
  const client = { key: made.key, cert: made.certificate };
  expect(await ask(url, made.authority, client)).toBe("agent:node17");
  expect(await all.register.revoke("agent:node17", "stolen")).toBe(1);
  expect(await ask(url, made.authority, client)).toMatch(/^refused: /);
  expect(refused.at(-1)).toBe("agent:node17 was revoked");
  const serial = new X509Certificate(made.certificate).serialNumber.toLowerCase();
  expect(await codeOf(all.register.renew(serial, makeRequest(newMachineKey(), uri)))).toContain("forbidden: agent:node17 was revoked");
  expect(all.register.revoked().map((one) => one.serial)).toEqual([serial]);
  // after a restart too, and after its end
  const again = await Register.open({ store: all.store, authority: all.authority, clock: all.clock });
  expect(again.refusal("agent:node17", serial)).toBe("agent:node17 was revoked");
  all.clock.skew = 48 * hour;
  const later = await Register.open({ store: all.store, authority: all.authority, clock: all.clock });
  expect(later.refusal("agent:node17", serial)).toBe("agent:node17 was revoked");
  expect(later.list()).toMatchObject([{ id: "agent:node17", state: "revoked", revoked: { reason: "stolen" } }]);
});

test("an open connection ends with its certificate", async () => {
  const all = await rig();
  const { url, refused } = await listen(all);
  const made = await enrolled(all);
  all.clock.skew = 25 * hour;
  // OpenSSL goes by the real clock and lets it in; ours says that its day is over
  expect(await ask(url, made.authority, { key: made.key, cert: made.certificate })).toMatch(/^refused: /);
  expect(refused.at(-1)).toBe("the certificate of agent:node17 has expired");
});

test("an enrolment token is good once, for an hour, for one name", async () => {
  const all = await rig();
  const keys = newMachineKey();
  const { token } = await all.register.token(node, "ada");
  expect(token).toMatch(/^vdm_[\w-]{43}\.[\w-]{43}$/);
  for (const other of ["node18", "root"])
    expect(await codeOf(all.register.enrol(token, makeRequest(keys, spiffeId(domain, { role: "agent", name: other }))))).toContain(
      "forbidden: ",
    );
  expect(await codeOf(all.register.enrol(token, makeRequest(keys, spiffeId("other.example", node))))).toContain("forbidden: ");
  // twice at once: one gets it
  const both = await Promise.all([
    codeOf(all.register.enrol(token, makeRequest(keys, uri))),
    codeOf(all.register.enrol(token, makeRequest(keys, uri))),
  ]);
  expect(both[0]).toBe("done");
  expect(both[1]).toContain("unauthorised: the enrolment token of agent:node17 was used before");
  const restarted = await Register.open({ store: all.store, authority: all.authority, clock: all.clock });
  expect(await codeOf(restarted.enrol(token, makeRequest(keys, uri)))).toContain("was used before");
  expect(await codeOf(all.register.enrol("vdm_guessed", makeRequest(keys, uri)))).toContain("unauthorised");
  await expect(all.register.token({ role: "server", name: "here" }, "ada")).rejects.toThrow("role: server is the server's own");
  const late = await all.register.token(node, "ada");
  all.clock.skew = hour + 1;
  expect(await codeOf(all.register.enrol(late.token, makeRequest(keys, uri)))).toContain(
    "unauthorised: no enrolment token like this is open",
  );
});

test("enrolling a name anew revokes what it had; a token that was not used is taken back with the machine", async () => {
  const all = await rig();
  const { url } = await listen(all);
  const first = await enrolled(all);
  const second = await enrolled(all);
  expect(await ask(url, first.authority, { key: first.key, cert: first.certificate })).toMatch(/^refused/);
  expect(await ask(url, first.authority, { key: second.key, cert: second.certificate })).toBe("agent:node17");
  const { token } = await all.register.token(node, "ada");
  expect(await all.register.revoke("agent:node17", "gone")).toBe(2);
  expect(await codeOf(all.register.enrol(token, makeRequest(newMachineKey(), uri)))).toContain("unauthorised");
  expect(await codeOf(all.register.revoke("agent:never", "x"))).toContain("not_found");
  expect(await ask(url, first.authority, { key: second.key, cert: second.certificate })).toMatch(/^refused/);
});

test("roles find one another by what they say of themselves; what no longer holds is shown as such", async () => {
  const all = await rig();
  await enrolled(all);
  expect(all.register.list()).toMatchObject([{ id: "agent:node17", state: "silent" }]);
  await all.register.report("agent:node17", { health: "ok", address: "10.0.0.17:9000", version: "1.2", ttl_s: 60 });
  await all.register.report("ingest:here", { health: "degraded", detail: "disk is slow", ttl_s: 60 });
  expect(all.register.list()).toMatchObject([
    {
      id: "agent:node17",
      role: "agent",
      name: "node17",
      state: "active",
      report: { health: "ok", address: "10.0.0.17:9000", version: "1.2" },
    },
    { id: "ingest:here", state: "active", report: { health: "degraded", detail: "disk is slow" } },
  ]);
  const written: string[] = [];
  const { save } = all.store;
  all.store.save = (change) => {
    written.push(...(change.machines ?? []).map(({ id }) => id));
    return save(change);
  };
  await all.register.report("ingest:here", { health: "degraded", detail: "disk is slow", ttl_s: 60 });
  expect(written).toEqual([]);
  await all.register.report("ingest:here", { health: "ok", ttl_s: 60 });
  expect(written).toEqual(["ingest:here"]);
  all.clock.skew = 61_000_000;
  expect(all.register.list().map(({ state }) => state)).toEqual(["stale", "stale"]);
  all.clock.skew = 25 * hour;
  const later = await Register.open({ store: all.store, authority: all.authority, clock: all.clock });
  expect(later.list().map(({ state }) => state)).toEqual(["stale", "stale"]);
  expect(all.register.list().map(({ state }) => state)).toEqual(["expired", "stale"]);
});

test("processes that share a store: a token is good once for all of them, and what one takes back or hears the others know", async () => {
  const { authority, store, clock } = await rig();
  const process = () => Register.open({ store, authority, clock, shared: true });
  const [one, two] = [await process(), await process()];
  const request = makeRequest(newMachineKey(), uri);
  const { token } = await one.token(node, "ada");
  // at once: both have read that it is open before either has written that it is used
  const { load } = store;
  let read = 0;
  let bothRead = () => {};
  const gate = new Promise<void>((done) => {
    bothRead = done;
  });
  store.load = async (now) => {
    const found = await load(now);
    if (++read === 2) bothRead();
    await gate;
    return found;
  };
  const tried = await Promise.allSettled([one.enrol(token, request), two.enrol(token, request)]);
  store.load = load;
  expect(tried.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(String(tried.find((each) => each.status === "rejected")?.reason)).toContain("was used before");
  const made = tried.find((each) => each.status === "fulfilled")!.value;
  const serial = new X509Certificate(made.certificate).serialNumber.toLowerCase();

  for (const each of [one, two]) await each.reload();
  expect([one.refusal(made.id, serial), two.refusal(made.id, serial)]).toEqual([undefined, undefined]);
  await one.report("server:a.8080", { health: "ok", roles: ["ingest", "analyse"], ttl_s: 90 });
  await two.report("server:b.8080", { health: "ok", roles: ["serve"], ttl_s: 90 });
  await one.report(made.id, { health: "ok", ttl_s: 90 });
  await two.reload();
  expect(two.list().map(({ id, report }) => [id, report?.roles])).toEqual([
    ["agent:node17", undefined],
    ["server:a.8080", ["ingest", "analyse"]],
    ["server:b.8080", ["serve"]],
  ]);
  await one.revoke(made.id, "sent away");
  // what it says meanwhile to one that has not heard of it gives it nothing back
  await two.report(made.id, { health: "degraded", ttl_s: 90 });
  for (const each of [one, two]) {
    await each.reload();
    expect([each.refusal(made.id, serial), each.list()[0]!.state]).toEqual([`${made.id} was revoked`, "revoked"]);
  }
  expect(two.revoked()).toHaveLength(1);
});

test("of what stays the same others read that it still holds", async () => {
  const { authority, store, clock } = await rig();
  const process = () => Register.open({ store, authority, clock, shared: true });
  const [one, two] = [await process(), await process()];
  const begun = clock.now();
  const at = (s: number) => {
    clock.skew += begun + s * 1_000_000 - clock.now();
  };
  let writes = 0;
  const { save } = store;
  store.save = (change) => {
    writes++;
    return save(change);
  };
  for (let s = 0; s <= 300; s += 30) {
    at(s);
    await one.report("server:a", { health: "ok", ttl_s: 90 });
    await two.reload();
    expect([s, two.list()[0]!.state]).toEqual([s, "active"]);
  }
  expect(writes).toBeLessThan(8);
  at(300 + 91);
  await two.reload();
  expect(two.list()[0]!.state).toBe("stale");
});

/** Beside ours the reader that everybody uses; skipped where it is not installed. */
const withoutOpenssl = spawnSync("openssl", ["version"]).status !== 0;
test.skipIf(withoutOpenssl)("openssl reads and verifies what we sign, and we read what it asks for", async () => {
  const all = await rig();
  const folder = mkdtempSync(join(tmpdir(), "vedette-machines-"));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const openssl = (...parameters: string[]) => execFileSync("openssl", parameters, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const key = join(folder, "key.pem");
  for (const kind of [["EC", "ec_paramgen_curve:P-256"], ["ED25519"]]) {
    openssl("genpkey", "-algorithm", kind[0]!, ...(kind[1] ? ["-pkeyopt", kind[1]] : []), "-out", key);
    const csr = openssl("req", "-new", "-key", key, "-subj", "/O=Example/CN=node17", "-addext", `subjectAltName=URI:${uri}`);
    expect(readRequest(csr).names).toEqual(["node17", `URI:${uri}`]);
    const { token } = await all.register.token(node, "ada");
    const { certificate } = await all.register.enrol(token, csr);
    const verify = ["verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", file("ca.pem", all.authority.certificate)];
    expect(openssl(...verify, file("cert.pem", certificate))).toContain("OK");
    await all.register.revoke("agent:node17", "test");
    const list = file("list.pem", all.authority.revocationList(all.register.revoked()));
    expect(() => openssl(...verify, "-crl_check", "-CRLfile", list, join(folder, "cert.pem"))).toThrow(/certificate revoked/);
  }
  const server = all.authority.issue({ role: "server", name: "here" }, newMachineKey().publicKey, 24, ["localhost", "10.0.0.1", "fe80::1"]);
  const text = openssl("x509", "-noout", "-text", "-in", file("server.pem", server.certificate));
  expect(text).toContain("DNS:localhost, IP Address:10.0.0.1, IP Address:FE80:0:0:0:0:0:0:1");
  openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", join(folder, "ca.pem"), join(folder, "server.pem"));
});

test("requests that are no requests are refused and say why: other keys, others' keys, damage at any byte", () => {
  const keys = newMachineKey();
  const good = makeRequest(keys, uri);
  expect(readRequest(good).names).toEqual(["node17", `URI:${uri}`]);
  expect(() => readRequest("")).toThrow("expected a PEM block CERTIFICATE REQUEST");
  expect(() => readRequest(good.repeat(100))).toThrow("longer than");
  const other = makeRequest({ privateKey: newMachineKey().privateKey, publicKey: keys.publicKey }, uri);
  expect(() => readRequest(other)).toThrow("its signature is not of its key");
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  expect(() => readRequest(makeRequest(p384, uri))).toThrow("expected a key of ECDSA P-256 or Ed25519, found ec secp384r1");
  const der = Buffer.from(good.replace(/-----[^-]+-----/g, ""), "base64");
  const wrapped = (bytes: Buffer) =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: der.length - 1 }), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, cut) => {
      const changed = Buffer.from(der);
      changed[at]! ^= flip;
      expect(() => readRequest(wrapped(cut ? changed.subarray(0, at) : changed))).toThrow(/^request: /);
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(() => readRequest(wrapped(Buffer.from(bytes)))).toThrow(/^request: /);
    }),
    { numRuns: 300 },
  );
});

test("names go to SPIFFE ids and back, and nothing else is one", () => {
  expect(readSpiffeId(uri)).toEqual({ domain, ...node });
  expect(idOfMachine(node)).toBe("agent:node17");
  for (const bad of [
    "spiffe://site/agent",
    "spiffe://site/agent/a/b",
    "https://site/agent/a",
    "spiffe://SITE/agent/a",
    "spiffe://site/agent/../a",
    "spiffe://site/Agent/a",
    "spiffe://site/agent/a b",
    "spiffe:///agent/a",
  ])
    expect(readSpiffeId(bad), bad).toBeUndefined();
});
