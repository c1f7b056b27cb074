/** One server is away for a while, or takes no writes: who says so, who goes on, and that it is over without anybody's help. */
import { Chance } from "@vedette/kit";
import { expect } from "vitest";
import type { Vedette } from "../vedette.ts";
import { attempts, type Batch, sendAll } from "./attacks.ts";
import type { Installation } from "./installation.ts";
import { eventually } from "./seeds.ts";
import type { ServerName } from "./servers.ts";

interface Readiness {
  readonly status: number;
  readonly codes: readonly string[];
  readonly text: string;
}

type Told = readonly [code: string, message: RegExp];

/** What somebody's problem is called while it is away, and what its message names. */
const whileAway: { readonly [name in ServerName]: Told } = {
  kafka: ["log_full", /Kafka at 127\.0\.0\.1:\d+ does not answer.*kafka\.server/],
  postgres: ["state_blocked", /PostgreSQL does not answer/],
  redis: ["cluster_unavailable", /redis\.host, redis\.port: Redis at 127\.0\.0\.1:\d+ does not answer/],
  opensearch: ["output_blocked", /OpenSearch at .* does not answer.*opensearch\.url/],
};
/** The same while it takes no writes. */
const whileRefusing = {
  postgres: ["state_blocked", /PostgreSQL takes no writes \(25006\)/],
  opensearch: ["output_blocked", /OpenSearch takes no more events .*free disk space/],
} satisfies { readonly [name in ServerName]?: Told };
export const refusing = Object.keys(whileRefusing) as readonly (keyof typeof whileRefusing)[];

export async function readiness(process: Vedette): Promise<Readiness> {
  const response = await process.fetch("/readyz");
  const { problems } = (await response.json()) as { readonly problems: readonly { readonly code: string; readonly message: string }[] };
  return { status: response.status, codes: problems.map(({ code }) => code), text: problems.map(({ message }) => message).join("\n") };
}

/** Kills the server, sends, and starts it again. @param seed of what is sent @returns what was acknowledged */
export async function isAway(installation: Installation, name: ServerName, seed: number): Promise<readonly Batch[]> {
  const server = installation.servers.get(name)!;
  return await withTrouble(installation, seed, {
    begin: () => server.kill(),
    told: whileAway[name],
    end: () => server.start(),
    // what is accepted is durable; where nothing can be, nothing is
    accepts: name !== "kafka",
  });
}

/** Has the server take no writes for a while. @param seed of what is sent @returns what was acknowledged */
export async function refuses(installation: Installation, name: (typeof refusing)[number], seed: number): Promise<readonly Batch[]> {
  const server = installation.servers.get(name)!;
  return await withTrouble(installation, seed, {
    begin: () => server.refuse(),
    told: whileRefusing[name],
    end: () => server.accept(),
    accepts: true,
  });
}

interface Trouble {
  readonly begin: () => Promise<void>;
  readonly told: Told;
  readonly end: () => Promise<void>;
  /** Whether what is sent meanwhile is acknowledged. */
  readonly accepts: boolean;
}

async function withTrouble(installation: Installation, seed: number, { begin, told, end, accepts }: Trouble): Promise<readonly Batch[]> {
  const { processes, ingest } = installation;
  const all = attempts(seed, new Chance(seed));
  const sent: Batch[] = [];
  const send = (part: typeof all) => sendAll(ingest, part, (batch) => sent.push(batch));
  await begin();
  try {
    if (accepts) await send(all.map((own) => own.slice(0, 2)));
    else await refused(ingest, all[0]![0]!());
    await toldBy(installation, told);
  } finally {
    await end();
  }
  await send(accepts ? all.map((own) => own.slice(2)) : all);
  const [code] = told;
  for (const process of processes.values()) {
    const after = await eventually(
      () => readiness(process),
      ({ status, codes }) => status === 200 && !codes.includes(code),
    );
    expect(after).toMatchObject({ status: 200, codes: expect.not.arrayContaining([code]) });
  }
  return sent;
}

/** Not acknowledged, and told when to come again. */
async function refused(ingest: Vedette, { key, lines }: Batch): Promise<void> {
  const answer = await ingest.fetch("/ingest/auth0", { method: "POST", body: lines.join("\n"), headers: { "idempotency-key": key } });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([503, expect.stringContaining("application/problem+json")]);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
}

/** All live, and somebody who is not ready says why. */
async function toldBy({ processes }: Installation, [code, message]: Told): Promise<void> {
  const says = ({ status, codes, text }: Readiness): boolean => status === 503 && codes.includes(code) && message.test(text);
  const said = await eventually(
    () => Promise.all([...processes.values()].map(readiness)),
    (each) => each.some(says),
  );
  expect(said.some(says), JSON.stringify(said)).toBe(true);
  for (const process of processes.values()) expect((await process.fetch("/healthz")).status).toBe(200);
}
