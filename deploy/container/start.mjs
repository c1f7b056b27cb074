/**
 * Starts Vedette in a container: takes secrets from files, and on the first start names an administrator, without whom nothing listens off loopback.
 * Arguments go to `vedette`.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const program = process.env.VEDETTE_PROGRAM ?? "/opt/vedette/apps/vedette/bin/vedette.mjs";
const secrets = process.env.VEDETTE_SECRETS ?? "/secrets";
const data = process.env.VEDETTE_DATA ?? "/data";
const firstPassword = join(data, "first.password");
const flags = process.execArgv;

/** Passwords of other services: in the environment of this process only, not in the compose file. */
for (const [name, file] of [
  ["POSTGRES_PASSWORD", "postgres"],
  ["REDIS_PASSWORD", "redis"],
]) {
  const path = join(secrets, file);
  if (!process.env[name] && existsSync(path)) process.env[name] = readFileSync(path, "utf8").trim();
}

const start = (words, stdio) => spawn(process.execPath, [...flags, program, ...words], { stdio });

function ended(child) {
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? (signal ? 1 : 0))));
}

/** A first start on loopback, for the data directory to be made, and then the administrator's first password. */
async function nameAdministrator(role) {
  const first = start(["up", "--no-demo", "--listen", "127.0.0.1:0", ...role], ["ignore", "inherit", "pipe"]);
  let said = "";
  first.stderr.on("data", (text) => {
    process.stderr.write(text);
    const known = said.includes(" is up at ");
    said += text;
    // once: a second signal would end it before it has finished
    if (!known && said.includes(" is up at ")) first.kill("SIGTERM");
  });
  const code = await ended(first);
  if (code !== 0) process.exit(code);
  const reset = start(["user", "reset", "admin", "--offline", "--admin", "--data-dir", data], ["ignore", "pipe", "inherit"]);
  let password = "";
  reset.stdout.on("data", (text) => {
    password += text;
  });
  const failed = await ended(reset);
  if (failed !== 0) process.exit(failed);
  writeFileSync(firstPassword, password, { mode: 0o600 });
  process.stdout.write(`The administrator is admin; the first password, good for three days, is in ${firstPassword}.\n`);
}

const words = process.argv.slice(2);
if (words[0] === "up") {
  const token = join(data, "admin.token");
  // the same for every role, so that Prometheus may ask each of them
  const shared = join(secrets, "admin.token");
  if (existsSync(shared) && !existsSync(token)) writeFileSync(token, readFileSync(shared), { mode: 0o600 });
  const at = words.indexOf("--role");
  if (!existsSync(firstPassword) && process.env.VEDETTE_FIRST_ADMINISTRATOR === "yes")
    await nameAdministrator(at < 0 ? [] : words.slice(at, at + 2));
}
const child = start(words, "inherit");
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
process.exit(await ended(child));
