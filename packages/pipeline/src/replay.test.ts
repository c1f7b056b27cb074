import { memoryLog } from "@vedette/log";
import { expect, test } from "vitest";
import { encodeTick } from "./batch.ts";
import { Control } from "./control.ts";
import { freshIntakes } from "./intake/intakes.fixture.ts";
import { inlinePool } from "./pool.ts";
import { makeProgram } from "./program.ts";
import { replay } from "./replay.ts";

const rule = (user: string) => ({
  file: "r.yml",
  text: `title: ${user} logs in\nid: 6f4a6c3e-1111-4a5b-9c55-000000000001\nlogsource: { category: test }\ndetection:\n  selection: { event.outcome: success, user.name: ${user} }\n  condition: selection\nlevel: low\n`,
});
const program = (user: string) =>
  makeProgram({ rules: [rule(user)], pipelines: [], detectors: { brute_force: { threshold: 3 } }, lateness_s: 30 }, 0);

/** The same 300 lines in batches of the given size, the rule changing half way. */
async function recorded(batch: number) {
  const log = memoryLog();
  let now = Date.UTC(2026, 5, 1, 0, 10) * 1_000;
  const clock = { now: () => now, sleep: async () => {} };
  const control = await Control.open(log);
  const intakes = await freshIntakes({ log, clock, program: () => control.current!.hash });
  const intake = intakes.open({ source: "auth", format: "syslog" });
  for (let n = 0; n < 300; ) {
    if (n === 0) await control.publish(program("root"));
    if (n === 150) await control.publish(program("ada"));
    const size = Math.min(batch, n < 150 ? 150 - n : 300 - n);
    await intake.accept(
      Array.from({ length: size }, (_, i) => {
        const s = n + i;
        const ok = s % 11 === 0;
        const text = `Jun  1 00:0${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")} h sshd[1]: ${ok ? "Accepted" : "Failed"} password for ${s % 2 ? "root" : "ada"} from 192.0.2.${s % 5} port 5 ssh2`;
        return { position: String(s), body: Buffer.from(text) };
      }),
    );
    n += size;
  }
  now += 1;
  await log.append("raw", 0, encodeTick(now));
  return { log, control };
}

test("the same records give the same digest, however they were batched and in whatever jobs they are replayed", async () => {
  const digests = new Set<string>();
  for (const batch of [300, 7, 1]) {
    const { log, control } = await recorded(batch);
    for (const jobBytes of [1_048_576, 200]) {
      const result = await replay({ log, control, pool: await inlinePool(), jobBytes });
      expect(result).toMatchObject({ events: 300, damaged: 0 });
      expect(result.findings).toBeGreaterThan(10);
      digests.add(result.digest);
    }
  }
  expect(digests.size).toBe(1);
});

test("another rule gives another digest", async () => {
  const a = await recorded(50);
  const first = await replay({ ...a, pool: await inlinePool() });
  const log = memoryLog();
  const control = await Control.open(log);
  await control.publish(program("nobody"));
  const bytes = await a.log.read("raw", 0, 0, 1e9);
  for (const entry of bytes) if ("bytes" in entry) await log.append("raw", 0, entry.bytes);
  // the batches name programs that this control topic lacks: nothing is judged by a rule that was not there
  const second = await replay({ log, control, pool: await inlinePool() });
  expect(second.digest).not.toBe(first.digest);
});
