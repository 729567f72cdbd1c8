/**
 * Numbers as the texts that every record and answer has. Most are small, so their texts are there already; and two whole
 * numbers are written faster than one with a point.
 */
const WHOLES = Array.from({ length: 1000 }, (_, whole) => String(whole))
const HUNDREDTHS = Array.from({ length: 100 }, (_, i) => `.${String(i).padStart(2, '0')}`)
const THOUSANDTHS = Array.from({ length: 1000 }, (_, i) => `.${String(i).padStart(3, '0')}`)

export function toWhole(whole: number): string {
  return WHOLES[whole] ?? String(whole)
}

/** With two digits behind the point. */
export function toHundredths(value: number): string {
  const hundredths = Math.round(value * 100)
  const whole = Math.floor(hundredths / 100)
  return toWhole(whole) + (HUNDREDTHS[hundredths - whole * 100] ?? '')
}

/** With three digits behind the point. */
export function toThousandths(value: number): string {
  const thousandths = Math.round(value * 1000)
  const whole = Math.floor(thousandths / 1000)
  return toWhole(whole) + (THOUSANDTHS[thousandths - whole * 1000] ?? '')
}
