/** Where running servers are noted: one JSON file each, found by whoever needs one. */
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Not in a home: PostgreSQL runs as another user and has to get there. */
export const runFolder = process.env["VEDETTE_SERVICES_RUN"] ?? join(tmpdir(), `vedette-services-${process.getuid()}`);
