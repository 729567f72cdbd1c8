/** References to secrets that a control plane keeps: `${secret:NAME}` in the place of a value. */

const NAME = '[A-Za-z0-9][A-Za-z0-9._-]*'

/** Source of an expression that finds them; its group is the name. */
export const SECRET_REFERENCE = `\\$\\{secret:(${NAME})\\}`

const whole = new RegExp(`^${SECRET_REFERENCE}$`)

/** Whether a text is a reference and nothing else, so that what it stands for is not known yet. */
export function isSecretReference(text: string): boolean {
  return whole.test(text)
}
