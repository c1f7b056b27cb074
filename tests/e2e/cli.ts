/** The command line in a process of its own: what it prints, what it says, and how it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../apps/vedette/src/main.ts", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  /** Beside a PATH and nothing else. */
  readonly env?: { readonly [name: string]: string };
  /** Stops the command (SIGINT) as soon as what it printed holds this. */
  readonly until?: string;
  /** Piped in. */
  readonly input?: string;
}

export async function vedette(args: readonly string[], { cwd, env = {}, until, input }: CliOptions): Promise<Ended> {
  const child = spawn(process.execPath, ["--conditions=source", program, ...args], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", NO_COLOR: "1", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(input);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (d: Buffer) => {
    stdout += d.toString();
    if (until !== undefined && stdout.includes(until)) child.kill("SIGINT");
  });
  child.stderr.on("data", (d: Buffer) => {
    stderr += d.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}
