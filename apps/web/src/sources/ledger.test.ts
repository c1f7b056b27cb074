import { expect, it } from "vitest";
import { balanceOf, droppedTotal } from "./ledger.ts";

it("balances to zero or says by how much not", () => {
  const source = { in: 100, stored: 80, dead: 5, dropped: { duplicate: 3, too_old: 2 }, pending: 10 };
  expect(droppedTotal(source)).toBe(5);
  expect(balanceOf(source)).toBe(0);
  expect(balanceOf({ ...source, stored: 79 })).toBe(1);
});
