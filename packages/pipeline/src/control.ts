/** The control topic: every change that alters an answer, in order. Knows programs, not what their rules say. Stored format, docs/format/raw.md. */
import { contentHash } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Micros, Requester, RuleChange, RuleOverlay } from "@vedette/model";
import { newer } from "./newer.ts";
import { noOverlay, type Program, type ProgramFile } from "./program.ts";

/** One program as it came into force; the same program may do so several times. */
export interface Version {
  /** Counts from 1. */
  readonly number: number;
  readonly program: Program;
  /** The next raw offset when it was published: what was taken in under it lies there or later. */
  readonly from: number;
}

interface FileRef {
  readonly file: string;
  readonly pack?: string;
  /** Content hash of its text. */
  readonly text: string;
}
interface TextsDocument {
  readonly kind: "texts";
  readonly version: 1;
  readonly texts: readonly string[];
}
interface FilesDocument {
  readonly kind: "files";
  readonly version: 1;
  readonly hash: string;
  readonly rules: readonly FileRef[];
  readonly pipelines: readonly FileRef[];
  readonly event_pipelines?: readonly FileRef[];
}
/** What a program says, its files by their hash. */
interface ProgramDocument {
  readonly kind: "program";
  readonly version: 2;
  readonly hash: string;
  readonly effective: Micros;
  readonly from: number;
  readonly files: string;
  readonly detectors: Program["detectors"];
  readonly lateness_s: number;
  readonly placeholders?: Program["placeholders"];
  readonly enrich?: Program["enrich"];
  readonly tables?: Program["tables"];
  readonly pseudonym_key?: string;
  readonly overlay: RuleOverlay;
  readonly change?: RuleChange;
}
/** Before rules had states: everything in one document. */
type FirstProgramDocument = Omit<Program, "overlay" | "change"> & { readonly version: 1 };
/** Somebody was told what stands behind a pseudonym, or asked in vain. */
interface RevealDocument extends Requester {
  readonly kind: "reveal";
  readonly version: 1;
  readonly at: Micros;
  readonly pseudonym: string;
  readonly found: boolean;
}
/** Whose log it is; the first one counts. */
interface InstallationDocument {
  readonly kind: "installation";
  readonly version: 1;
  readonly installation: string;
}
type Document = RevealDocument | InstallationDocument | TextsDocument | FilesDocument | ProgramDocument | FirstProgramDocument;

/** The newest form of each kind that this version reads. */
const known: { readonly [kind in Document["kind"]]: number } = { texts: 1, files: 1, program: 2, reveal: 1, installation: 1 };

/** Texts are written in batches of about so many characters: well under what a batch of the log may hold. */
const textsPerBatch = 1_048_576;
const readBytes = 4_194_304;

type Prepare = (tables: Program["tables"]) => Promise<void>;
type Files = Pick<Program, "rules" | "pipelines" | "event_pipelines">;

export class Control {
  readonly #log: Log;
  readonly #prepare: Prepare;
  readonly #texts = new Map<string, string>();
  readonly #files = new Map<string, Files>();
  readonly #programs = new Map<string, Program>();
  readonly #versions: Version[] = [];
  #installation: string | undefined;
  /** Next offset of the topic. */
  #next = 0;
  /** Readers wait for one another: each document is taken in once. */
  #reading: Promise<void> = Promise.resolve();

  private constructor(log: Log, prepare: Prepare) {
    this.#log = log;
    this.#prepare = prepare;
  }

  /** @param prepare brings here what a program names and does not carry, before it is known */
  /** @throws VedetteError `newer_version` */
  static async open(log: Log, prepare: Prepare = async () => {}): Promise<Control> {
    const control = new Control(log, prepare);
    control.#next = (await log.bounds("control", 0)).start;
    await control.#read(false);
    for (const { program } of await control.inUse()) await prepare(program.tables);
    return control;
  }

