/** The setting by which an enricher's table is read from a file. Opens no file. */
import { z } from "@vedette/kit";

export const tableFile = (what: string) => z.string().min(1).optional().describe(`${what} Read at the start and again when it changes.`);
