/** What it costs to know who asks: by access token, session cookie, and the token of a source; and what a password costs whoever guesses it. */
import { randomBytes } from "node:crypto";
import { memoryKeys, memoryPeople, People, tokenHash } from "@vedette/access";
import { Auth } from "@vedette/api";
import { type Sealer, systemClock } from "@vedette/kit";
import { costOf, print } from "../harness.ts";

/** The issue's goal, µs of CPU for a token that was seen before. */
const goal = 20;
const glass: Sealer = { seal: (plain) => plain, open: (box) => box };

/** @param checks requests that are told apart, for each way to ask */
export async function bench(checks = 200_000): Promise<void> {
  const details: { [name: string]: number } = { checks };
  const per = async (name: string, count: number, work: () => Promise<void> | void): Promise<number> => {
    const { cpu_s } = await costOf(work);
    details[`${name}_us`] = (cpu_s * 1e6) / count;
    return details[`${name}_us`]!;
  };
  let value = 0;
  for (const algorithm of ["EdDSA", "HS256"] as const) {
    const { auth, people, settings } = await opened(algorithm);
    const user = await people.users.create({ name: "ada", grants: [{ role: "analyst" }] });
    const { session } = await people.open({ person: user.id, kind: "client", by: "password", ip: "192.0.2.1", agent: "" });
    // the first check of each is what a new token costs
    const fresh = await Promise.all(Array.from({ length: 2_000 }, () => people.tokens.issue(user.id, session.id)));
    const [token] = fresh as [string];
    await per(`${algorithm}_first`, fresh.length, async () => {
      for (const one of fresh) {
        await auth.verify(one);
        if (auth.ofToken(one) === undefined) throw new Error("a token that was issued is not known");
      }
    });
    const again = await per(`${algorithm}_again`, checks, async () => {
      for (let n = 0; n < checks; n++) {
        await auth.verify(token);
        if (auth.ofToken(token)?.kind !== "user") throw new Error("a known token is not known");
      }
    });
    value = Math.max(value, again);
    if (algorithm === "EdDSA") continue;
    const { secret } = await people.open({ person: user.id, kind: "browser", by: "password", ip: "192.0.2.1", agent: "" });
    await per("cookie", checks, () => {
      for (let n = 0; n < checks; n++) if (auth.ofCookie(secret) === undefined) throw new Error("a session is not known");
    });
    const { token: ofSource } = (await auth.sources.issue("web"))!;
    await per("source_token", checks, () => {
      for (let n = 0; n < checks; n++) if (auth.ofToken(ofSource)?.kind !== "source") throw new Error("a source's token is not known");
    });
    await per("password", 10, async () => {
      for (let n = 0; n < 10; n++) await people.credentials.hasPassword(undefined, "guess");
    });
    settings.clear();
  }
  print({ name: "auth", value, unit: "µs CPU a token check", baseline: goal, details });
}

async function opened(algorithm: "EdDSA" | "HS256") {
  const secret = randomBytes(32);
  const settings = new Map<string, string>();
  const documents = {
    get: async (name: string) => settings.get(name),
    set: async (name: string, text: string | undefined) => void (text === undefined ? settings.delete(name) : settings.set(name, text)),
    add: async (name: string, text: string) => {
      if (!settings.has(name)) settings.set(name, text);
      return settings.get(name) ?? text;
    },
    replace: async () => false,
  };
  const people = await People.open({
    store: memoryPeople(),
    documents,
    clock: systemClock,
    sealer: glass,
    secrets: () => [secret],
    algorithm,
  });
  const auth = await Auth.open({ adminTokenHash: tokenHash("admin"), settings: documents, people, keys: memoryKeys(), clock: systemClock });
  return { auth, people, settings };
}
