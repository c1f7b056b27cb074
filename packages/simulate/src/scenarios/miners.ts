/** Ten ways to mine in a job, from the plain to the well hidden. Knows no detector. */
import type { Chance } from "@vedette/kit";
import type { Process } from "../host.ts";
import type { Job } from "../life/jobs.ts";
import { resolve, talk } from "../life/network.ts";
import type { Request } from "../life/profile.ts";
import type { Load } from "../load.ts";
import { execLine } from "../records/tetragon.ts";
import type { Service, User } from "../site.ts";
import { day, hour, minute, second } from "../stamps.ts";
import type { Incident } from "../truth.ts";
import type { Actor, World } from "../world.ts";
import { lair, misuse, quiet, type Scenario, victim } from "./scenario.ts";

const expected = {
  alert: true,
  entity: "slurm.job",
  attack: ["T1496.001"],
} as const;
/** Looks like a wallet, and is none. */
const wallet = (chance: Chance): string => `4${chance.text(94, "SimulatedWa11et")}`;

/** RandomX: every core busy without a phase, a dataset that is there from the first minute and never grows. */
const cpuMining = (cpu: number, deviation: number): ((s: number, d: number, c: Chance) => Load) => {
  return (s, _d, c) => ({
    ...quiet,
    cpu: s < 40 ? 0.3 : Math.min(1, c.normal(cpu, deviation)),
    rss_gb: 2.35,
    read: 0,
    write: 30,
    lustre: 0,
  });
};
/** Proof of work on GPUs: busy to the last percent, tensor and FP64 pipes dead, power as a ruler. */
const gpuMining = (_s: number, _d: number, c: Chance): Load => ({
  ...quiet,
  cpu: 0.05,
  rss_gb: 1.2,
  gpu: { busy: 0.995, tensor: 0, fp64: 0, copy: 0.97, fb_gb: 5.3, power_w: c.normal(298, 1.5), pcie: 2e4 },
});

const whole = (lasts: number, cores = 128, tasks = 1): Request => ({ nodes: 1, cores, gpus: 0, memory_gb: 200, lasts, tasks });

interface Contact {
  readonly to: Service;
  readonly port: number;
  readonly tls?: true;
  /** Seconds a connection lasts before it is made anew. */
  readonly lasts: number;
  /** Bytes per second each way: shares up, jobs down. */
  readonly up: number;
  readonly down: number;
  /** The name is looked up anew for each connection. */
  readonly named: boolean;
}

/** In touch with the pool as long as the job runs, or while `awake` says so. */
function* inTouch(
  world: World,
  incident: Incident,
  job: Job,
  by: Process,
  contact: Contact,
  awake: (time: number) => boolean = () => true,
): Actor {
  const { chance } = job;
  const { to, port, tls, lasts, up, down, named } = contact;
  yield world.now + Math.round(chance.between(1, 6) * second);
  while (world.now < job.ends) {
    if (!awake(world.now)) {
      yield world.now + 10 * minute;
      continue;
    }
    const seconds = Math.min(lasts * chance.between(0.8, 1.2), (job.ends - world.now) / second);
    talk(world, chance, {
      from: by.host,
      process: by,
      to,
      port,
      lasts: seconds,
      sent: up * seconds + 400,
      received: down * seconds + 900,
      ...(tls ? { client: "miner" as const, selfSigned: true } : {}),
      silent: !named,
      incident,
    });
    yield world.now + Math.round((seconds + chance.between(1, 5)) * second);
  }
}

export interface Miner {
  readonly name: string;
  readonly summary: string;
  readonly about: string;
  readonly job: (
    user: User,
    chance: Chance,
  ) => {
    readonly name: string;
    readonly request: Request;
    readonly binary: string;
    readonly args: (pool: string) => string;
    readonly load: (s: number, d: number, c: Chance) => Load;
    readonly gpu?: true;
  };
  readonly pool: { readonly name?: string; readonly port: number; readonly tls?: true; readonly named: boolean; readonly lasts: number };
  readonly awake?: (time: number) => boolean;
  /** The node speaks with a log-in node alone; this program, started there, speaks with the pool. */
  readonly forwarder?: (user: User, pool: string) => { readonly binary: string; readonly args: string };
}

