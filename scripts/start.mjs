/** `npm start`: installs, builds and runs Vedette; arguments after `--` go to `vedette up`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { build, install, node, root } from "./steps.mjs";

const code = (await install()) || (await build());
if (code !== 0) process.exit(code);
const child = spawn(node(), [join(root, "apps/vedette/bin/vedette.mjs"), "up", ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (status, signal) => process.exit(status ?? (signal ? 130 : 1)));
