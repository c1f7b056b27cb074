/** Which retention class and which host an event belongs to, from its ECS fields alone. */
import type { EventClass, Fields, FieldValue } from "@vedette/model";

/** ECS categories that are the host's own affairs. */
const hostly = new Set(["host", "file", "registry", "driver", "package", "session", "library", "malware"]);
/** ECS categories that say who may do what. */
const auditing = new Set(["iam", "configuration"]);

function has(value: FieldValue | undefined, wanted: string): boolean {
  return value === wanted || (Array.isArray(value) && value.includes(wanted));
}
function hasAny(value: FieldValue | undefined, wanted: ReadonlySet<string>): boolean {
  if (typeof value === "string") return wanted.has(value);
  return Array.isArray(value) && value.some((one) => wanted.has(one));
}

/**
 * The event's class, by what would be missed most if it were dropped: authentication, then cloud, process, network sensors, web servers,
 * audit trails (auditd, accounts, configuration), the host's own log; anything else is `other`.
 */
export function classOf(fields: Fields): EventClass {
  const category = fields["event.category"];
  const module = fields["event.module"];
  if (has(category, "authentication")) return "authentication";
  if (fields["cloud.provider"] !== undefined || module === "aws") return "cloud";
  if (has(category, "process")) return "process";
  if (module === "zeek") return "network";
  if (has(category, "web")) return "web";
  if (module === "auditd") return "audit";
  if (has(category, "network")) return "network";
  if (hasAny(category, auditing)) return "audit";
  if (hasAny(category, hostly) || module === "linux" || fields["host.name"] !== undefined) return "host";
  return "other";
}

const first = (value: FieldValue | undefined): string | undefined => {
  const one = Array.isArray(value) ? value[0] : value;
  return typeof one === "string" && one !== "" ? one : undefined;
};

/** The host whose clock stamped the event: the host it names, else the sensor that observed it, else the sender's address, else the source's name. At most 255 characters. */
export function hostOf(fields: Fields, peer: string | undefined, source: string): string {
  const host = first(fields["host.name"]) ?? first(fields["host.hostname"]) ?? first(fields["observer.name"]) ?? peer ?? source;
  return host.length > 255 ? host.slice(0, 255) : host;
}
