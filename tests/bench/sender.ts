/**
 * Offers lines at a fixed rate: to a Vedette's /ingest over kept-alive connections, timing each answer, or to files that it follows.
 * Knows nothing of what it sends.
 */
import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { corpus } from "./corpus.ts";
import type { Program } from "./program.ts";

export interface Sent {
  /** Milliseconds from the moment a post was due to its answer: a late sender counts against the result, not for it. */
  readonly latency_ms: number[];
  accepted: number;
  refused: number;
  /** Posts that failed otherwise. */
  failed: number;
  elapsed_s: number;
}

/** Posts under way at once beyond which the sender leaves one out, counted as failed: it must not drown itself. */
const maxUnderWay = 512;

/** @returns bodies of `size` Zeek events each, `events` in all */
export async function bodies(events: number, size: number): Promise<readonly Buffer[]> {
  const { zeek } = await corpus(Math.ceil(events / 0.9));
  const made: Buffer[] = [];
  let lines: string[] = [];
  const input = createReadStream(zeek);
  for await (const line of createInterface({ input })) {
    lines.push(line);
    if (lines.length < size) continue;
    made.push(Buffer.from(`${lines.join("\n")}\n`));
    lines = [];
    if (made.length * size >= events) break;
  }
  input.destroy();
  return made;
}

/** One post; resolves with the status, 0 when the connection failed. */
export function post(program: Program, body: Buffer, headers: { readonly authorization: string }): Promise<number> {
  return new Promise((resolve) => {
    const sending = request(
      `${program.url}/ingest/bench`,
      {
        method: "POST",
        agent: program.agent,
        headers: { ...headers, "content-type": "application/x-ndjson", "content-length": body.length },
      },
      (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
        response.once("error", () => resolve(0));
      },
    );
    sending.once("error", () => resolve(0));
    sending.end(body);
  });
}

/** Sends `bodies` over and over, `perSecond` posts a second, until `signal` aborts. */
export async function offer(
  program: Program,
  bodies: readonly Buffer[],
  eventsPerBody: number,
  perSecond: number,
  signal: AbortSignal,
): Promise<Sent> {
  const sent: Sent = { latency_ms: [], accepted: 0, refused: 0, failed: 0, elapsed_s: 0 };
  const { headers } = program;
  const underWay = new Set<Promise<void>>();
  const begun = performance.now();
  for (let n = 0; !signal.aborted; n++) {
    const due = begun + (n * 1_000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((r) => setTimeout(r, wait));
    if (underWay.size >= maxUnderWay) {
      sent.failed++;
      // setImmediate lets answers in while the sender is behind
      await new Promise((r) => setImmediate(r));
      continue;
    }
    const one = post(program, bodies[n % bodies.length]!, headers).then((status) => {
      underWay.delete(one);
      if (status === 200) {
        sent.accepted += eventsPerBody;
        sent.latency_ms.push(performance.now() - due);
      } else if (status === 429 || status === 503) sent.refused++;
      else sent.failed++;
    });
    underWay.add(one);
  }
  sent.elapsed_s = (performance.now() - begun) / 1_000;
  await Promise.all(underWay);
  return sent;
}

/**
 * Appends `bodies` over and over to the files in turn, `perSecond` bodies a second, until `signal` aborts: costs the sender next to nothing.
 * @returns bodies written, and in how long
 */
export async function append(
  files: readonly string[],
  bodies: readonly Buffer[],
  perSecond: number,
  signal: AbortSignal,
): Promise<{ readonly written: number; readonly elapsed_s: number }> {
  const open = files.map((file) => openSync(file, "a"));
  const begun = performance.now();
  let written = 0;
  while (!signal.aborted) {
    const wait = begun + (written * 1_000) / perSecond - performance.now();
    if (wait > 0) await new Promise((r) => setTimeout(r, wait));
    // whoever is late catches up with a few at once, and lets others in between
    for (let n = 0; n < 8 && begun + (written * 1_000) / perSecond <= performance.now(); n++) {
      writeSync(open[written % open.length]!, bodies[written % bodies.length]!);
      written++;
    }
    await new Promise((r) => setImmediate(r));
  }
  const elapsed_s = (performance.now() - begun) / 1_000;
  for (const fd of open) closeSync(fd);
  return { written, elapsed_s };
}
