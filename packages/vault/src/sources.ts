/** Where keys come from: SECRET_KEY, a file, a command, and the file that is made where there is none of these. Knows nothing that is sealed. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ConfigError, diskFiles, type Files, UnavailableError } from "@vedette/kit";
import { type RootKey, rootKey } from "./key.ts";

export interface KeySources {
  /** The data directory: it gets `secret.key` where nothing else gives a key. */
  readonly directory: string;
  /** SECRET_KEY. */
  readonly secret?: string | undefined;
  /** A file of keys, one a line, newest first. */
  readonly file?: string | undefined;
  /** A program and its arguments that prints keys in the same way, such as a client of a key service. */
  readonly command?: readonly string[] | undefined;
}

/** As for SECRET_KEY. Sixteen characters that a person thought up are few: the guide says how to make better ones. */
const minCharacters = 16;
const maxCharacters = 4_096;
/** A rotation a week for a year. */
const maxKeys = 64;
const commandTimeout_ms = 10_000;
const commandBytes = 65_536;
const generatedBytes = 32;

export const generatedFile = (directory: string): string => join(directory, "secret.key");
export const newSecret = (): string => randomBytes(generatedBytes).toString("base64url");

/**
 * All keys there are, newest first: SECRET_KEY, the file, the command, the file of the data directory; the last is made where there is no other.
 * @throws ConfigError, UnavailableError `key_unavailable`
 */
export async function readKeys(sources: KeySources, files: Files = diskFiles): Promise<readonly RootKey[]> {
  const { directory, secret, file, command } = sources;
  const generated = generatedFile(directory);
  const given = [
    ...(secret === undefined ? [] : keysOf(secret, "SECRET_KEY", "SECRET_KEY")),
    ...(file === undefined ? [] : keysOf(await textOf(file, files), file, file)),
    ...(command === undefined ? [] : keysOf(await output(command), `the command ${command[0]}`, `${command[0]}`)),
  ];
  const kept = await files.read(generated);
  if (kept !== undefined) return [...given, ...keysOf(Buffer.from(kept).toString("utf8"), generated, generated)];
  if (given.length > 0) return given;
  const text = newSecret();
  await files.replace(generated, Buffer.from(`${text}\n`));
  return keysOf(text, generated, generated);
}

/** One key a line, blank lines and those that begin with # left out. */
function keysOf(text: string, place: string, from: string): readonly RootKey[] {
  const lines = text
    .split("\n")
    .map((line, at) => ({ key: line.trim(), line: at + 1 }))
    .filter(({ key }) => key !== "" && !key.startsWith("#"));
  if (lines.length === 0) throw new ConfigError("key_unavailable", `${place}: expected a key, found nothing`);
  if (lines.length > maxKeys) throw new ConfigError("key_unavailable", `${place}: ${lines.length} keys; expected at most ${maxKeys}`);
  return lines.map(({ key, line }) => {
    if (key.length < minCharacters || key.length > maxCharacters)
      throw new ConfigError(
        "key_unavailable",
        `${place}:${line}: expected a key of ${minCharacters} to ${maxCharacters} characters, found one of ${key.length}`,
      );
    return rootKey(Buffer.from(key, "utf8"), from);
  });
}

async function textOf(path: string, files: Files): Promise<string> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await files.read(path);
  } catch (cause) {
    throw new ConfigError("key_unavailable", `${path}: ${(cause as Error).message}`, { cause });
  }
  if (bytes === undefined) throw new ConfigError("key_unavailable", `${path}: no such file`);
  return Buffer.from(bytes).toString("utf8");
}

/** What the program prints. It gets no shell; what it says on standard error may tell of secrets and is not repeated. */
function output([program = "", ...parameters]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: commandTimeout_ms, killSignal: "SIGKILL", maxBuffer: commandBytes, encoding: "utf8" } as const;
    execFile(program, parameters, options, (error, stdout) => {
      if (error === null) return resolve(stdout);
      const { code, killed } = error;
      const why =
        killed === true && code === null
          ? `no answer within ${commandTimeout_ms / 1_000} s`
          : code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER"
            ? `more than ${commandBytes} bytes`
            : typeof code === "number"
              ? `exit code ${code}`
              : String(code ?? error.signal);
      reject(new UnavailableError("key_unavailable", `the command ${program} gave no key: ${why}`));
    });
  });
}
