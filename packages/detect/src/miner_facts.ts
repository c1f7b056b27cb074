/** What of a minute on a node bears on whether one of its jobs mines: measurements, jobs, sockets, thin connections, odd programs. Bounded. Knows no score. */
import type { Fields, Micros } from "@vedette/model";
import { minute, numberField, second, textField } from "./episode.ts";
import { mergeReadings, nodeOfSample, type Readings, readingOf } from "./job_meters.ts";
import { neighbourhood } from "./networks.ts";
import { type Doer, doerOf, jobTold, type KnownJob, nodeOf, nodesOfJob, toldAt } from "./node_jobs.ts";
import { firstOf, isExec, isPersons, isSocket, isStray, keepOne, type Socket, socketOf } from "./sockets.ts";

/** What a program or a sensor said besides. */
export interface Oddity {
  readonly time: Micros;
  readonly kind: "pool" | "program" | "own";
  readonly why: string;
  readonly doer: Doer;
}
/** Seconds of connections that carry little, by network and port. */
export type Contacts = { readonly [end: string]: number };
export interface Facts {
  readonly readings: Readings;
  readonly jobs: readonly KnownJob[];
  readonly sockets: readonly Socket[];
  readonly contacts: Contacts;
  readonly oddities: readonly Oddity[];
}
const none: Facts = { readings: {}, jobs: [], sockets: [], contacts: {}, oddities: [] };

export const factsQuery =
  "event.dataset:vedette.metric or (event.module:slurm and slurm.job.id:*) or (event.dataset:tetragon and (tetragon.type:process_exec or (event.category:network and destination.ip:* and not event.type:end))) or ((event.dataset:zeek.conn or event.dataset:zeek.conn_long or event.dataset:zeek.notice or event.dataset:zeek.intel) and hpc.node:*)";

/** Of one node in a minute. */
const maxJobs = 64;
const maxSockets = 32;
const maxContacts = 64;
const maxOddities = 32;

export interface Bounds {
  /** Whether an address is outside, and none that jobs may reach. */
  readonly outside: (ip: string) => boolean;
  /** Where the system and its modules lie. */
  readonly trees: readonly string[];
}

export function nodesOfFacts(fields: Fields, bounds: Bounds): string | readonly string[] | undefined {
  if (fields["metric.name"] !== undefined) return nodeOfSample(fields);
  if (fields["event.module"] === "slurm") return nodesOfJob(fields);
  if (isExec(fields)) return isPersons(fields) && oddityOf(fields, 0, bounds) !== undefined ? nodeOf(fields) : undefined;
  if (isOfSensor(fields) && oddityOf(fields, 0, bounds) !== undefined) return nodeOf(fields);
  const to = textField(fields, "destination.ip");
  return to !== undefined && bounds.outside(to) && neighbourhood(to) !== undefined ? nodeOf(fields) : undefined;
}
const isOfSensor = (fields: Fields): boolean => fields["event.dataset"] === "zeek.notice" || fields["event.dataset"] === "zeek.intel";

/** A connection counts when it ends: a miner's lasts for hours, and is written then. */
export function countsAt(fields: Fields, time: Micros, received: Micros): Micros | undefined {
  if (fields["event.module"] === "zeek") return time + numberField(fields, "event.duration") / 1_000;
  return toldAt(fields, time, received);
}

export function factsOf(fields: Fields, time: Micros, event: string, bounds: Bounds): Facts {
  if (fields["metric.name"] !== undefined) return { ...none, readings: readingOf(fields, time) };
  const job = jobTold(fields, time);
  if (job !== undefined) return { ...none, jobs: [job] };
  const odd = isExec(fields) || isOfSensor(fields) ? oddityOf(fields, time, bounds) : undefined;
  if (odd !== undefined) return { ...none, oddities: [odd] };
  if (!isSocket(fields)) return none;
  const one = socketOf(fields, time, event);
  return one.wire ? { ...none, contacts: contactOf(fields, one) } : { ...none, sockets: [one] };
}

/**
 * A pool's answers and a miner's shares, with what TLS adds, stay below 150 bytes a second: a share of some 350 bytes each five seconds at the
 * most, its answer, and a new job each ten. What lasts less than a minute is a request.
 */
const thinRate = 150;
const leastContact = minute;

