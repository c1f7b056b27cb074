import { inProcessCounters } from "@vedette/kit";
import { describe, expect, test } from "vitest";
import { verifyPassword } from "./passwords.ts";
import type { People } from "./people.ts";
import { ada, from, minute, open, opening, password } from "./testing/rig.ts";
import { totpAt, totpStep } from "./totp.ts";

const hour = 60 * minute;
const attempt = (more: object = {}) => ({ name: "ada", password, ...from, ...more });

/** Six digits of the set-up whose secret this is, `steps` from now. */
function codeOf(secret: string, now: number, steps = 0): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return totpAt(Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2))), totpStep(now) + steps);
}
async function withTotp(people: People, now: number) {
  const user = await ada(people);
  const { secret } = await people.credentials.beginTotp(user.id);
  const codes = await people.credentials.confirmTotp(user.id, codeOf(secret, now));
  return { user, secret, codes: codes! };
}
const browser = (people: People, person: string) => people.open({ person, kind: "browser", by: "password", ...opening });

describe("signing in", () => {
  test("by name however it is typed; a wrong password, nobody, and somebody disabled hear the same", async () => {
    const { people } = await open();
    const user = await ada(people);
    expect(await people.signIn.attempt(attempt({ name: " ADA " }))).toMatchObject({ user: { id: user.id }, by: "password" });
    const wrong = { refused: "wrong" };
    expect(await people.signIn.attempt(attempt({ password: "no" }))).toEqual(wrong);
    expect(await people.signIn.attempt(attempt({ name: "nobody" }))).toEqual(wrong);
    await people.users.change(user.id, (now) => ({ ...now, disabled: true }));
    expect(await people.signIn.attempt(attempt())).toEqual(wrong);
  });

  test("who fails too often waits, however right they are then; nobody is locked like somebody, others are not", async () => {
    const { people, clock } = await open();
    await ada(people);
    for (const name of ["ada", "nobody"]) {
      for (let i = 0; i < 10; i++)
        expect(await people.signIn.attempt({ name, password: "no", address: `a${i}` })).toEqual({ refused: "wrong" });
      expect(await people.signIn.attempt({ name, password, address: "b" })).toEqual({ refused: "locked", wait: minute });
    }
    clock.time += minute;
    expect(await people.signIn.attempt(attempt())).toMatchObject({ by: "password" });
    for (let i = 0; i < 29; i++) await people.signIn.attempt({ name: `n${i}`, password: "no", address: "c" });
    expect(await people.signIn.attempt({ name: "n", password, address: "c" })).toEqual({ refused: "wrong" });
    expect(await people.signIn.attempt({ name: "n", password, address: "c" })).toMatchObject({ refused: "locked" });
    expect(await people.signIn.attempt({ name: "n", password, address: "d" })).toEqual({ refused: "wrong" });
  });

  test("who guesses at several servers is counted once for all where they share their counters", async () => {
    const it = await open();
    await ada(it.people);
    const counters = inProcessCounters(it.clock);
    const servers = [await it.again({ counters }), await it.again({ counters })];
    for (let i = 0; i < 10; i++)
      expect(await servers[i % 2]!.signIn.attempt({ name: "ada", password: "no", address: `a${i}` })).toEqual({ refused: "wrong" });
    for (const server of servers)
      expect(await server.signIn.attempt({ name: "ada", password, address: "b" })).toEqual({ refused: "locked", wait: minute });
  });

  test("right passwords are not counted, and attempts side by side are", async () => {
    const { people } = await open();
    await ada(people);
    for (let i = 0; i < 12; i++) expect(await people.signIn.attempt(attempt())).toMatchObject({ by: "password" });
    const guesses = await Promise.all(Array.from({ length: 12 }, () => people.signIn.attempt(attempt({ password: "no" }))));
    expect(guesses.map((one) => ("refused" in one ? one.refused : "in")).sort()).toEqual([
      ...Array(2).fill("locked"),
      ...Array(10).fill("wrong"),
    ]);
  });

  test("a hash of older parameters is made anew when its password is shown", async () => {
    const it = await open();
    const user = await ada(it.people);
    // argon2id with 1 MiB of the password below
    const { argon2Sync } = await import("node:crypto");
    const salt = Buffer.alloc(16, 7);
    const old = argon2Sync("argon2id", { message: password, nonce: salt, memory: 1_024, passes: 1, parallelism: 1, tagLength: 32 });
    const kept = `$argon2id$v=19$m=1024,t=1,p=1$${[salt, old].map((one) => one.toString("base64").replace(/=+$/, "")).join("$")}`;
    await it.people.users.change(user.id, (now) => ({ ...now, password: { ...now.password!, hash: kept } }));
    expect(await it.people.signIn.attempt(attempt())).toMatchObject({ by: "password" });
    const { hash } = it.people.users.ofName("ada")!.password!;
    expect([hash === kept, await verifyPassword(password, hash)]).toEqual([false, true]);
  });
});

