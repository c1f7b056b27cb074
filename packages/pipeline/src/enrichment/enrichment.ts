/**
 * What events are enriched by: settings, and tables whose every new content is a version in the control topic. Reads the files that the
 * configuration names; knows no HTTP.
 */
import { readFile } from "node:fs/promises";
import { enrichers } from "@vedette/enrich";
import { BadInputError, type Clock, type EnricherSpec } from "@vedette/kit";
import type { EnricherLine, Requester, TableRef } from "@vedette/model";
import type { Control } from "../control.ts";
import type { Program } from "../program.ts";
import type { Tables } from "./tables.ts";

export type EnrichParts = Required<Pick<Program, "enrich" | "tables">>;

export interface EnrichmentOptions {
  /** Settings by enricher, or false; `file` names where its table is read from. */
  readonly settings: { readonly [name: string]: unknown };
  readonly tables: Tables;
  readonly control: Control;
  readonly clock: Clock;
  /** Whether it says what is in force, and not another process. */
  readonly leads: boolean;
  /** Puts other parts in force, in turn with every other change. */
  readonly adjust: (parts: EnrichParts, who: Requester, subject: string) => Promise<number>;
  readonly onProblem: (code: string, message: string | undefined) => void;
}

/** A database of cities has 60 MB, one of everything 200. */
const maxFileBytes = 512 << 20;

export class Enrichment {
  readonly #options: EnrichmentOptions;
  readonly #specs: ReadonlyMap<string, EnricherSpec>;
  readonly #problems = new Map<string, string>();
  #parts: EnrichParts = { enrich: {}, tables: {} };
  /** Changes wait for one another. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: EnrichmentOptions, specs: ReadonlyMap<string, EnricherSpec>) {
    this.#options = options;
    this.#specs = specs;
  }

  static async open(options: EnrichmentOptions): Promise<Enrichment> {
    const enrichment = new Enrichment(options, await enrichers());
    const { control, leads, settings, tables } = options;
    const before = control.current?.tables ?? {};
    // what came through the API stays in force, unless the configuration names a file now
    const kept = Object.entries(before).filter(
      ([name, { file }]) => !leads || (file === undefined && enrichment.#fileOf(name) === undefined),
    );
    enrichment.#parts = { enrich: withoutFiles(settings), tables: Object.fromEntries(kept) };
    for (const [name, { hash }] of kept) {
      const content = tables.table(hash);
      if (content === undefined) enrichment.#report(name, "its content is gone from the data directory; put it again");
      // what it had alone before others came
      else if (leads) await tables.put(content);
    }
    if (leads) await enrichment.#readFiles(before);
    await enrichment.#prune();
    return enrichment;
  }

  /** Another process put something in force. */
  refresh(): void {
    this.#parts = { ...this.#parts, tables: this.#options.control.current?.tables ?? {} };
  }

  /** What a program is made with. */
  get parts(): EnrichParts {
    return this.#parts;
  }

  lines(): readonly EnricherLine[] {
    const { settings } = this.#options;
    return [...this.#specs.values()].map(({ name, summary, table: needed }) => {
      const table = Object.hasOwn(this.#parts.tables, name) ? this.#parts.tables[name] : undefined;
      const broken = this.#problems.get(name);
      const on = Object.hasOwn(settings, name) && settings[name] !== false;
      const state = !on ? "off" : broken !== undefined ? "broken" : needed !== undefined && table === undefined ? "waiting" : "running";
      const reason = broken ?? (state === "waiting" ? waitsFor(name, needed?.inventory ?? false) : undefined);
      return { name, summary, state, inventory: needed?.inventory ?? false, ...(reason && { reason }), ...(table && { table }) };
    });
  }

  /** A new version of an inventory, in force for what is taken in from now on. @throws BadInputError `not_found`, `conflict`, `bad_table` */
  put(name: string, bytes: Uint8Array, who: Requester): Promise<TableRef> {
    return this.#inTurn(async () => {
      const spec = this.#inventory(name);
      const { rows } = spec.table!.read(bytes);
      const hash = await this.#options.tables.put(bytes);
      const ref: TableRef = { hash, bytes: bytes.length, rows, at: this.#options.clock.now(), by: who.by };
      if (this.#parts.tables[name]?.hash === hash) return this.#parts.tables[name];
      await this.#adjust({ ...this.#parts.tables, [name]: ref }, who, name);
      this.#report(name, undefined);
      return ref;
    });
  }

