#!/usr/bin/env node
import module from "node:module";
import { join } from "node:path";

if (Number(process.versions.node.split(".")[0]) < 24) {
  process.stderr.write(
    `vedette needs Node 24 or newer; this is ${process.version}. In a clone, "npx vedette" and "npm start" use the right one.\n`,
  );
  process.exit(2);
}
// threads and later runs take what this one compiled: half of what a short command costs; where it cannot be written all goes on without
const { cacheFolder } = await import("../dist/cache_folder.js");
const caches = cacheFolder();
if (caches !== undefined) process.env.NODE_COMPILE_CACHE ??= join(caches, "compiled");
if (process.env.NODE_COMPILE_CACHE) module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
if (process.argv[2] === "up") (await import("./memory.mjs")).relaunchSmall();
const { main } = await import("../dist/main.js");
await main(process.argv);
