import { expect, it } from "vitest";
import { findBinding, keymap } from "./keymap.ts";

it("gives no key two meanings in one place", () => {
  for (const scope of ["alerts", "alert", "events"]) {
    const keys = keymap.filter((binding) => binding.scope === scope || binding.scope === "everywhere").map((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
  }
});

it("prefers two keys in a row, and only what has a handler", () => {
  expect(findBinding("g", "a", ["go_alerts", "alerts_acknowledge"])).toBe("go_alerts");
  expect(findBinding(undefined, "a", ["go_alerts", "alerts_acknowledge"])).toBe("alerts_acknowledge");
  expect(findBinding(undefined, "a", ["go_alerts"])).toBeUndefined();
});
