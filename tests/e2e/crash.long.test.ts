import { test } from "vitest";
import { crashRun } from "./crash.ts";

for (let seed = 0; seed < 100; seed++) {
  test(`seed ${seed}: ten kills under load`, { timeout: 600_000 }, async () => {
    await crashRun(seed, 10);
  });
}
