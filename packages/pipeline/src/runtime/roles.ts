/** Which of an installation's work this process does: all of it, or in a cluster what its roles say and leases allow. Knows no work. */
import type { Cluster, Member } from "@vedette/cluster";
import { type Clock, ConfigError } from "@vedette/kit";
import { type LeasedOptions, leased, taken } from "../shards/lease.ts";

export const roleNames = ["ingest", "analyse", "triage", "serve"] as const;
export type Role = (typeof roleNames)[number];

/** One of the processes of an installation. */
export interface ClusterPart {
  readonly cluster: Cluster;
  readonly roles: ReadonlySet<Role>;
  /** Of the raw topic. */
  readonly partitions: number;
  /** Who it is; another at each start. */
  readonly name: string;
  readonly version: string;
}

/** @param text `all`, or names of roles with commas between them. @throws ConfigError `config_invalid` */
export function rolesOf(text: string): ReadonlySet<Role> {
  if (text === "all") return new Set(roleNames);
  const named = text.split(",").map((name) => name.trim());
  const unknown = named.filter((name) => !(roleNames as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new ConfigError(
      "config_invalid",
      `--role ${text}: ${unknown.join(", ") || "nothing"} is no role; expected all, or some of ${roleNames.join(", ")}`,
    );
  return new Set(named as Role[]);
}

/** Who leads changes what is in force, cleans up and delivers. */
const leading = "lead";

export class Roles {
  readonly #part: ClusterPart | undefined;
  readonly #clock: Clock;
  readonly #onProblem: LeasedOptions["onProblem"];
  #leads: boolean;
  #leader: string | undefined;
  /** HOST:PORT where this process answers. */
  address: string | undefined;
  readonly #started: number;

  constructor(part: ClusterPart | undefined, clock: Clock, onProblem: LeasedOptions["onProblem"]) {
    this.#part = part;
    this.#clock = clock;
    this.#onProblem = onProblem;
    this.#leads = part === undefined;
    this.#started = clock.now();
  }

  has(role: Role): boolean {
    return this.#part?.roles.has(role) ?? true;
  }
  get leads(): boolean {
    return this.#leads;
  }
  /** Who may change what is in force, where that is not this process. */
  led(): { readonly by: string } | undefined {
    return this.#leads ? undefined : { by: this.#leader ?? "another process" };
  }

  member(): Member {
    const { name, roles, version } = this.#part!;
    return { name, roles: [...roles], address: this.address, version, started: this.#started, load: 0 };
  }

  /** Tries to lead before anything runs: the first process to start puts the rules in force. */
  async tryToLead(): Promise<void> {
    if (this.#part === undefined || !this.has("serve")) return;
    this.#leads = (await taken(leading, this.#leasing())) !== undefined;
    await this.#lookForLeader();
  }

  /** Work that one process does at a time, among those of the role. */
  async alone(role: Role, name: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (!this.has(role)) return;
    if (this.#part === undefined) return work(signal);
    await leased(name, this.#leasing(), signal, work);
  }

  /** As `alone`, for what the leader does. */
  async lead(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const looking = this.#part && this.#watchLeader(signal);
    await this.alone("serve", leading, signal, async (held) => {
      this.#leads = true;
      await work(held).finally(() => {
        this.#leads = this.#part === undefined;
      });
    });
    await looking;
  }

  async #watchLeader(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#lookForLeader();
      await this.#clock.sleep(5_000, signal);
    }
  }
  async #lookForLeader(): Promise<void> {
    const { cluster } = this.#part!;
    const [held] = await cluster.leases.holders(leading).catch(() => []);
    const members = await cluster.members.list().catch(() => []);
    this.#leader = members.find(({ name }) => name === held?.holder)?.address ?? held?.holder;
  }

  #leasing(): LeasedOptions {
    const { cluster, name } = this.#part!;
    return { leases: cluster.leases, holder: name, clock: this.#clock, onProblem: this.#onProblem };
  }
}
