/** What senders are told of trouble that is not theirs: that they may come again, and when; never that what they sent was wrong. */
import { UnavailableError, VedetteError } from "@vedette/kit";
import type { FastifyReply } from "fastify";
import { expect, test } from "vitest";
import { problemOf, setProblemHeaders } from "./problems.ts";

function answerTo(error: VedetteError): readonly [status: number, retryAfter: string | undefined] {
  const headers = new Map<string, string>();
  const reply = { hasHeader: (name: string) => headers.has(name), header: (name: string, value: string) => headers.set(name, value) };
  const problem = problemOf(error);
  setProblemHeaders(reply as unknown as FastifyReply, problem);
  return [problem.status, headers.get("retry-after")];
}

test("a log or a server that is away, or refuses us, is 503 with when to try again", () => {
  for (const code of ["kafka_unavailable", "log_full", "log_closed", "store_unavailable", "cluster_unavailable"] as const)
    expect([code, ...answerTo(new UnavailableError(code, "away"))]).toEqual([code, 503, expect.stringMatching(/^[1-9]\d*$/)]);
  // it does not go away by itself, and is no fault of what was sent
  expect(answerTo(new VedetteError("kafka_refused", true, "no right to write"))).toEqual([503, "30"]);
});
