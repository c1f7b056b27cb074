/** How each real server is started on loopback and asked whether it is ready. Installs nothing; the data of one start is gone with the next. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runFolder } from "./services_folder.mjs";
import { programs } from "./services_install.mjs";

/** What starts soonest with little memory: tests have no time for what makes a long run fast. */
const java = ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"];
/** A watchdog: on a loaded machine a virtual machine takes many times its usual ten seconds. */
const ready_ms = 240_000;

export const noted = (name) => join(runFolder, `${name}.json`);

/** A server's note, or undefined where it does not run. */
export function running(name) {
  if (!existsSync(noted(name))) return undefined;
  const service = JSON.parse(readFileSync(noted(name), "utf8"));
  return startedAt(service.pid) === service.started ? service : undefined;
}

/** When a process was started, in the kernel's ticks: its number alone may be another's by now. */
function startedAt(pid) {
  try {
    const [state, ...rest] = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1).split(" ");
    return state === "Z" ? undefined : rest[18];
  } catch {
    return undefined;
  }
}

/** @returns a port that is free now: the one the environment names, or any. */
async function port(name, from = 0) {
  const wanted = Number(process.env[`VEDETTE_SERVICES_${name.toUpperCase()}_PORT`] ?? 0) || from;
  for (let candidate = wanted; ; candidate++) {
    const found = await new Promise((resolve) => {
      const server = createServer()
        .once("error", () => resolve(undefined))
        .listen(candidate, "127.0.0.1", () => {
          const { port: free } = server.address();
          server.close(() => resolve(free));
        });
    });
    if (found !== undefined) return found;
    if (wanted !== from || from === 0) throw new Error(`Port ${candidate} is taken.`);
  }
}

/** @returns the first bytes a server answers to `say` */
const ask = (to, say) =>
  new Promise((resolve, reject) => {
    const socket = connect(to.port, to.host)
      .once("error", reject)
      .once("data", (bytes) => resolve(socket.destroy() && bytes.toString()));
    socket.setTimeout(5_000, () => socket.destroy(new Error("no answer"))).write(say);
  });
const answersHttp = async ({ host, port: at }, path) =>
  (await fetch(`http://${host}:${at}${path}`, { signal: AbortSignal.timeout(5_000) })).ok;
const said = (service, what) => readFileSync(service.log, "utf8").includes(what);

/** @typedef {{ command: string, args: string[], facts: object, user?: { uid: number, gid: number }, environment?: object }} Start */

/**
 * `prepare` fills the data folder and says what to start; `ready` is asked until it is true; `after` is done once then.
 * @type {Record<string, { prepare: (place: string) => Promise<Start>, ready: (service) => unknown, after?: (service) => void }>}
 */