/** Pools by names that lists know (defunct or generic), by names that none knows, or by address alone. */
export const kindsOfMiners: readonly Miner[] = [
  {
    name: "miner_cpu",
    summary: "a CPU miner under its own name, in clear text with a known pool",
    about: "A job runs a CPU miner that speaks Stratum in clear text with a known pool.",
    job: (u, c) => ({
      name: "md_run",
      request: whole(c.between(3, 10) * hour),
      binary: `/scratch/${u.name}/md_run/xmrig`,
      args: (pool) => `-o stratum+tcp://${pool}:3333 -u ${wallet(c)} --donate-level=1`,
      load: cpuMining(0.985, 0.004),
    }),
    pool: { name: "pool.minexmr.com", port: 3333, named: true, lasts: 1_800 },
  },
  {
    name: "miner_gpu",
    summary: "a GPU miner on four GPUs",
    about: "A job mines on GPUs: full load, dead tensor and FP64 pipes, flat power.",
    job: (u, c) => ({
      name: "train_v2",
      request: { nodes: 1, cores: 16, gpus: 4, memory_gb: 64, lasts: c.between(3, 10) * hour, tasks: 1 },
      binary: `/home/${u.name}/.local/bin/trainer`,
      args: (pool) => `-a kawpow -o ${pool}:4444 -u RVN${c.text(20)} -p x`,
      load: gpuMining,
      gpu: true,
    }),
    pool: { name: "rvn.2miners.com", port: 4444, named: true, lasts: 2_400 },
  },
  {
    name: "miner_throttled",
    summary: "a CPU miner held at less than half load, to stay below thresholds",
    about: "A job mines with 45 % of its cores, evenly.",
    job: (u, c) => ({
      name: "mc_sim",
      request: whole(c.between(6, 16) * hour),
      binary: `/home/${u.name}/bin/mcsim`,
      args: () => "--config=/dev/shm/mc.json --cpu-max-threads-hint=45",
      load: cpuMining(0.45, 0.005),
    }),
    pool: { name: "gw.simcompute.example", port: 443, tls: true, named: true, lasts: 3_300 },
  },
  {
    name: "miner_renamed",
    summary: "a miner renamed to a known application, with the pool's address alone",
    about: "A program named like the site's GROMACS runs from a hidden folder under /tmp and speaks with a pool's address.",
    job: (_u, c) => ({
      name: "gmx_prod",
      request: whole(c.between(3, 10) * hour),
      binary: "/tmp/.cache-x11/gmx_mpi",
      args: () => "mdrun -deffnm prod",
      load: cpuMining(0.98, 0.004),
    }),
    pool: { port: 14_444, named: false, lasts: 2_700 },
  },
  {
    name: "miner_encrypted",
    summary: "a miner that speaks TLS with an unknown pool on port 443",
    about: "A job holds long, thin TLS connections to a pool nobody has listed.",
    job: (u, c) => ({
      name: "solver",
      request: whole(c.between(4, 12) * hour),
      binary: `/home/${u.name}/solver/bin/solver`,
      args: () => "--input case.json",
      load: cpuMining(0.985, 0.004),
    }),
    pool: { name: "edge-7.cdn-metrics.example", port: 443, tls: true, named: true, lasts: 5_400 },
  },
  {
    name: "miner_in_container",
    summary: "a miner inside an Apptainer container",
    about: "A job runs a miner from a container image and speaks with a pool.",
    job: (u, c) => ({
      name: "container_job",
      request: whole(c.between(3, 8) * hour),
      binary: "/usr/local/bin/app",
      args: (pool) => `--url ${pool}:5555 --user ${wallet(c).slice(0, 40)} --algo rx/0 --home /home/${u.name}`,
      load: cpuMining(0.98, 0.005),
    }),
    pool: { name: "xmr-eu1.nanopool.org", port: 5_555, named: true, lasts: 2_000 },
  },
  {
    name: "miner_at_night",
    summary: "a miner that works from 22 to 6 only",
    about: "A job of days mines by night and sleeps by day.",
    job: (u, c) => ({
      name: "long_prod",
      request: whole(c.between(2, 3) * day),
      binary: `/scratch/${u.name}/long_prod/prod`,
      args: () => "-c prod.conf",
      load: cpuMining(0.97, 0.004),
    }),
    pool: { name: "sync.nightfarm.example", port: 8_443, tls: true, named: true, lasts: 3_600 },
    awake: (time) => (time % day) / hour >= 22 || (time % day) / hour < 6,
  },
  {
    name: "miner_short_array",
    summary: "an array of sixty short mining tasks that fill gaps",
    about: "An array's short tasks mine, each a quarter of an hour.",
    job: (u, c) => ({
      name: "sweep_b",
      request: whole(c.between(12, 20) * minute, 16, 60),
      binary: `/home/${u.name}/sweep/task`,
      args: () => "--index $SLURM_ARRAY_TASK_ID",
      load: cpuMining(0.975, 0.005),
    }),
    pool: { name: "pool.supportxmr.com", port: 7_777, named: true, lasts: 900 },
  },
  {
    name: "miner_in_browser",
    summary: "a headless browser that mines over a WebSocket",
    about: "A job runs a headless browser on a mining page.",
    job: (u, c) => ({
      name: "render_pages",
      request: whole(c.between(2, 8) * hour, 32),
      binary: `/home/${u.name}/.cache/puppeteer/chrome/linux-124/chrome`,
      args: () => "--headless=new --no-sandbox --disable-gpu https://web.minegate.example/m.html",
      load: cpuMining(0.86, 0.02),
    }),
    pool: { name: "ws.minegate.example", port: 443, tls: true, named: true, lasts: 430 },
  },
  {
    name: "miner_through_login_node",
    summary: "a miner whose pool is reached through a forwarder on a log-in node",
    about: "A job mines; its pool is reached by a forwarder that the user left running on a log-in node.",
    job: (u, c) => ({
      name: "qc_calc",
      request: whole(c.between(4, 10) * hour),
      binary: `/scratch/${u.name}/qc/qc`,
      args: () => "--relay login:18080",
      load: cpuMining(0.985, 0.004),
    }),
    pool: { name: "eu.proxy-relay.example", port: 443, tls: true, named: true, lasts: 4_000 },
    forwarder: (u, pool) => ({ binary: `/home/${u.name}/.local/bin/socat`, args: `TCP-LISTEN:18080,fork TCP:${pool}:443` }),
  },
];

