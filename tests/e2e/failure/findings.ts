/** What an installation came to: the findings that stand in its log, and its alerts, as texts that two installations can be compared by. */
import { type Log, openKafkaLogHere, openLog } from "@vedette/log";
import type { Finding } from "@vedette/model";
import { digestOf } from "@vedette/pipeline";
import { left } from "../../../packages/pipeline/src/keyed/runs.fixture.ts";
import type { FindingsBatch } from "../../../packages/pipeline/src/triage_runner.ts";
import type { Vedette } from "../vedette.ts";
import { type Installation, partitions } from "./installation.ts";

export interface CameTo {
  /** As `vedette replay` prints it. */
  readonly digest: string;
  readonly findings: readonly string[];
}

/** Only of the addresses that attack here: Vedette finds things about itself, too. */
const ours = (finding: Finding): boolean => finding.entities.some(({ id }) => id.startsWith("10."));

/** Follows the findings in a log. */
export class Findings {
  readonly #log: Log;
  readonly #found: Finding[] = [];
  #next = 0;

  private constructor(log: Log) {
    this.#log = log;
  }
  static async ofInstallation({ servers, name }: Installation): Promise<Findings> {
    const { host, port } = servers.get("kafka")!;
    const kafka = { brokers: [`${host}:${port}`], tls: undefined, sasl: undefined };
    return new Findings(await openKafkaLogHere({ kafka, prefix: name, partitions: { raw: partitions } }));
  }
  /** After it was stopped. */
  static async ofStopped(v: Vedette): Promise<Findings> {
    return new Findings(await openLog({ directory: v.data }));
  }

  /** What is canonical by now. */
  async cameTo(): Promise<CameTo> {
    const { end } = await this.#log.bounds("findings", 0);
    while (this.#next < end) {
      for (const entry of await this.#log.read("findings", 0, this.#next, 4_194_304)) {
        this.#next = entry.offset + 1;
        if (!("bytes" in entry)) throw new Error(`findings/${entry.offset}: ${entry.damaged}`);
        const batch = JSON.parse(Buffer.from(entry.bytes).toString()) as FindingsBatch;
        if ("findings" in batch) this.#found.push(...batch.findings.filter(ours));
      }
    }
    const standing = left(this.#found);
    return {
      digest: digestOf(standing).digest,
      findings: standing
        .map(({ rule, key, window, count, canonical }) =>
          [rule.id, key, window.start, window.end, count, canonical ? "canonical" : "open"].join(" "),
        )
        .sort(),
    };
  }
  close(): Promise<void> {
    return this.#log.close();
  }
}

interface Alert {
  readonly severity: string;
  readonly rule: { readonly id: string };
  readonly count: number;
  readonly entities: readonly { readonly type: string; readonly id: string }[];
}
interface Page {
  readonly alerts: readonly Alert[];
  readonly cursor?: string;
}

/** One text each, so that an alert that is there twice is there twice. */
export async function alertsOf(v: Vedette): Promise<readonly string[]> {
  const all: Alert[] = [];
  for (let cursor = ""; ; ) {
    const page: Page = await v.get(`/api/v1/alerts?limit=500${cursor && `&cursor=${cursor}`}`);
    all.push(...page.alerts);
    if (page.cursor === undefined) break;
    cursor = page.cursor;
  }
  return all
    .filter(({ entities }) => entities.some(({ id }) => id.startsWith("10.")))
    .map(({ rule, severity, count, entities }) =>
      [rule.id, severity, count, ...entities.map(({ type, id }) => `${type}=${id}`).sort()].join(" "),
    )
    .sort();
}
