/** One server-sent event. */
export interface IServerEvent {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: string;
}

/** Cuts a stream of text into server-sent events, whole ones only. */
export class EventCutter {
  /** Returns the events that `text` completes. */
  push(text: string): readonly IServerEvent[] {
    const blocks = (this.rest + text).replace(/\r\n/g, '\n').split('\n\n');
    this.rest = blocks.pop() ?? '';
    return blocks.map(parse).filter((event): event is IServerEvent => event !== null);
  }

  private rest = '';
}

function parse(block: string): IServerEvent | null {
  let id: string | undefined;
  let type = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === 'id') {
      id = value;
    } else if (field === 'event') {
      type = value;
    } else if (field === 'data') {
      data.push(value);
    }
  }
  return data.length === 0 ? null : { id, type, data: data.join('\n') };
}
