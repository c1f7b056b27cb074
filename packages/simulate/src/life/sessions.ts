/** A log-in over SSH as every side tells of it, and the commands of a session. Knows nobody's habits. */
import type { Chance } from "@vedette/kit";
import type { Host, Process } from "../host.ts";
import { accepted, disconnected, logLine, sessionClosed, sessionOpened } from "../records/auth.ts";
import { execLine, exitLine } from "../records/tetragon.ts";
import { connValues, type Flow, sshValues, zeekUid } from "../records/zeek.ts";
import type { User } from "../site.ts";
import { second } from "../stamps.ts";
import type { Incident } from "../truth.ts";
import type { World } from "../world.ts";

export interface Login {
  readonly host: Host;
  readonly user: Pick<User, "name" | "uid" | "key" | "keyType">;
  readonly shell: Process;
  readonly flow: Flow;
  readonly pid: number;
  readonly begun: number;
  readonly incident: Incident | undefined;
}

const client = "SSH-2.0-OpenSSH_9.6";
export const home = (user: Pick<User, "name">): string => `/home/${user.name}`;

/** Opens a session with the user's key, from an address outside or a machine inside. */
export function logIn(
  world: World,
  user: Login["user"],
  host: Host,
  from: { readonly address: string; readonly port: number },
  incident?: Incident,
): Login {
  const daemon = host.daemon("/usr/sbin/sshd", "-D");
  const session = daemon.child({ binary: "/usr/sbin/sshd", args: "-D -R", start: world.now, auid: user.uid });
  const shell = session.child({ binary: "/bin/bash", args: "-l", start: world.now, uid: user.uid, cwd: home(user) });
  const { pid } = session;
  const say = (message: string) => world.emit("auth", logLine(host, world.now, "sshd", pid, message), incident);
  world.emit("tetragon", execLine(session, world.now), incident);
  say(accepted(user.name, from, user.keyType, user.key));
  say(sessionOpened("sshd", user.name, user.uid));
  world.emit("tetragon", execLine(shell, world.now), incident);
  const flow = { from: from.address, fromPort: from.port, to: host.address, port: 22 };
  return { host, user, shell, flow, pid, begun: world.now, incident };
}

/** Closes it; a connection that crossed the border has its rows now. */
export function logOut(world: World, chance: Chance, login: Login, bytes: { readonly sent: number; readonly received: number }): void {
  const { host, user, flow, pid, begun, incident, shell } = login;
  const say = (message: string) => world.emit("auth", logLine(host, world.now, "sshd", pid, message), incident);
  world.emit("tetragon", exitLine(shell, world.now), incident);
  say(disconnected(user.name, { address: flow.from, port: flow.fromPort }));
  say(sessionClosed("sshd", user.name));
  if (flow.from.startsWith("10.")) return;
  const uid = zeekUid(chance);
  const duration = (world.now - begun) / second;
  world.zeek("ssh", begun, sshValues(uid, flow, true, 1, client), incident);
  world.zeek("conn", begun, connValues({ ...flow, uid, proto: "tcp", service: "ssh", duration, ...bytes }), incident);
}

/** A command of a session: started now; ended at once for the records' purposes. */
export function command(world: World, shell: Process, binary: string, args = "", incident?: Incident): Process {
  const process = shell.child({ binary, args, start: world.now });
  world.emit("tetragon", execLine(process, world.now), incident);
  world.emit("tetragon", exitLine(process, world.now), incident);
  return process;
}
