/** Made-up files and keys for tests of backups: the same in a test and in the process that it kills. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { type Sealer, VedetteError } from "@vedette/kit";
import type { BackupFile, Captured, CapturedFile, RepositoryKeys } from "../index.ts";

/** As the vault seals, in short. */
export function sealerOf(secret: Uint8Array): Sealer {
  const key = Buffer.alloc(32, secret);
  return {
    seal(plain, place) {
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(place));
      return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(box, place) {
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, box.subarray(0, 12)).setAAD(Buffer.from(place));
        decipher.setAuthTag(box.subarray(box.length - 16));
        return Buffer.concat([decipher.update(box.subarray(12, box.length - 16)), decipher.final()]);
      } catch (cause) {
        throw new VedetteError("sealed_damaged", true, `${place}: changed`, { cause });
      }
    },
  };
}

export const keysOf = (secret: string): RepositoryKeys => ({ wraps: { vault: sealerOf(Buffer.from(secret)) }, sealerOf });
export const keys = keysOf("the key of this installation");
/** Of an installation that is made up too. */
export const own = new Uint8Array(Buffer.alloc(64, "backup key "));

export interface Made extends Pick<BackupFile, "path" | "part" | "growth"> {
  readonly content: Uint8Array;
}

/** @param onOpen told of every file that is read */
export function captured(files: readonly Made[], onOpen: (path: string) => void = () => {}): Captured {
  return {
    taken: Date.UTC(2026, 10, 21, 8, 30) * 1_000,
    about: { log: {}, alerts: 0, trail: { records: 0, hash: "" }, events: 0 },
    files: files.map(
      ({ content, ...file }): CapturedFile => ({
        ...file,
        bytes: content.length,
        open: async () => {
          onOpen(file.path);
          return {
            read: async (into, position) => {
              const part = content.subarray(position, position + into.length);
              into.set(part);
              return part.length;
            },
            close: async () => {},
          };
        },
      }),
    ),
    release: async () => {},
  };
}

/** An installation of a dozen files, all different: with every file there is a moment to die at. */
export const installation: readonly Made[] = [
  { path: "state.db", part: "state", growth: "changes", content: Buffer.alloc(700_000, "state ") },
  ...[1, 2, 3, 4].map(
    (n): Made => ({ path: `log/raw/0/${n}.seg`, part: "log", growth: "fixed", content: Buffer.alloc(90_000, `segment ${n} `) }),
  ),
  ...[1, 2, 3, 4].map(
    (n): Made => ({ path: `events/sealed/${n}.parquet`, part: "events", growth: "fixed", content: Buffer.alloc(90_000, `rows ${n} `) }),
  ),
];
