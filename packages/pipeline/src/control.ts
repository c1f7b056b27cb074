/** The control topic: every change that alters an answer, in order. Knows only programs as yet. */
import type { Log } from "@vedette/log";
import { decodeProgram, encodeProgram, type Program } from "./program.ts";

export class Control {
  readonly #log: Log;
  readonly #programs = new Map<string, Program>();
  #current: Program | undefined;

  private constructor(log: Log) {
    this.#log = log;
  }

  static async open(log: Log): Promise<Control> {
    const control = new Control(log);
    const { start, end } = await log.bounds("control", 0);
    for (let at = start; at < end; ) {
      const entries = await log.read("control", 0, at, 4_194_304);
      if (entries.length === 0) break;
      for (const entry of entries) {
        if ("bytes" in entry) control.#know(decodeProgram(entry.bytes));
        at = entry.offset + 1;
      }
    }
    return control;
  }

  get current(): Program | undefined {
    return this.#current;
  }
  program(hash: string): Program | undefined {
    return this.#programs.get(hash);
  }

  /** Makes a program the one in force for what is taken in from now on; nothing happens when it is already. */
  async publish(program: Program): Promise<Program> {
    if (this.#current?.hash === program.hash) return this.#current;
    await this.#log.append("control", 0, encodeProgram(program));
    this.#know(program);
    return program;
  }

  #know(program: Program): void {
    if (program.kind !== "program") return;
    this.#programs.set(program.hash, program);
    this.#current = program;
  }
}
