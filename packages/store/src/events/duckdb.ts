/** The only importer of DuckDB: an in-memory instance that holds open events, reads Parquet and writes it. Knows no event. */
import { createRequire } from "node:module";
import { BIGINT, type DuckDBConnection, DuckDBDataChunk, DuckDBInstance, type DuckDBValue, VARCHAR } from "@duckdb/node-api";
import type { BatchColumn } from "./batch.ts";

/** The few functions of the C API's binding that move a column with one call; the high-level vectors make one a cell. */
interface VectorCalls {
  data_chunk_get_vector(chunk: unknown, column: number): unknown;
  vector_get_data(vector: unknown, bytes: number): Uint8Array;
  vector_ensure_validity_writable(vector: unknown): void;
  vector_assign_string_element_len(vector: unknown, index: number, data: Uint8Array): void;
  copy_data_to_vector(vector: unknown, at: number, source: ArrayBufferLike, from: number, bytes: number): void;
  copy_data_to_vector_validity(vector: unknown, at: number, source: ArrayBufferLike, from: number, bytes: number): void;
}
const fromApi = createRequire(createRequire(import.meta.url).resolve("@duckdb/node-api"));
const calls = fromApi("@duckdb/node-bindings") as VectorCalls;

/** DuckDB's vector size: rows of one data chunk. */
export const chunkRows = 2048;
/** `duckdb_string_t` of the C API: u32 length, then 12 bytes inline or 4 bytes of prefix and a pointer. */
const stringBytes = 16;
const inlineBytes = 12;

const words = new Uint32Array((chunkRows * stringBytes) / 4);
const wordBytes = new Uint8Array(words.buffer);
const validity = new Uint32Array(chunkRows / 32);
const noneValid = new Uint32Array(chunkRows / 32);

export interface DuckOptions {
  readonly memoryMb: number;
  readonly threads: number;
  /** Folder for what does not fit into memory. */
  readonly temporary: string;
}
export type Row = readonly (string | number | bigint | boolean | null | readonly string[])[];
export type Parameter = string | number | bigint | boolean;

function writeValidity(vector: unknown, bits: Uint32Array, rows: number): void {
  calls.vector_ensure_validity_writable(vector);
  calls.copy_data_to_vector_validity(vector, 0, bits.buffer, 0, Math.ceil(rows / 64) * 8);
}

/**
 * Fills a VARCHAR vector from a column's bytes; an empty cell becomes NULL. The bytes are handed over once, as the vector's first
 * string, whose heap copy then backs the pointers of all long cells.
 */
function fillText(vector: unknown, column: { lengths: Uint32Array; bytes: Uint8Array }, first: number, rows: number, at: number): number {
  const { lengths, bytes } = column;
  let total = 0;
  for (let row = 0; row < rows; row++) total += lengths[first + row] as number;
  let low = 0;
  let high = 0;
  if (total > inlineBytes) {
    calls.vector_assign_string_element_len(vector, 0, bytes.subarray(at, at + total));
    const heap = calls.vector_get_data(vector, stringBytes);
    const view = new DataView(heap.buffer, heap.byteOffset, stringBytes);
    low = view.getUint32(8, true);
    high = view.getUint32(12, true);
  }
  validity.fill(0xffffffff);
  let nulls = false;
  let cell = at;
  for (let row = 0; row < rows; row++) {
    const length = lengths[first + row] as number;
    const word = row * 4;
    words[word] = length;
    words[word + 1] = 0;
    words[word + 2] = 0;
    words[word + 3] = 0;
    if (length === 0) {
      nulls = true;
      validity[row >>> 5] = (validity[row >>> 5] as number) & ~(1 << (row & 31));
    } else if (length <= inlineBytes) {
      const to = word * 4 + 4;
      for (let k = 0; k < length; k++) wordBytes[to + k] = bytes[cell + k] as number;
    } else {
      for (let k = 0; k < 4; k++) wordBytes[word * 4 + 4 + k] = bytes[cell + k] as number;
      const address = low + (cell - at);
      words[word + 2] = address;
      words[word + 3] = high + (address > 0xffffffff ? 1 : 0);
    }
    cell += length;
  }
  calls.copy_data_to_vector(vector, 0, words.buffer, 0, rows * stringBytes);
  if (nulls) writeValidity(vector, validity, rows);
  return cell;
}

