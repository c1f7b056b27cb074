/** A program's rules as they are judged: parsed, the quarantined ones left out, those on trial named. Knows no event. */
import { type ParsedRules, parseRules, type Refusal, type SigmaRule } from "@vedette/sigma";
import { type Program, type ProgramFile, stateOf } from "../program.ts";

export interface LivingRules {
  readonly rules: readonly SigmaRule[];
  readonly refused: readonly Refusal[];
  /** Ids of rules in shadow. */
  readonly shadow: ReadonlySet<string>;
}

/** What was parsed last, by file: from one program to the next few files change, and reading YAML is most of a reload's cost. */
let known: ReadonlyMap<string, { readonly text: string; readonly parsed: ParsedRules }> = new Map();

/** Each file's rules and refusals, in order. */
export function parseFiles(files: readonly ProgramFile[]): readonly ParsedRules[] {
  const now = new Map<string, { readonly text: string; readonly parsed: ParsedRules }>();
  const all = files.map(({ file, text }) => {
    const before = known.get(file);
    const one = before?.text === text ? before : { text, parsed: parseRules(text, file) };
    now.set(file, one);
    return one.parsed;
  });
  known = now;
  return all;
}

export function livingRules({ rules: files, overlay }: Pick<Program, "rules" | "overlay">): LivingRules {
  const rules: SigmaRule[] = [];
  const refused: Refusal[] = [];
  const shadow = new Set<string>();
  for (const [i, parsed] of parseFiles(files).entries()) {
    refused.push(...parsed.refused);
    for (const rule of parsed.rules) {
      const state = stateOf(overlay, rule.id, files[i]!.pack);
      if (state === "quarantined") continue;
      if (state === "shadow") shadow.add(rule.id);
      rules.push(rule);
    }
  }
  return { rules, refused, shadow };
}
