/** What is wrong with a ruleset: a sentence, and how to mend it. */
export class RulesetFault extends Error {
  override readonly name = 'RulesetFault'
  readonly remedy: string

  constructor(message: string, remedy: string) {
    super(message)
    this.remedy = remedy
  }
}
