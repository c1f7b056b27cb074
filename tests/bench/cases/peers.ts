/** Vedette's `scan` beside the peers installed here (CrowdSec, fail2ban, rsigma), on the same files, as whole processes; it installs nothing. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { rekeyedSshd, shared, temporary } from "../corpus.ts";
import { option, percentile, print, say } from "../harness.ts";
import { writeWindows } from "../otrf.ts";
import { programArguments } from "../program.ts";

const sshdLines = 60_000;
const windowsEvents = 20_000;
/** Far beyond the slowest peer seen (26 CPU seconds): a run that takes so long is given up. */
const patience_ms = 300_000;

interface Peer {
  readonly name: string;
  readonly argv: readonly string[];
  /** What it found, in its own words, from its standard output and error. */
  readonly found: (output: string) => string;
}
interface Load {
  readonly name: string;
  readonly events: number;
  readonly peers: readonly Peer[];
}
interface Run {
  readonly cpu_s: number;
  readonly wall_s: number;
  readonly output: string;
}

/** @param events lines of each sshd file */
export async function bench(events = sshdLines): Promise<void> {
  mkdirSync(temporary, { recursive: true });
  const directory = mkdtempSync(join(temporary, "peers-"));
  try {
    const loads = [...sshdLoads(directory, events), ...windowsLoads(directory, option("windows") ?? windowsEvents)];
    const rounds = option("rounds") ?? 3;
    const details: { [name: string]: number | string } = { rounds, load_average: loadavg()[0]! };
    const best = loads.map((load) => measure(load, rounds, details));
    const [first] = best;
    print({ name: "peers", value: first!.ours, unit: `events per CPU second, ${loads[0]!.name}`, baseline: first!.peer, details });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Every command once in each round, so that a busy minute meets all of them. */
function measure(load: Load, rounds: number, details: { [name: string]: number | string }) {
  const cpu = new Map<string, number[]>(load.peers.map((p) => [p.name, []]));
  const found = new Map<string, string>();
  for (let round = 0; round < rounds; round++) {
    for (const peer of load.peers) {
      const run = timed(peer.argv);
      cpu.get(peer.name)!.push(run.cpu_s);
      found.set(peer.name, peer.found(run.output));
      say(
        `  ${load.name} ${peer.name} round ${round + 1}: ${run.cpu_s.toFixed(2)} CPU s, ${run.wall_s.toFixed(1)} s wall, load ${loadavg()[0]!.toFixed(1)}`,
      );
    }
  }
  say(
    `\n| ${load.name}, ${load.events} events | CPU s min | median | max | events per CPU s (median) | found |\n|---|---|---|---|---|---|`,
  );
  const rates = new Map<string, number>();
  for (const [name, times] of cpu) {
    const sorted = [...times].sort((a, b) => a - b);
    const median = sorted.length % 2 ? percentile(times, 50) : (sorted[sorted.length / 2 - 1]! + sorted[sorted.length / 2]!) / 2;
    rates.set(name, load.events / median);
    say(
      `| ${name} | ${sorted[0]!.toFixed(2)} | ${median.toFixed(2)} | ${sorted.at(-1)!.toFixed(2)} | ${Math.round(load.events / median)} | ${found.get(name)} |`,
    );
    details[`${load.name} ${name}`] = load.events / median;
    details[`${load.name} ${name} found`] = found.get(name)!;
  }
  const others = [...rates].filter(([name]) => name !== "vedette").map(([, rate]) => rate);
  // NaN (null in the JSON) says that there was no peer to compare with
  return { ours: rates.get("vedette")!, peer: others.length ? Math.max(...others) : Number.NaN };
}

/** Runs one command under the shell's `time`, which counts user and system time of the process and every child it waited for. */
function timed(argv: readonly string[]): Run {
  const clock = 'TIMEFORMAT="%3U %3S %3R"; { time "$@" 2>&1; } 2>&3';
  const child = spawnSync("bash", ["-c", clock, "bash", ...argv], {
    stdio: ["ignore", "pipe", "inherit", "pipe"],
    encoding: "utf8",
    maxBuffer: 1_073_741_824,
    timeout: patience_ms,
    env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
  });
  const [user, system, wall] = String(child.output[3]).trim().split(" ").map(Number);
  // 1 is how `vedette scan` says that rules matched
  if (child.error || (child.status !== 0 && child.status !== 1) || wall === undefined)
    throw new Error(`${argv.join(" ")}: ${child.error ?? child.status}\n${child.stdout?.slice(-2_000)}`);
  return { cpu_s: user! + system!, wall_s: wall, output: child.stdout };
}

const installed = (program: string): boolean => {
  const there = spawnSync("bash", ["-c", 'command -v "$1"', "bash", program]).status === 0;
  if (!there) say(`${program} is not installed: left out`);
  return there;
};

const distinct = (output: string, pattern: RegExp): number => new Set([...output.matchAll(pattern)].map((m) => m[1])).size;

function vedette(file: string, rules: readonly string[], found: Peer["found"]): Peer {
  return { name: "vedette", argv: [process.execPath, ...programArguments(), "scan", ...rules, "-o", "ndjson", file], found };
}

function sshdLoads(directory: string, events: number): Load[] {
  const files = { "sshd-modern": modernSshd(events), "sshd-rekeyed": rekeyedSshd(1) };
  const crowdsec = installed("crowdsec") && installed("cscli") ? crowdsecConfig(directory) : undefined;
  const fail2ban = installed("fail2ban-regex");
  return Object.entries(files).map(([name, lines]) => {
    const file = join(directory, `${name}.log`);
    writeLines(file, lines, events);
    const peers = [
      vedette(
        file,
        [],
        (o) =>
          `${distinct(o, /"rule\.id":"brute_force".*?"summary":"(\S+) /g)} addresses guessing passwords, ${distinct(o, /"rule\.id":"([^"]+)"/g)} rules`,
      ),
    ];
    if (crowdsec) {
      const argv = ["crowdsec", "-c", crowdsec, "-dsn", `file://${file}`, "-type", "syslog"];
      peers.push({
        name: "crowdsec",
        argv,
        found: (o) =>
          `${distinct(o, /Ip (\S+) performed 'crowdsecurity\/ssh/g)} addresses, ${distinct(o, /performed '([^']+)'/g)} scenarios`,
      });
    }
    if (fail2ban) {
      const argv = ["fail2ban-regex", "--usedns=no", "--no-check-all", "--print-no-missed", file, "sshd"];
      peers.push({
        name: "fail2ban-regex",
        argv,
        found: (o) => `${/(\d+) matched/.exec(o)?.[1]} lines matched, nothing counted per address`,
      });
    }
    return { name, events, peers };
  });
}

/** A copy of the installed configuration with its own database, no central API and a loopback port of its own. */
function crowdsecConfig(directory: string): string {
  const home = join(directory, "crowdsec");
  for (const folder of ["data", "etc"]) mkdirSync(join(home, folder), { recursive: true });
  cpSync("/etc/crowdsec", join(home, "etc"), { recursive: true, verbatimSymlinks: true });
  cpSync("/usr/share/crowdsec/data", join(home, "data"), { recursive: true });
  const url = "127.0.0.1:18231";
  const file = join(home, "config.yaml");
  const config = {
    common: { daemonize: false, log_media: "stdout", log_level: "info", working_dir: home },
    config_paths: {
      config_dir: join(home, "etc"),
      data_dir: join(home, "data"),
      simulation_path: join(home, "etc/simulation.yaml"),
      hub_dir: "/var/lib/crowdsec/hub",
      index_path: "/var/lib/crowdsec/hub/.index.json",
      notification_dir: join(home, "etc/notifications"),
      plugin_dir: "/usr/lib/crowdsec/plugins",
    },
    crowdsec_service: { parser_routines: 1 },
    db_config: { type: "sqlite", db_path: join(home, "data/crowdsec.db"), use_wal: true },
    prometheus: { enabled: false },
    api: {
      client: { credentials_path: join(home, "etc/local_api_credentials.yaml") },
      server: { listen_uri: url, profiles_path: join(home, "etc/profiles.yaml"), log_level: "info" },
    },
  };
  // JSON is YAML
  writeFileSync(file, JSON.stringify(config));
  const machine = ["machines", "add", "bench", "--password", "loopback-only", "--force", "-u", `http://${url}`];
  execFileSync("cscli", ["-c", file, ...machine, "-f", config.api.client.credentials_path], { stdio: "ignore" });
  return file;
}

function windowsLoads(directory: string, wanted: number): Load[] {
  const file = join(directory, "windows.ndjson");
  const events = writeWindows(file, wanted);
  execFileSync("tar", ["-xJf", join(shared, "data/sigma/rules.tar.xz"), "-C", directory]);
  const folder = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith("rules/windows"))[0];
  if (events === 0 || folder === undefined) throw new Error("no Windows events or no Sigma rules in the shared data");
  const rules = join(directory, folder);
  const peers = [
    vedette(file, ["--rules", rules], (o) => `${distinct(o, /"rule\.id":"([^"]+)"/g)} rules, ${o.split('{"rule.id"').length - 1} matches`),
  ];
  if (installed("rsigma")) {
    const argv = ["rsigma", "engine", "eval", "--rules", rules, "--logsource-routing", "--output-format", "ndjson", "-e", `@${file}`];
    peers.push({
      name: "rsigma",
      argv,
      found: (o) => `${distinct(o, /"rule_id":"([^"]+)"/g)} rules, ${o.split('"rule_id"').length - 1} matches`,
    });
  }
  return [{ name: "windows", events, peers }];
}

function writeLines(file: string, lines: Iterator<string>, count: number): void {
  const all: string[] = [];
  for (let n = 0; n < count; n++) all.push(lines.next().value);
  writeFileSync(file, `${all.join("\n")}\n`);
}

/** Lines as sshd 7 to 9 write them: two in three are failures of five guessers at a time, 100 tries each, 3 to 4 s apart. */
function* modernSshd(count: number, seed = 1): Generator<string, never> {
  let state = seed;
  // Numerical Recipes' linear congruential generator: repeatable, and good enough to vary ports and names
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const users = ["root", "admin", "invalid user oracle", "invalid user test", "invalid user git"];
  // two lines a second from a fixed day, so that every run has the same file; syslog's old header carries no year
  const start = Date.UTC(2026, 10, 20);
  for (let n = 0, failures = 0; ; n = (n + 1) % Math.max(count, 1)) {
    const time = new Date(start + n * 500);
    const head = `Nov ${time.getUTCDate()} ${time.toISOString().slice(11, 19)} login1 sshd[${1_000 + random(60_000)}]:`;
    const port = 1_024 + random(60_000);
    if (n % 3 === 2) {
      const from = `10.1.${random(4)}.${1 + random(250)}`;
      yield n % 2 === 0
        ? `${head} Accepted publickey for user${random(200)} from ${from} port ${port} ssh2: ED25519 SHA256:bW9kZXJuc3NoZGtleW9mYWJlbmNobWFya2xpbmVzMDA`
        : `${head} Connection closed by ${from} port ${port}`;
      continue;
    }
    const guesser = Math.floor(failures / 500) * 5 + (failures % 5);
    failures++;
    yield `${head} Failed password for ${users[random(users.length)]} from 198.${18 + (guesser >> 16)}.${(guesser >> 8) & 255}.${guesser & 255} port ${port} ssh2`;
  }
}
