/** Writes events by id with `_bulk`, item by item: what is busy is tried again, what is refused for good is told, nothing is lost in silence. */
import type { Event } from "@vedette/model";
import type { RefusedEvent } from "../store.ts";
import { type Client, reasonOf, trouble, unavailable } from "./client.ts";
import { documentId, documentOf } from "./documents.ts";
import { indexOf, type Layout } from "./indices.ts";

/** OpenSearch advises 5 to 15 MB a request; two under way keep it busy without holding more than that in memory. */
const maxBytes = 5_000_000;
const maxDocuments = 2_000;
const atOnce = 2;
/** A busy cluster is asked again so many times, some 6 s, before whoever called hears of it and asks anew. */
const tries = 6;
const firstDelay_ms = 100;

interface Item {
  readonly status?: number;
  readonly error?: { readonly type?: string; readonly reason?: string };
}
interface Line {
  readonly event: Event;
  readonly index: string;
  readonly bare: boolean;
}

interface Ready extends Line {
  readonly text: string;
}

/** What is wrong with the document itself, whoever it is sent to; anything else passes or is mended in the cluster. */
const ofDocument: ReadonlySet<string> = new Set([
  "mapper_parsing_exception",
  "document_parsing_exception",
  "illegal_argument_exception",
  "strict_dynamic_mapping_exception",
  "parsing_exception",
  "x_content_parse_exception",
]);

export class Bulk {
  readonly #client: Client;
  readonly #layout: Layout;
  readonly #sleep: (ms: number) => Promise<void>;
  /** Indices written since they were last refreshed. */
  readonly written = new Set<string>();

  constructor(client: Client, layout: Layout, sleep: (ms: number) => Promise<void>) {
    this.#client = client;
    this.#layout = layout;
    this.#sleep = sleep;
  }

  /** Resolves when all but those it returns are durable. @throws UnavailableError: some may be stored, all are to be put again */
  async put(events: readonly Event[]): Promise<readonly RefusedEvent[]> {
    const refused: RefusedEvent[] = [];
    const requests = this.#requests(events);
    const work = async () => {
      for (let next = requests.next(); !next.done; next = requests.next()) refused.push(...(await this.#insist(next.value)));
    };
    const done = await Promise.allSettled(Array.from({ length: atOnce }, work));
    for (const one of done) if (one.status === "rejected") throw one.reason;
    return refused;
  }

  *#requests(events: readonly Event[]): Generator<readonly Ready[]> {
    let [lines, size]: [Ready[], number] = [[], 0];
    for (const event of events) {
      const line = { event, index: indexOf(this.#layout, event.class, event.received), bare: false };
      const text = textOf(line);
      if (lines.length > 0 && (size + text.length > maxBytes || lines.length >= maxDocuments)) {
        yield lines;
        [lines, size] = [[], 0];
      }
      lines.push({ ...line, text });
      size += text.length;
    }
    if (lines.length > 0) yield lines;
  }

  async #insist(first: readonly Ready[]): Promise<readonly RefusedEvent[]> {
    const refused: RefusedEvent[] = [];
    let lines = first;
    for (let attempt = 1, delay_ms = firstDelay_ms; ; attempt++, delay_ms *= 2) {
      const { again, gone, why, tooLarge } = await this.#send(lines);
      if (tooLarge) {
        // one of them may be what is too large, or a proxy takes less at once
        const half = Math.ceil(lines.length / 2);
        refused.push(...(await this.#insist(lines.slice(0, half))), ...(await this.#insist(lines.slice(half))));
        return refused;
      }
      for (const { line, reason } of gone) {
        // its terms may be what is not taken: the event alone is found by whoever looks through all of them
        if (line.bare) refused.push({ event: line.event, reason });
        else again.push({ ...line, bare: true, text: textOf({ ...line, bare: true }) });
      }
      if (again.length === 0) return refused;
      if (why !== undefined) {
        if (attempt >= tries) throw unavailable(why);
        await this.#sleep(delay_ms);
      }
      lines = again;
    }
  }

  async #send(lines: readonly Ready[]): Promise<{
    readonly again: Ready[];
    readonly gone: readonly { readonly line: Ready; readonly reason: string }[];
    /** Why some are to be sent again. */
    readonly why: string | undefined;
    readonly tooLarge?: boolean;
  }> {
    const body = lines.map(({ text }) => text).join("");
    for (const { index } of lines) this.written.add(index);
    const answer = await this.#client.ask("POST", "/_bulk?filter_path=errors,items.*.status,items.*.error", body);
    const again: Ready[] = [];
    const gone: { readonly line: Ready; readonly reason: string }[] = [];
    if (answer.status === 429 || answer.status === 502 || answer.status === 503 || answer.status === 504)
      return { again: [...lines], gone, why: trouble(answer.status, answer.body, this.#client.user) as string };
    if (answer.status === 413) {
      const [one] = lines;
      if (lines.length > 1 || one === undefined) return { again, gone, why: undefined, tooLarge: true };
      return { again, gone: [{ line: one, reason: "larger than OpenSearch takes (http.max_content_length)" }], why: undefined };
    }
    const { items, errors } = (answer.body ?? {}) as { items?: readonly { readonly [action: string]: Item }[]; errors?: boolean };
    if (answer.status >= 300 || !Array.isArray(items) || items.length !== lines.length)
      throw unavailable(
        trouble(answer.status, answer.body, this.#client.user) ??
          `OpenSearch refused a bulk request: HTTP ${answer.status}, ${reasonOf(answer.body)}`,
      );
    let why: string | undefined;
    if (errors)
      for (const [n, item] of items.entries()) {
        const { status = 0, error }: Item = Object.values(item as { readonly [action: string]: Item })[0] ?? {};
        if (status >= 200 && status < 300) continue;
        const line = lines[n] as Ready;
        const reason = `${error?.type ?? ""}: ${error?.reason ?? ""}`.replace(/\s+/g, " ").slice(0, 300);
        if (status === 400 && ofDocument.has(error?.type ?? "")) gone.push({ line, reason });
        else {
          again.push(line);
          why ??= trouble(status, { error }, this.#client.user) ?? `OpenSearch did not take an event: HTTP ${status}, ${reason}`;
        }
      }
    return { again, gone, why };
  }
}

function textOf({ event, index, bare }: Line): string {
  return `{"index":{"_index":${JSON.stringify(index)},"_id":${JSON.stringify(documentId(event))}}}\n${documentOf(event, bare)}\n`;
}
