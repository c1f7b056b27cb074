import { createHmac, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import type { People } from "./people.ts";
import { ada, minute, open, opening, plainSealer, start } from "./testing/rig.ts";

const text = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const secret = Buffer.from("a secret of the tests, 32 bytes.");

describe.each(["HS256", "EdDSA"] as const)("access tokens by %s", (algorithm) => {
  let it: Awaited<ReturnType<typeof open>>;
  let people: People;
  let good: string;
  let header: { [name: string]: unknown };
  let payload: { [name: string]: unknown };
  beforeEach(async () => {
    it = await open({ algorithm, secrets: () => [secret] });
    people = it.people;
    const user = await people.users.create({ name: "ada", grants: [{ role: "analyst" }] });
    const { session } = await people.open({ person: user.id, kind: "client", by: "password", ...opening });
    good = await people.tokens.issue(user.id, session.id);
    [header, payload] = good
      .split(".")
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, "base64url").toString())) as [typeof header, typeof payload];
  });
  const asked = async (by: People, token: string) => {
    await by.tokens.check(token);
    return by.ofAccessToken(token);
  };
  const who = async (token: string) => (await asked(people, token))?.kind;
  /** Signed by the right key, whatever it says. */
  async function signed(head: object, claims: object): Promise<string> {
    const input = `${text({ ...header, ...head })}.${text({ ...payload, ...claims })}`;
    if (algorithm === "HS256") return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
    const [{ kid, box }] = JSON.parse((await it.options.documents.get("access.signing_keys"))!) as [{ kid: string; box: string }];
    const der = Buffer.from(plainSealer.open(Buffer.from(box, "base64"), `access token key ${kid}`));
    return `${input}.${sign(null, Buffer.from(input), createPrivateKey({ key: der, format: "der", type: "pkcs8" })).toString("base64url")}`;
  }

  test("say who asks, and are made as the vectors below make them", async () => {
    expect(await asked(people, good)).toMatchObject({ kind: "user", name: "ada", by: "token", grants: [{ role: "analyst" }] });
    expect(header).toMatchObject({ alg: algorithm, typ: "at+jwt" });
    expect(await who(await signed({}, { jti: "another" }))).toBe("user");
  });

  test("none is no algorithm", async () => {
    for (const alg of ["none", "None", "NONE", ""]) {
      expect(await who(`${text({ ...header, alg })}.${text(payload)}.`)).toBeUndefined();
      expect(await who(`${text({ ...header, alg })}.${text(payload)}.${good.split(".")[2]}`)).toBeUndefined();
    }
    expect(await who(good.split(".").slice(0, 2).join("."))).toBeUndefined();
  });

  test("the public key is no secret, and a secret is no public key", async () => {
    const input = (alg: string, more: object = {}) => `${text({ ...header, alg, ...more })}.${text(payload)}`;
    const hmac = (key: Buffer | string, one: string) => `${one}.${createHmac("sha256", key).update(one).digest("base64url")}`;
    for (const key of people.tokens.keySet().keys) {
      for (const bytes of [Buffer.from(key.x!, "base64url"), JSON.stringify(key), key.x!])
        expect(await who(hmac(bytes, input("HS256")))).toBeUndefined();
    }
    const own = generateKeyPairSync("ed25519");
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const ed = input("EdDSA", { kid: "mine" });
    expect(await who(`${ed}.${sign(null, Buffer.from(ed), own.privateKey).toString("base64url")}`)).toBeUndefined();
    const rs = input("RS256");
    expect(await who(`${rs}.${sign("sha256", Buffer.from(rs), rsa.privateKey).toString("base64url")}`)).toBeUndefined();
    for (const alg of ["HS384", "HS512", "ES256", "PS256", "Ed25519x"]) expect(await who(await signed({ alg }, {}))).toBeUndefined();
  });

  test.each(["jku", "x5u", "jwk", "x5c"])("no token brings its own key by %s, though signed by ours", async (name) => {
    const own = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
    expect(
      await who(await signed({ [name]: name === "jwk" ? own : name === "x5c" ? ["MIIB"] : "https://attacker.example/keys" }, {})),
    ).toBeUndefined();
  });

  test("what a token calls critical and we do not know is refused", async () => {
    expect(await who(await signed({ crit: ["exp"] }, {}))).toBeUndefined();
    expect(await who(await signed({ crit: ["http://example.com/x"], "http://example.com/x": true }, {}))).toBeUndefined();
    expect(await who(await signed({ crit: ["b64"], b64: false }, {}))).toBeUndefined();
  });

  test.runIf(algorithm === "EdDSA")("the name of a key is a name among ours, not a path", async () => {
    for (const kid of [
      "../../../../dev/null",
      "/dev/null",
      "' OR 1=1 --",
      "__proto__",
      "constructor",
      "",
      "file:///etc/hostname",
      undefined,
    ])
      expect(await who(await signed({ kid }, {}))).toBeUndefined();
  });

  test.each([
    ["another audience", { aud: "vedette-ingest" }],
    ["no audience", { aud: undefined }],
    ["another issuer", { iss: "https://attacker.example" }],
    ["no issuer", { iss: undefined }],
    ["not yet", { nbf: start / 1e6 + 60 }],
    ["no beginning", { nbf: undefined }],
    ["expired", { exp: start / 1e6 - 1 }],
    ["expiring now", { exp: start / 1e6 }],
    ["no end", { exp: undefined }],
    ["an end in words", { exp: "2099-01-01" }],
    ["nobody", { sub: undefined }],
    ["somebody else", { sub: "other" }],
    ["no session", { sid: undefined }],
    ["a session that is none", { sid: ["x"] }],
  ])("%s is refused, though signed by our key", async (_, claims) => {
    expect(await who(await signed({}, claims))).toBeUndefined();
  });

  test("another kind of token of ours is refused", async () => {
    for (const typ of ["JWT", "id_token+jwt", undefined]) expect(await who(await signed({ typ }, {}))).toBeUndefined();
  });

  test("one changed character, much too long, or nothing at all", async () => {
    const [head, body, tail] = good.split(".") as [string, string, string];
    for (const token of [
      `${head}.${body}.${tail.slice(0, -3)}AAA`,
      `${head}.${text({ ...payload, sub: "x" })}.${tail}`,
      "",
      "..",
      "a.b.c",
      `${good}.`,
      `${good}.x.y`,
    ])
      expect(await who(token)).toBeUndefined();
    expect(await who(`${good}${"A".repeat(100_000)}`)).toBeUndefined();
  });

  test("end with their time, with their session, with their person, though they were known a moment ago", async () => {
    expect(await who(good)).toBe("user");
    it.clock.time += 30 * minute;
    expect(await who(good)).toBeUndefined();
    it.clock.time = start;
    const user = people.users.ofName("ada")!;
    await people.users.change(user.id, (now) => ({ ...now, disabled: true }));
    expect(await who(good)).toBeUndefined();
    await people.users.change(user.id, (now) => ({ ...now, disabled: false }));
    expect(await who(good)).toBe("user");
    await people.sessions.end([payload["sid"] as string]);
    expect(await who(good)).toBeUndefined();
  });

  test("are good after a restart", async () => {
    const next = await it.again();
    expect(await asked(next, good)).toMatchObject({ name: "ada" });
  });
});

