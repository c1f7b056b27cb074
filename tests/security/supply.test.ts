/** What Vedette is made of and what lies in its repository: a bill of materials that is true, packages with hashes, no secrets. */
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { allowed, secretsIn } from "./secrets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
interface Locked {
  readonly version?: string;
  readonly link?: boolean;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as { packages: { readonly [path: string]: Locked } };
const { allowScripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  allowScripts: { readonly [name: string]: boolean };
};

/** NAME@VERSION of every package below a node_modules folder, folders within packages too; our own lie there as links. */
function installed(folder: string): string[] {
  return readdirSync(folder).flatMap((entry) => {
    if (entry.startsWith(".")) return [];
    if (entry.startsWith("@")) return readdirSync(join(folder, entry)).flatMap((name) => packageAt(join(folder, entry, name)));
    return packageAt(join(folder, entry));
  });
}
function packageAt(path: string): string[] {
  if (lstatSync(path).isSymbolicLink()) return [];
  const file = join(path, "package.json");
  if (!existsSync(file)) return [];
  const { name, version } = JSON.parse(readFileSync(file, "utf8")) as { name: string; version: string };
  const below = join(path, "node_modules");
  return [`${name}@${version}`, ...(existsSync(below) ? installed(below) : [])];
}

test("the bill of materials names every installed package, and no other", () => {
  const text = execFileSync("npm", ["sbom", "--sbom-format", "cyclonedx"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1_048_576,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const bill = JSON.parse(text) as { bomFormat: string; components: { name: string; version: string; purl: string; hashes?: unknown[] }[] };
  expect(bill.bomFormat).toBe("CycloneDX");
  const others = bill.components.filter(({ purl }) => !/^pkg:npm\/(?:%40vedette\/|vedette@)/.test(purl));
  const named = new Set(others.map(({ name, version }) => `${name}@${version}`));
  const folders = ["", ...["packages", "apps"].flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))];
  const found = new Set(
    folders
      .map((folder) => join(root, folder, "node_modules"))
      .filter(existsSync)
      .flatMap(installed),
  );
  expect([...found].filter((one) => !named.has(one))).toEqual([]);
  expect([...named].filter((one) => !found.has(one))).toEqual([]);
  for (const { purl } of bill.components) expect(purl).toMatch(/^pkg:npm\//);
});

test("every package comes from the registry with a hash, and only the named ones run scripts", () => {
  const packages = Object.entries(lock.packages).filter(([path, one]) => path.includes("node_modules/") && one.link !== true);
  expect(packages.length).toBeGreaterThan(100);
  expect(packages.filter(([, { integrity }]) => !/^sha512-/.test(integrity ?? "")).map(([path]) => path)).toEqual([]);
  // a place that is named would be another than the registry's
  expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  const running = packages
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.split("node_modules/").at(-1)!);
  expect([...new Set(running)].filter((name) => allowScripts[name] !== true)).toEqual([]);
});

test("no secret is in the repository", () => {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8", maxBuffer: 64 * 1_048_576 }).split("\0");
  const found: string[] = [];
  let looked = 0;
  for (const file of files) {
    const path = join(root, file);
    // recorded logs are large and hold what others once sent; a few megabytes of each are looked at
    if (file === "" || !existsSync(path) || statSync(path).size > 4 * 1_048_576) continue;
    const text = readFileSync(path, "latin1");
    if (text.includes("\0")) continue;
    looked++;
    found.push(...secretsIn(text).map((secret) => `${file}: ${secret}`));
  }
  expect(looked).toBeGreaterThan(500);
  expect(found.filter((one) => !allowed.some(({ file, secret }) => file.test(one.split(": ")[0]!) && secret.test(one)))).toEqual([]);
});

test("the scan knows a secret when it sees one", () => {
  const random = "k9Qw2Lr7Zt4Vx8Nb3Mc6Hd1Js5Fg0Pa";
  for (const text of [
    `-----BEGIN ${"EC PRIVATE KEY"}-----\nMHcCAQEEIA`,
    `AKIA${"QWERTYUIOPASDFGH"}`,
    `ghp_${"a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"}`,
    `vds_${random}${random.slice(0, 12)}`,
    `const password = "${random}";`,
    `api_key: '${random}'`,
    `eyJhbGciOiJIUzI1NiJ9.${random}.${random}`,
  ])
    expect([text, secretsIn(text).length]).toEqual([text, 1]);
  for (const text of ["const token = process.env.TOKEN", 'password: "a-password-for-the-tests"', 'key: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"'])
    expect([text, secretsIn(text)]).toEqual([text, []]);
});
