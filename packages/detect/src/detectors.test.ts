import { newFields, z } from "@vedette/kit";
import { expect, test } from "vitest";
import { hour } from "./episode.ts";
import { Folded } from "./folded.fixture.ts";
import { detectors } from "./index.ts";

for (const [name, spec] of await detectors()) {
  test(`${name} is documented and its configuration strict`, () => {
    expect(spec.summary).toMatch(/^[A-Z].*\.$/);
    expect(spec.examples.length).toBeGreaterThan(1);
    expect(spec.response?.length, "what whoever reads its alert does").toBeGreaterThan(0);
    const schema = z.toJSONSchema(spec.config, { io: "input" }) as {
      properties: { [key: string]: { description?: string } };
      additionalProperties?: unknown;
    };
    expect(schema.additionalProperties).toBe(false);
    for (const [key, property] of Object.entries(schema.properties)) expect(property.description, key).toBeTruthy();
  });

  for (const example of spec.examples) {
    test(`${name}: ${example.title}`, async () => {
      const folded = await Folded.of(name, example.config);
      example.events.forEach((e, n) => {
        // no bucket is longer: what follows a detector that tallies hears of it before what happened much later
        if (n > 0 && e.time - example.events[n - 1]!.time > hour) folded.flush();
        folded.observe({
          id: `e${n}`,
          tenant: "main",
          source: "s",
          time: e.time,
          received: e.time,
          seq: n,
          class: "authentication",
          host: "h",
          fields: Object.assign(newFields(), e.fields),
          original: "",
        });
      });
      folded.flush();
      expect(folded.claims.map(({ summary }) => summary)).toEqual(example.finds);
    });
  }
}
