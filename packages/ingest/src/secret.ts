/** A secret from the first line of a file that the configuration names. Knows no protocol. */
import { readFile } from "node:fs/promises";
import { UnavailableError } from "@vedette/kit";

/** @param setting as the configuration calls it, for the message @throws UnavailableError `source_unavailable` */
export async function secretOf(path: string, setting: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new UnavailableError("source_unavailable", `${setting}: ${(error as Error).message}`, { cause: error });
  }
  const secret = text.split("\n", 1)[0]!.trim();
  // An empty one would let everyone in who guesses that.
  if (secret === "") throw new UnavailableError("source_unavailable", `${setting}: ${path} has nothing in its first line`);
  return secret;
}