describe("passwords", () => {
  test("one that was handed over is good for three days and for nothing but changing it", async () => {
    const { people, clock } = await open();
    const { id } = await people.users.create({ name: "ada", grants: [{ role: "analyst" }] });
    const { password: first } = await people.credentials.reset(id);
    expect(await people.signIn.attempt(attempt({ password: first }))).toMatchObject({ by: "password" });
    const { secret } = await browser(people, id);
    expect(people.ofCookie(secret)).toMatchObject({ kind: "user", grants: [] });
    clock.time += 72 * hour;
    expect(await people.signIn.attempt(attempt({ password: first }))).toEqual({ refused: "wrong" });
    const { password: second } = await people.credentials.reset(id);
    expect(second).not.toBe(first);
    await people.credentials.setPassword(id, password);
    const { secret: after } = await browser(people, id);
    expect(people.ofCookie(after)).toMatchObject({ grants: [{ role: "analyst" }] });
  });

  test("a new one ends what was open, may not be the old one, nor be easy to guess, and fails as such", async () => {
    const { people } = await open({ installation: "Gamma Ray Cluster" });
    const { id } = await ada(people);
    const { secret } = await browser(people, id);
    for (const bad of ["short", password, "gamma-ray-2026!"])
      await expect(people.credentials.setPassword(id, bad)).rejects.toMatchObject({ code: "bad_request" });
    expect(people.ofCookie(secret)).toBeDefined();
    await people.credentials.setPassword(id, "ein ganz anderes kennwort");
    expect(people.ofCookie(secret)).toBeUndefined();
  });
});

