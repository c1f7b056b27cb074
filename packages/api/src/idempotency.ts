/**
 * A POST that is sent again is done once: with the same `Idempotency-Key` it gets the answer of the first. Answers are kept sealed under a key
 * made of the caller's own, so that a token shown once cannot be read by who reads the store. Knows no route.
 */
import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from "node:crypto";
import { callerOf } from "@vedette/access";
import type { Clock } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { SettingStore } from "@vedette/store";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ApiProblem } from "./problems.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The key under which this request's answer is to be kept. */
    keyed: Keyed | undefined;
  }
}

interface Keyed {
  readonly id: string;
  readonly seal: Uint8Array;
  readonly print: string;
}
/** Without `status` it was begun, and what became of it is not known. */
interface Kept {
  readonly print: string;
  readonly until: Micros;
  /** Of the attempt: the same request at two processes at one moment is not one. */
  readonly by?: string;
  readonly status?: number;
  readonly type?: string;
  /** Absent where the answer was too long. */
  readonly sealed?: string;
}

/** Long enough for a queue of retries over a night, as others keep them too. */
const lifetime: Micros = 24 * 3_600_000_000;
/** Requests with a key in a day; beyond, the oldest are forgotten. */
const maxKept = 1_000;
/** An answer that makes something is a few hundred bytes; a plan of rules is longer and not worth keeping. */
const maxAnswer = 65_536;
const index = "api.idempotency";
const nameOf = (id: string) => `${index}.${id}`;

const conflict = (status: number, detail: string) => new ApiProblem(status, "conflict", detail);

function keyedOf(request: FastifyRequest, key: string): Keyed {
  const caller = `${request.principal?.kind}\n${callerOf(request.principal)}\n${key}`;
  const { body } = request;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body ?? null));
  return {
    id: hash("sha256", `id\n${caller}`, "base64url"),
    seal: new Uint8Array(hkdfSync("sha256", caller, "", "vedette idempotency", 32)),
    print: hash("sha256", Buffer.concat([Buffer.from(`${request.method} ${request.url}\n`), bytes]), "base64url"),
  };
}

function sealed(key: Uint8Array, text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64");
}

function opened(key: Uint8Array, text: string): string {
  const bytes = Buffer.from(text, "base64");
  const cipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
  cipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([cipher.update(bytes.subarray(12, -16)), cipher.final()]).toString("utf8");
}

class KeptAnswers {
  readonly #settings: SettingStore;
  readonly #clock: Clock;
  /** The index is one document: changes of it go one after the other here, and are asked for again where another process was faster. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(settings: SettingStore, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * Written before the request is carried out, so that a crash in its middle is known; in one step, so that of two processes one carries it out.
   * @returns what was there already: then it was not begun
   */
  async begin({ id, print }: Keyed): Promise<Kept | undefined> {
    const now = this.#clock.now();
    const until = now + lifetime;
    const begun = JSON.stringify({ print, until, by: randomBytes(9).toString("base64url") } satisfies Kept);
    for (;;) {
      const there = await this.#settings.add(nameOf(id), begun);
      if (there === begun) break;
      const kept = JSON.parse(there) as Kept;
      if (kept.until > now) return kept;
      if (await this.#settings.replace(nameOf(id), there, begun)) break;
    }
    const change = this.#changing.then(() => this.#enlist(id, until));
    this.#changing = change.catch(() => undefined);
    await change;
    return undefined;
  }

  async end({ id, print, seal }: Keyed, status: number, type: string | undefined, body: string): Promise<void> {
    const kept: Kept = {
      print,
      until: this.#clock.now() + lifetime,
      status,
      ...(type !== undefined && { type }),
      ...(body.length <= maxAnswer && { sealed: sealed(seal, body) }),
    };
    await this.#settings.set(nameOf(id), JSON.stringify(kept));
  }

  /** What was refused may be tried again under the same key. */
  forget({ id }: Keyed): Promise<void> {
    return this.#settings.set(nameOf(id), undefined);
  }

  async #enlist(id: string, until: Micros): Promise<void> {
    for (;;) {
      const text = await this.#settings.add(index, "[]");
      const listed = JSON.parse(text) as [id: string, until: Micros][];
      const others = listed.filter(([one]) => one !== id);
      const kept = others.filter(([, end]) => end > this.#clock.now()).slice(1 - maxKept);
      if (!(await this.#settings.replace(index, text, JSON.stringify([...kept, [id, until]])))) continue;
      for (const [one] of others.filter((entry) => !kept.includes(entry))) await this.#settings.set(nameOf(one), undefined);
      return;
    }
  }
}

function keyOf(request: FastifyRequest): string | undefined {
  const key = request.headers["idempotency-key"];
  if (key === undefined || request.method !== "POST" || request.principal === undefined) return undefined;
  if (typeof key !== "string" || !/^[\x21-\x7e]{1,255}$/.test(key))
    throw new ApiProblem(400, "bad_request", "headers/idempotency-key: expected 1 to 255 printable ASCII characters, such as a UUID");
  return key;
}

/** The answer of the first request, or why there is none. */
function replay(reply: FastifyReply, { seal, print }: Keyed, kept: Kept): FastifyReply {
  if (kept.print !== print) throw conflict(422, "this Idempotency-Key came with another request before");
  if (kept.status === undefined)
    throw conflict(409, "a request with this Idempotency-Key was begun, and how it ended is not known; look whether it was done");
  reply.header("idempotency-replayed", "true").header("cache-control", "no-store");
  if (kept.sealed === undefined) throw conflict(409, "this request was done before; its answer was too long to keep");
  const body = opened(seal, kept.sealed);
  reply.code(kept.status).serializer(String);
  if (kept.type !== undefined) reply.header("content-type", kept.type);
  return reply.send(body === "" ? null : body);
}

/** Puts it around the routes of this scope. */
export function idempotency(scope: FastifyInstance, settings: SettingStore, clock: Clock): void {
  const answers = new KeptAnswers(settings, clock);
  const underWay = new Set<string>();
  scope.decorateRequest("keyed", undefined);
  scope.addHook("preValidation", async (request, reply) => {
    const key = keyOf(request);
    if (key === undefined) return;
    const keyed = keyedOf(request, key);
    if (underWay.has(keyed.id)) throw conflict(409, "a request with this Idempotency-Key is under way");
    underWay.add(keyed.id);
    try {
      const kept = await answers.begin(keyed);
      if (kept !== undefined) return replay(reply, keyed, kept);
      request.keyed = keyed;
    } finally {
      if (request.keyed === undefined) underWay.delete(keyed.id);
    }
  });
  scope.addHook("onSend", async ({ keyed }, reply, payload) => {
    if (keyed === undefined) return payload;
    // a refusal did nothing: whoever puts the request right may use the key again; of a fault nobody knows what it did
    if (reply.statusCode === 500) return payload;
    if (reply.statusCode >= 400) await answers.forget(keyed);
    else
      await answers.end(keyed, reply.statusCode, reply.getHeader("content-type")?.toString(), typeof payload === "string" ? payload : "");
    return payload;
  });
  scope.addHook("onResponse", async ({ keyed }) => void (keyed !== undefined && underWay.delete(keyed.id)));
}
