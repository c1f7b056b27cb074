/** One event as predicates see it: its fields' texts, capped and lower-cased at most once each. Knows no rules. */
import { type FieldValue, foldCase, ownTime, type Readable } from "@vedette/condition";

/** Characters of one value that are looked at; an attacker's longer value costs no more than this. Windows' own limit for a command line is 32,767. */
export const maxLookedAt = 65_536;

/** Numbers the fields that rules name, so that a frame can keep their texts in arrays. */
export class Slots {
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();

  of(field: string): number {
    let slot = this.#numbers.get(field);
    if (slot === undefined) {
      slot = this.names.length;
      this.names.push(field);
      this.#numbers.set(field, slot);
    }
    return slot;
  }
}

/** A scalar's text: what every comparison of text works on. */
export function textOfScalar(value: unknown): string {
  const text = typeof value === "string" ? value : String(value);
  return text.length > maxLookedAt ? text.slice(0, maxLookedAt) : text;
}

const none: readonly string[] = [];

/** Reused for every event: `reset` forgets the last one. Not for two events at once. */
export class Frame {
  readonly #slots: Slots;
  #fields: { readonly [field: string]: FieldValue | undefined } = Object.create(null);
  #original = "";
  #event: Readable | undefined;
  #epoch = 0;
  readonly #loaded: number[] = [];
  readonly #text: (string | undefined)[] = [];
  readonly #lower: (string | undefined)[] = [];
  readonly #list: (readonly string[] | undefined)[] = [];
  readonly #null: boolean[] = [];
  #words: readonly string[] | undefined;
  #lowerWords: readonly string[] | undefined;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  reset(event: Readable): void {
    this.#event = event;
    this.#fields = event.fields;
    this.#original = event.original ?? "";
    this.#epoch++;
    this.#words = undefined;
    this.#lowerWords = undefined;
  }

  #load(slot: number): void {
    const value = this.#fields[this.#slots.names[slot]!];
    this.#loaded[slot] = this.#epoch;
    this.#lower[slot] = undefined;
    this.#list[slot] = undefined;
    if (value === undefined || value === null) {
      this.#text[slot] = undefined;
      this.#null[slot] = true;
    } else if (typeof value === "object") this.#loadList(slot, value);
    else {
      this.#text[slot] = textOfScalar(value);
      this.#null[slot] = false;
    }
  }

  #loadList(slot: number, value: unknown): void {
    const items = Array.isArray(value) ? (value as readonly unknown[]) : [];
    const texts = items.filter((v) => v !== null && v !== undefined && typeof v !== "object").map(textOfScalar);
    this.#text[slot] = undefined;
    this.#null[slot] = items.length === 0 || texts.length < items.length;
    this.#list[slot] = texts.length === 0 ? undefined : texts;
  }

  /** The text of a field that holds one value; undefined for absent fields and lists. */
  text(slot: number): string | undefined {
    if (this.#loaded[slot] !== this.#epoch) this.#load(slot);
    return this.#text[slot];
  }

  /** As `text`, in lower case. */
  lower(slot: number): string | undefined {
    if (this.#loaded[slot] !== this.#epoch) this.#load(slot);
    const known = this.#lower[slot];
    if (known !== undefined) return known;
    const text = this.#text[slot];
    if (text === undefined) return undefined;
    const lower = foldCase(text);
    this.#lower[slot] = lower;
    return lower;
  }

  /** The texts of a field that holds a list, and of others none. */
  list(slot: number): readonly string[] {
    if (this.#loaded[slot] !== this.#epoch) this.#load(slot);
    return this.#list[slot] ?? none;
  }

  /** True when the field is absent, null, an empty list or a list with a null. */
  isNull(slot: number): boolean {
    if (this.#loaded[slot] !== this.#epoch) this.#load(slot);
    return this.#null[slot]!;
  }

  /** True when the field has a value. */
  exists(slot: number): boolean {
    if (this.#loaded[slot] !== this.#epoch) this.#load(slot);
    return this.#text[slot] !== undefined || this.#list[slot] !== undefined;
  }

  /** The event's own time in milliseconds; NaN where it has none. */
  time(): number {
    return this.#event === undefined ? Number.NaN : ownTime(this.#event);
  }

  /** Every text of the event, its original line first. */
  words(): readonly string[] {
    if (this.#words !== undefined) return this.#words;
    const words = [textOfScalar(this.#original)];
    for (const field in this.#fields) {
      const value = this.#fields[field];
      if (value === undefined || value === null) continue;
      if (typeof value !== "object") words.push(textOfScalar(value));
      else if (Array.isArray(value))
        for (const item of value) if (item !== null && typeof item !== "object") words.push(textOfScalar(item));
    }
    this.#words = words;
    return words;
  }

  /** As `words`, in lower case. */
  lowerWords(): readonly string[] {
    this.#lowerWords ??= this.words().map(foldCase);
    return this.#lowerWords;
  }
}
