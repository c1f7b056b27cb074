/** One address tries many passwords on few accounts. Knows no spraying but that it is another detector's. */
import { defineDetector, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { attempts, isSpread } from "../guessing.ts";

/** What is remembered of one address. */
interface Attempts {
  /** Failures within the window, oldest first; emptied once they have become an episode. */
  readonly recent: readonly { readonly time: Micros; readonly event: string; readonly user: string }[];
  readonly last: Micros;
  readonly episode?: {
    readonly start: Micros;
    readonly end: Micros;
    readonly count: number;
    readonly events: readonly string[];
    readonly users: readonly string[];
    /** The account that let the attacker in, if one did. */
    readonly entered?: string;
  };
}

/** Evidence and claims name at most so many users: enough to read, bounded under spraying. */
const maxUsers = 20;
const maxEvents = 1_000;

const failure = (time: number, user: string) => ({
  time,
  fields: { "event.category": "authentication", "event.outcome": "failure", "source.ip": "203.0.113.9", "user.name": user },
});
const success = (time: number, user: string) => ({
  ...failure(time, user),
  fields: { ...failure(time, user).fields, "event.outcome": "success" },
});
const second = 1_000_000;

export default defineDetector({
  name: "brute_force",
  title: "Password guessing from one address",
  summary: "Finds an address that fails to log in many times within a short window, and says so louder when it then gets in.",
  description:
    "Counts failed authentications per source address over all hosts and services; of the several lines sshd and PAM write about one attempt only sshd's own verdict counts. Failures spread over many accounts with few tries each are password_spraying's. The episode goes on until the address has been quiet for one window; more failures amend the finding rather than raising another.",
  stability: "beta",
  where: attempts,
  fields: ["event.outcome", "source.ip", "user.name", "host.name", "event.action", "process.name"],
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
      title: "A person who mistypes twice and then gets it right",
      events: [failure(0, "ada"), failure(second, "ada"), success(2 * second, "ada")],
      finds: [],
    },
  ],

  key: (fields) => {
    const ip = fields["source.ip"];
    return typeof ip === "string" ? ip : undefined;
  },

  fold(input, state: Attempts | undefined, { threshold, window_s }) {
    const window = window_s * second;
    const user = String(input.fields["user.name"] ?? "");
    const ongoing = state?.episode && input.time - state.last <= window ? state.episode : undefined;
    if (input.fields["event.outcome"] === "success") {
      if (!ongoing || ongoing.entered !== undefined) return { state: state && { ...state, episode: ongoing } };
      const episode = { ...ongoing, end: input.time, entered: user, events: [...ongoing.events, input.event].slice(-maxEvents) };
      return { state: { ...state!, episode }, claims: [claim(episode, String(input.fields["source.ip"]))] };
    }
    const last = input.time;
    if (ongoing) {
      const episode = {
        ...ongoing,
        end: input.time,
        count: ongoing.count + 1,
        events: ongoing.events.length < maxEvents ? [...ongoing.events, input.event] : ongoing.events,
        users: ongoing.users.includes(user) || ongoing.users.length >= maxUsers ? ongoing.users : [...ongoing.users, user],
      };
      return { state: { recent: [], last, episode }, claims: [claim(episode, String(input.fields["source.ip"]))] };
    }
    const within = (state?.recent ?? []).filter((r) => r.time > input.time - window);
    const recent = [...within, { time: input.time, event: input.event, user }].slice(-threshold);
    if (recent.length < threshold || isSpread(recent.map((r) => r.user))) return { state: { recent, last } };
    const episode = {
      start: recent[0]!.time,
      end: input.time,
      count: recent.length,
      events: recent.map((r) => r.event),
      users: [...new Set(recent.map((r) => r.user))].slice(0, maxUsers),
    };
    return { state: { recent: [], last, episode }, claims: [claim(episode, String(input.fields["source.ip"]))] };
  },

  expires: (state, { window_s }) => state.last + window_s * second,
});

function claim(episode: NonNullable<Attempts["episode"]>, ip: string) {
  const users = episode.users.filter((u) => u !== "");
  const as = users.length === 0 ? "" : ` as ${users.slice(0, 5).join(", ")}${users.length > 5 ? ` and ${users.length - 5} more` : ""}`;
  const entered = episode.entered === undefined ? "" : ` and then got in as ${episode.entered || "an unnamed user"}`;
  return {
    window: { start: episode.start, end: episode.end },
    severity: episode.entered === undefined ? ("high" as const) : ("critical" as const),
    summary: `${ip} failed to log in ${episode.count} times${as}${entered}`,
    events: episode.events,
    count: episode.count + (episode.entered === undefined ? 0 : 1),
    entities: [{ type: "source.ip", id: ip }, ...users.slice(0, 5).map((id) => ({ type: "user.name", id }))],
    attack: episode.entered === undefined ? ["T1110"] : ["T1110", "T1078"],
  };
}
