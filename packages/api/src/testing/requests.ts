/** Requests as the tests of routes make them, as the administrator unless said otherwise, and what they expect of answers. */
import { expect } from "vitest";
import type { z } from "zod";
import { asAdmin, type Rig } from "./fakes.ts";

type Headers = { readonly [name: string]: string };

/** @param at the server that is asked, as it is at that moment */
export function requestsTo(at: () => Rig) {
  const get = (url: string, headers: Headers = asAdmin) => at().app.inject({ method: "GET", url, headers });
  return {
    get,
    post: (url: string, payload?: object, headers: Headers = asAdmin) =>
      at().app.inject({ method: "POST", url, headers, ...(payload && { payload }) }),
    /** The answer, held to its documented schema. */
    async ok<S extends z.ZodType>(schema: S, url: string): Promise<z.output<S>> {
      const response = await get(url);
      expect([url, response.statusCode, response.statusCode === 200 ? "" : response.body]).toEqual([url, 200, ""]);
      return schema.parse(response.json());
    },
  };
}

export function isProblem(response: { statusCode: number; headers: object; json(): unknown }, status: number, code: string): void {
  expect(response.json()).toMatchObject({ type: "about:blank", status, code });
  expect(response.statusCode).toBe(status);
  expect(response.headers).toMatchObject({ "content-type": "application/problem+json" });
}
