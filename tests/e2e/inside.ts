/** The command line within this process, for commands that need no server: what it prints and how it would end, without the cost of a start. */
import { vi } from "vitest";
import { main } from "../../apps/vedette/src/main.ts";
import type { Ended } from "./cli.ts";

/** One command at a time: output is caught where the process writes it. */
export async function inside(...args: string[]): Promise<Ended> {
  const said = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      said[stream] += String(text);
      return true;
    }),
  );
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await main(["node", "vedette", ...args]);
    return { code: (process.exitCode as number | undefined) ?? 0, ...said };
  } finally {
    process.exitCode = before;
    process.stdout.removeAllListeners("error");
    for (const spy of spies) spy.mockRestore();
  }
}
