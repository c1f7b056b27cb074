import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { openStore } from "../open.ts";
import { hour, start, stateContract } from "../store.contract.ts";
import { PostgresServer, postgresMissing } from "../testing/postgres.ts";

const missing = postgresMissing();
if (missing) process.stderr.write(`state on PostgreSQL: skipped, ${missing}\n`);
const clock = { now: () => start + 3 * hour, sleep: () => Promise.resolve() };

describe.skipIf(missing)("state on PostgreSQL", () => {
  const server = new PostgresServer();
  const root = mkdtempSync(join(tmpdir(), "vedette-store-"));
  let folder = 0;
  const openOn = (postgres = server.settings()) => openStore({ directory: join(root, String(folder++)), clock, postgres });

  beforeAll(async () => {
    await server.create();
    await server.start();
  });
  afterAll(async () => {
    await server.remove();
    rmSync(root, { recursive: true, force: true });
  });

  stateContract(openOn);
});
