/**
 * The TLS port for machines: certificates of this installation's authority and no others; without one a machine can do nothing but enrol.
 * Decides who somebody is, never what he may.
 */
import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { maxLifetime_h, newMachineKey } from "./authority.ts";
import { idOfMachine, type MachineName, readSpiffeId } from "./name.ts";
import type { Register } from "./register.ts";

export interface ListenerOptions {
  readonly register: Register;
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  /** Names and addresses that machines reach it by; the first is the one that it is told of. */
  readonly hosts: readonly string[];
  /** What the server calls itself in its certificate. */
  readonly self: MachineName;
  readonly handle: RequestListener;
  /** A handshake or request that was refused; called often when somebody tries. */
  readonly onRefused: (peer: string | undefined, reason: string) => void;
}

/** Who is at the other end of a connection. */
export interface Peer extends MachineName {
  readonly id: string;
  readonly serial: string;
  readonly expires: Micros;
}

/** Slow senders hold a connection each. */
const handshakeTimeout_ms = 10_000;
const headersTimeout_ms = 20_000;
const requestTimeout_ms = 300_000;

export class MachineListener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #peers = new WeakMap<Socket, Peer>();
  readonly #sockets = new WeakSet<Socket>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    const settings = {
      minVersion: "TLSv1.3",
      requestCert: true,
      // a machine that is not enrolled yet has none; what it shows is judged below
      rejectUnauthorized: false,
      handshakeTimeout: handshakeTimeout_ms,
      headersTimeout: headersTimeout_ms,
      requestTimeout: requestTimeout_ms,
      ca: options.register.authority.certificate,
      ...this.#identity(),
    } as const;
    this.#server = createServer(settings, options.handle);
    this.#server.on("secureConnection", (socket) => this.#admit(socket));
    this.#server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      // who hangs up was not refused
      if (error.code !== "ECONNRESET") options.onRefused(socket.remoteAddress, error.message);
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#options.port, this.#options.host);
    await once(this.#server, "listening");
  }

  /** Where machines find it; only while it listens. */
  get url(): string {
    const [host = this.#options.host] = this.#options.hosts;
    return `https://${host.includes(":") ? `[${host}]` : host}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Whether a connection came in here: tokens and cookies of people mean nothing on it. */
  has(socket: Socket): boolean {
    return this.#sockets.has(socket);
  }

  /** The machine at the other end, as of now: revoked or expired since the handshake, it is none. */
  peerOf(socket: Socket): Peer | undefined {
    const peer = this.#peers.get(socket);
    if (peer === undefined) return undefined;
    const refusal = this.#refusal(peer);
    if (refusal === undefined) return peer;
    this.#options.onRefused(socket.remoteAddress, refusal);
    return undefined;
  }

  /** Takes a new certificate at half life until told to stop; connections go on. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await clock.sleep((maxLifetime_h / 2) * 3_600_000, signal);
      if (signal.aborted) return;
      this.#server.setSecureContext({ ca: this.#options.register.authority.certificate, minVersion: "TLSv1.3", ...this.#identity() });
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** A key that never leaves this process, and a certificate for it. */
  #identity(): { readonly key: string; readonly cert: string } {
    const { register, self, hosts } = this.#options;
    const { privateKey, publicKey } = newMachineKey();
    const { certificate } = register.authority.issue(self, publicKey, maxLifetime_h, hosts);
    // the authority's own goes along: who enrols knows its fingerprint and nothing else
    const cert = certificate + register.authority.certificate;
    return { key: privateKey.export({ type: "pkcs8", format: "pem" }) as string, cert };
  }

  #admit(socket: TLSSocket): void {
    this.#sockets.add(socket);
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return;
    const peer = socket.authorized ? this.#judge(certificate) : String(socket.authorizationError);
    if (typeof peer !== "string") {
      this.#peers.set(socket, peer);
      return;
    }
    this.#options.onRefused(socket.remoteAddress, peer);
    socket.destroy();
  }

  /** Whose a certificate is that the authority signed, or why it is refused. */
  #judge(certificate: X509Certificate): Peer | string {
    const uris = (certificate.subjectAltName ?? "").split(", ").filter((name) => name.startsWith("URI:"));
    const found = uris.length === 1 ? readSpiffeId(uris[0]!.slice(4)) : undefined;
    const { trustDomain } = this.#options.register.authority;
    if (found?.domain !== trustDomain) return `the certificate is for ${uris.join(" ") || "no machine"}, not of ${trustDomain}`;
    const { role, name } = found;
    const expires = certificate.validToDate.getTime() * 1_000;
    const peer = { role, name, id: idOfMachine(found), serial: certificate.serialNumber.toLowerCase(), expires };
    return this.#refusal(peer) ?? peer;
  }

  #refusal({ id, serial, expires }: Peer): string | undefined {
    // TLS looked at the handshake only, and not at all at one that was resumed
    if (expires <= this.#options.clock.now()) return `the certificate of ${id} has expired`;
    return this.#options.register.refusal(id, serial);
  }
}
