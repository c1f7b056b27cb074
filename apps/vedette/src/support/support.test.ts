import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { configSchema } from "../config/schema.ts";
import { redactConfig, secretsOf, striker } from "./redact.ts";
import { tar } from "./tar.ts";

const folder = mkdtempSync(join(tmpdir(), "vedette-support-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const planted = {
  postgres: { password: "pg-hunter2-xyz" },
  openai: { api_key: "sk-abcdef123456" },
  auth: { secret_key: "a-very-long-secret-key" },
  access: { oidc: { issuer: "https://idp.example", client_id: "vedette", client_secret: "oidc-client-secret" } },
  sources: { bus: { kafka: { brokers: ["k1:9092"], topics: ["t"], sasl: { username: "ann", password: "kafka-pass-word" } } } },
  sinks: {
    chat: { webhook: { url: "https://bot:chat-pass@chat.example/hook?token=hook-token-1", headers: { "X-Key": "header-secret-1" } } },
  },
};
const secrets = [
  "pg-hunter2-xyz",
  "sk-abcdef123456",
  "a-very-long-secret-key",
  "oidc-client-secret",
  "kafka-pass-word",
  "chat-pass",
  "hook-token-1",
  "header-secret-1",
];

test("of the configuration, numbers, switches and our own words are shown, and of other texts their length", () => {
  const config = configSchema.parse(planted);
  const text = JSON.stringify(redactConfig(config));
  for (const one of [...secrets, "idp.example", "ann"]) expect(text, one).not.toContain(one);
  expect(redactConfig(config)).toMatchObject({
    listen: "127.0.0.1:8080",
    log: { driver: "segments", segment_mb: 64 },
    postgres: { port: 5432, password: "(struck out)" },
    sources: { bus: { kafka: { sasl: { username: "(text of 3)" } } } },
  });
});

test("what is known to be a secret is struck out of every text, however it is written", () => {
  const strike = striker(secretsOf(planted, { MY_API_TOKEN: "env-token-123", HOME: "/home/ann" }, ['has"quote\\and/slash']));
  const known = ["pg-hunter2-xyz", "sk-abcdef123456", "kafka-pass-word", "header-secret-1", "env-token-123", 'has"quote\\and/slash'];
  for (const one of known)
    for (const form of [one, JSON.stringify({ a: one }), `x=${encodeURIComponent(one)}&y`])
      expect(strike(`before ${form} after`), form).not.toMatch(/hunter2|abcdef123456|kafka-pass|header-secret|env-token|has.{1,4}quote/);
  expect(strike("/home/ann has 12 files")).toBe("/home/ann has 12 files");
  expect(striker(["a", "", "  ", "{"])('{"a": 1}')).toBe('{"a": 1}');
});

test("what looks like a secret is struck out though nobody knew it", () => {
  const strike = striker([]);
  for (const [text, secret] of [
    ["Log in once with http://127.0.0.1:8080/login?token=Hq2-abc_DEF12345 (valid)", "Hq2-abc"],
    ["Authorization: Bearer abcdefgh12345678", "abcdefgh"],
    ["set-cookie: __Host-session=abcdefgh; HttpOnly", "abcdefgh"],
    ["cannot reach postgres://vedette:pa55word@db/vedette", "pa55word"],
    ["-----BEGIN PRIVATE KEY-----\nMIIE\nabc\n-----END PRIVATE KEY-----", "MIIE"],
    ["jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl ends", "c2lnbmF0dXJl"],
    ["vdm_0123456789abcdef0123456789", "0123456789abcdef"],
  ] as const)
    expect(strike(text), text).not.toContain(secret);
  // linear in what somebody may have logged
  for (const evil of ["token=".repeat(50_000), "-----BEGIN A-----".repeat(2_000), "a://".repeat(50_000), "eyJ".repeat(50_000)])
    expect(strike(evil).length).toBeGreaterThan(0);
});

test("any secret that the configuration holds is in no form of the dump", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 6, maxLength: 40 }), (secret) => {
      fc.pre(secret.trim().length >= 6 && !"(struck out)".includes(secret.trim()));
      const strike = striker(secretsOf({ sinks: { x: { hec: { token: secret } } } }, {}));
      expect(strike(JSON.stringify({ note: `x ${secret} y` }))).not.toContain(JSON.stringify(secret.trim()).slice(1, -1));
    }),
    { numRuns: 300 },
  );
});

test("the archive is one that tar reads", () => {
  const files = new Map([
    ["a.txt", Buffer.from("a\n")],
    ["empty.txt", new Uint8Array(0)],
    ["large.bin", Buffer.alloc(5_000, 7)],
    ["exact.bin", Buffer.alloc(1_024, 9)],
  ]);
  const file = join(folder, "x.tar");
  writeFileSync(file, tar(files, "dump", 1_795_000_000));
  execFileSync("tar", ["-xf", file, "-C", folder]);
  for (const [name, bytes] of files) expect(Buffer.compare(readFileSync(join(folder, "dump", name)), bytes)).toBe(0);
  expect(() => tar(new Map([["x".repeat(101), new Uint8Array(0)]]), "d", 0)).toThrow(RangeError);
});
