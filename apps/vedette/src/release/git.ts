/** Reads the files of one commit of a git repository, near or far, without ever checking it out: no hooks, no filters, no links, no submodules. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BadInputError, ConfigError, UnavailableError } from "@vedette/kit";
import { broken, type Entry, maxArchiveBytes, maxEntries, maxFileBytes, tooLarge } from "./entry.ts";

/** Only these take data from elsewhere; `ext::` and the like would run commands. */
const remote = /^(https:\/\/|ssh:\/\/|file:\/\/|git@[\w.-]+:)/;
export const isRemote = (from: string): boolean => remote.test(from);
const fullCommit = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

export interface Commit {
  readonly commit: string;
  readonly entries: readonly Entry[];
}

/**
 * @param from a folder with a repository, or a URL
 * @param wanted any revision of a folder's repository; of a URL's the whole id, so that what is read is what was meant
 * @throws ConfigError, UnavailableError, BadInputError
 */
export function readCommit(from: string, wanted: string | undefined): Commit {
  if (!isRemote(from)) {
    if (wanted?.startsWith("-")) throw new ConfigError("config_invalid", `--commit ${wanted}: not a revision`);
    const commit = git(from, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${wanted ?? "HEAD"}^{commit}`])
      .toString()
      .trim();
    return { commit, entries: entriesOf(from, commit) };
  }
  if (wanted === undefined || !fullCommit.test(wanted)) {
    const [head] = git(tmpdir(), ["ls-remote", "--", from, "HEAD"]).toString().split(/\s/);
    throw new ConfigError("config_invalid", `${from}: name the commit to read with --commit; its newest is ${head || "not to be seen"}`);
  }
  const scratch = mkdtempSync(join(tmpdir(), "vedette-pull-"));
  try {
    git(scratch, ["init", "--quiet", "--bare"]);
    git(scratch, ["fetch", "--quiet", "--no-tags", "--depth", "1", "--no-recurse-submodules", "--", from, wanted]);
    return { commit: wanted, entries: entriesOf(scratch, wanted) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** All at once: the repository may be gone when they are read. */
function entriesOf(directory: string, commit: string): Entry[] {
  const listed = git(directory, ["ls-tree", "-r", "-z", "--long", "--full-tree", commit]).toString().split("\0").filter(Boolean);
  if (listed.length > maxEntries) throw tooLarge(directory, `${listed.length} files; at most ${maxEntries}`);
  const files = listed.flatMap((line) => {
    const match = /^100(?:644|755) blob ([0-9a-f]+) +(\d+)\t(.*)$/s.exec(line);
    return match && isWanted(match[3]!) && Number(match[2]) <= maxFileBytes
      ? [{ id: match[1]!, bytes: Number(match[2]), path: match[3]! }]
      : [];
  });
  const all = git(directory, ["cat-file", "--batch"], files.map(({ id }) => `${id}\n`).join(""));
  let at = 0;
  return files.map(({ bytes, path, id }) => {
    const header = all.indexOf(0x0a, at);
    if (header < 0 || !all.toString("latin1", at, header).startsWith(id)) throw broken(directory, `git does not give ${path}`);
    const body = all.subarray(header + 1, header + 1 + bytes);
    at = header + 1 + bytes + 1;
    return { path, bytes, read: () => body };
  });
}

/** What a release is made of; the rest of a repository is not even read. */
const isWanted = (path: string): boolean => /\.ya?ml$|(^|\/)licen[cs]e[^/]*$/i.test(path);

function git(cwd: string, args: readonly string[], input = ""): Buffer {
  if (!existsSync(cwd)) throw new BadInputError("not_found", `${cwd}: no such folder`);
  const safe = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.sshCommand=ssh -oBatchMode=yes",
  ];
  try {
    return execFileSync("git", [...safe, ...args], {
      cwd,
      input,
      maxBuffer: maxArchiveBytes,
      stdio: ["pipe", "pipe", "pipe"],
      // nobody is there to be asked for a password
      env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/nonexistent", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" },
    });
  } catch (e) {
    const { code, stderr } = e as { code?: string; stderr?: Buffer };
    if (code === "ENOENT") throw new ConfigError("config_invalid", "git is not installed; pull a folder, .zip or .tar.gz instead");
    const said = stderr?.toString().trim().split("\n").at(-1)?.slice(0, 300) || "it failed";
    if (args[0] === "fetch" || args[0] === "ls-remote") throw new UnavailableError("source_unavailable", `git ${args[0]}: ${said}`);
    throw new BadInputError("not_found", `git ${args[0]}: ${said === "it failed" ? "no such revision" : said}`);
  }
}
