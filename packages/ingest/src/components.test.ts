import type { EndpointSpec, SourceSpec } from "@vedette/kit";
import { z } from "@vedette/kit";
import { describe, expect, test } from "vitest";
import { EndpointRun } from "./endpoints/requests.fixture.ts";
import { endpoints, sources } from "./index.ts";

const specs: readonly (SourceSpec | EndpointSpec)[] = [...(await sources()).values(), ...(await endpoints()).values()];

test("all are found", () => {
  expect(specs.map((spec) => `${spec.kind} ${spec.name}`)).toEqual([
    "source file",
    "source fluent_forward",
    "source kafka",
    "source netdata",
    "source netflow",
    "source otlp_grpc",
    "source prometheus_query",
    "source prometheus_scrape",
    "source stdin",
    "source syslog",
    "endpoint elasticsearch",
    "endpoint ingest",
    "endpoint journald",
    "endpoint kubernetes_audit",
    "endpoint otlp",
    "endpoint prometheus_write",
    "endpoint splunk_hec",
  ]);
});

describe.each(specs.map((spec) => [spec.name, spec] as const))("%s", (_, spec) => {
  test("is described: a sentence, every member of the configuration, at least one example", () => {
    expect(spec.summary).toMatch(/^[A-Z].*[^.]\.$/);
    const schema = z.toJSONSchema(spec.config, { io: "input" }) as {
      readonly properties?: object;
      readonly additionalProperties?: unknown;
    };
    expect(schema.additionalProperties).toBe(false);
    for (const [member, property] of Object.entries(schema.properties ?? {})) {
      expect([member, (property as { readonly description?: string }).description]).toEqual([member, expect.stringMatching(/^[A-Z].*\.$/)]);
    }
    expect(spec.examples.length).toBeGreaterThan(0);
  });

  test("refuses unknown keys and takes its examples", () => {
    expect(spec.config.safeParse({ ...(spec.examples[0]!.config as object), no_such_key: 1 }).success).toBe(false);
    for (const example of spec.examples) expect(spec.config.safeParse(example.config).success).toBe(true);
  });
});

describe.each([...(await endpoints())])("%s", (_, spec) => {
  test("answers its examples as they say", async () => {
    for (const example of spec.examples) {
      const [head = "", ...body] = example.request.split("\n\n");
      const [line = "", ...fields] = head.split("\n");
      const [method, path = ""] = line.split(" ");
      const headers = Object.fromEntries(fields.map((field) => [field.split(": ")[0]!.toLowerCase(), field.split(": ")[1]!]));
      const run = new EndpointRun(spec, example.config as object);
      expect((await run.send({ ...(method === undefined ? {} : { method }), path, headers, body: body.join("\n\n") })).status).toBe(
        example.status,
      );
    }
  });
});
