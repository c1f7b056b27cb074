/** Listens for syslog over TCP; a connection is not read while its last messages are not durable. Knows nothing of what messages say. */
import { createServer, type Socket } from "node:net";
import { type SourceContext, UnavailableError } from "@vedette/kit";
import { deliver } from "../deliver.ts";
import { nonce } from "../nonce.ts";
import { readStream } from "../stream_reader.ts";
import type { Address } from "./address.ts";
import { SyslogCutter } from "./framing.ts";

export interface TcpOptions {
  readonly address: Address;
  readonly maxMessageBytes: number;
  readonly maxConnections: number;
  readonly idle_ms: number;
  /** Told the address once connections are taken. */
  readonly listening?: (address: Address) => void;
}

/** Resolves when `signal` has aborted and everything that was read is handed on. */
export async function listenTcp(options: TcpOptions, context: Omit<SourceContext<unknown>, "config" | "positions">): Promise<void> {
  const { clock, signal, warn } = context;
  const run = nonce(clock);
  const connections = new Map<Socket, Promise<void>>();
  let accepted = 0;
  const server = createServer((socket) => {
    const token = `${run}:${accepted++}`;
    const reading = readConnection(socket, token, options, context)
      .catch((error: unknown) => warn("connection_failed", `${socket.remoteAddress ?? "?"}: ${(error as Error).message}`))
      .finally(() => connections.delete(socket));
    connections.set(socket, reading);
  });
  server.maxConnections = options.maxConnections;
  server.on("drop", () => warn("too_many_connections", `more than ${options.maxConnections} syslog connections; a new one was closed`));
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error) => reject(new UnavailableError("source_unavailable", `syslog TCP: ${error.message}`, { cause: error }));
    server.once("error", failed);
    server.listen(options.address.port, options.address.host, () => {
      server.off("error", failed);
      server.on("error", (error) => warn("listener_failed", error.message));
      const bound = server.address() as { readonly address: string; readonly port: number };
      options.listening?.({ host: bound.address, port: bound.port });
      resolve();
    });
  });
  await aborted(signal);
  server.close();
  for (const socket of connections.keys()) socket.destroy();
  await Promise.all(connections.values());
}

async function readConnection(
  socket: Socket,
  token: string,
  options: TcpOptions,
  context: Omit<SourceContext<unknown>, "config" | "positions">,
): Promise<void> {
  const { clock, intake, signal } = context;
  const peer = socket.remoteAddress;
  const stream = `tcp ${peer ?? "?"}`;
  const cutter = new SyslogCutter({ token, maxBytes: options.maxMessageBytes, peer });
  socket.setTimeout(options.idle_ms, () => socket.destroy());
  try {
    await readStream(untilBroken(socket), {
      cutter: () => cutter,
      deliver: (batch) => deliver(batch, { stream }, { intake, clock, signal }),
    });
  } finally {
    socket.destroy();
  }
}

/** A reset connection ends like a closed one: senders come and go. */
async function* untilBroken(socket: Socket): AsyncGenerator<Uint8Array> {
  try {
    yield* socket as AsyncIterable<Uint8Array>;
  } catch {
    // The bytes before the break have been handed on.
  }
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
