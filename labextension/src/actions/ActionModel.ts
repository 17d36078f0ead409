import { VDomModel } from '@jupyterlab/ui-components';
import { UUID } from '@lumino/coreutils';
import type { Client } from '../api';
import type { Action, IGate, IOverview } from '../tokens';

const GATED: ReadonlySet<Action> = new Set<Action>(['approve', 'promote']);

/** What an action's dialog holds: what it is about, the policy's answer, the reason, and how the doing goes. */
export class ActionModel extends VDomModel {
  constructor(
    readonly action: Action,
    readonly page: IOverview,
    version: number | undefined,
    private readonly client: Client
  ) {
    super();
    this.name = page.summary.name;
    this.chosen = version ?? page.versions[0]?.version ?? 0;
    void this.check();
  }

  readonly name: string;

  get version(): number {
    return this.chosen;
  }
  set version(version: number) {
    this.chosen = version;
    void this.check();
  }

  get alias(): string {
    return this.target;
  }
  set alias(alias: string) {
    this.target = alias;
    void this.check();
  }

  get reason(): string {
    return this.why;
  }
  set reason(reason: string) {
    this.why = reason;
    this.stateChanged.emit();
  }

  /** Whether the policy has a say in this action. */
  get gated(): boolean {
    return GATED.has(this.action);
  }

  /** The policy's answer, or undefined until it is there. */
  get gate(): IGate | undefined {
    return this.judged;
  }

  /** Whether it is being done. */
  get pending(): boolean {
    return this.doing;
  }

  /** Why the check or the action failed. */
  get error(): Error | undefined {
    return this.failure;
  }

  /** Aliases that there are, and those that people expect. */
  get aliases(): readonly string[] {
    const held = this.page.versions.flatMap(one => one.aliases.split(', ').filter(Boolean));
    return [...new Set(['champion', 'challenger', 'candidate', ...held])];
  }

  /** The version that holds the alias, as far as this page knows. */
  get holder(): number | null {
    return this.page.versions.find(one => one.aliases.split(', ').includes(this.target))?.version ?? null;
  }

  /** Whether everything is said and the policy lets it pass. */
  get ready(): boolean {
    return !this.doing && this.why.trim() !== '' && (this.action !== 'promote' || this.judged?.passed === true);
  }

  /** Asks the policy. */
  async check(): Promise<void> {
    this.judged = undefined;
    this.failure = undefined;
    this.stateChanged.emit();
    if (!this.gated) {
      return;
    }
    const asked = { reference: this.reference, alias: this.target };
    try {
      const gate = await this.client.check(asked.reference, asked.alias);
      if (asked.reference === this.reference && asked.alias === this.target) {
        this.judged = gate;
      }
    } catch (error) {
      this.failure = error as Error;
    }
    this.stateChanged.emit();
  }

  /** Does it, once; returns whether it is done. */
  async perform(): Promise<boolean> {
    if (!this.ready) {
      return false;
    }
    this.doing = true;
    this.failure = undefined;
    this.stateChanged.emit();
    try {
      const body = this.body();
      await this.client.post(this.action, body, this.key(body));
      return true;
    } catch (error) {
      this.failure = error as Error;
      return false;
    } finally {
      this.doing = false;
      this.stateChanged.emit();
    }
  }

  private get reference(): string {
    return `${this.name}/${this.chosen}`;
  }

  private body(): object {
    const reason = this.why.trim();
    switch (this.action) {
      case 'promote': {
        const expected = this.holder === null ? {} : { expected: this.holder };
        return { reference: this.reference, alias: this.target, reason, ...expected };
      }
      case 'rollback':
        return { name: this.name, alias: this.target, reason };
      case 'comment':
        return { reference: this.reference, text: reason };
      default:
        return { reference: this.reference, reason };
    }
  }

  /** One key for one wish: sent again it is the same request, changed it is another. */
  private key(body: object): string {
    const wish = JSON.stringify(body);
    if (wish !== this.wish) {
      this.wish = wish;
      this.wishKey = UUID.uuid4();
    }
    return this.wishKey;
  }

  private chosen: number;
  private target = 'champion';
  private why = '';
  private judged: IGate | undefined;
  private doing = false;
  private failure: Error | undefined;
  private wish = '';
  private wishKey = '';
}
