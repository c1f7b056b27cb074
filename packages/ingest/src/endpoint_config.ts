/** Settings that endpoints share, worded for what each takes. Knows no protocol. */
import { z } from "@vedette/kit";
import { bodyCaps } from "./body.ts";

const MiB = 1024 ** 2;

export const sourceName = (own: string, what = "the events") =>
  z
    .string()
    .regex(/^[\w.-]{1,64}$/)
    .default(own)
    .describe(`Name of the source that ${what} belong to.`);

export const bodyBytes = (own: number = bodyCaps.bytes, most = 1024 * MiB) =>
  z.int().min(1_024).max(most).default(own).describe("Largest body in bytes, after decompression.");

export const wireBytes = () =>
  z
    .int()
    .min(1_024)
    .max(1024 * MiB)
    .default(bodyCaps.wireBytes)
    .describe("Largest compressed body in bytes.");

export const recordBytes = (what: string, own: number = MiB) =>
  z
    .int()
    .min(256)
    .max(16 * MiB)
    .default(own)
    .describe(`Largest single ${what}; of a larger one 64 KiB and its SHA-256 go to the dead letters.`);
