/** Everything besides the data that changes an answer, as one versioned document of the control topic. Stored format, docs/format/control.md. */
import { contentHash } from "@vedette/kit";
import type { Micros } from "@vedette/model";

export interface ProgramFile {
  readonly file: string;
  readonly text: string;
}

/** Rules, field mappings and detector settings: what an event is judged by. */
export interface Program {
  readonly kind: "program";
  readonly version: 1;
  readonly hash: string;
  /** When it took effect, in receive time. */
  readonly effective: Micros;
  readonly rules: readonly ProgramFile[];
  readonly pipelines: readonly ProgramFile[];
  /** Detector name → its configuration, or false to turn it off. */
  readonly detectors: { readonly [name: string]: unknown };
  readonly lateness_s: number;
}

export function makeProgram(parts: Omit<Program, "kind" | "version" | "hash" | "effective">, effective: Micros): Program {
  const sorted = {
    rules: [...parts.rules].sort(byFile),
    pipelines: [...parts.pipelines].sort(byFile),
    detectors: Object.fromEntries(Object.entries(parts.detectors).sort(([a], [b]) => (a < b ? -1 : 1))),
    lateness_s: parts.lateness_s,
  };
  return { kind: "program", version: 1, hash: contentHash(JSON.stringify(sorted)), effective, ...sorted };
}

const byFile = (a: ProgramFile, b: ProgramFile) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0);

export const encodeProgram = (program: Program): Uint8Array => Buffer.from(JSON.stringify(program));
export const decodeProgram = (bytes: Uint8Array): Program => JSON.parse(Buffer.from(bytes).toString()) as Program;
