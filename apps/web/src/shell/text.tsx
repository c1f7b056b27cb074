/** Shows text that came from outside: as text nodes, with hidden and direction-changing characters made visible. */
import { Fragment } from "react";
import { visiblePieces } from "../format/text.ts";

/** Hostile text in the flow of a page; direction changes cannot leave it. */
export function Hostile({ text, lines = false }: { readonly text: string; readonly lines?: boolean }) {
  const pieces = visiblePieces(text, lines);
  return (
    <bdi>
      {pieces.map((piece, at) => {
        const key = `${at}`;
        return piece.hidden === undefined ? (
          <Fragment key={key}>{piece.text}</Fragment>
        ) : (
          <span key={key} className="hidden-character" title={piece.hidden}>
            {piece.text}
          </span>
        );
      })}
    </bdi>
  );
}

/** The record as it came, in a block that scrolls by itself. */
export function Original({ text, label = "Original record" }: { readonly text: string; readonly label?: string }) {
  return (
    <section className="original" aria-label={label}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a block that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        <Hostile text={text} lines />
      </pre>
    </section>
  );
}
