/** Takes one export request, whichever way it came: reads it, hands its records on, and says how many were not taken. Knows no transport. */
import type { Clock, Intake } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { batchesOf, flawedRecord } from "../batch.ts";
import { oneDocument } from "../json_scan.ts";
import { nonce } from "../nonce.ts";
import { NotProtobuf, readMessage, type Told } from "../protobuf.ts";
import { ExportCutter, isExport } from "./export.ts";
import type { Signal } from "./messages.ts";

export interface ReceiveOptions {
  readonly intake: Intake;
  readonly clock: Clock;
  readonly stream: string;
  readonly peer: string | undefined;
  readonly maxRecordBytes: number;
}
/** gRPC's codes, as google.rpc.Status carries them over either transport. */
export const codes = {
  invalid: 3,
  denied: 7,
  exhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;
/** Why some of an export was not taken. */
export const rejectedBecause = "too large, or no records; kept as dead letters";

/**
 * Resolves when everything is durable, what is no record as a dead letter.
 * @returns how many records were not taken, or what is wrong with the request as a whole
 * @throws UnavailableError of the intake
 */
export async function receiveExport(
  body: Buffer,
  form: "json" | "protobuf",
  signal: Signal,
  options: ReceiveOptions,
): Promise<number | string> {
  const { intake, stream, peer, maxRecordBytes } = options;
  const token = nonce(options.clock);
  const read = form === "json" ? readJson(body) : readProtobuf(body, signal);
  if (typeof read === "string" || !isExport(read, signal)) {
    const problem = typeof read === "string" ? read : `"${signal.outer}" is not a list`;
    const flaw: Flaw = { code: "bad_request", expected: `an OTLP export with ${signal.outer}: ${problem}` };
    await intake.accept([flawedRecord(`${token}:0`, body, flaw, maxRecordBytes, peer)], { stream });
    return problem;
  }
  const cutter = new ExportCutter(signal, { token, maxRecordBytes, peer });
  for (const batch of batchesOf(cutter.records(read))) await intake.accept(batch.records, { stream });
  return cutter.rejected;
}

/** The request, or what is wrong with it. */
function readJson(body: Buffer): unknown {
  const document = oneDocument(body);
  if (document === undefined) return "the body is not one JSON document nested at most 64 deep";
  return typeof document === "string" ? "the body is a text" : document;
}
function readProtobuf(body: Buffer, signal: Signal): Told | string {
  try {
    return readMessage(body, signal.request);
  } catch (error) {
    if (!(error instanceof NotProtobuf)) throw error;
    return error.message;
  }
}
