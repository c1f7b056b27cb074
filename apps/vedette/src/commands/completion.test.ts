import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { program } from "../main.ts";
import { completion, type Shell, shells } from "./completion.ts";

const folder = mkdtempSync(join(tmpdir(), "vedette-completion-"));
afterAll(() => rmSync(folder, { recursive: true }));

function script(shell: Shell): string {
  let text = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((part) => {
    text += String(part);
    return true;
  });
  completion(program(), shell);
  spy.mockRestore();
  return text;
}

/** What bash offers for the last of these words. */
function offered(...words: string[]): string[] {
  const line = ["vedette", ...words].map((word) => `'${word}'`).join(" ");
  const { stdout, stderr, status } = spawnSync("bash", ["--norc"], {
    input: `${script("bash")}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _vedette; printf '%s\\n' "\${COMPREPLY[@]}"\n`,
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.split("\n").filter((word) => word !== "");
}

test("bash completes commands, subcommands, options and their choices, and leaves the rest to file names", () => {
  expect(offered("ru")).toEqual(["rule"]);
  expect(offered("alerts", "cl")).toEqual(["close"]);
  expect(offered("alerts", "--sev")).toEqual(["--severity"]);
  expect(offered("scan", "--level", "h")).toEqual(["high"]);
  expect(offered("scan", "/var/l")).toEqual([]);
});

test.each(shells)("%s's script knows every command, and is a script", (shell) => {
  const text = script(shell);
  for (const command of program().commands) expect(text).toContain(command.name());
  const file = join(folder, shell);
  writeFileSync(file, text);
  const { error, status, stderr } = spawnSync(shell, ["-n", file], { encoding: "utf8" });
  // a shell that is not here cannot be asked
  if (error === undefined) expect([status, stderr]).toEqual([0, ""]);
});
