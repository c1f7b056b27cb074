/** What the fake server answers with. */

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });

export function problem(status: number, code: string, detail: string): Answer {
  return { status, body: { type: "about:blank", title: code, status, detail, code } };
}
