/** What an attack is to the simulation, and what several of them do alike. Knows none in particular. */
import type { Chance } from "@vedette/kit";
import type { Process } from "../host.ts";
import { type Job, type Plan, submit } from "../life/jobs.ts";
import { command } from "../life/sessions.ts";
import type { Load } from "../load.ts";
import { attackerAddress, type Service, type User } from "../site.ts";
import type { Expected, Incident } from "../truth.ts";
import type { Actor, World } from "../world.ts";

export interface Scenario {
  readonly name: string;
  readonly summary: string;
  readonly expected: Expected;
  play(world: World, incident: Incident, chance: Chance): Actor;
}

/** The person in whose name it happens. */
export function victim(world: World, incident: Incident, chance: Chance, of: (user: User) => boolean = () => true): User {
  const user = chance.pick(world.site.users.filter((one) => !one.administrator && of(one)));
  incident.user = user.name;
  incident.uid = user.uid;
  return user;
}

/** Somewhere of the attacker's. */
export function lair(incident: Incident, chance: Chance, name?: string): Service {
  const address = attackerAddress(chance);
  incident.addresses.add(address);
  return { name: name ?? address, address };
}

/** Commands one after the other, some seconds apart. */
export function* typing(world: World, shell: Process, chance: Chance, incident: Incident, lines: readonly string[], pause: number): Actor {
  for (const line of lines) {
    yield world.now + Math.round(chance.exponential(pause));
    const at = line.indexOf(" ");
    if (at < 0) command(world, shell, line, "", incident);
    else command(world, shell, line.slice(0, at), line.slice(at + 1), incident);
  }
}

/** A job of the attacker's in the victim's name. */
export function misuse(
  world: World,
  incident: Incident,
  user: User,
  plan: Pick<Plan, "name" | "request" | "program" | "load"> & Partial<Plan>,
  also?: (job: Job) => Actor,
): void {
  submit(world, {
    user,
    profile: incident.scenario,
    lookalike: false,
    gpu: false,
    incident,
    ...plan,
    ...(also === undefined ? {} : { also }),
  });
}

export const quiet: Load = { cpu: 0.02, rss_gb: 0.3, read: 1e3, write: 1e3, lustre: 0, infiniband: 0 };
