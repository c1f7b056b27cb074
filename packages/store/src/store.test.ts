import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openStore } from "./open.ts";
import { hour, start, storeContract } from "./store.contract.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-store-"));
let next = 0;
afterAll(() => rmSync(root, { recursive: true, force: true }));

const clock = { now: () => start + 3 * hour, sleep: () => Promise.resolve() };
storeContract(() => openStore({ directory: join(root, String(next++)), clock }));