  /** Takes in what other processes write, until `signal` aborts. @param onChange told when another program came into force */
  async follow(signal: AbortSignal, onChange: () => void): Promise<void> {
    while (!signal.aborted) {
      await this.#log.wait("control", 0, this.#next, signal);
      if (signal.aborted) return;
      const before = this.#versions.length;
      await this.#read();
      if (this.#versions.length > before) onChange();
    }
  }

  /** Resolves when there is a program in force. */
  async ready(signal: AbortSignal): Promise<void> {
    while (this.current === undefined && !signal.aborted) {
      await this.#log.wait("control", 0, this.#next, signal);
      await this.#read();
    }
  }

  /** Whose log it is. */
  get installation(): string | undefined {
    return this.#installation;
  }
  get current(): Program | undefined {
    return this.#versions.at(-1)?.program;
  }
  get versions(): readonly Version[] {
    return this.#versions;
  }
  /** The versions that something in the log may have been taken in under. */
  async inUse(): Promise<readonly Version[]> {
    const { start } = await this.#log.bounds("raw", 0);
    return this.#versions.filter((_, i) => (this.#versions[i + 1]?.from ?? Number.POSITIVE_INFINITY) > start);
  }
  program(hash: string): Program | undefined {
    return this.#programs.get(hash);
  }
  /** The program with the number of the version by which it last came into force. */
  latest(hash: string): Version | undefined {
    return this.#versions.findLast(({ program }) => program.hash === hash);
  }
  /** As `latest`, also of one that another process put in force a moment ago: whoever took something in under a program had read it in the topic. */
  async find(hash: string): Promise<Version | undefined> {
    if (!this.#programs.has(hash)) await this.#read();
    return this.latest(hash);
  }

  /**
   * Makes a program the one in force for what is taken in from now on; nothing happens when it is already and nobody changed anything.
   * The texts it needs are written once, and first: the program is in force with its last document.
   */
  async publish(program: Program): Promise<Program> {
    if (this.current?.hash === program.hash && program.change === undefined) return this.current;
    const { rules, pipelines, event_pipelines, kind, hash, effective, ...rest } = program;
    const files = await this.#write({ rules, pipelines, ...(event_pipelines && { event_pipelines }) });
    const { end: from } = await this.#log.bounds("raw", 0);
    await this.#append({ kind, version: 2, hash, effective, from, files, ...rest });
    return this.current!;
  }

  /** Keeps what changes no answer and must not be forgotten. Resolves when it is durable. */
  async record(document: RevealDocument | InstallationDocument): Promise<void> {
    await this.#append(document);
  }

  /** Was this finding taken back by a rollback? `raw` is the offset of the batch that gave it. */
  retracted(program: string, rule: { readonly id: string; readonly hash: string }, raw: number): boolean {
    let taken = false;
    for (const version of this.#versions) {
      if (version.program.hash === program && version.from <= raw) taken = false;
      const { programs, rules } = version.program.change?.retracted ?? { programs: [], rules: [] };
      if (programs.includes(program) && rules.some(([id, hash]) => id === rule.id && hash === rule.hash)) taken = true;
    }
    return taken;
  }

  async #write({ rules, pipelines, event_pipelines = [] }: Files): Promise<string> {
    const ref = ({ file, pack, text }: ProgramFile): FileRef => ({
      file,
      ...(pack === undefined ? {} : { pack }),
      text: contentHash(text),
    });
    const refs = {
      rules: rules.map(ref),
      pipelines: pipelines.map(ref),
      ...(event_pipelines.length === 0 ? {} : { event_pipelines: event_pipelines.map(ref) }),
    };
    const hash = contentHash(JSON.stringify(refs));
    if (this.#files.has(hash)) return hash;
    let texts: string[] = [];
    let size = 0;
    const missing = new Set<string>();
    for (const { text } of [...rules, ...pipelines, ...event_pipelines]) if (!this.#texts.has(contentHash(text))) missing.add(text);
    for (const text of missing) {
      texts.push(text);
      size += text.length;
      if (size < textsPerBatch) continue;
      await this.#append({ kind: "texts", version: 1, texts });
      texts = [];
      size = 0;
    }
    if (texts.length > 0) await this.#append({ kind: "texts", version: 1, texts });
    await this.#append({ kind: "files", version: 1, hash, ...refs });
    return hash;
  }

  async #append(document: Document): Promise<void> {
    const offset = await this.#log.append("control", 0, Buffer.from(JSON.stringify(document)));
    if (offset !== this.#next) return this.#read();
    this.#next++;
    this.#know(document);
  }

  #read(prepared = true): Promise<void> {
    const read = this.#reading.then(async () => {
      const { end } = await this.#log.bounds("control", 0);
      while (this.#next < end) {
        const entries = await this.#log.read("control", 0, this.#next, readBytes);
        if (entries.length === 0) return;
        for (const entry of entries) {
          if (entry.offset < this.#next) continue;
          if ("bytes" in entry) {
            const document = JSON.parse(Buffer.from(entry.bytes).toString()) as Document;
            if (prepared && document.kind === "program") await this.#prepare(document.tables);
            this.#know(document);
          }
          this.#next = entry.offset + 1;
        }
      }
    });
    this.#reading = read.catch(() => {});
    return read;
  }

  #know(document: Document): void {
    const ahead = newer(`A document of the control topic (${document.kind})`, document.version, known[document.kind] ?? 0);
    if (ahead) throw ahead;
    if (document.kind === "texts") for (const text of document.texts) this.#texts.set(contentHash(text), text);
    else if (document.kind === "files") this.#knowFiles(document);
    else if (document.kind === "program") this.#knowProgram(document);
    else if (document.kind === "installation") this.#installation ??= document.installation;
  }

  /** Files whose texts were lost with a damaged batch are unknown, as is a program that needs them; the next publication writes them again. */
  #knowFiles({ hash, rules, pipelines, event_pipelines = [] }: FilesDocument): void {
    const read = (refs: readonly FileRef[]): ProgramFile[] =>
      refs.flatMap(({ text, ...ref }) => {
        const found = this.#texts.get(text);
        return found === undefined ? [] : [{ ...ref, text: found }];
      });
    const files = {
      rules: read(rules),
      pipelines: read(pipelines),
      ...(event_pipelines.length === 0 ? {} : { event_pipelines: read(event_pipelines) }),
    };
    const all = rules.length + pipelines.length + event_pipelines.length;
    if (files.rules.length + files.pipelines.length + (files.event_pipelines?.length ?? 0) === all) this.#files.set(hash, files);
  }

  #knowProgram(document: ProgramDocument | FirstProgramDocument): void {
    let program: Program;
    let from = 0;
    if (document.version === 1) program = { ...document, overlay: noOverlay };
    else {
      const { files, version: _, ...rest } = document;
      const known = this.#files.get(files);
      if (known === undefined) return;
      program = { ...rest, ...known };
      from = document.from;
    }
    this.#programs.set(program.hash, program);
    this.#versions.push({ number: this.#versions.length + 1, program, from });
  }
}
