import { test } from "vitest";
import { crashRun } from "./crash.ts";

/** Ten kills a run; the day picks the seeds, so that runs over time cover more than any one does. */
const today = Math.floor(Date.now() / 86_400_000);

test("ten kills under load lose nothing acknowledged and show nothing twice", { timeout: 300_000 }, async () => {
  await crashRun(today, 10);
});
