/** Renders the reference pages from component specifications and schemas. Knows no concrete component and writes no file. */
import { z } from "zod";
import type { Component } from "./component.ts";

/** The part of a JSON Schema that a table shows. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly description?: string;
  readonly default?: unknown;
}

/** A member of a configuration, by its dotted name. */
export interface Member {
  readonly name: string;
  readonly type: string;
  readonly default: string;
  readonly meaning: string;
}

/** Every member of a configuration schema, depth first; a section is followed by its own members. */
export function membersOf(schema: z.ZodType): readonly Member[] {
  const found: Member[] = [];
  const walk = (at: Schema, prefix: string) => {
    for (const [key, member] of Object.entries(at.properties ?? {})) {
      const name = `${prefix}${key}`;
      const section = member.properties !== undefined;
      const needed = at.required?.includes(key) ? "required" : "";
      found.push({
        name,
        type: section ? "section" : typeOf(member),
        default: section ? "" : member.default === undefined ? needed : `\`${JSON.stringify(member.default)}\``,
        meaning: member.description ?? "",
      });
      if (section) walk(member, `${name}.`);
    }
  };
  walk(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Schema, "");
  return found;
}

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((v) => `\`${JSON.stringify(v)}\``).join(" or ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.type === "array") return `list of ${schema.items ? typeOf(schema.items) : "any"}`;
  if (schema.type === "object") return "mapping";
  return schema.type ?? "any";
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/g, " ");

/** A Markdown table of a schema's members; a sentence where there are none. */
export function membersTable(schema: z.ZodType): string {
  const members = membersOf(schema);
  if (members.length === 0) return "Nothing to set.";
  return [
    "| field | type | default | meaning |",
    "|---|---|---|---|",
    ...members.map((m) => `| \`${m.name}\` | ${cell(m.type)} | ${cell(m.default)} | ${cell(m.meaning)} |`),
  ].join("\n");
}

/** A fence longer than any run of backticks in the text. */
function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((m) => m[0].length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

const json = (value: unknown): string => fenced(JSON.stringify(value, null, 2), "json");

/** A component's section of its reference page, as Markdown. */
export function reference(component: Component): string {
  const { name, kind, stability, summary, description, config } = component;
  return `${[
    `## ${name}`,
    `*${kind}, ${stability}*`,
    summary,
    ...(description === undefined ? [] : [description]),
    ...about(component),
    membersTable(config),
    ...examplesOf(component),
  ].join("\n\n")}\n`;
}

function about(component: Component): string[] {
  if (component.kind === "detector") return [`Looks at events that match \`${component.where}\`.`];
  if (component.kind === "endpoint") {
    const routes = component.routes.map((r) => `\`${r.method} ${r.path}\`${r.open ? " (no token)" : ""}`);
    return [`Answers ${routes.join(", ")}.`];
  }
  return [];
}

function examplesOf(component: Component): string[] {
  if (component.kind === "source" || component.kind === "sink")
    return component.examples.flatMap((e) => [`**${e.title}**`, json({ [component.name]: e.config })]);
  if (component.kind === "endpoint")
    return component.examples.flatMap((e) => [`**${e.title}** → ${e.status}`, fenced(e.request.trimEnd())]);
  if (component.kind === "format")
    return component.examples.flatMap((e) => [
      `**${e.title}**`,
      ...(e.preamble === undefined ? [] : [fenced(e.preamble)]),
      fenced(e.input),
      "becomes",
      json(e.expect),
    ]);
  if (component.kind === "enricher")
    return component.examples.flatMap((e) => [
      `**${e.title}**`,
      ...(e.table === undefined ? [] : [fenced(e.table)]),
      json(e.fields),
      "gets",
      json(e.adds),
    ]);
  return component.examples.flatMap((e) => [
    `**${e.title}** (${e.events.length} events)`,
    e.finds.length === 0 ? "finds nothing." : `finds:\n\n${e.finds.map((f) => `- ${f}`).join("\n")}`,
  ]);
}
