/** What happens in the outside world of a simulation, by seed, and what it is judged by. Knows no process. */
import { detectors } from "@vedette/detect";
import { Chance } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { ProgramFile } from "@vedette/pipeline";
import { ms, second } from "./world.ts";

export const begin: Micros = Date.UTC(2026, 5, 1) * 1_000;
/** Inputs there are: few, so that what each comes to without faults is found out once. */
const inputs = 40;
/** How long something happens; faults come meanwhile. */
export const busyFor: Micros = 24 * second;

/** One line of a log. */
export interface Line {
  /** Counts all lines of the input; it says so itself. */
  readonly number: number;
  /** When it can be read. */
  readonly at: Micros;
  readonly body: Uint8Array;
}
export interface Input {
  readonly name: number;
  /** Lines of files, by file; each has a machine's own log, in order. */
  readonly files: ReadonlyMap<string, readonly Line[]>;
  /** Documents that senders bring, each under an id of its own. */
  readonly documents: readonly Line[];
  readonly lines: number;
}

const files = ["web", "login", "mail"];

export function inputOf(seed: number): Input {
  const name = seed % inputs;
  const chance = new Chance(name).fork("input");
  const all = new Map<string, Line[]>(files.map((file) => [file, []]));
  const documents: Line[] = [];
  const lines = chance.whole(30, 60);
  let at = begin + 2 * second;
  for (let number = 0; number < lines; number++) {
    // no two in one millisecond: what bears the same time comes in the order of its arrival, which faults may change
    at = Math.max(at + chance.exponential((busyFor - 6 * second) / lines), (Math.floor(at / ms) + 1) * ms);
    const by = chance.whole(0, files.length);
    const host = by < files.length ? files[by]! : `h${chance.whole(1, 2)}`;
    const line = { number, at, body: Buffer.from(text(at, host, number, chance)) };
    if (by < files.length) all.get(host)!.push(line);
    // senders are a little late, and not in order
    else documents.push({ ...line, at: at + chance.between(0, 1.5) * second });
  }
  return { name, files: all, documents, lines };
}

/** Lines say their number as the port. */
function text(at: Micros, host: string, number: number, chance: Chance): string {
  const time = new Date(at / 1_000).toISOString();
  const verdict = chance.happens(0.2) ? "Accepted" : "Failed";
  const from = `192.0.2.${chance.whole(1, 3)}`;
  return `${time} ${host} sshd[7]: ${verdict} password for ${chance.pick(["root", "alice"])} from ${from} port ${1_000 + number} ssh2`;
}

/** The number of a line by what is stored of it. */
export const numberOf = (original: string): number => Number(/ port (\d+) ssh2/.exec(original)?.[1]) - 1_000;

const base = (name: string, outcome: string) =>
  `title: ${name}\nname: ${name}\nid: 6f4a6c3e-1111-4a5b-9c55-00000000000${outcome.length}\nlogsource: {product: linux}\ndetection: {s: {event.outcome: ${outcome}}, condition: s}\nlevel: low\n`;
const rules = `${base("failed", "failure")}---\n${base("worked", "success")}---
title: burst
id: burst
level: high
correlation: {type: event_count, rules: [failed], group-by: [source.ip], timespan: 4s, condition: {gte: 3}}
`;
const root = `title: Root logs in
id: 6f4a6c3e-1111-4a5b-9c55-000000000001
logsource: {product: linux}
detection: {s: {event.outcome: success, user.name: root}, condition: s}
level: medium
`;

/** The others find nothing in such lines, and cost as much as all the rest. */
const off = Object.fromEntries([...(await detectors()).keys()].map((name) => [name, false]));

export const judges: {
  readonly rules: readonly ProgramFile[];
  readonly pipelines: readonly ProgramFile[];
  readonly detectors: { readonly [name: string]: unknown };
  readonly lateness_s: number;
} = {
  rules: [
    { file: "burst.yml", text: rules },
    { file: "root.yml", text: root },
  ],
  pipelines: [{ file: "p.yml", text: "name: p\ntransformations: [{type: add_condition, conditions: {event.module: linux}}]\n" }],
  detectors: { ...off, brute_force: { threshold: 3, window_s: 5, slow_window_s: 5 } },
  lateness_s: 5,
};