describe("one-time codes", () => {
  test("are asked for once confirmed, each is good once, and a wrong one says no more than a wrong password", async () => {
    const { people, clock } = await open();
    const { secret } = await withTotp(people, clock.time);
    expect(await people.signIn.attempt(attempt())).toEqual({ refused: "second_factor" });
    expect(await people.signIn.attempt(attempt({ totp: codeOf(secret, clock.time) }))).toEqual({ refused: "wrong" });
    expect(await people.signIn.attempt(attempt({ totp: "000000", password: "no" }))).toEqual({ refused: "wrong" });
    clock.time += minute;
    const totp = codeOf(secret, clock.time);
    const both = await Promise.all([people.signIn.attempt(attempt({ totp })), people.signIn.attempt(attempt({ totp }))]);
    expect(both.filter((one) => "by" in one && one.by === "totp")).toHaveLength(1);
    expect(await people.signIn.attempt(attempt({ totp: codeOf(secret, clock.time, -1) }))).toEqual({ refused: "wrong" });
  });

  test("a recovery code is good once, and the rest of them are kept; new ones take their place", async () => {
    const it = await open();
    const { user, codes } = await withTotp(it.people, it.clock.time);
    expect(await it.people.signIn.attempt(attempt({ recovery: codes[3]!.toUpperCase() }))).toMatchObject({ by: "recovery" });
    expect(await it.people.signIn.attempt(attempt({ recovery: codes[3] }))).toEqual({ refused: "wrong" });
    const later = await it.again();
    expect(await later.signIn.attempt(attempt({ recovery: codes[4] }))).toMatchObject({ by: "recovery" });
    expect(later.users.ofId(user.id)!.totp!.recovery).toHaveLength(8);
    expect(JSON.stringify(later.users.ofId(user.id))).not.toContain(codes[5]!.replaceAll("-", ""));
    const [fresh] = await later.credentials.newRecovery(user.id);
    expect(await later.signIn.attempt(attempt({ recovery: codes[5] }))).toEqual({ refused: "wrong" });
    expect(await later.signIn.attempt(attempt({ recovery: fresh }))).toMatchObject({ by: "recovery" });
  });

  test("a set-up counts when a code of it was typed, is begun afresh until then, and ends what was open", async () => {
    const { people, clock } = await open();
    const { id } = await ada(people);
    const { secret: cookie } = await browser(people, id);
    const { secret: first } = await people.credentials.beginTotp(id);
    const { secret } = await people.credentials.beginTotp(id);
    expect(await people.signIn.attempt(attempt())).toMatchObject({ by: "password" });
    expect(await people.credentials.confirmTotp(id, codeOf(first, clock.time))).toBeUndefined();
    expect(people.ofCookie(cookie)).toBeDefined();
    expect(await people.credentials.confirmTotp(id, codeOf(secret, clock.time))).toHaveLength(10);
    expect(people.ofCookie(cookie)).toBeUndefined();
    await expect(people.credentials.beginTotp(id)).rejects.toMatchObject({ code: "conflict" });
    await people.credentials.dropTotp(id);
    expect(await people.signIn.attempt(attempt())).toMatchObject({ by: "password" });
  });

  test("who has a role that must have them may do nothing until they are set up", async () => {
    const { people, clock } = await open({ totpRequired: ["analyst"] });
    const user = await ada(people);
    const { secret: cookie, session } = await browser(people, user.id);
    expect(people.dutyOf(user, session)).toBe("enrol_totp");
    expect(people.ofCookie(cookie)).toMatchObject({ grants: [] });
    const { secret } = await people.credentials.beginTotp(user.id);
    await people.credentials.confirmTotp(user.id, codeOf(secret, clock.time));
    expect(people.ofCookie((await people.sessions.renew(session.id))!)).toMatchObject({ grants: [{ role: "analyst" }] });
    expect(people.ofCookie(cookie)).toBeUndefined();
  });

  test("their secrets are sealed for one person each, and sealed again where they lie", async () => {
    const it = await open({ algorithm: "EdDSA" });
    const { user } = await withTotp(it.people, it.clock.time);
    await it.people.tokens.issue(user.id, "s");
    const boxes = await it.people.sealed().boxes();
    expect(boxes.map(({ purpose, place }) => [purpose, place.split(" ")[0]])).toEqual([
      ["people", "totp"],
      ["people", "access"],
    ]);
    for (const box of boxes) {
      const again = it.options.sealer.seal(it.options.sealer.open(box.bytes, box.place), box.place);
      const other = Buffer.concat([again, Buffer.from(" ")]);
      expect([await box.replace(other), await box.replace(again)]).toEqual([true, false]);
    }
    expect(await (await it.again()).signIn.attempt(attempt())).toEqual({ refused: "second_factor" });
  });
});

