/** What it costs to decide whether somebody may do something, and what of the data comes with it. */
import { type Grant, grantsFor, type Principal, permissions, viewOf } from "@vedette/access";
import { narrowed, parseQuery } from "@vedette/condition";
import { costOf, print } from "../harness.ts";

/** The goal, µs of CPU. */
const goal = 5;

/** @param checks permission checks, over all permissions in turn */
export async function bench(checks = 1_000_000): Promise<void> {
  const whole: readonly Grant[] = [{ role: "viewer" }, { role: "engineer" }];
  const limited: readonly Grant[] = Array.from({ length: 5 }, (_, n) => ({
    role: "analyst",
    rows: `labels.project:p${n} and not user.name:root`,
    masks: ["user.email"],
  }));
  const as = (grants: readonly Grant[]): Principal => ({ kind: "user", id: "u", name: "ann", grants, by: "session" });
  const details: { [name: string]: number } = { checks };
  const each = async (name: string, check: (n: number) => unknown): Promise<number> => {
    let kept = 0;
    const { cpu_s } = await costOf(() => {
      for (let n = 0; n < checks; n++) if (check(n) !== undefined) kept++;
    });
    if (kept === 0) throw new Error(`${name}: nothing was decided`);
    details[`${name}_us`] = (cpu_s * 1e6) / checks;
    return details[`${name}_us`]!;
  };
  const decide = (principal: Principal) => (n: number) => {
    const grants = grantsFor(principal, permissions[n % permissions.length]!);
    return grants.length === 0 ? false : (viewOf(grants) ?? true);
  };
  await each("one_person", decide(as(whole)));
  const value = await each("five_limited_grants", decide(as(limited)));
  await each("key", decide({ ...as(limited), by: "key", scope: ["alerts:read", "events:read"] } as Principal));
  const view = viewOf(limited)!;
  const asked = parseQuery('event.outcome:failure and source.ip:10.0.0.0/8 and not user.name:("a" or "b")');
  if (asked.ok) await each("question_narrowed", () => narrowed(asked.query.where, view));
  print({ name: "access", value, unit: "µs CPU a check", baseline: goal, details });
}