test("a month's key is followed by another, and goes when what it signed has expired", async () => {
  const it = await open({ algorithm: "EdDSA" });
  const kids = () => it.people.tokens.keySet().keys.map(({ kid }) => kid);
  await it.people.tokens.issue("a", "s");
  const [first] = kids();
  it.clock.time += 30 * 24 * 60 * minute;
  await it.people.tokens.issue("a", "s");
  const [second, old] = kids();
  expect(old).toBe(first);
  expect(second).not.toBe(first);
  it.clock.time += 30 * 24 * 60 * minute;
  await it.people.tokens.issue("a", "s");
  expect(kids()).toHaveLength(2);
  expect(kids()).not.toContain(first);
  for (const key of it.people.tokens.keySet().keys) expect(Object.keys(key)).not.toContain("d");
  expect((await it.again()).tokens.keySet()).toEqual(it.people.tokens.keySet());
});

test("with a new secret what the old one signed is taken as long as that one is there", async () => {
  const [old, fresh] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  let secrets: readonly Uint8Array[] = [old];
  const it = await open({ algorithm: "HS256", secrets: () => secrets });
  const { id } = await ada(it.people);
  const { session } = await it.people.open({ person: id, kind: "client", by: "password", ...opening });
  const first = await it.people.tokens.issue(id, session.id);
  secrets = [fresh, old];
  const second = await it.people.tokens.issue(id, session.id);
  const taken = async (token: string) => {
    // another process, which has checked none of them before
    const people = await it.again();
    await people.tokens.check(token);
    return people.ofAccessToken(token) !== undefined;
  };
  expect([await taken(first), await taken(second)]).toEqual([true, true]);
  secrets = [fresh];
  expect([await taken(first), await taken(second)]).toEqual([false, true]);
});

test("with a shared secret there are no public keys to show", async () => {
  expect((await open()).people.tokens.keySet()).toEqual({ keys: [] });
});
