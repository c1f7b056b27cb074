/** What the sensor at the border and the hooks on the nodes see of a conversation. Knows no reason for it. */
import { Chance } from "@vedette/kit";
import type { Host, Process } from "../host.ts";
import { tcpConnect, udpSend } from "../records/tetragon.ts";
import { type Connection, connValues, dnsValues, type Flow, fileUid, fileValues, sslValues, type Tls, zeekUid } from "../records/zeek.ts";
import type { Service } from "../site.ts";
import { second } from "../stamps.ts";
import type { Incident } from "../truth.ts";
import type { Actor, World } from "../world.ts";

const tls = (client: string, version: Tls["version"], cipher: string): Tls => ({
  version,
  cipher,
  ja3: new Chance(3).fork(client).text(32),
});
/** How clients greet. The fingerprints are drawn, not taken from real programs. */
export const clients = {
  python: tls("python", "TLSv13", "TLS_AES_256_GCM_SHA384"),
  curl: tls("curl", "TLSv13", "TLS_AES_256_GCM_SHA384"),
  git: tls("git", "TLSv13", "TLS_AES_128_GCM_SHA256"),
  conda: tls("conda", "TLSv12", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
  go: tls("go", "TLSv13", "TLS_AES_128_GCM_SHA256"),
  browser: tls("browser", "TLSv13", "TLS_AES_128_GCM_SHA256"),
  java: tls("java", "TLSv12", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
  miner: tls("miner", "TLSv12", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
} as const;
export type Client = keyof typeof clients;

export interface Talk {
  readonly from: Host;
  /** Who speaks, where the node's hooks see it: connections to public addresses alone. */
  readonly process?: Process;
  readonly to: Service;
  readonly port: number;
  /** Seconds. */
  readonly lasts: number;
  readonly sent: number;
  readonly received: number;
  /** TLS with this client's greeting; plain TCP that Zeek knows by `service`, or not, when absent. */
  readonly client?: Client;
  readonly service?: string;
  /** The name is not resolved: the address was known, or is remembered. */
  readonly silent?: boolean;
  readonly selfSigned?: boolean;
  readonly udp?: boolean;
  readonly state?: string;
  readonly incident?: Incident | undefined;
}

/** Resolves, connects and greets now; the connection's row follows when it ends. */
export function talk(world: World, chance: Chance, t: Talk): void {
  const flow: Flow = { from: t.from.address, fromPort: t.from.port(), to: t.to.address, port: t.port };
  if (!t.silent) resolve(world, chance, t.from, t.to, t.incident);
  const { process } = t;
  if (process !== undefined && !t.to.address.startsWith("10.")) {
    const [a, b] = [
      { address: flow.from, port: flow.fromPort },
      { address: flow.to, port: flow.port },
    ];
    const line = t.udp ? udpSend(process, world.now, a, b, Math.min(1_400, t.sent)) : tcpConnect(process, world.now, a, b);
    world.emit("tetragon", line, t.incident);
  }
  const uid = zeekUid(chance);
  if (t.client !== undefined && t.state === undefined) {
    const server = greetingOf(t.to);
    world.zeek(
      "ssl",
      world.now,
      sslValues(uid, flow, t.silent && t.to.name === t.to.address ? undefined : t.to.name, clients[t.client], server, !t.selfSigned),
      t.incident,
    );
  } else if (t.service === "http" && t.received > 0) {
    const file = { source: "HTTP", mime: "application/x-gzip", bytes: t.received, sent: false };
    world.zeek("files", world.now, fileValues(fileUid(chance), uid, flow, file), t.incident);
  }
  const service = t.client === undefined ? t.service : "ssl";
  const row: Connection = {
    ...flow,
    uid,
    proto: t.udp ? "udp" : "tcp",
    ...(service === undefined ? {} : { service }),
    ...(t.state === undefined ? { duration: t.lasts } : { state: t.state }),
    sent: Math.round(t.sent),
    received: Math.round(t.received),
  };
  const begun = world.now;
  // Zeek writes a connection's row at its end: for the many short ones that is now
  if (t.lasts < 5) world.zeek("conn", begun, connValues(row), t.incident);
  else world.begin(ending(world, begun, t.lasts, row, t.incident));
}

/** JA3S of services, which are few. */
const greetings = new Map<string, string>();
function greetingOf({ name }: Service): string {
  let found = greetings.get(name);
  if (found === undefined) {
    found = new Chance(5).fork(name).text(32);
    greetings.set(name, found);
  }
  return found;
}

function* ending(world: World, begun: number, lasts: number, row: Connection, incident: Incident | undefined): Actor {
  yield begun + Math.round(lasts * second);
  world.zeek("conn", begun, connValues(row), incident);
}

export function resolve(world: World, chance: Chance, from: Host, to: Service, incident?: Incident): void {
  const flow = { from: from.address, fromPort: from.port(), to: world.site.house.resolver.address, port: 53 };
  const uid = zeekUid(chance);
  world.zeek("dns", world.now, dnsValues({ uid, flow, id: chance.whole(1, 65_535), name: to.name, answers: [to.address] }), incident);
}
