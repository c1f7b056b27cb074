/** How the program is started so that it stays small under load. Knows nothing of what it does. */
import { setFlagsFromString } from "node:v8";

/**
 * A nursery of at most 2 × 4 MB for the main thread, which hands buffers on and keeps few objects; by default it grows to 130 MB.
 * And leave for each thread to have its garbage collected when it is quiet (`collectWhenQuiet`).
 */
const flags = ["--max-semi-space-size=4", "--expose-gc"];
/** The main thread's bound must not outdo those that other threads are started with (`resourceLimits`). */
const mainOnly = "--max-semi-space-size=0";
/**
 * For glibc: two arenas instead of one a thread; buffers of 1 MB and more are mapped apart, so that freeing them gives the memory back
 * (by default the bound grows with the first large buffer that is freed, and such buffers then fragment the arenas). Mapping smaller ones
 * apart as well takes no less memory at the highest, and a tenth more CPU: each costs page faults and interrupts all threads when it goes.
 */
const environment = { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "1048576", MALLOC_TRIM_THRESHOLD_: "8388608" };

/** Starts this process afresh with them, once; does nothing more where the user set them or the system has no execve. */
export function relaunchSmall() {
  if (process.execArgv.includes(flags[0])) setFlagsFromString(mainOnly);
  if (process.platform !== "linux" || process.env.MALLOC_ARENA_MAX !== undefined || !process.execve) return;
  process.removeAllListeners("warning"); // execve is marked experimental
  process.execve(process.execPath, [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)], {
    ...process.env,
    ...environment,
  });
}
