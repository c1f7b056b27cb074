#!/usr/bin/env node
if (Number(process.versions.node.split(".")[0]) < 24) {
  process.stderr.write(
    `vedette needs Node 24 or newer; this is ${process.version}. In a clone, "npx vedette" and "npm start" use the right one.\n`,
  );
  process.exit(2);
}
if (process.argv[2] === "up") (await import("./memory.mjs")).relaunchSmall();
const { main } = await import("../dist/main.js");
await main(process.argv);
