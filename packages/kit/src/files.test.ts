import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeFolder } from "./files.ts";

let at: string;
beforeEach(() => {
  at = mkdtempSync(join(tmpdir(), "vedette-files-"));
});
afterEach(() => rmSync(at, { recursive: true, force: true }));
const codeOf = (path: string): string => {
  try {
    makeFolder(path);
    return "made";
  } catch (e) {
    return `${(e as { code: string }).code}: ${(e as Error).message}`;
  }
};

describe("makeFolder", () => {
  test("makes what is missing, for this user only, and is content with what is there", () => {
    const deep = join(at, "a", "b", "c");
    makeFolder(deep);
    makeFolder(deep);
    makeFolder(`${deep}/`);
    expect(statSync(deep).mode & 0o777).toBe(0o700);
    expect(statSync(join(at, "a")).mode & 0o777).toBe(0o700);
  });

  test("a file in the way is named, whether it has the name or lies above", () => {
    writeFileSync(join(at, "file"), "");
    expect(codeOf(join(at, "file"))).toBe(
      `folder_unusable: ${join(at, "file")}: no folder can be made: a file has that name; name another`,
    );
    expect(codeOf(join(at, "file", "x"))).toContain("no folder can be made: ");
  });

  test.skipIf(process.platform !== "linux")("where none can be made it ends", () => {
    expect(codeOf("/proc/vedette/backup")).toBe(
      "folder_unusable: /proc/vedette/backup: no folder can be made: the file system takes none there; name another",
    );
  });

  test.skipIf(process.getuid?.() === 0)("no right to write", () => {
    chmodSync(at, 0o500);
    expect(codeOf(join(at, "x"))).toContain("this user may not write there");
    chmodSync(at, 0o700);
  });
});
