import { expect, test } from "vitest";
import { z } from "zod";
import { defineSource, membersOf, reference } from "./index.ts";

const config = z.strictObject({
  paths: z.array(z.string()).describe("What to read: a|b."),
  from: z.enum(["start", "end"]).default("start").describe("Where to begin."),
  limits: z
    .strictObject({ bytes: z.int().default(7).describe("Most bytes.") })
    .prefault({})
    .describe("Bounds."),
});

test("members carry dotted names, types, defaults and meanings", () => {
  expect(membersOf(config)).toEqual([
    { name: "paths", type: "list of string", default: "required", meaning: "What to read: a|b." },
    { name: "from", type: '`"start"` or `"end"`', default: '`"start"`', meaning: "Where to begin." },
    { name: "limits", type: "section", default: "", meaning: "Bounds." },
    { name: "limits.bytes", type: "integer", default: "`7`", meaning: "Most bytes." },
  ]);
});

test("a component's section holds summary, stability, table and examples; a bar does not break the table", () => {
  const text = reference(
    defineSource({
      name: "files",
      summary: "Reads files.",
      stability: "beta",
      config,
      run: async () => {},
      examples: [{ title: "One with ```", config: { paths: ["```"] } }],
    }),
  );
  expect(text).toContain("## files\n\n*source, beta*\n\nReads files.");
  expect(text).toContain("| `paths` | list of string | required | What to read: a\\|b. |");
  expect(text).toMatch(/````json\n[\s\S]*"files"[\s\S]*\n````/);
});