/** Asks again until the query has ended: DuckDB forgets an interruption that arrives before the query has begun to run. */
function interrupt(connection: DuckDBConnection, reading: Promise<unknown>): void {
  connection.interrupt();
  const asking = setInterval(() => connection.interrupt(), 20);
  const ended = () => clearInterval(asking);
  reading.then(ended, ended);
}

/** One in-memory DuckDB with a connection for writing and short-lived ones for queries. */
export class Database {
  private readonly instance: DuckDBInstance;
  private readonly writer: DuckDBConnection;
  private readonly running = new Map<DuckDBConnection, Promise<unknown>>();
  private closing = false;
  private constructor(instance: DuckDBInstance, writer: DuckDBConnection) {
    this.instance = instance;
    this.writer = writer;
  }

  static async open(options: DuckOptions): Promise<Database> {
    const instance = await DuckDBInstance.create(":memory:", {
      threads: String(options.threads),
      memory_limit: `${options.memoryMb}MB`,
      temp_directory: options.temporary,
      preserve_insertion_order: "false",
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
    return new Database(instance, await instance.connect());
  }

  /** Runs statements that return nothing, on the writing connection. */
  async execute(sql: string): Promise<void> {
    await this.writer.run(sql);
  }

  /** Appends a batch's rows to a table whose columns are `names`: all of them or none. */
  async append(
    table: string,
    names: readonly string[],
    isNumber: ReadonlySet<string>,
    count: number,
    columns: ReadonlyMap<string, BatchColumn>,
  ): Promise<void> {
    const types = names.map((name) => (isNumber.has(name) ? BIGINT : VARCHAR));
    const at = new Array<number>(names.length).fill(0);
    const appender = await this.writer.createAppender(table);
    try {
      for (let first = 0; first < count; first += chunkRows) {
        const rows = Math.min(chunkRows, count - first);
        const chunk = DuckDBDataChunk.create(types, rows);
        const { chunk: handle } = chunk as unknown as { readonly chunk: unknown };
        for (let slot = 0; slot < names.length; slot++) {
          const vector = calls.data_chunk_get_vector(handle, slot);
          const column = columns.get(names[slot] as string);
          if (column === undefined) writeValidity(vector, noneValid, rows);
          else if ("numbers" in column) {
            calls.copy_data_to_vector(vector, 0, column.numbers.buffer, column.numbers.byteOffset + first * 8, rows * 8);
          } else at[slot] = fillText(vector, column, first, rows, at[slot] as number);
        }
        appender.appendDataChunk(chunk);
      }
      appender.flushSync();
    } finally {
      appender.closeSync();
    }
  }

  /** Runs one query on a connection of its own, so that it neither waits for nor delays the writer; interrupted when `signal` aborts. */
  async query(sql: string, parameters: readonly Parameter[], signal?: AbortSignal): Promise<readonly Row[]> {
    signal?.throwIfAborted();
    const connection = await this.instance.connect();
    if (this.closing) throw new Error("the event store is closing");
    const reading = connection.runAndReadAll(sql, parameters as DuckDBValue[]);
    const stop = () => interrupt(connection, reading);
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop);
    this.running.set(connection, reading);
    try {
      return (await reading).getRowsJS() as Row[];
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      this.running.delete(connection);
      signal?.removeEventListener("abort", stop);
      connection.closeSync();
    }
  }

  /** Interrupts what still runs and waits for it: a query that outlives its thread brings the process down. */
  async close(): Promise<void> {
    this.closing = true;
    for (const [connection, reading] of this.running) interrupt(connection, reading);
    await Promise.allSettled(this.running.values());
    this.writer.closeSync();
    this.instance.closeSync();
  }
}
