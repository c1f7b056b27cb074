#!/usr/bin/env node
import { existsSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

if (Number(process.versions.node.split(".")[0]) < 24) {
  process.stderr.write(
    `vedette needs Node 24 or newer; this is ${process.version}. In a clone, "npx vedette" and "npm start" use the right one.\n`,
  );
  process.exit(2);
}
// threads and later runs take what this one compiled: half of what a short command costs; where it cannot be written all goes on without
const caches = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
// below a folder that does not exist Node may try for ever (/proc)
if (existsSync(dirname(caches))) process.env.NODE_COMPILE_CACHE ??= join(caches, "vedette", "compiled");
if (process.env.NODE_COMPILE_CACHE) module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
if (process.argv[2] === "up") (await import("./memory.mjs")).relaunchSmall();
const { main } = await import("../dist/main.js");
await main(process.argv);
