/** The `syslog` sink: RFC 5424 over TCP or TLS, octet-counted, with CEF or JSON as its message. Knows no record's schema. */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Delivery, defineSink, formatTime, type Outgoing, z } from "@vedette/kit";
import { toCef } from "../cef.ts";
import { fileOf } from "../http.ts";

const config = z.strictObject({
  host: z.string().min(1).describe("Name or address of the receiver."),
  port: z.int().min(1).max(65_535).default(6514).describe("Its port."),
  tls: z.boolean().default(true).describe("Whether TLS is spoken; without it everyone on the way reads along."),
  ca_file: z.string().min(1).optional().describe("PEM file of certificate authorities to trust instead of the system's."),
  body: z.enum(["cef", "json"]).default("json").describe("What the message is: JSON as `format` says, or a line of CEF."),
  facility: z.int().min(0).max(23).default(13).describe("Syslog facility; 13 is the log audit."),
  app_name: z
    .string()
    .regex(/^[\x21-\x7e]{1,48}$/)
    .default("vedette")
    .describe("APP-NAME of the messages."),
  max_message_bytes: z
    .int()
    .min(1_024)
    .max(16_777_216)
    .default(131_072)
    .describe("Largest message in bytes; a larger one becomes a dead letter."),
  timeout_s: z.number().positive().max(600).default(30).describe("How long connecting and handing over one batch may take, in seconds."),
});
type Options = z.output<typeof config>;

/** Syslog severities: 2 critical … 6 informational. */
const severities = { informational: 6, low: 5, medium: 4, high: 3, critical: 2 } as const;

export default defineSink({
  name: "syslog",
  summary: "Sends RFC 5424 messages over TCP or TLS, octet-counted.",
  description:
    "Syslog has no acknowledgement: a batch counts as sent when the receiver's machine has taken its bytes (the connection stays open and nothing is left to write), so what it had not read when it died may be lost. " +
    "MSGID is `alert`, `finding` or `event`; the structured data `[vedette@32473 id=… ]`, in CEF `externalId`, tells a repeat.",
  stability: "beta",
  config,
  batch: { records: 500, bytes: 1_000_000, wait_ms: 200 },
  examples: [
    { title: "CEF over TLS", config: { host: "siem.example", body: "cef" } },
    { title: "JSON in the clear, on this machine", config: { host: "127.0.0.1", port: 5514, tls: false } },
  ],
  async open({ name, config: c, hostname, version }) {
    const ca = c.ca_file === undefined ? undefined : await fileOf(name, "ca_file", c.ca_file);
    let socket: Socket | undefined;
    return {
      async send(records, signal): Promise<Delivery> {
        const refused: { index: number; reason: string }[] = [];
        const parts: Buffer[] = [];
        records.forEach((record, index) => {
          const text = c.body === "cef" ? toCef(record, version) : record.body;
          const message = Buffer.from(`${headOf(record, c, hostname)} ${text}`);
          if (message.length > c.max_message_bytes)
            refused.push({ index, reason: `${message.length} bytes, at most ${c.max_message_bytes} go` });
          else parts.push(Buffer.from(`${message.length} `), message);
        });
        const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(c.timeout_s * 1_000))]);
        try {
          if (socket === undefined || socket.destroyed || socket.readyState !== "open") socket = await dial(c, ca, deadline);
          if (parts.length > 0) await handOver(socket, Buffer.concat(parts), deadline);
        } catch (error) {
          socket?.destroy();
          socket = undefined;
          const late = deadline.aborted && !signal.aborted;
          return {
            outcome: "unavailable",
            reason: `${c.host}:${c.port}: ${late ? `not taken within ${c.timeout_s} s` : (error as Error).message}`,
          };
        }
        return { outcome: "answered", answer: `handed over to ${c.host}:${c.port}`, refused };
      },
      close: async () => void socket?.end(),
    };
  },
});

/** What a header may hold: printable ASCII without blanks. */
const word = (text: string, most: number): string => text.replace(/[^\x21-\x7e]/g, "_").slice(0, most) || "-";
const quoted = (text: string): string => text.replace(/[\\"\]]/g, (c) => `\\${c}`);

function headOf(record: Outgoing, c: Options, hostname: string): string {
  const priority = c.facility * 8 + severities[record.severity];
  // 32473 is IANA's number for examples: ours is not registered. Readers of CEF look for it right behind the header
  const data = c.body === "cef" ? "-" : `[vedette@32473 id="${quoted(record.id)}"]`;
  return `<${priority}>1 ${formatTime(record.time)} ${word(record.host || hostname, 255)} ${c.app_name} - ${record.kind} ${data}`;
}

function dial(c: Options, ca: Buffer | undefined, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket: Socket = c.tls
      ? connectTls({ host: c.host, port: c.port, servername: c.host, minVersion: "TLSv1.2", ...(ca && { ca }) }, () => done())
      : connect({ host: c.host, port: c.port }, () => done());
    const failed = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    const aborted = () => failed(new Error("no connection in time"));
    signal.addEventListener("abort", aborted, { once: true });
    socket.once("error", failed);
    const done = () => {
      signal.removeEventListener("abort", aborted);
      socket.off("error", failed);
      // from now on a broken connection shows when something is handed over
      socket.on("error", () => {});
      socket.resume();
      resolve(socket);
    };
  });
}

/** Resolves when the kernel has taken every byte. */
function handOver(socket: Socket, bytes: Buffer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error("the receiver closed the connection"));
    const aborted = () => reject(new Error("aborted"));
    socket.once("close", ended);
    signal.addEventListener("abort", aborted, { once: true });
    socket.write(bytes, (error) => {
      socket.off("close", ended);
      signal.removeEventListener("abort", aborted);
      error ? reject(error) : resolve();
    });
  });
}
