/** A real PostgreSQL of its own for tests: started on a free loopback port from Debian's package, stopped and started again, removed at the end. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../../tests/e2e/free_port.ts";
import type { PostgresSettings } from "../state/postgres.ts";

const versions = "/usr/lib/postgresql";
const newest = existsSync(versions) ? readdirSync(versions).sort((a, b) => Number(b) - Number(a))[0] : undefined;
const programs = newest === undefined ? undefined : join(versions, newest, "bin");

/** Why tests cannot have one; undefined where they can. With CI=true its absence is an error. */
export const postgresMissing = (): string | undefined => {
  if (programs !== undefined && existsSync(join(programs, "initdb"))) return undefined;
  if (process.env["CI"] === "true") throw new Error("no PostgreSQL here; scripts/services installs it");
  return "no PostgreSQL here (scripts/services installs it)";
};

/** It refuses to run as root: then it is the package's own user. */
function userOf(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

export class PostgresServer {
  readonly #folder = mkdtempSync(join(tmpdir(), "vedette-postgres-"));
  readonly #user = userOf();
  #port = 0;
  #child: ChildProcess | undefined;
  #said = "";
  #schemas = 0;

  /** Makes the cluster; its superuser is `vedette`, with a password. */
  async create(): Promise<void> {
    if (this.#user) chownSync(this.#folder, this.#user.uid, this.#user.gid);
    const [data, password] = [join(this.#folder, "data"), join(this.#folder, "password")];
    execFileSync("sh", ["-c", 'umask 077; printf secret > "$0"', password], { ...this.#user, cwd: this.#folder });
    const options = ["-U", "vedette", "-A", "scram-sha-256", `--pwfile=${password}`, "-E", "UTF8", "--no-sync"];
    // a database that sorts as people do, as most are: what relies on the order of bytes has to say so
    const locale = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"];
    execFileSync(join(programs!, "initdb"), ["-D", data, ...options, ...locale], { ...this.#user, cwd: this.#folder, stdio: "pipe" });
    this.#port = await freePort();
  }

  /** Resolves when it takes connections. @param fsync whether a commit is durable: tests crash the server, not the machine */
  async start({ fsync = false } = {}): Promise<void> {
    const settings = [
      `fsync=${fsync ? "on" : "off"}`,
      "shared_buffers=16MB",
      "max_connections=60",
      `unix_socket_directories=${this.#folder}`,
    ];
    const child = spawn(
      join(programs!, "postgres"),
      ["-D", join(this.#folder, "data"), "-p", String(this.#port), "-h", "127.0.0.1", ...settings.flatMap((one) => ["-c", one])],
      { ...this.#user, cwd: this.#folder, stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#child = child;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      child.stderr!.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        this.#said = (this.#said + chunk.toString()).slice(-20_000);
        if (said.includes("ready to accept connections")) resolve();
      });
      child.once("exit", (code) => reject(new Error(`PostgreSQL ended (${code}):\n${this.#said}`)));
    });
  }

  /** At once, as an operator's `pg_ctl stop -m immediate`, or as if the power had gone. */
  async stop(signal: "SIGQUIT" | "SIGKILL" | "SIGINT" = "SIGQUIT"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** How to reach it, each time with an empty schema of its own. */
  settings(change: Partial<PostgresSettings> = {}): PostgresSettings {
    return {
      host: "127.0.0.1",
      port: this.#port,
      db: "postgres",
      user: "vedette",
      password: "secret",
      schema: `test_${++this.#schemas}`,
      connections: 4,
      connect_ms: 10_000,
      statement_ms: 60_000,
      ...change,
    };
  }

  /** From now on it speaks TLS to who wants it, with a certificate of 127.0.0.1 that is its own authority; returns that. */
  async useTls(): Promise<string> {
    const file = (name: string) => join(this.#folder, "data", name);
    const request = [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=database",
    ];
    const files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", file("server.key"), "-out", file("server.crt")];
    execFileSync("openssl", [...request, ...files], { ...this.#user, cwd: this.#folder, stdio: "pipe" });
    this.run("alter system set ssl = on");
    await this.stop("SIGINT");
    await this.start();
    return readFileSync(file("server.crt"), "utf8");
  }

  /** Runs SQL as the superuser, on `db`. */
  run(sql: string, db = "postgres", password = "secret"): string {
    const place = ["-h", this.#folder, "-p", String(this.#port), "-U", "vedette", "-d", db, "-v", "ON_ERROR_STOP=1", "-At", "-c", sql];
    return execFileSync(join(programs!, "psql"), place, { env: { ...process.env, PGPASSWORD: password }, encoding: "utf8" });
  }
}
