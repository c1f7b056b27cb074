/** Signing in by an OpenID provider: authorization code with PKCE, roles by group, people made when they first come. The only importer of openid-client. */
import { type Clock, newToken, outsideFetch, tokenHash, UnavailableError, VedetteError } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type * as openid from "openid-client";
import type { Grant } from "./principal.ts";
import { foldName, nameProblem, type User, type Users } from "./users.ts";

export interface OidcConfig {
  /** As discovery names it: `/.well-known/openid-configuration` is below it. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  /** Where the provider sends people back to: ours. */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly nameClaim: string;
  readonly groupsClaim: string;
  /** What members of a group may do; of several groups, all of it. */
  readonly groups: { readonly [group: string]: readonly Grant[] };
  /** Whether the provider may be at a private address. */
  readonly privateAddresses: boolean;
}

export interface Begun {
  /** The provider's page. */
  readonly url: string;
  /** For a cookie of the browser that began: whoever comes back without it did not. */
  readonly binding: string;
  /** Seconds within which to come back. */
  readonly lifetime_s: number;
}
export type Ended =
  | { readonly user: User; readonly returnTo: string }
  /** In words for whoever signs in. */
  | { readonly refused: string };

interface Pending {
  readonly verifier: string;
  readonly nonce: string;
  readonly binding: string;
  readonly returnTo: string;
  readonly expires: Micros;
}

/** Somebody may have to find the telephone for the provider's own second factor. */
const signInLifetime: Micros = 10 * 60_000_000;
/** Begun and not ended; the oldest goes first. */
const maxPending = 1_000;
/** A provider changes its keys and addresses now and then. */
const discoveryLifetime: Micros = 3_600_000_000;
const maxGroups = 1_000;

/** A path of ours, whatever somebody wrote: no other host, no other scheme. */
export function ownPath(path: string | undefined): string {
  const home = "/";
  if (path === undefined || path.length > 2_000 || !path.startsWith("/") || /[\\\p{Cc}\s]/u.test(path)) return home;
  const ours = "http://ours.invalid";
  if (!URL.canParse(path, ours)) return home;
  const { origin, pathname, search, hash } = new URL(path, ours);
  // what is normalised to two slashes would lead to another host
  return origin === ours && !pathname.startsWith("//") ? `${pathname}${search}${hash}` : home;
}

/** Loaded by whoever signs in first: most commands never do. */
const library = (): Promise<typeof openid> => import("openid-client");

export class Oidc {
  readonly #config: OidcConfig;
  readonly #users: Users;
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  #found: { readonly at: Micros; readonly provider: Promise<openid.Configuration> } | undefined;

  constructor(config: OidcConfig, users: Users, clock: Clock) {
    // as it is written in the answer: a default port would make it another
    this.#config = { ...config, redirectUri: new URL(config.redirectUri).href };
    this.#users = users;
    this.#clock = clock;
  }

