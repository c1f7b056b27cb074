/**
 * Tells canaries from everything else: a mark in the batch's header that only this installation can make, bound to rule, time, nonce and the
 * very records, and good once. Knows no rule and no log.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, type Secrets } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { type CanaryMark, decodeBatch, hasMark, type RecordsHeader } from "../batch.ts";

/** Names under which sources cannot be opened from outside. */
export const reservedPrefix = "vedette.";
export const canarySource = "vedette.canary";
/** How long a mark is good after the newest one in the log, and how long nonces are remembered. */
const window: Micros = 600_000_000;
const keyBytes = 32;

/** What the engine knows of a batch it takes for a canary. */
export interface CanaryRef {
  readonly rule: string;
  readonly nonce: string;
}

type Marked = Pick<RecordsHeader, "tenant" | "source" | "received" | "runs" | "positions">;

export class CanaryKey {
  readonly #key: Buffer;
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** The installation's own, made when it is first asked for; readable by its user only. @throws ConfigError `data_dir_format` */
  static of(directory: string): CanaryKey {
    const file = join(directory, "canary.key");
    if (!existsSync(file)) writeFileSync(file, `${randomBytes(keyBytes).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
    const key = Buffer.from(readFileSync(file, "utf8").trim(), "base64url");
    if (key.length !== keyBytes)
      throw new ConfigError("data_dir_format", `${file} does not hold a key of ${keyBytes} bytes; remove it and a new one is made`);
    return new CanaryKey(key);
  }

  /** The one that every process of an installation has. */
  static async kept(secrets: Secrets): Promise<CanaryKey> {
    return new CanaryKey(Buffer.from(await secrets.keep("canary", () => new Uint8Array(randomBytes(keyBytes)))));
  }

  sign(ref: CanaryRef, header: Marked, bodies: readonly Uint8Array[]): CanaryMark {
    const mark = { ...ref, at: header.received };
    return { ...mark, mac: this.#mac(mark, header, bodies).toString("base64url") };
  }

  holds(mark: CanaryMark, header: Marked, bodies: readonly Uint8Array[]): boolean {
    const mac = Buffer.from(String(mark.mac), "base64url");
    const right = this.#mac(mark, header, bodies);
    return mark.at === header.received && mac.length === right.length && timingSafeEqual(mac, right);
  }

  #mac({ rule, nonce, at }: Omit<CanaryMark, "mac">, { tenant, source, runs, positions }: Marked, bodies: readonly Uint8Array[]): Buffer {
    const content = createHash("sha256");
    for (const body of bodies) content.update(createHash("sha256").update(body).digest());
    const told = JSON.stringify([rule, nonce, at, tenant, source, runs, positions, content.digest("base64url")]);
    return createHmac("sha256", this.#key).update(told).digest();
  }
}

export interface GateState {
  readonly newest: Micros;
  readonly nonces: readonly (readonly [nonce: string, offset: number, at: Micros])[];
}

/** Fed in log order, and part of the checkpoint: what it takes for a canary is a function of the log and the key. */
export class CanaryGate {
  readonly #key: CanaryKey | undefined;
  readonly #nonces = new Map<string, { readonly offset: number; readonly at: Micros }>();
  #newest: Micros = 0;

  /** Without a key nothing is a canary. */
  constructor(key: CanaryKey | undefined) {
    this.#key = key;
  }

  /** @returns what the batch proves; "forged" for a mark that is none of ours or was used before: then it is a batch like any other */
  admit(offset: number, bytes: Uint8Array): CanaryRef | "forged" | undefined {
    if (!hasMark(bytes)) return undefined;
    let batch: ReturnType<typeof decodeBatch>;
    try {
      batch = decodeBatch(bytes);
    } catch {
      return undefined;
    }
    if (!("bodies" in batch)) return undefined;
    const { header, bodies } = batch;
    const mark = header.canary;
    if (!mark || !this.#key?.holds(mark, header, bodies)) return "forged";
    const used = this.#nonces.get(mark.nonce);
    // the same offset is the same batch, read again after a restart
    if (used && used.offset !== offset) return "forged";
    if (mark.at < this.#newest - window) return "forged";
    this.#newest = Math.max(this.#newest, mark.at);
    this.#nonces.set(mark.nonce, { offset, at: mark.at });
    for (const [nonce, { at }] of this.#nonces) if (at < this.#newest - window) this.#nonces.delete(nonce);
    return { rule: mark.rule, nonce: mark.nonce };
  }

  state(): GateState {
    return { newest: this.#newest, nonces: [...this.#nonces].map(([nonce, { offset, at }]) => [nonce, offset, at]) };
  }
  /** @param from raw offset from which the log is read again: what was read ahead of it is forgotten */
  restore({ nonces }: GateState, from: number): void {
    for (const [nonce, offset, at] of nonces) {
      if (offset >= from) continue;
      this.#nonces.set(nonce, { offset, at });
      this.#newest = Math.max(this.#newest, at);
    }
  }
}
