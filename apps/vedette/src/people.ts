/** Opens the people of a data directory as the configuration has it. Knows no route. */
import { type Documents, People, peoplePurpose } from "@vedette/access";
import { systemClock } from "@vedette/kit";
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
): Promise<People> {
  const documents: Documents = store.settings;
  return People.open({
    store: store.people,
    documents,
    clock: systemClock,
    sealer: vault.sealer(peoplePurpose),
    secret: vault.derive("access tokens", hmacBytes),
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
