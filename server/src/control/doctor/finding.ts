/** What a check of `headgate doctor` found. */
export interface Finding {
  /** What was looked at, such as `database`. */
  readonly check: string
  /** `wrong` stops or will stop something; `warning` will some day; `skipped` could not be looked at. */
  readonly state: 'ok' | 'warning' | 'wrong' | 'skipped'
  readonly detail: string
  /** What to do about it. */
  readonly remedy?: string
}
