/** An installation of several processes over servers of its own. Each can be killed, held and started again. */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { detectors } from "@vedette/detect";
import { Vedette } from "../vedette.ts";
import { OwnServer, type ServerName, serverNames, type Victim } from "./servers.ts";

export const partitions = 3;
/** The others look back so far that what they find is final only hours later. */
const off = Object.fromEntries([...(await detectors()).keys()].map((name) => [name, false]));
/** How it judges, in one process and in several. A burst is over after ten seconds, so that nothing can change it any more within a minute. */
export const detection = [
  "rules: { watch: false }",
  "canaries: { enabled: false }",
  "engine: { workers: 1, lateness_s: 45 }",
  `detectors: ${JSON.stringify({ ...off, brute_force: { window_s: 10 } })}`,
  "",
].join("\n");

/** Roles by process. Of `three` each start costs, and each process is more than one thing at once. */
export const three = { front: "ingest,serve", worker1: "analyse,triage", worker2: "analyse,triage" };
export const five = { ingest: "ingest", analyse1: "analyse", analyse2: "analyse", triage: "triage", serve: "serve" };

/** One process that whoever watches over it starts again, however often that fails. */
class Supervised extends Vedette implements Victim {
  readonly name: string;
  readonly roles: string;
  constructor(name: string, roles: string, config: string) {
    super(config);
    this.name = name;
    this.roles = roles;
  }
  override async start(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await super.start("--role", this.roles);
      } catch (e) {
        // a start may be refused while a server is away; as a service manager does, it is tried again
        if (tries === 30) throw e;
        await pause(500);
      }
    }
  }
  hold(): void {
    this.signal("SIGSTOP");
  }
  goOn(): void {
    this.signal("SIGCONT");
  }
  async end(): Promise<void> {
    this.goOn();
    await this.stop();
  }
}

export class Installation {
  readonly name = `f${randomBytes(4).toString("hex")}`;
  readonly servers = new Map<ServerName, OwnServer>(serverNames.map((name) => [name, new OwnServer(name)]));
  readonly processes = new Map<string, Supervised>();
  readonly #roles: { readonly [process: string]: string };

  /** @param roles by name of the process; one has `serve`, one `ingest` */
  constructor(roles: { readonly [process: string]: string }) {
    this.#roles = roles;
  }

  /** @param groups of processes that run under one of their own */
  async start(groups: { readonly [process: string]: number } = {}): Promise<void> {
    await Promise.all([...this.servers.values()].map((server) => server.start()));
    const config = this.config();
    for (const [name, roles] of Object.entries(this.#roles)) {
      const process = new Supervised(name, roles, config);
      process.group = groups[name];
      this.processes.set(name, process);
    }
    // who serves puts the rules in force, which the others wait for
    await this.serve.start();
    await Promise.all([...this.processes.values()].filter((one) => one !== this.serve).map((one) => one.start()));
  }

  /** @param schema of the state, where it is to be another */
  config({ schema = this.name } = {}): string {
    const { name } = this;
    const [kafka, postgres, redis, opensearch] = serverNames.map((one) => this.servers.get(one)!) as [
      OwnServer,
      OwnServer,
      OwnServer,
      OwnServer,
    ];
    const database = `db: ${postgres.fact("database")}, user: ${postgres.fact("user")}, password: ${postgres.fact("password")}`;
    return [
      "log: { driver: kafka }",
      `kafka: { server: "${kafka.host}:${kafka.port}", topic: ${name}, partitions: ${partitions}, replicas: 1, timeout_s: 5 }`,
      "state: { driver: postgres }",
      `postgres: { host: ${postgres.host}, port: ${postgres.port}, ${database}, schema: ${schema}, connections: 4 }`,
      "events: { driver: opensearch }",
      `opensearch: { url: "http://${opensearch.host}:${opensearch.port}", prefix: ${name}, replicas: 0 }`,
      `redis: { host: ${redis.host}, port: ${redis.port}, prefix: ${name} }`,
      `auth: { secret_key: ${name}-a-secret-of-the-installation }`,
      detection,
    ].join("\n");
  }

  /** The one with this role. */
  #with(role: string): Supervised {
    return [...this.processes.values()].find(({ roles }) => roles.split(",").includes(role))!;
  }
  get ingest(): Vedette {
    return this.#with("ingest");
  }
  get serve(): Vedette {
    return this.#with("serve");
  }
  victim(name: string): Victim {
    return [...this.processes.values(), ...this.servers.values()].find((one) => one.name === name)!;
  }
  /** What every process said last, for a failed test. */
  said(): string {
    return [...this.processes].map(([name, { output }]) => `--- ${name}\n${output.slice(-1_500)}`).join("\n");
  }

  async remove(): Promise<void> {
    for (const one of this.processes.values()) if (one.url !== "") one.goOn();
    await Promise.all([...this.processes.values()].map((one) => one.remove()));
    await Promise.all([...this.servers.values()].map((server) => server.remove()));
  }
}
