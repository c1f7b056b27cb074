/** Templates of NetFlow 9 and IPFIX: which fields a record has, and reading records by them. Knows no exporter. */
import { type Element, elementOf, paddingElement, scopeOf } from "./elements.ts";

interface Field {
  readonly element: Element;
  readonly id: number;
  readonly pen: number;
  /** `varying` where each record tells it (RFC 7011, 7). */
  readonly length: number;
}
export interface Template {
  readonly id: number;
  /** Fields in front that say what options are about; 0 for flows. */
  readonly scopes: number;
  readonly fields: readonly Field[];
  /** Bytes of the shortest record. */
  readonly minLength: number;
}
export type Values = { [name: string]: string | number };

/** What a record says by elements that are known here, and by others. */
export interface ReadRecord {
  readonly values: Values;
  readonly unknown: Values | undefined;
  /** Index behind the record. */
  readonly end: number;
}

const varying = 65_535;
/** The widest templates of routers have some 60 fields. */
const maxFields = 256;
/** No flow is told in less than two addresses of 4 bytes; smaller records would only multiply. */
const minRecordBytes = 4;

/** Why a template cannot be used. */
export class BadTemplate extends Error {}

function make(id: number, scopes: number, fields: readonly Field[]): Template {
  const minLength = fields.reduce((sum, { length }) => sum + (length === varying ? 1 : length), 0);
  if (minLength < minRecordBytes) throw new BadTemplate(`template ${id} has records of ${minLength} bytes`);
  return { id, scopes, fields, minLength };
}

/** Reads the templates of one set. An IPFIX template without fields withdraws the one of its number. */
export function* readTemplates(set: Buffer, version: 9 | 10, options: boolean): Generator<Template | { readonly withdrawn: number }> {
  let at = 0;
  const head = options ? 6 : 4;
  while (at + 4 <= set.length) {
    const id = set.readUInt16BE(at);
    let count = set.readUInt16BE(at + 2);
    // what is left is padding
    if (id < 256 && !(version === 10 && id >= 2 && count === 0)) {
      if (id === 0) return;
      throw new BadTemplate(`a template has number ${id}`);
    }
    if (version === 10 && count === 0) {
      yield { withdrawn: id };
      at += 4;
      continue;
    }
    if (at + head > set.length) throw new BadTemplate("a template ends within its head");
    let scopes = 0;
    if (options) {
      scopes = set.readUInt16BE(at + (version === 9 ? 2 : 4));
      if (version === 9) {
        // bytes there, fields here
        count = (scopes + set.readUInt16BE(at + 4)) / 4;
        scopes /= 4;
      }
    }
    if (!Number.isInteger(count) || count > maxFields || scopes > count || !Number.isInteger(scopes))
      throw new BadTemplate(`template ${id} has ${count} fields, ${scopes} of them scopes`);
    at += head;
    const fields: Field[] = [];
    for (let i = 0; i < count; i++) {
      const { field, end } = readField(set, at, version, i < scopes);
      fields.push(field);
      at = end;
    }
    yield make(id, scopes, fields);
  }
}

function readField(set: Buffer, at: number, version: 9 | 10, scope: boolean): { readonly field: Field; readonly end: number } {
  if (at + 4 > set.length) throw new BadTemplate("a template ends within its fields");
  const number = set.readUInt16BE(at);
  const length = set.readUInt16BE(at + 2);
  const owned = version === 10 && number >= 0x8000;
  if (owned && at + 8 > set.length) throw new BadTemplate("a template ends within its fields");
  const id = owned ? number - 0x8000 : number;
  const pen = owned ? set.readUInt32BE(at + 4) : version === 9 && scope ? scopePen : 0;
  if (length === 0) throw new BadTemplate(`field ${id} has no bytes`);
  if (length === varying && version === 9) throw new BadTemplate(`field ${id} has ${length} bytes`);
  return { field: { element: elementFor(pen, id), id, pen, length }, end: at + (owned ? 8 : 4) };
}

/** Stands for NetFlow 9's scopes where an enterprise would; no enterprise has it. */
const scopePen = 4_294_967_295;
const elementFor = (pen: number, id: number): Element => (pen === scopePen ? scopeOf(id) : elementOf(pen, id));

/** One record at `at`; undefined where the bytes end within it. */
export function readRecord(template: Template, bytes: Buffer, from: number): ReadRecord | undefined {
  const values: Values = Object.create(null) as Values;
  let unknown: Values | undefined;
  let at = from;
  for (const { element, id, pen, length: told } of template.fields) {
    let length = told;
    if (told === varying) {
      if (at >= bytes.length) return undefined;
      length = bytes[at++]!;
      if (length === 255) {
        if (at + 2 > bytes.length) return undefined;
        length = bytes.readUInt16BE(at);
        at += 2;
      }
    }
    if (at + length > bytes.length) return undefined;
    if (length > 0 && !(pen === 0 && id === paddingElement)) {
      const value = element.read(bytes, at, length);
      if (element.known) values[element.name] = value;
      else {
        unknown ??= Object.create(null) as Values;
        unknown[element.name] = value;
      }
    }
    at += length;
  }
  return { values, unknown, end: at };
}

/** NetFlow 5's one kind of record, as a template. */
export const version5: Template = make(
  5,
  0,
  "8.4 12.4 15.4 10.2 14.2 2.4 1.4 22.4 21.4 7.2 11.2 210.1 6.1 4.1 5.1 16.2 17.2 9.1 13.1 210.2".split(" ").map((pair) => {
    const [id, length] = pair.split(".").map(Number);
    return { element: elementOf(0, id!), id: id!, pen: 0, length: length! };
  }),
);

/** As text, for a later run: `256/0:8.4,12.4,9.29305.4`. */
export const templateText = ({ id, scopes, fields }: Template): string =>
  `${id}/${scopes}:${fields.map((f) => (f.pen === 0 ? `${f.id}.${f.length}` : `${f.id}.${f.pen}.${f.length}`)).join(",")}`;

/** Undefined for what is no such text. */
export function templateOfText(text: string): Template | undefined {
  const parts = /^(\d{1,5})\/(\d{1,3}):([\d.,]+)$/.exec(text);
  if (parts === null) return undefined;
  const fields = parts[3]!.split(",").map((field) => {
    const numbers = field.split(".").map(Number);
    const [id = 0, pen = 0, length = 0] = numbers.length === 3 ? numbers : [numbers[0], 0, numbers[1]];
    return { element: elementFor(pen, id), id, pen, length };
  });
  return make(Number(parts[1]), Number(parts[2]), fields);
}
