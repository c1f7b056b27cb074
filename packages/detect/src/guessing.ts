/** What tells guessing one account's password from trying one password on many accounts: shared, so that one attack gives one alert of the right kind. */

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

/** Of the several lines sshd and PAM write about one attempt only sshd's own verdict counts. */
export const attempts =
  "event.category:authentication and (event.outcome:failure or event.outcome:success) and source.ip:* and not event.action:ssh_invalid_user and not (event.action:pam_authentication and process.name:sshd)";
