import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { SourceSpec } from "@vedette/kit";
import { afterEach, describe, expect, test } from "vitest";
import { cutExposition } from "../prometheus/exposition.ts";
import { SourceRun } from "../recording.fixture.ts";
import netdata from "./netdata.ts";
import prometheusQuery from "./prometheus_query.ts";
import prometheusScrape from "./prometheus_scrape.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
function start(spec: SourceSpec, config: object): SourceRun {
  const run = new SourceRun(spec, config);
  stops.push(() => run.stop());
  return run;
}
const text = (type = "text/plain; version=0.0.4") => ({ "content-type": type });

describe("prometheus_scrape", () => {
  test("a target's text with its labels and time, and what became of the scrape", async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.headers.accept, request.headers.authorization);
      response.writeHead(200, text()).end('# HELP load Load.\n# TYPE load gauge\nload 0.5\n\nload{x="y"} 1\n');
    });
    const run = start(prometheusScrape, { targets: [`${url}/metrics`], job: "node", labels: { site: "a" } });
    await run.look();
    expect(asked).toEqual([expect.stringContaining("openmetrics-text"), undefined]);
    expect(run.intake.texts).toEqual([
      '# TYPE load gauge\nload 0.5\n\nload{x="y"} 1\n',
      "# TYPE up gauge\nup 1\n# TYPE scrape_duration_seconds gauge\nscrape_duration_seconds 0\n# TYPE scrape_samples_scraped gauge\nscrape_samples_scraped 2\n",
    ]);
    const { preamble, stream } = run.intake.accepts[0]!;
    const { host } = new URL(url);
    expect(stream).toBe(`${url}/metrics`);
    expect(JSON.parse(preamble!)).toEqual({
      scrape: { labels: { site: "a", instance: host, job: "node" }, time: expect.any(Number), openmetrics: false },
    });
    // each interval once, at the same moment of it
    await run.look(2);
    const times = run.intake.accepts.map((one) => JSON.parse(one.preamble!).scrape.time);
    // the first may come a little after its moment, which goes by the address
    expect(times[2]! - times[1]!).toBe(15_000_000);
  });

  test.each([
    ["refuses", (_: IncomingMessage, response: ServerResponse) => void response.writeHead(500).end("no")],
    [
      "sends elsewhere",
      (_: IncomingMessage, response: ServerResponse) => void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    ],
    [
      "breaks off",
      (_: IncomingMessage, response: ServerResponse) =>
        void response.writeHead(200, { "content-length": "100" }).write("load 1", () => response.destroy()),
    ],
    [
      "sends a bomb",
      (_: IncomingMessage, response: ServerResponse) =>
        void response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(3_000_000))),
    ],
  ])("a target that %s is down, and why is a warning", async (_, answer) => {
    const url = await serve(answer);
    const run = start(prometheusScrape, { targets: [url], max_body_bytes: 1_000_000 });
    await run.look();
    expect(run.intake.texts).toEqual([expect.stringContaining("up 0\n")]);
    expect(run.warnings).toEqual(["scrape_failed"]);
  });

  test("large texts are cut between lines, and a family that goes on says its type again", () => {
    const lines = Array.from({ length: 5_000 }, (_, i) => `requests{path="/${i}"} ${i}\n`);
    const body = Buffer.from(`# TYPE requests counter\n${lines.join("")}# TYPE load gauge\nload 1`);
    const records = [...cutExposition(body, { token: "t", maxRecordBytes: 1_000, peer: undefined })];
    expect(records.length).toBeGreaterThan(1);
    const texts = records.map((record) => Buffer.from(record.body).toString());
    expect(texts.every((one) => one.startsWith("# TYPE requests counter\n"))).toBe(true);
    expect(texts.join("").replaceAll("# TYPE requests counter\n", "")).toBe(`${lines.join("")}# TYPE load gauge\nload 1`);
    const [long] = [
      ...cutExposition(Buffer.from(`a{b="${"x".repeat(2_000)}"} 1\nc 2\n`), { token: "t", maxRecordBytes: 1_000, peer: undefined }),
    ];
    expect(long!.flaw?.code).toBe("too_long");
  });
});

describe("prometheus_query", () => {
  const answers: { readonly [query: string]: unknown } = {
    vector: { resultType: "vector", result: [{ metric: { __name__: "up", job: "node" }, value: [1714557600.5, "1"] }] },
    scalar: { resultType: "scalar", result: [1714557600, "NaN"] },
    matrix: { resultType: "matrix", result: [] },
  };
  test("vectors and scalars become series of the query's name; what is neither is a warning, and the others go on", async () => {
    const url = await serve((request, response) => {
      const query = new URL(request.url!, "http://x").searchParams.get("query")!;
      if (query === "bad(") response.writeHead(400).end('{"status":"error","errorType":"bad_data"}');
      else response.end(JSON.stringify({ status: "success", data: answers[query] }));
    });
    const queries = ["vector", "scalar", "matrix", "bad("].map((query, i) => ({ name: `q${i}`, query }));
    for (const query of queries) {
      const run = start(prometheusQuery, { url: `${url}/`, queries: [query] });
      await run.look();
      const made = run.intake.texts.map((one) => JSON.parse(one).timeseries);
      if (query.query === "vector")
        expect(made).toEqual([
          [
            {
              labels: [
                { name: "__name__", value: "q0" },
                { name: "job", value: "node" },
              ],
              type: 2,
              samples: [{ value: "1", timestamp: 1714557600500 }],
            },
          ],
        ]);
      else if (query.query === "scalar") expect(made[0][0].samples).toEqual([{ value: "NaN", timestamp: 1714557600000 }]);
      else expect([made, run.warnings]).toEqual([[], ["query_failed"]]);
    }
  });
});

describe("netdata", () => {
  const chart = (context: string) => ({ name: context, context, last_updated: 1714557600, dimensions: { a: { name: "a", value: 1 } } });
  test("charts that are wanted, in records with the host they are of", async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.end(JSON.stringify({ "system.cpu": chart("system.cpu"), "disk.sda": chart("disk.io"), "net.eth0": chart("net.net") }));
    });
    const run = start(netdata, { targets: [url], charts: ["system.cpu", "disk.*"] });
    await run.look();
    expect(asked).toEqual(["/api/v1/allmetrics?format=json"]);
    expect(run.intake.texts.map((one) => JSON.parse(one))).toEqual([
      { netdata: { host: "127.0.0.1", charts: { "system.cpu": chart("system.cpu"), "disk.sda": chart("disk.io") } } },
    ]);
  });

  test("what is no such document is a dead letter; an agent that is not there a warning", async () => {
    const url = await serve((_, response) => void response.end("<html>"));
    const run = start(netdata, { targets: [url] });
    await run.look();
    expect(run.intake.records.map(({ flaw }) => flaw?.code)).toEqual(["bad_json"]);
    const gone = start(netdata, { targets: ["http://127.0.0.1:1"] });
    await gone.look();
    expect([gone.intake.records, gone.warnings]).toEqual([[], ["read_failed"]]);
  });
});
