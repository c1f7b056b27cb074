/** Where a Windows event comes from: its data set, and the table of meanings that applies to its codes. Knows no field of an event. */
import { byProvider, defender, type Meaning, powershell, security, sysmon, system } from "./windows_codes.ts";

export type Family = "sysmon" | "security" | "powershell" | "system" | "defender" | "other";

export interface Place {
  readonly dataset: string;
  readonly family: Family;
  readonly meanings: ReadonlyMap<string, Meaning>;
}

const families: { readonly [family in Exclude<Family, "other">]: ReadonlyMap<string, Meaning> } = {
  sysmon,
  security,
  powershell,
  system,
  defender,
};
const channels: ReadonlyMap<string, Exclude<Family, "other">> = new Map([
  ["microsoft-windows-sysmon/operational", "sysmon"],
  ["security", "security"],
  ["windows powershell", "powershell"],
  ["microsoft-windows-powershell/operational", "powershell"],
  ["powershellcore/operational", "powershell"],
  ["system", "system"],
  ["microsoft-windows-windows defender/operational", "defender"],
]);
const providers: ReadonlyMap<string, Exclude<Family, "other">> = new Map([
  ["microsoft-windows-sysmon", "sysmon"],
  ["microsoft-windows-security-auditing", "security"],
  ["microsoft-windows-powershell", "powershell"],
  ["powershell", "powershell"],
  ["service control manager", "system"],
  ["microsoft-windows-windows defender", "defender"],
]);
const none: ReadonlyMap<string, Meaning> = new Map();

/** Pairs of channel and provider remembered; one Windows installation has about 1,200 channels. */
const maxPlaces = 4096;
const places = new Map<string, Map<string, Place>>();
let remembered = 0;

/** The place for a channel and provider, either of which may be unknown. */
export function placeOf(channel: string | undefined, provider: string | undefined): Place {
  const c = channel ?? "";
  const p = provider ?? "";
  const known = places.get(c)?.get(p);
  if (known !== undefined) return known;
  const place = findPlace(c.toLowerCase(), p.toLowerCase());
  if (remembered < maxPlaces && c.length + p.length < 512) {
    remembered++;
    const inner = places.get(c);
    if (inner === undefined) places.set(c, new Map([[p, place]]));
    else inner.set(p, place);
  }
  return place;
}

function findPlace(channel: string, provider: string): Place {
  const family = channels.get(channel) ?? providers.get(provider);
  if (family !== undefined) {
    const shared = byProvider.get(provider);
    return {
      dataset: `windows.${family}`,
      family,
      meanings: shared === undefined ? families[family] : new Map([...families[family], ...shared]),
    };
  }
  // An instance of SQL Server is a provider of its own: MSSQL$NAME.
  const meanings = byProvider.get(provider.startsWith("mssql$") ? "mssqlserver" : provider.replace(/-(?:exe and dll|msi and script)$/, ""));
  return { dataset: `windows.${shortName(channel === "" ? provider : channel)}`, family: "other", meanings: meanings ?? none };
}

/** `microsoft-windows-taskscheduler/operational` → `taskscheduler`, `directory service` → `directory_service`. */
function shortName(channel: string): string {
  const name = channel
    .replace(/^microsoft-windows-/, "")
    .replace(/\/(?:operational|admin)$/, "")
    .slice(0, 100)
    .replace(/[^a-z0-9]+/g, "_");
  return name === "" || name === "_" ? "other" : name;
}
