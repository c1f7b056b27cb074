/** Two servers over one store, told of each other's changes by a cluster. What they must do, whatever carries it. */

import { tokenHash } from "@vedette/access";
import type { Cluster } from "@vedette/cluster";
import { afterEach, expect, test, vi } from "vitest";
import { AccessNotices } from "../access/access_notices.ts";
import { Auth } from "../access/auth.ts";
import { adminToken, asAdmin, peopleOf, type Rig, rig } from "./fakes.ts";

interface Shared {
  readonly one: Rig["app"];
  readonly two: Rig["app"];
  close(): Promise<void>;
}

async function shared(connect: () => Promise<Cluster>, requestsPerMinute: number): Promise<Shared> {
  const base = await rig();
  const { clock } = base;
  // time goes on by itself, faster than it does outside
  const ticking = setInterval(() => void clock.pass(100), 10);
  const ends: (() => unknown)[] = [() => clearInterval(ticking), () => base.app.close()];
  const server = async (me: string) => {
    const cluster = await connect();
    const notices = new AccessNotices(cluster.notices, clock, me);
    const { people, keys, settings } = base.store;
    const store = { ...base.store, people: notices.people(people), keys: notices.keys(keys), settings: notices.settings(settings) };
    const auth = await Auth.open({
      adminTokenHash: tokenHash(adminToken),
      settings: store.settings,
      keys: store.keys,
      people: await peopleOf(store, clock),
      clock,
    });
    const stop = await notices.follow(auth);
    const { app } = await rig({ store, auth, clock, counters: cluster.counters, recheck: () => notices.refresh(), requestsPerMinute });
    ends.push(
      stop,
      () => app.close(),
      () => cluster.close(),
    );
    return app;
  };
  const [one, two] = [await server("one"), await server("two")];
  return {
    one,
    two,
    async close() {
      for (const end of ends.reverse()) await end();
    },
  };
}

export function sharedContract(connect: () => Promise<Cluster>): void {
  let it: Shared | undefined;
  afterEach(() => it?.close());
  const servers = async (requestsPerMinute = 100_000) => {
    it = await shared(connect, requestsPerMinute);
    return it;
  };
  const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 120_000, interval: 500 });
  const statusAt = async (app: Rig["app"], headers: object) =>
    (await app.inject({ url: "/api/v1/status", headers: headers as never })).statusCode;

  test("who signs in at one server is known at the other, and who is signed out there is not any more", async () => {
    const { one, two } = await servers();
    const { headers } = await one.inject({ method: "POST", url: "/api/v1/session", payload: { token: adminToken } });
    const session = { cookie: String(headers["set-cookie"]).split(";")[0]!, "sec-fetch-site": "same-origin" };
    // the very next request may go to the other one
    expect(await statusAt(two, session)).toBe(200);
    expect((await two.inject({ method: "DELETE", url: "/api/v1/session", headers: session })).statusCode).toBe(204);
    await until(async () => expect([await statusAt(one, session), await statusAt(two, session)]).toEqual([401, 401]));
  });

  test("a source's token is good at both, and at none once it was revoked", async () => {
    const { one, two } = await servers();
    const make = { method: "POST", url: "/api/v1/source-tokens", headers: asAdmin, payload: { source: "nodes" } } as const;
    const made = [await one.inject(make), await two.inject(make)];
    const tokens = made.map((answer) => answer.json() as { id: string; token: string });
    const taken = async (app: Rig["app"], token: string) => {
      const answer = await app.inject({ method: "POST", url: "/ingest", headers: { authorization: `Bearer ${token}` }, payload: "x" });
      return answer.statusCode === 200;
    };
    const all = () => Promise.all(tokens.flatMap(({ token }) => [taken(one, token), taken(two, token)]));
    expect(await all()).toEqual([true, true, true, true]);
    const revoked = await one.inject({ method: "DELETE", url: `/api/v1/source-tokens/${tokens[1]!.id}`, headers: asAdmin });
    expect(revoked.statusCode).toBe(204);
    await until(async () => expect(await all()).toEqual([true, true, false, false]));
  });

  test("a rate is counted over both", async () => {
    // one at once, and the next after half a minute
    const { one, two } = await servers(2);
    expect([await statusAt(one, asAdmin), await statusAt(two, asAdmin)]).toEqual([200, 429]);
  });
}
