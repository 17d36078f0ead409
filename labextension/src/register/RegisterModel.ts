import { VDomModel } from '@jupyterlab/ui-components';
import type { IRegistration } from '../code';
import { type ILiveNames, likelyData, likelyTarget } from './kernel';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** What the dialog of a registration holds: what the kernel has, and what is picked of it. */
export class RegisterModel extends VDomModel {
  constructor(private readonly asking: () => Promise<ILiveNames>) {
    super();
    void this.ask();
  }

  /** Asks the kernel what it holds. */
  async ask(): Promise<void> {
    this.failure = undefined;
    this.stateChanged.emit();
    try {
      this.take(await this.asking());
    } catch (error) {
      this.failure = error as Error;
      this.stateChanged.emit();
    }
  }

  get names(): ILiveNames | undefined {
    return this.known;
  }

  get error(): Error | undefined {
    return this.failure;
  }

  get wish(): IRegistration {
    return this.picked;
  }

  /** Whether the name is one that a model can have. */
  get named(): boolean {
    return NAME.test(this.picked.name);
  }

  get ready(): boolean {
    return this.known !== undefined && this.picked.model !== '' && this.named;
  }

  /** Picks something; another model brings the data that fit it. */
  pick(change: Partial<IRegistration>): void {
    this.picked = { ...this.picked, ...change };
    const tables = this.known?.tables ?? [];
    if (change.model !== undefined) {
      const model = this.known?.models.find(one => one.name === change.model);
      this.picked = { ...this.picked, data: likelyData(model, tables), kind: /DecisionTable$/.test(model?.type ?? '') ? 'decision' : 'ml' };
    }
    if (change.model !== undefined || change.data !== undefined) {
      this.picked = { ...this.picked, target: likelyTarget(this.picked.data, tables) };
    }
    this.stateChanged.emit();
  }

  private take(names: ILiveNames): void {
    this.known = names;
    this.pick({ model: names.models[0]?.name ?? '' });
  }

  private known: ILiveNames | undefined;
  private failure: Error | undefined;
  private picked: IRegistration = { model: '', name: '', data: '', target: '', validated: '', kind: 'ml', description: '' };
}
