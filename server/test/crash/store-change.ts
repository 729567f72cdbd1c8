/** What a test and the process that it kills tell each other. */

/** A change is several rows and a sum, so that half of one can be told. */
export interface StoreChange {
  readonly id: number
  readonly parts: number
  readonly text: string
}

export interface StorePlaceArgument {
  readonly folder: string
  readonly url?: string
}

/** The name of the row that counts the parts of all changes. */
export const sumName = 'sum of parts'
