/** Where the programs of servers lie, for tests that start one of their own. */
export declare const programs: { readonly [name in "kafka" | "opensearch" | "postgres" | "redis" | "prometheus"]: string };