describe("sessions", () => {
  test("survive a restart, end unused, end at last, and are not guessed by their names", async () => {
    const it = await open();
    const { id } = await it.people.users.create({ name: "ada", grants: [] });
    const { session, secret } = await browser(it.people, id);
    expect(it.people.ofCookie(session.id)).toBeUndefined();
    expect(it.people.ofCookie(session.hash)).toBeUndefined();
    it.clock.time += hour - 1;
    expect((await it.again()).ofCookie(secret)).toMatchObject({ name: "ada", by: "session", session: session.id });
    expect(it.people.ofCookie(secret)).toBeDefined();
    await it.people.sessions.settled();
    it.clock.time += hour - 1;
    expect((await it.again()).ofCookie(secret)).toBeDefined();
    it.clock.time += 1;
    expect((await it.again()).ofCookie(secret)).toBeUndefined();
    const { secret: second } = await browser(it.people, id);
    for (let i = 0; i < 23; i++) {
      it.clock.time += hour - 1;
      expect(it.people.ofCookie(second)).toBeDefined();
    }
    it.clock.time += hour;
    expect(it.people.ofCookie(second)).toBeUndefined();
    expect(it.people.sessions.list(id)).toEqual([]);
  });

  test("of one person are listed and ended, and the fifty-first ends the one unused longest", async () => {
    const { people, clock } = await open();
    const { id } = await people.users.create({ name: "ada", grants: [] });
    const opened = [];
    for (let i = 0; i < 51; i++) {
      clock.time++;
      opened.push(await browser(people, id));
    }
    expect(people.sessions.list(id)).toHaveLength(50);
    expect(people.ofCookie(opened[0]!.secret)).toBeUndefined();
    await people.sessions.end([opened[1]!.session.id, "none"]);
    expect(people.ofCookie(opened[1]!.secret)).toBeUndefined();
    expect(people.ofCookie(opened[2]!.secret)).toBeDefined();
    await people.users.change(id, (now) => ({ ...now, epoch: now.epoch + 1 }));
    expect(people.sessions.list()).toEqual([]);
  });

  test("the shared admin token's are nobody's", async () => {
    const { people } = await open();
    const { secret, session } = await people.open({ person: "", kind: "browser", by: "link", ...opening });
    expect(people.ofCookie(secret)).toEqual({ kind: "shared", name: "admin", grants: [{ role: "admin" }], session: session.id });
  });

  test("a refresh token is good once; shown again, it ends all that came of it, whoever has the newest", async () => {
    const it = await open();
    const { id } = await it.people.users.create({ name: "ada", grants: [] });
    const { secret: first, session } = await it.people.open({ person: id, kind: "client", by: "password", ...opening });
    const access = await it.people.tokens.issue(id, session.id);
    const renewed = await it.people.sessions.refresh(first);
    if (renewed === undefined || renewed === "reused") throw new Error("not renewed");
    expect(renewed.session.id).toBe(session.id);
    expect(await it.people.sessions.refresh(`vdr_${session.id}.${"x".repeat(43)}`)).toBeUndefined();
    await it.people.tokens.check(access);
    expect(it.people.ofAccessToken(access)).toBeDefined();
    const later = await it.again();
    expect(await later.sessions.refresh(first)).toBe("reused");
    expect(await later.sessions.refresh(renewed.secret)).toBeUndefined();
    await later.tokens.check(access);
    expect(later.ofAccessToken(access)).toBeUndefined();
    expect((await it.again()).sessions.list()).toEqual([]);
  });

  test("two that use one refresh token at once are one thief and one owner: both are out", async () => {
    const { people } = await open();
    const { secret } = await people.open({ person: "", kind: "client", by: "token", ...opening });
    const both = await Promise.all([people.sessions.refresh(secret), people.sessions.refresh(secret)]);
    expect(both[1]).toBe("reused");
    expect(people.sessions.list()).toEqual([]);
  });

  test("a cookie is no refresh token and a refresh token no cookie", async () => {
    const { people } = await open();
    const one = await people.open({ person: "", kind: "client", by: "token", ...opening });
    const two = await people.open({ person: "", kind: "browser", by: "token", ...opening });
    expect(people.ofCookie(one.secret)).toBeUndefined();
    expect(people.ofCookie(one.secret.split(".")[1]!)).toBeUndefined();
    expect(await people.sessions.refresh(`vdr_${two.session.id}.${two.secret}`)).toBeUndefined();
    for (const odd of ["", "vdr_", "vdr_a.b", "x".repeat(5_000)]) expect(await people.sessions.refresh(odd)).toBeUndefined();
  });
});

describe("people", () => {
  test("have names of their own", async () => {
    const it = await open();
    await it.people.users.create({ name: "Ada", grants: [] });
    for (const name of ["ada", "", "a b", "-a", "<script>", "a".repeat(65), "a\nb"])
      await expect(it.people.users.create({ name, grants: [] })).rejects.toMatchObject({
        code: name === "ada" ? "conflict" : "bad_request",
      });
    await Promise.allSettled([1, 2].map(() => it.people.users.create({ name: "bob", grants: [] })));
    expect((await it.again()).users.list().map(({ name }) => name)).toEqual(["ada", "bob"]);
  });

  test("the last administrator stays, whichever way and however many try at once", async () => {
    const { people } = await open();
    const { users } = people;
    const one = await users.create({ name: "one", grants: [{ role: "admin" }] });
    await users.create({ name: "some", grants: [{ role: "admin", rows: "host.name:a" }] });
    await users.create({ name: "engineer", grants: [{ role: "engineer" }] });
    const last = { code: "conflict", message: expect.stringContaining("last administrator") };
    await expect(users.remove(one.id)).rejects.toMatchObject(last);
    await expect(users.change(one.id, (now) => ({ ...now, disabled: true }))).rejects.toMatchObject(last);
    await expect(users.change(one.id, (now) => ({ ...now, grants: [{ role: "admin", rows: "host.name:b" }] }))).rejects.toMatchObject(last);
    const two = await users.create({ name: "two", grants: [{ role: "viewer" }, { role: "admin" }] });
    const both = await Promise.allSettled([users.remove(one.id), users.remove(two.id)]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });
});
