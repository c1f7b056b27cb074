/** An address outside that scanned us logs in. Knows no scan but what border_scan tells of. */
import { defineDetector, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { type Episode, extend, hour, list, ongoing, second, span, textField, windowOf } from "../episode.ts";
import { firstStep } from "../stage.ts";

interface State {
  /** When it began to scan, within the window. */
  readonly scanned: Micros;
  readonly scan: string;
  readonly episode?: (Episode & { readonly users: readonly string[]; readonly hosts: readonly string[] }) | undefined;
}
const maxNamed = 8;

const attempts = (from: string, n: number) =>
  Array.from({ length: n }, (_, i) => ({
    time: i * second,
    fields: {
      "event.dataset": "zeek.conn",
      "network.transport": "tcp",
      "source.ip": from,
      "destination.ip": `10.0.1.${i}`,
      "destination.port": 22,
      "zeek.conn.conn_state": "REJ",
    },
  }));
const login = (time: Micros, from: string, outcome = "success") => ({
  time,
  fields: {
    "event.category": "authentication",
    "event.outcome": outcome,
    "source.ip": from,
    "user.name": "ada",
    "host.name": "login1",
  },
});

export default defineDetector({
  name: "login_after_scan",
  title: "Log-in from an address that scanned",
  summary: "Finds a successful log-in from an address outside that shortly before tried many of our hosts and ports in vain.",
  description:
    "Thousands of addresses scan and none of them has an account: one that then logs in found a way in, with a password or key that it had already. It follows `border_scan`, whose settings say what a scan is and which networks are ours. A provider's or a campus's address that many people share may scan and log in, too: then somebody else behind it scans.",
  response: [
    "Take the account for stolen until its owner confirms the log-in: ask by another way.",
    "Not the owner: end its sessions, change password and keys, read what was done since, and where from there somebody logged in next.",
  ],
  stability: "beta",
  where: "event.category:authentication and event.outcome:success and source.ip:*",
  fields: ["source.ip", "user.name", "host.name", "event.outcome"],
  by: ["source.ip"],
  follows: [firstStep("border_scan")],
  config: z.strictObject({
    window_s: z
      .int()
      .min(600)
      .max(604_800)
      .default(86_400)
      .describe(
        "How long after a scan a log-in from the same address is one of a scanner's, seconds; addresses are given to others within days.",
      ),
  }),
  examples: [
    {
      title: "Twelve hosts tried in vain, a log-in three hours later",
      events: [...attempts("203.0.113.9", 12), login(3 * hour, "203.0.113.9")],
      finds: ["203.0.113.9 logged in as ada on login1, 3 h after it had scanned us"],
    },
    {
      title: "Somebody else's log-in, a failure, and one two days later",
      events: [
        ...attempts("203.0.113.9", 12),
        login(2 * hour, "198.51.100.4"),
        login(2 * hour, "203.0.113.9", "failure"),
        login(48 * hour, "203.0.113.9"),
      ],
      finds: [],
    },
  ],

  key: (fields) => textField(fields, "source.ip"),

  fold(input, state: State | undefined, config) {
    const { time, event, fields, key } = input;
    const window = config.window_s * second;
    const known = state && time - state.scanned <= window ? state : undefined;
    if (fields["event.outcome"] !== "success") return { state: { ...known, scanned: time, scan: event } };
    if (!known) return { state };
    const before = ongoing(known.episode, time, window);
    const add = (all: readonly string[] | undefined, name: string) => {
      const one = textField(fields, name);
      return [...new Set([...(all ?? []), ...(one === undefined ? [] : [one])])].slice(0, maxNamed);
    };
    const episode = {
      ...extend(before, window, { time, events: before ? [event] : [known.scan, event] }),
      users: add(before?.users, "user.name"),
      hosts: add(before?.hosts, "host.name"),
    };
    const { users, hosts } = episode;
    const [as, on] = [users.length > 0 ? ` as ${list(users)}` : "", hosts.length > 0 ? ` on ${list(hosts)}` : ""];
    return {
      state: { ...known, episode },
      claims: [
        {
          window: windowOf(episode),
          severity: "high",
          summary: `${key} logged in${as}${on}, ${span(episode.start - known.scanned)} after it had scanned us`,
          events: episode.events,
          count: episode.count,
          entities: [
            { type: "source.ip", id: key },
            ...users.map((id) => ({ type: "user.name", id })),
            ...hosts.map((id) => ({ type: "host.name", id })),
          ],
          attack: ["T1078", "T1595.001"],
        },
      ],
    };
  },

  expires: (state, { window_s }) => Math.max(state.scanned, state.episode?.end ?? 0) + window_s * second,
});
