/** A host and a server speak of mining: what a sensor read in clear text, judged. Knows no pool. */
import { defineDetector, z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { type Episode, extend, hour, list, numberField, ongoing, second, textField, windowOf } from "../episode.ts";
import { network, within } from "../networks.ts";
import { mergeTexts } from "../watches.ts";

interface Said {
  /** Methods and signs, sorted. */
  readonly methods: readonly string[];
  readonly signs: readonly string[];
  readonly agent?: string | undefined;
}
type State = Episode & Said;

/** What is said within so long belongs together: a miner tries one protocol after the other, and comes back after a failure. */
const quiet = hour;
/** The protocols have some twenty methods; more are invented. */
const maxMethods = 32;
/** Words that other programs with JSON-RPC have too. */
const common = new Set(["login", "submit", "job", "getjob", "keepalived"]);

/** One record of a sensor: a connection and what was said in its first bytes. */
const talk = (time: number, methods: readonly string[], signs: readonly string[] = [], port = 3_333) => ({
  time,
  fields: {
    "event.dataset": "zeek.stratum",
    "source.ip": "10.0.0.9",
    "destination.ip": "203.0.113.81",
    "destination.port": port,
    "zeek.stratum.methods": [...methods],
    ...(signs.length > 0 ? { "zeek.stratum.signs": [...signs] } : {}),
  },
});

export default defineDetector({
  name: "stratum",
  title: "Mining protocol in clear text",
  summary: "Finds a host and a server that speak Stratum, getwork or getblocktemplate.",
  description:
    "Takes what deploy/zeek's script or a capture tells of JSON-RPC between two addresses. It is mining where two different methods of these protocols were used within an hour, or one together with the structure only they have: a list of algorithms, a job with blob and target, or JSON-RPC 2.0 around a method that no other program has. Stratum 2 is encrypted; a handshake of the sizes that it has is a medium finding, as other programs speak Noise too. `login` by itself is no evidence. Works inside out and inside in, as a proxy for miners inside is one too.",
  response: [
    "Which process on the inner side speaks it, and whose job or account is it? The protocol itself leaves little doubt.",
    "Stop it, keep the program and its configuration (it names the pool and the wallet), and look how it got there.",
  ],
  stability: "beta",
  where: "event.dataset:zeek.stratum and source.ip:* and destination.ip:*",
  fields: ["source.ip", "destination.ip", "destination.port", "zeek.stratum.methods", "zeek.stratum.signs", "zeek.stratum.agent"],
  by: ["source.ip", "destination.ip"],
  config: z.strictObject({
    ignore: z
      .array(network)
      .max(1_000)
      .default([])
      .describe("Servers with which these protocols are spoken by right: a node of a currency that people of the site work on."),
  }),
  examples: [
    {
      title: "A subscription and its first job",
      events: [talk(0, ["mining.subscribe"]), talk(second, ["mining.notify", "mining.set_difficulty", "mining.subscribe"])],
      finds: ["10.0.0.9 mines at 203.0.113.81 3333/tcp: mining.notify, mining.set_difficulty, mining.subscribe"],
    },
    {
      title: "One protocol after the other",
      events: [talk(0, ["getblocktemplate"]), talk(second, ["getwork"])],
      finds: ["10.0.0.9 mines at 203.0.113.81 3333/tcp: getblocktemplate, getwork"],
    },
    {
      title: "Monero's login, which offers algorithms",
      events: [talk(0, ["login"], ["algo", "jsonrpc"], 443)],
      finds: ["10.0.0.9 mines at 203.0.113.81 443/tcp: login, with a list of algorithms"],
    },
    {
      title: "A job over a WebSocket",
      events: [talk(0, [], ["job"], 80)],
      finds: ["10.0.0.9 mines at 203.0.113.81 80/tcp: a job with blob and target"],
    },
    {
      title: "A handshake in which nothing can be read",
      events: [talk(0, [], ["noise"], 34_254)],
      finds: ["10.0.0.9 may mine at 203.0.113.81 34254/tcp: a handshake of the sizes that Stratum 2 has"],
    },
    { title: "A login to any other service", events: [talk(0, ["login"], ["jsonrpc"])], finds: [] },
    { title: "A call that is asked once", events: [talk(0, ["getblocktemplate"])], finds: [] },
    {
      title: "Two calls, hours apart",
      events: [talk(0, ["getblocktemplate"]), talk(3 * hour, ["getwork"])],
      finds: [],
    },
    {
      title: "A node of our own",
      config: { ignore: ["203.0.113.81"] },
      events: [talk(0, ["mining.subscribe", "mining.authorize"])],
      finds: [],
    },
  ],

  key(fields, { ignore }) {
    const from = textField(fields, "source.ip");
    const to = textField(fields, "destination.ip");
    if (from === undefined || to === undefined || within(to, ignore)) return undefined;
    return `${from}\0${to}\0${numberField(fields, "destination.port")}/tcp`;
  },

  fold(input, state: State | undefined) {
    const { time, fields, event } = input;
    const before = ongoing(state, time, quiet);
    const said: Said = {
      methods: mergeTexts(before?.methods ?? [], texts(fields, "zeek.stratum.methods"), maxMethods),
      signs: mergeTexts(before?.signs ?? [], texts(fields, "zeek.stratum.signs"), maxMethods),
      agent: before?.agent ?? textField(fields, "zeek.stratum.agent"),
    };
    const next: State = { ...extend(before, quiet, { time, events: [event] }), ...said };
    const structure = structureOf(said);
    if (said.methods.length < 2 && structure === undefined) return { state: next };
    // the same again is no news
    if (before && (before.methods.length >= 2 || structureOf(before)) && before.methods.length === said.methods.length)
      return { state: next };
    const [from, to, port] = input.key.split("\0") as [string, string, string];
    const what =
      said.methods.length >= 2 ? list(said.methods) : [...said.methods, structure].join(", ").replace(", a list", ", with a list");
    return {
      state: next,
      claims: [
        {
          window: windowOf(next),
          severity: what === handshake ? "medium" : "high",
          summary: `${from} ${what === handshake ? "may mine" : "mines"} at ${to} ${port}: ${what}${said.agent === undefined ? "" : ` (${said.agent})`}`,
          events: next.events,
          count: next.count,
          entities: [
            { type: "source.ip", id: from },
            { type: "destination.ip", id: to },
          ],
          attack: ["T1496.001"],
        },
      ],
    };
  },

  expires: (state) => state.end + quiet,
});

const handshake = "a handshake of the sizes that Stratum 2 has";

/** What only mining looks like, in words; undefined where there is nothing of it. */
function structureOf({ methods, signs }: Said): string | undefined {
  if (signs.includes("job")) return "a job with blob and target";
  if (signs.includes("noise")) return handshake;
  if (methods.length === 0) return undefined;
  if (signs.includes("algo")) return "a list of algorithms";
  return signs.includes("jsonrpc") && methods.some((m) => !common.has(m)) ? "in JSON-RPC 2.0" : undefined;
}

function texts(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  const all = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  return all.slice(0, maxMethods).map((one) => String(one).slice(0, 64));
}
