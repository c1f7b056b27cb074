/** How a server is started and asked: what tests that kill one of their own need of services_run.mjs. */
export interface ServerStart {
  readonly command: string;
  readonly args: readonly string[];
  /** `port` and whatever else its users must know. */
  readonly facts: { readonly port: number; readonly [name: string]: unknown };
  readonly user?: { readonly uid: number; readonly gid: number };
}
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** File that it says what it says to. */
  readonly log: string;
}
export declare const servers: {
  readonly [name in "kafka" | "postgres" | "redis" | "opensearch"]: {
    /** Fills an empty folder and says what to start there, again and again. */
    prepare(place: string): Promise<ServerStart>;
    ready(service: ServerAddress): unknown;
    after?(service: ServerAddress & { readonly [name: string]: unknown }): void;
  };
};
