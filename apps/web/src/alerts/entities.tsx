/** Entities of an alert: as quiet text in lists, as links to their events on the alert's own page. */
import type { Entity } from "../api/types.ts";
import { shorten } from "../format/text.ts";
import { Hostile } from "../shell/text.tsx";

/** Two fit into a row; the rest is a number. */
const entities_in_row = 2;
const entity_characters = 48;

export function EntityText({ entities }: { readonly entities: readonly Entity[] }) {
  if (entities.length === 0) return <span className="dim">–</span>;
  return (
    <span className="entities">
      {entities.slice(0, entities_in_row).map((entity) => (
        <span key={`${entity.type} ${entity.id}`} className="entity">
          <span className="entity-type">
            <Hostile text={entity.type} />
          </span>{" "}
          <Hostile text={shorten(entity.id, entity_characters)} />
        </span>
      ))}
      {entities.length > entities_in_row && <span className="dim small">+{entities.length - entities_in_row}</span>}
    </span>
  );
}
