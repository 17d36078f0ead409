import React from 'react';

/** The width an element is given, followed as it changes; 0 while it is not shown. */
export function useWidth(): [React.RefObject<HTMLElement>, number] {
  const box = React.useRef<HTMLElement>(null);
  const [width, setWidth] = React.useState(0);
  React.useLayoutEffect(() => {
    const element = box.current;
    if (!element) {
      return undefined;
    }
    const observer = new ResizeObserver(() => {
      const now = Math.floor(element.clientWidth);
      if (now > 0) {
        setWidth(now);
      }
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [box, width];
}
