import { expect, it } from "vitest";
import { ApiError } from "../api/client.ts";
import { refusalText } from "./credentials.ts";

it("says what a refusal means, and not which part was wrong", () => {
  const of = (status: number, code: string, second = false) => refusalText(new ApiError({ status, code, detail: "detail" }), second);
  expect(of(401, "unauthorised")).toBe("This is not right. Check it and try again.");
  expect(of(401, "unauthorised", true)).toMatch(/^This code/);
  expect(of(401, "second_factor_needed")).toBeUndefined();
  expect(of(429, "unauthorised")).toMatch(/^Too many/);
  expect(of(400, "bad_request")).toBe("detail");
  expect(refusalText(null, false)).toBeUndefined();
});
