/** Rules that pipelines keep from firing, and by what. */
import type { DataLoss } from "../api/data.ts";
import { Icon } from "../shell/icons.tsx";
import { Panel } from "../shell/panel.tsx";
import { Hostile } from "../shell/text.tsx";

export function Losses({ losses }: { readonly losses: readonly DataLoss[] }) {
  return (
    <Panel title={losses.length === 1 ? "1 rule loses its data" : `${losses.length} rules lose their data`}>
      <ul className="warnings">
        {losses.map(({ id, title, how }) => (
          <li key={id}>
            <Icon name="warning" size={14} />
            <span>
              <Hostile text={title} />{" "}
              <code>
                <Hostile text={id} />
              </code>
              : <Hostile text={how} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
