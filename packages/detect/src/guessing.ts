/** What tells guessing one account's password from trying one password on many accounts: shared, so that one attack gives one alert of the right kind. */
import type { Fields } from "@vedette/model";
import { numberField, textField } from "./episode.ts";

/**
 * Whether failures are spread over accounts as spraying does: five accounts or more, and at most two tries each on average. Lockout policies
 * begin at three tries (CIS benchmarks: five or fewer, not 0), which is what a sprayer stays below; a person mistypes one name, or two.
 * @param users the account of each failure, in any order
 */
export function isSpread(users: readonly string[], accounts = sprayedAccounts, tries = sprayedTries): boolean {
  const distinct = new Set(users).size;
  return distinct >= accounts && users.length <= tries * distinct;
}
export const sprayedAccounts = 5;
export const sprayedTries = 2;

/**
 * Of the several lines sshd and PAM write about one attempt only sshd's own verdict counts. A key that is offered is no guess: clients offer
 * all they have, and servers log each that does not fit.
 */
export const attempts =
  "event.category:authentication and (event.outcome:failure or event.outcome:success) and source.ip:* and not (event.outcome:failure and linux.auth.ssh.method:publickey) and not (event.action:pam_authentication and process.name:sshd)";
/** What `weighed` looks at beside the fields that the attempts are told by. */
export const attemptFields = [
  "event.outcome",
  "source.ip",
  "user.name",
  "host.name",
  "event.action",
  "process.name",
  "process.pid",
  "linux.repeated",
];

/** Connections remembered whose user sshd did not know. */
const maxAnnounced = 20;
/** A line that stands for many counts as at most so many. */
const maxRepeated = 100;

/**
 * How many tries a failure stands for. `Invalid user` is a try where it stays alone, as on servers without passwords; where `Failed password`
 * follows in the same connection it is the same try.
 * @param announced connections whose user sshd did not know, oldest first
 */
export function weighed(
  fields: Fields,
  announced: readonly string[] = [],
): { readonly tries: number; readonly announced: readonly string[] } {
  const repeated = numberField(fields, "linux.repeated");
  const tries = Math.min(Math.max(1, repeated), maxRepeated);
  const pid = fields["process.pid"];
  if (pid === undefined) return { tries, announced };
  const connection = `${textField(fields, "host.name") ?? ""} ${String(pid)}`;
  if (fields["event.action"] === "ssh_invalid_user") return { tries, announced: [...announced, connection].slice(-maxAnnounced) };
  if (!announced.includes(connection)) return { tries, announced };
  return { tries: tries - 1, announced: announced.filter((one) => one !== connection) };
}
