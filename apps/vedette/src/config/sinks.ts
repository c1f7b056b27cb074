/** `sinks:` of the configuration: what is sent, beside each sink's own settings. Knows no concrete sink. */
import { schemas, sinks } from "@vedette/egress";
import { z } from "@vedette/kit";
import { type ConfiguredSink, readWhen } from "@vedette/pipeline";
import { describe, type Loaded } from "./load.ts";
import { nearest } from "./nearest.ts";

const delivery = z.strictObject({
  select: z.enum(["alerts", "findings", "events"]).default("alerts").describe("What is sent: alerts as they change, findings, or events."),
  when: z.string().default("").describe("Which of them, as a query over their ECS fields; all when empty."),
  format: z.enum(schemas).default("ecs").describe("Schema of the documents: ECS, or OCSF 1.3."),
  from: z.enum(["now", "start"]).default("now").describe("Where a sink that never ran begins: now, or with the oldest that is kept."),
});
const settings = new Set(Object.keys(delivery.shape));

const typeOf = (entry: { readonly [key: string]: unknown }) => Object.keys(entry).filter((key) => !settings.has(key));
const deliveryOf = (entry: { readonly [key: string]: unknown }) =>
  Object.fromEntries(Object.entries(entry).filter(([key]) => settings.has(key)));

/** One line a mistake, with place and suggestion. */
export async function checkSinks({ config, place }: Loaded): Promise<readonly string[]> {
  const types = await sinks();
  const problems: string[] = [];
  for (const [name, entry] of Object.entries(config.sinks)) {
    const path = ["sinks", name];
    const at = `${place(path)}: sinks.${name}`;
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name)) problems.push(`${at}: a sink's name has letters, digits, "_", "-" and "."`);
    const keys = typeOf(entry);
    if (keys.length !== 1)
      problems.push(
        `${at}: expected exactly one type (${[...types.keys()].join(", ")}), found ${keys.length === 0 ? "none" : keys.join(", ")}`,
      );
    for (const type of keys) {
      const spec = types.get(type);
      if (spec) {
        const parsed = spec.config.safeParse(entry[type] ?? {});
        if (!parsed.success) problems.push(...parsed.error.issues.flatMap((i) => describe(i, place, spec.config, [...path, type])));
        continue;
      }
      const known = [...types.keys(), ...settings];
      const near = nearest(type, known);
      problems.push(
        `${place([...path, type])}: sinks.${name}.${type}: unknown "${type}"; ${near ? `did you mean "${near}"?` : `known: ${known.join(", ")}`}`,
      );
    }
    const parsed = delivery.safeParse(deliveryOf(entry));
    if (!parsed.success) problems.push(...parsed.error.issues.flatMap((i) => describe(i, place, delivery, path)));
    else {
      const read = readWhen(parsed.data.when);
      if ("wrong" in read) problems.push(`${place([...path, "when"])}: sinks.${name}.when: ${read.wrong}`);
    }
  }
  return problems;
}

/** The configured sinks as the runtime takes them; call after `checkSinks` found nothing wrong. */
export function configuredSinks({ config }: Loaded): readonly ConfiguredSink[] {
  return Object.entries(config.sinks).map(([name, entry]) => {
    const type = typeOf(entry)[0]!;
    return { name, type, config: entry[type], ...delivery.parse(deliveryOf(entry)) };
  });
}
