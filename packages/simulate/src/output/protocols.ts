/** Sends a simulation's records by the protocols that real senders use: Filebeat's bulk, Slurm's plug-in, remote write, plain HTTP. Knows no server's inside. */
import type { Emitted, Stream } from "../world.ts";
import { snappyLiterals, writeRequestBytes } from "./remote_write.ts";

/** Records of one request; shippers send some hundreds to thousands. */
const together = 1_000;
interface Request {
  readonly path: string;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: { readonly [name: string]: string };
}

/** Posts to the receiver; resolves when it has taken the request, and waits while it has no room. */
export type Post = (path: string, body: Uint8Array, headers: { readonly [name: string]: string }) => Promise<unknown>;

/** Sends one batch; what comes from one stream arrives in its order, one request at a time, as its shipper would send it. */
export async function send(records: readonly Emitted[], post: Post): Promise<void> {
  const streams = new Map<Stream, string[]>();
  for (const { stream, line, incident } of records) {
    const lines = streams.get(stream) ?? [];
    lines.push(line);
    streams.set(stream, lines);
    incident?.wrote(stream, 0);
  }
  await Promise.all(
    [...streams].map(async ([stream, lines]) => {
      for (let at = 0; at < lines.length; at += together)
        for (const { path, type, body, headers } of requestsOf(stream, lines.slice(at, at + together)))
          await post(path, Buffer.from(body as string), { "content-type": type, ...headers });
    }),
  );
}

const ndjson = "application/x-ndjson";

function requestsOf(stream: Stream, lines: readonly string[]): readonly Request[] {
  if (stream.startsWith("zeek/")) {
    const path = `/opt/zeek/logs/current/${stream.slice(5)}.log`;
    const body = lines
      .map((message) => `{"create":{}}\n${JSON.stringify({ message, log: { file: { path } }, agent: { type: "filebeat" } })}\n`)
      .join("");
    return [{ path: "/zeek/_bulk", type: ndjson, body }];
  }
  if (stream === "slurm/jobcomp") return lines.map((body) => ({ path: "/slurm/_doc", type: "application/json", body }));
  if (stream === "metrics")
    return lines.map((line) => ({
      path: "/api/v1/write",
      type: "application/x-protobuf",
      body: snappyLiterals(writeRequestBytes(line)),
      headers: { "content-encoding": "snappy", "x-prometheus-remote-write-version": "0.1.0" },
    }));
  const source = stream.startsWith("slurm/") ? stream.replace("/", "-") : stream;
  return [
    {
      path: `/ingest/${source}`,
      type: stream === "auth" || stream === "slurm/sacct" ? "text/plain" : ndjson,
      body: `${lines.join("\n")}\n`,
    },
  ];
}
