/** DuckDB for whoever asks the event store something, opened when first asked: unused, it is not even loaded. Imports no driver. */

import type { BatchColumn } from "./batch.ts";
import type { Database, DuckOptions, Parameter, Row } from "./duckdb.ts";

export class Duck {
  private readonly options: DuckOptions;
  private readonly setup: readonly string[];
  private opened: Promise<Database> | undefined;

  /** @param setup statements run once it is open */
  constructor(options: DuckOptions, setup: readonly string[]) {
    this.options = options;
    this.setup = setup;
  }

  /** Loading and opening it takes a tenth of a second and some 35 MB; one that failed is tried again. */
  private database(): Promise<Database> {
    this.opened ??= this.open().catch((error) => {
      this.opened = undefined;
      throw error;
    });
    return this.opened;
  }

  private async open(): Promise<Database> {
    const database = await (await import("./duckdb.ts")).Database.open(this.options);
    for (const statement of this.setup) await database.execute(statement);
    return database;
  }

  /** Runs a statement that returns nothing, on the writing connection. */
  async execute(sql: string): Promise<void> {
    await (await this.database()).execute(sql);
  }

  /** Appends a batch's rows to a table whose columns are `names`: all of them or none. */
  async append(
    table: string,
    names: readonly string[],
    isNumber: ReadonlySet<string>,
    count: number,
    columns: ReadonlyMap<string, BatchColumn>,
  ): Promise<void> {
    await (await this.database()).append(table, names, isNumber, count, columns);
  }

  /** Runs one query beside the others; interrupted when `signal` aborts. */
  async query(sql: string, parameters: readonly Parameter[], signal?: AbortSignal): Promise<readonly Row[]> {
    signal?.throwIfAborted();
    return await (await this.database()).query(sql, parameters, signal);
  }

  async close(): Promise<void> {
    await (await this.opened)?.close();
  }
}
