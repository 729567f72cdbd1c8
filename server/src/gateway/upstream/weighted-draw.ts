/**
 * Draws an index with a probability in proportion to its weight, in constant time: the alias method
 * (A. J. Walker 1977; the table is built as in M. D. Vose, IEEE TSE 17(9), 1991).
 */
export class WeightedDraw {
  private readonly stays: Float64Array
  private readonly aliases: Int32Array

  constructor(weights: readonly number[]) {
    const size = weights.length
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / size
    this.stays = Float64Array.from(weights, (weight) => weight / mean)
    this.aliases = Int32Array.from(weights, (_weight, index) => index)
    const small: number[] = []
    const large: number[] = []
    this.stays.forEach((share, index) => (share < 1 ? small : large).push(index))
    // Each column that is too low is filled up from one that is too high, which may become too low by that.
    while (small.length > 0 && large.length > 0) {
      const low = small.pop() ?? 0
      const high = large.pop() ?? 0
      this.aliases[low] = high
      const rest = (this.stays[high] ?? 0) - (1 - (this.stays[low] ?? 0))
      this.stays[high] = rest
      ;(rest < 1 ? small : large).push(high)
    }
    // What is left over is 1 but for rounding.
    for (const index of [...small, ...large]) this.stays[index] = 1
  }

  next(random: () => number): number {
    const at = random() * this.stays.length
    const column = Math.floor(at)
    return at - column < (this.stays[column] ?? 1) ? column : (this.aliases[column] ?? column)
  }
}