export const servers = {
  kafka: {
    async prepare(place) {
      const [plain, sasl, controller] = [await port("kafka"), await port("kafka_sasl"), await port("kafka_controller")];
      const password = randomBytes(12).toString("hex");
      const properties = join(place, "server.properties");
      writeFileSync(properties, kafkaProperties(place, { plain, sasl, controller, password }));
      const cp = ["-cp", join(programs.kafka, "*")];
      execFileSync("java", [...java, ...cp, "kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", properties], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      const level = "-Dorg.slf4j.simpleLogger.defaultLogLevel=info";
      // `vedette` may do everything, `guest` nothing; who comes by the other port without a name may do everything too
      const facts = { port: plain, sasl: { port: sasl, mechanism: "PLAIN", username: "vedette", guest: "guest", password } };
      return { command: "java", args: [...java, level, ...cp, "kafka.Kafka", properties], facts };
    },
    ready: (service) => said(service, "Kafka Server started"),
  },
  postgres: {
    async prepare(place) {
      const at = await port("postgres");
      const user = other("postgres");
      const password = randomBytes(12).toString("hex");
      const [data, secret] = [join(place, "data"), join(place, "password")];
      mkdirSync(data, { mode: 0o700 });
      writeFileSync(secret, password, { mode: 0o600 });
      if (user !== undefined) for (const path of [data, secret]) chownSync(path, user.uid, user.gid);
      const how = [
        "-D",
        data,
        "-U",
        "vedette",
        "--auth=scram-sha-256",
        `--pwfile=${secret}`,
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
      ];
      execFileSync(join(programs.postgres, "initdb"), how, { ...user, cwd: "/", stdio: ["ignore", "ignore", "pipe"] });
      // nobody needs a socket in the file system
      const args = ["-D", data, "-p", `${at}`, "-h", "127.0.0.1", "-k", "", "-c", "max_connections=200"];
      return {
        command: join(programs.postgres, "postgres"),
        args,
        user,
        facts: { port: at, user: "vedette", password, database: "vedette" },
      };
    },
    ready({ host, port: at }) {
      execFileSync(join(programs.postgres, "pg_isready"), ["-q", "-h", host, "-p", `${at}`, "-d", "postgres"], { stdio: "ignore" });
      return true;
    },
    after: ({ host, port: at, user, password, database }) =>
      execFileSync("psql", ["-q", "-h", host, "-p", `${at}`, "-U", user, "-d", "postgres", "-c", `create database ${database}`], {
        env: { ...process.env, PGPASSWORD: password },
        stdio: ["ignore", "ignore", "pipe"],
      }),
  },
  redis: {
    async prepare(place) {
      const at = await port("redis");
      const args = ["--port", `${at}`, "--bind", "127.0.0.1", "--dir", place, "--appendonly", "yes", "--save", ""];
      return { command: programs.redis, args, facts: { port: at } };
    },
    ready: async (service) => (await ask(service, "PING\r\n")).startsWith("+PONG"),
  },
  opensearch: {
    async prepare(place) {
      // the runner puts a node's port one above the base, which may be 9299 at most; by chance, since another that starts at the same moment looks at
      // the same ports, and it takes long until either has taken one
      const at = await port("opensearch", 9_201 + Math.floor(Math.random() * 90));
      const runner = "org.codelibs.opensearch.runner.OpenSearchRunner";
      const options = ["-basePath", join(place, "node"), "-numOfNode", "1", "-baseHttpPort", `${at - 1}`, "-clusterName", "vedette"];
      const args = [...java, "-cp", join(programs.opensearch, "*"), runner, ...options, "-useLogger", "-disableESLogger"];
      return { command: "java", args, facts: { port: at } };
    },
    ready: (service) => answersHttp(service, "/_cluster/health?wait_for_status=yellow&timeout=4s"),
  },
  prometheus: {
    async prepare(place) {
      const at = await port("prometheus");
      const file = join(place, "prometheus.yml");
      writeFileSync(file, "scrape_configs: []\n");
      const args = [`--config.file=${file}`, `--storage.tsdb.path=${join(place, "data")}`, `--web.listen-address=127.0.0.1:${at}`];
      return { command: programs.prometheus, args: [...args, "--web.enable-lifecycle"], facts: { port: at, config: file } };
    },
    ready: (service) => answersHttp(service, "/-/ready"),
  },
};

const kafkaProperties = (place, { plain, sasl, controller, password }) => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${plain},SASL://127.0.0.1:${sasl},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${plain},SASL://127.0.0.1:${sasl}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
listener.name.sasl.sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_vedette="${password}" user_guest="${password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:vedette
log.dirs=${join(place, "logs")}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
`;

/** Another user to run as, where this one is root and the server refuses that. */
function other(name) {
  if (process.getuid() !== 0) return undefined;
  const number = (what) => Number(execFileSync("id", [what, name], { encoding: "utf8" }));
  return { uid: number("-u"), gid: number("-g") };
}

/** Starts a server unless it runs, and resolves with its note when it is ready. */
export async function up(name) {
  const there = running(name);
  if (there !== undefined) return await untilReady(name, there);
  const place = join(runFolder, name);
  rmSync(noted(name), { force: true });
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true, mode: 0o711 });
  const { command, args, user, facts } = await servers[name].prepare(place);
  const log = join(runFolder, `${name}.log`);
  const out = openSync(log, "w", 0o600);
  const child = spawn(command, args, { ...user, cwd: user === undefined ? place : "/", detached: true, stdio: ["ignore", out, out] });
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  child.unref();
  const service = { name, host: "127.0.0.1", ...facts, pid: child.pid, started: startedAt(child.pid), log };
  await untilReady(name, service);
  servers[name].after?.(service);
  // noted only now: who finds the note finds a server that answers
  writeFileSync(noted(name), `${JSON.stringify(service, undefined, 2)}\n`, { mode: 0o600 });
  return service;
}

export async function isReady(name, service) {
  try {
    return Boolean(await servers[name].ready(service));
  } catch {
    return false;
  }
}

async function untilReady(name, service) {
  for (const end = Date.now() + ready_ms; !(await isReady(name, service)); await sleep(200)) {
    const gone = startedAt(service.pid) !== service.started;
    if (!gone && Date.now() < end) continue;
    if (!gone) process.kill(service.pid, "SIGKILL");
    throw new Error(
      `${gone ? "it ended" : "it did not become ready"}; ${service.log} says:\n${readFileSync(service.log, "utf8").slice(-2_000)}`,
    );
  }
  return service;
}

/** Ends a server that runs and forgets its data. */
export async function down(name) {
  const service = running(name);
  if (service !== undefined) {
    const there = () => startedAt(service.pid) === service.started;
    // for PostgreSQL: do not wait for those who are connected
    process.kill(service.pid, name === "postgres" ? "SIGINT" : "SIGTERM");
    for (const end = Date.now() + 20_000; there() && Date.now() < end; ) await sleep(100);
    if (there()) process.kill(service.pid, "SIGKILL");
  }
  rmSync(noted(name), { force: true });
  rmSync(join(runFolder, name), { recursive: true, force: true });
}

/** The folder of notes is this user's own: its notes hold passwords. */
export function ownFolder() {
  mkdirSync(runFolder, { recursive: true, mode: 0o711 });
  if (statSync(runFolder).uid !== process.getuid())
    throw new Error(`${runFolder} is another user's; set VEDETTE_SERVICES_RUN to a folder of yours.`);
}