  /** @throws BadInputError `not_found`, `conflict` */
  remove(name: string, who: Requester): Promise<void> {
    return this.#inTurn(async () => {
      this.#inventory(name);
      const { [name]: gone, ...rest } = this.#parts.tables;
      if (gone === undefined) throw new BadInputError("not_found", `there is no inventory ${name}`);
      await this.#adjust(rest, who, name);
      this.#report(name, undefined);
    });
  }

  /** Reads the configured files again; those that changed are new versions. Gives the names of these. */
  reload(who: Requester): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      const before = this.#parts.tables;
      await this.#readFiles(before);
      const after = this.#parts.tables;
      const changed = Object.keys(after).filter((name) => after[name]!.hash !== before[name]?.hash);
      this.#parts = { ...this.#parts, tables: before };
      if (changed.length > 0) await this.#adjust(after, who, changed.join(", "));
      return changed;
    });
  }

  #inventory(name: string): EnricherSpec {
    const spec = this.#specs.get(name);
    const known = [...this.#specs.values()].filter(({ table }) => table?.inventory).map((one) => one.name);
    if (spec?.table?.inventory !== true)
      throw new BadInputError("not_found", `there is no inventory ${name.slice(0, 64)}; expected ${known.join(" or ")}`);
    const file = this.#fileOf(name);
    if (file !== undefined) throw new BadInputError("conflict", `${name} is read from ${file}, which the configuration names`);
    if (this.#options.settings[name] === false) throw new BadInputError("conflict", `enrich.${name} is turned off in the configuration`);
    return spec;
  }

  #fileOf(name: string): string | undefined {
    const settings = this.#options.settings[name];
    const file: unknown = typeof settings === "object" && settings !== null ? (settings as { file?: unknown }).file : undefined;
    return typeof file === "string" ? file : undefined;
  }

  async #readFiles(before: EnrichParts["tables"]): Promise<void> {
    const { clock, tables } = this.#options;
    for (const [name, spec] of this.#specs) {
      const file = this.#fileOf(name);
      if (file === undefined || spec.table === undefined) continue;
      try {
        const bytes = await readFile(file);
        if (bytes.length > maxFileBytes) throw new BadInputError("bad_table", `${bytes.length} bytes; at most ${maxFileBytes}`);
        const { rows } = spec.table.read(bytes);
        const hash = await tables.put(bytes);
        const known = before[name]?.hash === hash && before[name]?.file === file ? before[name] : undefined;
        const ref = known ?? { hash, bytes: bytes.length, rows, at: clock.now(), by: "vedette", file };
        this.#parts = { ...this.#parts, tables: { ...this.#parts.tables, [name]: ref } };
        this.#report(name, undefined);
      } catch (e) {
        const { code, message } = e as NodeJS.ErrnoException;
        // the content in force before goes on: a half-written file must not take the enrichment away
        const old = before[name];
        if (old !== undefined && tables.table(old.hash) !== undefined)
          this.#parts = { ...this.#parts, tables: { ...this.#parts.tables, [name]: old } };
        this.#report(name, `${file}: ${code === "ENOENT" ? "no such file" : message}${old ? "; the version before it goes on" : ""}`);
      }
    }
  }

  async #adjust(tables: EnrichParts["tables"], who: Requester, subject: string): Promise<void> {
    const parts = { ...this.#parts, tables };
    await this.#options.adjust(parts, who, subject);
    this.#parts = parts;
  }

  /** Keeps the contents that what is still in the log was taken in under. */
  async #prune(): Promise<void> {
    const { control, tables } = this.#options;
    const needed = new Set(Object.values(this.#parts.tables).map(({ hash }) => hash));
    for (const { program } of await control.inUse()) for (const { hash } of Object.values(program.tables ?? {})) needed.add(hash);
    await tables.keep(needed, this.#options.leads);
  }

  #report(name: string, message: string | undefined): void {
    if (message === undefined) this.#problems.delete(name);
    else this.#problems.set(name, message);
    this.#options.onProblem(`enrich_${name}`, message === undefined ? undefined : `enrich.${name}: ${message}`);
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(change);
    this.#last = mine.catch(() => {});
    return mine;
  }
}

const waitsFor = (name: string, inventory: boolean): string =>
  inventory
    ? `no inventory yet: enrich.${name}.file, or PUT /api/v1/inventory/${name}`
    : `no database: enrich.${name}.file names one (docs/guide/enrichment.md)`;

/** Where a table is read from is this machine's; what it says is the log's. */
const withoutFiles = (settings: EnrichmentOptions["settings"]): EnrichParts["enrich"] =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      if (typeof value !== "object" || value === null) return [name, value];
      const { file: _, ...rest } = value as { readonly file?: unknown };
      return [name, rest];
    }),
  );