const scenarioOf = (kind: Miner): Scenario => ({
  name: kind.name,
  summary: kind.summary,
  expected: { ...expected, about: kind.about },
  *play(world, incident, chance) {
    const user = victim(world, incident, chance);
    const pool = lair(incident, chance, kind.pool.name);
    const { name, request, binary, args, load, gpu } = kind.job(user, chance);
    const { awake, forwarder } = kind;
    const speaker = forwarder && startForwarder(world, incident, chance, user, pool, forwarder(user, pool.name));
    if (speaker) yield world.now + 2 * minute;
    const asleep = awake === undefined ? load : (s: number, d: number, c: Chance) => (awake(world.now) ? load(s, d, c) : quiet);
    misuse(
      world,
      incident,
      user,
      {
        name,
        request: { ...request, lasts: Math.round(request.lasts) },
        program: { binary, args: args(pool.name) },
        load: asleep,
        ...(gpu ? { gpu } : {}),
      },
      (job) => inTouch(world, incident, job, speaker ?? job.leaders[0]!, { to: pool, up: 28, down: 85, ...kind.pool }, awake),
    );
  },
});

function startForwarder(
  world: World,
  incident: Incident,
  chance: Chance,
  user: User,
  pool: Service,
  program: { readonly binary: string; readonly args: string },
): Process {
  const login = chance.pick(world.site.logins);
  incident.logins.add(login.name);
  const { uid } = user;
  const forwarder = login
    .daemon("/usr/lib/systemd/systemd", "--user")
    .child({ ...program, start: world.now, uid, auid: uid, cwd: `/home/${user.name}` });
  world.emit("tetragon", execLine(forwarder, world.now), incident);
  resolve(world, chance, login, pool, incident);
  return forwarder;
}

export const miners: readonly Scenario[] = kindsOfMiners.map(scenarioOf);