function contactOf(fields: Fields, { to, port, transport }: Socket): Contacts {
  const lasted = numberField(fields, "event.duration") / 1_000;
  const bytes = numberField(fields, "source.bytes") + numberField(fields, "destination.bytes");
  // an hour of nothing at all is a connection that somebody forgot
  if (transport !== "tcp" || lasted < leastContact || bytes === 0 || bytes / (lasted / second) > thinRate) return {};
  return { [`${neighbourhood(to) ?? to} port ${port}`]: Math.round(lasted / second) };
}

/** Names of kernel threads: a person's process has none of them. */
const kernelThread = /^(?:kworker|kthreadd|ksoftirqd|migration|rcu_|kswapd|kdevtmpfs|khugepaged)/;
/** Folders whose name begins with a dot, but those in which package managers put programs. */
const hiddenFolder =
  /\/\.(?!local\/|venv\/|conda\/|pyenv\/|cargo\/|rustup\/|julia\/|nvm\/|sdkman\/|spack\/|vscode-server\/|cursor-server\/)[^/]{1,64}\//;
const stratum = /\bstratum[12]?\+(?:tcp|ssl|tls|http)s?:\/\//i;
/** As in `Bitcoin::Mining_Pool_Server`, `CoinMiner list`, `ET COINMINER`; "determining" and "examiner" are not meant. */
const miningWords = /stratum|crypto-?(?:currency|jack|min)|(?:coin|(?<![a-z]))min(?:er|ing)s?(?![a-z])/i;

function oddityOf(fields: Fields, time: Micros, { trees }: Bounds): Oddity | undefined {
  const odd = (kind: Oddity["kind"], why: string): Oddity => ({ time, kind, why: why.slice(0, 160), doer: doerOf(fields) });
  if (isOfSensor(fields)) {
    const name = textField(fields, "rule.name") ?? textField(fields, "threat.indicator.name");
    const told = `${name ?? ""} ${textField(fields, "message")?.slice(0, 200) ?? ""}`;
    return name !== undefined && miningWords.test(told) ? odd("pool", `the sensor says ${name}`) : undefined;
  }
  const path = textField(fields, "process.executable");
  if (path === undefined) return undefined;
  if (stratum.test((textField(fields, "process.command_line") ?? "").slice(0, 4_096)))
    return odd("pool", `${path} was told to speak Stratum`);
  if (isStray(path)) return odd("program", `${path} lies where anybody may write, or nowhere`);
  if (kernelThread.test(textField(fields, "process.name") ?? "")) return odd("program", `${path} is named like a thread of the kernel`);
  if (hiddenFolder.test(path)) return odd("program", `${path} lies in a hidden folder`);
  return trees.some((tree) => path.startsWith(tree)) ? undefined : odd("own", `${path} is neither the system's nor a module's`);
}

/** Commutative and associative. */
export function mergeFacts(into: Facts, more: Facts): Facts {
  return {
    readings: mergeReadings(into.readings, more.readings),
    jobs: firstOf(
      into.jobs,
      more.jobs,
      (one) => `${one.id} ${one.cluster ?? ""} ${one.end ?? ""}`,
      (one) => one.told,
      keepOne,
      maxJobs,
    ),
    sockets: firstOf(
      into.sockets,
      more.sockets,
      (one) => `${one.doer.told[0]?.[1] ?? one.doer.uid ?? ""} ${one.to} ${one.port}`,
      (one) => one.time,
      keepOne,
      maxSockets,
    ),
    contacts: mergeContacts(into.contacts, more.contacts),
    oddities: firstOf(
      into.oddities,
      more.oddities,
      (one) => `${one.kind} ${one.doer.told[0]?.[1] ?? one.doer.uid ?? ""} ${one.why}`,
      (one) => one.time,
      keepOne,
      maxOddities,
    ),
  };
}

function mergeContacts(into: Contacts, more: Contacts): Contacts {
  const all: { [end: string]: number } = { ...into };
  for (const end in more) all[end] = (all[end] ?? 0) + more[end]!;
  const ends = Object.keys(all);
  if (ends.length <= maxContacts) return all;
  return Object.fromEntries(
    ends
      .sort()
      .slice(0, maxContacts)
      .map((end) => [end, all[end]!]),
  );
}
