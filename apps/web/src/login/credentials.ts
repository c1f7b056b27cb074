/** What somebody signs in with, and what a refusal means to them. Pure. */
import { ApiError } from "../api/client.ts";

export type Credentials =
  | { readonly token: string }
  | { readonly name: string; readonly password: string; readonly totp?: string; readonly recovery?: string };

/** Undefined where there is nothing to say: a code that is still missing is asked for, not complained about. */
export function refusalText(error: Error | null, second: boolean): string | undefined {
  if (error === null) return undefined;
  if (!(error instanceof ApiError)) return error.message;
  if (error.code === "second_factor_needed") return undefined;
  if (error.status === 429) return "Too many failed attempts; wait a little and try again.";
  if (error.status !== 401) return error.message;
  // The server says not which of the parts is wrong.
  return second ? "This code is not good: each is good once, and for a minute." : "This is not right. Check it and try again.";
}
