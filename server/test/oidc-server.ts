/** Starts the OpenID provider of `oidc-process.js`, and walks through its pages as a person with a browser does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { TestBrowser } from './test-browser.ts'
import type { Answered } from './test-control.ts'

const program = fileURLToPath(new URL('oidc-process.js', import.meta.url))

/** Its issuer. `people`: claims by the name that one signs in with. */
export async function startOidcProvider(
  redirectUris: readonly string[],
  people: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Promise<string> {
  const child = spawn(process.execPath, [program, redirectUris.join(' '), JSON.stringify(people)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => void child.kill())
  const [line]: unknown[] = await once(child.stdout, 'data')
  return `http://127.0.0.1:${String(line).trim()}`
}

/** Signs in at the provider as `login`; the address that the provider sends the browser back to. */
export async function signInAtProvider(start: string, login: string): Promise<URL> {
  const cookies = new Map<string, string>()
  let url = new URL(start)
  const { origin } = url
  let form: string | undefined
  for (let step = 0; step < 20; step++) {
    const response = await fetch(url, {
      redirect: 'manual',
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form === undefined ? {} : { body: form }),
    })
    for (const field of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(field) ?? []
      cookies.set(name, value)
    }
    form = undefined
    const location = response.headers.get('location')
    if (location !== null) {
      url = new URL(location, url)
      if (url.origin !== origin) return url
      continue
    }
    const page = await response.text()
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1]
    if (action === undefined) throw new Error(`the provider answers ${response.status}: ${page.slice(0, 300)}`)
    url = new URL(action.replaceAll('&amp;', '&'), url)
    form = page.includes('value="login"') ? `prompt=login&login=${login}&password=x` : 'prompt=consent'
  }
  throw new Error('the provider does not come to an end')
}

/** The whole way: from the control plane to the provider and back. */
export async function signInBy(browser: TestBrowser, provider: string, login: string): Promise<Answered> {
  const left = await browser.call('GET', `/sign-in/${provider}?returnTo=/apis`)
  const back = await signInAtProvider(left.headers.get('location') ?? '', login)
  return browser.call('GET', `/sign-in/${provider}/callback${back.search}`)
}
