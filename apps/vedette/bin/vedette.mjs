#!/usr/bin/env node
if (Number(process.versions.node.split(".")[0]) < 24) {
  process.stderr.write(
    `vedette needs Node 24 or newer; this is ${process.version}. In a clone, "npx vedette" and "npm start" use the right one.\n`,
  );
  process.exit(2);
}
// glibc gives every thread an allocation arena of its own that keeps what is freed: two are enough here and save some 200 MB under load
if (process.argv[2] === "up" && process.platform === "linux" && process.env.MALLOC_ARENA_MAX === undefined && process.execve) {
  process.removeAllListeners("warning"); // execve is marked experimental
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    ...process.env,
    MALLOC_ARENA_MAX: "2",
  });
}
const { main } = await import("../dist/main.js");
await main(process.argv);
