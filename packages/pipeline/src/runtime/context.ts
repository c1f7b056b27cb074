/** What all parts of one running Vedette share, opened: control, intakes, roles, and where trouble and news are reported. Wires no part and runs nothing. */

import { crc32 } from "node:zlib";
import { type Clock, type FormatSpec, systemClock, UnavailableError } from "@vedette/kit";
import { formats } from "@vedette/normalise";
import type { CheckpointStore } from "@vedette/store";
import { CanaryNews } from "../canary/news.ts";
import { Control } from "../control.ts";
import { engineConsumer } from "../engine.ts";
import { Headroom } from "../intake/headroom.ts";
import { Intakes, type SeenElsewhere } from "../intake/intakes.ts";
import { Rates } from "../intake/rates.ts";
import { SeenIds } from "../intake/seen_ids.ts";
import { rememberSenderIds } from "../intake/sender_ids.ts";
import { type Pool, threadPool } from "../pool.ts";
import { joinInstallation } from "./installation.ts";
import { Listeners } from "./listeners.ts";
import type { RuntimeOptions } from "./options.ts";
import { patient } from "./patient.ts";
import { Problems } from "./problems.ts";
import { type ClusterPart, Roles } from "./roles.ts";

export interface RuntimeContext {
  readonly options: RuntimeOptions;
  readonly clock: Clock;
  readonly control: Control;
  readonly formats: ReadonlyMap<string, FormatSpec>;
  readonly intakes: Intakes;
  readonly rates: Rates;
  readonly pool: Pool;
  readonly roles: Roles;
  /** For whatever must not end because state is away. */
  readonly checkpoints: CheckpointStore;
  /** Of a cluster: what one process sees of canaries that another sent. */
  readonly canaries: CanaryNews | undefined;
  readonly listeners: Listeners;
  readonly problems: Problems;
  /** Ends everything. */
  readonly stop: AbortController;
}

/** How long a process waits for one with the role serve to put rules in force. */
const rulesWithin_ms = 300_000;
const [fetchTries, fetchEvery_ms] = [300, 1_000];

export async function openContext(options: RuntimeOptions): Promise<RuntimeContext> {
  const clock = options.clock ?? systemClock;
  const control = await Control.open(options.log, tablesFirst(options, clock));
  const rates = new Rates(clock);
  const known = await formats();
  const problems = new Problems();
  const stop = new AbortController();
  return {
    options,
    clock,
    control,
    formats: known,
    intakes: await openIntakes(options, { control, clock, rates, known }),
    rates,
    pool: options.pool ?? threadPool(),
    roles: new Roles(options.cluster, clock, problems.report),
    checkpoints: patient(options.store.checkpoints, { clock, signal: stop.signal, onProblem: problems.report }),
    canaries: options.cluster && new CanaryNews(options.cluster.cluster.notices),
    listeners: new Listeners(),
    problems,
    stop,
  };
}

/**
 * Finds its place in the installation: who leads puts rules in force, others wait for them; log and state must belong together.
 * @throws UnavailableError where nobody puts rules in force
 */
export async function join({ options, clock, control, roles }: RuntimeContext): Promise<void> {
  const { log, store, tenant, cluster } = options;
  await roles.tryToLead();
  if (!roles.leads) await rulesInForce(control);
  await joinInstallation({
    log: {
      installation: control.installation,
      claim: (installation) => control.record({ kind: "installation", version: 1, installation }),
      end: async () => (await log.bounds("raw", 0)).end,
    },
    settings: store.settings,
    analysed: async () => (await store.checkpoints.load(engineConsumer(0), 0)).offset,
    tenant,
    clock,
    leads: roles.leads,
    several: cluster !== undefined,
  });
}

async function rulesInForce(control: Control): Promise<void> {
  await control.ready(AbortSignal.timeout(rulesWithin_ms));
  if (control.current === undefined)
    throw new UnavailableError("cluster_unavailable", "no process with the role serve has put rules in force yet; start one");
}

/** Tables that a program names are here before it is in force; where state is away, after some minutes without them. */
function tablesFirst({ enrichment }: RuntimeOptions, clock: Clock): Parameters<typeof Control.open>[1] {
  return async (tables = {}) => {
    for (let left = fetchTries; left > 0; left--) {
      try {
        return await enrichment?.tables.fetch(Object.values(tables).map(({ hash }) => hash));
      } catch {
        await clock.sleep(fetchEvery_ms);
      }
    }
  };
}

interface IntakeParts extends Pick<RuntimeContext, "control" | "clock" | "rates"> {
  readonly known: RuntimeContext["formats"];
}

/** What comes in goes through these, numbered on from what the log holds. */
async function openIntakes(options: RuntimeOptions, { control, clock, rates, known }: IntakeParts): Promise<Intakes> {
  const { log, tenant, cluster, historical } = options;
  const seen = new SeenIds(clock);
  const remembered = rememberSenderIds(log, seen, clock, cluster?.partitions);
  // whoever needs it waits for it and hears of a failure; that nobody does yet must not end the process
  remembered.catch(() => {});
  return new Intakes({
    log,
    clock,
    formats: known,
    program: () => control.current?.hash ?? "",
    tenant,
    counts: await log.counts(),
    seen,
    known: remembered,
    // only who analyses too can tell how far ahead of it he is
    ...(cluster
      ? { partitions: cluster.partitions, firstSeq: firstSeqOf(cluster.name), elsewhere: seenBy(cluster) }
      : { headroom: new Headroom(() => clock.now()) }),
    onAccepted: (source, n) => rates.add(source, n),
    ...(historical && { historical }),
  });
}

/** Repeats of a document are known by whichever process took it in. */
function seenBy({ cluster: { recent } }: ClusterPart): SeenElsewhere {
  const kind = "sender_ids";
  return { known: (ids) => recent.known(kind, ids), add: (ids) => recent.add(kind, ids) };
}

/** Each process numbers the records it takes in from somewhere else. */
const firstSeqOf = (name: string): number => (crc32(name) % 0x10_0000) * 2 ** 32;
