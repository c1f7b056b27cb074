/** Whether a directory lies on an encrypted volume, as far as Linux says without rights: /proc/self/mountinfo and /sys. Changes nothing. */
import { readdirSync, readFileSync } from "node:fs";

export interface Volume {
  readonly encrypted: "yes" | "no" | "unknown";
  /** What it is, and what cannot be known. */
  readonly detail: string;
}

/** What is read of the system; undefined and empty where it is not there. */
export interface System {
  text(path: string): string | undefined;
  names(path: string): readonly string[];
}

export const linux: System = {
  text(path) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  },
  names(path) {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  },
};

interface Mount {
  readonly device: string;
  readonly at: string;
  readonly type: string;
  readonly source: string;
}

/** Encrypt what is written through them. */
const encrypting = new Set(["ecryptfs", "fuse.gocryptfs", "fuse.cryfs", "fuse.encfs", "fuse.securefs"]);
/** The files lie elsewhere, and whether they are encrypted there is not seen from here. */
const elsewhere = new Set(["nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "beegfs", "gpfs", "9p", "virtiofs", "glusterfs", "fuse.sshfs"]);
/** proc(5): blanks and backslashes of paths stand as three octal digits. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
/** Devices under devices: an encrypted volume in a logical one on a RAID is four. */
const maxDepth = 8;

export function volumeOf(path: string, system: System = linux): Volume {
  const mount = mountOf(path, system.text("/proc/self/mountinfo") ?? "");
  if (mount === undefined) return { encrypted: "unknown", detail: "this system does not say what is mounted" };
  const { device, type, source } = mount;
  const name = `${type} on ${source}`;
  if (encrypting.has(type)) return { encrypted: "yes", detail: name };
  if (type === "zfs")
    return { encrypted: "unknown", detail: `${name}: ZFS does not say it here; zfs get encryption,keystatus ${source} does` };
  if (elsewhere.has(type)) return { encrypted: "unknown", detail: `${name}: the files lie elsewhere, and only that system knows` };
  if (type === "overlay")
    return { encrypted: "unknown", detail: `${name}: a container's own layer; mount a volume for the data directory` };
  if (type === "tmpfs" || type === "ramfs")
    return { encrypted: "unknown", detail: `${name}: in memory and lost with it; what is swapped out is as encrypted as swap is` };
  const found = deviceEncrypted(device, system, 0);
  if (found === true) return { encrypted: "yes", detail: `${name}, dm-crypt below it` };
  if (found === undefined) return { encrypted: "unknown", detail: `${name}: this system does not say what device that is` };
  return {
    encrypted: "no",
    detail: `${name}: no dm-crypt below it; what a disk encrypts by itself, or fscrypt single directories (fscrypt status), is not seen from here`,
  };
}

/** The last mount of the longest path that holds this one. */
function mountOf(path: string, mountinfo: string): Mount | undefined {
  let best: Mount | undefined;
  for (const line of mountinfo.split("\n")) {
    // proc(5): id parent major:minor root mountpoint options [fields] - type source options
    const [left = "", right = ""] = line.split(" - ");
    const [, , device, , mountPoint] = left.split(" ");
    const [type, source] = right.split(" ");
    if (device === undefined || mountPoint === undefined || type === undefined || source === undefined) continue;
    const at = unescaped(mountPoint);
    const holds = path === at || path.startsWith(at === "/" ? "/" : `${at}/`);
    if (holds && at.length >= (best?.at.length ?? 0)) best = { device, at, type, source: unescaped(source) };
  }
  return best;
}

/** Whether every way down from a device goes through dm-crypt; undefined where the system does not say. */
function deviceEncrypted(device: string, system: System, depth: number): boolean | undefined {
  const folder = `/sys/dev/block/${device}`;
  if (system.text(`${folder}/dm/uuid`)?.startsWith("CRYPT-")) return true;
  const below = system.names(`${folder}/slaves`);
  if (below.length === 0 || depth >= maxDepth) return system.text(`${folder}/dev`) === undefined ? undefined : false;
  const found = below.map((name) => {
    const next = system.text(`${folder}/slaves/${name}/dev`)?.trim();
    return next === undefined ? undefined : deviceEncrypted(next, system, depth + 1);
  });
  if (found.includes(false)) return false;
  return found.includes(undefined) ? undefined : true;
}
