/**
 * Preloaded into every thread of a Vedette under test (`node --expose-gc --import`): on SIGUSR2 each collects its garbage and says what is left, and the
 * main thread writes the sum to the file that VEDETTE_SOAK_PROBE names. Knows nothing of Vedette.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { BroadcastChannel, isMainThread, threadId } from "node:worker_threads";

const channel = new BroadcastChannel("soak");
/** Long enough for a thread in the middle of a batch; one that does not answer is missed in the count. */
const wait_ms = 5_000;

function left() {
  globalThis.gc();
  const { heapUsed, heapTotal, external } = process.memoryUsage();
  return { thread: threadId, heapUsed, heapTotal, external };
}

if (isMainThread) {
  const file = process.env["VEDETTE_SOAK_PROBE"];
  process.on("SIGUSR2", () => {
    const threads = [left()];
    channel.onmessage = ({ data }) => data !== "measure" && threads.push(data);
    channel.postMessage("measure");
    setTimeout(() => {
      const status = readFileSync("/proc/self/status", "utf8");
      const resident = Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024;
      const descriptors = readdirSync("/proc/self/fd").length;
      writeFileSync(`${file}.part`, JSON.stringify({ threads, resident, descriptors }));
      renameSync(`${file}.part`, file);
    }, wait_ms);
  });
} else {
  channel.onmessage = ({ data }) => data === "measure" && channel.postMessage(left());
}
channel.unref();
