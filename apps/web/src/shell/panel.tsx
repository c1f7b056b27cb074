/** A titled surface, the building block of every page. */
import { type ReactNode, useId } from "react";

export interface PanelProps {
  readonly title: ReactNode;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
  /** Content up to the edge, for tables. */
  readonly flush?: boolean;
}

export function Panel({ title, aside, children, className = "", flush = false }: PanelProps) {
  const id = useId();
  return (
    <section className={`panel ${flush ? "panel-flush" : ""} ${className}`} aria-labelledby={id}>
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        {aside !== undefined && <div className="panel-aside">{aside}</div>}
      </header>
      <div className="panel-body">{children}</div>
    </section>
  );
}

/** A page's name, its one h1, and what belongs beside it. */
export function PageHead({ title, children }: { readonly title: ReactNode; readonly children?: ReactNode }) {
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {children !== undefined && <div className="page-head-aside">{children}</div>}
    </div>
  );
}
