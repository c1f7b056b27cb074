import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrateState } from "@vedette/store";
import { afterAll, expect, test } from "vitest";
import { configSchema } from "../config/schema.ts";
import { stateCheck } from "./state_check.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-state-check-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("doctor tells of the state's tables without making any, and of what is wrong with the setting to mend", async () => {
  const config = configSchema.parse({});
  expect(await stateCheck(config, root)).toMatchObject({
    ok: true,
    detail: expect.stringMatching(/0 migrations run, \d+ at the next start/),
  });
  expect(existsSync(join(root, "state.db"))).toBe(false);
  await migrateState(join(root, "state.db"));
  expect(await stateCheck(config, root)).toMatchObject({ ok: true, detail: expect.stringMatching(/\d+ migrations run$/) });
  writeFileSync(join(root, "state.db"), "this is no database ".repeat(100));
  expect(await stateCheck(config, root)).toMatchObject({ ok: false, detail: expect.stringContaining("is not a state database") });
  const shared = (postgres: object) => configSchema.parse({ state: { driver: "postgres" }, postgres });
  expect(await stateCheck(shared({}), root)).toMatchObject({ ok: false, detail: expect.stringMatching(/^postgres\.host: not set/) });
  const away = await stateCheck(shared({ host: "127.0.0.1", port: 1 }), root);
  expect(away).toMatchObject({ ok: false, detail: "PostgreSQL does not answer (ECONNREFUSED)" });
  const lost = shared({ host: "127.0.0.1", tls: { ca: join(root, "none.pem") } });
  expect(await stateCheck(lost, root)).toMatchObject({ ok: false, detail: expect.stringMatching(/^postgres\.tls\.ca: ENOENT/) });
});
