/** Processes killed in the middle of a backup and of a restore: run again, it ends well, and nobody takes half of it for whole. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { demandRestored, Repository, Restore, restoreState, verifyBackup, writeBackup } from "./index.ts";
import { captured, installation, keys, own } from "./testing/made.ts";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "vedette-backup-kill-"));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const to = () => join(scratch, "to");
const target = () => join(scratch, "data");

/** @returns what it said: `now` where it was killed, `done` where it had no such step */
async function killedAt(work: "backup" | "restore", step: number): Promise<string> {
  const program = fileURLToPath(new URL("./testing/child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=source", program, work, to(), target(), String(step)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(child, "exit");
  let said = "";
  for await (const text of child.stdout) {
    said += text;
    if (said.includes("\n")) break;
  }
  child.kill("SIGKILL");
  await gone;
  return said.trim();
}

const expectRestored = (): void => {
  for (const { path, content } of installation) expect(readFileSync(join(target(), path)).equals(content)).toBe(true);
};

test("a backup that was killed is none, and the next one is whole", async () => {
  for (const step of [1, 4, 8]) {
    expect(await killedAt("backup", step)).toBe("now");
    const repository = await Repository.openToWrite(to(), keys, own);
    expect(await repository.list()).toEqual([]);
  }
  const repository = await Repository.openToWrite(to(), keys, own);
  const { manifest } = await writeBackup(repository, captured(installation), { version: "test" });
  expect(await verifyBackup(repository.objects, manifest, new Set())).toEqual([]);
});

test("a restore that was killed, again and again, goes on where it was", async () => {
  const repository = await Repository.openToWrite(to(), keys, own);
  await writeBackup(repository, captured(installation), { version: "test" });
  for (const [step, phase] of [
    [1, "first"],
    [5, "first"],
    [7, "events"],
  ] as const) {
    expect(await killedAt("restore", step)).toBe("now");
    expect(restoreState(target())).toMatchObject({ phase });
    if (phase === "first") expect(() => demandRestored(target())).toThrow(/restore/);
    else demandRestored(target());
    expect(Restore.check(target(), [])).toMatchObject({ phase });
  }
  expect(await killedAt("restore", 1_000)).toMatch(/^done/);
  expectRestored();
  expect(restoreState(target())).toBeUndefined();
});
