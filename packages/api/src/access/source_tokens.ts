/** Tokens that may ingest for one source and do nothing else. Keeps hashes only: a token is shown once, when it is made. */
import { newToken, tokenHash } from "@vedette/access";
import type { Quota } from "@vedette/cluster";
import { type Clock, inTurn } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { SettingStore } from "@vedette/store";

export interface SourceToken {
  /** Names the token where it is listed or revoked; says nothing of its secret. */
  readonly id: string;
  readonly source: string;
  readonly created: Micros;
  readonly quota?: Quota;
}
interface Stored extends SourceToken {
  readonly hash: string;
}

export const sourceTokenSetting = "api.source_tokens";
/** A leaked token is recognised by it in scans of repositories and logs. */
const prefix = "vds_";
/** Far more than a cluster has senders; the list is one small document. */
const maxTokens = 10_000;

const quotas = (all: readonly Stored[]) => new Map(all.flatMap(({ id, quota }) => (quota === undefined ? [] : [[id, quota] as const])));

export class SourceTokens {
  readonly #settings: SettingStore;
  readonly #clock: Clock;
  #byHash: ReadonlyMap<string, Stored> = new Map();
  #quotas: ReadonlyMap<string, Quota> = new Map();
  /** Changes go one after the other: each rewrites the whole document. */
  readonly #change = inTurn();

  private constructor(settings: SettingStore, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  static async open(settings: SettingStore, clock: Clock): Promise<SourceTokens> {
    const tokens = new SourceTokens(settings, clock);
    await tokens.reload();
    return tokens;
  }

  /** As the store has them now: another process may have changed them. */
  reload(): Promise<void> {
    return this.#change(() => this.#read());
  }

  /** The token with this hash. */
  ofHash(hash: string): SourceToken | undefined {
    return this.#byHash.get(hash);
  }

  /** The quota of the token with this id. */
  quotaOf(id: string): Quota | undefined {
    return this.#quotas.get(id);
  }

  list(): readonly SourceToken[] {
    return [...this.#byHash.values()].map(({ hash: _, ...token }) => token);
  }

  /** Makes a token; undefined when there are too many. It is good once this resolves. */
  issue(source: string, quota?: Quota): Promise<(SourceToken & { readonly token: string }) | undefined> {
    return this.#change(async () => {
      await this.#read();
      if (this.#byHash.size >= maxTokens) return undefined;
      const token = `${prefix}${newToken()}`;
      const hash = tokenHash(token);
      const made = { id: hash.slice(0, 10), source, created: this.#clock.now(), ...(quota && { quota }) };
      await this.#save(new Map(this.#byHash).set(hash, { ...made, hash }));
      return { ...made, token };
    });
  }

  /** Takes a token back; false when there is none with this id. */
  revoke(id: string): Promise<boolean> {
    return this.#change(async () => {
      await this.#read();
      const left = new Map([...this.#byHash].filter(([, one]) => one.id !== id));
      if (left.size === this.#byHash.size) return false;
      await this.#save(left);
      return true;
    });
  }

  /** Before each change too: the whole document is written, with what another process put there. */
  async #read(): Promise<void> {
    const text = await this.#settings.get(sourceTokenSetting);
    this.#take(text === undefined ? [] : (JSON.parse(text) as Stored[]));
  }

  /** Written before it counts: a token that was handed out survives a crash, a revoked one does not. */
  async #save(tokens: ReadonlyMap<string, Stored>): Promise<void> {
    await this.#settings.set(sourceTokenSetting, JSON.stringify([...tokens.values()]));
    this.#take([...tokens.values()]);
  }

  #take(all: readonly Stored[]): void {
    this.#byHash = new Map(all.map((one) => [one.hash, one]));
    this.#quotas = quotas(all);
  }
}
