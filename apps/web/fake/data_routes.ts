/** The API about data on its way in and out, over the fake state. */
import type { SourceToken } from "../src/api/data.ts";
import { type Answer, ok, problem } from "./answer.ts";
import { makeSenders } from "./data.ts";
import { stamp } from "./events.ts";
import type { FakeState } from "./state.ts";

/** GET routes; undefined when there is none. */
export function readData({ data }: FakeState, path: string, params: URLSearchParams): Answer | undefined {
  const senders = /^\/sources\/([^/]+)\/senders$/.exec(path);
  if (senders !== null) return ok({ senders: makeSenders(decodeURIComponent(senders[1]!), "http://127.0.0.1:8080") });
  const wanted = /^metric\.name:"?([^"]+?)"?$/.exec(params.get("q") ?? "")?.[1]?.replaceAll("\\", "");
  const series = data.series.filter(({ name }) => wanted === undefined || name === wanted);
  switch (path) {
    case "/sources/quality":
      return ok(data.quality);
    case "/hpc":
      return ok(data.hpc);
    case "/metrics/series":
      return ok({ series: series.map(({ points: _, ...line }) => line), more: false });
    case "/metrics/query":
      return ok({ step_s: 20, function: params.get("function") ?? "avg", series, more: false });
    case "/metrics/sources":
      return ok({ sources: data.series_sources });
    case "/enrichers":
      return ok({ enrichers: data.enrichers });
    case "/pipelines":
      return ok({ pipelines: data.pipelines, losses: data.losses });
    case "/sinks":
      return ok({ sinks: data.sinks });
    case "/source-tokens":
      return ok({ tokens: data.tokens });
    case "/refusals":
      return ok({ refusals: data.refusals });
    default:
      return undefined;
  }
}

/** Routes that change something; undefined when there is none. */
export function changeData(
  { data }: FakeState,
  method: string,
  path: string,
  body: { readonly [key: string]: unknown },
): Answer | undefined {
  const of = `${method} ${path}`;
  const token = /^DELETE \/source-tokens\/([^/]+)$/.exec(of);
  if (token !== null) {
    data.tokens = data.tokens.filter(({ id }) => id !== decodeURIComponent(token[1]!));
    return { status: 204 };
  }
  const inventory = /^PUT \/inventory\/([^/]+)$/.exec(of);
  if (inventory !== null) {
    const table = { hash: "new0new0", bytes: 10, rows: 2, at: stamp(Date.now()), by: "admin" };
    data.enrichers = data.enrichers.map((one) => (one.name === inventory[1] ? { ...one, state: "running", table } : one));
    return ok(table);
  }
  switch (of) {
    case "POST /source-tokens": {
      const made = { id: `tk_${data.tokens.length + 1}`, created: stamp(Date.now()), ...body } as SourceToken;
      data.tokens.push(made);
      return { status: 201, body: { ...made, token: "vds_made-just-now" } };
    }
    case "POST /enrichers/reload":
      return ok({ changed: ["assets"] });
    case "POST /pipelines/preview": {
      const [file] = body["files"] as readonly { readonly text: string }[];
      if (file?.text.includes("drp"))
        return ok({ ...data.preview, refused: ['preview.yml:3:5: unknown step "drp"; did you mean "drop"?'] });
      return ok(data.preview);
    }
    case "POST /pipelines/reload":
      if (body["yes"] === true) return ok({ blocked: [], changed: true, losses: data.losses });
      return ok({ blocked: data.losses.map(({ title, how }) => `${title}: ${how}`), changed: false, losses: data.losses });
    case "POST /reveal":
      if (body["pseudonym"] !== "pn_1-known") return problem(404, "not_found", "There is no such pseudonym.");
      return ok({ text: "ada" });
    default:
      return undefined;
  }
}
