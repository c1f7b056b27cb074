/** Runs the fake server for development: `node fake/main.ts [port] [normal|empty|hostile]`, then open the address it prints. */
import { fileURLToPath } from "node:url";
import { startFake } from "./server.ts";
import type { Scenario } from "./state.ts";

const [port = "8090", scenario = "normal"] = process.argv.slice(2);
const server = await startFake({
  port: Number(port),
  scenario: scenario as Scenario,
  dist: fileURLToPath(new URL("../dist", import.meta.url)),
  alert_every: 15,
});
console.log(`${server.url}/login?token=fake`);
