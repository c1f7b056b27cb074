/** Access tokens of API clients: signed JWTs of RFC 9068, good for minutes. Knows whose they are by id only. */
import { createPrivateKey, createPublicKey, createSecretKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { type Clock, idOf, inTurn, type SealedBox, type Sealer, tokenHash } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { errors, type JWK, type JWTHeaderParameters, jwtVerify, SignJWT } from "jose";

/** A place for small documents, such as the state store's settings. */
export interface Documents {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string | undefined): Promise<void>;
}

export interface AccessTokenOptions {
  readonly clock: Clock;
  readonly algorithm: "HS256" | "EdDSA";
  /** Keys of HS256 as they are now: the first signs, what the others signed is taken. */
  readonly secrets: () => readonly Uint8Array[];
  readonly lifetime: Micros;
  /** Who makes the tokens and who takes them: this installation. */
  readonly issuer: string;
  readonly documents: Documents;
  readonly sealer: Sealer;
}

export interface Claims {
  /** A person's id. */
  readonly subject: string;
  readonly session: string;
  readonly expires: Micros;
}

interface SigningKey {
  readonly kid: string;
  readonly created: Micros;
  readonly private: KeyObject;
  readonly public: KeyObject;
  readonly box: string;
}
type StoredKey = Pick<SigningKey, "kid" | "created" | "box">;

const audience = "vedette-api";
/** RFC 9068, 2.1: told apart from an ID token. */
const type = "at+jwt";
/** A signing key is used for a month; what it signed is taken until it expires. */
const keyLifetime: Micros = 30 * 86_400_000_000;
/** Tokens whose signature was checked: the next request with the same one need not be. */
const maxKnown = 10_000;
const maxLength = 4_096;
const setting = "access.signing_keys";
/** Headers that would let the token say how it is to be checked. */
const refusedHeaders = ["jku", "jwk", "x5u", "x5c", "crit", "b64"] as const;

const placeOf = (kid: string): string => `access token key ${kid}`;
const seconds = (time: Micros): number => Math.floor(time / 1_000_000);

export class AccessTokens {
  readonly #options: AccessTokenOptions;
  readonly #known = new Map<string, Claims>();
  readonly #inTurn = inTurn();
  /** Newest first. */
  #keys: readonly SigningKey[];

  private constructor(options: AccessTokenOptions, keys: readonly SigningKey[]) {
    this.#options = options;
    this.#keys = keys;
  }

  /** @throws VedetteError `sealed_key_missing`, `sealed_damaged` */
  static async open(options: AccessTokenOptions): Promise<AccessTokens> {
    const text = await options.documents.get(setting);
    const stored = text === undefined ? [] : (JSON.parse(text) as StoredKey[]);
    return new AccessTokens(
      options,
      stored.map(({ kid, created, box }) => {
        const der = options.sealer.open(Buffer.from(box, "base64"), placeOf(kid));
        return signingKey(Buffer.from(der), kid, created, box);
      }),
    );
  }

  get lifetime(): Micros {
    return this.#options.lifetime;
  }

