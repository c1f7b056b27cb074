/** Holds a table that may be wider or longer than its place: it scrolls by itself, and while it does it is reachable by keyboard. */
import { type ReactNode, useEffect, useRef, useState } from "react";

export function TableScroll({ children, className = "" }: { readonly children: ReactNode; readonly className?: string }) {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = () => setScrolls(element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight);
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    for (const child of element.children) sizes.observe(child);
    return () => sizes.disconnect();
  }, []);
  return (
    <div ref={box} className={`table-scroll ${className}`} tabIndex={scrolls ? 0 : undefined}>
      {children}
    </div>
  );
}
