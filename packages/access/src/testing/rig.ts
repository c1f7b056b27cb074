/** What this package's tests need of the outside: a clock that stands still, documents and people in memory, a sealer that any place but its own refuses. */
import type { Clock, Sealer } from "@vedette/kit";
import { memoryPeople } from "../memory.ts";
import { People, type PeopleOptions } from "../people.ts";

export const start = 1_795_000_000_000_000;
export const minute = 60_000_000;

class StillClock implements Clock {
  time = start;
  now(): number {
    return this.time;
  }
  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

export const plainSealer: Sealer = {
  seal: (plain, place) => Buffer.from(JSON.stringify([place, Buffer.from(plain).toString("hex")])),
  open: (box, place) => {
    const [found, hex] = JSON.parse(Buffer.from(box).toString()) as [string, string];
    if (found !== place) throw new Error(`${found} is not ${place}`);
    return Buffer.from(hex, "hex");
  },
};

function memoryDocuments(): PeopleOptions["documents"] {
  const all = new Map<string, string>();
  return {
    get: async (name) => all.get(name),
    set: async (name, value) => void (value === undefined ? all.delete(name) : all.set(name, value)),
  };
}

export async function open(more: Partial<PeopleOptions> = {}) {
  const clock = new StillClock();
  const options: PeopleOptions = {
    store: memoryPeople(),
    documents: memoryDocuments(),
    clock,
    sealer: plainSealer,
    secrets: () => [Buffer.from("a secret of the tests, 32 bytes.")],
    ...more,
  };
  return {
    clock,
    options,
    people: await People.open(options),
    again: (other: Partial<PeopleOptions> = {}) => People.open({ ...options, ...other }),
  };
}

export const password = "correct horse battery staple";
export const from = { address: "192.0.2.1" };
export const opening = { ip: "192.0.2.1", agent: "test" };

/** Somebody with a password of their own. */
export async function ada(people: People, grants: Parameters<People["users"]["create"]>[0]["grants"] = [{ role: "analyst" }]) {
  const { id } = await people.users.create({ name: "ada", grants });
  await people.credentials.reset(id);
  return await people.credentials.setPassword(id, password);
}
