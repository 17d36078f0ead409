import type { Client } from '../api';
import type { Action, IGate, IOverview } from '../tokens';
import { Wish } from './Wish';

const GATED: ReadonlySet<Action> = new Set<Action>(['approve', 'promote']);

/** What an action's dialog holds: what it is about, the policy's answer, the reason, and how the doing goes. */
export class ActionModel extends Wish {
  constructor(
    readonly action: Action,
    readonly page: IOverview,
    version: number | undefined,
    client: Client
  ) {
    super(client);
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

  /** Whether the policy has a say in this action. */
  get gated(): boolean {
    return GATED.has(this.action);
  }

  /** The policy's answer, or undefined until it is there. */
  get gate(): IGate | undefined {
    return this.judged;
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

  /** Whether a reason is given and the policy lets it pass. */
  override get ready(): boolean {
    return super.ready && (this.action !== 'promote' || this.judged?.passed === true);
  }

  /** Asks the policy. */
  async check(): Promise<void> {
    this.judged = undefined;
    this.error = undefined;
    if (!this.gated) {
      return;
    }
    const asked = { version: this.fullName, alias: this.target };
    const current = (): boolean => asked.version === this.fullName && asked.alias === this.target;
    try {
      const gate = await this.client.check(asked.version, asked.alias);
      if (current()) {
        this.judged = gate;
        this.stateChanged.emit();
      }
    } catch (error) {
      if (current()) {
        this.error = error as Error;
      }
    }
  }

  protected override request(reason: string): { readonly verb: string; readonly body: object } {
    return { verb: this.action, body: this.body(reason) };
  }

  private get fullName(): string {
    return `${this.name}/${this.chosen}`;
  }

  private body(reason: string): object {
    switch (this.action) {
      case 'promote': {
        const expected = this.holder === null ? {} : { expected: this.holder };
        return { version: this.fullName, alias: this.target, reason, ...expected };
      }
      case 'rollback':
        return { name: this.name, alias: this.target, reason };
      case 'comment':
        return { subject: this.fullName, text: reason };
      default:
        return { version: this.fullName, reason };
    }
  }

  private chosen: number;
  private target = 'champion';
  private judged: IGate | undefined;
}
