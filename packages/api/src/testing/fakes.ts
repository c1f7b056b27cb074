/** The API over a store and a runtime in memory, as this package's tests take hold of it. */

import { People, type PeopleOptions, tokenHash } from "@vedette/access";
import { type Clock, memorySecrets, type Sealer } from "@vedette/kit";
import { Authority, Register } from "@vedette/machines";
import type { RawRecord } from "@vedette/model";
import type { Store } from "@vedette/store";
import type { FastifyInstance } from "fastify";
import { Auth } from "../access/auth.ts";
import { Erasures } from "../erasure/erasures.ts";
import { Holds } from "../erasure/holds.ts";
import type { BackupPort, ServerOptions, VaultPort } from "../ports.ts";
import { buildServer } from "../server.ts";
import { FakeClock } from "./clock.ts";
import { echo } from "./echo.ts";
import { type FakeRuntime, fakeRuntime } from "./runtime.ts";
import { start } from "./samples.ts";
import { type FakeStore, fakeStore } from "./store.ts";

export { alertOf, eventOf, start } from "./samples.ts";

export const adminToken = "admin-token-of-the-tests";

const fakeVault: VaultPort = {
  status: async () => ({
    keys: [{ id: "00ff", from: "SECRET_KEY", boxes: 2, use: "seals" }],
    places: [{ name: "keys", boxes: 2, old: 0, damaged: 0 }],
    log: [{ id: "0a1b2c3d4e5f6071", use: "seals", since: start, neededBy: undefined }],
  }),
  rotate: async () => ({ key: "00ff", resealed: 2, dropped: [] }),
};

/** Has nothing on record. */
const fakeTrail = { record: async () => ({ n: 0, time: 0, hash: "" }), count: async () => 0, erase: async () => 0 };

const fakeBackups: BackupPort = {
  status: async () => ({
    running: false,
    overdue: false,
    last: { id: "b", to: "/backup", taken: 1, finished: 2, files: 3, bytes: 4, read: 4, stored: 2, removed: 0, freed: 0 },
    drill: { backup: "b", begun: 3, finished: 4, ok: true, checks: [{ name: "objects", ok: true, detail: "3 files" }] },
  }),
  start: (to = "/backup") => to,
  startDrill: (from = "/backup") => from,
};

export interface Rig {
  readonly app: FastifyInstance;
  readonly store: FakeStore;
  readonly runtime: FakeRuntime;
  readonly clock: FakeClock;
  readonly auth: Auth;
  /** May ingest for the source `web`. */
  readonly sourceToken: string;
  /** Which source each accepted record went to. */
  readonly accepted: { readonly source: string; readonly record: RawRecord }[];
  readonly errors: unknown[];
}

/** What is sealed shows through: nothing here is at rest. */
const glass: Sealer = { seal: (plain) => plain, open: (box) => box };

/** The people of a store, as they would be after a restart. */
export const peopleOf = ({ people: store, settings: documents }: Store, clock: Clock, more: Partial<PeopleOptions> = {}) =>
  People.open({ store, documents, clock, sealer: glass, secrets: () => [Buffer.alloc(32, 7)], ...more });

export async function rig(more: Partial<ServerOptions> = {}): Promise<Rig> {
  const clock = new FakeClock();
  const store = fakeStore();
  const runtime = fakeRuntime();
  const accepted: { source: string; record: RawRecord }[] = [];
  const errors: unknown[] = [];
  const people = await peopleOf(store, clock);
  const auth = await Auth.open({ adminTokenHash: tokenHash(adminToken), settings: store.settings, keys: store.keys, people, clock });
  const { token: sourceToken } = (await auth.sources.issue("web"))!;
  const holds = new Holds(store, clock, "main");
  const authority = await Authority.open({ secrets: memorySecrets(), clock, trustDomain: "site.example" });
  const app = await buildServer({
    store,
    runtime,
    auth,
    clock,
    version: "1.2.3",
    endpoints: new Map([["echo", { spec: echo, config: {} }]]),
    endpointContext: {
      intake: (source) => ({
        accept: async (records) => {
          for (const record of records) accepted.push({ source, record });
          return { duplicates: [] };
        },
      }),
      clock,
      warn: () => undefined,
    },
    machines: { register: await Register.open({ store: store.machines, authority, clock }) },
    vault: fakeVault,
    holds,
    erasures: new Erasures({ store, holds, trail: fakeTrail, clock, tenant: "main" }),
    backups: fakeBackups,
    onError: (error) => errors.push(error),
    ...more,
  });
  return { app, store, runtime, clock, auth, sourceToken, accepted, errors };
}

export const asAdmin = { authorization: `Bearer ${adminToken}` };
