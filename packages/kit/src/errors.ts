/** Every error we throw on purpose. `code` is part of the API, `message` is for people. Knows no component. */

/** Base of all. `permanent`: would the same input fail again? It decides retry or dead letter. */
export class VedetteError extends Error {
  readonly code: ErrorCode;
  readonly permanent: boolean;
  constructor(code: ErrorCode, permanent: boolean, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.permanent = permanent;
  }
}

/** A configuration, rule or playbook file is wrong. The message carries `file:line:column`, what was expected, and a suggestion. */
export class ConfigError extends VedetteError {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(code, true, message, options);
  }
}

/** An input is wrong and would be wrong again. */
export class BadInputError extends VedetteError {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(code, true, message, options);
  }
}

/** Something is not there or full; the same call may succeed later. */
export class UnavailableError extends VedetteError {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(code, false, message, options);
  }
}

/** Every code, with what it means: docs/errors.md is held to this table by a test. */
export const errorCodes = {
  component_misnamed: "A component file does not export a component of its own name.",
  config_invalid: "The configuration does not fit its schema.",
  config_unreadable: "The configuration file cannot be read or is not YAML.",
  folder_unusable: "A folder that was named for data, backups or output cannot be made.",
  detector_cycle: "Detectors follow each other in a circle, or too deep.",
  rule_invalid: "A rule file cannot be loaded.",
  query_invalid: "A search query cannot be parsed.",
  data_dir_locked: "Another process holds the data directory's LOCK.",
  data_dir_format: "The data directory or state database was written by a newer or unknown version.",
  newer_version: "A newer version of Vedette wrote something that this one cannot read; it stands still before it and nothing is lost.",
  log_full: "The disk under the log is full or failing; nothing was accepted.",
  log_closed: "The log is closing; nothing was accepted.",
  kafka_unavailable: "Kafka does not answer; what was sent may or may not have become durable: sent again it is recognised.",
  kafka_refused: "Kafka refuses what the settings say: user, password, rights, version, or how a topic is set up.",
  backpressure: "Too much is waiting to be made durable; try again.",
  too_large: "A request or record is over its size cap.",
  bad_encoding: "A compressed body is damaged, of an unknown encoding, or over its ratio cap.",
  bad_table: "An inventory or database for enrichment cannot be read.",
  pipeline_invalid: "An event pipeline cannot be loaded.",
  bad_request: "A request does not have the expected form.",
  unauthorised: "A token is missing, unknown or expired.",
  second_factor_needed: "The password was right; a one-time code or a recovery code is needed too.",
  forbidden: "The token is known but may not do this.",
  not_found: "There is no such thing.",
  conflict: "The thing is not in a state that allows this.",
  store_unavailable: "The event or state store does not answer.",
  cluster_unavailable: "What the processes of the installation share (Redis) does not answer.",
  postgres_refused: "PostgreSQL refuses what the settings say: user, password, database, version or privileges.",
  query_timeout: "A query ran past its deadline and was stopped.",
  key_unavailable: "A key for sealing cannot be read, or is too short.",
  sealed_key_missing: "Something was sealed by a key that is not there.",
  sealed_damaged: "Something sealed was changed, or lies where it was not sealed for.",
  backup_invalid: "A folder holds no backups, those of another installation, or one that cannot be read.",
  restore_unfinished: "A data directory is being restored, and what a start needs is not there yet.",
  provider_unavailable: "The OpenID provider cannot be reached, or does not answer as one.",
  source_unavailable: "A source's input cannot be opened.",
} as const satisfies Record<string, string>;
export type ErrorCode = keyof typeof errorCodes;
