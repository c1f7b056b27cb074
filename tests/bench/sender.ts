/** Offers NDJSON to a Vedette's /ingest at a fixed rate over kept-alive connections, and times each answer. Knows nothing of what it sends. */
import { createReadStream } from "node:fs";
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

/** Sends so many events as fast as they are taken, four posts at a time. */
export async function fill(program: Program, bodies: readonly Buffer[], eventsPerBody: number, events: number): Promise<void> {
  const { headers } = program;
  let next = 0;
  const posts = Math.ceil(events / eventsPerBody);
  const lane = async () => {
    while (next < posts) {
      const n = next++;
      for (;;) {
        const status = await post(program, bodies[n % bodies.length]!, headers);
        if (status === 200) break;
        if (status !== 429 && status !== 503) throw new Error(`filling: answer ${status}\n${program.output}`);
        await new Promise((r) => setTimeout(r, 100));
      }
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}
