import { newFields, z } from "@vedette/kit";
import { expect, test } from "vitest";
import { detectors, prepareDetectors } from "./index.ts";

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
      let state: unknown;
      const found: string[] = [];
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
        for (const o of stage.observe(event, Number.NEGATIVE_INFINITY, false)) {
          const frozen = JSON.stringify(state);
          const step = spec.fold(o, state, config);
          expect(JSON.stringify(state), "state is never changed in place").toBe(frozen);
          state = step.state === undefined ? undefined : JSON.parse(JSON.stringify(step.state));
          found.push(...(step.claims ?? []).map((c) => c.summary));
        }
      });
      expect(found).toEqual(example.finds);
    });
  }
}
