/** Who is given one installation's log and another's state does not start. */
import { memoryLog } from "@vedette/log";
import { expect, test } from "vitest";
import { Control } from "../control.ts";
import { joinInstallation } from "./installation.ts";

/** A state, and how far it says that the log was analysed. */
function newState(analysed = 0) {
  const saved = new Map<string, string | undefined>();
  return {
    saved,
    analysed,
    settings: {
      get: async (name: string) => saved.get(name),
      set: async (name: string, value: string | undefined) => void saved.set(name, value),
    },
  };
}
type State = ReturnType<typeof newState>;

let now = 1_000;
const join = async (
  log: ReturnType<typeof memoryLog>,
  { settings, analysed }: State,
  more: { leads?: boolean; several?: boolean } = {},
) => {
  const control = await Control.open(log);
  await joinInstallation({
    log: {
      installation: control.installation,
      claim: (name) => control.record({ kind: "installation", version: 1, installation: name }),
      end: async () => (await log.bounds("raw", 0)).end,
    },
    settings,
    analysed: async () => analysed,
    tenant: "main",
    clock: { now: () => now++, sleep: async () => {} },
    leads: true,
    several: true,
    ...more,
  });
};

test("one installation goes on, in any process and after any crash", async () => {
  const [log, state] = [memoryLog(), newState()];
  // who does not lead names nothing
  await join(log, state, { leads: false });
  expect(state.saved.size).toBe(0);
  // named in the state alone: it was killed between the two
  state.saved.set("installation", "x");
  await join(log, state);
  expect((await Control.open(log)).installation).toBe("x");
  for (const leads of [true, false]) await join(log, state, { leads });
  expect(state.saved.get("installation")).toBe("x");
});

test("two that share a log or a state by mistake are refused, with what to set", async () => {
  const [logA, stateA, logB, stateB] = [memoryLog(), newState(), memoryLog(), newState()];
  await join(logA, stateA);
  await join(logB, stateB);
  expect(stateA.saved.get("installation")).not.toBe(stateB.saved.get("installation"));
  for (const leads of [true, false]) {
    await expect(join(logA, stateB, { leads })).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.stringContaining("kafka.topic"),
    });
    await expect(join(logA, newState(), { leads })).rejects.toThrow("this state is empty");
    // the state of one that has worked, and a log that nobody has written to
    await expect(join(memoryLog(), { ...stateA, analysed: 7 }, { leads })).rejects.toThrow("offsets up to 7");
  }
});

test("one process whose state was lost begins a new one over its log", async () => {
  const [log, state] = [memoryLog(), newState()];
  await join(log, newState(), { several: false });
  await join(log, state, { several: false });
  expect(state.saved.get("installation")).toBe((await Control.open(log)).installation);
});
