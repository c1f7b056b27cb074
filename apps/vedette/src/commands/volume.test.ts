import { expect, test } from "vitest";
import { type System, volumeOf } from "./volume.ts";

/** A system of these files; folders follow from them. */
function systemOf(files: { readonly [path: string]: string }): System {
  const paths = Object.keys(files);
  return {
    text: (path) => files[path],
    names: (path) => [
      ...new Set(paths.filter((one) => one.startsWith(`${path}/`)).map((one) => one.slice(path.length + 1).split("/")[0]!)),
    ],
  };
}
const mounts = (...lines: readonly string[]) => ({ "/proc/self/mountinfo": `${lines.join("\n")}\n` });
const root = "27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw";
const plain = { "/sys/dev/block/8:1/dev": "8:1\n" };

test("dm-crypt below a logical volume or a RAID is found; one way round it is enough for no", () => {
  const data = "40 27 253:2 / /var/lib/vedette\\040data rw - xfs /dev/mapper/vg-data rw";
  const luks = {
    "/sys/dev/block/253:2/dev": "253:2\n",
    "/sys/dev/block/253:2/dm/uuid": "LVM-x\n",
    "/sys/dev/block/253:2/slaves/dm-0/dev": "253:0\n",
    "/sys/dev/block/253:0/dm/uuid": "CRYPT-LUKS2-0123-vg\n",
  };
  const path = "/var/lib/vedette data/d";
  expect(volumeOf(path, systemOf({ ...mounts(root, data), ...plain, ...luks }))).toEqual({
    encrypted: "yes",
    detail: "xfs on /dev/mapper/vg-data, dm-crypt below it",
  });
  expect(volumeOf("/var/lib/vedette dat", systemOf({ ...mounts(root, data), ...plain, ...luks })).encrypted).toBe("no");
  const half = { ...luks, "/sys/dev/block/253:2/slaves/sdb/dev": "8:16\n", "/sys/dev/block/8:16/dev": "8:16\n" };
  expect(volumeOf(path, systemOf({ ...mounts(root, data), ...half })).encrypted).toBe("no");
  const unsaid = { ...luks, "/sys/dev/block/253:2/slaves/sdb/dev": "8:16\n" };
  expect(volumeOf(path, systemOf({ ...mounts(root, data), ...unsaid })).encrypted).toBe("unknown");
});

test("what cannot be known is said to be so, and where to ask", () => {
  const on = (type: string, source: string) =>
    volumeOf("/d/x", systemOf({ ...mounts(root, `41 27 0:40 / /d rw - ${type} ${source} rw`), ...plain }));
  expect(on("zfs", "tank/vedette")).toEqual({
    encrypted: "unknown",
    detail: expect.stringContaining("zfs get encryption,keystatus tank/vedette"),
  });
  expect(on("nfs4", "server:/export").detail).toContain("the files lie elsewhere");
  expect(on("overlay", "overlay").encrypted).toBe("unknown");
  expect(on("tmpfs", "tmpfs").detail).toContain("swap");
  expect(on("fuse.gocryptfs", "/home/ada/.d").encrypted).toBe("yes");
  expect(on("btrfs", "/dev/sdc").encrypted).toBe("unknown");
  expect(volumeOf("/d", systemOf(mounts(root))).encrypted).toBe("unknown");
  expect(volumeOf("/d", systemOf({})).detail).toContain("does not say what is mounted");
});

test("a later mount over the same place counts", () => {
  const twice = mounts(root, "41 27 8:1 / /d rw - ext4 /dev/sda1 rw", "42 41 0:50 / /d rw - fuse.cryfs cryfs@x rw");
  expect(volumeOf("/d", systemOf({ ...twice, ...plain })).encrypted).toBe("yes");
});
