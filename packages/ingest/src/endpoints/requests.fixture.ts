/** Sends a request to an endpoint as the HTTP server would, against a recording intake. */
import type { EndpointResponse, EndpointSpec } from "@vedette/kit";
import { ManualClock, RecordingIntake } from "../recording.fixture.ts";

export interface TestRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string | Uint8Array;
}

export class EndpointRun {
  readonly intakes = new Map<string, RecordingIntake>();
  readonly #spec: EndpointSpec;
  readonly #config: unknown;
  readonly #clock = new ManualClock();

  constructor(spec: EndpointSpec, config: object = {}) {
    this.#spec = spec;
    this.#config = spec.config.parse(config);
  }
  intake(source: string): RecordingIntake {
    const intake = this.intakes.get(source) ?? new RecordingIntake();
    this.intakes.set(source, intake);
    return intake;
  }
  /** @throws if no route of the endpoint takes the request. */
  send({ method = "POST", path, headers = {}, body = "" }: TestRequest): Promise<EndpointResponse> {
    const url = new URL(path, "http://127.0.0.1");
    if (!this.#spec.routes.some((route) => route.method === method && fits(route.path, url.pathname))) {
      throw new Error(`no route takes ${method} ${path}`);
    }
    const bytes = Buffer.from(body as string);
    async function* pieces() {
      // In pieces, as bodies come.
      for (let at = 0; at < bytes.length; at += 7_001) yield bytes.subarray(at, at + 7_001);
    }
    const request = { method, path: url.pathname, query: url.searchParams, headers, body: pieces(), peer: "192.0.2.1" };
    return this.#spec.handle(request, this.#config, { intake: (source) => this.intake(source), clock: this.#clock, warn: () => {} });
  }
}

/** `:name` is one segment, a last `*` any rest. */
function fits(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  return (
    (wanted.at(-1) === "*" ? given.length >= wanted.length : given.length === wanted.length) &&
    wanted.every((segment, i) => segment === "*" || (segment.startsWith(":") && given[i] !== "") || segment === given[i])
  );
}
