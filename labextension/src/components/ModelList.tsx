import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { rowsToDraw, scrollTo } from '../rows';
import type { IModelSummary } from '../tokens';
import { ModelRow } from './ModelRow';

const ROW = 51;

interface IModelListProps {
  readonly models: readonly IModelSummary[];
  readonly current: string | null;
  readonly trans: TranslationBundle;
  readonly open: (name: string) => void;
  readonly drag: (model: IModelSummary, event: PointerEvent) => void;
}

/** The models, of which only those in view are in the document: one Tab stop, arrow keys lead from row to row. */
export function ModelList({ models, current, trans, open, drag }: IModelListProps): JSX.Element {
  const box = React.useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = React.useState({ top: 0, view: 600 });
  const [stop, setStop] = React.useState<string | null>(null);
  const [height, setHeight] = React.useState(ROW);
  const wanted = React.useRef<number | null>(null);
  const kept = models.findIndex(model => model.name === stop);
  const drawn = rowsToDraw(models.length, height, scroll.top, scroll.view, kept);

  const measure = React.useCallback(() => {
    const element = box.current;
    if (element && element.clientHeight > 0) {
      setScroll({ top: element.scrollTop, view: element.clientHeight });
      setHeight(element.querySelector<HTMLElement>('[data-name]')?.offsetHeight || ROW); // follows the font's size
    }
  }, []);
  React.useLayoutEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(box.current as HTMLElement);
    return () => observer.disconnect();
  }, [measure]);
  React.useLayoutEffect(() => {
    if (wanted.current !== null) {
      const name = models[wanted.current]?.name;
      wanted.current = null;
      box.current?.querySelector<HTMLElement>(`[data-name="${CSS.escape(name ?? '')}"]`)?.focus({ preventScroll: true });
    }
  });

  const walk = (event: React.KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(scroll.view / height) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    const last = models.length - 1;
    const step = steps[event.key];
    const next = event.key === 'Home' ? 0 : event.key === 'End' ? last : step === undefined ? null : kept + step;
    if (next === null || !box.current) {
      return;
    }
    event.preventDefault();
    wanted.current = Math.max(0, Math.min(last, next));
    box.current.scrollTop = scrollTo(wanted.current, height, box.current.scrollTop, scroll.view);
    setStop(models[wanted.current]?.name ?? null);
    measure();
  };

  return (
    <div className="jp-ModelOpsPanel-list" ref={box} onScroll={measure}>
      <ul
        aria-label={trans.__('Models')}
        style={{ height: models.length * height }}
        onClick={event => {
          const name = nameOf(event.target);
          if (name !== null) {
            open(name);
          }
        }}
        onPointerDown={event => {
          const model = models.find(one => one.name === nameOf(event.target));
          if (model && event.button === 0) {
            drag(model, event.nativeEvent);
          }
        }}
        onFocus={event => setStop(nameOf(event.target))}
        onKeyDown={walk}
      >
        {drawn.map(row => {
          const model = models[row] as IModelSummary;
          return (
            <ModelRow
              key={model.name}
              model={model}
              place={row}
              of={models.length}
              top={row * height}
              trans={trans}
              reachable={row === (kept < 0 ? 0 : kept)}
              current={model.name === current}
            />
          );
        })}
      </ul>
    </div>
  );
}

/** The model whose row an element is in. */
function nameOf(target: EventTarget): string | null {
  const row = target instanceof Element ? target.closest<HTMLElement>('[data-name]') : null;
  return row?.dataset['name'] ?? null;
}