  /** @throws UnavailableError `provider_unavailable` */
  async begin(returnTo: string | undefined): Promise<Begun> {
    const openid = await library();
    const provider = await this.#provider();
    const now = this.#clock.now();
    for (const [state, { expires }] of this.#pending) if (expires <= now) this.#pending.delete(state);
    while (this.#pending.size >= maxPending) this.#pending.delete(this.#pending.keys().next().value!);
    const [state, nonce, binding] = [newToken(), newToken(), newToken()];
    const verifier = openid.randomPKCECodeVerifier();
    this.#pending.set(state, { verifier, nonce, binding: tokenHash(binding), returnTo: ownPath(returnTo), expires: now + signInLifetime });
    const url = openid.buildAuthorizationUrl(provider, {
      redirect_uri: this.#config.redirectUri,
      scope: this.#config.scopes.join(" "),
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });
    return { url: url.href, binding, lifetime_s: signInLifetime / 1_000_000 };
  }

  /**
   * @param query of the address that the provider sent the browser back to
   * @throws UnavailableError `provider_unavailable`
   */
  async end(query: URLSearchParams, binding: string | undefined): Promise<Ended> {
    const state = query.get("state") ?? "";
    const pending = this.#pending.get(state);
    this.#pending.delete(state);
    if (pending === undefined || pending.expires <= this.#clock.now() || binding === undefined || tokenHash(binding) !== pending.binding)
      return { refused: "this sign-in was not begun in this browser, or too long ago; begin again" };
    const openid = await library();
    const url = new URL(this.#config.redirectUri);
    url.search = query.toString();
    const provider = await this.#provider();
    let claims: Claims;
    try {
      claims = await this.#claims(provider, url, state, pending);
    } catch (error) {
      if (error instanceof openid.AuthorizationResponseError)
        return {
          refused: `the provider says ${error.error}${error.error_description ? `: ${error.error_description.slice(0, 200)}` : ""}`,
        };
      // what an answer is refused for helps whoever forges one, and nobody else
      if (error instanceof openid.ClientError || error instanceof openid.ResponseBodyError)
        return { refused: "what the provider answered does not belong to this sign-in; begin again" };
      throw unavailable(this.#config.issuer, error);
    }
    const known = await this.#userOf(claims);
    return "refused" in known ? known : { ...known, returnTo: pending.returnTo };
  }

  /** The provider's page for signing out, where it has one. @throws UnavailableError `provider_unavailable` */
  async signOutUrl(): Promise<string | undefined> {
    const openid = await library();
    const provider = await this.#provider();
    if (provider.serverMetadata().end_session_endpoint === undefined) return undefined;
    return openid.buildEndSessionUrl(provider, { post_logout_redirect_uri: new URL("/sign-in", this.#config.redirectUri).href }).href;
  }

  async #claims(provider: openid.Configuration, url: URL, state: string, { verifier, nonce }: Pending): Promise<Claims> {
    const openid = await library();
    const answer = await openid.authorizationCodeGrant(provider, url, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    const claims = answer.claims()!;
    const { nameClaim, groupsClaim } = this.#config;
    if ((claims[nameClaim] !== undefined && claims[groupsClaim] !== undefined) || provider.serverMetadata().userinfo_endpoint === undefined)
      return claims as Claims;
    return { ...(await openid.fetchUserInfo(provider, answer.access_token, claims.sub)), ...claims } as Claims;
  }

  /** Somebody known by issuer and subject, and nobody else who has the same name; grants are those of the groups of now. */
  async #userOf(claims: Claims): Promise<{ readonly user: User } | { readonly refused: string }> {
    const { issuer } = this.#config;
    const known = this.#users.ofSubject(issuer, claims.sub);
    const mapped = Object.keys(this.#config.groups).length > 0;
    const grants = mapped ? this.#grantsOf(claims) : (known?.grants ?? []);
    if (known?.disabled) return { refused: `${known.name} is disabled here` };
    if (mapped && grants.length === 0) return { refused: "none of your groups at the provider may use Vedette" };
    const told = { ...textOf("displayName", claims["name"]), ...textOf("email", claims["email"]) };
    if (known !== undefined) {
      const other = JSON.stringify(grants) !== JSON.stringify(known.grants);
      // what the provider says counts, even of the last administrator
      return {
        user: await this.#users.change(known.id, (now) => ({ ...now, ...told, grants, epoch: now.epoch + (other ? 1 : 0) }), "whoever"),
      };
    }
    const name = foldName(String(claims[this.#config.nameClaim] ?? ""));
    const problem = nameProblem(name);
    if (problem !== undefined) return { refused: `the claim ${this.#config.nameClaim} is no name: ${problem}` };
    try {
      return { user: await this.#users.create({ name, grants, ...told, oidc: { issuer, subject: claims.sub } }) };
    } catch (error) {
      if (error instanceof VedetteError && error.code === "conflict")
        return { refused: `${error.message}, who does not sign in by the provider` };
      throw error;
    }
  }

  #grantsOf(claims: Claims): readonly Grant[] {
    const of = claims[this.#config.groupsClaim];
    const groups = [of ?? []]
      .flat()
      .slice(0, maxGroups)
      .filter((one) => typeof one === "string");
    return groups.flatMap((group) => (Object.hasOwn(this.#config.groups, group) ? this.#config.groups[group]! : []));
  }

  async #provider(): Promise<openid.Configuration> {
    const now = this.#clock.now();
    if (this.#found === undefined || this.#found.at + discoveryLifetime <= now) this.#found = { at: now, provider: this.#discover() };
    const found = this.#found;
    try {
      return await found.provider;
    } catch (error) {
      if (this.#found === found) this.#found = undefined;
      throw unavailable(this.#config.issuer, error);
    }
  }

  async #discover(): Promise<openid.Configuration> {
    const openid = await library();
    const { issuer, clientId, clientSecret, privateAddresses } = this.#config;
    const authentication = clientSecret === undefined ? openid.None() : openid.ClientSecretBasic(clientSecret);
    return await openid.discovery(new URL(issuer), clientId, {}, authentication, {
      [openid.customFetch]: outsideFetch({ privateAddresses }),
      // the ID token's signature is checked by the provider's keys, though it came over TLS
      execute: [openid.enableNonRepudiationChecks, ...(privateAddresses ? [openid.allowInsecureRequests] : [])],
    });
  }
}

type Claims = { readonly [name: string]: unknown } & { readonly sub: string };

const textOf = (name: "displayName" | "email", value: unknown): Partial<User> =>
  typeof value === "string" && value !== "" && value.length <= 200 ? { [name]: value } : {};

const unavailable = (issuer: string, cause: unknown): UnavailableError => {
  if (cause instanceof UnavailableError) return cause;
  const reason = (cause as { cause?: Error }).cause?.message ?? (cause as Error).message;
  return new UnavailableError("provider_unavailable", `the OpenID provider ${issuer} does not answer as one: ${reason}`, { cause });
};
