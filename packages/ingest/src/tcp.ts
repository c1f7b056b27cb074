/** Listens for connections, in the clear or by TLS, and hands each to a reader. Knows no protocol. */
import { readFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { type SourceContext, UnavailableError, z } from "@vedette/kit";
import { type Address, isLoopback, parseAddress } from "./address.ts";
import { nonce } from "./nonce.ts";

export const addressConfig = z
  .string()
  .refine((text) => parseAddress(text) !== undefined, "expected HOST:PORT, such as 127.0.0.1:5514 or [::1]:5514");

export const tlsConfig = z.strictObject({
  cert_file: z.string().min(1).describe("PEM file with the server's certificate and those between it and its root."),
  key_file: z.string().min(1).describe("PEM file with the certificate's private key."),
});
export type TlsFiles = z.output<typeof tlsConfig>;

export const onLoopback = (address: string | undefined): boolean => address === undefined || isLoopback(parseAddress(address)?.host ?? "");

export interface ListenOptions {
  /** What the listener is called in messages: `syslog TCP`. */
  readonly name: string;
  readonly address: Address;
  readonly tls?: TlsFiles | undefined;
  /** What TLS settles on, where its callers insist (ALPN): `h2`. */
  readonly protocols?: readonly string[];
  readonly maxConnections: number;
  readonly idle_ms: number;
  /** Told the address once connections are taken. */
  readonly listening?: (address: Address) => void;
}
export type ListenContext = Omit<SourceContext<unknown>, "config" | "positions">;
/** Resolves when the connection has ended and what was read of it is handed on. `token` names it. */
export type ReadConnection = (socket: Socket, token: string) => Promise<void>;

/** A handshake takes a few round trips; who needs longer does not mean it. */
const handshake_ms = 10_000;

/** Resolves when `signal` has aborted and everything that was read is handed on. */
export async function listen(options: ListenOptions, context: ListenContext, read: ReadConnection): Promise<void> {
  const { clock, signal, warn } = context;
  const run = nonce(clock);
  const readings = new Set<Promise<void>>();
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = await serverOf(options, (socket) => {
    const token = `${run}:${accepted++}`;
    socket.setTimeout(options.idle_ms, () => socket.destroy());
    const reading = read(socket, token)
      .catch((error: unknown) => warn("connection_failed", `${socket.remoteAddress ?? "?"}: ${(error as Error).message}`))
      .finally(() => {
        socket.destroy();
        readings.delete(reading);
      });
    readings.add(reading);
  });
  // Those still in TLS's handshake too.
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    const { code, said } = handshakeFault(error);
    warn(code, `${options.name}: ${socket.remoteAddress ?? "?"}: ${said}`);
  });
  server.maxConnections = options.maxConnections;
  server.on("drop", () =>
    warn("too_many_connections", `more than ${options.maxConnections} ${options.name} connections; a new one was closed`),
  );
  await bound(server, options, warn);
  await aborted(signal);
  server.close();
  for (const socket of sockets) socket.destroy();
  await Promise.all(readings);
}

async function serverOf({ name, tls, protocols }: ListenOptions, take: (socket: Socket) => void): Promise<Server> {
  if (tls === undefined) return createServer(take);
  try {
    const [cert, key] = await Promise.all([readFile(tls.cert_file), readFile(tls.key_file)]);
    const alpn = protocols && { ALPNProtocols: [...protocols] };
    return createTlsServer({ cert, key, minVersion: "TLSv1.2", handshakeTimeout: handshake_ms, ...alpn }, take);
  } catch (error) {
    throw new UnavailableError("source_unavailable", `${name}: ${(error as Error).message}`, { cause: error });
  }
}

function bound(server: Server, options: ListenOptions, warn: ListenContext["warn"]): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) =>
      reject(new UnavailableError("source_unavailable", `${options.name}: ${error.message}`, { cause: error }));
    server.once("error", failed);
    server.listen(options.address.port, options.address.host, () => {
      server.off("error", failed);
      server.on("error", (error) => warn("listener_failed", error.message));
      const { address: host, port } = server.address() as { readonly address: string; readonly port: number };
      options.listening?.({ host, port });
      resolve();
    });
  });
}

/** Why TLS did not come about, and what to do. */
function handshakeFault({ code = "", message }: NodeJS.ErrnoException): { readonly code: string; readonly said: string } {
  // OpenSSL sees no TLS record where the first bytes are text
  if (code === "ERR_SSL_HTTP_REQUEST" || code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG")
    return {
      code: "plain_to_tls",
      said: "the sender speaks without TLS to a port with it; turn TLS on at the sender, or let it send to a port without",
    };
  if (code.startsWith("ERR_SSL_TLSV1_ALERT") || code.startsWith("ERR_SSL_SSLV3_ALERT"))
    return { code: "tls_failed", said: `the sender refused the certificate (${message}); give it the certificate's authority` };
  return { code: "tls_failed", said: message };
}

/** What a first piece shows to be another protocol than the listener's, with what to do; undefined for all else. */
function misdirected(first: Uint8Array): { readonly code: string; readonly said: string } | undefined {
  if (first[0] === 0x16 && first[1] === 0x03)
    return {
      code: "tls_to_plain",
      said: "the sender speaks TLS to a port without it; turn TLS off at the sender, or set tls for the source",
    };
  if (/^(?:GET|PUT|POST|HEAD|OPTIONS) \S{1,2000} HTTP\/1\.|^PRI \* HTTP\/2/.test(Buffer.from(first.subarray(0, 2_048)).toString("latin1")))
    return { code: "http_to_plain", said: "the sender speaks HTTP; let it send to the HTTP port of the configuration's listen" };
  return undefined;
}

/** The pieces of a connection. One that speaks TLS or HTTP to us is told of and ends after its first piece; a reset one ends like a closed one: senders come and go. */
export async function* piecesOf(
  socket: Socket,
  { name }: Pick<ListenOptions, "name">,
  { warn }: Pick<ListenContext, "warn">,
): AsyncGenerator<Uint8Array> {
  let first = true;
  try {
    for await (const piece of socket as AsyncIterable<Uint8Array>) {
      const other = first ? misdirected(piece) : undefined;
      if (other !== undefined) warn(other.code, `${name}: ${socket.remoteAddress ?? "?"}: ${other.said}`);
      first = false;
      yield piece;
      if (other !== undefined) return;
    }
  } catch {
    // The bytes before the break have been handed on.
  }
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
