/** One address tries many passwords on few accounts. Knows no spraying but that it is another detector's. */
import type { Network } from "@vedette/condition";
import { defineDetector, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { second } from "../episode.ts";
import { attemptFields, attempts, isSpread, weighed } from "../guessing.ts";
import { internal, within } from "../networks.ts";

interface Failure {
  readonly time: Micros;
  readonly event: string;
  readonly user: string;
}
/** What is remembered of one address. */
interface Attempts {
  /** Failures within the longer window, oldest first, as many as a finding needs; emptied once they have become an episode. */
  readonly recent: readonly Failure[];
  /** Connections whose user sshd did not know. */
  readonly announced: readonly string[];
  readonly last: Micros;
  readonly episode?: {
    readonly start: Micros;
    readonly end: Micros;
    readonly count: number;
    readonly events: readonly string[];
    readonly users: readonly string[];
    /** Fewer within each window than make a finding, but many in hours. */
    readonly slow: boolean;
    /** The account that let the attacker in, if one did. */
    readonly entered?: string;
  };
}

/** Evidence and claims name at most so many users: enough to read, bounded under spraying. */
const maxUsers = 20;
const maxEvents = 1_000;

/** Within which spraying is told from guessing; `password_spraying`'s own window. */
const sprayWindow: Micros = 1_800 * second;

const failure = (time: number, user: string) => ({
  time,
  fields: { "event.category": "authentication", "event.outcome": "failure", "source.ip": "203.0.113.9", "user.name": user },
});
const ssh = (time: number, pid: number, more: object) => ({
  time,
  fields: { ...failure(time, "admin").fields, "process.name": "sshd", "process.pid": pid, ...more },
});
const success = (time: number, user: string) => ({
  ...failure(time, user),
  fields: { ...failure(time, user).fields, "event.outcome": "success" },
});

export default defineDetector({
  name: "brute_force",
  title: "Password guessing from one address",
  summary: "Finds an address that fails to log in many times within a short window, and says so louder when it then gets in.",
  description:
    "Counts failed authentications per source address over all hosts and services; of the several lines sshd and PAM write about one attempt only sshd's own verdict counts, and keys that are offered are no guesses. An account that then gets in from the same address was a person who mistyped. Addresses outside are counted over hours too, as patient guessers stay below every short window; inside, that would be programs whose password has expired. Failures spread over many accounts with few tries each are password_spraying's. The episode goes on until the address has been quiet for one window; more failures amend the finding rather than raising another.",
  response: [
    "Did one of the guesses get in? The summary says so; then take the account for stolen: end its sessions, change its password and keys, and read what it did since.",
    "None got in: block the address at the border or let SSH in from known networks only; from an address of yours, find out who or which program uses it.",
  ],
  stability: "beta",
  where: attempts,
  fields: attemptFields,
  by: ["source.ip"],
  config: z.strictObject({
    threshold: z
      .int()
      .min(2)
      .max(1_000)
      .default(6)
      .describe(
        "Failures that make a finding; one more than OpenSSH's MaxAuthTries allows in a connection's lifetime by default in fail2ban (5).",
      ),
    window_s: z
      .int()
      .min(1)
      .max(86_400)
      .default(300)
      .describe("Length of the window in event time, in seconds; half of fail2ban's default findtime."),
    slow_threshold: z
      .int()
      .min(3)
      .max(1_000)
      .default(20)
      .describe(
        "Failures from an address outside that make a finding over hours: more than a person makes in a working day without getting in.",
      ),
    slow_window_s: z
      .int()
      .min(1)
      .max(86_400)
      .default(21_600)
      .describe("Length of the longer window, in seconds; six hours, in which one try each 18 minutes comes to the threshold."),
    internal,
  }),
  examples: [
    {
      title: "Six failures within a minute",
      events: [1, 2, 3, 4, 5, 6].map((n) => failure(n * 10 * second, "root")),
      finds: ["203.0.113.9 failed to log in 6 times as root"],
    },
    {
      title: "Then it gets in",
      config: { threshold: 3 },
      events: [failure(second, "root"), failure(2 * second, "admin"), failure(3 * second, "root"), success(9 * second, "admin")],
      finds: [
        "203.0.113.9 failed to log in 3 times as root, admin",
        "203.0.113.9 failed to log in 3 times as root, admin and then got in as admin",
      ],
    },
    {
      title: "The same failures spread over time are ignored",
      config: { threshold: 3, window_s: 10 },
      events: [failure(0, "root"), failure(9 * second, "root"), failure(20 * second, "root")],
      finds: [],
    },
    {
      title: "Many accounts with one try each are password_spraying's",
      events: ["ada", "bob", "cyd", "dan", "eve", "fay", "gus"].map((user, n) => failure(n * second, user)),
      finds: [],
    },
    {
      title: "Patiently, one try each ten minutes",
      config: { slow_threshold: 8 },
      events: Array.from({ length: 8 }, (_, n) => failure(n * 600 * second, "root")),
      finds: ["203.0.113.9 failed to log in 8 times as root, slowly"],
    },
    {
      title: "A program of ours whose password has expired",
      config: { slow_threshold: 8 },
      events: Array.from({ length: 30 }, (_, n) => {
        const { time, fields } = failure(n * 600 * second, "backup");
        return { time, fields: { ...fields, "source.ip": "10.20.0.5" } };
      }),
      finds: [],
    },
    {
      title: "Names that sshd does not know, on a server without passwords",
      events: [1, 2, 3, 4, 5, 6].map((n) => ssh(n * 10 * second, n, { "event.action": "ssh_invalid_user" })),
      finds: ["203.0.113.9 failed to log in 6 times as admin"],
    },
    {
      title: "Unknown name and wrong password of one connection are one try",
      events: [1, 2, 3].flatMap((n) => [
        ssh(n * 10 * second, n, { "event.action": "ssh_invalid_user" }),
        ssh(n * 10 * second + second, n, { "event.action": "ssh_login" }),
      ]),
      finds: [],
    },
    {
      title: "A line that stands for five more",
      events: [ssh(second, 7, { "event.action": "ssh_login" }), ssh(9 * second, 7, { "event.action": "ssh_login", "linux.repeated": 5 })],
      finds: ["203.0.113.9 failed to log in 6 times as admin"],
    },
    {
      title: "Keys offered that do not fit",
      events: Array.from({ length: 10 }, (_, n) =>
        ssh(n * second, n, { "event.action": "ssh_login", "linux.auth.ssh.method": "publickey" }),
      ),
      finds: [],
    },
    {
      title: "A person who mistypes twice and then gets it right",
      events: [failure(0, "ada"), failure(second, "ada"), success(2 * second, "ada")],
      finds: [],
    },
  ],

  key: (fields) => {
    const ip = fields["source.ip"];
    return typeof ip === "string" ? ip : undefined;
  },

  fold(input, state: Attempts | undefined, config) {
    const user = String(input.fields["user.name"] ?? "");
    const ip = String(input.fields["source.ip"]);
    const quiet = (state?.episode?.slow ? config.slow_window_s : config.window_s) * second;
    const ongoing = state?.episode && input.time - state.last <= quiet ? state.episode : undefined;
    if (input.fields["event.outcome"] === "success") {
      if (!state) return {};
      const recent = state.recent.filter((r) => r.user !== user);
      if (!ongoing || ongoing.entered !== undefined) return { state: { ...state, recent, episode: ongoing } };
      const episode = { ...ongoing, end: input.time, entered: user, events: [...ongoing.events, input.event].slice(-maxEvents) };
      return { state: { ...state, recent, episode }, claims: [claim(episode, ip)] };
    }
    const { tries, announced } = weighed(input.fields, state?.announced);
    const next = { recent: state?.recent ?? [], announced, last: input.time, episode: ongoing };
    if (tries === 0) return { state: next };
    if (ongoing) {
      const episode = {
        ...ongoing,
        end: input.time,
        count: ongoing.count + tries,
        events: ongoing.events.length < maxEvents ? [...ongoing.events, input.event] : ongoing.events,
        users: ongoing.users.includes(user) || ongoing.users.length >= maxUsers ? ongoing.users : [...ongoing.users, user],
      };
      return { state: { ...next, recent: [], episode }, claims: [claim(episode, ip)] };
    }
    const kept = next.recent.filter((r) => r.time > input.time - config.slow_window_s * second);
    const failed = Array.from({ length: tries }, (): Failure => ({ time: input.time, event: input.event, user }));
    const recent = [...kept, ...failed].slice(-Math.max(config.threshold, config.slow_threshold, tries));
    const enough = fastOf(recent, config) ?? slowOf(recent, ip, config);
    if (!enough) return { state: { ...next, recent } };
    const episode = {
      start: enough.failures[0]!.time,
      end: input.time,
      count: enough.failures.length,
      events: [...new Set(enough.failures.map((r) => r.event))],
      users: [...new Set(enough.failures.map((r) => r.user))].slice(0, maxUsers),
      slow: enough.slow,
    };
    return { state: { ...next, recent: [], episode }, claims: [claim(episode, ip)] };
  },

  expires: (state, { window_s, slow_window_s }) => state.last + Math.max(window_s, slow_window_s) * second,
});

interface Enough {
  readonly failures: readonly Failure[];
  readonly slow: boolean;
}
const since = (recent: readonly Failure[], window: Micros): readonly Failure[] => {
  const now = recent.at(-1)!.time;
  return recent.filter((r) => r.time > now - window);
};
const isSprayed = (failures: readonly Failure[]): boolean => isSpread(failures.map((r) => r.user));

function fastOf(recent: readonly Failure[], config: { threshold: number; window_s: number }): Enough | undefined {
  const lately = since(recent, config.window_s * second);
  if (lately.length < config.threshold || isSprayed(lately.slice(-config.threshold))) return undefined;
  // a line that stands for several counts as all of them
  const now = lately.at(-1)!.time;
  const failures = lately.slice(-Math.max(config.threshold, lately.filter((r) => r.time === now).length));
  return { failures, slow: false };
}

function slowOf(recent: readonly Failure[], ip: string, config: Slow): Enough | undefined {
  if (recent.length < config.slow_threshold || within(ip, config.internal) || isSprayed(since(recent, sprayWindow))) return undefined;
  return { failures: recent, slow: true };
}
interface Slow {
  readonly slow_threshold: number;
  readonly internal: readonly Network[];
}

function claim(episode: NonNullable<Attempts["episode"]>, ip: string) {
  const users = episode.users.filter((u) => u !== "");
  const as = users.length === 0 ? "" : ` as ${users.slice(0, 5).join(", ")}${users.length > 5 ? ` and ${users.length - 5} more` : ""}`;
  const entered = episode.entered === undefined ? "" : ` and then got in as ${episode.entered || "an unnamed user"}`;
  return {
    window: { start: episode.start, end: episode.end },
    severity: episode.entered !== undefined ? ("critical" as const) : episode.slow ? ("medium" as const) : ("high" as const),
    summary: `${ip} failed to log in ${episode.count} times${as}${episode.slow ? ", slowly" : ""}${entered}`,
    events: episode.events,
    count: episode.count + (episode.entered === undefined ? 0 : 1),
    entities: [{ type: "source.ip", id: ip }, ...users.slice(0, 5).map((id) => ({ type: "user.name", id }))],
    attack: episode.entered === undefined ? ["T1110"] : ["T1110", "T1078"],
  };
}
