/** A program's rules as they are judged: parsed, edited copies in the place of their originals, quarantined ones left out. Knows no event. */
import { type ParsedRules, parseRules, type Refusal, type SigmaRule } from "@vedette/sigma";
import { type Program, type ProgramFile, stateOf } from "../program.ts";

export interface OwnedRule {
  readonly rule: SigmaRule;
  /** The pack its file came in. */
  readonly pack: string | undefined;
}

export interface LivingRules {
  readonly rules: readonly SigmaRule[];
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

/**
 * Every rule of the files. Where two have the same id, one from disk goes before a pack's and a pack before those after it by name: so a
 * rule that was copied and edited stays edited when its pack is pulled again. Twins of one pack both stay, for the compiler to refuse one.
 */
export function rulesOf(files: readonly ProgramFile[]): {
  readonly rules: readonly OwnedRule[];
  readonly refused: readonly Refusal[];
  readonly notes: readonly string[];
} {
  const ranked = [...files].sort((a, b) => ((a.pack ?? "") < (b.pack ?? "") ? -1 : (a.pack ?? "") > (b.pack ?? "") ? 1 : 0));
  const rules: OwnedRule[] = [];
  const refused: Refusal[] = [];
  const notes: string[] = [];
  const owners = new Map<string, OwnedRule>();
  for (const [i, parsed] of parseFiles(ranked).entries()) {
    const { pack } = ranked[i]!;
    refused.push(...parsed.refused);
    for (const rule of parsed.rules) {
      const owner = owners.get(rule.id);
      if (owner !== undefined && owner.pack !== pack) {
        notes.push(`${rule.file}:${rule.line}: not used, ${owner.rule.file}:${owner.rule.line} has its id ${rule.id}`);
        continue;
      }
      const owned = { rule, pack };
      if (owner === undefined) owners.set(rule.id, owned);
      rules.push(owned);
    }
  }
  return { rules, refused, notes };
}

export function livingRules({ rules: files, overlay }: Pick<Program, "rules" | "overlay">): LivingRules {
  const rules: SigmaRule[] = [];
  const shadow = new Set<string>();
  for (const { rule, pack } of rulesOf(files).rules) {
    const state = stateOf(overlay, rule.id, pack);
    if (state === "quarantined") continue;
    if (state === "shadow") shadow.add(rule.id);
    rules.push(rule);
  }
  return { rules, shadow };
}
