/** A real full disk: a 16 MB tmpfs in a mount namespace of its own. Skipped where mounting is not permitted. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const permitted = spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

it.skipIf(!permitted)(
  "a full tmpfs gives log_full, loses nothing acknowledged, and accepts again after retention (needs unshare --mount)",
  () => {
    const script = fileURLToPath(new URL("./testing/fill_child.ts", import.meta.url));
    const shell = 'mount -t tmpfs -o size=16m none /mnt && exec "$0" --conditions=source "$1" /mnt';
    const { status, stdout, stderr } = spawnSync("unshare", ["--mount", "sh", "-c", shell, process.execPath, script], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ refused: "log_full", lost: 0, ghosts: 0, damaged: 0, after: "accepted" });
  },
);