  async issue(subject: string, session: string): Promise<string> {
    const { clock, algorithm, issuer, lifetime } = this.#options;
    const now = clock.now();
    const key = algorithm === "EdDSA" ? await this.#signingKey() : undefined;
    return await new SignJWT({ sid: session })
      .setProtectedHeader({ alg: algorithm, typ: type, ...(key && { kid: key.kid }) })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(subject)
      .setIssuedAt(seconds(now))
      .setNotBefore(seconds(now))
      .setExpirationTime(seconds(now + lifetime))
      .setJti(idOf(session, now))
      .sign(key?.private ?? createSecretKey(this.#options.secrets()[0]!));
  }

  /** Checks a token's signature and claims, once: what is good is known from then on. */
  async check(token: string): Promise<void> {
    if (token.length > maxLength) return;
    const hash = tokenHash(token);
    if (!this.#known.has(hash)) await this.#verify(token, hash);
  }

  /** What a checked token claims, if it has not expired; its session may have ended. */
  known(token: string): Claims | undefined {
    if (token.length > maxLength) return undefined;
    const known = this.#known.get(tokenHash(token));
    return known !== undefined && known.expires > this.#options.clock.now() ? known : undefined;
  }

  /** The public keys that others check our tokens by, RFC 7517; none with HS256. */
  keySet(): { readonly keys: readonly JWK[] } {
    const { algorithm } = this.#options;
    if (algorithm === "HS256") return { keys: [] };
    return {
      keys: this.#keys.map((key) => ({ ...(key.public.export({ format: "jwk" }) as JWK), kid: key.kid, alg: algorithm, use: "sig" })),
    };
  }

  /** The sealed signing keys, for a rotation of keys. */
  boxes(purpose: string): readonly SealedBox[] {
    return this.#keys.map(({ kid, box }) => ({
      purpose,
      place: placeOf(kid),
      bytes: new Uint8Array(Buffer.from(box, "base64")),
      replace: (bytes) =>
        this.#inTurn(async () => {
          if (!this.#keys.some((one) => one.kid === kid && one.box === box)) return false;
          await this.#keep(this.#keys.map((one) => (one.kid === kid ? { ...one, box: Buffer.from(bytes).toString("base64") } : one)));
          return true;
        }),
    }));
  }

  async #verify(token: string, hash: string): Promise<void> {
    const { algorithm, secrets } = this.#options;
    // a token of HS256 names no key: which of ours signed it is found by trying
    const keys = algorithm === "HS256" ? secrets().map((secret) => createSecretKey(secret)) : [undefined];
    for (const key of keys) {
      const claims = await this.#claimsOf(token, key);
      if (claims === undefined) continue;
      if (this.#known.size >= maxKnown) this.#known.delete(this.#known.keys().next().value!);
      this.#known.set(hash, claims);
      return;
    }
  }

  async #claimsOf(token: string, hmac: KeyObject | undefined): Promise<Claims | undefined> {
    const { issuer, algorithm, clock } = this.#options;
    try {
      const { payload } = await jwtVerify(token, (header) => this.#keyOf(header, hmac), {
        algorithms: [algorithm],
        issuer,
        audience,
        typ: type,
        currentDate: new Date(clock.now() / 1_000),
        requiredClaims: ["sub", "sid", "exp", "nbf", "iat", "jti"],
      });
      if (typeof payload["sid"] !== "string" || payload.sub === undefined || payload.exp === undefined) return undefined;
      return { subject: payload.sub, session: payload["sid"], expires: payload.exp * 1_000_000 };
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      return undefined;
    }
  }

  /** Looked up among our own and nowhere else: no name in a token leads to a file or another host. */
  #keyOf(header: JWTHeaderParameters, hmac: KeyObject | undefined): KeyObject {
    if (refusedHeaders.some((name) => name in header)) throw new errors.JWSInvalid("the token names its own key");
    if (hmac !== undefined) return hmac;
    const key = this.#keys.find(({ kid }) => kid === header.kid);
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key.public;
  }

  /** The key to sign with; a new one when the newest is old, and then those are dropped whose tokens have all expired. */
  #signingKey(): Promise<SigningKey> {
    return this.#inTurn(async () => {
      const now = this.#options.clock.now();
      const newest = this.#keys[0];
      if (newest !== undefined && newest.created + keyLifetime > now) return newest;
      const made = this.#newKey(now);
      const taken = this.#keys.filter((_, at) => {
        const replaced = at === 0 ? now : this.#keys[at - 1]!.created;
        return replaced + this.#options.lifetime > now;
      });
      await this.#keep([made, ...taken]);
      return made;
    });
  }

  #newKey(now: Micros): SigningKey {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const der = privateKey.export({ format: "der", type: "pkcs8" });
    const kid = idOf("access token key", publicKey.export({ format: "der", type: "spki" }).toString("base64"));
    const box = Buffer.from(this.#options.sealer.seal(der, placeOf(kid))).toString("base64");
    return signingKey(der, kid, now, box);
  }

  async #keep(keys: readonly SigningKey[]): Promise<void> {
    const stored: readonly StoredKey[] = keys.map(({ kid, created, box }) => ({ kid, created, box }));
    await this.#options.documents.set(setting, JSON.stringify(stored));
    this.#keys = keys;
  }
}

function signingKey(der: Buffer, kid: string, created: Micros, box: string): SigningKey {
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { kid, created, private: key, public: createPublicKey(key), box };
}
