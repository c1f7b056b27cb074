/** What `npm start`, `npm test` and CI share: install when needed, run a step with its time. Plain JavaScript: it runs before anything is installed. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Node 24 or newer: this process's own, else the one installed as a devDependency. */
export const node = () => (Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : join(root, "node_modules/node/bin/node"));

/** @returns the exit code; output is shown as it comes, or only when the step fails (`quiet`) */
export function run(command, args, { quiet = false, environment = {} } = {}) {
  const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`, ...environment };
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit" });
    const output = [];
    child.stdout?.on("data", (d) => output.push(d));
    child.stderr?.on("data", (d) => output.push(d));
    child.on("error", (e) => {
      process.stderr.write(`${command}: ${e.message}\n`);
      resolve(127);
    });
    child.on("close", (code) => {
      if (quiet && code !== 0) process.stderr.write(Buffer.concat(output));
      resolve(code ?? 1);
    });
  });
}

/** Runs a step under a line that counts its seconds. */
export async function step(title, command, args, options) {
  const start = Date.now();
  const seconds = () => ((Date.now() - start) / 1000).toFixed(0);
  const timer = process.stderr.isTTY ? setInterval(() => process.stderr.write(`\r\u001b[K${title}… ${seconds()} s`), 500) : undefined;
  if (!timer) process.stderr.write(`${title}…\n`);
  const code = await run(command, args, { quiet: true, ...options });
  clearInterval(timer);
  process.stderr.write(`${timer ? "\r\u001b[K" : ""}${title}: ${code === 0 ? "done" : `failed (${code})`} in ${seconds()} s\n`);
  return code;
}

/** Installs what package-lock.json asks for, unless that is there already. */
export async function install() {
  const installed = join(root, "node_modules/.package-lock.json");
  if (
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs &&
    existsSync(join(root, "node_modules/node/bin/node"))
  )
    return 0;
  return step("Installing dependencies", "npm", ["ci", "--no-audit", "--no-fund"]);
}

/** The newest modification below a folder, build output and dependencies aside. */
export function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (["node_modules", "dist", "fake"].includes(entry.name)) continue;
    const path = join(folder, entry.name);
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return time;
}

/** Writes the types of the HTTP API's client, unless they are newer than the API. */
export async function generate() {
  const [types, api] = [join(root, "packages/client/src/schema.ts"), join(root, "packages/api/src")];
  const script = join(root, "scripts/client.mjs");
  if (existsSync(types) && statSync(types).mtimeMs > Math.max(newest(api), statSync(script).mtimeMs)) return 0;
  return step("Types of the API", node(), ["--conditions=source", script]);
}

/** Compiles what has changed since the last build. */
export async function build() {
  const code = (await generate()) || (await step("Building", node(), [join(root, "node_modules/typescript/bin/tsc"), "-b"]));
  if (code !== 0) return code;
  const page = join(root, "apps/web/dist/index.html");
  if (existsSync(page) && statSync(page).mtimeMs > newest(join(root, "apps/web"))) return 0;
  return step("Building the console", "npm", ["run", "build", "-w", "@vedette/web"]);
}
