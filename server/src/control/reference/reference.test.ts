import { expect, test } from 'vitest'
import { testControl } from '../../../test/test-control.ts'
import { routes } from '../routes.ts'
import { toReferencePage } from './reference-page.ts'

async function fetchPage(name: string): Promise<{ readonly text: string; readonly headers: Headers }> {
  const { app } = await testControl()
  const response = await app.request(`http://control.test/api/v1/${name}`)
  expect(response.status).toBe(200)
  return { text: await response.text(), headers: response.headers }
}

test('the reference shows every operation, and what each of them needs', async () => {
  const { text } = await fetchPage('reference')
  for (const { id, permission } of routes) {
    expect(text).toContain(`<details id="${id}">`)
    expect(text).toContain(`<code>${typeof permission === 'string' ? permission : permission.door}</code>`)
  }
})

test('the reference needs nothing from elsewhere and runs no script', async () => {
  const { text, headers } = await fetchPage('reference')
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self';/)
  expect(/<script|<img|<iframe|\sstyle=|\son\w+=|(?:src|href)="(?:https?:)?\/\//.exec(text)?.[0]).toBeUndefined()
  const { text: style } = await fetchPage('reference.css')
  expect(style).not.toMatch(/@import|url\(/)
})

test('what stands in a description stays text', () => {
  const operation = {
    operationId: 'x',
    tags: ['<b>'],
    summary: '<script>alert(1)</script> & "so", in `code`',
    'x-permission': 'apis.read',
    responses: {},
  }
  const page = toReferencePage({ paths: { '/<i>': { get: operation } } }, '<u>')
  expect(page).not.toMatch(/<script|<b>|<i>|<u>/)
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;so&quot;, in <code>code</code>')
})
