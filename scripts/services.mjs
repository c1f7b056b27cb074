/**
 * `scripts/services install|up|down|status [NAME…] [--json]`: the real servers that integration tests speak with, on loopback.
 * Where each one answers is noted for `tests/e2e/services.ts`. Knows no test.
 */
import { installAll, installs } from "./services_install.mjs";
import { down, isReady, ownFolder, running, servers, up } from "./services_run.mjs";

const usage = `scripts/services install             installs every server and client into ~/.cache/vedette-services (or VEDETTE_SERVICES)
scripts/services up [NAME…]          installs what is missing, starts what does not run, waits until it is ready
scripts/services down [NAME…]        ends them and forgets their data
scripts/services status [NAME…] [--json]
NAME: ${Object.keys(servers).join(", ")}; without one, all of them. A port is free, or VEDETTE_SERVICES_KAFKA_PORT and so on say it.
`;

const [verb, ...rest] = process.argv.slice(2);
const json = rest.includes("--json");
const given = rest.filter((word) => word !== "--json");
const wrong = given.find((name) => !Object.hasOwn(servers, name));
const names = given.length > 0 ? given : Object.keys(servers);
const line = (text) => process.stderr.write(`${text}\n`);

/** Does it for each in turn, on a machine of two cores. @returns how many failed */
async function each(what) {
  let failed = 0;
  for (const name of names) {
    try {
      await what(name);
    } catch (e) {
      failed++;
      line(`${name}: ${e.stderr?.length > 0 ? e.stderr : e.message}`);
    }
  }
  return failed;
}

async function status() {
  const all = [];
  for (const name of names) {
    const service = running(name);
    all.push({ name, state: service === undefined ? "down" : (await isReady(name, service)) ? "ready" : "not ready", ...service });
  }
  if (json) process.stdout.write(`${JSON.stringify(all)}\n`);
  else
    for (const { name, state, host, port } of all) process.stdout.write(`${name.padEnd(12)}${state}${port ? ` on ${host}:${port}` : ""}\n`);
  return all.filter(({ state }) => state !== "ready").length;
}

const verbs = {
  install() {
    const failed = installAll();
    for (const one of failed) line(`could not be installed: ${one}`);
    return failed.length;
  },
  up: () =>
    each(async (name) => {
      const start = Date.now();
      installs[name]();
      const { host, port, log } = await up(name);
      line(`${name} is ready on ${host}:${port} after ${((Date.now() - start) / 1000).toFixed(0)} s; it logs to ${log}`);
    }),
  down: () => each(down),
  status,
};

if (wrong !== undefined || !Object.hasOwn(verbs, verb ?? "")) {
  if (wrong !== undefined) line(`There is no ${wrong}.`);
  line(usage);
  process.exitCode = 2;
} else {
  ownFolder();
  process.exitCode = (await verbs[verb]()) === 0 ? 0 : 1;
}
