/** How often each caller may ask the API: by principal where one is known, else by address. Ingest has quotas of its own. */
import type { Principal } from "@vedette/access";
import type { Counters } from "@vedette/kit";
import type { FastifyInstance } from "fastify";
import { ApiProblem } from "../problems.ts";

/**
 * Of one principal. A console with ten tabs asks some five a second, a script that watches a backtest four; a hundred a second is ten such people
 * under one key, and far below what the server answers.
 */
const perMinute = 6_000;
/** A sender without a principal gets at the sign-in and at this document only: a tenth is plenty. */
const anonymousShare = 0.1;
/** So many seconds' worth may come at once: a page loads with a burst. */
const burst_s = 30;

function keyOf(principal: Principal | undefined, ip: string): string {
  if (principal === undefined) return `address ${ip}`;
  switch (principal.kind) {
    case "user":
      return `user ${principal.id}`;
    case "shared":
      return "shared";
    case "source":
      return `source ${principal.token}`;
    case "machine":
      return `machine ${principal.id}`;
  }
}

/** Puts the limit before the routes of this scope; every answer says what is left (draft-ietf-httpapi-ratelimit-headers). */
export function limitRates(scope: FastifyInstance, counters: Counters, requestsPerMinute: number = perMinute): void {
  const limitOf = (share: number) => {
    const quota = Math.max(1, Math.floor(requestsPerMinute * share));
    const burst = Math.max(1, Math.floor((quota * burst_s) / 60));
    return { rate: { perMinute: quota, burst }, policy: `"requests";q=${quota};w=60` };
  };
  const known = limitOf(1);
  const unknown = limitOf(anonymousShare);
  scope.addHook("onRequest", async ({ principal, ip }, reply) => {
    const { rate, policy } = principal === undefined ? unknown : known;
    const [drawn] = await counters.take([{ key: `api ${keyOf(principal, ip)}`, rate, cost: 1 }]);
    const { wait, left, recovered } = drawn!;
    reply.header("ratelimit-policy", policy).header("ratelimit", `"requests";r=${left};t=${Math.ceil(recovered / 1_000_000)}`);
    if (wait === 0) return;
    reply.header("retry-after", String(Math.ceil(wait / 1_000_000)));
    throw new ApiProblem(429, "backpressure", "too many requests; Retry-After says when the next is taken");
  });
}
