import { newFields, z } from "@vedette/kit";
import type { Observation } from "@vedette/model";
import { expect, test } from "vitest";
import { detectors, inputOf, prepareDetectors } from "./index.ts";

for (const [name, spec] of await detectors()) {
  test(`${name} is documented and its configuration strict`, () => {
    expect(spec.summary).toMatch(/^[A-Z].*\.$/);
    expect(spec.examples.length).toBeGreaterThan(1);
    const schema = z.toJSONSchema(spec.config, { io: "input" }) as {
      properties: { [key: string]: { description?: string } };
      additionalProperties?: unknown;
    };
    expect(schema.additionalProperties).toBe(false);
    for (const [key, property] of Object.entries(schema.properties)) expect(property.description, key).toBeTruthy();
  });

  for (const example of spec.examples) {
    test(`${name}: ${example.title}`, async () => {
      const stage = await prepareDetectors({ [name]: example.config ?? {} });
      const config = stage.detectors.get(name)!.config;
      const states = new Map<string, unknown>();
      const found: string[] = [];
      const take = (o: Observation) => {
        const state = states.get(o.key);
        const frozen = JSON.stringify(state);
        const step = spec.fold(inputOf(o), state, config);
        expect(JSON.stringify(state), "state is never changed in place").toBe(frozen);
        states.set(o.key, step.state === undefined ? undefined : JSON.parse(JSON.stringify(step.state)));
        found.push(...(step.claims ?? []).map((c) => c.summary));
      };
      example.events.forEach((e, n) => {
        const fields = Object.assign(newFields(), e.fields);
        const event = {
          id: `e${n}`,
          tenant: "main",
          source: "s",
          time: e.time,
          received: e.time,
          seq: n,
          class: "authentication" as const,
          host: "h",
          fields,
          original: "",
        };
        stage
          .observe(event, Number.NEGATIVE_INFINITY, false)
          .filter((o) => o.detector === name)
          .forEach(take);
      });
      stage
        .flush()
        .observations.filter((o) => o.detector === name)
        .forEach(take);
      expect(found).toEqual(example.finds);
    });
  }
}
