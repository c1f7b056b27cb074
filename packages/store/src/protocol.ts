/** What passes between the program and its storage thread. Types only. */
import type { ErrorCode } from "@vedette/kit";
import type { OpenSearchSettings } from "./opensearch/events.ts";
import type { PostgresSettings } from "./state/postgres.ts";

export interface ThreadOptions {
  readonly directory: string;
  /** Where alerts, checkpoints, settings, people, keys and machines are; in the directory's own database where absent. */
  readonly postgres?: PostgresSettings | undefined;
  /** Events are there instead of in the directory. */
  readonly openSearch?: OpenSearchSettings | undefined;
  /** Events are in this folder, which others have too. */
  readonly shared?: string | undefined;
  readonly memoryLimitMb: number;
  readonly threads: number;
  readonly sealRows: number;
  readonly sealBytes: number;
  readonly seriesPerSource: number;
  readonly sealSamples: number;
}
export type Call =
  | {
      readonly id: number;
      readonly target: string;
      readonly method: string;
      readonly parameters: readonly unknown[];
      readonly now: number;
      readonly cancel?: undefined;
    }
  | { readonly cancel: number };
export type Answer =
  | { readonly id: number; readonly value: unknown; readonly error?: undefined }
  | {
      readonly id: number;
      readonly error: { readonly code: ErrorCode; readonly permanent: boolean; readonly message: string; readonly aborted?: boolean };
    };
