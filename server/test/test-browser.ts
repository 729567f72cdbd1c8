/** A browser at a control plane of a test: keeps cookies as RFC 6265 says, and sends what browsers send by themselves. */
import type { JsonObject } from '../src/kernel/json.ts'
import type { Answered, TestControl } from './test-control.ts'

export const PASSWORD = 'a marmot under the glacier'

export interface TestBrowser {
  readonly cookies: Map<string, string>
  /** The token that writes need; empty before somebody signed in. */
  csrfToken: string
  call(method: string, path: string, body?: unknown, fields?: Readonly<Record<string, string>>): Promise<Answered>
  signIn(email: string, password?: string, code?: string): Promise<Answered>
}

export function testBrowser({ call }: TestControl): TestBrowser {
  const cookies = new Map<string, string>()
  const browser: TestBrowser = {
    cookies,
    csrfToken: '',
    async call(method, path, body, fields) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const headers = {
        'sec-fetch-site': 'same-origin',
        ...(method === 'GET' ? {} : { origin: 'http://control.test' }),
        ...(cookie === '' ? {} : { cookie }),
        ...(browser.csrfToken === '' ? {} : { 'x-headgate-csrf': browser.csrfToken }),
        ...fields,
      }
      const answer = await call(method, path, { token: '', body, headers })
      for (const field of answer.headers.getSetCookie()) keep(cookies, field)
      if (typeof answer.body['csrfToken'] === 'string') browser.csrfToken = answer.body['csrfToken']
      return answer
    },
    signIn: (email, password = PASSWORD, code) =>
      browser.call('POST', '/sessions', { email, password, ...(code === undefined ? {} : { code }) }),
  }
  return browser
}

function keep(cookies: Map<string, string>, field: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(field) ?? []
  if (/Max-Age=0/.test(field)) cookies.delete(name)
  else cookies.set(name, value)
}

let count = 0

/** An account with a password, chosen by invitation, and with a role everywhere (empty: none). */
export async function createLocalUser(
  { done }: TestControl,
  role = 'owner',
  password = PASSWORD,
): Promise<{ readonly userId: string; readonly email: string }> {
  const email = `local-${++count}@example.com`
  const userId = textOf(await done('POST', '/users', { email, name: 'Somebody' }), 'id')
  if (role !== '') await done('POST', '/members', { userId, role })
  const token = textOf(await done('POST', `/users/${userId}/invitations`, {}), 'token')
  await done('POST', '/invitations/accept', { token, password })
  return { userId, email }
}

export function textOf(body: JsonObject, key: string): string {
  const value = body[key]
  if (typeof value === 'string') return value
  throw new TypeError(`${key} is no text: ${JSON.stringify(value)}`)
}
