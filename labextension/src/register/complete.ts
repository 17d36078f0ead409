import type { JupyterFrontEnd } from '@jupyterlab/application';
import { type CompletionHandler, type ICompletionContext, type ICompletionProvider, ICompletionProviderManager } from '@jupyterlab/completer';
import { modelsIcon } from '../icons';
import type { IModelOps } from '../tokens';
import { references, typedReference } from './references';

/** Completes model references in lines of `%modelops`, whether or not the kernel is there or busy. */
class ReferenceProvider implements ICompletionProvider {
  constructor(private readonly modelops: IModelOps) {}

  readonly identifier = 'modelops-jupyter:references';
  readonly rank = 600;

  async isApplicable(context: ICompletionContext): Promise<boolean> {
    const text = context.editor?.model.sharedModel.getSource() ?? '';
    return text.includes('%modelops');
  }

  async fetch(request: CompletionHandler.IRequest): Promise<CompletionHandler.ICompletionItemsReply> {
    const typed = typedReference(request.text, request.offset);
    if (typed === null) {
      return { start: request.offset, end: request.offset, items: [] };
    }
    const rows = this.modelops.models.data?.rows ?? (await this.modelops.client.fleet().read()).rows;
    const items = references(rows)
      .filter(one => one.startsWith(typed))
      .map(label => ({ label, type: 'model', icon: modelsIcon }));
    return { start: request.offset - typed.length, end: request.offset, items };
  }
}

/** Adds the completion to every notebook and console. */
export async function start(app: JupyterFrontEnd, modelops: IModelOps): Promise<void> {
  const manager = await app.resolveOptionalService(ICompletionProviderManager);
  manager?.registerProvider(new ReferenceProvider(modelops));
}
