import { argon2Sync, createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isBreached, weakness } from "./password_rules.ts";
import { hashPassword, isOutdated, verifyPassword } from "./passwords.ts";
import { base32, matchTotp, newRecoveryCodes, recoveryCode, totpAt, totpUri } from "./totp.ts";

describe("passwords", () => {
  test("are kept as argon2id and found again, composed, and nobody's is nobody's", async () => {
    const kept = await hashPassword("Zwölf Löffel im Regen");
    expect(kept).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(await verifyPassword("Zwo\u0308lf Lo\u0308ffel im Regen", kept)).toBe(true);
    expect(await verifyPassword("zwölf Löffel im Regen", kept)).toBe(false);
    expect(await verifyPassword("anything at all", undefined)).toBe(false);
    expect(isOutdated(kept)).toBe(false);
  });

  test("one that was hashed with other parameters is found by them, and is outdated", async () => {
    const salt = Buffer.from("somesaltsomesalt");
    const hash = argon2Sync("argon2id", { message: "password", nonce: salt, memory: 1_024, passes: 3, parallelism: 2, tagLength: 24 });
    const kept = `$argon2id$v=19$m=1024,t=3,p=2$${[salt, hash].map((one) => one.toString("base64").replace(/=+$/, "")).join("$")}`;
    expect(await verifyPassword("password", kept)).toBe(true);
    expect(await verifyPassword("passwort", kept)).toBe(false);
    expect(isOutdated(kept)).toBe(true);
    await expect(verifyPassword("password", "$2b$10$nothing")).rejects.toThrow("argon2id");
  });

  test.each([
    ["short", "elevenchars"],
    ["one character", "aaaaaaaaaaaaaaaa"],
    ["a pattern", "abcabcabcabcabc"],
    ["a row of keys", "qwertyuiop1234"],
    ["the alphabet", "abcdefghijkl2026"],
    ["a known word dressed up", "P@ssw0rd2026!!"],
    ["several known words", "AdminWelcome123"],
    ["the name of its owner", "ada.lovelace2026"],
    ["the name of the place", "CoLaBCluster#12"],
    ["too long", "x1y2z3".repeat(60)],
  ])("%s is refused", (_, password) => {
    expect(weakness(password, ["ada", "Ada Lovelace", "Colab"])).toBeTypeOf("string");
  });

  test.each(["correct horse battery staple", "vier gelbe fahrräder", "tG7#qLw9!xZp", "kesukaan-moottori-ulappa"])(
    "%s is taken",
    (password) => {
      expect(weakness(password, ["ada"])).toBeUndefined();
    },
  );

  test("a leaked one is found in a sorted file of any length, and no other", async () => {
    const folder = mkdtempSync(join(tmpdir(), "vedette-breached-"));
    try {
      const sha1 = (text: string) => createHash("sha1").update(text).digest("hex").toUpperCase();
      for (const count of [0, 1, 2, 3, 100]) {
        const passwords = Array.from({ length: count }, (_, at) => `leaked password ${at}`);
        const file = join(folder, `${count}.txt`);
        const lines = passwords.map((one, at) => `${sha1(one)}:${at * 37}`).sort();
        writeFileSync(file, lines.join(count % 2 === 0 ? "\r\n" : "\n") + (count === 3 ? "" : "\n"));
        for (const one of passwords) expect([count, one, await isBreached(file, one)]).toEqual([count, one, true]);
        for (const other of ["a", "b", "c", "d", "e"]) expect(await isBreached(file, other)).toBe(false);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("one-time codes", () => {
  const secret = Buffer.from("12345678901234567890");

  // RFC 6238, appendix B; eight digits there, six here
  test.each([
    [59, "94287082"],
    [1_111_111_109, "07081804"],
    [1_111_111_111, "14050471"],
    [1_234_567_890, "89005924"],
    [2_000_000_000, "69279037"],
    [20_000_000_000, "65353130"],
  ])("at %d s are as in RFC 6238", (seconds, code) => {
    expect(totpAt(secret, Math.floor(seconds / 30))).toBe(code.slice(2));
  });

  test("count a step before and after, once each, and never again", () => {
    const at = 50_000_000;
    const now = at * 30_000_000 + 29_999_999;
    for (const step of [at - 1, at, at + 1]) expect(matchTotp(secret, totpAt(secret, step), now, 0)).toBe(step);
    for (const step of [at - 2, at + 2]) expect(matchTotp(secret, totpAt(secret, step), now, 0)).toBeUndefined();
    expect(matchTotp(secret, totpAt(secret, at), now, at)).toBeUndefined();
    expect(matchTotp(secret, totpAt(secret, at - 1), now, at)).toBeUndefined();
    expect(matchTotp(secret, totpAt(secret, at + 1), now, at)).toBe(at + 1);
    for (const odd of ["", "12345", "abcdef", "1".repeat(1_000)]) expect(matchTotp(secret, odd, now, 0)).toBeUndefined();
  });

  // RFC 4648, 10
  test.each([
    ["", ""],
    ["f", "MY"],
    ["fo", "MZXQ"],
    ["foo", "MZXW6"],
    ["foob", "MZXW6YQ"],
    ["fooba", "MZXW6YTB"],
    ["foobar", "MZXW6YTBOI"],
  ])("base32 of %j is %s", (text, expected) => {
    expect(base32(Buffer.from(text))).toBe(expected);
  });

  test("names in the link of a QR code are only names", () => {
    const uri = new URL(totpUri(secret, "A&B: c", "ada?secret=x"));
    expect([uri.searchParams.get("secret"), uri.searchParams.get("issuer")]).toEqual([base32(secret), "A&B: c"]);
    expect(decodeURIComponent(uri.pathname)).toContain("ada?secret=x");
  });

  test("recovery codes are ten, different, and read however they are typed", () => {
    const codes = newRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) {
      expect(code).toMatch(/^([a-z2-7]{4}-){3}[a-z2-7]{4}$/);
      expect(recoveryCode(` ${code.toUpperCase().replaceAll("-", " ")} `)).toBe(recoveryCode(code));
    }
  });
});
