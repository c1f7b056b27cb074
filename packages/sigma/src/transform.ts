/** Sigma's value-changing modifiers (windash, base64, wide, expand …) on patterns; knows no fields and no comparisons. */
import { isPlain, type Part, type Pattern, textOf, tidy } from "./pattern.ts";

/** A value on its way through the modifiers: its pattern, and its bytes once an encoding was applied. */
interface Work {
  readonly pattern: Pattern;
  readonly bytes?: Buffer;
}

/** What the placeholders of `expand` stand for. */
export type Placeholders = { readonly [name: string]: readonly string[] | undefined };

/** Names of the modifiers that change values, in the specification's words. */
export const transforms: ReadonlySet<string> = new Set([
  "windash",
  "base64",
  "base64offset",
  "wide",
  "utf16le",
  "utf16be",
  "utf16",
  "expand",
]);

/** A transformation that cannot be done, for the caller to locate. */
export interface Trouble {
  readonly construct: string;
  readonly expected: string;
  readonly suggestion: string;
}

/** The dashes of `windash`: hyphen, slash, en dash, em dash, horizontal bar (appendix on modifiers). */
const dashes = ["-", "/", "\u2013", "\u2014", "\u2015"];
/** Five forms a dash: four dashes make 625 patterns, more is not worth its memory (SigmaHQ's rules have at most two). */
const maxDashes = 4;
/** Patterns one value may become: above windash's 625, below what would hurt. */
const maxPatterns = 1_000;

/** Applies the modifiers in their order to one pattern, which may become several. */
export function transform(pattern: Pattern, names: readonly string[], placeholders: Placeholders): readonly Pattern[] | Trouble {
  let works: readonly Work[] = [{ pattern }];
  for (const name of names) {
    const next: Work[] = [];
    for (const work of works) {
      const result = step(work, name, placeholders);
      if ("construct" in result) return result;
      next.push(...result);
      if (next.length > maxPatterns) {
        return { construct: `|${name}`, expected: `at most ${maxPatterns} values after expansion`, suggestion: "split the value" };
      }
    }
    works = next;
  }
  // Bytes that no base64 follows are compared as the characters of the same number.
  return works.map((w) => (w.bytes === undefined ? w.pattern : [w.bytes.toString("latin1")]));
}

function step(work: Work, name: string, placeholders: Placeholders): readonly Work[] | Trouble {
  if (name === "windash") return dashForms(work.pattern);
  if (name === "expand") return expand(work.pattern, placeholders);
  if (!isPlain(work.pattern)) {
    return { construct: `|${name}`, expected: "a value without wildcards", suggestion: "escape the wildcards or remove the modifier" };
  }
  const text = textOf(work.pattern);
  const bytes = work.bytes ?? Buffer.from(text, "utf8");
  if (name === "base64") return [{ pattern: [bytes.toString("base64")] }];
  if (name === "base64offset") return [0, 1, 2].map((offset) => ({ pattern: [base64At(bytes, offset)] }));
  const wide = Buffer.from(text, "utf16le");
  if (name === "utf16be") wide.swap16();
  return [{ pattern: work.pattern, bytes: name === "utf16" ? Buffer.concat([Buffer.from([0xff, 0xfe]), wide]) : wide }];
}

/** The part of the base64 text that does not depend on what stands around the bytes, when they start at `offset` modulo 3. */
function base64At(bytes: Buffer, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset, 0x20), bytes]).toString("base64");
  const start = [0, 2, 3][offset]!;
  const cut = [0, 3, 2][(bytes.length + offset) % 3]!;
  return encoded.slice(start, encoded.length - cut);
}

function dashForms(pattern: Pattern): readonly Work[] | Trouble {
  const dash = /(?<![\p{L}\p{N}_])[-/](?=[\p{L}\p{N}_])/gu;
  let found = 0;
  const flat = pattern.flatMap((part): (Part | null)[] => {
    if (typeof part !== "string") return [part];
    const out: (Part | null)[] = [];
    let from = 0;
    for (const hit of part.matchAll(dash)) {
      out.push(part.slice(from, hit.index), null);
      found++;
      from = hit.index + 1;
    }
    out.push(part.slice(from));
    return out;
  });
  if (found > maxDashes) {
    return { construct: "|windash", expected: `at most ${maxDashes} dashes in a value`, suggestion: "split the value with |all" };
  }
  const forms: Work[] = [];
  for (let n = 0; n < dashes.length ** found; n++) {
    let rest = n;
    const parts = flat.map((part): Part => {
      if (part !== null) return part;
      const chosen = dashes[rest % dashes.length]!;
      rest = Math.floor(rest / dashes.length);
      return chosen;
    });
    forms.push({ pattern: tidy(parts) });
  }
  return forms;
}

/** Of texts that are no patterns: networks, regular expressions. @param write how a value stands in the text */
export function expandText(text: string, placeholders: Placeholders, write: (value: string) => string): readonly string[] | Trouble {
  const forms = expand([text], placeholders, write);
  return "construct" in forms ? forms : forms.map(({ pattern }) => textOf(pattern));
}

function expand(pattern: Pattern, placeholders: Placeholders, write: (value: string) => string = String): readonly Work[] | Trouble {
  let forms: Pattern[] = [[]];
  for (const part of pattern) {
    const pieces: readonly Part[] = typeof part === "string" ? part.split(/%([\w.-]+)%/) : [part];
    for (const [i, piece] of pieces.entries()) {
      if (i % 2 === 0) {
        forms = forms.map((f) => [...f, piece]);
        continue;
      }
      const name = String(piece);
      const values = Object.hasOwn(placeholders, name) ? placeholders[name] : undefined;
      if (values === undefined || values.length === 0) {
        return {
          construct: `%${name}% (|expand)`,
          expected: "a placeholder that has values",
          suggestion: `give placeholders: {${name}: [...]}`,
        };
      }
      forms = forms.flatMap((f) => values.map((v) => [...f, write(v)]));
      if (forms.length > maxPatterns) {
        return { construct: `%${name}% (|expand)`, expected: `at most ${maxPatterns} values`, suggestion: "use fewer values" };
      }
    }
  }
  return forms.map((f) => ({ pattern: tidy(f) }));
}
