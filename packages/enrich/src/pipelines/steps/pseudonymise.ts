/** Puts pseudonyms in the place of names and command lines, wherever in the event they stand. */
import { z } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { masked } from "../pseudonyms.ts";
import { defineStep, ownField } from "../step.ts";

/** Fields in which formats repeat what other fields say. */
const echoes = ["related.user", "related.hosts", "related.ip", "message"];
/** Accounts that are nobody in particular: rules ask for them by name. */
const nobody = ["root", "SYSTEM", "NT AUTHORITY\\SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE", "nobody", "daemon", "Administrator"];

export const pseudonymise = defineStep({
  name: "pseudonymise",
  summary: "Puts keyed pseudonyms in the place of values: the same value is always the same pseudonym, and who may can reveal it.",
  settings: z.strictObject({
    fields: z.array(ownField).min(1).max(64).describe("Fields whose values are replaced, e.g. user.name, process.command_line."),
    except: z.array(z.string().min(1)).max(1_000).default(nobody).describe("Values that stay, in any case: accounts that are no persons."),
  }),
  takes: ({ fields }) => fields,
  make: ({ fields, except }, { pseudonyms }) => {
    const kept = new Set(except.map((one) => one.toLowerCase()));
    const tokenOf = (text: string) => (pseudonyms === undefined ? masked : pseudonyms.of(text));
    return (draft) => {
      const replaced = new Map<string, string>();
      for (const name of fields) {
        const value = draft.fields[name];
        if (value === undefined || value === null) continue;
        draft.fields[name] = mapped(value, (text) => {
          if (text === "" || kept.has(text.toLowerCase())) return text;
          const token = tokenOf(text);
          if (token !== text) replaced.set(text, token);
          return token;
        });
      }
      if (replaced.size === 0) return true;
      replaceEchoes(draft.fields, replaced);
      draft.original = replacedIn(draft.original, replaced) ?? "";
      return true;
    };
  },
});

function mapped(value: FieldValue, change: (text: string) => string): FieldValue {
  if (typeof value === "string") return change(value);
  if (typeof value === "number") return change(String(value));
  if (Array.isArray(value)) return value.map((one) => (typeof one === "string" ? change(one) : one));
  return value;
}

function replaceEchoes(fields: Fields, replaced: ReadonlyMap<string, string>): void {
  for (const name of echoes) {
    const value = fields[name];
    if (Array.isArray(value)) fields[name] = value.map((one) => (typeof one === "string" ? (replaced.get(one) ?? one) : one));
    else if (typeof value !== "string") continue;
    else if (name !== "message") fields[name] = replaced.get(value) ?? value;
    else {
      const message = replacedIn(value, replaced, true);
      if (message === undefined) delete fields[name];
      else fields[name] = message;
    }
  }
}

/**
 * A text with the values in the place of which pseudonyms stand replaced; undefined where one of them is not found in it as it is: it is there
 * in another form (escaped, encoded, in parts), and nobody could tell what else of it is. Longest first, so that no value hides in another's rest.
 * @param optional the text need not hold the values
 */
function replacedIn(text: string, replaced: ReadonlyMap<string, string>, optional = false): string | undefined {
  let result = text;
  for (const [value, token] of [...replaced].sort(([a], [b]) => b.length - a.length)) {
    const forms = new Set([value, JSON.stringify(value).slice(1, -1)]);
    let found = false;
    for (const form of forms) {
      const after = replaceWords(result, form, token);
      found ||= after !== result;
      result = after;
    }
    if (!found && !optional && !result.includes(token)) return undefined;
  }
  return result;
}

const isWord = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95 || code > 127;

/** Every occurrence that is a word by itself: `ad` is not replaced within `admin`. */
function replaceWords(text: string, word: string, by: string): string {
  let at = text.indexOf(word);
  if (at < 0) return text;
  const parts: string[] = [];
  let from = 0;
  for (; at >= 0; at = text.indexOf(word, at + word.length)) {
    const end = at + word.length;
    const inWord =
      (at > 0 && isWord(text.charCodeAt(at - 1)) && isWord(word.charCodeAt(0))) ||
      (end < text.length && isWord(text.charCodeAt(end)) && isWord(word.charCodeAt(word.length - 1)));
    if (inWord) continue;
    parts.push(text.slice(from, at), by);
    from = end;
  }
  return parts.length === 0 ? text : parts.join("") + text.slice(from);
}
