// A list of rows of one height, of which only those in view are in the page: thousands cost as much as a few.
import { useRef, useState } from "preact/hooks";

const BEYOND = 6;

/**
 * `rows` in a box that scrolls. `row(item, index)` draws one; `keyOf` names it. The header stands still above them.
 */
export function VirtualList({ label, rows, row, keyOf, rowHeight = 34, height = 420, header, columns }) {
  const [from, setFrom] = useState(0);
  const box = useRef(null);
  const first = Math.max(0, Math.floor(from / rowHeight) - BEYOND);
  const last = Math.min(rows.length, Math.ceil((from + height) / rowHeight) + BEYOND);
  const shown = Math.min(height, Math.max(rowHeight, rows.length * rowHeight));
  return (
    <div class={`list ${columns}`} role="table" aria-label={label} aria-rowcount={rows.length + 1}>
      <div class="row head" role="row" aria-rowindex="1">
        {header.map((name) => <span role="columnheader" key={name}>{name}</span>)}
      </div>
      <div
        class="window"
        role="rowgroup"
        tabIndex={0}
        aria-label={label}
        ref={box}
        style={{ height: `${shown}px` }}
        onScroll={() => setFrom(box.current.scrollTop)}
      >
        <div class="all" role="presentation" style={{ height: `${rows.length * rowHeight}px` }}>
          {rows.slice(first, last).map((item, at) => (
            <div
              class="row"
              role="row"
              aria-rowindex={first + at + 2}
              key={keyOf(item)}
              style={{ transform: `translateY(${(first + at) * rowHeight}px)`, height: `${rowHeight}px` }}
            >
              {row(item, first + at)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
