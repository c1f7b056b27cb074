/** `npm run bench -- NAME [--json] [--events N] [--OPTION N]`: runs one benchmark (`alert-latency` or `alert_latency`); without a name it lists them. */
import { readdirSync } from "node:fs";
import { option } from "./harness.ts";

const folder = new URL("./cases/", import.meta.url);
const names = readdirSync(folder)
  .filter((f) => f.endsWith(".ts"))
  .map((f) => f.slice(0, -3));
const name = process.argv[2]?.replaceAll("-", "_");
if (name === undefined || !names.includes(name)) {
  process.stderr.write(`usage: npm run bench -- NAME [--events N]\nbenchmarks: ${names.join(", ")}\n`);
  process.exit(2);
}
const { bench } = (await import(new URL(`${name}.ts`, folder).href)) as { bench: (events: number | undefined) => Promise<void> };
await bench(option("events"));
process.exit(0);
