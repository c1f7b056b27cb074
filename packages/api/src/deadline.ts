/** Bounds a query: it stops when its time is up or when whoever asked has gone. Knows no store. */
import type { Clock } from "@vedette/kit";
import type { FastifyReply } from "fastify";
import { ApiProblem } from "./problems.ts";

export type Bounded = <T>(reply: FastifyReply, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/** @returns a runner whose work is raced against the deadline, whether it heeds the signal or not */
export function deadline(clock: Clock, timeout_ms: number): Bounded {
  return async (reply, work) => {
    const stop = new AbortController();
    const timer = new AbortController();
    const gone = () => {
      if (!reply.raw.writableFinished) stop.abort(new ApiProblem(400, "bad_request", "the client has gone"));
    };
    reply.raw.once("close", gone);
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    stop.signal.addEventListener("abort", () => reject(stop.signal.reason), { once: true });
    void clock.sleep(timeout_ms, timer.signal).then(() => {
      const seconds = timeout_ms / 1000;
      if (!timer.signal.aborted)
        stop.abort(new ApiProblem(504, "query_timeout", `stopped after ${seconds} s; narrow the time range or the filter`));
    });
    try {
      return await Promise.race([work(stop.signal), stopped]);
    } catch (error) {
      // a store reports the abort in words of its own
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      timer.abort();
      reply.raw.off("close", gone);
    }
  };
}
