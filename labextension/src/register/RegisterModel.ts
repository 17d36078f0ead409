import { VDomModel } from '@jupyterlab/ui-components';
import type { IRegistration } from '../code';
import type { ILiveModel, ILiveNames } from './kernel';
import { likelyData, likelyLabels, likelyValidation } from './likely';

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

  /** The model that is picked, as the kernel knows it. */
  get live(): ILiveModel | undefined {
    return this.known?.models.find(one => one.name === this.picked.model);
  }

  /** Whether metrics will be measured: on rows that are not the training rows, with their labels. */
  get measures(): boolean {
    const { validated, outcomes, data } = this.picked;
    return validated !== '' && outcomes !== '' && validated !== data;
  }

  /** Picks something; a model brings the rows that fit it, and rows bring their labels. */
  pick(change: Partial<IRegistration>): void {
    this.picked = { ...this.picked, ...change };
    const tables = this.known?.tables ?? [];
    const { live } = this;
    if (change.model !== undefined) {
      const data = likelyData(live, tables);
      const kind = /DecisionTable$/.test(live?.type ?? '') ? 'decision' : 'ml';
      this.picked = { ...this.picked, data, validated: likelyValidation(live, data, tables), kind };
    }
    if (change.model !== undefined || change.data !== undefined) {
      this.picked = { ...this.picked, target: likelyLabels(live, this.picked.data, tables) };
    }
    if (change.model !== undefined || change.validated !== undefined) {
      this.picked = { ...this.picked, outcomes: likelyLabels(live, this.picked.validated, tables) };
    }
    this.stateChanged.emit();
  }

  private take(names: ILiveNames): void {
    this.known = names;
    this.pick({ model: names.models[0]?.name ?? '' });
  }

  private known: ILiveNames | undefined;
  private failure: Error | undefined;
  private picked: IRegistration = { model: '', name: '', data: '', target: '', validated: '', outcomes: '', kind: 'ml', description: '' };
}
