import { expect, test } from "vitest";
import { Rest } from "./quiet.ts";

const mb = 1_048_576;

test("a thread is collected once it is quiet, and again only after its heap has grown", () => {
  const rest = new Rest();
  expect(rest.due(0.6, 40 * mb)).toBe(false);
  expect(rest.due(0.01, 40 * mb)).toBe(true);
  rest.taken(20 * mb);
  expect(rest.due(0.01, 20 * mb)).toBe(false);
  expect(rest.due(0.01, 23 * mb)).toBe(false);
  expect(rest.due(0.9, 60 * mb)).toBe(false);
  expect(rest.due(0.01, 60 * mb)).toBe(true);
});
