import type { Kernel, KernelMessage } from '@jupyterlab/services';

/** A fitted model of the notebook; features are the columns it was fitted on, where it remembers them. */
export interface ILiveModel {
  readonly name: string;
  readonly type: string;
  readonly features: readonly string[];
}

/** Rows in the notebook; columns are null for a single column of outcomes. */
export interface ILiveTable {
  readonly name: string;
  readonly type: string;
  readonly rows: number;
  readonly columns: readonly string[] | null;
}

export interface ILiveNames {
  readonly models: readonly ILiveModel[];
  readonly tables: readonly ILiveTable[];
  readonly magic: boolean;
}

const QUESTION =
  "__import__('modelops_jupyter.live_names', fromlist=['live_names']).live_names(" +
  "get_ipython().user_ns, magic='modelops' in get_ipython().magics_manager.magics['line'])";

/** Why the kernel did not answer: `no-package` where ours is not installed in it, `gone` where there is none. */
export class KernelRefusal extends Error {
  constructor(
    message: string,
    readonly code: 'no-package' | 'gone' | 'failed'
  ) {
    super(message);
  }
}

/** Asks a Python kernel which fitted models and tables it holds; a busy one answers when its cell has ended. */
export async function liveNames(kernel: Kernel.IKernelConnection | null | undefined): Promise<ILiveNames> {
  if (!kernel || kernel.status === 'dead') {
    throw new KernelRefusal('', 'gone');
  }
  const content = { code: '', silent: true, store_history: false, user_expressions: { names: QUESTION } };
  const { content: reply } = await kernel.requestExecute(content).done;
  if (reply.status !== 'ok') {
    throw new KernelRefusal('', 'failed');
  }
  return answer((reply as KernelMessage.IReplyOkContent & { user_expressions: Record<string, unknown> }).user_expressions);
}

interface IExpression {
  readonly status: string;
  readonly ename?: string;
  readonly evalue?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

function answer(expressions: Readonly<Record<string, unknown>>): ILiveNames {
  const { status, ename, evalue, data } = expressions['names'] as IExpression;
  if (status !== 'ok') {
    throw new KernelRefusal(evalue ?? '', ename === 'ModuleNotFoundError' ? 'no-package' : 'failed');
  }
  return data?.['application/json'] as ILiveNames;
}
