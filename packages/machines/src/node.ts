/**
 * A machine's side: enrols, keeps its key and certificate, speaks to the server by them, renews them. Knows nothing of what is said.
 * Key and certificate are one file that is replaced whole, so that they fit each other after any crash.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { connect, type PeerCertificate } from "node:tls";
import { BadInputError, type Clock, ConfigError, diskFiles, type Files, UnavailableError } from "@vedette/kit";
import { fingerprintOf, newMachineKey } from "./authority.ts";
import { pem } from "./certificate.ts";
import { makeRequest } from "./request.ts";

/** What a machine has in its directory: `machine.pem` (key and certificate), `ca.pem`, `server` (where it goes). */
const paths = (directory: string) => ({
  identity: join(directory, "machine.pem"),
  authority: join(directory, "ca.pem"),
  server: join(directory, "server"),
});
/** Answers of the API; a register of 50,000 machines is the longest. */
const maxAnswer = 64 * 1_048_576;
const timeout_ms = 30_000;
const apiPrefix = "/api/v1";

interface Place {
  readonly directory: string;
  readonly clock: Clock;
  readonly files?: Files;
  /** Of the API: API_V1_STR. */
  readonly prefix?: string;
}
interface Trust {
  /** Where the API is. */
  readonly api: string;
  readonly ca: string;
  /** PEM of key and certificate. */
  readonly identity?: string;
}

export class MachineNode {
  readonly url: string;
  readonly #place: Required<Place>;
  readonly #ca: string;
  #identity: string;

  private constructor(place: Required<Place>, url: string, ca: string, identity: string) {
    this.#place = place;
    this.url = url;
    this.#ca = ca;
    this.#identity = identity;
  }

  /**
   * Uses a token up at the machines' port. The token names the authority, so that no other server can pass for this one.
   * @throws ConfigError, BadInputError, UnavailableError
   */
  static async enrol({ files = diskFiles, prefix = apiPrefix, ...rest }: Place, server: string, token: string): Promise<MachineNode> {
    const place = { ...rest, files, prefix };
    const url = server.replace(/\/$/, "");
    if (!url.startsWith("https://")) throw new ConfigError("config_invalid", `--url ${url}: expected https://HOST:PORT of machines.listen`);
    const expected = token.slice(token.lastIndexOf(".") + 1);
    const ca = await authorityAt(url, expected);
    const keys = newMachineKey();
    const { certificate } = await call<{ certificate: string }>({ api: `${url}${prefix}`, ca }, "POST", "/machines/enrol", {
      token,
      request: makeRequest(keys),
    });
    const { authority, identity, server: where } = paths(place.directory);
    const made = new MachineNode(place, url, ca, certificate + (keys.privateKey.export({ type: "pkcs8", format: "pem" }) as string));
    // the identity last: with it the directory is complete
    await files.replace(authority, Buffer.from(ca));
    await files.replace(where, Buffer.from(`${url}\n`));
    await files.replace(identity, Buffer.from(made.#identity));
    return made;
  }

  /** @throws ConfigError `config_unreadable` where nothing was enrolled */
  static async open({ files = diskFiles, prefix = apiPrefix, ...rest }: Place): Promise<MachineNode> {
    const place = { ...rest, files, prefix };
    const { authority, identity, server } = paths(place.directory);
    const [ca, own, where] = await Promise.all([authority, identity, server].map((path) => files.read(path)));
    if (ca === undefined || own === undefined || where === undefined)
      throw new ConfigError("config_unreadable", `${place.directory} holds no machine's certificate; vedette machine enrol makes one`);
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
    return new MachineNode(place, text(where).trim(), text(ca), text(own));
  }

  get certificate(): X509Certificate {
    return new X509Certificate(this.#identity);
  }
  /** From half of its life on. */
  get due(): boolean {
    const { validFromDate, validToDate } = this.certificate;
    return this.#place.clock.now() / 1_000 >= (validFromDate.getTime() + validToDate.getTime()) / 2;
  }

  /** A new key and a certificate for it, by the one that it still has. */
  async renew(): Promise<void> {
    const keys = newMachineKey();
    const { certificate } = await this.ask<{ certificate: string }>("POST", "/machines/renew", { request: makeRequest(keys) });
    const identity = certificate + (keys.privateKey.export({ type: "pkcs8", format: "pem" }) as string);
    await this.#place.files.replace(paths(this.#place.directory).identity, Buffer.from(identity));
    this.#identity = identity;
  }

  /** Asks the server's API as this machine. @param path below the API's prefix */
  ask<T>(method: "GET" | "POST" | "PUT", path: string, body?: object): Promise<T> {
    return call<T>({ api: `${this.url}${this.#place.prefix}`, ca: this.#ca, identity: this.#identity }, method, path, body);
  }
}

/** The authority that a server shows, if it is the expected one. @throws BadInputError `forbidden`, UnavailableError */
async function authorityAt(url: string, fingerprint: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const shown = await new Promise<PeerCertificate | undefined>((resolve, reject) => {
    // who it is tells the fingerprint below; nothing is said over this connection
    const host = hostname.replace(/^\[|\]$/g, "");
    const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false, minVersion: "TLSv1.3", timeout: timeout_ms });
    socket.once("secureConnect", () => {
      const { issuerCertificate } = socket.getPeerCertificate(true);
      socket.destroy();
      resolve(issuerCertificate);
    });
    socket.once("timeout", () => socket.destroy(new Error("no answer")));
    socket.once("error", (cause) => reject(new UnavailableError("store_unavailable", `no server at ${url}: ${cause.message}`, { cause })));
  });
  const certificate = shown?.raw === undefined ? undefined : pem("CERTIFICATE", shown.raw);
  if (certificate === undefined || fingerprintOf(certificate) !== fingerprint)
    throw new BadInputError("forbidden", `the server at ${url} is not the one that the token is of; nothing was sent to it`);
  return certificate;
}

function call<T>({ api, ca, identity }: Trust, method: string, path: string, body?: object): Promise<T> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const own = identity === undefined ? {} : { cert: identity, key: createPrivateKey(identity).export({ type: "pkcs8", format: "pem" }) };
  const headers = { accept: "application/json", ...(text !== undefined && { "content-type": "application/json" }) };
  const failed = (cause: Error) => new UnavailableError("store_unavailable", `no answer from ${api}: ${cause.message}`, { cause });
  return new Promise<T>((resolve, reject) => {
    const settings = { method, headers, ca, minVersion: "TLSv1.3", timeout: timeout_ms, agent: false, ...own } as const;
    const asked = httpsRequest(`${api}${path}`, settings, (answer) => {
      const parts: Buffer[] = [];
      let size = 0;
      answer.on("data", (part: Buffer) => {
        size += part.length;
        if (size > maxAnswer) asked.destroy(new Error(`an answer of more than ${maxAnswer} bytes`));
        parts.push(part);
      });
      answer.on("error", (cause) => reject(failed(cause)));
      answer.on("end", () => settle(answer.statusCode ?? 0, Buffer.concat(parts).toString("utf8")));
    });
    const settle = (status: number, said: string) => {
      if (status >= 200 && status < 300) return resolve(JSON.parse(said) as T);
      reject(
        new BadInputError(status === 401 ? "unauthorised" : status === 403 ? "forbidden" : "bad_request", detailOf(said) ?? `${status}`),
      );
    };
    asked.on("timeout", () => asked.destroy(new Error("no answer in time")));
    asked.on("error", (cause) => reject(failed(cause)));
    asked.end(text);
  });
}

function detailOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { detail?: string }).detail;
  } catch {
    return undefined;
  }
}
