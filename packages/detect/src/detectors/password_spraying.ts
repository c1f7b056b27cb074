/** One address tries few passwords on many accounts. Knows no brute force but that it is another detector's. */
import { defineDetector, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { type Episode, extend, list, minute, ongoing, second, textField, windowOf } from "../episode.ts";
import { attemptFields, attempts, isSpread, sprayedAccounts, sprayedTries, weighed } from "../guessing.ts";

interface Failure {
  readonly time: Micros;
  readonly event: string;
  readonly user: string;
}
interface Spray extends Episode {
  readonly users: readonly string[];
  readonly entered?: string;
}
interface State {
  /** Failures within the window whose account did not get in from here, oldest first. */
  readonly recent: readonly Failure[];
  /** Connections whose user sshd did not know. */
  readonly announced: readonly string[];
  readonly last: Micros;
  /** When this address was last at one account: that attack is `brute_force`'s for as long as it goes on. */
  readonly concentrated?: Micros | undefined;
  readonly spray?: Spray | undefined;
}

/** Accounts remembered and named in claims: bounded however many are sprayed. */
const maxRecent = 200;
const maxUsers = 50;
/** What `brute_force` counts by default: so many failures in so long. */
const bruteFailures = 6;
const bruteWindow: Micros = 300 * second;

const attempt = (time: Micros, user: string, outcome = "failure") => ({
  time,
  fields: { "event.category": "authentication", "event.outcome": outcome, "source.ip": "203.0.113.9", "user.name": user },
});
const names = ["ada", "bob", "cyd", "dan", "eve", "fay"];

export default defineDetector({
  name: "password_spraying",
  title: "Password spraying from one address",
  summary: "Finds an address that fails to log in to many accounts with few tries each, and says so louder when one of them lets it in.",
  description:
    "Counts accounts that failed from a source address over all hosts and services. An account that then gets in from the same address was a person who mistyped and is taken out, so that a shared gateway stays quiet. Many tries at one account are brute_force's; an attack is told by one of the two, by how its first failures are spread. The episode goes on until the address has been quiet for one window. Public addresses see this all day from the internet: put SSH behind a VPN, or close the alert per address.",
  response: [
    "Look whether one of the accounts got in afterwards, from this or another address; those are taken for stolen.",
    "None did: block the address, and see that accounts open to the internet want a second factor or a key.",
  ],
  stability: "beta",
  where: attempts,
  fields: attemptFields,
  by: ["source.ip"],
  config: z.strictObject({
    users: z
      .int()
      .min(3)
      .max(maxRecent)
      .default(sprayedAccounts)
      .describe("Accounts that make a finding. Five: more than share one mistaken keyboard, fewer than any sprayer's list."),
    tries: z
      .number()
      .min(1)
      .max(10)
      .default(sprayedTries)
      .describe("Tries per account, on average, up to which it is spraying: lockout policies begin at three."),
    window_s: z
      .int()
      .min(60)
      .max(86_400)
      .default(1_800)
      .describe(
        "Length of the window in event time, in seconds; the 30 minutes after which Windows by default forgets failures, which sprayers wait out.",
      ),
  }),
  examples: [
    {
      title: "Five accounts, one try each",
      events: names.slice(0, 5).map((user, n) => attempt(n * 3 * minute, user)),
      finds: ["203.0.113.9 failed to log in to 5 accounts (5 tries): ada, bob, cyd, dan, eve"],
    },
    {
      title: "One of them lets it in",
      events: [...names.slice(0, 5).map((user, n) => attempt(n * minute, user)), attempt(6 * minute, "bob", "success")],
      finds: [
        "203.0.113.9 failed to log in to 5 accounts (5 tries): ada, bob, cyd, dan, eve",
        "203.0.113.9 failed to log in to 5 accounts (5 tries): ada, bob, cyd, dan, eve, and then got in as bob",
      ],
    },
    {
      title: "People behind one gateway who mistype once each",
      events: names.flatMap((user, n) => [attempt(n * minute, user), attempt(n * minute + 5 * second, user, "success")]),
      finds: [],
    },
    {
      title: "Brute force at one account that goes on with others is brute_force's",
      events: [
        ...[1, 2, 3, 4, 5, 6].map((n) => attempt(n * second, "root")),
        ...names.map((user, n) => attempt((10 + n) * second, user)),
        ...names.map((user, n) => attempt((20 + n) * second, `${user}1`)),
      ],
      finds: [],
    },
    { title: "Accounts that fail over a day", events: names.map((user, n) => attempt(n * 20 * minute, user)), finds: [] },
  ],

  key: (fields) => textField(fields, "source.ip"),

  fold(input, state: State | undefined, config) {
    const window = config.window_s * second;
    const { time, event } = input;
    const user = textField(input.fields, "user.name") ?? "";
    const ip = textField(input.fields, "source.ip")!;
    const spray = ongoing(state?.spray, time, window);
    const kept = (state?.recent ?? []).filter((r) => r.time > time - window);
    if (input.fields["event.outcome"] === "success") {
      if (!state) return {};
      const recent = kept.filter((r) => r.user !== user);
      if (!spray?.users.includes(user) || spray.entered !== undefined) return { state: { ...state, recent, spray } };
      const entered: Spray = { ...spray, ...extend(spray, window, { time, events: [event] }), entered: user };
      return { state: { ...state, recent, spray: entered }, claims: [claim(entered, ip)] };
    }
    const { tries, announced } = weighed(input.fields, state?.announced);
    if (tries === 0) return { state: { ...state!, announced } };
    const recent = [...kept, ...Array.from({ length: tries }, () => ({ time, event, user }))].slice(-maxRecent);
    const concentrated = isConcentrated(recent, state?.concentrated) ? time : state?.concentrated;
    const next: State = { recent, announced, last: time, concentrated, spray };
    if (spray) {
      const users = spray.users.includes(user) || spray.users.length >= maxUsers ? spray.users : [...spray.users, user];
      const more: Spray = { ...spray, ...extend(spray, window, { time, events: [event], count: tries }), users };
      return { state: { ...next, spray: more }, claims: [claim(more, ip)] };
    }
    const users = recent.map((r) => r.user);
    if (concentrated !== undefined && time - concentrated <= window) return { state: next };
    if (!isSpread(users, config.users, config.tries)) return { state: next };
    const opened: Spray = {
      ...extend(undefined, window, { time, start: recent[0]!.time, events: recent.map((r) => r.event) }),
      users: [...new Set(users)].slice(0, maxUsers),
    };
    return { state: { ...next, spray: opened }, claims: [claim(opened, ip)] };
  },

  expires: (state, { window_s }) => state.last + window_s * second,
});

/** Whether the newest failure belongs to an attack that `brute_force` tells of. */
function isConcentrated(recent: readonly Failure[], before: Micros | undefined): boolean {
  const now = recent.at(-1)!.time;
  if (before !== undefined && now - before <= bruteWindow) return true;
  const last = recent.slice(-bruteFailures);
  return last.length === bruteFailures && now - last[0]!.time < bruteWindow && !isSpread(last.map((r) => r.user));
}

function claim(spray: Spray, ip: string) {
  const { users, entered } = spray;
  const tries = spray.count - (entered === undefined ? 0 : 1);
  const named = users.filter((u) => u !== "");
  const many = users.length >= maxUsers ? `${maxUsers} or more` : String(users.length);
  return {
    window: windowOf(spray),
    severity: entered === undefined ? ("high" as const) : ("critical" as const),
    summary: `${ip} failed to log in to ${many} accounts (${tries} tries): ${list(named)}${entered === undefined ? "" : `, and then got in as ${entered || "an unnamed user"}`}`,
    events: spray.events,
    count: spray.count,
    entities: [{ type: "source.ip", id: ip }, ...named.slice(0, 5).map((id) => ({ type: "user.name", id }))],
    attack: entered === undefined ? ["T1110.003"] : ["T1110.003", "T1078"],
  };
}
