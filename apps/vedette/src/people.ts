/** Opens the people of a data directory as the configuration has it. Knows no route. */
import { type Documents, type Grant, Oidc, People, peoplePurpose } from "@vedette/access";
import { type Counters, systemClock } from "@vedette/kit";
import type { Store } from "@vedette/store";
import type { Vault } from "@vedette/vault";
import type { Config } from "./config/schema.ts";

const minute = 60_000_000;
/** 256 bits, the output of HMAC's hash (RFC 7518, 3.2). */
const hmacBytes = 32;

export function openPeople(
  { access, auth, name }: Config,
  vault: Pick<Vault, "sealer" | "derive">,
  store: Pick<Store, "people" | "settings">,
  counters?: Counters,
): Promise<People> {
  const documents: Documents = store.settings;
  return People.open({
    store: store.people,
    documents,
    clock: systemClock,
    sealer: vault.sealer(peoplePurpose),
    secrets: () => vault.derive("access tokens", hmacBytes),
    ...(counters && { counters }),
    algorithm: auth.algorithm,
    accessTokenLifetime: auth.access_token_expire_minutes * minute,
    ...(access.url !== undefined && { issuer: access.url }),
    lifetimes: {
      idle: access.idle_minutes * minute,
      browser: access.session_hours * 60 * minute,
      client: access.refresh_days * 1_440 * minute,
    },
    totpRequired: access.totp_required,
    installation: name,
    ...(access.breached_passwords !== undefined && { breachedPasswords: access.breached_passwords }),
  });
}

/** The OpenID provider that people sign in by. @param url where this server listens, for an installation without an address of its own */
export function openOidc({ access, api }: Config, people: People, url: string) {
  const { oidc } = access;
  if (oidc === undefined) return undefined;
  const provider = new Oidc(
    {
      issuer: oidc.issuer,
      clientId: oidc.client_id,
      ...(oidc.client_secret !== undefined && { clientSecret: oidc.client_secret }),
      redirectUri: `${access.url ?? url}${api.prefix}/oidc/callback`,
      scopes: oidc.scopes,
      nameClaim: oidc.name_claim,
      groupsClaim: oidc.groups_claim,
      groups: oidc.groups as { readonly [group: string]: readonly Grant[] },
      privateAddresses: oidc.private_addresses,
    },
    people.users,
    systemClock,
  );
  return { provider, label: oidc.label };
}
